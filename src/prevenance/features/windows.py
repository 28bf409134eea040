"""Windowed columns: from cells to one value per snapshot, customer chunk by customer chunk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np

from prevenance.base.errors import PrevenanceError
from prevenance.features.cells import Cells, Late, cells, drop
from prevenance.features.define import Count, DaysSince, Distinct, Feature, Last, Mean, Min, Sum
from prevenance.features.distinct import distinct
from prevenance.features.intervals import NEVER, SCALE, Axis, Series, axis, series
from prevenance.history.history import History
from prevenance.tables.canonical import TABLES


@dataclass(frozen=True)
class Window:
    """One windowed column to fill: a feature, and whether the window just before it is meant."""

    column: str
    feature: Feature
    before: bool = False


def _axis(windows: Sequence[Window], cutoffs: Sequence[datetime]) -> Axis:
    spans = {days for window in windows if (days := window.feature.days) is not None}
    doubled = {2 * window.feature.days for window in windows if window.before and window.feature.days is not None}
    return axis(cutoffs, sorted(spans | doubled))


def windowed(
    history: History, table: str, facts: str, windows: Sequence[Window], rows: dict[datetime, np.ndarray], codes: np.ndarray, customers: int
) -> dict[str, np.ndarray]:
    """Fill the windowed columns of one table from its ``facts`` (SQL), those of all customers of the snapshots."""
    # one block, because the system hands out one large piece of memory far faster than many small ones
    columns = dict(zip((window.column for window in windows), np.full((len(windows), len(codes)), np.nan), strict=True))
    grouped = [window for window in windows if not isinstance(window.feature.value, Distinct)]
    try:
        if grouped:
            _grouped(history, facts, grouped, rows, codes, customers, columns)
        for_values: dict[tuple[str, str], list[Window]] = {}
        for window in windows:
            if isinstance(window.feature.value, Distinct):
                for_values.setdefault((window.feature.value.column, window.feature.where), []).append(window)
        for (column, where), group in for_values.items():
            asked = [(cutoff, window.feature.days, window.before) for cutoff in rows for window in group]
            counts = distinct(history, facts, column, where, _axis(group, list(rows)), asked, customers)
            for number, index in enumerate(rows.values()):
                for place, window in enumerate(group):
                    columns[window.column][index] = counts[number * len(group) + place][codes[index]]
    except duckdb.BinderException as problem:
        wrong = ", ".join(sorted({window.feature.name for window in windows}))
        what = f"a feature of {table} names what the table does not have ({str(problem).splitlines()[0][:160]}); features: {wrong[:200]}"
        raise PrevenanceError("E210", what, table=table, fix=f"use the columns of {table}: {', '.join(TABLES[table].shared)}") from problem
    return columns


def _grouped(
    history: History,
    facts: str,
    windows: Sequence[Window],
    rows: dict[datetime, np.ndarray],
    codes: np.ndarray,
    customers: int,
    columns: dict[str, np.ndarray],
) -> None:
    time = _axis(windows, list(rows))
    users: dict[Series, list[Window]] = {}
    for window in windows:
        for one in series(window.feature):
            users.setdefault(one, []).append(window)
    wanted = {one: _axis(group, list(rows)) for one, group in users.items()}
    numbers = {one: number for number, one in enumerate(wanted)}
    for chunk in cells(history, facts, time, wanted, customers):
        for place, (cutoff, index) in enumerate(rows.items(), 1):
            inside = index[(codes[index] >= chunk.customers.start) & (codes[index] < chunk.customers.stop)]
            code, late = codes[inside] - chunk.customers.start, chunk.late.known(place)
            for window in windows:
                low, high = time.window(cutoff, window.feature.days, window.before)
                parts = [part for one in series(window.feature) for part in _read(chunk, late, one.kind, numbers[one], low, high)]
                columns[window.column][inside] = _value(window.feature, parts, cutoff)[code]


def _read(chunk: Cells, late: Late, kind: str, number: int, low: int, high: int) -> list[np.ndarray]:
    """Return a series over the intervals ``low+1 .. high``, one array over the chunk's customers per part."""
    held, behind = chunk.held[number], late.inside(low, high)
    code, values = late.code[behind], [part[behind] for part in late.values[number]]
    before, last = chunk.rows[number][[low + 1, high + 1]]
    if kind == "last":
        return _newest([part[before + 1 : last + 1] for part in held], code, values)
    result = (
        (held[0][last] - held[0][before]).astype(np.int64)
        if kind == "sum"
        else np.max(held[0][before + 1 : last + 1], axis=0, initial=NEVER)
    )
    (np.add if kind == "sum" else np.maximum).at(result, code, values[0])
    return [result]


def _newest(held: Sequence[np.ndarray], code: np.ndarray, late: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return event_at, known_at and value of the newest row per customer; ties by (event_at, known_at, value)."""
    best = [np.full(part.shape[1], NEVER, dtype=np.int64) for part in held]
    everyone = np.arange(len(best[0]))
    for row in zip(*held, strict=True):
        drop("last", best, everyone, row)
    drop("last", best, code, late)
    return best


def _value(feature: Feature, parts: list[np.ndarray], cutoff: datetime) -> np.ndarray:
    """Return a feature's float64 values from its integer parts."""
    value, first = feature.value, parts[0]
    if isinstance(value, Sum):
        return first / SCALE
    if isinstance(value, Mean):
        return np.divide(first / SCALE, parts[1], out=np.full(len(first), np.nan), where=parts[1] > 0)
    if isinstance(value, Last):
        return np.where(first == NEVER, np.nan, parts[2] / SCALE)
    if isinstance(value, DaysSince):
        now = (cutoff - datetime(1970, 1, 1)).total_seconds() * 1_000_000
        return np.where(first == NEVER, np.nan, (round(now) - first) / 86_400_000_000)
    if isinstance(value, Count):
        return first.astype(float)
    return np.where(first == NEVER, np.nan, (-first if isinstance(value, Min) else first) / SCALE)

"""Windowed columns: from cells to one value per snapshot, customer chunk by customer chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np

from prevenance.errors import PrevenanceError
from prevenance.features.define import Count, DaysSince, Distinct, Feature, Last, Mean, Min, Sum
from prevenance.features.distinct import distinct
from prevenance.features.intervals import NEVER, SCALE, Axis, Cells, axis, cells, dense, late_rows, prefix, series
from prevenance.history import History
from prevenance.tables import TABLES


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
    history: History, table: str, windows: Sequence[Window], rows: dict[datetime, np.ndarray], codes: np.ndarray, customers: int
) -> dict[str, np.ndarray]:
    """Fill the windowed columns of one table."""
    columns = {window.column: np.full(len(codes), np.nan) for window in windows}
    grouped = [window for window in windows if not isinstance(window.feature.value, Distinct)]
    try:
        if grouped:
            _grouped(history, table, grouped, rows, codes, customers, columns)
        for_values: dict[tuple[str, str], list[Window]] = {}
        for window in windows:
            if isinstance(window.feature.value, Distinct):
                for_values.setdefault((window.feature.value.column, window.feature.where), []).append(window)
        for (column, where), group in for_values.items():
            asked = [(cutoff, window.feature.days, window.before) for cutoff in rows for window in group]
            counts = distinct(history, table, column, where, _axis(group, list(rows)), asked, customers)
            for number, (cutoff, index) in enumerate(rows.items()):
                for place, window in enumerate(group):
                    columns[window.column][index] = counts[number * len(group) + place][codes[index]]
    except duckdb.BinderException as problem:
        wrong = ", ".join(sorted({window.feature.name for window in windows}))
        raise PrevenanceError(
            "E210", f"a feature of {table} names what the table does not have ({str(problem).splitlines()[0][:160]}); features: {wrong[:200]}",
            table=table, fix=f"use the columns of {table}: {', '.join(TABLES[table].names)}",
        ) from problem
    return columns


def _grouped(
    history: History,
    table: str,
    windows: Sequence[Window],
    rows: dict[datetime, np.ndarray],
    codes: np.ndarray,
    customers: int,
    columns: dict[str, np.ndarray],
) -> None:
    time = _axis(windows, list(rows))
    wanted = list(dict.fromkeys(one for window in windows for one in series(window.feature)))
    by_series: dict[tuple[int, ...], list[Window]] = {}
    for window in windows:
        by_series.setdefault(tuple(wanted.index(one) for one in series(window.feature)), []).append(window)
    for chunk in cells(history, table, time, wanted, customers):
        inside = {cutoff: index[(codes[index] >= chunk.customers.start) & (codes[index] < chunk.customers.stop)] for cutoff, index in rows.items()}
        for numbers, group in by_series.items():
            kind = wanted[numbers[0]].kind
            make = prefix if kind == "sum" else dense
            held = [make(chunk, number, len(time.edges)) for number in numbers]
            for place, (cutoff, index) in enumerate(inside.items(), 1):
                for window in group:
                    low, high = time.window(cutoff, window.feature.days, window.before)
                    read = {"sum": _summed, "max": _highest, "last": _newest}[kind]
                    parts = read(chunk, numbers, held, place, low, high)
                    columns[window.column][index] = _value(window.feature, parts, cutoff)[codes[index] - chunk.customers.start]


def _summed(chunk: Cells, numbers: Sequence[int], held: list[np.ndarray], place: int, low: int, high: int) -> list[np.ndarray]:
    late = late_rows(chunk, place, low, high)
    results = []
    for number, sums in zip(numbers, held, strict=True):
        total = sums[high + 1] - sums[low + 1]
        np.add.at(total, chunk.code[late], chunk.values[number][late])
        results.append(total)
    return results


def _highest(chunk: Cells, numbers: Sequence[int], held: list[np.ndarray], place: int, low: int, high: int) -> list[np.ndarray]:
    late = late_rows(chunk, place, low, high)
    result = np.max(held[0][low + 1 : high + 1], axis=0, initial=NEVER)
    np.maximum.at(result, chunk.code[late], chunk.values[numbers[0]][late])
    return [result]


def _newest(chunk: Cells, numbers: Sequence[int], held: list[np.ndarray], place: int, low: int, high: int) -> list[np.ndarray]:
    """Return event_at, known_at and value of the newest row per customer; ties by (event_at, known_at, value)."""
    best = [np.full(len(chunk.customers), NEVER, dtype=np.int64) for _ in numbers]
    for k in range(low + 1, high + 1):
        there = held[0][k] != NEVER
        for part, values in zip(best, held, strict=True):
            part[there] = values[k][there]
    late = late_rows(chunk, place, low, high)
    late = late[np.lexsort([chunk.values[number][late] for number in reversed(numbers)])]
    # ascending, so the last write per customer is its newest late row
    row = np.full(len(chunk.customers), -1, dtype=np.int64)
    row[chunk.code[late]] = late
    challenger = [np.where(row >= 0, chunk.values[number][row], NEVER) if len(late) else part for number, part in zip(numbers, best, strict=True)]
    newer = np.zeros(len(chunk.customers), dtype=bool)
    for mine, other in reversed(list(zip(best, challenger, strict=True))):
        newer = (other > mine) | ((other == mine) & newer)
    for mine, other in zip(best, challenger, strict=True):
        mine[newer] = other[newer]
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

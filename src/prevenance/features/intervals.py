"""Windowed aggregates by elementary intervals: cut time once, group once, then windows are differences.

Time is cut at every cutoff, every ``cutoff - days`` and every ``cutoff - 2*days``. Interval ``k`` is
``(edges[k-1], edges[k]]``, so a window ``(cutoff - days, cutoff]`` is a run of whole intervals. A fact is keyed by the
interval it happened in and by ``late``: 0 when every cutoff after it already knew it, else the number of the first
cutoff (from 1) that does. On-time cells go through prefix sums; the few late ones are added at the cutoffs that know them.
Sums are integers (DECIMAL scaled by 10,000): no result depends on row order, threads or the number of cutoffs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import gcd

import numpy as np

from prevenance.features.define import Count, DaysSince, Feature, Last, Max, Mean, Min, Sum
from prevenance.history import History
from prevenance.sources.files import quoted

SCALE = 10_000
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1)
FEW_BINS = 400_000
CHUNK_BYTES = 256_000_000
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Axis:
    """Time cut into intervals: ``edges`` ascending; ``cutoffs`` ascending and a part of them."""

    cutoffs: tuple[datetime, ...]
    edges: tuple[datetime, ...]

    def window(self, cutoff: datetime, days: int | None, before: bool = False) -> tuple[int, int]:
        """Return ``(low, high)``: the window is the intervals ``low+1 .. high``.

        It is ``(cutoff - days, cutoff]``, or ``(cutoff - 2*days, cutoff - days]`` with ``before``.
        """
        if days is None:
            return -1, bisect_left(self.edges, cutoff)
        end = cutoff - timedelta(days=days) if before else cutoff
        return bisect_left(self.edges, end - timedelta(days=days)), bisect_left(self.edges, end)


def axis(cutoffs: Sequence[datetime], spans: Sequence[int]) -> Axis:
    """Return the time axis for ``cutoffs`` and window lengths ``spans`` in days."""
    times = sorted(set(cutoffs))
    edges = {time - timedelta(days=days) for time in times for days in (0, *spans)}
    return Axis(tuple(times), tuple(sorted(edges)))


def _microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


def keyed(history: History, table: str, axis: Axis, columns: str) -> str:
    """Return SQL giving ``columns``, ``k`` (interval of event_at) and ``late`` for the facts known by the last cutoff.

    Facts meet their interval through a small table of equal time bins (temp table ``bins``), or by an as-of join where
    the edges have no common step.
    """
    import pandas as pd

    edges = np.array([_microseconds(edge) for edge in axis.edges])
    cutoffs = np.array([_microseconds(cutoff) for cutoff in axis.cutoffs])
    width = gcd(*(int(step) for step in np.diff(edges))) if len(edges) > 1 else int(DAY / MICROSECOND)
    number = int(edges[-1] - edges[0]) // width
    ends = np.arange(number + 1) * width + edges[0] if number <= FEW_BINS else edges
    bins = pd.DataFrame(
        {
            "bin": np.arange(len(ends)),
            "ends": ends.astype("datetime64[us]"),
            "k": np.searchsorted(edges, ends),
            "next_cutoff": cutoffs[np.searchsorted(cutoffs, ends)].astype("datetime64[us]"),
        }
    )
    history.con.register("frame", bins)
    history.con.execute("create or replace temp table bins as select bin::integer as bin, ends, k::usmallint as k, next_cutoff from frame")
    history.con.unregister("frame")
    # a fact before the first edge falls into bin 0: interval 0 reaches back to the beginning
    place = f"greatest((epoch_us(event_at) - {edges[0]} + {width - 1}) // {width}, 0)::integer"
    joined = f"join bins on bins.bin = {place}" if number <= FEW_BINS else "asof join bins on event_at <= ends"
    rungs = " ".join(f"when known_at <= timestamp '{cutoff}' then {n}" for n, cutoff in enumerate(axis.cutoffs, 1))
    last = f"timestamp '{axis.edges[-1]}'"
    return (
        f"select {columns}, k, (case when known_at <= next_cutoff then 0 else case {rungs} end end)::usmallint as late "
        f"from canonical.{table} {joined} where event_at <= {last} and known_at <= {last}"
    )


@dataclass(frozen=True)
class Series:
    """One aggregate per cell: ``sql`` over the rows, ``kind`` says how cells add up (sum, min, max, last)."""

    sql: str
    kind: str


def series(feature: Feature) -> tuple[Series, ...]:
    """Return the aggregates a windowed feature is made of."""
    value = feature.value
    column = quoted(value.column) if isinstance(value, Sum | Mean | Min | Max | Last) else ""
    scaled = f"({column} * {SCALE})::bigint"
    where = f"({feature.where or 'true'})"
    kept = f"filter (where {where} and {column} is not null)" if column else f"filter (where {where})"
    match value:
        case Count():
            return (Series(f"count(*) {kept}", "sum"),)
        case Sum():
            return (Series(f"coalesce(sum({scaled}) {kept}, 0)::bigint", "sum"),)
        case Mean():
            return Series(f"coalesce(sum({scaled}) {kept}, 0)::bigint", "sum"), Series(f"count(*) {kept}", "sum")
        case Min():
            return (Series(f"coalesce(max(-{scaled}) {kept}, {NEVER})", "max"),)
        case Max():
            return (Series(f"coalesce(max({scaled}) {kept}, {NEVER})", "max"),)
        case DaysSince():
            return (Series(f"coalesce(epoch_us(max(event_at) {kept}), {NEVER})", "max"),)
        case Last():
            newest = f"max({{'e': epoch_us(event_at), 'n': epoch_us(known_at), 'v': {scaled}}}) {kept}"
            return tuple(Series(f"coalesce(({newest}).{part}, {NEVER})", "last") for part in "env")
    raise TypeError(f"{feature.name}: {value} is no windowed value")


@dataclass(frozen=True)
class Cells:
    """The grouped facts of some customers: ``code`` (customer), ``k``, ``late`` and one array per series, int64."""

    customers: range
    code: np.ndarray
    k: np.ndarray
    late: np.ndarray
    values: tuple[np.ndarray, ...]


def cells(history: History, table: str, axis: Axis, wanted: Sequence[Series], customers: int) -> Iterator[Cells]:
    """Group the facts of ``table`` once and yield the cells customer chunk by customer chunk.

    The temp table ``codes`` (customer_id, code) numbers the customers of the snapshots from 0.
    """
    con = history.con
    aggregates = ", ".join(f"{one.sql} as s{n}" for n, one in enumerate(wanted))
    names = ", ".join(f"s{n}" for n in range(len(wanted)))
    con.execute(
        f"create or replace temp table cells as select code, k, late, {names} from (select customer_id, k, late, {aggregates} "
        f"from ({keyed(history, table, axis, '*')}) group by customer_id, k, late) join codes using (customer_id)"
    )
    size = max(1, CHUNK_BYTES // (8 * (len(axis.edges) + 1) * max(1, len(wanted))))
    for start in range(0, customers, size):
        stop = min(start + size, customers)
        found = con.execute(f"select * from cells where code >= {start} and code < {stop}").fetchnumpy()
        arrays = [np.asarray(found[name], dtype=np.int64) for name in ("code", "k", "late", *(f"s{n}" for n in range(len(wanted))))]
        yield Cells(range(start, stop), arrays[0] - start, arrays[1], arrays[2], tuple(arrays[3:]))
    con.execute("drop table cells")


def prefix(cells: Cells, number: int, edges: int) -> np.ndarray:
    """Return prefix sums of the on-time cells of series ``number``: row ``k+1`` holds intervals ``0..k``, shape (edges + 1, customers)."""
    dense = np.zeros((edges + 1, len(cells.customers)), dtype=np.int64)
    on_time = cells.late == 0
    dense[cells.k[on_time] + 1, cells.code[on_time]] = cells.values[number][on_time]
    return np.cumsum(dense, axis=0, out=dense)


def dense(cells: Cells, number: int, edges: int) -> np.ndarray:
    """Return the on-time cells of a max series, ``NEVER`` where there is none, shape (edges, customers)."""
    result = np.full((edges, len(cells.customers)), NEVER, dtype=np.int64)
    on_time = cells.late == 0
    result[cells.k[on_time], cells.code[on_time]] = cells.values[number][on_time]
    return result


def late_rows(cells: Cells, cutoff_number: int, low: int, high: int) -> np.ndarray:
    """Return the late cells of a window that the cutoff (numbered from 1) already knows."""
    return np.flatnonzero((cells.late > 0) & (cells.late <= cutoff_number) & (cells.k > low) & (cells.k <= high))

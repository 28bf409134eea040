"""Windowed aggregates by elementary intervals: cut time once, read facts once, then windows are differences.

Time is cut at every cutoff, every ``cutoff - days`` and every ``cutoff - 2*days``. Interval ``k`` is
``(edges[k-1], edges[k]]``, so a window ``(cutoff - days, cutoff]`` is a run of whole intervals. A fact is keyed by the
interval it happened in and by ``late``: 0 when every cutoff after it already knew it, else the number of the first
cutoff (from 1) that does. On-time facts are dropped into dense cells (interval x customer), which is cheaper than a hash
group because a cell's address is known; the few late ones are added at the cutoffs that know them. Sums are integers
(DECIMAL scaled by 10,000): no result depends on row order, threads or the number of cutoffs.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import gcd

import numpy as np

from prevenance.features.define import Count, DaysSince, Feature, Last, Max, Mean, Min, Sum
from prevenance.history.history import History
from prevenance.sources.files import sql_name

SCALE = 10_000
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1)
FEW_BINS = 400_000
NEVER = np.iinfo(np.int64).min
WORD = 63
"""Bits used of each 64-bit word of a mask; the sign bit stays free."""


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


def words(axis: Axis) -> int:
    """Return how many words a mask of intervals takes."""
    return len(axis.edges) // WORD + 1


def _microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


def keyed(history: History, rows: str, axis: Axis, columns: str) -> str:
    """Return SQL giving ``columns``, ``k`` (interval of event_at) and ``late`` for the facts of ``rows`` (SQL) known by the last cutoff.

    Facts meet their interval through a small table of equal time bins (temp table ``bins``), or by an as-of join where
    the edges have no common step. ``bit<w>`` is the bit of ``k`` in word ``w`` of a mask, 0 in the other words.
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
    bits = ", ".join(
        f"case when k // {WORD} = {w} then 1::bigint << (k % {WORD})::integer else 0 end as bit{w}" for w in range(words(axis))
    )
    history.con.register("frame", bins)
    history.con.execute(
        f"create or replace temp table bins as select bin::integer as bin, ends, k::usmallint as k, next_cutoff, {bits} from frame"
    )
    history.con.unregister("frame")
    # a fact before the first edge falls into bin 0: interval 0 reaches back to the beginning
    place = f"greatest((epoch_us(event_at) - {edges[0]} + {width - 1}) // {width}, 0)::integer"
    joined = f"join bins on bins.bin = {place}" if number <= FEW_BINS else "asof join bins on event_at <= ends"
    rungs = " ".join(f"when known_at <= timestamp '{cutoff}' then {n}" for n, cutoff in enumerate(axis.cutoffs, 1))
    last = f"timestamp '{axis.edges[-1]}'"
    return (
        f"select {columns}, k, (case when known_at <= next_cutoff then 0 else case {rungs} end end)::usmallint as late "
        f"from {rows} {joined} where event_at <= {last} and known_at <= {last}"
    )


@dataclass(frozen=True)
class Series:
    """One number per cell: of the rows that satisfy ``where``, how many (no ``parts``), or the sum, min, max or last of ``parts``.

    ``parts`` are SQL of 64-bit integers; ``last`` takes the largest in the order of its parts.
    """

    kind: str
    where: str
    parts: tuple[str, ...] = ()


def series(feature: Feature) -> tuple[Series, ...]:
    """Return the aggregates a windowed feature is made of."""
    value, where = feature.value, feature.where or "true"
    column = sql_name(value.column) if isinstance(value, Sum | Mean | Min | Max | Last) else ""
    scaled = f"({column} * {SCALE})::bigint"
    there = f"({where}) and {column} is not null"
    match value:
        case Count():
            return (Series("sum", where),)
        case Sum():
            return (Series("sum", there, (scaled,)),)
        case Mean():
            return Series("sum", there, (scaled,)), Series("sum", there)
        case Min():
            return (Series("min", there, (scaled,)),)
        case Max():
            return (Series("max", there, (scaled,)),)
        case DaysSince():
            return (Series("max", where, ("epoch_us(event_at)",)),)
        case Last():
            return (Series("last", there, ("epoch_us(event_at)", "epoch_us(known_at)", scaled)),)
    raise TypeError(f"{feature.name}: {value} is no windowed value")

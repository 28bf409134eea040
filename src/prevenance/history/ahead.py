"""What an export holds beyond its default ``as_of``, and whether that is a day on which things happened at all: told, never cut."""

from __future__ import annotations

from datetime import datetime, timedelta

from prevenance.base.days import local_day
from prevenance.history.history import newest_by_table
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import ACTIVITY

SPAN, LEAST = timedelta(days=28), 20
"""The days before ``as_of`` that are looked at, and how many rows so many days usually have at least, for few to be noticed."""


def dates_ahead(taken: Intake, as_of: datetime, zone: str) -> list[str]:
    """Return a sentence for an export whose other tables go on after ``as_of``, the newest knowledge of what happened; days are those of ``zone``."""
    known = newest_by_table(taken)
    ahead = [f"{name} has rows up to {local_day(instant, zone)}" for name, instant in sorted(known.items()) if instant > as_of]
    if not ahead:
        return []
    happened = ", ".join(name for name in ACTIVITY if name in known)
    # what should have happened by now and lies in the future is no today either
    happened += " until now" if any(known[name] > as_of for name in ACTIVITY if name in known) else ""
    return [
        f"as_of is {local_day(as_of, zone)}, the newest known_at of {happened}; {', '.join(ahead)}, which lie ahead of it and are not used yet"
    ]


def thin_end(taken: Intake, as_of: datetime, zone: str) -> list[str]:
    """Return a sentence where hardly anything happened in the days before the default ``as_of``: what is dated there may be planned, or a slip."""
    parts = [f"select known_at from canonical.{name} where known_at is not null" for name in ACTIVITY if name in taken.counts]
    if not parts:
        return []
    days = taken.con.execute(
        f"select max(known_at), count(*) from ({' union all '.join(parts)}) group by known_at::date order by 1 desc"
    ).fetchall()
    spans: dict[int, int] = {}
    for newest, rows in days:
        spans[(as_of - newest) // SPAN] = spans.get((as_of - newest) // SPAN, 0) + rows
    usual = _usual(list(spans.values()))
    if usual < LEAST or spans.get(0, 0) * 20 >= usual:
        return []
    within = timedelta(days=7)
    busy = (newest for newest, _ in days if sum(rows for one, rows in days if newest - within < one <= newest) * 16 >= usual)
    end = next(busy, as_of)
    return [
        f"as_of is {local_day(as_of, zone)}, and the {SPAN.days} days before it hold {spans.get(0, 0):,} rows of what happened, where {usual:,} are usual; "
        f"if these are planned or a slip, set as_of={end:%Y-%m-%dT%H:%M:%S}Z"
    ]


def _usual(counts: list[int]) -> int:
    """Return how many rows the spans have in which the middle row lies: empty stretches say nothing of it."""
    seen, total = 0, sum(counts)
    for count in sorted(counts, reverse=True):
        seen += count
        if seen * 2 >= total:
            return count
    return 0

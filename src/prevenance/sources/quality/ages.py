"""Freshness: how old the newest knowledge of each table is, and which limit would fit its rhythm."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from prevenance.sources.taken import Intake

DAYS_NEEDED = 10
"""Gaps between days with rows, from which the usual one can be told."""


@dataclass(frozen=True)
class Age:
    """How old the newest knowledge of a table is, how many days usually lie between days with rows (in a year), and what its gate says (if it has one)."""

    table: str
    newest: str
    days: float | None
    usual_days: float | None
    suggested: int | None
    outcome: str = ""


def table_ages(taken: Intake, as_of: datetime, outcomes: Mapping[str, str]) -> list[Age]:
    """Return a row for each table, the oldest first; one without rows comes last. ``outcomes`` are those of the gates, by table."""
    found = []
    for name, counts in taken.counts.items():
        if name == "customers" and taken.derived_customers:
            continue
        newest = datetime.fromisoformat(counts.newest_known_at.rstrip("Z")) if counts.newest_known_at else None
        usual, suggested = _rhythm(taken, name, as_of)
        old = (as_of - newest) / timedelta(days=1) if newest else None
        found.append(Age(name, counts.newest_known_at, old, usual, suggested, outcomes.get(name, "")))
    return sorted(found, key=lambda one: (one.days is None, -(one.days or 0.0), one.table))


def _rhythm(taken: Intake, name: str, as_of: datetime) -> tuple[float | None, int | None]:
    """Return the usual days between days with rows, and a limit that all but one in a hundred of them keep, with one usual gap to spare."""
    year = f"known_at between timestamp '{as_of - timedelta(days=365)}' and timestamp '{as_of}'"
    query = f"select distinct known_at::date from canonical.{name} where {year} order by 1"
    days = [row[0] for row in taken.con.execute(query).fetchall()]
    between = sorted((after - before).days for before, after in pairwise(days))
    # a rhythm of a few days is no rhythm
    if len(between) < DAYS_NEEDED:
        return None, None
    usual = median(between)
    return usual, math.ceil(between[math.ceil(0.99 * len(between)) - 1] + usual)

"""Freshness that cannot be fooled: events that happened, per table, against what was usual on the same weekdays of the past.

Rows that only tell of old events again (an edit of an old ticket) are no event, and one fresh row a day is no feed. Everything is a function
of what is visible at the cutoff: an earlier day counts as it was known then, so a source that is always late is compared with itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import numpy as np
from numpy.typing import NDArray

from prevenance.history.history import History, visible_sql
from prevenance.proof.watch.records import Warned

KEYS = {"tickets": "ticket_id", "invoices": "invoice_id", "purchases": "order_id"}
"""Tables in which a row may tell of something that happened before: the first row of each is the event."""

LOGS = ("usage", "tickets", "purchases", "feedback", "invoices", "subscriptions")
"""Tables of what happens by itself; contacts and releases are what the company does, and it may rest."""

PAST, LONGEST = 364, 28
"""Days of the past that say what is usual, and days of the longest window."""

CHANCE = 3.4e-6
"""Chance of so few events, or so many, above which a window is as usual: that of 4.5 standard deviations, exact for counts."""

WINDOWS = (1, 2, 4, 7, 28)
"""Days of the windows that are looked at: a table of few events a day tells after some of them what it cannot tell after one."""

LITTLE, MUCH = 0.4, 1.8
"""Share of the usual events below which a table has dried up, and above which it has doubled."""

EDGE, BEYOND = 0.02, 1.25
"""Windows of the past that may be as far off (holidays, an outage), and how much farther tonight must be."""

LEAST = 8
"""Weeks of the past that must be known before anything is usual."""

SEGMENTS = 12
"""Segments at most that are looked at, the largest first."""

GONE = 5
"""Customers that a segment usually has before it can be gone."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """Events of a table: ``counts[segment]`` by days before the cutoff and days until known; ``known_days`` of history, 0 where there is none.

    The segment "" holds all of them.
    """

    table: str
    counts: Mapping[str, Counts]
    known_days: int

    def window(self, days: int, before: int | Sequence[int] = 0, segment: str = "") -> Counts:
        """Return the events in ``(moment - days, moment]`` as known at the moment, for moments so many days before the cutoff."""
        known = self.counts[segment]
        starts = np.atleast_1d(np.asarray(before, dtype=int))
        return np.sum([known[starts + lag, lag] for lag in range(days)], axis=0)


def table_events(history: History, table: str, cutoff: datetime) -> Events:
    """Return the events of a table visible at ``cutoff`` (naive UTC), the last ``PAST + LONGEST`` days."""
    # older days are in no window; of what is told of again the first row may be older
    rows = visible_sql(table, cutoff, None if table in KEYS else PAST + LONGEST)
    if key := KEYS.get(table):
        own = (
            f"(select *, coalesce({key}, cast(row_number() over () as varchar)) as one from {rows})"  # a row without an id is one by itself
        )
        first = "min(event_at) as event_at, arg_min(known_at, (event_at, known_at)) as known_at, min(customer_id) as customer_id"
        rows = f"(select {first} from {own} group by one)"
    age = "(epoch_us(timestamp '{0}' - {1}) // 86400000000)"
    people = _segments_sql(cutoff)
    day, known = age.format(cutoff, "event_at"), age.format(cutoff, "known_at")
    found = history.con.execute(
        f"select coalesce(segment, '') as segment, least({day}, {PAST + LONGEST}) as day, least({day} - {known}, {LONGEST}) as late, count(*) as n "
        f"from {rows} left join {people} using (customer_id) group by all order by all"
    ).df()
    first = history.con.execute(f"select max({day}) from {visible_sql(table, cutoff)}").fetchall()[0][0]
    largest = found[found["segment"] != ""].groupby("segment")["n"].sum().sort_values(ascending=False, kind="stable").index[:SEGMENTS]
    counts = {}
    for segment in ("", *largest):
        own = found if segment == "" else found[found["segment"] == segment]
        grid = np.zeros((PAST + LONGEST + 1, LONGEST + 1), dtype=np.int64)
        np.add.at(grid, (own["day"].to_numpy(int), own["late"].to_numpy(int)), own["n"].to_numpy(np.int64))
        counts[segment] = grid.cumsum(axis=1)
    return Events(table, counts, int(first) if first is not None else 0)


def event_warnings(history: History, cutoff: datetime, since_days: int = 1) -> list[Warned]:
    """Return what is told of the events at ``cutoff``: tables that dried up or doubled, and segments of them that fell silent.

    ``since_days``: days since the last list, looked at beside ``WINDOWS``; the shortest that tells is told.
    """
    every = [table_events(history, name, cutoff) for name in LOGS if name in history.tables]
    return [one for events in every for one in table_warnings(events, since_days)]


def table_warnings(events: Events, since_days: int = 1) -> list[Warned]:
    """Return what is told of one table; segments only where the table as a whole is as usual."""
    windows = sorted({min(max(since_days, 1), LONGEST), *WINDOWS})
    if whole := _first(events, windows, "", ("dried", "doubled")):
        return [whole]
    silent = (_first(events, windows, segment, ("dried",)) for segment in events.counts if segment)
    return [Warned("segment", one.about, one.facts) for one in silent if one]


def _first(events: Events, windows: Iterable[int], segment: str, kinds: tuple[str, ...]) -> Warned | None:
    for days in windows:
        step = 7 if days < 7 else 1
        last = min(PAST, events.known_days - days)
        # The past begins a week, or a whole window, before tonight's: it must not hold what is judged.
        before = list(range(max(7, days), last + 1, step))
        if last < LEAST * 7 + days:
            continue
        now, past = int(events.window(days, 0, segment)[0]), events.window(days, before, segment)
        kind, usual = judged_count(now, past)
        if kind in kinds:
            facts: dict[str, float | str | None] = {"events": now, "usual": usual, "days": days}
            return Warned(kind, events.table, facts | ({"segment": segment} if segment else {}))
    return None


def judged_count(now: int, past: Counts) -> tuple[str, float]:
    """Return dried, doubled or nothing for a count beside those of the past, and what is usual.

    The noise is the larger of a Poisson's and the median deviation of the past; a day that some days of the past were like is no news.
    Where nothing arrives, some dozen usual events are enough to know.

    >>> judged_count(1, np.array([40, 44, 38, 41, 35, 52, 40, 39])), judged_count(33, np.array([40, 44, 38, 41, 35, 52, 40, 39]))
    (('dried', 40.0), ('', 40.0))
    """
    usual = float(median(past.tolist()))
    low, high = (float(one) for one in np.quantile(past, (EDGE, 1 - EDGE)))
    if now < LITTLE * usual and now * BEYOND < low and _tail(now, usual, past, upper=False) < CHANCE:
        return "dried", usual
    if now > MUCH * usual and now > BEYOND * high and _tail(now, usual, past, upper=True) < CHANCE:
        return "doubled", usual
    return "", usual


def _tail(now: int, usual: float, past: Counts, *, upper: bool) -> float:
    """Return the chance of ``now`` or less (``upper``: or more) where ``usual`` are expected, a Poisson's with the dispersion of the past."""
    from scipy.special import gammainc, gammaincc

    expected = max(usual, 1.0)
    spread = max((1.4826 * float(np.median(np.abs(past - usual)))) ** 2 / expected, 1.0)
    # X <= n and X >= n of a Poisson are incomplete gamma functions of n + 1 and n.
    return float(gammainc(now / spread, expected / spread) if upper else gammaincc(now / spread + 1, expected / spread))


def segment_sizes(history: History, cutoff: datetime) -> dict[str, int]:
    """Return segment -> customers known at ``cutoff``, for the next list to compare with; segments that are not told are left out."""
    asked = f"select segment, count(*) from {_segments_sql(cutoff)} where segment is not null group by 1 order by 1"
    return dict(history.con.execute(asked).fetchall())


def _segments_sql(cutoff: datetime) -> str:
    newest = "arg_max(segment, (event_at, known_at, segment)) filter (where segment is not null)"
    return f"(select customer_id, {newest} as segment from {visible_sql('customers', cutoff)} group by 1)"


def segments_gone(now: Mapping[str, int], before: Sequence[Mapping[str, int]]) -> list[Warned]:
    """Return the segments that hold a part of the customers of the lists before: rows that are not exported any more leave no other trace."""
    found = []
    for name in sorted({name for night in before for name in night}):
        usual = float(median(night.get(name, 0) for night in before))
        if usual >= GONE and now.get(name, 0) < LITTLE * usual:
            found.append(Warned("gone", "customers", {"segment": name, "events": now.get(name, 0), "usual": usual}))
    return found

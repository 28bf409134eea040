"""The working clock: how many seconds of an interval a team works, exact over clock changes, half days, breaks and holidays.

An instant is open iff the clocks of the team's zone show a time within a span [start, end) of that local day. Instants are read at their
whole second, so the seconds of intervals that meet add up exactly.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

DAY, MINUTE = 86_400, 60
Spans = tuple[tuple[int, int], ...]
"""[start, end) in seconds of a local day, in order and apart from each other."""


@dataclass(frozen=True)
class WorkingHours:
    """When a team works, by the clocks of ``zone``.

    ``week`` holds (weekday, start, end): Monday is 0, the rest as ``Spans``, breaks taken out. ``dates`` holds (``2026-05-15``, or ``12-24`` of
    every year, spans) of single days, whatever else that day is; no spans: closed. ``holidays`` is a country and its subdivision (or "") whose
    public holidays are closed. ``always``: day and night, and nothing else counts.
    """

    zone: str = "UTC"
    week: tuple[tuple[int, int, int], ...] = tuple((day, 8 * 3600, 18 * 3600) for day in range(5))
    holidays: tuple[str, str] | None = None
    dates: tuple[tuple[str, Spans], ...] = ()
    always: bool = False


@dataclass(frozen=True)
class TeamHours:
    """The working hours of each team that has its own, and the usual ones of all others (and of work without a team)."""

    usual: WorkingHours = WorkingHours()
    teams: tuple[tuple[str, WorkingHours], ...] = ()

    @property
    def calendars(self) -> tuple[WorkingHours, ...]:
        """Return the different hours, the usual ones first: a calendar's number is its place."""
        return tuple(dict.fromkeys((self.usual, *(hours for _, hours in self.teams))))

    def team_calendars(self) -> pd.DataFrame:
        """Return one row per team with hours of its own: team, calendar (its number); every other team has calendar 0."""
        import pandas as pd

        numbers = [self.calendars.index(hours) for _, hours in self.teams]
        names = pd.Series([team for team, _ in self.teams], dtype="str")
        return pd.DataFrame({"team": names, "calendar": np.array(numbers, dtype="int32")})

    def open_hours(self, since: datetime, until: datetime) -> pd.DataFrame:
        """Return the ``open_intervals`` of every calendar below each other, with its number as ``calendar``."""
        import pandas as pd

        each = [open_intervals(hours, since, until).assign(calendar=np.int32(number)) for number, hours in enumerate(self.calendars)]
        return pd.concat(each, ignore_index=True)


def open_intervals(hours: WorkingHours, since: datetime, until: datetime) -> pd.DataFrame:
    """Return when a team works in [since, until) (naive UTC), one row per interval [open_at, close_at), in order and apart from each other.

    ``before`` is the seconds open before ``open_at`` (int64). A team that never works in these days gives no rows.
    """
    import pandas as pd

    first, last = _second(since), _second(until) + (until.microsecond > 0)
    opens, closes = (np.array([first]), np.array([last])) if hours.always else _open_seconds(hours, first, last)
    some = closes > opens
    opens, closes = opens[some], closes[some]
    before = np.cumsum(closes - opens) - (closes - opens)
    instants = {"open_at": opens.astype("datetime64[s]"), "close_at": closes.astype("datetime64[s]")}
    return pd.DataFrame({name: one.astype("datetime64[us]") for name, one in instants.items()} | {"before": before})


def working_seconds(hours: WorkingHours, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the whole seconds worked in each [start, end) (naive UTC datetime64, N each), as float64.

    An end before its start gives the seconds between them with a minus; NaN where either is NaT.
    """
    starts, ends = starts.astype("datetime64[s]"), ends.astype("datetime64[s]")
    every = np.concatenate([starts[~np.isnat(starts)], ends[~np.isnat(ends)]])
    if not len(every):
        return np.full(len(starts), np.nan)
    found = open_intervals(hours, every.min().item(), every.max().item() + timedelta(seconds=1))
    opens, closes = (found[name].to_numpy().astype("datetime64[s]").astype("int64") for name in ("open_at", "close_at"))
    before = found["before"].to_numpy()

    def elapsed(moments: np.ndarray) -> np.ndarray:
        second = moments.astype("int64")
        # a nought in front stands for the time before the first interval
        place = np.searchsorted(opens, second, side="right")
        inside = np.minimum(second, np.append(0, closes)[place]) - np.append(0, opens)[place]
        worked = np.where(place > 0, np.append(0, before)[place] + inside, 0).astype(float)
        return np.where(np.isnat(moments), np.nan, worked)

    return elapsed(ends) - elapsed(starts)


def working_seconds_sql(rows: str, start: str, end: str, *, calendar: str = "0", named: str = "working_seconds") -> str:
    """Return SQL for ``rows`` (a table or a select in brackets) with one more column, the same as ``working_seconds`` (BIGINT, null for NaN).

    ``start``, ``end`` and ``calendar`` are SQL over the columns of ``rows``; the table ``open_hours`` is ``TeamHours.open_hours`` from
    the first instant to beyond the last.
    """
    worked = "coalesce({0}.before + (epoch_us(least({1}, {0}.close_at)) // 1000000 - epoch_us({0}.open_at) // 1000000), 0)"
    to_end, to_start = worked.format("till", "asked_until"), worked.format("since", "asked_since")
    return f"""(
    select asked.* exclude (asked_since, asked_until, asked_calendar),
      case when asked_since is not null and asked_until is not null then {to_end} - {to_start} end as {named}
    from (select *, {start} as asked_since, {end} as asked_until, {calendar} as asked_calendar from {rows}) as asked
    asof left join open_hours as since on since.calendar = asked_calendar and since.open_at <= asked_since
    asof left join open_hours as till on till.calendar = asked_calendar and till.open_at <= asked_until
    )"""


def without_breaks(spans: Spans, breaks: Spans) -> Spans:
    """Return what is left of the spans of a day.

    >>> without_breaks(((8, 18),), ((7, 9), (12, 13)))
    ((9, 12), (13, 18))
    """
    for begin, end in breaks:
        around = (part for start, close in spans for part in ((start, min(close, begin)), (max(start, end), close)))
        spans = tuple(part for part in around if part[0] < part[1])
    return spans


def holiday_codes() -> dict[str, tuple[str, ...]]:
    """Return country (its letters, ``FR``) -> its parts with holidays of their own (``DE`` -> ``BY``, ...)."""
    import holidays

    return {country: tuple(parts) for country, parts in holidays.list_supported_countries().items()}


def _second(moment: datetime) -> int:
    return (moment.replace(microsecond=0) - datetime(1970, 1, 1)) // timedelta(seconds=1)


def _open_seconds(hours: WorkingHours, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the open and close seconds (UTC) of each interval within [first, last)."""
    # a day more on each side: no zone is further from UTC
    starts, ends = _local_spans(hours, first // DAY - 1, last // DAY + 2)
    opens, closes = [np.zeros(0, dtype="int64")], [np.zeros(0, dtype="int64")]
    # Local spans are instants only between two changes of the clocks: an hour that comes twice is open twice, one that never comes is not.
    for begin, end, offset in _offsets(hours.zone, first, last):
        inside = (ends - offset > begin) & (starts - offset < end)
        opens.append(np.maximum(starts[inside] - offset, begin))
        closes.append(np.minimum(ends[inside] - offset, end))
    return np.concatenate(opens), np.concatenate(closes)


def _local_spans(hours: WorkingHours, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end of each span of the local days [first, last), as seconds of the local clock since 1970, in order."""
    days = np.arange(first, last)
    dated = {day: spans for text, spans in hours.dates for day in _days_of(text, first, last)}
    closed = [*dated, *(_holidays(*hours.holidays, *(_date(day).year for day in (first, last))) if hours.holidays else ())]
    usual = days[~np.isin(days, closed)]
    found = [(usual[(usual + 3) % 7 == weekday], start, end) for weekday, start, end in hours.week]  # 1970 began on a Thursday
    found += [(np.array([day]), start, end) for day, spans in dated.items() for start, end in spans]
    starts = np.concatenate([np.zeros(0, dtype="int64"), *(day * DAY + start for day, start, _ in found)])
    ends = np.concatenate([np.zeros(0, dtype="int64"), *(day * DAY + end for day, _, end in found)])
    order = np.argsort(starts, kind="stable")
    return starts[order], ends[order]


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=int(day))


def _days_of(text: str, first: int, last: int) -> list[int]:
    """Return the days (since 1970) within [first, last) that ``2026-05-15``, or ``12-24`` of every year, means."""
    whole = [text] if len(text) > 5 else [f"{year}-{text}" for year in range(_date(first).year, _date(last).year + 1)]
    # the 29th of February is no day of most years
    real = [one for one in whole if len(text) > 5 or text != "02-29" or isleap(int(one[:4]))]
    days = [(date.fromisoformat(one) - date(1970, 1, 1)).days for one in real]
    return [day for day in days if first <= day < last]


@cache
def _holidays(country: str, subdivision: str, first: int, last: int) -> tuple[int, ...]:
    """Return the public holidays of the years [first, last], as days since 1970."""
    import holidays

    found = holidays.country_holidays(country, subdiv=subdivision or None, years=range(first, last + 1))
    return tuple(sorted((day - date(1970, 1, 1)).days for day in found))


def _offsets(zone: str, first: int, last: int) -> Sequence[tuple[int, int, int]]:
    """Return (begin, end, offset) of each stretch of [first, last) in which the clocks of a zone are ``offset`` seconds ahead of UTC."""
    import pandas as pd

    def offsets(seconds: np.ndarray) -> np.ndarray:
        utc = pd.DatetimeIndex(seconds.astype("datetime64[s]"), tz="UTC")
        return (
            (utc.tz_convert(zone).tz_localize(None).to_numpy() - utc.tz_localize(None).to_numpy()).astype("timedelta64[s]").astype("int64")
        )

    # a step from midnight to midnight finds every change, and the minutes of that day its instant
    days = np.append(np.arange(first, last, DAY), last)
    held = offsets(days)
    changes = [first]
    for place in np.flatnonzero(held[1:] != held[:-1]):
        minutes = np.arange(days[place] // MINUTE * MINUTE, days[place + 1] + MINUTE, MINUTE)
        changes.append(int(minutes[np.argmax(offsets(minutes) != held[place])]))
    ends = [*changes[1:], last]
    return [(begin, end, int(offsets(np.array([begin]))[0])) for begin, end in zip(changes, ends, strict=True) if begin < end]

"""The days of people's calendars: an instant is a day only in a time zone."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo


def local_time(moment: datetime, zone: str) -> datetime:
    """Return an instant (UTC where it says nothing else) as the clocks of a time zone (empty: UTC) show it, naive.

    >>> local_time(datetime(2024, 2, 28, 23), "Europe/Paris")
    datetime.datetime(2024, 2, 29, 0, 0)
    """
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return known.astimezone(_zone(zone)).replace(tzinfo=None)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name or "UTC")


def local_day(moment: datetime, zone: str) -> str:
    """Return the day of an instant (naive UTC) in a time zone, as a person there reads it: ``2024-02-29``."""
    return f"{local_time(moment, zone):%Y-%m-%d}"

"""What is known of the tickets at a cutoff, as records: no logic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prevenance.base.working import TeamHours


@dataclass(frozen=True)
class Asked:
    """What a report is asked for.

    ``cutoff`` is naive UTC, ``zone`` that of weeks and months. Only tickets whose first row lies in (cutoff - days, cutoff] count, all where
    ``days`` is ``None``. ``now_days`` is the newest period, compared with ``baseline`` (its first and last local day) or, where none is
    given, with the same days a year before. ``team_sizes`` is team -> people in it; ``levels`` are teams from the first to the last level. What
    has fewer than ``least_tickets`` is not judged. ``targets`` is name of a KPI -> what it is to be. Findings look at tickets resolved in
    (cutoff - findings_days, cutoff]; a touch takes ``minutes_per_touch`` (assumed) of an hour that costs ``cost_per_hour``; ``keep`` is
    a step -> why it stays (compliance, safety, quality), and ``effort`` a loss -> what a remedy needs (now, quarter, half_year).
    """

    cutoff: datetime
    zone: str = "UTC"
    hours: TeamHours = field(default_factory=TeamHours)
    days: int | None = None
    now_days: int = 91
    baseline: tuple[str, str] | None = None
    team_sizes: Mapping[str, int] = field(default_factory=dict)
    levels: tuple[str, ...] = ()
    least_tickets: int = 20
    targets: Mapping[str, float] = field(default_factory=dict)
    findings_days: int = 364
    minutes_per_touch: float = 6.0
    cost_per_hour: float = 45.0
    keep: Mapping[str, str] = field(default_factory=dict)
    effort: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""


@dataclass(frozen=True)
class Counts:
    """How many tickets there are, and what the log holds: ``events`` is kind of row -> how many."""

    rows: int
    tickets: int
    resolved: int
    unresolved: int
    end_before_start: int
    no_opening: int
    first: datetime | None
    last: datetime | None
    events: Mapping[str, int]
    words: int


@dataclass(frozen=True)
class Cut:
    """A part of the log that is not whole: days in [first, last), and how its volume compares with the usual (0: none, 10: ten times)."""

    first: datetime
    last: datetime
    what: str
    times: float

"""What is found of losses, as records: no logic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd


@dataclass(frozen=True)
class Behind:
    """What is known of customers besides their tickets: what each pays a year, and its chance of leaving where a list of it is published."""

    revenue: Mapping[str, float] = field(default_factory=dict)
    chance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A loss in one place whose cost is above its reference by more than chance explains.

    ``loss`` names the loss, ``unit`` where (a team, two teams with an arrow, or a category). It was there in ``times`` of ``chances`` (tickets
    or hand-offs; ``share`` with its 95 % interval by customer), on ``tickets`` tickets, for ``hours`` working hours in all. ``beside`` is what
    it is compared with (others, fast, or quarter: its own quarter before, all figures then being of the newest one); ``reference`` its share, or its
    mean hours where every chance ``waits``, and ``own`` the same of this place.
    ``above`` are the working hours more than at the reference, with their 95 % interval, and ``touches`` the rows that the team wrote
    for them, which cost ``money``. ``q`` is the share of false findings that one allows who takes this for one. ``csat`` and ``reopened`` are of
    its tickets, and of all others; NaN where not known. ``revenue`` (a year), ``leaving`` (mean chance) and ``at_risk`` (their product, summed) are of
    its customers; NaN where not known. ``quarters`` are ``own`` in the newest quarter and in the one before, NaN where too few.
    """

    loss: str
    unit: str
    of: str
    waits: bool
    beside: str
    chances: int
    times: int
    share: tuple[float, float, float]
    tickets: int
    hours: float
    own: float
    reference: float
    above: tuple[float, float, float]
    touches: float
    money: float
    q: float
    csat: tuple[float, float]
    reopened: tuple[float, float]
    own_hours: float
    steps: tuple[str, ...]
    customers: int
    revenue: float
    leaving: float
    at_risk: float
    examples: tuple[str, ...]
    quarters: tuple[float, float]

    @property
    def key(self) -> str:
        """Return what tells this finding from all others of a report."""
        return f"{self.loss}: {self.unit}"


@dataclass(frozen=True)
class Findings:
    """The findings of a report, the dearest in hours first; ``compared`` is how many places were, ``hours`` are those of all findings with each stretch
    of a ticket counted once. ``untold`` names the losses that the log has no rows for; ``tickets`` how many were looked at, in ``days`` days.
    """

    found: tuple[Finding, ...]
    compared: int
    hours: float
    untold: tuple[str, ...]
    tickets: int
    days: int


@dataclass(frozen=True)
class Promise:
    """What a report said would change: hours lost a chance at its cutoff, and the range (90 %) of what would be saved, a chance and in a quarter of a year."""

    cutoff: datetime
    loss: str
    unit: str
    of: str
    hours: float
    low: float
    high: float
    quarter_low: float
    quarter_high: float
    tickets: int


@dataclass(frozen=True)
class Measured:
    """What was measured since a promise, over ``days``: hours lost a chance before and since, in its place and in the others, each with its 95 % interval."""

    promise: Promise
    days: int
    own_before: tuple[float, float, float]
    own_since: tuple[float, float, float]
    others_before: tuple[float, float, float]
    others_since: tuple[float, float, float]


@dataclass(frozen=True)
class Trouble:
    """A category of tickets that rose on a product after a release: customers that called since, how many usually do in as many days, and how many times
    as many that is, with its 95 % interval.
    """

    product_id: str
    version: str
    released_at: datetime
    category: str
    customers: int
    usual: float
    ratio: tuple[float, float, float]


@dataclass(frozen=True)
class Losses:
    """The findings of a report, what would change, what became of what earlier reports promised, known trouble, and the tables of ``candidate_rows`` and
    ``journey_rows``.
    """

    findings: Findings
    promises: tuple[Promise, ...]
    measured: tuple[Measured, ...]
    trouble: tuple[Trouble, ...]
    candidates: pd.DataFrame
    journey: pd.DataFrame

"""Findings: losses in one place, beside their reference or its own past, at a share of false findings of 5 %; what is not above is not told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prevenance.history.history import History
from prevenance.sources.files import sql_text
from prevenance.support.contrast import Contrast, Sums, contrast
from prevenance.support.finding import Behind, Finding, Findings
from prevenance.support.intervals import mean_interval
from prevenance.support.lost import LOSSES, Loss, hours_once, make_lost
from prevenance.support.records import Asked

FALSE_SHARE = 0.05
"""Of what is told, so much may be false."""

SUMS = """
select loss, unit, coalesce(chances.fast, false) as fast, least(quarter, 2) as quarter, {group} as member, count(*) as chances, count(*) filter (where met) as times,
  sum(working_seconds)::bigint / 3600 as hours, sum(waited_seconds)::bigint / 3600 as waited
from chances join judged using (number) group by all order by all
"""
"""For each place, customer (or week) and quarter (0 the newest, 1 the one before, 2 all others): chances, how often the loss was there, working hours."""

TICKETS = """
select ticket_id, customer_id, bool_or(met and {own}) as met, any_value(csat) as csat,
  case when exists (from kinds where event = 'reopened') then any_value(reopenings) > 0 end as reopened,
  sum(working_seconds) filter (where met and {own})::bigint as seconds
from chances join judged using (number) where loss = {loss} group by 1, 2 order by 1
"""
"""One row a ticket with a chance of the loss: whether it was there in the place, and for how long."""

STEPS = """
select distinct k.step from lost as l join judged using (number) join steps as s on s.number = l.number and s.second between l."begin" and l."end"
join kinds as k on k.kind = s.kind
where {own} and met and (s.kind = l.kind or loss = 'over_organised' and k.event = 'approval_given') order by 1
"""
"""The steps that a loss is about: those that it begins with, and of an approval the one that gives it, too."""


@dataclass(frozen=True)
class Place:
    """A place that can be compared: its chances, times, hours, how it stands beside its reference, and by how many hours a chance (with their error)
    it is above that.
    """

    loss: Loss
    unit: str
    against: str
    chances: int
    times: int
    hours: float
    share: tuple[float, float, float]
    beside: Contrast
    above: tuple[float, float]
    own_hours: float
    quarters: tuple[float, float]

    @property
    def where(self) -> str:
        """Return, as SQL, which rows of ``lost`` and ``chances`` it is about."""
        lately = " and quarter = 0" if self.against == "quarter" else ""
        return f"loss = {sql_text(self.loss.name)} and unit is not distinct from {sql_text(self.unit)}{lately}"


class Sides:
    """The rows of a loss in ``SUMS`` by one grouping, ready to be parted into a place and its reference; a place costs as much as its own rows."""

    def __init__(self, frame: pd.DataFrame) -> None:
        """``frame`` are the rows."""
        self.code, self.size = pd.factorize(frame["member"])[0], frame["member"].nunique()
        self.places = frame.groupby("unit", sort=False).indices
        self.fast, self.quarter = frame["fast"].to_numpy(), frame["quarter"].to_numpy()
        self.values = {name: frame[name].to_numpy(dtype=float) for name in ("chances", "times", "hours", "waited")}
        self.totals = {name: np.bincount(self.code, values, self.size) for name, values in self.values.items()}

    def compared(self, unit: str, against: str, what: str) -> tuple[Sums, Sums]:
        """Return, by group, ``what`` and the chances of a place, and of its reference."""
        own = self.places[unit]
        if against == "others":
            sums, chances = self._sums(own, self.code[own], self.size, what)
            return (sums, chances), (self.totals[what] - sums, self.totals["chances"] - chances)
        code, groups = pd.factorize(self.code[own])
        beside = self.fast[own] if against == "fast" else self.quarter[own] == 1
        place = ~beside if against == "fast" else self.quarter[own] == 0
        told = [self._sums(own[some], code[some], len(groups), what) for some in (place, beside)]
        return told[0], told[1]

    def _sums(self, rows: np.ndarray, code: np.ndarray, size: int, what: str) -> Sums:
        return np.bincount(code, self.values[what][rows], size), np.bincount(code, self.values["chances"][rows], size)


def make_findings(history: History, asked: Asked, behind: Behind, *, past: bool = True) -> Findings:
    """Return the findings on the tickets that were resolved in the days that ``asked`` says; the tables of ``make_lost`` come on the way.

    A place is compared with its reference, and with its own quarter before (where ``past`` says that the log tells both quarters whole); where both tell
    it, it is one finding, beside its reference.
    """
    from scipy.stats import false_discovery_control

    told = make_lost(history, asked)
    sums = [history.con.execute(SUMS.format(group=group)).df() for group in ("customer_id", "week")]
    places = [one for loss in told for one in _places([one[one["loss"] == loss.name] for one in sums], loss, asked.least_tickets, past)]
    shares = false_discovery_control([one.beside.p for one in places]) if places else []
    kept = {(one.loss.name, one.unit): (one, float(q)) for one, q in reversed([*zip(places, shares, strict=True)]) if q <= FALSE_SHARE}
    found = sorted((_finding(history, asked, behind, *one) for one in kept.values()), key=lambda one: (-one.above[0], one.loss, one.unit))
    where = " or ".join(f"({one.where})" for one, _ in kept.values())
    looked = history.con.execute("select count(*) from judged").fetchall()[0][0]
    named = sums[0].dropna(subset="unit").groupby("loss")["chances"].sum()
    untold = tuple(loss.name for loss in LOSSES if named.get(loss.name, 0) < asked.least_tickets)
    return Findings(tuple(found), len(places), hours_once(history, where) if found else 0.0, untold, looked, asked.findings_days)


def _places(frames: Sequence[pd.DataFrame], loss: Loss, least: int, past: bool) -> Iterator[Place]:
    """Return the places of a loss that can be compared: those with ``least`` times, beside ``least`` chances at the reference.

    ``frames`` are the rows of the loss in ``SUMS``, by customer and by week. Each place stands beside its reference first, then beside its own past.
    """
    sides = [Sides(frame) for frame in frames]
    for unit in sorted(frames[0]["unit"].dropna().unique()):
        for against in (loss.beside, "quarter") if past else (loss.beside,):
            groupings = [one.compared(unit, against, "hours" if loss.waits else "times") for one in sides]
            in_hours = [one.compared(unit, against, "waited" if loss.queues else "hours") for one in sides]
            rows = frames[0].iloc[sides[0].places[unit]]
            quarters = [_mean_of(rows[rows["quarter"] == number], loss, least) for number in (0, 1)]
            rows = rows[rows["quarter"] == 0] if against == "quarter" else rows
            chances, times = int(rows["chances"].sum()), int(rows["times"].sum())
            if times < least or min(groupings[0][1][1].sum(), groupings[0][0][1].sum()) < least:
                continue
            found = contrast(groupings)
            if np.isnan(found.p):
                continue
            by_customer = rows.groupby("member")[["times", "chances"]].sum()
            share = mean_interval(by_customer["times"].to_numpy(), by_customer["chances"].to_numpy(), share=True)
            hours, own_hours = float(rows["hours"].sum()), float(rows["waited" if loss.queues else "hours"].sum()) / chances
            # hand-offs between other teams are longer or shorter for reasons of their own: what comes back is priced by the hours of its own place
            if loss.of == "hand-off" and not loss.waits:
                # and those that stay set the level: one that came back need not have been made, so it brings no others that may come back
                needless = 1 / max(1 - found.reference, 1e-9)
                cost = (times / chances - found.reference) * needless * hours / times, found.error * needless * hours / times
            else:
                told_hours = contrast(in_hours)
                cost = own_hours - told_hours.reference, told_hours.error
            yield Place(
                loss,
                str(unit),
                against,
                chances,
                times,
                hours,
                share,
                found,
                cost,
                own_hours,
                (quarters[0], quarters[1] if past else math.nan),
            )


def _mean_of(rows: pd.DataFrame, loss: Loss, least: int) -> float:
    chances = float(rows["chances"].sum())
    return float(rows["hours" if loss.waits else "times"].sum()) / chances if chances >= least else math.nan


def _finding(history: History, asked: Asked, behind: Behind, one: Place, q: float) -> Finding:
    frame = history.con.execute(TICKETS.format(own=one.where, loss=sql_text(one.loss.name))).df()
    steps = tuple(row[0] for row in history.con.execute(STEPS.format(own=one.where)).fetchall())
    held, rest = frame[frame["met"]], frame[~frame["met"]]
    customers = held["customer_id"].unique()
    mean = one.hours / one.chances if one.loss.waits else one.times / one.chances
    value, reach = one.above[0], 1.96 * one.above[1]
    hours = tuple(one.chances * each for each in (value, value - reach, value + reach))
    needless = 1 / max(1 - one.beside.reference, 1e-9) if one.loss.of == "hand-off" else 1.0
    touches = 0.0 if one.loss.waits else max(one.chances * (mean - one.beside.reference) * needless, 0.0) * one.loss.touches
    revenue = [behind.revenue[name] for name in customers if name in behind.revenue]
    chance = [behind.chance[name] for name in customers if name in behind.chance]
    at_risk = [behind.revenue[name] * behind.chance[name] for name in customers if name in behind.revenue and name in behind.chance]
    examples = held.sort_values(["seconds", "ticket_id"], ascending=[False, True])["ticket_id"].head(3)
    return Finding(
        one.loss.name, one.unit, one.loss.of, one.loss.waits, one.against, one.chances, one.times, one.share, len(held), one.hours, mean,
        one.beside.reference, (hours[0], hours[1], hours[2]), touches, touches * asked.minutes_per_touch / 60 * asked.cost_per_hour, q,
        (_mean(held["csat"]), _mean(rest["csat"])), (_mean(held["reopened"]), _mean(rest["reopened"])), one.own_hours, steps, len(customers),
        float(sum(revenue)) if revenue else float("nan"), float(np.mean(chance)) if chance else float("nan"),
        float(sum(at_risk)) if at_risk else float("nan"), tuple(examples), one.quarters,
    )  # fmt: skip


def _mean(values: pd.Series) -> float:
    return float(values.astype(float).mean()) if values.notna().any() else float("nan")

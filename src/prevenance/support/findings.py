"""Findings: losses in one place, beside their reference, at a share of false findings of 5 %; what is not above its reference is not told."""

from __future__ import annotations

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
select loss, unit, coalesce(chances.fast, false) as fast, {group} as member, count(*) as chances, count(*) filter (where met) as times,
  sum(working_seconds)::bigint / 3600 as hours, sum(waited_seconds)::bigint / 3600 as waited
from chances join judged using (number) group by all order by all
"""
"""For each place and customer (or week): chances, how often the loss was there, and its working hours."""

TICKETS = """
select ticket_id, customer_id, bool_or(met and {own}) as met, any_value(csat) as csat, any_value(reopenings) > 0 as reopened,
  sum(working_seconds) filter (where met and {own})::bigint as seconds
from chances join judged using (number) where loss = {loss} group by 1, 2 order by 1
"""
"""One row a ticket with a chance of the loss: whether it was there in the place, and for how long."""

STEPS = "select distinct step from lost join kinds using (kind) where loss = {loss} and {own} and met order by 1"


@dataclass(frozen=True)
class Place:
    """A place that can be compared: its chances, times, hours, how it stands beside its reference, and by how many hours a chance (with their error)
    it is above that.
    """

    loss: Loss
    unit: str
    chances: int
    times: int
    hours: float
    share: tuple[float, float, float]
    beside: Contrast
    above: tuple[float, float]
    own_hours: float


def make_findings(history: History, asked: Asked, behind: Behind) -> Findings:
    """Return the findings on the tickets that were resolved in the days that ``asked`` says; the tables of ``make_lost`` come on the way."""
    from scipy.stats import false_discovery_control

    told = make_lost(history, asked)
    sums = [history.con.execute(SUMS.format(group=group)).df() for group in ("customer_id", "week")]
    places = [one for loss in told for one in _places([one[one["loss"] == loss.name] for one in sums], loss, asked.least_tickets)]
    shares = false_discovery_control([one.beside.p for one in places]) if places else []
    kept = [(one, float(q)) for one, q in zip(places, shares, strict=True) if q <= FALSE_SHARE]
    found = sorted((_finding(history, asked, behind, one, q) for one, q in kept), key=lambda one: (-one.above[0], one.loss, one.unit))
    where = " or ".join(f"(loss = {sql_text(one.loss)} and unit = {sql_text(one.unit)})" for one in found)
    looked = history.con.execute("select count(*) from judged").fetchall()[0][0]
    untold = tuple(loss.name for loss in LOSSES if loss not in told)
    return Findings(tuple(found), len(places), hours_once(history, where) if found else 0.0, untold, looked, asked.findings_days)


def _places(frames: Sequence[pd.DataFrame], loss: Loss, least: int) -> Iterator[Place]:
    """Return the places of a loss that can be compared: those with ``least`` times, beside ``least`` chances at the reference.

    ``frames`` are the rows of the loss in ``SUMS``, by customer and by week.
    """
    codes = [pd.factorize(frame["member"])[0] for frame in frames]
    sizes = [int(one.max()) + 1 if len(one) else 0 for one in codes]
    for unit in sorted(frames[0]["unit"].dropna().unique()):
        groupings, in_hours = [], []
        for frame, code, size in zip(frames, codes, sizes, strict=True):
            own = (frame["unit"] == unit).to_numpy()
            fast = frame["fast"].to_numpy()
            place, beside = (own & ~fast, own & fast) if loss.beside == "fast" else (own, ~own)
            what = "hours" if loss.waits else "times"
            groupings.append((_sums(frame, code, size, place, what), _sums(frame, code, size, beside, what)))
            what = "waited" if loss.queues else "hours"
            in_hours.append((_sums(frame, code, size, place, what), _sums(frame, code, size, beside, what)))
        rows = frames[0][frames[0]["unit"] == unit]
        chances, times = int(rows["chances"].sum()), int(rows["times"].sum())
        if times < least or min(groupings[0][1][1].sum(), groupings[0][0][1].sum()) < least:
            continue
        found = contrast(groupings)
        if np.isnan(found.p):
            continue
        share = mean_interval(rows["times"].to_numpy(), rows["chances"].to_numpy(), share=True)
        hours = float(rows["hours"].sum())
        # hand-offs between other teams are longer or shorter for reasons of their own: what comes back is priced by the hours of its own place
        each = hours / times if loss.of == "hand-off" and not loss.waits else 0.0
        cost = (times / chances - found.reference) * each, found.error * each
        own_hours = float(rows["waited" if loss.queues else "hours"].sum()) / chances
        if not each:
            told = contrast(in_hours)
            cost = own_hours - told.reference, told.error
        yield Place(loss, str(unit), chances, times, hours, share, found, cost, own_hours)


def _sums(frame: pd.DataFrame, code: np.ndarray, size: int, some: np.ndarray, what: str) -> Sums:
    return np.bincount(code[some], frame[what].to_numpy(dtype=float)[some], size), np.bincount(
        code[some], frame["chances"].to_numpy(dtype=float)[some], size
    )


def _finding(history: History, asked: Asked, behind: Behind, one: Place, q: float) -> Finding:
    names = {"loss": sql_text(one.loss.name), "own": f"unit is not distinct from {sql_text(one.unit)}"}
    frame = history.con.execute(TICKETS.format(**names)).df()
    steps = tuple(row[0] for row in history.con.execute(STEPS.format(**names)).fetchall())
    held, rest = frame[frame["met"]], frame[~frame["met"]]
    customers = held["customer_id"].unique()
    mean = one.hours / one.chances if one.loss.waits else one.times / one.chances
    value, reach = one.above[0], 1.96 * one.above[1]
    hours = tuple(one.chances * each for each in (value, value - reach, value + reach))
    touches = 0.0 if one.loss.waits else max(one.chances * (mean - one.beside.reference), 0.0) * one.loss.touches
    revenue = [behind.revenue[name] for name in customers if name in behind.revenue]
    chance = [behind.chance[name] for name in customers if name in behind.chance]
    at_risk = [behind.revenue[name] * behind.chance[name] for name in customers if name in behind.revenue and name in behind.chance]
    examples = held.sort_values(["seconds", "ticket_id"], ascending=[False, True])["ticket_id"].head(3)
    return Finding(
        one.loss.name, one.unit, one.loss.of, one.loss.waits, one.loss.beside, one.chances, one.times, one.share, len(held), one.hours, mean,
        one.beside.reference, (hours[0], hours[1], hours[2]), touches, touches * asked.minutes_per_touch / 60 * asked.cost_per_hour, q,
        (_mean(held["csat"]), _mean(rest["csat"])), (_mean(held["reopened"]), _mean(rest["reopened"])), one.own_hours, steps, len(customers),
        float(sum(revenue)) if revenue else float("nan"), float(np.mean(chance)) if chance else float("nan"),
        float(sum(at_risk)) if at_risk else float("nan"), tuple(examples),
    )  # fmt: skip


def _mean(values: pd.Series) -> float:
    return float(values.astype(float).mean()) if values.notna().any() else float("nan")

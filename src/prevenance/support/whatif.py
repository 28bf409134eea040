"""What would change: past tickets replayed with one loss at the level of its reference, the queues behind kept as they were; a range, never a point.

What comes after a wait that is taken away comes as much earlier and takes as long as it took: nothing else is assumed to get faster. Ranges hold 90 % of
what resampled weeks give. What is promised is kept, and what was measured since stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from math import isfinite

import numpy as np
import pandas as pd

from prevenance.history.history import History
from prevenance.sources.files import sql_text
from prevenance.support.finding import Finding, Measured, Promise
from prevenance.support.intervals import mean_interval
from prevenance.support.lost import LOSSES, QUARTER

DRAWS, LEVEL = 1000, (0.05, 0.95)
MOST = 8
"""Findings of which the change is worked out, the dearest."""
LEAST_DAYS, MOST_DAYS = 28, 182
"""A promise is measured from so many days on, over so many at most; of several about one place that of a quarter ago is."""

WEEKS = """
select week, unit is not distinct from {unit} as own, coalesce(c.fast, false) as fast, least(quarter, 2) as quarter, count(*) as chances,
  count(*) filter (where met) as times,
  sum({hours})::bigint / 3600 as hours
from chances as c join judged using (number) where loss = {loss} group by all order by all
"""

SINCE = """
select customer_id, unit is not distinct from {unit} as own, resolved > {second} as after, count(*) as chances, sum({hours})::bigint / 3600 as hours
from chances join judged using (number) where loss = {loss} and resolved > {first} and resolved <= {last} and (unit is not distinct from {unit}
  or unit is null or unit not in ({promised})) group by all order by all
"""


def promises_of(history: History, found: Sequence[Finding], keep: Mapping[str, str], cutoff: datetime, days: int) -> tuple[Promise, ...]:
    """Return what would change, of the dearest findings; one that has a step to keep has none."""
    told = []
    for one in [one for one in found if kept_reason(one, keep) is None][:MOST]:
        saved = _saved(history, one)
        quarter = one.chances * QUARTER / (QUARTER if one.beside == "quarter" else days)
        low, high = (float(value) for value in np.quantile(saved, LEVEL))
        if low > 0:
            told.append(Promise(cutoff, one.loss, one.unit, one.of, one.own_hours, low, high, quarter * low, quarter * high, one.tickets))
    return tuple(told)


def kept_reason(one: Finding, keep: Mapping[str, str]) -> str | None:
    """Return why a finding's step stays, or ``None``."""
    reasons = sorted({keep[step] for step in one.steps if step in keep})
    return reasons[0] if reasons else None


def _saved(history: History, one: Finding) -> np.ndarray:
    """Return the working hours saved a chance, for each of ``DRAWS`` resampled sets of weeks."""
    loss = next(loss for loss in LOSSES if loss.name == one.loss)
    sql = WEEKS.format(unit=sql_text(one.unit), loss=sql_text(one.loss), hours="waited_seconds" if loss.queues else "working_seconds")
    frame = history.con.execute(sql).df()
    weeks, size = pd.factorize(frame["week"])[0], frame["week"].nunique()
    own, fast, quarter = (frame[name].to_numpy() for name in ("own", "fast", "quarter"))
    beside = {"fast": own & fast, "others": ~own, "quarter": own & (quarter == 1)}[one.beside]
    own = own & (quarter == 0) if one.beside == "quarter" else own

    def by_week(some: np.ndarray, what: str) -> np.ndarray:
        return np.bincount(weeks[some], frame[what].to_numpy(dtype=float)[some], size)

    sums = np.stack([by_week(some, what) for some in (own, beside) for what in ("chances", "times", "hours")])
    drawn = np.random.default_rng(0).multinomial(size, np.full(size, 1 / size), DRAWS)
    chances, times, hours, others, their_times, their_hours = np.maximum(drawn @ sums.T, 1e-9).T
    if one.of == "hand-off" and not one.waits:
        return np.asarray((times / chances - their_times / others) / np.maximum(1 - their_times / others, 1e-9) * hours / times)
    return np.asarray(hours / chances - their_hours / others)


def measured_since(history: History, promises: Sequence[Promise], cutoff: datetime, days: int) -> Iterator[Measured]:
    """Return what became of earlier promises: hours lost a chance since, and as long before, there and in all places of the same loss of which
    nothing was promised; NaN where a place is no more.

    ``days`` is how far back the tickets go that were looked at. Only promises made before the cutoff count, from four weeks on, one a place. Nothing
    is said of why it changed.
    """
    for one in sorted(_of_a_quarter_ago(promises, cutoff, days).values(), key=promises.index):
        loss = next(loss for loss in LOSSES if loss.name == one.loss)
        over = _measured_days(one, cutoff, days)
        first, second, last = (_second(one.cutoff + timedelta(days=shift)) for shift in (-over, 0, over))
        promised = ", ".join(sorted(sql_text(each.unit) for each in promises if each.loss == one.loss))
        sql = SINCE.format(
            unit=sql_text(one.unit), loss=sql_text(one.loss), hours="waited_seconds" if loss.queues else "working_seconds",
            first=first, second=second, last=last, promised=promised,
        )  # fmt: skip
        frame = history.con.execute(sql).df()
        means = {}
        for name, own in (("own", True), ("others", False)):
            for when, after in (("before", False), ("since", True)):
                some = frame[(frame["own"] == own) & (frame["after"] == after)]
                means[f"{name}_{when}"] = mean_interval(some["hours"].to_numpy(dtype=float), some["chances"].to_numpy())
        yield Measured(one, over, **means)


def _measured_days(one: Promise, cutoff: datetime, days: int) -> int:
    age = (cutoff - one.cutoff).days
    return min(age, MOST_DAYS, days - age)


def _of_a_quarter_ago(promises: Sequence[Promise], cutoff: datetime, days: int) -> dict[tuple[str, str], Promise]:
    """Return, of the promises about each place that can be measured, the one whose age is nearest to a quarter of a year."""
    found: dict[tuple[str, str], Promise] = {}
    able = [one for one in promises if one.cutoff < cutoff and _measured_days(one, cutoff, days) >= LEAST_DAYS]
    for one in sorted(able, key=lambda one: abs((cutoff - one.cutoff).days - QUARTER), reverse=True):
        found[(one.loss, one.unit)] = one
    return found


def promise_record(one: Promise) -> dict[str, object]:
    """Return a promise as JSON keeps it."""
    return asdict(one) | {"cutoff": f"{one.cutoff.isoformat()}Z"}


def promise_of(record: Mapping[str, object]) -> Promise:
    """Return the promise that JSON keeps.

    Raises:
        KeyError, TypeError, ValueError: for what is none.
    """
    given = {str(name): value for name, value in record.items()}
    made = Promise(**{**given, "cutoff": datetime.fromisoformat(str(given["cutoff"]).removesuffix("Z"))})  # type: ignore[arg-type]
    texts, numbers = (made.loss, made.unit, made.of), (made.hours, made.low, made.high, made.quarter_low, made.quarter_high, made.tickets)
    known = made.loss in {loss.name for loss in LOSSES} and made.cutoff.tzinfo is None
    if (
        not known
        or not all(isinstance(one, str) for one in texts)
        or not all(type(one) in (int, float) and isfinite(one) for one in numbers)
    ):
        raise ValueError("no promise")
    return made


def _second(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1)).total_seconds())

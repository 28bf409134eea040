"""Draws with what came of them: outcomes by the label function of training, contacts, and the rate that the meter stands on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd

from prevenance.decide.weeks import known_answers
from prevenance.history.history import as_of_instant
from prevenance.history.roster import customer_attributes, draw_units
from prevenance.order.suppression import newest_contacts
from prevenance.publish.published import published_lists
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.outreach import capacity_of, rules_of
from prevenance.runs.settings.schema import Settings
from prevenance.targets.labels import cohort, label
from prevenance.targets.target import Target

FEW = 10
"""Outcomes among those left alone from which their rate is taken for the meter."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn for one target's lists: the cutoff of each and its ``arms.csv``, units as known at a moment, and who stays in the figures."""

    arms: Sequence[tuple[datetime, pd.DataFrame]]
    units_at: Callable[[datetime], pd.Series]
    opted_out: frozenset[str]
    erased: int
    start: datetime | None
    worked_a_week: float

    def kept(self, log: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
        """Return the rows of a log that count, and how many rows of people who were erased or have opted out do not."""
        opposed = log["customer_id"].isin(self.opted_out)
        gone = opposed if self.start is None else opposed | (log["drawn_at"] < pd.Timestamp(self.start))
        return log[~gone].reset_index(drop=True), {"opted_out": int(opposed.sum()), "erased": self.erased}


def drawn_of(given: Settings, inputs: Inputs, target: Target) -> Drawn:
    """Return what the published lists drew up to ``as_of``."""
    held = rules_of(given, target).holdout
    lists = [one for one in published_lists(given.folder, target.name) if one.cutoff <= inputs.as_of]
    opposed = inputs.history.con.execute("select customer_id from canonical._opted_out").fetchall()
    return Drawn(
        [(one.cutoff, one.arms(given.privacy.key_file, inputs.history)) for one in lists],
        partial(draw_units, inputs.history, unit=held.unit),
        frozenset(row[0] for row in opposed),
        sum(int(one.manifest.get("erased", 0)) for one in lists),
        as_of_instant(given.experiment.start, given.source.timezone) if given.experiment.start else None,
        capacity_of(given) / held.weeks,
    )


def usual_rate(log: pd.DataFrame) -> float:
    """Return the rate of the outcome near the line: of those left alone once enough of them had it, else as the chances say, else 5 %."""
    alone = log.loc[log["held"].astype(bool), "outcome"].dropna()
    told = float(alone.mean()) if alone.sum() >= FEW else float(log["score"].mean()) if len(log) else np.nan
    return min(max(told, 0.001), 0.9) if np.isfinite(told) else 0.05


def judged_draws(given: Settings, inputs: Inputs, target: Target, log: pd.DataFrame) -> pd.DataFrame:
    """Return the log with segment, closes, outcome by the label function of training and contacted, as far as they are known.

    Windows begin with the first list that told of the draw: before it nobody could be left alone for its sake.
    """
    history = inputs.history
    closes = log["listed_at"] + pd.Timedelta(days=target.horizon_days + target.settle_days)
    log = log.assign(closes=closes, outcome=np.nan, contacted=0.0, segment=None)
    answers = known_answers(given.folder, target.name, inputs.as_of, static=given.source.static)
    called = [(one.customer_id, one.contacted_at(static=given.source.static)) for one in answers if one.action == "contacted"]
    for listed_at, part in log.groupby("listed_at", sort=True):
        moment = listed_at.to_pydatetime()
        end = moment + timedelta(days=target.horizon_days)
        asked = part[["customer_id"]].assign(cutoff=pd.Timestamp(moment).as_unit("us")).reset_index(drop=True)
        if target.pairs:  # an offer is a customer's outcome whichever product it was
            snapshots = cohort(history, target, [moment])
            asked = snapshots[snapshots["customer_id"].isin(asked["customer_id"])][["customer_id", "cutoff", "product_id"]]
        came = label(history, target, asked).groupby("customer_id")["label"].max()
        until = min(end, history.until)
        met = set(newest_contacts(history, [until], (until - moment) / timedelta(days=1))[until].index)
        met |= {customer for customer, at in called if moment < at <= end}
        log.loc[part.index, "outcome"] = part["customer_id"].map(came)
        log.loc[part.index, "contacted"] = part["customer_id"].isin(met).astype(float)
        people = customer_attributes(history, moment).set_index("customer_id")["segment"]
        log.loc[part.index, "segment"] = part["customer_id"].map(people).astype(object)
    return log

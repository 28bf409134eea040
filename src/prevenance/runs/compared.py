"""The statement of two ways that were drawn, of two actions or two times, by the published lists of one target."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from prevenance.history.history import History
from prevenance.order.suppression import newest_contacts
from prevenance.proof.compared import way_log
from prevenance.proof.experiment import Plan, balance_of, meter_of, plan_rows, verdict_of
from prevenance.proof.stated import Statement
from prevenance.runs.draws import Drawn, judged_draws, usual_rate
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.outreach import rules_of, share_of
from prevenance.runs.settings.schema import Settings
from prevenance.targets.target import Target


def comparison_of(given: Settings, inputs: Inputs, target: Target, drawn: Drawn, targets: int) -> Statement:
    """Return the statement of the two ways, each drawn for half of those on the list."""
    held = rules_of(given, target).holdout
    log, other = way_log(drawn.arms, held, drawn.units_at)
    log, left_out = drawn.kept(log)
    log = judged_draws(given, inputs, target, log)
    log = log.assign(contacted=_second_way(inputs.history, target, log, held.ways))
    start = log["listed_at"].min().to_pydatetime() if len(log) else None
    asked = given.experiment
    plan = Plan(start, asked.looks, asked.look_weeks, target.horizon_days, target.settle_days, share_of(given), 0.5, asked.power, gain=target.words.gain)  # fmt: skip
    rate = usual_rate(log)
    weekly = len(log) / (log["epoch"].nunique() * held.weeks) if len(log) else drawn.worked_a_week
    ways = plan_rows(plan, rate, weekly, targets, 0.0)
    first = log["held"].astype(bool)
    counts = {
        **{"customers": log["customer_id"].nunique(), "draws": len(log), "ways": {way: int(log["way"].eq(way).sum()) for way in held.ways}},
        **{"units": log["unit"].nunique(), "unit": held.unit, "epochs": log["epoch"].nunique(), "key_id": held.mark},
        **{
            "first": log["drawn_at"].min() if len(log) else None,
            "last": log["drawn_at"].max() if len(log) else None,
            "held": int(first.sum()),
        },
    }
    return Statement(
        target.name,
        target.words.title,
        plan,
        verdict_of(log, plan, inputs.as_of),
        log,
        balance_of(log),
        ways[ways["way"].isin(["as_set", "pooled"])].reset_index(drop=True),
        meter_of(plan, rate, log),
        rate,
        counts,
        left_out | {"other_key": other},
        given.source.currency,
        held.ways,
    )


def _second_way(history: History, target: Target, log: pd.DataFrame, ways: tuple[str, ...]) -> pd.Series:
    """Return 1.0 for who was worked the second way: by a contact of that action within the horizon, or by none before the longer wait was over."""
    found = pd.Series(0.0, index=log.index)
    for listed_at, part in log.groupby("listed_at", sort=True):
        moment = listed_at.to_pydatetime()
        days = max(map(int, ways)) if ways[1].isdigit() else target.horizon_days
        until = min(moment + timedelta(days=days), history.until)
        kinds = {} if ways[1].isdigit() else {"kinds": (ways[1],)}
        met = set(newest_contacts(history, [until], (until - moment) / timedelta(days=1), **kinds)[until].index)
        came = part["customer_id"].isin(met)
        # With two waits the longer one shows itself by silence until it is over.
        later = ways[1].isdigit() and int(ways[1]) > int(ways[0])
        found.loc[part.index] = (~came if later else came).astype(float)
    return found

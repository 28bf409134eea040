"""The lists of the past: what was known at each test cutoff, and the rules by which its list would have been shipped."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd

from prevenance.decide.weeks import known_answers, standing_at
from prevenance.history.roster import customer_attributes, drawn_as
from prevenance.judge import rivals, shipped
from prevenance.judge.tested import Past, Tested
from prevenance.order.decision import Rules
from prevenance.order.holdout import PUBLIC_SALT
from prevenance.order.policies import POLICIES
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.outreach import floor_of, peace_of, rules_of
from prevenance.runs.settings.schema import Settings
from prevenance.targets.target import Target


def with_lists(given: Settings, inputs: Inputs, target: Target, tested: Tested) -> Tested:
    """Return what was tested with each model's list at each test cutoff, as it would have been shipped."""
    known = known_then(given, inputs, target, tested)
    told = shipped.with_ranks(tested.backtest.predictions, known, rules_then(given, target, tested))
    return replace(tested, backtest=replace(tested.backtest, predictions=told), known=known)


def known_then(given: Settings, inputs: Inputs, target: Target, past: Past) -> pd.DataFrame:
    """Return what was known of each snapshot at its test cutoff: the keys, cutoff and the columns ``shipped.KNOWN``."""
    keys, moments = ["cutoff", *target.keys], [fold.test for fold in past.parted]
    rules = _drawn_openly(rules_of(given, target))
    standing, parts = standing_at(peace_of(given), inputs.history, rules, moments) if moments else None, []
    for moment in moments:
        rows = past.rows.loc[past.rows["cutoff"] == pd.Timestamp(moment), [*keys, "value_at_stake"]].reset_index(drop=True)
        rows = rows.merge(customer_attributes(inputs.history, moment)[["customer_id", "owner"]], on="customer_id", how="left")
        answers = known_answers(given.folder, target.name, moment, static=given.source.static, replaying=True)
        units = drawn_as(inputs.history, moment, rules.holdout.unit, rows["customer_id"])
        parts.append(standing(rows, moment, answers).assign(unit=units)[[*keys, *shipped.KNOWN]])  # type: ignore[misc]
    return pd.concat(parts, ignore_index=True) if parts else past.rows.iloc[:0].reindex(columns=[*keys, *shipped.KNOWN])


def rules_then(given: Settings, target: Target, past: Tested) -> shipped.RulesAt:
    """Return what gives the rules of a model's list at a test cutoff: its floor is by the base rate of what had closed by then."""
    usual = _drawn_openly(rules_of(given, target))
    base = {fold.test: float(past.rows.loc[past.rows["cutoff"].isin(fold.learned), "label"].mean()) for fold in past.parted}
    champion = past.recipe[0] if past.recipe else ""

    def rules_at(model: str, cutoff: datetime) -> Rules:
        kind = champion if model == "champion" else model
        return replace(usual, floor=floor_of(given, target, kind, base.get(cutoff)))

    return rules_at


def _drawn_openly(rules: Rules) -> Rules:
    # A report must not depend on the key of the nights, nor tell whom it draws.
    return replace(rules, holdout=replace(rules.holdout, key=PUBLIC_SALT))


def list_claims(given: Settings, target: Target, tested: Tested, model: str, replicates: int) -> dict[str, Any]:
    """Return ``shipped`` and ``policies`` of the report: the lists of ``model`` as they would have been shipped, and what other orders would have brought."""
    rules_at, told = rules_then(given, target, tested), tested.backtest.predictions
    record = shipped.shipped_record(told, model, rules_at)
    asked: dict[str, Any] = {"replicates": replicates, "seed": given.seed}
    return {
        "shipped": {**record, "policy": given.outreach.policy, "floor_times": given.outreach.floor if target.keeps else None},
        "policies": rivals.policy_estimates(told, tested.known, model, rules_at, POLICIES, **asked),
    }

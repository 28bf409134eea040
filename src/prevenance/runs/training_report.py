"""What a training says of itself: ``report.json`` as a dictionary, from what was tested, chosen and fitted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from prevenance.explain import stability
from prevenance.explain.attribution import column_stories, contributions
from prevenance.features.define import Definition
from prevenance.judge import drift, evaluation, gaps, hindsight, lead, metrics, slices
from prevenance.judge.footprints import not_looked_at
from prevenance.judge.reliability import reliability
from prevenance.judge.shipped import shipped_list
from prevenance.judge.tested import Choice, Tested
from prevenance.models import folds, training
from prevenance.models.bundle import Fitted, chance
from prevenance.models.told_rule import fitted_rule, rule_text
from prevenance.runs.contacted import contacted_counts
from prevenance.runs.inputs import Inputs
from prevenance.runs.manifest import privacy_record
from prevenance.runs.settings.outreach import capacity_of, cost_of, share_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.targets.target import Target
from prevenance.words.saying import Saying, saying

SLICES, UNBLOCKING = ("segment", "plan", "country", "industry", "size", "tenure"), ("country", "industry", "size", "tenure")
LEVELS = 20
"""Values at most of a column that is sliced by."""

TOP, WEIGHED = 10, 200
"""Features whose power by gap is told, and newest snapshots that say which weigh most."""


@dataclass(frozen=True)
class Facts:
    """What a report is made of besides the settings: the target, what went in, what was measured and the model that goes to work."""

    target: Target
    inputs: Inputs
    definitions: Sequence[Definition]
    measured: Mapping[str, Any]
    fitted: Fitted
    messages: Sequence[str]
    steps: Steps


def training_report(given: Settings, facts: Facts, tested: Tested, choice: Choice) -> dict[str, Any]:
    """Return report.json as a dictionary; see the contract in the README for its keys."""
    target, inputs, steps = facts.target, facts.inputs, facts.steps
    predictions, capacity = tested.backtest.predictions, capacity_of(given)
    steps(f"{target.name}: reasons, gaps, leakage types")
    rule = rule_text(fitted_rule(tested.rows, tested.production, tested.columns, seed=given.seed))
    return {
        "target": target.name,
        "says": target.says,
        "source": given.source.name,
        "currency": given.source.currency,
        "as_of": inputs.as_of.isoformat(),
        "timezone": given.source.timezone,
        **_counted(tested, target),
        "capacity": capacity,
        "folds": [{"fit": _texts(one.learned), "calibrate": _texts(one.learned), "test": one.test.isoformat()} for one in tested.parted],
        "folds_svg": folds.folds_svg(tested.parted),
        "models": facts.measured,
        "rule": rule,
        "rules": [{"test": one.test.isoformat(), "rule": took} for one, took in zip(tested.parted, tested.backtest.rules, strict=True)],
        "chosen": {"model": choice.kind, "why": choice.why, "challenger": choice.challenger, "promoted": choice.promoted},
        "tested_as": choice.tested_as,
        "gates": choice.gates,
        "leakage": tested.leaks,
        "leakage_not_looked_at": not_looked_at(tested.rows, tested.parted),
        "leakage_types": hindsight.leakage_types(
            tested, choice, horizon_days=target.horizon_days, settle_days=target.settle_days, seed=given.seed
        ),
        "checks": [asdict(finding) for finding in choice.findings],
        "lead_time": _lead_time(predictions, choice.tested_as, capacity, target),
        "slices": choice.sliced,
        "ties": {name: _ties(part, capacity) for name, part in predictions.groupby("model", sort=True)},
        "periods": json.loads(evaluation.period_hits(predictions, capacity).to_json(orient="records", date_format="iso")),
        "calibration": reliability(predictions, choice.tested_as, seed=given.seed),
        "reasons_stability": _stability(given, facts, tested, choice.tested_as, capacity),
        "gaps": _gaps(facts.fitted, tested, choice),
        "contacted": contacted_counts(
            inputs.history, target, training.usable_rows(tested.frame), left_out=given.validation.contacted == "leave_out"
        ),
        "drift": _drift(tested, choice.moved, inputs.as_of),
        "features": len(tested.columns),
        "dropped": sorted(set(facts.fitted.encoder.dropped)),
        "enough": _enough(tested),
        "outreach": {"share": share_of(given), "cost_per_contact": cost_of(given)},
        "privacy": privacy_record(given),
        "settings": flat_settings(given) | {f"model.params.{name}": value for name, value in choice.params.items()},
        "data": {"customers": inputs.customers, "tables": {name: asdict(one) for name, one in inputs.counts.items()}},
        "messages": [*inputs.messages, *facts.messages],
        "seconds": dict(steps.seconds),
    }


def told_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report as report.json tells it: ``models`` always has a champion, the rule where none was promoted before."""
    models = report["models"]
    return {**report, "models": {**models, "champion": models["rule"]} if "rule" in models and "champion" not in models else models}


def slice_rows(predictions: pd.DataFrame, tested: Tested, model: str, capacity: int, seed: int) -> list[dict[str, object]]:
    """Return how the model serves each slice; size and tenure are cut on what the oldest fold learned from."""
    if not tested.parted or predictions.empty:
        return []
    extra = slices.size_and_tenure(tested.rows, tested.rows["cutoff"].isin(tested.parted[0].learned))
    own = tested.rows[[name for name in SLICES if name in tested.rows and name not in extra]]
    frame = pd.concat([extra, own], axis=1)
    columns = [name for name in SLICES if name in frame and 1 < frame[name].nunique() <= LEVELS]
    return slices.slice_report(predictions, frame, columns, model, capacity=capacity, unblocking=UNBLOCKING, seed=seed)


def drift_tonight(tested: Tested) -> drift.Drift:
    """Return how the newest snapshots, labels open, differ from those that the model at work learns from."""
    learned = tested.rows[tested.rows["cutoff"].isin(tested.production.learned)]
    return drift.input_drift(learned, tested.tonight[tested.tonight["state"] == "at_risk"], tested.columns)


def flat_settings(given: Settings) -> dict[str, object]:
    """Return the settings as flat values, without paths that are nobody's business."""
    found: dict[str, object] = {"source": given.source.name, "as_of": given.as_of or "newest", "seed": given.seed}
    for group in ("target", "validation", "model", "privacy"):
        found |= {f"{group}.{key}": value for key, value in asdict(getattr(given, group)).items() if key != "key_file"}
    return found


def _counted(tested: Tested, target: Target) -> dict[str, Any]:
    rows, frame = tested.rows, tested.frame
    return {
        "cutoffs": [pd.Timestamp(cutoff).isoformat() for cutoff in sorted(frame["cutoff"].unique())],
        "horizon_days": target.horizon_days,
        "settle_days": target.settle_days,
        "lead_days": target.lead_days,
        "positives": tested.positives,
        "customers": int(rows["customer_id"].nunique()),
        "snapshots": len(rows),
        "positive_snapshots": int(rows["label"].sum()),
        "open_labels": int(frame["label"].isna().sum()),
        "too_late_snapshots": int((frame["state"] == "too_late").sum()),
        "cohort_tonight": int((tested.tonight["state"] == "at_risk").sum()),
    }


def _lead_time(predictions: pd.DataFrame, model: str, capacity: int, target: Target) -> dict[str, Any]:
    found: dict[str, Any] = dict(lead.lead_time(predictions, model, capacity, target.lead_days))
    if target.absence:
        return found | {"note": saying("not measured: silence has no date of its own")}
    return found | {"weeks": lead.lead_weeks(predictions, model, capacity, target.lead_days)}


def _stability(given: Settings, facts: Facts, tested: Tested, model: str, capacity: int) -> dict[str, object]:
    """Return whether the reasons of those whom the newest test's list would name come back over refits."""
    newest = _newest(tested)
    best = newest.iloc[np.lexsort((newest["customer_id"].to_numpy(dtype=str), -chance(facts.fitted, newest)))[:capacity]]
    if tested.parted:
        keys = ["cutoff", *facts.target.keys]
        best = newest.merge(shipped_list(tested.backtest.predictions, model, tested.parted[-1].test)[keys], on=keys)
    told = column_stories(facts.definitions)
    return stability.reasons_stability(facts.fitted, tested.rows, tested.production, best, told, seed=given.seed)


def _gaps(fitted: Fitted, tested: Tested, choice: Choice) -> list[dict[str, Any]]:
    """Return the power by gap of the model in the tests, of the features that weigh most, and of every footprint."""
    weight = contributions(fitted, _newest(tested).head(WEIGHED))[1].abs().mean()
    heavy = [str(name) for name in weight[weight > 0].sort_values(ascending=False, kind="stable").index[:TOP]]
    words = set(fitted.encoder.vocabulary)
    warned = any(one.code == "PV007" and one.severity != "pass" for one in choice.findings)
    echoes = gaps.late_footprints(tested.rows, tested.columns) if warned else []
    told = tested.backtest.predictions
    told = told[told["model"] == choice.tested_as].rename(columns={"raw": choice.kind})
    names = [*(name for name in heavy if name not in words), *(name for name in echoes if name not in heavy)]
    found = [*gaps.power_by_gap(told, [choice.kind]), *gaps.power_by_gap(tested.rows, names, echoes)]
    return [asdict(one) | {"model": place == 0} for place, one in enumerate(found)]


def _drift(tested: Tested, found: drift.Drift, as_of: datetime) -> dict[str, Any]:
    fit = tested.production.learned
    return asdict(found) | {"learned": [fit[0].isoformat(), fit[-1].isoformat()], "newest": as_of.isoformat()}


def _newest(tested: Tested) -> pd.DataFrame:
    rows = tested.rows
    return rows[rows["cutoff"] == rows["cutoff"].max()].reset_index(drop=True)


def _enough(tested: Tested) -> Saying:
    told = {"n": tested.positives, "needed": training.FEW}
    if tested.positives < training.FEW:
        return saying("no: {n} {n:customer|customers} with the outcome, {needed} are needed for a model; rules, no model", **told)
    if tested.positives < training.MANY:
        simple = "for a simple model: {n} {n:customer|customers} with the outcome, {needed} are needed for boosted trees; wide intervals"
        return saying(simple, **told | {"needed": training.MANY})
    return saying("yes: {n} {n:customer|customers} with the outcome", n=tested.positives)


def _ties(predictions: pd.DataFrame, capacity: int) -> dict[str, float]:
    """Return the hits of a model over all periods when ties at the capacity line fall worst and best."""
    ranges = [metrics.tie_range(part["label"], part["raw"], capacity) for _, part in predictions.groupby("cutoff", sort=True)]
    return {"worst": sum(low for low, _ in ranges), "best": sum(high for _, high in ranges)}


def _texts(cutoffs: tuple[datetime, ...]) -> list[str]:
    return [cutoff.isoformat() for cutoff in cutoffs]

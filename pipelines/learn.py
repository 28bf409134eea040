"""One target, from history to a registered model and its report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.inputs import Inputs, capacity_of, cutoffs_of, definitions_of, frame_of, target_of
from pipelines.run import Steps
from pipelines.settings import Settings
from prevenance import checks, evaluation, folds, metrics, slices, tracking, training
from prevenance.errors import PrevenanceError
from prevenance.explain import plots
from prevenance.features.build import names
from prevenance.history import digest
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.reliability import reliability
from prevenance.targets.define import Target
from prevenance.writers import report as reports
from prevenance.writers import summary, table
from prevenance.writers.publish import write

SLICES = ("segment", "plan", "country", "industry")
PLOTTED = 2000
"""Rows at most behind the SHAP pictures."""


@dataclass(frozen=True)
class Tested:
    """What the past said of one target, and the features that may be used."""

    frame: pd.DataFrame
    parted: tuple[folds.Fold, ...]
    production: folds.Fold
    columns: list[str]
    leaks: list[dict[str, object]]
    kinds: tuple[str, ...]
    backtest: training.Backtest
    recipe: tuple[str, dict[str, Any]] | None

    @property
    def positives(self) -> int:
        """Return how many customers had the outcome in closed windows."""
        return training.positives(self.frame)


@dataclass(frozen=True)
class Choice:
    """Which model goes to work: ``tested_as`` is its name in the back-test; ``keeps`` leaves the present champion in place."""

    kind: str
    params: Mapping[str, Any]
    tested_as: str
    challenger: str | None
    promoted: bool
    keeps: bool
    why: str
    gates: dict[str, str]
    sliced: list[dict[str, object]]
    findings: tuple[evaluation.Finding, ...]


def learn(given: Settings, inputs: Inputs, steps: Steps) -> tuple[str, dict[str, Any]]:
    """Train, evaluate, gate and register one target; return the summary to print and the facts for the status file."""
    target, capacity = target_of(given), capacity_of(given)
    definitions, messages = definitions_of(given, inputs)
    cutoffs = cutoffs_of(given, target, inputs)
    frame = frame_of(inputs, target, cutoffs, definitions, steps)
    columns = [name for name in names(definitions) if name not in given.features.leave_out]
    tested = _tested(given, inputs, target, frame, cutoffs, columns, steps)
    steps(f"{target.name}: evaluate")
    measured = evaluation.evaluate(tested.backtest.predictions, capacity=capacity, replicates=given.validation.replicates, seed=given.seed)
    choice = _chosen(given, tested, measured, capacity)
    steps(f"{target.name}: fit {choice.kind}")
    about = {
        "target": target.name,
        "source": given.source.name,
        "trained_until": inputs.as_of.isoformat(),
        "params": dict(choice.params),
        "horizon_days": target.horizon_days,
        "settle_days": target.settle_days,
    }
    fitted = training.fit(frame, tested.production, choice.kind, tested.columns, seed=given.seed, params=choice.params, about=about)
    fitted = training.with_band(fitted, tested.backtest.predictions, choice.tested_as)
    report = _report(given, inputs, target, tested, choice, measured, fitted, messages, steps)
    steps(f"{target.name}: plots, report, register")
    version, model_digest = _registered(given, inputs, target, tested, choice, fitted, report)
    report["files"] = {
        "folder": str(Path(given.out) / "train" / target.name),
        "model": f"{target.name} version {version}",
        "digest": model_digest[:12],
    }
    return summary.training(report), {"model": choice.kind, "version": version, "digest": model_digest, "why": choice.why}


def _tested(
    given: Settings, inputs: Inputs, target: Target, frame: pd.DataFrame, cutoffs: list[datetime], columns: list[str], steps: Steps
) -> Tested:
    """Split in time, leave leaks out, and back-test what the ladder allows beside the rivals."""
    gap = {"horizon_days": target.horizon_days, "settle_days": target.settle_days}
    closed = set(training.usable(frame)["cutoff"])
    if not closed:
        raise PrevenanceError(
            "E601",
            f"nobody was at risk at any of {len(cutoffs)} cutoffs",
            target=target.name,
            fix="check target.kind and target.active_days",
        )
    cutoffs = [cutoff for cutoff in cutoffs if pd.Timestamp(cutoff) in closed]
    parted = folds.folds(cutoffs, tests=given.validation.tests, calibrate=given.validation.calibrate, **gap)
    production = folds.final(cutoffs, inputs.as_of, calibrate=given.validation.calibrate, **gap)
    steps(f"{target.name}: look for leaks")
    leaks = checks.leakage(frame, columns, parted, given.seed)
    kept = [name for name in columns if name not in {leak["feature"] for leak in leaks}]
    asked = given.model.kind
    kinds = training.ladder(training.positives(frame)) if asked == "auto" else (asked,) if asked != "rule" else ()
    steps(f"{target.name}: back-test {', '.join(('rule', *kinds))}")
    held = tracking.champion(Path(given.out), target.name)
    old = bundle.load(Path(given.out) / "models" / target.name / held[1], held[1]) if held else None
    recipe = (old.kind, old.about.get("params", {})) if old else None
    tested = training.backtest(frame, parted, kinds, kept, seed=given.seed, trials=given.model.trials, champion=recipe)
    return Tested(frame, parted, production, kept, leaks, kinds, tested, recipe)


def _chosen(given: Settings, tested: Tested, measured: dict[str, Any], capacity: int) -> Choice:
    """Ask the gate; a champion whose recipe still beats the rule is fitted again on the newer data."""
    predictions = tested.backtest.predictions
    challenger = training.choose(tested.backtest, tested.kinds)
    named = [str(leak["feature"]) for leak in tested.leaks]
    findings = checks.findings(
        tested.frame, tested.columns, tested.parted, predictions, challenger or "rule", capacity=capacity, leaks=tested.leaks, removed=named
    )
    sliced = _slices(predictions, tested.frame, challenger or "rule", capacity)
    judge: dict[str, Any] = {"capacity": capacity, "seed": given.seed, "replicates": given.validation.replicates}
    judge |= {"sliced": sliced, "findings": findings}
    rivals = ["rule", "customer_rules", "base_rate"]
    same_recipe = tested.recipe is not None and tested.recipe == (challenger, tested.backtest.params.get(challenger or ""))
    if challenger is None:
        verdict = evaluation.Verdict(False, _no_challenger(given, tested), {"enough": "warn"})
    else:
        verdict = evaluation.gate(predictions, challenger, rivals if same_recipe else [*rivals, "champion"], **judge)
    kind, params, tested_as, keeps, again = "rule", {}, "rule", False, ""
    if verdict.promoted and challenger:
        kind, params, tested_as = challenger, tested.backtest.params.get(challenger, {}), challenger
    elif tested.recipe and tested.recipe[0] != "rule":
        (kind, params), tested_as = tested.recipe, "champion"
        keeps = not evaluation.gate(predictions, "champion", rivals, **judge).promoted
        again = "" if keeps else " Its recipe was fitted again on the newer data."
    why = verdict.why + again + _signal(measured, tested.kinds)
    return Choice(kind, params, tested_as, challenger, verdict.promoted, keeps, why, verdict.gates, sliced, tuple(findings))


def _report(
    given: Settings,
    inputs: Inputs,
    target: Target,
    tested: Tested,
    choice: Choice,
    measured: dict[str, Any],
    fitted: Fitted,
    messages: list[str],
    steps: Steps,
) -> dict[str, Any]:
    """Return report.json as a dictionary; see the contract in the README for its keys."""
    usable, predictions, capacity = training.usable(tested.frame), tested.backtest.predictions, capacity_of(given)
    rule = training.rule_text(training.fit(tested.frame, tested.production, "rule", tested.columns, seed=given.seed))
    cutoffs = sorted(tested.frame["cutoff"].unique())
    return {
        "target": target.name,
        "says": target.says,
        "source": given.source.name,
        "currency": given.source.currency,
        "as_of": inputs.as_of.isoformat(),
        "cutoffs": [pd.Timestamp(cutoff).isoformat() for cutoff in cutoffs],
        "horizon_days": target.horizon_days,
        "settle_days": target.settle_days,
        "lead_days": target.lead_days,
        "positives": tested.positives,
        "customers": int(usable["customer_id"].nunique()),
        "snapshots": len(usable),
        "positive_snapshots": int(usable["label"].sum()),
        "open_labels": int(tested.frame["label"].isna().sum()),
        "too_late_snapshots": int((tested.frame["state"] == "too_late").sum()),
        "capacity": capacity,
        "folds": [{"fit": _texts(one.fit), "calibrate": _texts(one.calibrate), "test": one.test.isoformat()} for one in tested.parted],
        "folds_svg": folds.svg(tested.parted),
        "models": measured,
        "rule": rule,
        "chosen": {"model": choice.kind, "why": choice.why, "challenger": choice.challenger, "promoted": choice.promoted},
        "gates": choice.gates,
        "leakage": tested.leaks,
        "checks": [asdict(finding) for finding in choice.findings],
        "lead_time": evaluation.lead_time(predictions, choice.tested_as, capacity, target.lead_days)
        | ({"note": "not measured: silence has no date of its own"} if target.absence else {}),
        "slices": choice.sliced,
        "ties": {name: _ties(part, capacity) for name, part in predictions.groupby("model", sort=True)},
        "periods": json.loads(evaluation.periods(predictions, capacity).to_json(orient="records", date_format="iso")),
        "calibration": reliability(predictions, choice.tested_as),
        "features": len(tested.columns),
        "dropped": sorted(set(fitted.encoder.dropped)),
        "enough": _enough(tested),
        "data": {"customers": inputs.customers, "tables": {name: asdict(one) for name, one in inputs.counts.items()}},
        "messages": [*inputs.messages, *messages],
        "seconds": dict(steps.seconds),
    }


def _registered(
    given: Settings, inputs: Inputs, target: Target, tested: Tested, choice: Choice, fitted: Fitted, report: dict[str, Any]
) -> tuple[str, str]:
    """Write the report beside its pictures, register the model, and return its version and digest."""
    out = Path(given.out)
    with tempfile.TemporaryDirectory() as work:
        sample = training.usable(tested.frame)
        if len(sample) > PLOTTED:
            sample = sample.sample(PLOTTED, random_state=given.seed).sort_index()
        pictures = plots(fitted, sample, Path(work) / "plots") if choice.kind != "rule" else []
        model_digest = bundle.save(fitted, Path(work) / "model")
        files = {
            "report.json": table.canonical(report),
            "report.html": reports.page(report, pictures).encode(),
            "model_card.md": reports.card(report).encode(),
            "features.parquet": table.parquet_bytes(tested.frame),
        }
        folder = write(out / "train" / target.name, files)
        version = tracking.log_run(
            out,
            target.name,
            settings=_flat(given),
            digests={"model": model_digest, "data": digest(inputs.history, inputs.as_of)},
            report=report,
            bundle_folder=Path(work) / "model",
            fitted_kind=fitted.kind,
            example=tested.frame[list(fitted.encoder.features)].head(5),
            files=[folder / name for name in ("report.json", "report.html", "model_card.md")] + pictures,
            promoted=not choice.keeps,
            run_name=target.name,
        )
    return version, model_digest


def _no_challenger(given: Settings, tested: Tested) -> str:
    if tested.positives == 0:
        why = f"no positives in {len(training.usable(tested.frame))} matured snapshots: rules, no model"
    elif given.model.kind == "rule":
        why = "the rule was asked for: rules, no model"
    else:
        why = f"{tested.positives} customers with the outcome, fewer than 20: rules, no model"
    return f"not promoted: {why}; the rule stays."


def _signal(measured: dict[str, Any], kinds: tuple[str, ...]) -> str:
    """Return a sentence when no model ranks better than a coin, by the interval of its AUC."""
    known = [kind for kind in kinds if kind in measured]
    if not known or any(measured[kind]["roc_auc"]["low"] > 0.5 for kind in known):
        return ""
    auc = max((measured[kind]["roc_auc"] for kind in known), key=lambda one: one["value"])
    return (
        f" There is no usable signal in these data: the best model's AUC is {auc['value']:.2f} "
        f"({auc['low']:.2f} to {auc['high']:.2f}), a coin has 0.50."
    )


def _slices(predictions: pd.DataFrame, frame: pd.DataFrame, model: str, capacity: int) -> list[dict[str, object]]:
    columns = [name for name in SLICES if name in frame.columns and 1 < frame[name].nunique() <= 20]
    return slices.slices(predictions, frame, columns, model, capacity=capacity) if columns and len(predictions) else []


def _enough(tested: Tested) -> str:
    if tested.positives < 20:
        return f"no: {tested.positives} customers with the outcome, 20 are needed for a model; rules, no model"
    if tested.positives < 100:
        return f"for a simple model: {tested.positives} customers with the outcome, 100 are needed for boosted trees; wide intervals"
    return f"yes: {tested.positives} customers with the outcome"


def _ties(predictions: pd.DataFrame, capacity: int) -> dict[str, float]:
    """Return the hits of a model over all periods when ties at the capacity line fall worst and best."""
    ranges = [metrics.tie_range(part["label"], part["raw"], capacity) for _, part in predictions.groupby("cutoff", sort=True)]
    return {"worst": sum(low for low, _ in ranges), "best": sum(high for _, high in ranges)}


def _texts(cutoffs: tuple[datetime, ...]) -> list[str]:
    return [cutoff.isoformat() for cutoff in cutoffs]


def _flat(given: Settings) -> dict[str, object]:
    """Return the settings as flat values, without paths that are nobody's business."""
    flat: dict[str, object] = {"source": given.source.name, "as_of": given.as_of or "newest", "seed": given.seed}
    for group in ("target", "validation", "model", "privacy"):
        flat |= {f"{group}.{key}": value for key, value in asdict(getattr(given, group)).items()}
    return flat

"""One target, from history to a registered model and its report."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.inputs import Inputs, cutoffs_of, definitions_of, frame_of, target_of
from pipelines.run import Steps
from pipelines.settings import Settings
from prevenance import checks, evaluation, folds, slices, tracking, training
from prevenance.explain import plots
from prevenance.features.build import names
from prevenance.history import digest
from prevenance.models import bundle
from prevenance.reliability import reliability
from prevenance.writers import report as reports
from prevenance.writers import summary
from prevenance.writers.publish import write

SLICES = ("segment", "plan", "country", "industry")
PLOTTED = 2000


def learn(given: Settings, inputs: Inputs, steps: Steps) -> tuple[str, dict[str, Any]]:
    """Train, evaluate, gate and register one target; return the summary to print and the facts for the status file."""
    target, out = target_of(given), Path(given.out)
    capacity = given.capacity or given.source.capacity or given.outreach.capacity
    definitions, messages = definitions_of(given, inputs)
    cutoffs = cutoffs_of(given, target, inputs)
    frame = frame_of(inputs, target, cutoffs, definitions, steps)
    gap = {"horizon_days": target.horizon_days, "settle_days": target.settle_days}
    parted = folds.folds(cutoffs, tests=given.validation.tests, calibrate=given.validation.calibrate, **gap)
    production = folds.final(cutoffs, inputs.as_of, calibrate=given.validation.calibrate, **gap)
    steps(f"{target.name}: look for leaks")
    columns = [name for name in names(definitions) if name not in given.features.leave_out]
    leaks = checks.leakage(frame, columns, parted, given.seed)
    columns = [name for name in columns if name not in {leak["feature"] for leak in leaks}]
    found = training.positives(frame)
    kinds = training.ladder(found) if given.model.kind == "auto" else tuple(kind for kind in (given.model.kind,) if kind != "rule")
    steps(f"{target.name}: back-test {', '.join(('rule', *kinds))}")
    held = tracking.champion(out, target.name)
    old = bundle.load(out / "models" / target.name / held[1], held[1]) if held else None
    recipe = (old.kind, old.about.get("params", {})) if old else None
    tested = training.backtest(frame, parted, kinds, columns, seed=given.seed, trials=given.model.trials, champion=recipe)
    steps(f"{target.name}: evaluate")
    challenger = training.choose(tested, kinds)
    metrics = evaluation.evaluate(tested.predictions, capacity=capacity, replicates=given.validation.replicates, seed=given.seed)
    sliced = _slices(tested.predictions, frame, challenger or "rule", capacity)
    named = [str(leak["feature"]) for leak in leaks]
    findings = checks.findings(
        frame, columns, parted, tested.predictions, challenger or "rule", capacity=capacity, leaks=leaks, removed=named
    )
    judge: dict[str, Any] = {"capacity": capacity, "seed": given.seed, "replicates": given.validation.replicates, "sliced": sliced, "findings": findings}
    same_recipe = recipe is not None and recipe == (challenger, tested.params.get(challenger or ""))
    rivals = ["rule", "customer_rules", "base_rate", *([] if same_recipe else ["champion"])]
    if challenger is None:
        verdict = evaluation.Verdict(False, _no_challenger(given, found, frame), {"enough": "warn"})
    else:
        verdict = evaluation.gate(tested.predictions, challenger, rivals, **judge)
    kind, params = (challenger, tested.params.get(challenger, {})) if verdict.promoted and challenger else ("rule", {})
    keeps = refitted = False
    if not verdict.promoted and recipe and recipe[0] != "rule":
        refitted = evaluation.gate(tested.predictions, "champion", rivals[:3], **judge).promoted
        keeps, (kind, params) = not refitted, recipe
    steps(f"{target.name}: fit {kind}")
    about = {"target": target.name, "source": given.source.name, "trained_until": inputs.as_of.isoformat(), "params": params, **gap}
    fitted = training.fit(frame, production, kind, columns, seed=given.seed, params=params, about=about)
    tested_as = "champion" if refitted or keeps else kind
    fitted = training.with_band(fitted, tested.predictions, tested_as)
    why = verdict.why + (" Its recipe was fitted again on the newer data." if refitted else "") + _signal(metrics, kinds)
    report = {
        "target": target.name,
        "says": target.says,
        "source": given.source.name,
        "as_of": inputs.as_of.isoformat(),
        "cutoffs": [cutoff.isoformat() for cutoff in cutoffs],
        **gap,
        "lead_days": target.lead_days,
        "positives": found,
        "customers": int(training.usable(frame)["customer_id"].nunique()),
        "snapshots": len(training.usable(frame)),
        "positive_snapshots": int(training.usable(frame)["label"].sum()),
        "open_labels": int(frame["label"].isna().sum()),
        "capacity": capacity,
        "folds": [{"fit": _texts(one.fit), "calibrate": _texts(one.calibrate), "test": one.test.isoformat()} for one in parted],
        "folds_svg": folds.svg(parted),
        "models": metrics,
        "rule": training.rule_text(training.fit(frame, production, "rule", columns, seed=given.seed)),
        "chosen": {"model": kind, "why": why, "challenger": challenger, "promoted": verdict.promoted},
        "gates": verdict.gates,
        "leakage": leaks,
        "checks": [asdict(finding) for finding in findings],
        "lead_time": evaluation.lead_time(tested.predictions, tested_as, capacity, target.lead_days),
        "slices": sliced,
        "periods": json.loads(evaluation.periods(tested.predictions, capacity).to_json(orient="records", date_format="iso")),
        "calibration": reliability(tested.predictions, tested_as),
        "features": len(columns),
        "dropped": sorted(set(fitted.encoder.dropped)),
        "enough": _enough(found, kinds),
        "data": {"customers": inputs.customers, "tables": {name: asdict(one) for name, one in inputs.counts.items()}},
        "messages": [*inputs.messages, *messages],
        "seconds": steps.seconds,
    }
    steps(f"{target.name}: plots, report, register")
    with tempfile.TemporaryDirectory() as work:
        pictures = plots(fitted, _sample(training.usable(frame), given.seed), Path(work) / "plots") if fitted.kind != "rule" else []
        model_digest = bundle.save(fitted, Path(work) / "model")
        page, card = reports.page(report, pictures), reports.card(report)
        files = {
            "report.json": reports.canonical(report),
            "report.html": page.encode(),
            "model_card.md": card.encode(),
            "features.parquet": reports.parquet(frame),
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
            example=frame[list(fitted.encoder.features)].head(5),
            files=[folder / name for name in ("report.json", "report.html", "model_card.md")] + pictures,
            promoted=not keeps,
            run_name=target.name,
        )
    report["files"] = {"folder": str(folder), "model": f"{target.name} version {version}", "digest": model_digest[:12]}
    return summary.training(report), {"model": report["chosen"]["model"], "version": version, "digest": model_digest, "why": why}


def _no_challenger(given: Settings, found: int, frame: pd.DataFrame) -> str:
    if found == 0:
        why = f"no positives in {len(training.usable(frame))} matured snapshots: rules, no model"
    elif given.model.kind == "rule":
        why = "the rule was asked for: rules, no model"
    else:
        why = f"{found} customers with the outcome, fewer than 20: rules, no model"
    return f"not promoted: {why}; the rule stays."


def _signal(metrics: dict[str, Any], kinds: tuple[str, ...]) -> str:
    """Return a sentence when no model ranks better than a coin, by the interval of its AUC."""
    if not kinds or any(metrics.get(kind, {}).get("roc_auc", {}).get("low", 0.0) > 0.5 for kind in kinds):
        return ""
    best = max(kinds, key=lambda kind: metrics[kind]["roc_auc"]["value"] if kind in metrics else 0.0)
    auc = metrics.get(best, {}).get("roc_auc", {"value": float("nan"), "low": float("nan"), "high": float("nan")})
    return f" There is no usable signal in these data: the best model's AUC is {auc['value']:.2f} ({auc['low']:.2f} to {auc['high']:.2f}), a coin has 0.50."


def _slices(predictions: pd.DataFrame, frame: pd.DataFrame, model: str, capacity: int) -> list[dict[str, object]]:
    columns = [name for name in SLICES if name in frame.columns and 1 < frame[name].nunique() <= 20]
    return slices.slices(predictions, frame, columns, model, capacity=capacity) if columns and len(predictions) else []


def _enough(positives: int, kinds: tuple[str, ...]) -> str:
    if not kinds:
        return f"no: {positives} customers with the outcome, 20 are needed for a model; rules, no model"
    if positives < 100:
        return f"for a simple model: {positives} customers with the outcome, 100 are needed for boosted trees; wide intervals"
    return f"yes: {positives} customers with the outcome"


def _sample(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    return rows if len(rows) <= PLOTTED else rows.sample(PLOTTED, random_state=seed).sort_index()


def _texts(cutoffs: tuple[datetime, ...]) -> list[str]:
    return [cutoff.isoformat() for cutoff in cutoffs]


def _flat(given: Settings) -> dict[str, str]:
    """Return the settings as flat text, without paths that are nobody's business."""
    kept = {
        "source": given.source.name,
        "as_of": given.as_of or "newest",
        "seed": given.seed,
        "model": given.model.kind,
        "trials": given.model.trials,
        "privacy.purpose": given.privacy.purpose,
        "privacy.legal_basis": given.privacy.legal_basis,
    }
    kept |= {f"target.{key}": value for key, value in asdict(given.target).items()} | {
        f"validation.{key}": value for key, value in asdict(given.validation).items()
    }
    return {key: str(value) for key, value in kept.items()}

"""Train, evaluate, gate and register every target: from history to a registered model and its report."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.base import formats
from prevenance.base.errors import PrevenanceError
from prevenance.explain.attribution import write_plots
from prevenance.history.digests import history_digest
from prevenance.judge import checks, evaluation
from prevenance.judge.drift import Drift
from prevenance.judge.saved import compare_with_health_score
from prevenance.judge.tested import Choice, Past, Tested
from prevenance.models import bundle, training
from prevenance.models.bundle import Fitted
from prevenance.models.refitted_score import SCORES
from prevenance.models.tuning import challengers_in_order
from prevenance.publish import report as reports
from prevenance.publish import summary
from prevenance.publish.folders import write_files
from prevenance.runs.acts import note_acts
from prevenance.runs.commands import command
from prevenance.runs.evidence import evidence
from prevenance.runs.health import converted_score, health_score_of
from prevenance.runs.inputs import Inputs, load_inputs, pseudonyms_of, remember_settings
from prevenance.runs.no_model import no_challenger_text, no_signal_text
from prevenance.runs.past_lists import list_claims, with_lists
from prevenance.runs.settings.outreach import capacity_of, share_of
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.snapshots import cutoffs_of, definitions_of, model_facts, past_of, target_of
from prevenance.runs.steps import Steps
from prevenance.runs.training_report import (
    Facts,
    drift_tonight,
    flat_settings,
    slice_rows,
    told_report,
    training_report,
)
from prevenance.targets.target import Target
from prevenance.track import tracking
from prevenance.words import words
from prevenance.words.saying import said_after, saying

PLOTTED = 2000
"""Rows at most behind the SHAP pictures."""


def train_each(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Train the chosen target, or every target that the source declares."""
    loaded = load_inputs(given, steps)
    steps("")
    results, reading = {}, dict(steps.seconds)
    for one in targets(given):
        steps.seconds = dict(reading)  # a report tells what its own target took
        text, results[one.target.name] = train_target(one, loaded, steps)
        steps.tell(text)
    remember_settings(given, {name: one.read for name, one in loaded.counts.items()})
    note_acts(given.folder, "train", results)
    return {"outcome": "trained", "targets": results}


def train_target(given: Settings, inputs: Inputs, steps: Steps) -> tuple[str, dict[str, Any]]:
    """Train, evaluate, gate and register one target; return the summary to print and the facts for the status file."""
    target, capacity = target_of(given), capacity_of(given)
    definitions, messages = definitions_of(given, inputs)
    cutoffs = cutoffs_of(given, target, inputs)
    tested = _tested(given, inputs, target, past_of(given, target, inputs, definitions, cutoffs, steps), steps)
    steps(f"{target.name}: lists of the past")
    tested = with_lists(given, inputs, target, tested)
    steps(f"{target.name}: evaluate")
    replicates = given.validation.replicates if tested.positives >= training.FEW else 0
    measured = evaluation.evaluate(tested.backtest.predictions, capacity=capacity, replicates=replicates, seed=given.seed)
    choice = _chosen(given, tested, measured, capacity)
    steps(f"{target.name}: fit {choice.kind}")
    about = model_facts(given, target, inputs, choice.params)
    fitted = training.fit_model(
        tested.rows, tested.production, choice.kind, tested.columns, seed=given.seed, params=choice.params, about=about
    )
    fitted = training.with_interval_band(fitted, tested.backtest.predictions, choice.tested_as)
    steps(f"{target.name}: policies")
    claims = list_claims(given, target, tested, choice.tested_as, replicates)
    report = claims | training_report(given, Facts(target, inputs, definitions, measured, fitted, messages, steps), tested, choice)
    steps(f"{target.name}: evidence")
    report |= evidence(given, target, tested, choice, fitted, definitions)
    if tested.health:
        judged: dict[str, Any] = {"capacity": capacity, "share": share_of(given), "replicates": replicates, "seed": given.seed}
        compared = compare_with_health_score(tested.backtest.predictions, choice.challenger or "rule", **judged)
        report["health_score"] = (compared or {}) | converted_score(tested.health, tested.rows)
    steps(f"{target.name}: plots, report, register")
    version, model_digest = _registered(given, inputs, target, tested, choice, fitted, report)
    report["files"] = {
        "folder": str(given.folder / "train" / target.name),
        "model": f"{target.name} version {version}",
        "digest": model_digest[:12],
        "next": command("score", f"target={target.name}", *([f"out={given.out}"] if given.out != "out" else [])),
    }
    return summary.training_text(report), {"model": choice.kind, "version": version, "digest": model_digest, "why": choice.why}


def _tested(given: Settings, inputs: Inputs, target: Target, past: Past, steps: Steps) -> Tested:
    """Back-test what the ladder allows beside the rivals."""
    kinds: tuple[str, ...] = () if given.model.kind in ("rule", "health_score") else (given.model.kind,)
    if given.model.kind == "auto":
        kinds = training.model_ladder(training.positive_customers(past.rows))
    health = {} if target.pairs else health_score_of(given, past.columns)
    steps(f"{target.name}: back-test {', '.join(('rule', *kinds))}")
    old = _champion(given, inputs, target)
    recipe = (old.kind, old.about.get("params", {})) if old else None
    asked: dict[str, Any] = {"seed": given.seed, "trials": given.model.trials, "champion": recipe, "params": _own(health)}
    tested = training.backtest(past.rows, past.parted, kinds, past.columns, **asked)
    return Tested(**vars(past), kinds=kinds, backtest=tested, recipe=recipe, health=health, known=past.rows.iloc[:0])


def _champion(given: Settings, inputs: Inputs, target: Target) -> Fitted | None:
    """Return the champion to beat; one that is not what was registered is none, which the messages tell: training is what mends it."""
    held = tracking.tracked_champion(given.folder, target.name)
    try:
        return bundle.load(given.folder / "models" / target.name / held[1], held[1]) if held else None
    except PrevenanceError as problem:
        if problem.code != "E502":
            raise
        inputs.messages.append(f"the champion {held[1][:12] if held else ''} takes no part: {problem.what}")
        return None


def _chosen(given: Settings, tested: Tested, measured: dict[str, Any], capacity: int) -> Choice:
    """Ask the gate, of the next challenger where the first is refused; a champion whose recipe still beats the rule is fitted again on the newer data."""
    drifted = drift_tonight(tested)
    asked = challengers_in_order(tested.backtest.early_loss, tested.kinds)
    choices = [_asked(given, tested, measured, capacity, challenger, drifted) for challenger in asked[:1] or (None,)]
    while not choices[-1].promoted and len(choices) < len(asked):
        choices.append(_asked(given, tested, measured, capacity, asked[len(choices)], drifted))
    if choices[-1].promoted:
        refused = [str(one.challenger) for one in choices[:-1]]
        return replace(choices[-1], why=f"{choices[-1].why} Refused before it: {', '.join(refused)}.") if refused else choices[-1]
    others = [str(one.challenger) for one in choices[1:]]
    return replace(choices[0], why=f"{choices[0].why} Neither is {' nor '.join(others)} promoted.") if others else choices[0]


def _asked(given: Settings, tested: Tested, measured: dict[str, Any], capacity: int, challenger: str | None, drifted: Drift) -> Choice:
    """Ask the gate of one challenger."""
    predictions = tested.backtest.predictions
    findings = checks.check_findings(
        tested.rows,
        tested.columns,
        tested.parted,
        predictions,
        challenger or "rule",
        leaks=tested.leaks,
        removed=[str(leak["feature"]) for leak in tested.leaks],
        moved=drifted,
    )
    served = slice_rows(predictions, tested, challenger or "rule", capacity, given.seed)
    judge: dict[str, Any] = {"capacity": capacity, "seed": given.seed, "replicates": given.validation.replicates}
    judge |= {"sliced": served, "findings": findings}
    rivals = ["rule", "customer_rules", "base_rate", *_own(tested.health)]
    same_recipe = tested.recipe is not None and tested.recipe == (challenger, tested.backtest.params.get(challenger or ""))
    if challenger is None:
        verdict = evaluation.Verdict(False, no_challenger_text(given, target_of(given), tested), {"enough": "warn"})
    else:
        verdict = evaluation.gate_verdict(predictions, challenger, rivals if same_recipe else [*rivals, "champion"], **judge)
    kind, params, tested_as, keeps, again = "rule", {}, "rule", False, ""
    learned = tested.recipe is not None and tested.recipe[0] != "rule"
    stands = learned and evaluation.gate_verdict(predictions, "champion", rivals, **judge).promoted
    if verdict.promoted and challenger:
        kind, params, tested_as = challenger, tested.backtest.params.get(challenger, {}), challenger
    elif tested.health and given.model.kind != "rule" and (given.model.kind == "health_score" or not stands):
        kind, params, tested_as, again = "health_score", tested.health, "health_score", saying("Your health score goes to work.")
    elif learned and tested.recipe:
        (kind, params), tested_as, keeps = tested.recipe, "champion", not stands
        again = "" if keeps else saying("Its recipe was fitted again on the newer data.")
    said = re.sub(r"; (the rule|the champion|your health score) stays\.", ".", verdict.why) if kind == "health_score" else verdict.why
    why = said_after(said, again, no_signal_text(measured, tested.kinds))
    return Choice(
        kind, params, tested_as, challenger, verdict.promoted, keeps, why, verdict.gates, served, tuple(findings), drifted, verdict.figures
    )


def _registered(
    given: Settings, inputs: Inputs, target: Target, tested: Tested, choice: Choice, fitted: Fitted, report: dict[str, Any]
) -> tuple[str, str]:
    """Write the report beside its pictures, register the model, and return its version and digest."""
    out, hidden, say = given.folder, pseudonyms_of(given), words(given.language, given.source.timezone)
    with tempfile.TemporaryDirectory() as work:
        sample = tested.rows
        if len(sample) > PLOTTED:
            sample = sample.sample(PLOTTED, random_state=given.seed).sort_index()
        pictures = write_plots(fitted, sample, Path(work) / "plots") if choice.kind != "rule" else []
        model_digest = bundle.save(fitted, Path(work) / "model")
        seen = tested.frame.drop(columns="group")  # who counts as one is for drawing alone
        told = tested.backtest.predictions
        told = told.assign(group=pd.factorize(told["group"], sort=True)[0]) if "group" in told else told
        files = {
            "report.json": formats.canonical_json(told_report(report)),
            "report.html": reports.report_page(report, pictures, say).encode(),
            "model_card.md": reports.model_card(report, say).encode(),
            "features.parquet": formats.parquet_bytes(hidden.hidden(seen) if hidden else seen),
            "predictions.parquet": formats.parquet_bytes(hidden.hidden(told) if hidden else told),
        }
        folder = write_files(out / "train" / target.name, files)
        version = tracking.log_run(
            out,
            target.name,
            settings=flat_settings(given),
            digests={"model": model_digest, "data": history_digest(inputs.history, inputs.as_of)},
            report=report,
            bundle_folder=Path(work) / "model",
            fitted_kind=fitted.kind,
            example=tested.rows[list(fitted.encoder.features)].head(5),
            files=[folder / name for name in ("report.json", "report.html", "model_card.md")] + pictures,
            promoted=not choice.keeps,
            run_name=target.name,
            until=fitted.about["trained_until"],
        )
    return version, model_digest


def _own(health: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the team's own score, as it is and refitted, as rivals with its settings, or nothing."""
    return dict.fromkeys(SCORES, health) if health else {}

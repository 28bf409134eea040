"""The list as it would have been at a past date, refitted with what had closed by then, and what became of it."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.base import formats
from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import date_text
from prevenance.judge import outcomes
from prevenance.models import bundle, training
from prevenance.models.bundle import Fitted
from prevenance.publish import folders
from prevenance.publish import replay as pages
from prevenance.runs.inputs import Inputs
from prevenance.runs.listed import Listed
from prevenance.runs.ranked import ranked_list
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import cutoffs_of, definitions_of, model_facts, past_of, target_of
from prevenance.runs.steps import Steps
from prevenance.targets.target import Target
from prevenance.words import words
from prevenance.words.saying import saying


def replay_target(
    given: Settings, champion: Fitted, then: Inputs, now: Inputs, messages: list[str], steps: Steps
) -> tuple[str, dict[str, Any], pd.DataFrame, Listed]:
    """Refit, list and judge one target at ``then.as_of``, write its folder; return the text to print, the facts for the status file, the judged rows and the list."""
    target = target_of(given)
    fitted, digest, why = refit_champion(given, target, champion, then, steps)
    made = ranked_list(given, then, fitted, digest, steps, replaying=True)
    steps(f"{target.name}: judge by what is known at {local_day(now.as_of, given.source.timezone)}")
    rows = outcomes.outcomes_of_list(now.history, target, made.ranked)
    date, zone = local_day(then.as_of, given.source.timezone), given.source.timezone
    counted = outcomes.outcome_counts(rows, target, now.history.until) | {"date": date, "timezone": zone}
    counted |= {"horizon_days": target.horizon_days}
    verb, say = target.words.past, words(given.language, zone)
    summary = counted | {
        "target": target.name,
        "says": target.says,
        "lead_days": target.lead_days,
        "cutoff": then.as_of,
        "judged_at": now.history.until,
        "verdict": outcomes.verdict(counted, verb),
        "model": {"kind": fitted.kind, "digest": digest, "why": why},
        "verb": verb,
        "messages": [*messages, *then.messages, *made.notes],
    }
    told = {"verdict": outcomes.verdict(counted, verb, say), "title": say(target.words.title)}
    folder = given.folder / "replay" / target.name / date_text(then.as_of, zone)
    files = {
        "list.csv": formats.csv_bytes(rows),
        "list.json": formats.json_bytes(rows),
        "replay.html": pages.replay_page(rows, summary | told, say).encode(),
        "summary.json": formats.canonical_json(summary | {"run_id": made.run_id, "data_until": made.until}),
    }
    folders.write_files(folder, files)
    facts = {"replay": str(folder), "run_id": made.run_id, "verdict": summary["verdict"]}
    return pages.replay_text(rows, summary, folder), facts, rows, made


def refit_champion(given: Settings, target: Target, champion: Fitted, then: Inputs, steps: Steps) -> tuple[Fitted, str, str]:
    """Return the champion's recipe fitted on labels closed by ``then.as_of``, or the rule where too few had come by then; its digest, and why.

    Raises:
        PrevenanceError: E601 when no label window had closed yet.
    """
    definitions, _ = definitions_of(given, then)
    try:
        cutoffs = cutoffs_of(given, target, then)
    except PrevenanceError as problem:
        fix = problem.fix.replace("train from", "replay from")
        raise PrevenanceError(problem.code, problem.what, fix=fix, **problem.where) from problem
    past = past_of(given, target, then, definitions, cutoffs, steps, replaying=True)
    kind, params, why = _recipe(champion, training.positive_customers(past.rows))
    steps(f"{target.name}: fit {kind} as of {local_day(then.as_of, given.source.timezone)}")
    about = model_facts(given, target, then, params)
    fitted = training.fit_model(past.rows, past.production, kind, past.columns, seed=given.seed, params=params, about=about)
    tested = training.backtest(past.rows, past.parted, (), past.columns, seed=given.seed, champion=(kind, params))
    fitted = training.with_interval_band(fitted, tested.predictions, "champion")
    with tempfile.TemporaryDirectory() as work:
        return fitted, bundle.save(fitted, Path(work) / "model"), why


def _recipe(champion: Fitted, positives: int) -> tuple[str, dict[str, Any], str]:
    """Return kind, settings and why: the champion's, unless too few customers had had the outcome for any model."""
    if champion.kind != "rule" and positives < training.FEW:
        few = "{n} customers had had the outcome by then, {needed} are needed for a model: the rule"
        return "rule", {}, saying(few, n=positives, needed=training.FEW)
    told = "the champion's recipe ({kind}), fitted on what had closed by then ({n} customers with the outcome)"
    told = saying(told, kind=champion.kind, n=positives)
    return champion.kind, dict(champion.about.get("params", {})), told

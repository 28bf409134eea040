"""The statement of effect: what the hold-out of the published lists shows, or an experiment that was run elsewhere (``file=``)."""

from __future__ import annotations

from functools import partial
from math import ceil
from typing import Any

import pandas as pd

from prevenance.base import formats
from prevenance.decide.ways import way_text
from prevenance.order.holdout import HoldOut
from prevenance.proof import statement
from prevenance.proof.experiment import Plan, balance_of, draw_log, meter_of, plan_rows, verdict_of
from prevenance.proof.stated import Statement, figures_of, statement_facts
from prevenance.runs.compared import comparison_of
from prevenance.runs.draws import drawn_of, judged_draws, usual_rate
from prevenance.runs.inputs import Inputs, load_inputs, pseudonyms_of
from prevenance.runs.proven import Page, publish_proof
from prevenance.runs.settings.outreach import capacity_of, check_key, rules_of, share_of
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.snapshots import target_of
from prevenance.runs.steps import Steps
from prevenance.runs.trial import import_trial
from prevenance.words import Words


def state_effect(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Publish ``<out>/experiment/<cutoff>-<digest>/`` and return what the status file says of it.

    Raises:
        PrevenanceError: E202 without a key of one's own; those of ``trial`` for a file; E603, E801 from publishing.
    """
    if given.file:
        return import_trial(given, steps)
    chosen = targets(given)
    check_key(given, target_of(chosen[0]))
    inputs = load_inputs(given, steps)
    each = []
    for one in chosen:
        steps(f"{one.target.name}: draws and outcomes")
        each += effect_of(one, inputs, len(given.source.targets))
    hidden = pseudonyms_of(given)
    # a draw of ways names its way; the hold-out's has none
    log = pd.concat([one.log.assign(target=one.target) for one in each], ignore_index=True)
    files = {
        "draws.csv": formats.csv_bytes(hidden.hidden(log) if hidden else log),
        "balance.csv": formats.csv_bytes(pd.concat([one.balance.assign(target=told_name(one)) for one in each], ignore_index=True)),
        "statement.json": formats.canonical_json(facts_of(each)),
    }
    return publish_proof(given, inputs, "experiment", files, partial(_page_of, each), figures_of(each), steps)


def facts_of(each: list[Statement]) -> dict[str, Any]:
    """Return what statement.json holds: of each target its hold-out, and as ``compared`` its two ways."""
    found = {one.target: statement_facts(one) for one in each if not one.compared}
    for one in each:
        if one.compared:
            found[one.target]["compared"] = statement_facts(one)
    return found


def told_name(one: Statement) -> str:
    """Return the target, and whether it is its two ways."""
    return f"{one.target}, compared" if one.compared else one.target


def _page_of(each: list[Statement], say: Words) -> Page:
    lead = [text for one in each for text in statement.lead_sentences(say, one)]
    notes = list(dict.fromkeys(text for one in each for text in statement.note_sentences(say, one)))
    several = len({one.target for one in each}) > 1
    sections = [part for one in each for part in statement.statement_sections(say, one, _called(say, one, several))]
    return say("What contacts change"), lead, notes, sections


def _called(say: Words, one: Statement, several: bool) -> str:
    ways = (
        say("{first} against {second}", first=way_text(say, one.compared[0]), second=way_text(say, one.compared[1])) if one.compared else ""
    )
    return " · ".join(text for text in (say(one.title) if several else "", ways) if text)


def effect_of(given: Settings, inputs: Inputs, targets: int) -> list[Statement]:
    """Return the statement of one target's hold-out, and where two ways are drawn theirs."""
    target, until = target_of(given), inputs.as_of
    rules = rules_of(given, target)
    held = rules.holdout
    drawn = drawn_of(given, inputs, target)
    log, other = draw_log(drawn.arms, held, drawn.units_at)
    log, left_out = drawn.kept(log)
    log = judged_draws(given, inputs, target, log)
    start = log["listed_at"].min().to_pydatetime() if len(log) else None
    chosen = given.experiment
    plan = Plan(
        start,
        chosen.looks,
        chosen.look_weeks,
        target.horizon_days,
        target.settle_days,
        share_of(given),
        held.share,
        chosen.power,
        gain=target.words.gain,
    )
    rate = usual_rate(log)
    weekly = len(log) / (log["epoch"].nunique() * held.weeks) if len(log) else 2 * ceil(capacity_of(given) * held.band) / held.weeks
    own = Statement(
        target.name,
        target.words.title,
        plan,
        verdict_of(log, plan, until),
        log,
        balance_of(log),
        plan_rows(plan, rate, weekly, targets, capacity_of(given) / held.weeks),
        meter_of(plan, rate, log),
        rate,
        _drawn(log, held),
        {"other_key": other} | left_out,
        given.source.currency,
    )
    return [own, *([comparison_of(given, inputs, target, drawn, targets)] if held.ways else [])]


def _drawn(log: pd.DataFrame, held: HoldOut) -> dict[str, Any]:
    ours = log["held"].astype(bool)
    return {
        **{"customers": log["customer_id"].nunique(), "draws": len(log), "held": int(ours.sum()), "contact": int((~ours).sum())},
        **{"units": log["unit"].nunique(), "unit": held.unit, "epochs": log["epoch"].nunique(), "key_id": held.mark},
        **{"first": log["drawn_at"].min() if len(log) else None, "last": log["drawn_at"].max() if len(log) else None},
        **{"share": held.share, "band": held.band},
    }

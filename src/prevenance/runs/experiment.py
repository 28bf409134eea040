"""The statement of effect: what the hold-out of the published lists shows, or an experiment that was run elsewhere (``file=``)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base import formats
from prevenance.base.errors import PrevenanceError
from prevenance.decide.weeks import known_answers
from prevenance.history.history import as_of_instant
from prevenance.history.roster import customer_attributes, draw_units
from prevenance.order.holdout import PUBLIC_SALT, HoldOut
from prevenance.order.suppression import newest_contacts
from prevenance.proof import statement
from prevenance.proof.experiment import Plan, balance_of, draw_log, meter_of, plan_rows, verdict_of
from prevenance.proof.stated import Statement, figures_of, statement_facts
from prevenance.publish.published import Published, published_lists
from prevenance.runs.inputs import Inputs, load_inputs, pseudonyms_of
from prevenance.runs.proven import Page, publish_proof
from prevenance.runs.settings.outreach import capacity_of, rules_of, share_of
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.snapshots import target_of
from prevenance.runs.steps import Steps
from prevenance.runs.trial import import_trial
from prevenance.targets.labels import cohort, label
from prevenance.targets.target import Target
from prevenance.words import Words

FEW = 10
"""Outcomes among those left alone from which their rate is taken for the meter."""


def state_effect(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Publish ``<out>/experiment/<cutoff>-<digest>/`` and return what the status file says of it.

    Raises:
        PrevenanceError: E202 without a key of one's own; those of ``trial`` for a file; E603, E801 from publishing.
    """
    if given.file:
        return import_trial(given, steps)
    chosen = targets(given)
    if rules_of(given, target_of(chosen[0])).holdout.key == PUBLIC_SALT:
        name = given.outreach.holdout.key_env
        what = f"{name} is not set, and with the public key anybody can work out who is drawn: that is no experiment"
        raise PrevenanceError(
            "E202",
            what,
            key="outreach.holdout.key_env",
            fix=f"export {name}=$(openssl rand -hex 16), keep it, and set it for the nights too",
        )
    inputs = load_inputs(given, steps)
    each = []
    for one in chosen:
        steps(f"{one.target.name}: draws and outcomes")
        each.append(effect_of(one, inputs, len(given.source.targets)))
    hidden = pseudonyms_of(given)
    log = pd.concat([one.log.assign(target=one.target) for one in each], ignore_index=True)
    files = {
        "draws.csv": formats.csv_bytes(hidden.hidden(log) if hidden else log),
        "balance.csv": formats.csv_bytes(pd.concat([one.balance.assign(target=one.target) for one in each], ignore_index=True)),
        "statement.json": formats.canonical_json({one.target: statement_facts(one) for one in each}),
    }
    return publish_proof(given, inputs, "experiment", files, partial(_page_of, each), figures_of(each), steps)


def _page_of(each: list[Statement], say: Words) -> Page:
    lead = [text for one in each for text in statement.lead_sentences(say, one)]
    notes = list(dict.fromkeys(text for one in each for text in statement.note_sentences(say, one)))
    sections = [part for one in each for part in statement.statement_sections(say, one, say(one.title) if len(each) > 1 else "")]
    return say("What contacts change"), lead, notes, sections


def effect_of(given: Settings, inputs: Inputs, targets: int) -> Statement:
    """Return the statement of one target."""
    target, until = target_of(given), inputs.as_of
    rules = rules_of(given, target)
    held = rules.holdout
    lists = [one for one in published_lists(given.folder, target.name) if one.cutoff <= until]
    arms = [(one.cutoff, one.arms(given.privacy.key_file, inputs.history)) for one in lists]
    log, other = draw_log(arms, held, partial(draw_units, inputs.history, unit=held.unit))
    hidden = {row[0] for row in inputs.history.con.execute("select customer_id from canonical._opted_out").fetchall()}
    gone = log["customer_id"].isin(hidden)
    if given.experiment.start:
        gone |= log["drawn_at"] < pd.Timestamp(as_of_instant(given.experiment.start, given.source.timezone))
    left_out = {"other_key": other, "opted_out": int(log["customer_id"].isin(hidden).sum())}
    left_out["erased"] = sum(int(one.manifest.get("erased", 0)) for one in lists)
    log = judged_draws(given, inputs, target, log[~gone].reset_index(drop=True), lists)
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
    rate = _usual_rate(log)
    weekly = len(log) / (log["epoch"].nunique() * held.weeks) if len(log) else 2 * ceil(capacity_of(given) * held.band) / held.weeks
    return Statement(
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
        left_out,
        given.source.currency,
    )


def _drawn(log: pd.DataFrame, held: HoldOut) -> dict[str, Any]:
    ours = log["held"].astype(bool)
    return {
        **{"customers": log["customer_id"].nunique(), "draws": len(log), "held": int(ours.sum()), "contact": int((~ours).sum())},
        **{"units": log["unit"].nunique(), "unit": held.unit, "epochs": log["epoch"].nunique(), "key_id": held.mark},
        **{"first": log["drawn_at"].min() if len(log) else None, "last": log["drawn_at"].max() if len(log) else None},
        **{"share": held.share, "band": held.band},
    }


def _usual_rate(log: pd.DataFrame) -> float:
    """Return the rate of the outcome near the line: of those left alone once enough of them had it, else as the chances say, else 5 %."""
    alone = log.loc[log["held"].astype(bool), "outcome"].dropna()
    told = float(alone.mean()) if alone.sum() >= FEW else float(log["score"].mean()) if len(log) else np.nan
    return min(max(told, 0.001), 0.9) if np.isfinite(told) else 0.05


def judged_draws(given: Settings, inputs: Inputs, target: Target, log: pd.DataFrame, lists: list[Published]) -> pd.DataFrame:
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
        met = set(newest_contacts(history, [until], (until - moment) / timedelta(days=1))[until])
        met |= {customer for customer, at in called if moment < at <= end}
        log.loc[part.index, "outcome"] = part["customer_id"].map(came)
        log.loc[part.index, "contacted"] = part["customer_id"].isin(met).astype(float)
        people = customer_attributes(history, moment).set_index("customer_id")["segment"]
        log.loc[part.index, "segment"] = part["customer_id"].map(people).astype(object)
    return log

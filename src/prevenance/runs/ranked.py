"""One target's ranked list at a cutoff by a given model: the same function tonight and for a past date."""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.base import formats
from prevenance.decide.feedback import Answer
from prevenance.decide.playbook import NEW_DAYS, playbook_of
from prevenance.decide.plays import Situation, plays_done, value_tiers
from prevenance.decide.ranking import MOST_SHOWN, Stamp, arm_rows, public_columns, rank_customers, shown_rows
from prevenance.decide.remembered import Remembered
from prevenance.decide.scored import Scored, scored_weeks
from prevenance.decide.ways import with_ways
from prevenance.decide.weeks import Moments, decision_at_cutoff, known_answers, moments_of
from prevenance.explain.reasons import RowReasons
from prevenance.explain.rows import reason_columns, reasons_by_row, scores_told
from prevenance.explain.things import own_things
from prevenance.explain.waits import input_hours, waited_things
from prevenance.features.build import feature_columns
from prevenance.features.define import Definition
from prevenance.history.digests import history_digest
from prevenance.history.history import History
from prevenance.history.roster import customer_attributes, drawn_as
from prevenance.judge.drift import unseen_words
from prevenance.models.bundle import Fitted
from prevenance.order.decision import BEYOND, COOLING, Rules
from prevenance.order.policies import as_likely_offers, offers_by_product
from prevenance.runs.champion import check_inputs
from prevenance.runs.commands import command
from prevenance.runs.inputs import Inputs, pseudonyms_of
from prevenance.runs.listed import Floor, Listed
from prevenance.runs.measured import measured_share
from prevenance.runs.settings.outreach import WITHOUT_FLOOR, floor_of, peace_of, rules_of, share_of
from prevenance.runs.settings.plays import plays_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import definitions_of, target_of
from prevenance.runs.steps import Steps
from prevenance.targets import KINDS
from prevenance.targets.target import Target
from prevenance.words import Words, words

TOLD = 2
"""Reasons of a row that a list tells, and a play may answer."""

TELLING = 6
"""How reasons and arms are told: the same list told another way is another list."""


def ranked_list(
    given: Settings,
    inputs: Inputs,
    fitted: Fitted,
    model_digest: str,
    steps: Steps,
    *,
    replaying: bool = False,
    remembered: Remembered | None = None,
) -> Listed:
    """Return the ranked list of one target at ``inputs.as_of`` by a given model: the same for tonight and for a past date.

    With ``replaying`` what was answered to a list of that very date plays no part: it came after it. What is ``remembered`` changes nothing.
    """
    target, cutoff, history = target_of(given), inputs.as_of, inputs.history
    definitions, notes = definitions_of(given, inputs, fitted)
    check_inputs(fitted, feature_columns(definitions))
    base, say = fitted.about.get("base_rate"), words(given.language, given.source.timezone)
    rules = rules_of(given, target, floor_of(given, target, fitted.kind, base))
    notes += no_floor_note(given, target, fitted)
    measured = measured_share(given, target.name, cutoff)
    rules = rules if measured is None else replace(rules, share=measured)
    moments = moments_of(cutoff, rules)
    found = scored_weeks(history, target, fitted, definitions, moments, say, steps, remembered)
    known = unseen_words(fitted.encoder, found.inputs)
    notes += [f"{name}: {rows} rows hold a word that the model does not know; it counts as other" for name, rows in known.items()]
    people = customer_attributes(history, cutoff)
    rows = found.rows.merge(people, on="customer_id", how="left")
    steps(f"{target.name}: decide")
    past = found.past.merge(people[["customer_id", "owner"]], on="customer_id", how="left")
    if rules.holdout.unit != "customer":
        rows, past = (one.assign(unit=drawn_as(history, cutoff, rules.holdout.unit, one["customer_id"])) for one in (rows, past))
    answers = known_answers(given.folder, target.name, cutoff, static=given.source.static, replaying=replaying)
    choice, room, used = decision_at_cutoff(peace_of(given), history, moments, rows, past, answers)
    steps(f"{target.name}: explain")
    told, columns = told_rows(found, fitted, history, moments, definitions, target, choice, say)
    rows = pd.concat([rows, columns], axis=1)
    done = plays_done(answers, cutoff, static=given.source.static)
    # a column is given before rows are chosen: to a frame of no rows a longer one would bring its rows along
    worked = rows.assign(tier=value_tiers(rows["value_at_stake"]))[choice["rank"].notna()]
    also = as_likely_offers(worked, found.offers) if found.offers is not None else {}
    situated = situations(history, cutoff, worked, told, target, given.target.kind, done, also, say, definitions)
    rows["situation"] = situated.reindex(rows.index)
    late = [gate.name for gate in inputs.gates if gate.name.startswith("fresh.") and gate.outcome != "pass"]
    run_id = run_id_of(given, rules, cutoff, history_digest(history, cutoff), model_digest, answers, late)
    newest = [one.newest_known_at for one in inputs.counts.values() if one.newest_known_at]
    until = datetime.fromisoformat(max(newest).rstrip("Z")) if newest else cutoff
    stamp = Stamp(target.name, cutoff, target.horizon_days, model_digest[:12], run_id, until, target.words)
    playbook = playbook_of(**plays_of(given))
    ranked = rank_customers(rows, choice, stamp, playbook, say, given.source.currency)
    rows, ranked = with_ways(rows, ranked, choice, rules.holdout, cutoff, say) if rules.holdout.ways else (rows, ranked)
    notes += [*dear_contacts_note(ranked, rules.cost), *unshown_note(ranked)]
    extra = files_beside(given, rows, choice, ranked, found.offers, rules)
    cooling = frozenset(choice.loc[choice["apart"] == COOLING, "customer_id"])
    absent = {COOLING: len(cooling)} if cooling else {}
    floor, shown = Floor(rules.floor, base), public_columns(ranked)
    return Listed(
        shown, ranked, found.cohort, found.inputs, found.weeks, moments.line, room, absent, cooling, extra, run_id, until, notes, told, floor, used=used, past=found.past
    )  # fmt: skip


def files_beside(
    given: Settings, rows: pd.DataFrame, choice: pd.DataFrame, ranked: pd.DataFrame, offers: pd.DataFrame | None, rules: Rules
) -> dict[str, bytes]:
    """Return the files beside a list: who was drawn (arms.csv), which plays were proposed (plays.csv), and offers by product."""
    # Also who was drawn and is left in peace now: an arm that loses those who were contacted is no arm.
    every = rows.assign(**{name: choice[name] for name in ("place", "in_band", "drawn_at")}, arm=choice["arm"].where(choice["arm"] != ""))
    drawn, hidden = arm_rows(every.assign(value_at_stake=every["value_at_stake"].astype("float64").round(2))), pseudonyms_of(given)
    extra = {"arms.csv": formats.csv_bytes(hidden.hidden(drawn) if hidden else drawn)}
    done = ranked.loc[ranked["play"].notna(), ["customer_id", "play"]].reset_index(drop=True)
    extra["plays.csv"] = formats.csv_bytes(hidden.hidden(done) if hidden else done)
    if offers is not None:
        free = offers[offers["customer_id"].isin(ranked.loc[ranked["apart"].isin(["", BEYOND]), "customer_id"])]
        extra["by_product.csv"] = formats.csv_bytes(
            offers_by_product(free, policy=rules.policy, share=rules.share, cost_per_contact=rules.cost)
        )
    return extra


def no_floor_note(given: Settings, target: Target, fitted: Fitted) -> list[str]:
    """Return a note where a floor is asked for and the model, of an earlier version, does not say its base rate."""
    if not target.keeps or not given.outreach.floor or fitted.kind in WITHOUT_FLOOR or "base_rate" in fitted.about:
        return []
    return [f"no floor: the model was trained before models said their base rate; FIX: {command('train', f'target={target.name}')}"]


def told_rows(
    found: Scored,
    fitted: Fitted,
    history: History,
    moments: Moments,
    definitions: tuple[Definition, ...],
    target: Target,
    choice: pd.DataFrame,
    say: Words,
) -> tuple[dict[str, RowReasons], pd.DataFrame]:
    """Return customer_id -> its reasons, and the columns reasons, holds and family of each row; nothing is told of one that nobody is shown, or
    that has no chance.
    """
    places, judged = np.flatnonzero(shown_rows(choice).to_numpy()), found.rows["score"].notna().to_numpy()
    told = reasons_by_row(
        fitted,
        found.places[places],
        history,
        moments.cutoff,
        found.inputs,
        definitions,
        say,
        told_by=target.told_by,
        gain=target.words.gain,
        beside=found.places,
    )
    columns = reason_columns(told, say).set_axis(places).reindex(found.rows.index, fill_value="")
    columns.loc[~judged, :] = ""
    return {str(found.rows["customer_id"].iloc[place]): one for place, one in zip(places, told, strict=True) if judged[place]}, columns


def situations(
    history: History,
    cutoff: datetime,
    rows: pd.DataFrame,
    told: dict[str, RowReasons],
    target: Target,
    kind: str,
    done: dict[str, dict[str, datetime]],
    also: dict[str, str],
    say: Words,
    definitions: tuple[Definition, ...],
) -> pd.Series:
    """Return what the play of each row to be worked is chosen by, with the index of ``rows``; ``also`` names another offer that is as likely."""
    own = own_things(history, cutoff, rows["customer_id"].tolist(), say)
    waited = waited_things(history, cutoff, rows["customer_id"].tolist(), input_hours(definitions), say)
    names = frozenset({target.name, KINDS[kind]().name if kind in KINDS else target.name})
    found = []
    for customer, tier, product in zip(rows["customer_id"], rows["tier"], rows.get("product_id", [""] * len(rows)), strict=True):
        mine, reasons = own.loc[customer], told.get(customer, RowReasons()).reasons[:TOLD]
        one = Situation(
            names,
            target.told_by == "worse",
            tuple((fact.family, fact.column, fact.way) for fact in reasons),
            tier,
            "new" if mine["known_days"] < NEW_DAYS else "settled",
            mine["renewal_days"],
            int(mine["open_tickets"]),
            product,
            mine["things"] | scores_told(reasons, say) | waited.get(customer, {}) | ({"also": also[customer]} if customer in also else {}),
            done.get(customer, {}),
        )
        found.append(one)
    return pd.Series(found, index=rows.index, dtype=object)


def dear_contacts_note(ranked: pd.DataFrame, cost: float) -> list[str]:
    """Return a note on ranked contacts that cost more than they are expected to bring, or nothing."""
    count = int((ranked.loc[ranked["rank"].notna(), "expected_value"] < 0).sum())
    cure = "a smaller capacity, or the true outreach.cost_per_contact, mends that"
    return (
        [f"{count} of the {int(ranked['rank'].notna().sum())} contacts cost more ({cost:g} each) than they are expected to bring: {cure}"]
        if count
        else []
    )


def unshown_note(ranked: pd.DataFrame) -> list[str]:
    """Return a note on rows that people are not shown, or nothing."""
    count = int((~shown_rows(ranked)).sum())
    said = f"{count:,} rows beyond the first {MOST_SHOWN:,} of their part stand in list.csv and list.json alone, without reasons"
    return [f"{said}: make explain tells those of anybody"] if count else []


def run_id_of(
    given: Settings, rules: Rules, cutoff: datetime, visible_rows: str, model_digest: str, answers: list[Answer], late: list[str]
) -> str:
    """Return the hash of everything that a list depends on: the cutoff, visible rows, settings, answers, late feeds, the key of the hold-out and the model."""
    outreach = asdict(given.outreach)
    if given.outreach.holdout.unit == "customer":  # as before there was a choice
        outreach["holdout"].pop("unit")
    if not given.outreach.compare:
        outreach.pop("compare")
    settings = {"target": asdict(given.target), "outreach": outreach, "capacity": rules.room.contacts}
    plays = plays_of(given)
    # Only the plays that this list can use: a target that is added elsewhere makes no other list a new one.
    plays |= {"targets": {name: one for name, one in plays["targets"].items() if name == given.target.name}}
    settings |= {"playbook": plays, "language": given.language, "key": rules.holdout.mark}
    settings |= {"pseudonyms": hidden.key_id} if (hidden := pseudonyms_of(given)) else {}
    settings |= {"late": late} if late else {}
    settings |= {"share": rules.share} if rules.share != share_of(given) else {}
    settings |= {"told": TELLING}
    depends = {
        "cutoff": cutoff.isoformat(),
        "data": visible_rows,
        "settings": settings,
        "model": model_digest,
        "feedback": sorted((*one.key, one.score, *([one.play] if one.play else [])) for one in answers),
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]

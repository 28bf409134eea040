"""One target's list: the champion, tonight's snapshots, the same ``build`` as training, one atomic flip."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.arguments import command
from pipelines.deciding import answers_of, decided
from pipelines.inputs import Inputs
from pipelines.manifest import manifest_of, quarantined
from pipelines.outreach import rules_of
from pipelines.roster import attributes
from pipelines.run import Steps
from pipelines.settings import Settings
from pipelines.snapshots import definitions_of, target_of
from pipelines.weeks import moments_of, scored_weeks
from prevenance import tracking
from prevenance.capacity import Room
from prevenance.decision import BEYOND, COOLING, Rules
from prevenance.drift import unseen
from prevenance.errors import PrevenanceError
from prevenance.explain import reasons
from prevenance.features.build import names
from prevenance.feedback import Answer
from prevenance.history import digest
from prevenance.models import bundle, shelf
from prevenance.models.bundle import Fitted
from prevenance.order import by_product
from prevenance.playbook import playbook_of
from prevenance.pseudonyms import Pseudonyms, chosen
from prevenance.ranking import Stamp, arms, public, rank
from prevenance.targets.define import Target
from prevenance.words import words
from prevenance.writers import finished, summary, table
from prevenance.writers.publish import publish

NO_MODEL = {"rule": "ranked by the simple rule: rules, no model", "health_score": "ranked by your present health score, no model"}
"""What a list says of itself when no model made it."""


@dataclass(frozen=True)
class Listed:
    """A ranked list with what it stands on.

    ``ranked`` holds the rows of list.csv, ``decided`` the same rows with the private columns of ``ranking.PRIVATE``; ``now`` the inputs of
    the whole cohort. ``weeks`` has a row for each row of the cohort (the target's keys, week_0 oldest to week_11 now), its moments are
    ``line``. ``room`` is what fits, ``absent`` how many are left out, by reason, ``cooling`` who was
    contacted lately, ``extra`` further files.
    """

    ranked: pd.DataFrame
    decided: pd.DataFrame
    now: pd.DataFrame
    weeks: pd.DataFrame
    line: list[datetime]
    room: Room
    absent: dict[str, int]
    cooling: frozenset[str]
    extra: dict[str, bytes]
    run_id: str
    until: datetime
    notes: list[str]


def tonight(given: Settings, inputs: Inputs, steps: Steps, *, at_the_time: bool = False) -> tuple[str, dict[str, Any]]:
    """Score, rank and publish one target; return the text to print and the facts for the status file.

    ``at_the_time`` takes the champion of that night, not today's.
    """
    from pipelines.view import views

    target, out, cutoff = target_of(given), Path(given.out), inputs.as_of
    fitted, model_digest, messages = champion_of(out, target, cutoff, asked_source(given), at_the_time=at_the_time)
    made, hidden = listed(given, inputs, fitted, model_digest, steps), pseudonyms_of(given)
    now = features_of(made.now)
    files = {
        "list.csv": table.csv_bytes(made.ranked),
        "list.json": table.json_bytes(made.ranked),
        "features.parquet": table.parquet_bytes(hidden.hidden(now) if hidden else now),
    }
    files |= made.extra | {f"quarantine/{name}.csv": content for name, content in quarantined(inputs, hidden).items()}
    by = NO_MODEL.get(fitted.kind, "")
    said = [*messages, *([by] if by else []), *inputs.messages, *made.notes]
    manifest = manifest_of(given, inputs, target, fitted, model_digest, made, said)
    files |= views(given, inputs, made, fitted, model_digest, manifest, steps)
    steps(f"{target.name}: look at the inputs again")
    inputs.unchanged()
    steps(f"{target.name}: publish")
    folder = publish(out, target.name, cutoff, files, manifest, finished.check)
    return summary.top(made.ranked, folder, by=by), {
        "list": str(folder),
        "listed": len(made.ranked),
        "run_id": made.run_id,
        "messages": [*messages, *(gate.says for gate in inputs.gates if gate.outcome != "pass")],
        "gates": manifest["gates"],
    }


def listed(given: Settings, inputs: Inputs, fitted: Fitted, model_digest: str, steps: Steps, *, replaying: bool = False) -> Listed:
    """Return the ranked list of one target at ``inputs.as_of`` by a given model: the same for tonight and for a past date.

    With ``replaying`` what was answered to a list of that very date plays no part: it came after it.
    """
    target, cutoff, history = target_of(given), inputs.as_of, inputs.history
    definitions, notes = definitions_of(given, inputs, fitted)
    check_inputs(fitted, names(definitions))
    rules, say = rules_of(given, target), words(given.language)
    moments = moments_of(cutoff, rules)
    found = scored_weeks(history, target, fitted, definitions, moments, say, steps)
    steps(f"{target.name}: explain")
    known = unseen(fitted.encoder, found.now)
    notes += [f"{name}: {rows} rows hold a word that the model does not know; it counts as other" for name, rows in known.items()]
    told = reasons(fitted, found.told_from, definitions, say=say, before=found.before)
    told.loc[found.rows["score"].isna(), ["reasons", "holds", "family"]] = ""
    people = attributes(history, cutoff)
    rows = pd.concat([found.rows, told], axis=1).merge(people, on="customer_id", how="left")
    steps(f"{target.name}: decide")
    past = found.past.merge(people[["customer_id", "owner"]], on="customer_id", how="left")
    answers = answers_of(given, target.name, cutoff, replaying=replaying)
    choice = decided(given, history, moments, rows, past, answers)
    late = [gate.name for gate in inputs.gates if gate.name.startswith("fresh.") and gate.outcome != "pass"]
    run_id = run_id_of(given, rules, cutoff, digest(history, cutoff), model_digest, answers, late)
    newest = [one.newest_known_at for one in inputs.counts.values() if one.newest_known_at]
    until = datetime.fromisoformat(max(newest).rstrip("Z")) if newest else cutoff
    stamp = Stamp(target.name, cutoff, target.horizon_days, model_digest[:12], run_id, until)
    playbook = playbook_of(given.playbook.plays, given.playbook.targets)
    ranked = rank(rows, choice, stamp, playbook, say, given.source.currency)
    notes += dear(ranked, rules.cost)
    drawn, hidden = arms(ranked), pseudonyms_of(given)
    extra = {"arms.csv": table.csv_bytes(hidden.hidden(drawn) if hidden else drawn)}
    if found.offers is not None:
        free = found.offers[found.offers["customer_id"].isin(ranked.loc[ranked["apart"].isin(["", BEYOND]), "customer_id"])]
        extra["by_product.csv"] = table.csv_bytes(by_product(free, share=rules.share, cost_per_contact=rules.cost))
    cooling = frozenset(choice.loc[choice["apart"] == COOLING, "customer_id"])
    absent = {COOLING: len(cooling)} if cooling else {}
    return Listed(public(ranked), ranked, found.now, found.weeks, moments.line, rules.room, absent, cooling, extra, run_id, until, notes)


def dear(ranked: pd.DataFrame, cost: float) -> list[str]:
    """Return a note on ranked contacts that cost more than they are expected to bring, or nothing."""
    worked = ranked[ranked["rank"].notna()]
    count = int((worked["expected_value"] < 0).sum())
    cure = "a smaller capacity, or the true outreach.cost_per_contact, mends that"
    return [f"{count} of the {len(worked)} contacts cost more ({cost:g} each) than they are expected to bring: {cure}"] if count else []


def run_id_of(
    given: Settings, rules: Rules, cutoff: datetime, visible_rows: str, model_digest: str, answers: list[Answer], late: list[str]
) -> str:
    """Return the hash of everything that a list depends on: the cutoff, visible rows, settings, answers, late feeds, the key of the hold-out and the model."""
    settings = {"target": asdict(given.target), "outreach": asdict(given.outreach), "capacity": rules.room.contacts}
    settings |= {"playbook": asdict(given.playbook), "language": given.language, "key": rules.holdout.mark}
    settings |= {"pseudonyms": hidden.key_id} if (hidden := pseudonyms_of(given)) else {}
    settings |= {"late": late} if late else {}
    depends = {
        "cutoff": cutoff.isoformat(),
        "data": visible_rows,
        "settings": settings,
        "model": model_digest,
        "feedback": sorted((*one.key, one.score) for one in answers),
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def pseudonyms_of(given: Settings) -> Pseudonyms | None:
    """Return the pseudonyms that the settings ask for, if they do; E905 without a key."""
    return chosen(given.privacy.pseudonyms, given.privacy.key_file)


def asked_source(given: Settings) -> str:
    """Return the source and its folder as settings to repeat in a command, unless it is the demo that makes its own files."""
    return " ".join(one for one in given.overrides if one.partition("=")[0] in ("source", "data"))


def champion_of(
    out: Path, target: Target, cutoff: datetime | None, source: str = "", *, at_the_time: bool = False
) -> tuple[Fitted, str, list[str]]:
    """Return the registered champion, its digest and messages; its digests are checked before anything is parsed.

    Without a ``cutoff`` it may know anything. ``source`` is what a command that trains has to repeat. ``at_the_time`` prefers the
    champion that was the newest at the cutoff.

    Raises:
        PrevenanceError: E501 none registered, E502 not what was registered, E503 it knows more than the cutoff, E504 it learned another
            horizon.
    """
    messages: list[str] = []
    held = tracking.champion(out, target.name, messages)
    if at_the_time and cutoff is not None:
        held = shelf.champion_at(out / "models" / target.name, cutoff) or held
    if held is None:
        raise PrevenanceError(
            "E501",
            f"no champion is registered for {target.name} in {out}",
            target=target.name,
            fix=f"run {command('train', *source.split(), f'target={target.name}', f'out={out}')}, "
            "or add allow_rule=true for a list by the simple rule",
        )
    fitted = bundle.load(out / "models" / target.name / held[1], held[1])
    trained = datetime.fromisoformat(fitted.about["trained_until"])
    if cutoff is not None and trained > cutoff:
        raise PrevenanceError(
            "E503",
            f"the champion of {target.name} was trained with knowledge up to {trained:%Y-%m-%d}, after as_of={cutoff:%Y-%m-%d}",
            target=target.name,
            fix=f"give as_of={trained + timedelta(days=1):%Y-%m-%d} or later, or train with as_of={cutoff:%Y-%m-%d} into another out=",
        )
    learned = fitted.about.get("horizon_days", target.horizon_days)
    if cutoff is not None and learned != target.horizon_days:
        raise PrevenanceError(
            "E504",
            f"the champion of {target.name} learned the {learned} days ahead, a list of {target.horizon_days} days is asked",
            target=target.name,
            fix=f"set target.horizon_days={learned}, or run make train again",
        )
    return fitted, held[1], messages


def check_inputs(fitted: Fitted, columns: list[str]) -> None:
    """Raise E504 when the champion wants a feature that tonight's tables cannot give."""
    if missing := [name for name in fitted.encoder.features if name not in columns]:
        raise PrevenanceError(
            "E504",
            f"the champion wants {len(missing)} features that the tables do not give: {', '.join(missing[:5])}",
            column=missing[0],
            fix="bring the missing table or lookback back, or run make train again",
        )


def features_of(now: pd.DataFrame) -> pd.DataFrame:
    """Return what features.parquet holds: customer_id, cutoff and every model input."""
    keys = ["customer_id", "cutoff"]
    return now[keys + [name for name in now if name not in (*keys, "state", "value_at_stake")]].reset_index(drop=True)

"""A night: every target's list is made and published, or kept as it was with the reason; what went to the model store comes last.

A missed night is made up for by the champion of its time, and ``latest`` never moves back.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any

from prevenance.base import formats, lock
from prevenance.base.errors import PrevenanceError
from prevenance.features.held import hidden_content
from prevenance.history.digests import Seen
from prevenance.privacy import retention
from prevenance.proof.watch.wording import warning_text
from prevenance.publish import finished, summary
from prevenance.publish.folders import WEEK, plugged_files, publish_list
from prevenance.runs.acts import note_act, note_acts
from prevenance.runs.champion import Champions, asked_source, champion_of
from prevenance.runs.inputs import Inputs, load_inputs, pseudonyms_of
from prevenance.runs.learn import train_target
from prevenance.runs.listed import NO_MODEL
from prevenance.runs.manifest import manifest_of, quarantine_files
from prevenance.runs.pilot import pilot_page
from prevenance.runs.ranked import ranked_list
from prevenance.runs.settings.schema import ModelSettings, Settings, Targets
from prevenance.runs.snapshots import target_of
from prevenance.runs.steps import Steps
from prevenance.runs.together import plan_lists, remembered_of
from prevenance.runs.view import view_files, write_index
from prevenance.runs.watched import warnings_tonight
from prevenance.runs.week import publish_week
from prevenance.track import lists_log
from prevenance.track.tracking import tracked_champion
from prevenance.words import words

RETAINED = ("explain", "export", "feedback", "replay", "support", "outcomes", "experiment", "watch")
"""Locks of the runs that write what may be past its retention, besides the lists, which a night holds itself."""


MOST = 366
"""Nights that one run makes up for."""


def score_each(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Publish the list of the chosen target, or of every target that has a champion."""
    told = publish_night(given, targets(given), steps)
    write_index(given)
    return told


def publish_missed_nights(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Publish the lists of every night from ``from`` to ``to``, both included, oldest first.

    A night that is refused does not stop the others, unless no other can do better: settings, lock, disk.

    Raises:
        PrevenanceError: E208 for dates that are none, the wrong way round or too many.
    """
    told: dict[str, Any] = {}
    for day in nights_of(given):
        steps.tell(f"NIGHT     {day}")
        # In the overrides too: the settings of the other targets are composed from those.
        one = replace(given, as_of=day, overrides=[*given.overrides, f"as_of={day}"])
        try:
            told[day] = publish_night(one, targets(one), steps, at_the_time=True)
        except PrevenanceError as problem:
            steps.refused.append(problem)
            told[day] = {"outcome": "refused", "exit": problem.exit_status, "error": problem.line()}
            if problem.exit_status in (2, 7, 8):
                break
    write_index(given)
    good = sum(one["outcome"] != "refused" for one in told.values())
    outcome = "published" if not steps.refused else "partly published" if good else "refused"
    return {"outcome": outcome, "nights": told}


def nights_of(given: Settings) -> list[str]:
    """Return the bare dates from ``nights.first`` to ``nights.last``."""
    if not given.nights.first or not given.nights.last:
        raise PrevenanceError("E208", "from or to is not set", key="from", fix="add both dates, such as from=2026-04-01 to=2026-04-05")
    first, last = (day_of(key, text) for key, text in (("from", given.nights.first), ("to", given.nights.last)))
    if not 0 <= (last - first).days < MOST:
        fix = "give from before to, or several runs"
        raise PrevenanceError("E208", f"from={first} to={last} is not 1 to {MOST} nights", key="to", fix=fix)
    return [f"{first + timedelta(days=n)}" for n in range((last - first).days + 1)]


def day_of(key: str, text: str) -> date:
    """Return a bare date; E208 for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise PrevenanceError("E208", f'{key}="{text}" is not a date', key=key, fix=f"write {key}=2026-04-01") from problem


def publish_night(given: Settings, each: list[Settings], steps: Steps, *, at_the_time: bool = False) -> dict[str, Any]:
    """Make and publish the list of each target, and return what status.json says of the night; one that is refused does not stop the others.

    Raises:
        PrevenanceError: what concerns all of them: the inputs, the disk, no champion for any.
    """
    out, lists, refused = given.folder, dict[str, Any](), dict[str, PrevenanceError]()
    chosen = [one for one in each if tracked_champion(out, one.target.name) or given.allow_rule] or each[:1]
    if len(chosen) == 1 and not given.allow_rule:
        champion_of(out, target_of(chosen[0]), None, asked_source(given))  # refused before anything is read
    loaded = load_inputs(given, steps, gated=True)
    champions = Champions(loaded.as_of, at_the_time=at_the_time)
    digests = plan_lists(chosen, loaded, lambda one: champions.of(one)[0])
    for one in chosen:
        try:
            if given.allow_rule and tracked_champion(out, one.target.name) is None:
                _rule(one, loaded, steps)
            text, lists[one.target.name] = publish_target(one, loaded, steps, champions, digests)
        except PrevenanceError as problem:
            # Bad input or a full disk would meet every target alike; once a list is out, its record is worth more than the error's first place.
            if problem.exit_status in (3, 8) and not lists:
                raise
            refused[one.target.name] = problem
            if problem.exit_status in (3, 8):
                break
            continue
        steps.tell(text)
    note_acts(out, "score", lists)
    for one in chosen if given.shadow else ():
        if one.target.name in lists:
            lists[one.target.name] |= {"pilot": (pilot := pilot_page(one, loaded))}
            steps.tell(f"PILOT     {one.target.name}: {pilot['verdict'].replace('_', ' ')} · {pilot['page']}")
    week = _week(given, loaded, lists, refused, steps)
    # The lists are out: with too little memory left the store waits for the next night, and this one is no failure.
    steps("the model store", checked=False)
    messages = lists_log.log_lists(out, [facts["list"] for facts in lists.values()]) + _past_retention(given, loaded)
    steps("")
    for message in [*(gate.says for gate in loaded.gates if gate.outcome != "pass"), *messages]:
        steps.tell(f"NOTE      {message}")
    # Only now: a night that broke off above is refused as a whole, and for that reason alone.
    steps.refused += refused.values()
    return {
        "outcome": "published" if not refused else "partly published" if lists else "refused",
        "exit": next((problem.exit_status for problem in refused.values()), 0),
        "targets": lists | {target: {"error": problem.line(), "exit": problem.exit_status} for target, problem in refused.items()},
        **({WEEK: week} if week else {}),
        "messages": messages,
    }


def _week(
    given: Settings, loaded: Inputs, lists: dict[str, Any], refused: dict[str, PrevenanceError], steps: Steps
) -> dict[str, Any] | None:
    """Publish the week, once a list is out; what is refused is told as of any list."""
    if not lists:
        return None
    steps("the week")
    try:
        made = publish_week(given, loaded)
        if made is not None:
            note_acts(given.folder, "score", {WEEK: made})  # a list as any other: who worked it must be able to prove which one it was
            steps.tell(
                f"WEEK      {made['worked']} of {made['listed']} customers to contact over {', '.join(made['lists'])} · {made['list']}/"
            )
        return made
    except PrevenanceError as problem:
        refused[WEEK] = problem
        return None


def _past_retention(given: Settings, loaded: Inputs) -> list[str]:
    """Remove results that are older than they may be kept, and say how many; what another run is writing waits for the next night."""
    out, rules = given.folder, given.privacy.retention.artifacts
    try:
        with ExitStack() as held:
            for name in RETAINED:
                held.enter_context(lock.hold_lock(out, name))
            went = retention.prune_results(out, loaded.as_of, rules)
    except PrevenanceError as problem:
        return [f"what is past its retention waits for the next night: {problem.what}"]
    if not went:
        return []
    note_act(out, "prune", **went)
    return [f"past their retention and removed: {', '.join(f'{number} of {name}' for name, number in sorted(went.items()))}"]


def _rule(given: Settings, loaded: Inputs, steps: Steps) -> None:
    """Register the simple rule for a target that has no champion, as training on too little does."""
    with lock.hold_lock(given.folder, "train"):
        train_target(replace(given, model=ModelSettings(kind="rule")), loaded, steps)


def publish_target(
    given: Settings, inputs: Inputs, steps: Steps, champions: Champions, digests: Mapping[datetime, Seen]
) -> tuple[str, dict[str, Any]]:
    """Score, rank and publish one target; return the text to print and the facts for the status file. ``digests`` are from ``plan_lists``."""
    target, out, cutoff = target_of(given), given.folder, inputs.as_of
    fitted, model_digest, messages = champions.of(given)
    remembered = remembered_of(given, model_digest, digests)
    made, hidden = ranked_list(given, inputs, fitted, model_digest, steps, remembered=remembered), pseudonyms_of(given)
    files = {
        "list.csv": formats.csv_bytes(made.ranked),
        "list.json": formats.json_bytes(made.ranked),
        "features.parquet": hidden_content(made.inputs, hidden) if hidden else made.inputs.content,
    }
    files |= made.extra | {f"quarantine/{name}.csv": content for name, content in quarantine_files(inputs, hidden).items()}
    by = NO_MODEL.get(fitted.kind, "")
    steps(f"{target.name}: beside the past")
    warned = warnings_tonight(given, inputs, target, fitted, made)
    told = [warning_text(words("en"), one) for one in warned]
    said = [*messages, *([by] if by else []), *inputs.messages, *made.notes, *told]
    manifest = manifest_of(given, inputs, target, fitted, model_digest, made, said)
    manifest["watch"] |= {"warned": [asdict(one) for one in warned]}
    files |= plugged_files(made.ranked, manifest)
    files |= view_files(given, inputs, made, fitted, model_digest, manifest, steps)
    steps(f"{target.name}: look at the inputs again")
    # A file that was replaced while it was read would give a list of two nights at once.
    inputs.unchanged()
    steps(f"{target.name}: publish")
    folder = publish_list(out, target.name, cutoff, files, manifest, finished.check_list_folder)
    return summary.list_text(made.ranked, folder, by=by, zone=given.source.timezone, until=made.until), {
        "list": str(folder),
        "listed": len(made.ranked),
        "run_id": made.run_id,
        "messages": [*messages, *(gate.says for gate in inputs.gates if gate.outcome != "pass"), *told],
        "gates": manifest["gates"],
        # where all were worked out, the night was as dear as the first: a new model, an opt-out, other settings
        "memo": {"past_mondays": len(remembered.held), "worked_out": remembered.made},
    }

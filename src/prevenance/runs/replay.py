"""The list as it would have been at a past date, refitted with what had closed by then, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prevenance.base.errors import PrevenanceError
from prevenance.publish.folders import write_status
from prevenance.runs.champion import asked_source, champion_of
from prevenance.runs.inputs import load
from prevenance.runs.past import replayed
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import target_of
from prevenance.runs.steps import Steps
from prevenance.track.tracking import tracked_champion


def replay_each(given: Settings, each: list[Settings], steps: Steps) -> None:
    """Replay the chosen target, or every target that has a champion, at ``as_of``."""
    if not given.as_of:
        raise PrevenanceError(
            "E208", "as_of is not set, a replay needs a past date", key="as_of", fix="add a date, such as as_of=2026-04-01"
        )
    out = Path(given.out)
    chosen = [one for one in each if tracked_champion(out, one.target.name)] or each[:1]
    champions = [champion_of(out, target_of(one), None, asked_source(one)) for one in chosen]
    now = load(replace(given, as_of=None), steps)
    then = load(given, steps)
    results = {}
    for one, (fitted, _, messages) in zip(chosen, champions, strict=True):
        text, results[one.target.name] = replayed(one, fitted, then, now, messages, steps)
        steps.tell(text)
    write_status(out, {"pipeline": "replay", "outcome": "replayed", "exit": 0, "targets": results})

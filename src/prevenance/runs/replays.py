"""The lists of the past: of one date, or of every test cutoff of a range as a check of what the training claims."""

from dataclasses import replace
from typing import Any

from prevenance.base.errors import PrevenanceError
from prevenance.runs.champion import asked_source, champion_of, with_champion
from prevenance.runs.inputs import load_inputs
from prevenance.runs.replay import replay_target
from prevenance.runs.replay_check import check_range, span_of
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.snapshots import target_of
from prevenance.runs.steps import Steps


def replay_each(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Replay the chosen target, or every target that has a champion, at ``as_of``; or all test cutoffs of a range (see ``replay_check``)."""
    if given.nights.first or given.nights.last:
        span_of(given)
        several = with_champion(given.folder, targets(given))
        return check_range(given, several, [champion_of(given.folder, target_of(one), None, asked_source(one)) for one in several], steps)
    if not given.as_of:
        fix = "add a date, such as as_of=2026-04-01"
        raise PrevenanceError("E208", "as_of is not set, a replay needs a past date", key="as_of", fix=fix)
    chosen = with_champion(given.folder, targets(given))
    # All champions before any table: a target without one is refused in a second, not after the reading.
    champions = [champion_of(given.folder, target_of(one), None, asked_source(one)) for one in chosen]
    # Two readings: one sees only what was known then, and the other judges by what has become known since.
    now = load_inputs(replace(given, as_of=None), steps)
    then = load_inputs(given, steps)
    results = {}
    for one, (fitted, _, messages) in zip(chosen, champions, strict=True):
        text, results[one.target.name], *_ = replay_target(one, fitted, then, now, messages, steps)
        steps.tell(text)
    return {"outcome": "replayed", "targets": results}

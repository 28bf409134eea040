"""The list as it would have been at a past date, refitted with what had closed by then, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipelines.run import Steps, say, targets_of
from pipelines.run import main as run
from pipelines.settings import Settings


def body(given: Settings, steps: Steps) -> None:
    """Replay the chosen target, or every target that has a champion, at ``as_of``."""
    from pipelines.inputs import load
    from pipelines.past import replayed
    from pipelines.snapshots import target_of
    from pipelines.tonight import asked_source, champion_of
    from prevenance.errors import PrevenanceError
    from prevenance.tracking import champion
    from prevenance.writers.publish import status

    if not given.as_of:
        raise PrevenanceError(
            "E208", "as_of is not set, a replay needs a past date", key="as_of", fix="add a date, such as as_of=2026-04-01"
        )
    out, each = Path(given.out), targets_of("replay", given)
    chosen = [one for one in each if champion(out, one.target.name)] or each[:1]
    champions = [champion_of(out, target_of(one), None, asked_source(one)) for one in chosen]
    now = load(replace(given, as_of=None), steps)
    then = load(given, steps)
    results = {}
    for one, (fitted, _, messages) in zip(chosen, champions, strict=True):
        text, results[one.target.name] = replayed(one, fitted, then, now, messages, steps)
        steps("")
        say(text)
    status(out, {"pipeline": "replay", "outcome": "replayed", "exit": 0, "targets": results})


def main() -> None:
    """Run the pipeline from the command line."""
    run("replay", body)


if __name__ == "__main__":
    main()

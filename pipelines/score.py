"""Score tonight (or ``as_of``) with the registered champion and publish the ranked lists."""

from __future__ import annotations

from pathlib import Path

from pipelines.run import Steps, say, targets_of
from pipelines.run import main as run
from pipelines.settings import Settings


def body(given: Settings, steps: Steps) -> None:
    """Publish the list of the chosen target, or of every target that has a champion."""
    from pipelines.audit_log import noted_each
    from pipelines.inputs import load
    from pipelines.tonight import tonight
    from pipelines.view import write_index
    from prevenance.tracking import champion
    from prevenance.writers.publish import status

    each = targets_of("score", given)
    with_champion = [one for one in each if champion(Path(given.out), one.target.name)]
    loaded = load(given, steps)
    results = {}
    for one in with_champion or each[:1]:
        text, results[one.target.name] = tonight(one, loaded, steps)
        steps("")
        say(text)
    write_index(given)
    noted_each(given, "score", results)
    status(Path(given.out), {"pipeline": "score", "outcome": "published", "exit": 0, "targets": results})


def main() -> None:
    """Run the pipeline from the command line."""
    run("score", body)


if __name__ == "__main__":
    main()

"""Score tonight (or ``as_of``) with the registered champion and publish the ranked lists."""

from __future__ import annotations

from pathlib import Path

from pipelines.run import Steps, refused, targets_of
from pipelines.run import main as run
from pipelines.settings import Settings


def body(given: Settings, steps: Steps) -> int:
    """Publish the list of the chosen target, or of every target that has a champion; return the exit status of the first that was refused."""
    from pipelines.night import night
    from pipelines.view import write_index
    from prevenance.writers.publish import status

    done = night(given, targets_of("score", given), steps)
    write_index(given)
    status(Path(given.out), {"pipeline": "score"} | done.record)
    return refused(done.refused.values())


def main() -> None:
    """Run the pipeline from the command line."""
    run("score", body)


if __name__ == "__main__":
    main()

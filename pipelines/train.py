"""Train, evaluate, gate and register every target; print what a person reads in a minute."""

from __future__ import annotations

from pathlib import Path

from pipelines.run import Steps, say, targets_of
from pipelines.run import main as run
from pipelines.settings import Settings


def body(given: Settings, steps: Steps) -> None:
    """Train the chosen target, or every target that the source declares."""
    from pipelines.audit_log import noted_each
    from pipelines.inputs import load, remember
    from pipelines.learn import learn
    from prevenance.writers.publish import status

    loaded = load(given, steps)
    steps("")
    results, reading = {}, dict(steps.seconds)
    for one in targets_of("train", given):
        steps.seconds = dict(reading)  # a report tells what its own target took
        text, results[one.target.name] = learn(one, loaded, steps)
        steps("")
        say(text)
    remember(given, {name: one.read for name, one in loaded.counts.items()})
    noted_each(given, "train", results)
    status(Path(given.out), {"pipeline": "train", "outcome": "trained", "exit": 0, "targets": results})


def main() -> None:
    """Run the pipeline from the command line."""
    run("train", body)


if __name__ == "__main__":
    main()

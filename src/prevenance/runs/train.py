"""Train, evaluate, gate and register every target; print what a person reads in a minute."""

from __future__ import annotations

from pathlib import Path

from prevenance.privacy.trail import noted_each
from prevenance.publish.folders import write_status
from prevenance.runs.inputs import load, remember
from prevenance.runs.learn import learn
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.steps import Steps


def train_each(given: Settings, targets: Targets, steps: Steps) -> None:
    """Train the chosen target, or every target that the source declares."""
    loaded = load(given, steps)
    steps("")
    results, reading = {}, dict(steps.seconds)
    for one in targets(given):
        steps.seconds = dict(reading)  # a report tells what its own target took
        text, results[one.target.name] = learn(one, loaded, steps)
        steps.tell(text)
    remember(given, {name: one.read for name, one in loaded.counts.items()})
    noted_each(Path(given.out), "train", results)
    write_status(Path(given.out), {"pipeline": "train", "outcome": "trained", "exit": 0, "targets": results})

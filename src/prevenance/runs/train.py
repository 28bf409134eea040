"""Train, evaluate, gate and register every target; print what a person reads in a minute."""

from __future__ import annotations

from typing import Any

from prevenance.runs.acts import note_acts
from prevenance.runs.inputs import load_inputs, remember_settings
from prevenance.runs.learn import train_target
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.steps import Steps


def train_each(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Train the chosen target, or every target that the source declares."""
    loaded = load_inputs(given, steps)
    steps("")
    results, reading = {}, dict(steps.seconds)
    for one in targets(given):
        steps.seconds = dict(reading)  # a report tells what its own target took
        text, results[one.target.name] = train_target(one, loaded, steps)
        steps.tell(text)
    remember_settings(given, {name: one.read for name, one in loaded.counts.items()})
    note_acts(given.folder, "train", results)
    return {"outcome": "trained", "targets": results}

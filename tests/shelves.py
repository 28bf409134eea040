"""A small demo company with models on the shelf: what score and explain need, without a training run."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipelines.start.compose import settings_of
from prevenance.features.build import feature_columns
from prevenance.models import bundle, shelf, training
from prevenance.models.bundle import Fitted
from prevenance.models.folds import Fold
from prevenance.runs.inputs import Inputs, load_inputs, remember_settings
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import definitions_of, frame_of, target_of
from prevenance.runs.steps import Steps

SMALL = [
    "demo.customers=100",
    "demo.months=13",
    "demo.events=15000",
    "capacity=8",
    "features.sets=[tickets,contacts,offers]",
    "features.lookbacks=[28,90]",
]
TARGETS = {"churn": "lightgbm", "tickets": "logistic", "cross_sell": "logistic"}
TRAINED, TONIGHT, LATER = "2026-06-15", "2026-07-02", "2026-07-20"


def silent(out: Path) -> Steps:
    return Steps(out / "nowhere")


def loaded(out: Path, as_of: str, *more: str) -> tuple[Settings, Inputs]:
    given = settings_of("score", [*SMALL, f"out={out}", f"as_of={as_of}", "target=churn", *more])
    return given, load_inputs(given, silent(out))


def fitted(given: Settings, inputs: Inputs, kind: str) -> Fitted:
    """Return a model of ``kind`` that learned from five months and was tested on the next: bands and precedents are from there."""
    target = target_of(given)
    definitions, _ = definitions_of(given, inputs)
    last = inputs.as_of.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=target.horizon_days + target.settle_days + 1)
    cutoffs = sorted(last - timedelta(days=28 * n) for n in range(5))
    frame = frame_of(inputs, target, cutoffs, definitions, silent(Path(given.out)))
    fold = Fold(tuple(cutoffs[:3]), (cutoffs[3],), cutoffs[4])
    about = {"target": target.name, "trained_until": inputs.as_of.isoformat()}
    found = training.fit_model(frame, fold, kind, feature_columns(definitions), seed=7, about=about)
    tested = training.backtest(frame, [fold], (), feature_columns(definitions), seed=7, champion=(kind, {}))
    return training.with_interval_band(found, tested.predictions, "champion")


def shelve(out: Path, target: str, model: Fitted) -> str:
    """Put a model on the shelf as the champion of ``target`` and return its digest."""
    with tempfile.TemporaryDirectory() as work:
        digest = bundle.save(model, Path(work) / "model")
        shelf.keep_model(out / "models" / target, digest, Path(work) / "model")
    shelf.register_version(out / "models" / target, digest, "1", True)
    return digest


def company(out: Path, targets: tuple[str, ...] = tuple(TARGETS)) -> Path:
    """Write the demo company into ``out`` and put a champion of every target on the shelf."""
    given, inputs = loaded(out, TRAINED)
    for target in targets:
        kind = TARGETS[target]
        own = settings_of("score", [*SMALL, f"out={out}", f"as_of={TRAINED}", f"target={target}"])
        shelve(out, target, fitted(own, inputs, kind))
    remember_settings(replace(given, overrides=SMALL))
    return out

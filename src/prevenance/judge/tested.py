"""The records of a training: what the past said of a target, which model goes to work, and what its report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from prevenance.judge import evaluation
from prevenance.judge.drift import Drift
from prevenance.models import folds, training


@dataclass(frozen=True)
class Tested:
    """What the past said of one target: all snapshots, the usable ones, the features that may be used, and tonight's, whose labels are open."""

    frame: pd.DataFrame
    rows: pd.DataFrame
    tonight: pd.DataFrame
    parted: tuple[folds.Fold, ...]
    production: folds.Fold
    columns: list[str]
    leaks: list[dict[str, object]]
    kinds: tuple[str, ...]
    backtest: training.Backtest
    recipe: tuple[str, dict[str, Any]] | None
    health: dict[str, Any]

    @property
    def positives(self) -> int:
        """Return how many customers had the outcome in closed windows."""
        return training.positive_customers(self.rows)


@dataclass(frozen=True)
class Choice:
    """Which model goes to work: ``tested_as`` is its name in the back-test; ``keeps`` leaves the present champion in place."""

    kind: str
    params: Mapping[str, Any]
    tested_as: str
    challenger: str | None
    promoted: bool
    keeps: bool
    why: str
    gates: dict[str, str]
    sliced: list[dict[str, object]]
    findings: tuple[evaluation.Finding, ...]
    moved: Drift

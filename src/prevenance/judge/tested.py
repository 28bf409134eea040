"""The records of a training: what the past said of a target, which model goes to work, and what its report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from prevenance.judge import evaluation
from prevenance.judge.drift import Drift
from prevenance.models import folds, training


@dataclass(frozen=True)
class Past:
    """What can be learned from: all snapshots, the usable ones and tonight's, whose labels are open; how they are parted, and which features may be used."""

    frame: pd.DataFrame
    rows: pd.DataFrame
    tonight: pd.DataFrame
    parted: tuple[folds.Fold, ...]
    production: folds.Fold
    columns: list[str]
    leaks: list[dict[str, object]]


@dataclass(frozen=True)
class Tested(Past):
    """What the past said of one target, by the back-test of each kind, the rivals and the champion's recipe.

    ``known`` is what was known of each customer at the test cutoffs (see ``shipped``): by it the lists of the past are decided.
    """

    kinds: tuple[str, ...]
    backtest: training.Backtest
    recipe: tuple[str, dict[str, Any]] | None
    health: dict[str, Any]
    known: pd.DataFrame

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
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

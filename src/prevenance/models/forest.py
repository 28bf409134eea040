"""A random forest by LightGBM: its text needs no pickle and its contributions are exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models import boosted
from prevenance.models.encode import Encoder

if TYPE_CHECKING:
    from lightgbm import LGBMClassifier

DEFAULTS: dict[str, Any] = {
    "n_estimators": 200,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "feature_fraction_bynode": 0.2,
    "feature_fraction": 1.0,
    "bagging_fraction": 0.632,
    "bagging_freq": 1,
}


def estimator(encoder: Encoder, *, seed: int, threads: int = 0, **params: Any) -> LGBMClassifier:
    """Return the unfitted estimator; ``params`` replace ``DEFAULTS``; ``threads`` 0 means all."""
    return boosted.estimator(encoder, seed=seed, threads=threads, boosting_type="rf", **{**DEFAULTS, **params})


def parameters(estimator: LGBMClassifier) -> dict[str, Any]:
    """Return ``{"trees": LightGBM's text}``, as for boosting."""
    return boosted.parameters(estimator)


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return the mean of the trees' log-odds, shape (n,); LightGBM's raw score is their sum."""
    return boosted.log_odds(parameters, matrix) / boosted.booster(parameters).num_trees()


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return exact SHAP values of the mean: base and shape (n, p)."""
    base, found = boosted.contributions(parameters, matrix)
    trees = boosted.booster(parameters).num_trees()
    return base / trees, found / trees

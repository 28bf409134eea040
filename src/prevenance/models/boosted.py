"""LightGBM, set so that the same rows give the same bytes whatever the number of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models.encode import Encoder

if TYPE_CHECKING:
    from lightgbm import Booster, LGBMClassifier

BINNING = {"max_bin": 63, "min_data_in_bin": 3, "feature_pre_filter": False}
"""How numbers are cut into bins: fixed, so that one binned Dataset serves every trial of a tuning."""

FIXED = {"deterministic": True, "force_col_wise": True, "verbosity": -1, "bagging_fraction": 0.7, "bagging_freq": 1, **BINNING}
"""Each tree sees 70 % of the rows: what one tree takes for a sign, the others do not see."""

DEFAULTS: dict[str, Any] = {
    "n_estimators": 150,
    "learning_rate": 0.05,
    "num_leaves": 4,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.15,
    "lambda_l2": 5.0,
}
"""Many small trees that each see a part of the features: the settings for some hundred customers with the outcome and as many features."""


SMALL = 5_000_000
"""Cells of a matrix up to which one thread is as fast as two, and does not have to wait for a busy neighbour."""


def threads_for(matrix: np.ndarray, asked: int = 0) -> int:
    """Return the threads to use: those asked for, else one for a small matrix and 0 (all) for a large one."""
    return asked or (1 if matrix.size <= SMALL else 0)


def estimator(encoder: Encoder, *, seed: int, threads: int = 0, **params: Any) -> LGBMClassifier:
    """Return the unfitted estimator; ``params`` replace ``DEFAULTS``; ``threads`` 0 means all.

    Its ``fit`` is to be told ``categorical_feature=encoder.categories``: LightGBM takes that nowhere else.
    """
    from lightgbm import LGBMClassifier

    settings: dict[str, Any] = {**DEFAULTS, **params, **FIXED, "random_state": seed, "n_jobs": threads}
    return LGBMClassifier(**settings)


def parameters(estimator: LGBMClassifier) -> dict[str, Any]:
    """Return ``{"trees": LightGBM's text}`` without its last sections, which tell settings (and threads), not the model."""
    text = estimator.booster_.model_to_string(importance_type="gain")
    return {"trees": text.split("\nparameters:\n")[0] + "\n"}


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return the log-odds, shape (n,)."""
    return np.asarray(booster(parameters).predict(matrix, raw_score=True, num_threads=threads_for(matrix))).reshape(-1)


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return LightGBM's own exact SHAP values: base and shape (n, p). About 2 ms a row."""
    found = np.asarray(booster(parameters).predict(matrix, pred_contrib=True)).reshape(len(matrix), -1)
    return float(found[0, -1]) if len(found) else 0.0, found[:, :-1]


def booster(parameters: dict[str, Any]) -> Booster:
    """Return LightGBM's model of the text."""
    from lightgbm import Booster

    return Booster(model_str=parameters["trees"])

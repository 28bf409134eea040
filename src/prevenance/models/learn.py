"""One way to let any kind of model learn from rows: its estimator, on one thread unless its result cannot depend on threads."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prevenance.models import BLENDED, module
from prevenance.models.boosted import threads_for
from prevenance.models.encode import Encoder, fit_encoder

TREES = ("lightgbm", "random_forest", "blend")


def learned(kind: str, encoder: Encoder, rows: pd.DataFrame, *, seed: int, params: Mapping[str, Any], threads: int = 0) -> dict[str, Any]:
    """Return the parameters that a kind of model learns from ``rows`` (features and ``label``).

    Empty where there is nothing to learn from: one class only, or no feature that differs. The rule needs a number.

    Raises:
        PrevenanceError: E203 for an unknown kind.
    """
    if kind == "base_rate":
        return {}
    found = module(kind)
    labels = _labels(rows)
    without = len(encoder.categories) if kind == "rule" else 0
    if not 0 < labels.sum() < len(labels) or len(encoder.features) == without:
        return {}
    matrix = encoder.matrix(rows)
    estimator = found.estimator(encoder, seed=seed, threads=threads_for(matrix, threads), **params)
    if kind in TREES:
        return found.parameters(estimator.fit(matrix, labels, categorical_feature=list(encoder.categories)))
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings():
        # A fixed number of rounds is the setting here, not a failure to converge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return found.parameters(estimator.fit(matrix, labels))


def tuned(
    kind: str, learn: pd.DataFrame, later: pd.DataFrame, features: Sequence[str], *, seed: int, trials: int, threads: int = 0
) -> dict[str, Any]:
    """Return the settings that, learned from ``learn``, did best on ``later``; {} for a kind that is not tuned or too few rows."""
    if kind == "blend":
        each = {one: tuned(one, learn, later, features, seed=seed, trials=trials, threads=threads) for one in BLENDED}
        return each if all(each.values()) else {}
    if kind not in ("lightgbm", "logistic") or any(part["label"].nunique() < 2 for part in (learn, later)):
        return {}
    encoder = fit_encoder(learn, features)
    if not encoder.features:
        return {}
    from prevenance.models import tuning

    parts = [(encoder.matrix(part), _labels(part)) for part in (learn, later)]
    if kind == "logistic":
        return tuning.ridge(encoder, *parts, seed=seed)
    return tuning.boosting(encoder, *parts, seed=seed, trials=trials, threads=threads_for(parts[0][0], threads))


def _labels(rows: pd.DataFrame) -> np.ndarray:
    return rows["label"].to_numpy(dtype="float64")

"""Ridge logistic regression and LightGBM side by side: the mean of their log-odds.

The two err in different places (straight lines against steps), so with few hundred outcomes their mean ranks better than either alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from prevenance.models import boosted, ridge
from prevenance.models.encode import Encoder
from prevenance.models.kinds import BLENDED


class Blend(ClassifierMixin, BaseEstimator):
    """Both estimators, fitted on the same rows."""

    def __init__(self, line: Any, steps: Any) -> None:
        self.line, self.steps = line, steps

    def fit(self, matrix: np.ndarray, labels: np.ndarray, categorical_feature: Sequence[int] = (), level: Any = None) -> Blend:
        """Fit both; the ridge on one thread, because its sums depend on how many there are."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            self.line_ = self.line.fit(matrix, labels, levelledlogistic__level=level)
        self.steps_ = self.steps.fit(matrix, labels, categorical_feature=list(categorical_feature))
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """Return the chances of both classes, shape (n, 2)."""
        chance = 1 / (1 + np.exp(-log_odds(parameters(self), matrix)))
        return np.column_stack([1 - chance, chance])

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """Return the likelier class."""
        return np.asarray(self.classes_[self.predict_proba(matrix).argmax(axis=1)])


def estimator(encoder: Encoder, *, seed: int, threads: int = 0, **params: Mapping[str, Any]) -> Blend:
    """Return the unfitted estimator; ``params`` are the settings of each of ``BLENDED``."""
    line, steps = (dict(params.get(kind, {})) for kind in BLENDED)
    return Blend(ridge.estimator(encoder, seed=seed, **line), boosted.estimator(encoder, seed=seed, threads=threads, **steps))


def parameters(estimator: Blend) -> dict[str, Any]:
    """Return what both learned."""
    return joined_parameters(ridge.parameters(estimator.line_), boosted.parameters(estimator.steps_))


def joined_parameters(line: dict[str, Any], steps: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the blend of two fitted models over the same encoder."""
    return {"logistic": line, **steps} if line and steps else {}


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return the mean of both log-odds, shape (n,)."""
    return (ridge.log_odds(parameters["logistic"], matrix) + boosted.log_odds(parameters, matrix)) / 2


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of both bases and of both exact contributions, shape (n, p)."""
    (base, found), (other, more) = ridge.contributions(parameters["logistic"], matrix), boosted.contributions(parameters, matrix)
    return (base + other) / 2, (found + more) / 2

"""Logistic regression that lets each cutoff have its own level; it loads scikit-learn, so it is imported late."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

FREE = 10.0
"""How much larger than a standardised column a level is, so that the ridge all but lets it go."""


class LevelledLogistic(LogisticRegression):
    """Ridge logistic regression in which each level (a cutoff) may have an intercept of its own while it learns.

    Weights are then learned from the differences between customers of one cutoff. Without it, inputs that grow with the calendar (time
    since the first order) take the credit for cutoffs that had more outcomes, and carry that on into cutoffs to come.
    """

    def fit(self, X: Any, y: Any, level: Any = None) -> LevelledLogistic:
        """Fit; ``level`` (n,) are codes 0, 1, ...; the intercept is their mean, each counting by its rows."""
        if level is None or (number := int(np.max(level)) + 1) < 2:
            return super().fit(X, y)
        own = np.eye(number)[np.asarray(level)]
        super().fit(np.hstack([X, FREE * own]), y)
        weights: np.ndarray = np.asarray(vars(self)["coef_"])
        levels = np.asarray(vars(self)["intercept_"]) + FREE * weights[:, X.shape[1] :] @ own.mean(axis=0)
        self.coef_, self.intercept_, self.n_features_in_ = weights[:, : X.shape[1]], levels, X.shape[1]
        return self

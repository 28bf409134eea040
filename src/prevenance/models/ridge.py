"""Ridge logistic regression: the model for little data, and the one that is easiest to argue with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models.encode import Encoder
from prevenance.models.prepare import column_owners, preparation, preparation_state, prepared_columns

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

ROWS = 1_024
"""Rows whose prepared columns are made at once."""


def estimator(encoder: Encoder, *, seed: int, threads: int = 0, strength: float = 0.01) -> Pipeline:
    """Return the unfitted estimator; ``strength`` is scikit-learn's ``C`` (smaller is a stronger ridge).

    It always runs on one thread, so ``threads`` changes nothing.
    """
    from sklearn.pipeline import make_pipeline

    from prevenance.models.levelled import LevelledLogistic

    return make_pipeline(preparation(encoder), LevelledLogistic(C=strength, max_iter=1000, tol=1e-6, random_state=seed))


def fitted_pipelines(
    encoder: Encoder, matrix: np.ndarray, labels: np.ndarray, level: np.ndarray, *, seed: int, strengths: Sequence[float]
) -> Iterator[Pipeline]:
    """Yield ``estimator(...)`` fitted with each strength, ``level`` as in ``LevelledLogistic``; the matrix is prepared only once."""
    from sklearn.pipeline import make_pipeline

    preparing, *_ = estimator(encoder, seed=seed)
    columns = preparing.fit_transform(matrix)
    for strength in strengths:
        yield make_pipeline(preparing, estimator(encoder, seed=seed, strength=strength)[-1].fit(columns, labels, level))


def parameters(estimator: Pipeline) -> dict[str, Any]:
    """Return the preparation, the weight of each prepared column and the intercept."""
    model = estimator[-1]
    return {"prepare": preparation_state(estimator[0]), "weights": model.coef_[0].tolist(), "intercept": float(model.intercept_[0])}


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return the log-odds, shape (n,)."""
    found = np.empty(len(matrix))
    # some rows at a time: what is made on the way stays in the processor's own memory
    for first in range(0, len(matrix), ROWS):
        # A row-wise sum and not a matrix product: BLAS may add in another order when other rows are beside this one.
        weighted = prepared_columns(parameters["prepare"], matrix[first : first + ROWS]) * np.array(parameters["weights"])
        found[first : first + ROWS] = np.ascontiguousarray(weighted).sum(axis=1) + parameters["intercept"]
    return found


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the intercept and each feature's weighted distance from the mean: exact, shape (n, p)."""
    weighted = prepared_columns(parameters["prepare"], matrix) * np.array(parameters["weights"])
    found = np.zeros(matrix.shape)
    np.add.at(found.T, column_owners(parameters["prepare"]), weighted.T)
    return parameters["intercept"], found

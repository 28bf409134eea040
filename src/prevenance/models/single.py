"""The simple rule that every model must beat: customers in the order of the one feature that ordered the past best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models.encode import Encoder

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


POPULARITY = "popularity"
"""Where features of this name exist (offers), they alone are the rule: offer what most take."""


def average_precision(values: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the average precision of ordering by the largest value first, and by the smallest first.

    Equal values are one step, as in scikit-learn. ``values`` has no NaN, ``labels`` are 0 or 1; 0.0 without a positive.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    rows = np.diff(np.append(0, ends + 1))
    hits = np.diff(np.append(0.0, np.cumsum(labels[order])[ends]))
    return _stepwise(rows[::-1], hits[::-1]), _stepwise(rows, hits)


def scores(matrix: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the average precision of each column, where the right half of the columns is the left half negated."""
    half = matrix.shape[1] // 2
    both = np.array([average_precision(matrix[:, place], labels) for place in range(half)]).reshape(half, 2)
    return np.append(both[:, 0], both[:, 1])


def both_directions(matrix: np.ndarray) -> np.ndarray:
    """Return the columns and, to their right, the same columns negated: shape (n, 2p)."""
    return np.column_stack([matrix, -matrix])


def estimator(encoder: Encoder, *, seed: int, threads: int = 0) -> Pipeline:
    """Return the unfitted estimator: fill holes with the median, then keep the best (column, direction).

    Words have no order, so a column of codes is never the rule; among offers the rule is popularity. Nothing is random: ``seed`` and ``threads`` change nothing.
    """
    from sklearn.compose import make_column_transformer
    from sklearn.feature_selection import SelectKBest
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, RobustScaler

    numeric = [place for place in range(len(encoder.features)) if place not in set(encoder.categories)]
    # What most others take is what a shop without any model would offer.
    numeric = [place for place in numeric if encoder.features[place].startswith(POPULARITY)] or numeric
    return make_pipeline(
        make_column_transformer((SimpleImputer(strategy=np.median), numeric)),
        FunctionTransformer(both_directions),
        SelectKBest(scores, k=1),
        RobustScaler(unit_variance=False),
    )


def parameters(estimator: Pipeline) -> dict[str, Any]:
    """Return the feature's position, its direction (+1: large is risky, -1: small is), middle and scale."""
    numeric = estimator[0].transformers_[0][2]
    found = int(np.argmax(estimator[2].scores_))
    direction, scaler = 1.0 if found < len(numeric) else -1.0, estimator[-1]
    middle = direction * float(scaler.center_[0]) + 0.0
    return {"place": int(numeric[found % len(numeric)]), "direction": direction, "middle": middle, "scale": float(scaler.scale_[0])}


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return a value that orders the rows, shape (n,); a missing feature counts as the median, 0."""
    distance = (matrix[:, parameters["place"]] - parameters["middle"]) / parameters["scale"]
    return np.nan_to_num(parameters["direction"] * np.arcsinh(distance), nan=0.0)


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return 0 and the whole value at the one feature: exact, shape (n, p)."""
    found = np.zeros(matrix.shape)
    found[:, parameters["place"]] = log_odds(parameters, matrix)
    return 0.0, found


def _stepwise(rows: np.ndarray, hits: np.ndarray) -> float:
    total = hits.sum()
    return float((hits * np.cumsum(hits) / np.cumsum(rows)).sum() / total) if total else 0.0

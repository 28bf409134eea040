"""The health score a team already works with, 0 to 100 where high is healthy: weighted inputs, points by bands.

A missing input, or one between two bands, is left out and the other weights are scaled up; without any input the score is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models.encode import Encoder

if TYPE_CHECKING:
    from sklearn.preprocessing import FunctionTransformer

MIDDLE, STEP = 50.0, 10.0
"""A score of ``MIDDLE`` is a log-odds of 0, and ``STEP`` points less are one more; calibration gives the chances."""


def score_encoder(params: Mapping[str, Any], features: Sequence[str]) -> Encoder:
    """Return the encoder of the score's inputs, those that are a feature here; a score is taken as it is, constant inputs too."""
    return Encoder(tuple(name for name in dict.fromkeys(one["feature"] for one in params.get("inputs", ())) if name in set(features)))


def scores(matrix: np.ndarray, inputs: Sequence[Sequence[Any]]) -> np.ndarray:
    """Return the score of each row, 0 to 100, shape (n,); NaN where no input is known."""
    points, share = _parts(matrix, inputs)
    known = share.sum(axis=1) > 0
    return np.where(known, np.nansum(points * share, axis=1), np.nan)


def estimator(encoder: Encoder, *, seed: int, threads: int = 0, inputs: Sequence[Mapping[str, Any]] = ()) -> FunctionTransformer:
    """Return the estimator that gives each row its score; it learns nothing, so ``seed`` and ``threads`` change nothing.

    ``inputs`` are ``{feature, weight, bands}``; a band is ``[low, high, points]``, both ends included and None where open.
    """
    from sklearn.preprocessing import FunctionTransformer

    asked = [
        [encoder.features.index(one["feature"]), float(one["weight"]), [list(band) for band in one["bands"]]]
        for one in inputs
        if one["feature"] in encoder.features
    ]
    return FunctionTransformer(scores, kw_args={"inputs": asked})


def parameters(estimator: FunctionTransformer) -> dict[str, Any]:
    """Return the inputs that were asked: position, weight and bands."""
    return {"inputs": estimator.kw_args["inputs"]}


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return a value that is larger the less healthy a row is, shape (n,); 0, that of a middling score, where it is unknown."""
    return contributions(parameters, matrix)[1].sum(axis=1)


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return 0 and each input's share of the log-odds at its column: exact, shape (n, p)."""
    points, share = _parts(matrix, parameters["inputs"])
    found = np.zeros(matrix.shape)
    for number, (place, _, _) in enumerate(parameters["inputs"]):
        found[:, place] += np.nan_to_num((MIDDLE - points[:, number]) * share[:, number] / STEP)
    return 0.0, found


def _parts(matrix: np.ndarray, inputs: Sequence[Sequence[Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Return points (NaN where unknown) and the share of each input among the known weights, both of shape (n, inputs)."""
    points = np.full((len(matrix), len(inputs)), np.nan)
    for number, (place, _, bands) in enumerate(inputs):
        value = matrix[:, place]
        for low, high, worth in reversed(bands):  # at a shared end the lower band counts
            inside = np.isfinite(value) & (value >= (-np.inf if low is None else low)) & (value <= (np.inf if high is None else high))
            points[inside, number] = worth
    weight = np.where(np.isnan(points), 0.0, np.array([one[1] for one in inputs], dtype="float64"))
    total = weight.sum(axis=1, keepdims=True)
    return points, np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)

"""One way to let any kind of model learn from rows: its estimator, on one thread unless its result cannot depend on threads."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from prevenance.models.boosted import threads_for
from prevenance.models.encode import Encoder
from prevenance.models.kinds import module

TREES = ("lightgbm", "random_forest", "blend")


def learned_parameters(
    kind: str,
    encoder: Encoder,
    rows: pd.DataFrame,
    *,
    seed: int,
    params: Mapping[str, Any],
    threads: int = 0,
    matrix: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return the parameters that a kind of model learns from ``rows`` (features and ``label``), whose encoded ``matrix`` may be there already.

    Empty where there is nothing to learn from: one class only, or no feature that differs. The rule needs a number. Lines (logistic
    regression, and the blend's) let each cutoff have its own level while they learn.

    Raises:
        PrevenanceError: E203 for an unknown kind.
    """
    if kind == "base_rate":
        return {}
    found = module(kind)
    labels = labels_of(rows)
    # Words have no order, so they are nothing that a rule could sort by.
    without = len(encoder.categories) if kind == "rule" else 0
    if not 0 < labels.sum() < len(labels) or len(encoder.features) == without:
        return {}
    matrix = encoder.matrix(rows) if matrix is None else matrix
    estimator = found.estimator(encoder, seed=seed, threads=threads_for(matrix, threads), **params)
    if kind in TREES:
        more = {"level": levels_of(rows)} if kind == "blend" else {}
        return found.parameters(estimator.fit(matrix, labels, categorical_feature=list(encoder.categories), **more))
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings():
        # A fixed number of rounds is the setting here, not a failure to converge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        more = {"levelledlogistic__level": levels_of(rows)} if kind == "logistic" else {}
        return found.parameters(estimator.fit(matrix, labels, **more))


def levels_of(rows: pd.DataFrame) -> np.ndarray:
    """Return the place of each row's cutoff among all of them, codes of shape (n,)."""
    return pd.factorize(rows["cutoff"], sort=True)[0] if "cutoff" in rows else np.zeros(len(rows), dtype=int)


def labels_of(rows: pd.DataFrame) -> np.ndarray:
    """Return the labels, float64 of shape (n,)."""
    return rows["label"].to_numpy(dtype="float64")

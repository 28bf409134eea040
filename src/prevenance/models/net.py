"""A small neural net, there to compare: with the customers a company has it seldom wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models.encode import Encoder
from prevenance.models.prepare import preparation, preparation_state, prepared_columns

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def estimator(encoder: Encoder, *, seed: int, threads: int = 0, units: int = 16, ridge: float = 3.0, rounds: int = 30) -> Pipeline:
    """Return the unfitted estimator: one hidden layer of ``units``, weight decay ``ridge``, ``rounds`` passes over the rows.

    It always runs on one thread, so ``threads`` changes nothing.
    """
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline

    net = MLPClassifier((units,), alpha=ridge, max_iter=rounds, n_iter_no_change=rounds, random_state=seed)
    return make_pipeline(preparation(encoder), net)


def parameters(estimator: Pipeline) -> dict[str, Any]:
    """Return the preparation and the layers' weights."""
    net = estimator[-1]
    layers = [{"weights": weights.tolist(), "bias": bias.tolist()} for weights, bias in zip(net.coefs_, net.intercepts_, strict=True)]
    return {"prepare": preparation_state(estimator[0]), "layers": layers}


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return the log-odds, shape (n,)."""
    signal = prepared_columns(parameters["prepare"], matrix)
    for depth, layer in enumerate(parameters["layers"]):
        signal = np.maximum(signal, 0.0) if depth else signal
        # einsum without BLAS: the order of adding is the same whatever the number of rows.
        signal = np.einsum("ij,jk->ik", signal, np.array(layer["weights"]), optimize=False) + np.array(layer["bias"])
    return signal[:, 0]


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> None:
    """Return None: a net's contributions can only be sampled."""

"""The models: one module each, found by name and imported when first asked for.

A model's module has four functions; a new model is one such file and one line in ``MODELS``:

- ``estimator(encoder, *, seed, threads, **params)``: an unfitted scikit-learn estimator over ``encoder.matrix(frame)``;
- ``parameters(estimator)``: what it learned, as plain JSON (or LightGBM text under ``trees``); nothing is ever pickled;
- ``log_odds(parameters, matrix)``: float64 of shape (n,), the same for a row whatever the rows beside it;
- ``contributions(parameters, matrix)``: ``(base, (n, p))`` that add up to the log-odds, or None where only sampling can tell.
"""

import importlib
import os
from types import ModuleType

from prevenance.base.errors import PrevenanceError, did_you_mean

# Idle OpenMP threads must sleep: spinning ones stall a shared machine. It is read once, when the first library loads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

MODELS = {
    "rule": "prevenance.models.single",
    "customer_rules": "prevenance.models.customer_rules",
    "health_score": "prevenance.models.health_score",
    "logistic": "prevenance.models.ridge",
    "lightgbm": "prevenance.models.boosted",
    "blend": "prevenance.models.blended",
    "random_forest": "prevenance.models.forest",
    "neural": "prevenance.models.net",
}
"""Kind of model -> the module that builds it. ``base_rate`` needs none: it learns nothing but a rate."""

BLENDED = ("logistic", "lightgbm")
"""The kinds that ``blend`` takes the mean of; its settings are theirs, by these names."""


def module(kind: str) -> ModuleType:
    """Return the module of a kind of model.

    Raises:
        PrevenanceError: E203 if there is no such kind.
    """
    if kind not in MODELS:
        raise PrevenanceError("E203", f'there is no model "{kind}"', fix=did_you_mean(kind, MODELS))
    return importlib.import_module(MODELS[kind])

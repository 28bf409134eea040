"""The models: what each learns and says (``kinds``), and each as a plain scikit-learn classifier.

model = prevenance.models.lightgbm(num_leaves=4)
"""

import importlib
from typing import TYPE_CHECKING, Any

from prevenance.models.kinds import BLENDED, MODELS, module

if TYPE_CHECKING:
    from prevenance.models import estimators

__all__ = ["BLENDED", "MODELS", "blend", "lightgbm", "logistic", "module", "neural", "random_forest", "rule"]


def logistic(**settings: Any) -> "estimators.Logistic":
    """Return ridge logistic regression as an unfitted scikit-learn classifier; ``settings`` are those of ``estimators.Logistic``."""
    return _estimators().Logistic(**settings)


def lightgbm(**settings: Any) -> "estimators.LightGBM":
    """Return boosted trees as an unfitted scikit-learn classifier; ``settings`` are those of ``estimators.LightGBM``."""
    return _estimators().LightGBM(**settings)


def random_forest(**settings: Any) -> "estimators.RandomForest":
    """Return a random forest as an unfitted scikit-learn classifier; ``settings`` are those of ``estimators.RandomForest``."""
    return _estimators().RandomForest(**settings)


def blend(**settings: Any) -> "estimators.Blend":
    """Return the mean of the two as an unfitted scikit-learn classifier; ``settings`` are those of ``estimators.Blend``."""
    return _estimators().Blend(**settings)


def neural(**settings: Any) -> "estimators.Neural":
    """Return a small neural net as an unfitted scikit-learn classifier; ``settings`` are those of ``estimators.Neural``."""
    return _estimators().Neural(**settings)


def rule(**settings: Any) -> "estimators.Rule":
    """Return the rule that every model must beat as an unfitted scikit-learn classifier."""
    return _estimators().Rule(**settings)


def _estimators() -> Any:
    # scikit-learn is asked for late: a check of settings does without it.
    return importlib.import_module("prevenance.models.estimators")

"""The kinds of model as plain scikit-learn classifiers: clone, search, cross-validate them with everything that scikit-learn has.

They learn exactly what ``make train`` learns (the same encoder, the same module of a kind) but are not calibrated on later periods, as a
training does: wrap them in ``CalibratedClassifierCV``, or read their chances as an order.
"""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data

from prevenance.models.calibrate import platt_calibrator, sigmoid
from prevenance.models.encode import fit_encoder
from prevenance.models.kinds import module
from prevenance.models.learn import learned_parameters

ORDERS = ("rule",)
"""Kinds whose values only order the rows: what they learned from says which chance belongs to a place."""


class KindClassifier(ClassifierMixin, BaseEstimator):
    """A kind of model over a frame of features; the kinds below say which, and what may be set.

    ``X``: a DataFrame (text columns are categories; missing values are known as such) or an array, n rows of p features.
    ``y``: two classes, n values; a row with an open label is no row to learn from (``history.training`` leaves it out).
    ``seed`` is of everything random. After ``fit``: ``classes_``, ``n_features_in_``, ``feature_names_in_`` (of a DataFrame),
    ``encoder_`` and ``parameters_`` (plain JSON, as a registered model keeps them).
    """

    kind = ""

    def _settings(self) -> dict[str, Any]:
        return {name: value for name, value in self.get_params(deep=False).items() if name != "seed" and value is not None}

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from n rows.

        Raises:
            ValueError: for what scikit-learn refuses: no rows, other lengths, infinite or complex numbers, more than two classes.
        """
        frame, labels = self._frame(X, y, fitting=True)
        check_classification_targets(labels)
        if (told := type_of_target(labels, input_name="y")) not in ("binary", "multilabel-indicator") or labels.ndim > 1:
            raise ValueError(f"Only binary classification is supported. The type of the target is {told}.")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self.encoder_ = fit_encoder(frame, list(frame))
        if "label" in frame:
            raise ValueError('a feature called "label" is the outcome itself: leave it out of X')
        known = codes.astype("float64")
        # Joined, not inserted: a frame of features has a block for each column, and pandas warns of one more.
        rows = pd.concat([frame, pd.Series(known, index=frame.index, name="label")], axis=1)
        self.parameters_ = learned_parameters(self.kind, self.encoder_, rows, seed=self.seed, params=self._settings())
        bare = self.kind not in ORDERS and self.parameters_
        self.calibrator_ = (1.0, 0.0) if bare else platt_calibrator(self._log_odds(frame), known)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the log-odds of the second class, float64 of shape (n,)."""
        check_is_fitted(self)
        slope, intercept = self.calibrator_
        return slope * self._log_odds(self._frame(X)[0]) + intercept

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the chances of both classes, float64 of shape (n, 2), in the order of ``classes_``."""
        chance = sigmoid(self.decision_function(X))
        if len(self.classes_) == 1:
            return np.ones((len(chance), 1))
        return np.column_stack([1 - chance, chance])

    def predict(self, X: Any) -> np.ndarray:
        """Return the likelier class of each row, shape (n,)."""
        likelier = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likelier])

    def _log_odds(self, frame: pd.DataFrame) -> np.ndarray:
        if not self.parameters_:
            return np.zeros(len(frame))
        return np.asarray(module(self.kind).log_odds(self.parameters_, self.encoder_.matrix(frame)))

    def _frame(self, X: Any, y: Any = None, *, fitting: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the rows as a frame, and the labels where there are any; a DataFrame keeps its words."""
        if isinstance(X, pd.DataFrame) and not all(pd.api.types.is_numeric_dtype(one) for one in X.dtypes):
            validate_data(self, X, reset=fitting, skip_check_array=True)
            if X.empty:
                raise ValueError(f"Found array with {len(X)} sample(s) (shape={X.shape}) while a minimum of 1 is required.")
            labels = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y") if fitting else np.zeros(0)
            if fitting and len(labels) != len(X):
                raise ValueError(f"Found input variables with inconsistent numbers of samples: [{len(X)}, {len(labels)}]")
            return X, labels
        checks: dict[str, Any] = {"dtype": "float64", "ensure_all_finite": "allow-nan", "reset": fitting}
        if fitting:
            values, labels = validate_data(self, X, y, **checks)
        else:
            values, labels = validate_data(self, X, **checks), np.zeros(0)
        names = getattr(self, "feature_names_in_", [f"x{place}" for place in range(values.shape[1])])
        return pd.DataFrame(values, columns=list(names)), labels

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn may expect: two classes, and missing values are no obstacle."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


class Logistic(KindClassifier):
    """Ridge logistic regression; ``strength`` is scikit-learn's ``C``, a smaller one is a stronger ridge."""

    kind = "logistic"

    def __init__(self, *, strength: float = 0.01, seed: int = 7) -> None:
        self.strength, self.seed = strength, seed


class LightGBM(KindClassifier):
    """Boosted trees by LightGBM; the same rows give the same bytes whatever the number of threads."""

    kind = "lightgbm"

    def __init__(
        self,
        *,
        n_estimators: int = 120,
        learning_rate: float = 0.05,
        num_leaves: int = 8,
        min_data_in_leaf: int = 40,
        feature_fraction: float = 0.5,
        lambda_l2: float = 5.0,
        seed: int = 7,
    ) -> None:
        self.n_estimators, self.learning_rate, self.num_leaves = n_estimators, learning_rate, num_leaves
        self.min_data_in_leaf, self.feature_fraction, self.lambda_l2, self.seed = min_data_in_leaf, feature_fraction, lambda_l2, seed


class RandomForest(KindClassifier):
    """A random forest by LightGBM: no pickle, and exact contributions."""

    kind = "random_forest"

    def __init__(
        self,
        *,
        n_estimators: int = 200,
        num_leaves: int = 31,
        min_data_in_leaf: int = 20,
        feature_fraction_bynode: float = 0.2,
        bagging_fraction: float = 0.632,
        seed: int = 7,
    ) -> None:
        self.n_estimators, self.num_leaves, self.min_data_in_leaf = n_estimators, num_leaves, min_data_in_leaf
        self.feature_fraction_bynode, self.bagging_fraction, self.seed = feature_fraction_bynode, bagging_fraction, seed


class Blend(KindClassifier):
    """The mean of ridge logistic regression and LightGBM in log-odds; ``logistic`` and ``lightgbm`` are the settings of each."""

    kind = "blend"

    def __init__(self, *, logistic: dict[str, Any] | None = None, lightgbm: dict[str, Any] | None = None, seed: int = 7) -> None:
        self.logistic, self.lightgbm, self.seed = logistic, lightgbm, seed


class Neural(KindClassifier):
    """A small neural net: one hidden layer of ``units``, weight decay ``ridge``, ``rounds`` passes over the rows."""

    kind = "neural"

    def __init__(self, *, units: int = 16, ridge: float = 3.0, rounds: int = 30, seed: int = 7) -> None:
        self.units, self.ridge, self.rounds, self.seed = units, ridge, rounds, seed


class Rule(KindClassifier):
    """The simple rule that a model must beat: the one column, and direction, that orders the rows best by average precision."""

    kind = "rule"

    def __init__(self, *, seed: int = 7) -> None:
        self.seed = seed

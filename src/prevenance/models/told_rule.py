"""The simple rule as it is told: the single feature that it goes by."""

from collections.abc import Sequence

import pandas as pd

from prevenance.models.bundle import Fitted
from prevenance.models.cross_fit import learned_model, learning_rows
from prevenance.models.folds import Fold


def fitted_rule(rows: pd.DataFrame, fold: Fold, features: Sequence[str], *, seed: int) -> Fitted:
    """Return the simple rule of one fold as ``training.fit_model`` learns it from usable rows, not calibrated: for who asks only what it goes by.

    Raises:
        PrevenanceError: E601 if the fold has no closed label to learn from.
    """
    return learned_model("rule", learning_rows(rows, fold, features).whole, features, seed, {}, 0)


def rule_text(fitted: Fitted) -> str:
    """Return the rule's single feature and direction in words, such as ``days_since_login, largest first``."""
    if not fitted.parameters:
        return "none"
    side = "largest" if fitted.parameters["direction"] > 0 else "smallest"
    return f"{fitted.encoder.features[fitted.parameters['place']]}, {side} first"

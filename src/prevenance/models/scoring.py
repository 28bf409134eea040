"""Snapshots -> chances: the same features as in training, one fitted model."""

import numpy as np
import pandas as pd

from prevenance.models import bundle
from prevenance.models.bundle import Fitted

UNKNOWN = "not_enough_data"


def cohort_scores(fitted: Fitted, cohort: pd.DataFrame, unknown: pd.Series) -> pd.DataFrame:
    """Return the cohort with its chances: customer_id[, product_id], state0, value_at_stake, score, score_low, score_high; its rows and index.

    Scores are calibrated chances in [0, 1] with their 90 % interval. A customer of whom
    nothing is known has no score and the state ``not_enough_data``: no data is never healthy.

    Args:
        fitted: the model.
        cohort: customer_id[, product_id], state (at_risk or too_late), value_at_stake and every input of the model.
        unknown: of whom nothing is known, bool with the index of ``cohort``.

    Raises:
        PrevenanceError: E504 if the model wants other inputs.
        ValueError: a row comes twice.
    """
    keys = [key for key in ("customer_id", "product_id") if key in cohort]
    if cohort.duplicated(keys).any():
        raise ValueError("a customer has two rows of features")
    # A model without inputs knows nobody better than anybody else: there nobody is unknown.
    dark = unknown.to_numpy(dtype=bool) & bool(fitted.encoder.features)
    score = np.where(dark, np.nan, bundle.chance(fitted, cohort))
    low, high = bundle.interval(fitted, score)
    told = {
        **{key: cohort[key].to_numpy() for key in keys},
        "state0": np.where(dark & (cohort["state"] == "at_risk"), UNKNOWN, cohort["state"]),
        "value_at_stake": cohort["value_at_stake"].to_numpy(dtype="float64"),
        "score": score,
        "score_low": low,
        "score_high": high,
    }
    return pd.DataFrame(told, index=cohort.index).astype(dict.fromkeys((*keys, "state0"), "str"))

"""Tonight's snapshots -> chances: the same features as in training, one fitted model, two moments."""

import numpy as np
import pandas as pd

from prevenance.models import bundle
from prevenance.models.bundle import Fitted

UNKNOWN = "not_enough_data"


def cohort_scores(
    fitted: Fitted, features_now: pd.DataFrame, features_before: pd.DataFrame, cohort_now: pd.DataFrame, unknown: pd.Series | None = None
) -> pd.DataFrame:
    """Return the cohort with its chances: customer_id, state0, value_at_stake, score, score_low, score_high, score_before.

    One row per row of ``cohort_now``, in its order; where that has product_id, a row is a customer and a product and keeps it.
    Scores are calibrated chances in [0, 1] with their 90 % interval. A customer of whom
    nothing is known has no score and the state ``not_enough_data``: no data is never healthy. ``score_before`` is NaN for a customer who
    was not in the cohort then.

    Args:
        fitted: the model.
        features_now: customer_id and every input of the model at the cutoff, a row for each customer of the cohort.
        features_before: the same at cutoff - 28 days, for the customers who were in the cohort then; may be empty.
        cohort_now: customer_id, state (at_risk or too_late), value_at_stake.
        unknown: of whom nothing is known, bool with the index of ``cohort_now``; by default those without a single input.

    Raises:
        PrevenanceError: E504 if the model wants other inputs.
        ValueError: a customer of the cohort has no features.
    """
    keys = [key for key in ("customer_id", "product_id") if key in cohort_now]
    order = cohort_now.set_index(keys).index
    given = _by(keys, features_now)
    if lost := len(order.difference(given.index)):
        raise ValueError(f"{lost} of {len(order)} customers of the cohort have no features")
    now = given.reindex(order)
    hidden = now.reindex(columns=list(fitted.encoder.features)).isna().all(axis=1) if unknown is None else unknown
    # A model without inputs knows nobody better than anybody else: there nobody is unknown.
    dark = hidden.to_numpy(dtype=bool) & bool(fitted.encoder.features)
    score = np.where(dark, np.nan, bundle.chance(fitted, now))
    low, high = bundle.interval(fitted, score)
    before = _by(keys, features_before)
    earlier = pd.Series(bundle.chance(fitted, before) if len(before) else [], index=before.index, dtype="float64")
    return pd.DataFrame(
        {
            **{key: cohort_now[key].to_numpy() for key in keys},
            "state0": np.where(dark & (cohort_now["state"] == "at_risk"), UNKNOWN, cohort_now["state"]),
            "value_at_stake": cohort_now["value_at_stake"].to_numpy(dtype="float64"),
            "score": score,
            "score_low": low,
            "score_high": high,
            "score_before": np.where(dark, np.nan, earlier.reindex(order)),
        }
    ).astype(dict.fromkeys((*keys, "state0"), "str"))


def _by(keys: list[str], features: pd.DataFrame) -> pd.DataFrame:
    if features.duplicated(keys).any():
        raise ValueError("a customer has two rows of features")
    return features.set_index(keys)

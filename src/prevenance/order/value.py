"""The order of a list: what contacting a customer is expected to be worth, and each row's place by it."""

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError

WORKABLE = "at_risk"
ORDER = {WORKABLE: 0, "too_late": 1, "not_enough_data": 2}
"""The states a scored customer may have, in the order in which they are placed."""


def check_share(share: float) -> None:
    """Raise E202 for a share of saved money outside [0, 1]."""
    if not 0 <= share <= 1:
        fix = "write 15 % as 0.15"
        raise PrevenanceError("E202", f"the share a contact saves is {share}, must lie in [0, 1]", fix=fix, setting="outreach.share")


def expected_value(rows: pd.DataFrame, share: float, cost: float, lift: pd.Series | float = 1.0) -> pd.Series:
    """Return the expected value of contacting each customer, to the cent; NaN where it is unknown or the customer is not workable.

    ``score * value_at_stake * share * lift - cost``: this formula stands here and nowhere else.
    """
    gain = (rows["score"] * rows["value_at_stake"] * share).where(rows["state0"] == WORKABLE)
    # + 0.0: no -0.0 in a file.
    return (gain * lift - cost).round(2) + 0.0


def list_places(rows: pd.DataFrame, worth: pd.Series, chance: pd.Series) -> pd.Series:
    """Return each row's place, 1 first; the order of ``rows`` plays no part.

    Groups follow as in ``ORDER``; within one by ``worth`` (unknown last, those by ``chance``), or by ``chance`` if no worth is known at
    all; then by the larger value, then by the smaller id.
    """
    by_chance = -chance if worth.isna().all() else -chance.where(worth.isna(), 0.0)
    keys = [
        *([_rank_of(rows["product_id"])] if "product_id" in rows else []),
        _rank_of(rows["customer_id"]),
        *(one.to_numpy(dtype="float64") for one in (-rows["value_at_stake"], by_chance, -worth, chance.isna())),
        rows["state0"].map(ORDER).to_numpy(dtype="float64"),
    ]
    # The last key is the first to count, and what is unknown comes last in each.
    places = np.empty(len(rows), dtype="int64")
    places[np.lexsort(keys)] = np.arange(1, len(rows) + 1)
    return pd.Series(places, index=rows.index)


def _rank_of(names: pd.Series) -> np.ndarray:
    """Return the place of each name among all in the order of the alphabet; unknown ones last."""
    codes = pd.factorize(names.astype("str"), sort=True)[0]
    return np.where(codes < 0, len(codes), codes)

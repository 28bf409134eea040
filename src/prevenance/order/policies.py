"""Policies: the orders a list may have. Each is back-tested like a model, as it would be shipped."""

from collections.abc import Callable, MutableMapping

import numpy as np
import pandas as pd

from prevenance.order.value import WORKABLE, expected_value, list_places

Policy = Callable[[pd.DataFrame], pd.Series]
"""Takes rows with customer_id, owner, score, value_at_stake and expected_value; returns what a contact is worth, the highest first."""

DEFAULT = "value_above_floor"

OFFERED = ["product_id", "product", "place", "customer_id", "score", "score_low", "score_high", "value_at_stake", "expected_value"]

POLICIES: MutableMapping[str, Policy] = {
    "chance": lambda rows: rows["score"],
    "value": lambda rows: rows["expected_value"],
    DEFAULT: lambda rows: rows["expected_value"],
}
"""Name -> order. Who is below the floor stands on no list of people to keep, whatever the order."""


def policy_places(rows: pd.DataFrame, policy: str, share: float, cost: float, lift: pd.Series | float = 1.0) -> pd.Series:
    """Return each row's place by a policy, 1 first; ``lift`` raises the gain of a contact before its cost, and the chance.

    Unknown worth comes last, by the chance; ties go to the larger value, then to the smaller id.
    """
    lifted = rows.assign(score=rows["score"] * lift, expected_value=expected_value(rows, share, cost, lift))
    worth = POLICIES[policy](lifted).reindex(rows.index).astype("float64")
    return list_places(rows, worth, lifted["score"])


def offers_by_product(offers: pd.DataFrame, *, policy: str, share: float, cost_per_contact: float) -> pd.DataFrame:
    """Return every workable offer, product by product, best customer first: product_id, product, place, customer_id, score, ....

    ``offers``: customer_id, product_id, product, state0, score, score_low, score_high, value_at_stake; one row per customer and product.
    ``place`` counts from 1 within a product, in the order of the list.
    """
    rows = offers[offers["state0"] == WORKABLE].reset_index(drop=True)
    rows["expected_value"] = expected_value(rows, share, cost_per_contact)
    ordered = rows.iloc[np.argsort(policy_places(rows, policy, share, cost_per_contact).to_numpy(), kind="stable")]
    ordered = ordered.sort_values("product_id", kind="stable").reset_index(drop=True)
    ordered.insert(0, "place", ordered.groupby("product_id").cumcount() + 1)
    return ordered[OFFERED]


def best_offers(offers: pd.DataFrame, *, policy: str, share: float, cost_per_contact: float) -> pd.DataFrame:
    """Return the one best row of each customer (same columns, the index of ``offers``), chosen in the order of the list."""
    rows = offers.reset_index(drop=True)
    place = policy_places(rows, policy, share, cost_per_contact)
    return offers.iloc[np.argsort(place.to_numpy(), kind="stable")].drop_duplicates("customer_id").sort_index()


def as_likely_offers(chosen: pd.DataFrame, offers: pd.DataFrame) -> dict[str, str]:
    """Return customer_id -> the product of the likeliest other offer whose chance lies within the band of the chosen one's."""
    mine = chosen.set_index("customer_id")
    others = offers[(offers["state0"] == WORKABLE) & offers["customer_id"].isin(mine.index)]
    beside = mine.loc[others["customer_id"]]
    within = others["score"].to_numpy() >= beside["score_low"].to_numpy()
    others = others[within & (others["product_id"].to_numpy() != beside["product_id"].to_numpy())]
    best = others.sort_values(["score", "product_id"], ascending=[False, True], kind="stable").drop_duplicates("customer_id")
    return dict(zip(best["customer_id"], best["product"], strict=True))

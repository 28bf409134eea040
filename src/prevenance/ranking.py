"""The ranked list: whom to contact first, what it is worth, what to do and by when.

One row is a customer of the cohort at one cutoff, and every customer comes out again. Workable customers come first, by
expected value; the first ``capacity`` of them have a rank and are to be worked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.errors import PrevenanceError

COLUMNS = (
    *("rank", "customer_id", "name", "owner", "segment", "score", "score_low", "score_high", "change_28d"),
    *("value_at_stake", "expected_value", "reasons", "holds", "action", "act_by", "arm", "state"),
    *("target", "cutoff", "horizon_days", "model", "run_id", "data_until"),
)

WORKABLE = "at_risk"
ORDER = {WORKABLE: 0, "too_late": 1, "not_enough_data": 2}
"""The groups of the list, in their order."""


PAIR_COLUMNS = ("product_id", "product")
"""What a list of offers has besides."""


@dataclass(frozen=True)
class Play:
    """What to do: ``action``, within ``days`` after the cutoff, if one of ``words`` begins a word of the first reason.

    Case plays no part; a play without words fits every reason, and no reason. ``{product}`` in the action stands for the row's product.
    """

    action: str
    days: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stamp:
    """What every row of one list carries: where it comes from. ``cutoff`` and ``data_until`` are naive UTC."""

    target: str
    cutoff: datetime
    horizon_days: int
    model: str
    run_id: str
    data_until: datetime | None


def rank(
    scored: pd.DataFrame, stamp: Stamp, *, capacity: int, share: float, cost_per_contact: float, playbook: Mapping[str, Play]
) -> pd.DataFrame:
    """Return the ranked list: the columns ``COLUMNS`` and exactly one row for each row of ``scored``, best first.

    Rows with product_id and product (one offer a customer) keep them as last columns.

    ``expected_value = score * value_at_stake * share - cost_per_contact``, in the source's currency, to the cent; empty where
    the value is unknown and where a contact comes too late. Workable customers are ordered by it (unknown last), or by score
    if no value is known at all; then by the larger value, then by the smaller id. Groups follow as in ``ORDER``. No rows in
    gives no rows out.

    Args:
        scored: customer_id, name, owner, segment, state0 (a key of ``ORDER``), score, score_low, score_high, score_before (the
            same model at cutoff - 28 days; NaN if the customer was not in the cohort then), value_at_stake, reasons, holds.
        stamp: what every row carries.
        capacity: how many customers the team can work; at least 1.
        share: share of the money at stake that a contact usually saves, in [0, 1].
        cost_per_contact: what one contact costs.
        playbook: reason family -> play; the first that fits the first reason is the action.

    Raises:
        PrevenanceError: E202 for a capacity below 1 or a share outside [0, 1].
        ValueError: a workable customer has no score in [0, 1], a state is unknown or a customer comes twice.
    """
    _check_settings(capacity, share)
    _check_rows(scored)
    rows = scored.reset_index(drop=True)
    rows["value_at_stake"] = rows["value_at_stake"].astype("float64").round(2)
    workable = rows["state0"] == WORKABLE
    worth = _worth(rows, "score", share, cost_per_contact)
    place = _places(rows, "score", worth)
    worked = workable & (place <= capacity)
    before = _places(rows, "score_before", _worth(rows, "score_before", share, cost_per_contact))
    was_worked = workable & rows["score_before"].notna() & (before <= capacity)
    rows["rank"] = place.where(worked).astype("Int64")
    rows["change_28d"] = ((rows["score"] - rows["score_before"]) * 100).round(4) + 0.0
    rows["expected_value"] = worth
    rows["state"] = rows["state0"].where(~workable, np.where(worked & ~was_worked, "new", "open"))
    rows["arm"] = pd.Series("contact", index=rows.index, dtype="str").where(worked)
    rows = _with_actions(rows, worked, stamp.cutoff, playbook)
    rows = _stamped(rows, stamp)
    columns = [*COLUMNS, *(name for name in PAIR_COLUMNS if name in rows)]
    return rows.iloc[np.argsort(place.to_numpy(), kind="stable")][columns].reset_index(drop=True)


def by_product(offers: pd.DataFrame, *, share: float, cost_per_contact: float) -> pd.DataFrame:
    """Return every workable offer, product by product, best customer first: product_id, product, place, customer_id, score, ....

    ``offers``: customer_id, product_id, product, state0, score, score_low, score_high, value_at_stake; one row per customer and product.
    ``place`` counts from 1 within a product, in the order of the list (expected value, or the chance where no value is known).
    """
    rows = offers[offers["state0"] == WORKABLE].reset_index(drop=True)
    rows["expected_value"] = _worth(rows, "score", share, cost_per_contact)
    ordered = rows.iloc[np.argsort(_places(rows, "score", rows["expected_value"]).to_numpy(), kind="stable")]
    ordered = ordered.sort_values("product_id", kind="stable").reset_index(drop=True)
    ordered.insert(0, "place", ordered.groupby("product_id").cumcount() + 1)
    shown = ["product_id", "product", "place", "customer_id", "score", "score_low", "score_high", "value_at_stake", "expected_value"]
    return ordered[shown]


def best_offers(offers: pd.DataFrame, *, share: float, cost_per_contact: float) -> pd.DataFrame:
    """Return the one best row of each customer (same columns, the index of ``offers``), chosen in the order of the list."""
    place = _places(offers.reset_index(drop=True), "score", _worth(offers.reset_index(drop=True), "score", share, cost_per_contact))
    ordered = offers.iloc[np.argsort(place.to_numpy(), kind="stable")]
    return ordered.drop_duplicates("customer_id").sort_index()


def _check_settings(capacity: int, share: float) -> None:
    if capacity < 1:
        raise PrevenanceError("E202", f"capacity is {capacity}, must be at least 1", fix="set capacity=1 or more", setting="capacity")
    if not 0 <= share <= 1:
        raise PrevenanceError(
            "E202", f"the share a contact saves is {share}, must lie in [0, 1]", fix="write 15 % as 0.15", setting="outreach.share"
        )


def _check_rows(scored: pd.DataFrame) -> None:
    if strange := sorted(set(scored["state0"].dropna()) - set(ORDER)) or scored["state0"].isna().any():
        raise ValueError(f"unknown state0 {strange}; known are {', '.join(ORDER)}")
    wrong = (scored["state0"] == WORKABLE) & ~scored["score"].between(0, 1)
    if wrong.any():
        raise ValueError(f"{int(wrong.sum())} workable customers have no score in [0, 1], first at row {int(wrong.to_numpy().argmax())}")
    if scored["customer_id"].duplicated().any():
        raise ValueError(f"{int(scored['customer_id'].duplicated().sum())} customers come twice in one list")


def _worth(rows: pd.DataFrame, score: str, share: float, cost: float) -> pd.Series:
    """Return the expected value of contacting each customer, to the cent; NaN where it is unknown or too late."""
    worth = (rows[score] * rows["value_at_stake"] * share - cost).round(2) + 0.0
    return worth.where(rows["state0"] == WORKABLE)


def _places(rows: pd.DataFrame, score: str, worth: pd.Series) -> pd.Series:
    """Return each row's place in the whole list, 1 first; row order of ``rows`` does not matter."""
    keys = pd.DataFrame(
        {
            "group": rows["state0"].map(ORDER).astype("int64"),
            "unscored": rows[score].isna(),
            "worth": -worth,
            "chance": -rows[score] if worth.isna().all() else -rows[score].where(worth.isna(), 0.0),
            "value": -rows["value_at_stake"],
            "id": rows["customer_id"].astype("str"),
            "product": rows["product_id"].astype("str") if "product_id" in rows else "",
        }
    )
    order = keys.sort_values(list(keys.columns), na_position="last", kind="stable").index
    return pd.Series(np.arange(1, len(rows) + 1), index=order).reindex(rows.index)


def play_for(reasons: object, playbook: Mapping[str, Play]) -> Play | None:
    """Return the first play of ``playbook`` that fits the first of ``reasons`` (joined with "; "), or ``None``.

    >>> play_for("Logins 41 → 16 in 28 days; Tickets in 28 days: 3", {"usage": Play("Call", 7, ("login",))})
    Play(action='Call', days=7, words=('login',))
    """
    first = reasons.split("; ")[0].lower() if isinstance(reasons, str) else ""
    return next((play for play in playbook.values() if not play.words or any(_begins(word, first) for word in play.words)), None)


def _begins(word: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(word.lower())}", text) is not None


def _with_actions(rows: pd.DataFrame, worked: pd.Series, cutoff: datetime, playbook: Mapping[str, Play]) -> pd.DataFrame:
    plays = [play_for(reasons, playbook) if todo else None for reasons, todo in zip(rows["reasons"], worked, strict=True)]
    by = [(cutoff + timedelta(days=play.days)).date().isoformat() if play else None for play in plays]
    products = rows["product"] if "product" in rows else [""] * len(rows)
    told = [play.action.replace("{product}", product) if play else None for play, product in zip(plays, products, strict=True)]
    rows["action"] = pd.Series(told, index=rows.index, dtype="str")
    rows["act_by"] = pd.Series(by, index=rows.index, dtype="str")
    return rows


def _stamped(rows: pd.DataFrame, stamp: Stamp) -> pd.DataFrame:
    until = pd.NaT if stamp.data_until is None else pd.Timestamp(stamp.data_until)
    return rows.assign(
        target=stamp.target,
        cutoff=pd.Timestamp(stamp.cutoff).as_unit("us"),
        horizon_days=stamp.horizon_days,
        model=stamp.model,
        run_id=stamp.run_id,
        data_until=pd.Series(until, index=rows.index, dtype="datetime64[us]"),
    )

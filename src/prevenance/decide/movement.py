"""What moved since the last list: who entered, who is gone and why, and how far the others went."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

ENTERED = "entered"
SHOWN = 50
"""Customers at most that are named as gone."""


def rank_moves(now: pd.DataFrame, before: pd.DataFrame) -> dict[str, str]:
    """Return customer_id -> ``entered``, ``up 3``, ``down 2`` or "" for each ranked row of ``now`` against the list ``before``.

    Both: customer_id and rank (missing where a row is not to be worked), one row a customer.
    """
    held = _ranks(before)
    found = {}
    for customer, rank in _ranks(now).items():
        step = 0 if customer not in held else held[customer] - rank
        found[customer] = ENTERED if customer not in held else f"up {step}" if step > 0 else f"down {-step}" if step < 0 else ""
    return found


def customers_gone(
    now: pd.DataFrame, before: pd.DataFrame, hidden: Collection[str], cooling: Collection[str], renewed: Collection[str]
) -> list[dict[str, Any]]:
    """Return who was to be worked on the list ``before`` and is not on ``now``, in the order of ``before``: customer_id, name, why.

    ``why``: contacted (left in peace for now), too_late, not_enough_data, holdout, escalated, snoozed, renewed, recovered (the chance
    fell), overtaken (others are worth more now), or "" (no longer asked about).

    Args:
        now: customer_id, name, rank, score, apart.
        before: the same without apart.
        hidden: who must not be named: opted out meanwhile.
        cooling: who was contacted lately.
        renewed: whose contract was renewed since.
    """
    listed, held = set(_ranks(now)), _ranks(before)
    rows = {row["customer_id"]: row for row in now.to_dict("records")}
    found = []
    for row in before.to_dict("records"):
        customer = row["customer_id"]
        if customer in held and customer not in listed and customer not in hidden:
            why = _why(row, rows.get(customer), customer in cooling, customer in renewed)
            found.append({"customer_id": customer, "name": row["name"], "why": why})
    return found


def counts_apart(now: pd.DataFrame) -> dict[str, int]:
    """Return how many rows stand apart, by reason."""
    apart = now["apart"].fillna("") if "apart" in now else now["state"]
    told = apart.value_counts()
    names = ("snoozed", "not_enough_data", "too_late", "holdout", "escalated")
    # Lists of earlier versions have neither column.
    woken = int(now["woken_points"].notna().sum()) if "woken_points" in now else 0
    return {name: int(told.get(name, 0)) for name in names} | {"woken": woken}


def _why(then: Mapping[Any, Any], row: Mapping[Any, Any] | None, cooling: bool, renewed: bool) -> str:
    if row is None:
        return "contacted" if cooling else "renewed" if renewed else ""
    apart = row.get("apart")
    if isinstance(apart, str) and apart not in ("", "beyond_capacity"):
        return apart
    if renewed:
        return "renewed"
    return "recovered" if pd.notna(row["score"]) and pd.notna(then["score"]) and row["score"] < then["score"] else "overtaken"


def _ranks(rows: pd.DataFrame) -> dict[str, int]:
    ranked = rows[rows["rank"].notna()]
    return {customer: int(rank) for customer, rank in zip(ranked["customer_id"], ranked["rank"], strict=True)}

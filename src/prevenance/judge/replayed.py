"""What a training claims of a test period beside the same list made again from the history: each difference has its reason."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from prevenance.judge.outcomes import HAPPENED, TOO_LATE
from prevenance.order.decision import BELOW, BEYOND, COOLING

USED = "used"
"""Beyond the capacity because a part of it was used up in that week."""

ITEMS: Mapping[str, str] = {
    "refitted": "the model was fitted again, and who was inside stays",
    "known_later": "outcomes that were not known alike",
    "other_cohort": "asked about in one of the two only",
    COOLING: "contacted lately",
    USED: "a part of that week's capacity was used",
    "holdout": "hold-out",
    BELOW: "below the floor of one of the two",
    "escalated": "in an escalation",
    "snoozed": "snoozed",
    "too_late": "too late",
    "not_enough_data": "not enough data to judge",
}
"""Reason -> what it is called."""


def replay_differences(claimed: pd.DataFrame, replayed: pd.DataFrame, cooling: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return claim and replay of one cutoff: contacts and hits of both, and ``items``: reason -> hits that the replay has more (or less) by it.

    The items add up to the difference of the hits, exactly.

    Args:
        claimed: the rows of the model in use at the test cutoff: customer_id, label, rank, apart (see ``shipped.with_ranks``).
        replayed: the replayed list with what became of it: customer_id, rank, apart, outcome, state.
        cooling: who is absent from the replay because they were contacted lately.
    """
    ours = _by_customer(claimed, claimed["label"] > 0)
    came = replayed["outcome"].isin([HAPPENED, TOO_LATE]) & (replayed["state"] != "too_late")
    theirs = _by_customer(replayed, came)
    both = ours.add_suffix("_claimed").join(theirs.add_suffix("_replayed"), how="outer")
    items: dict[str, int] = {}
    for customer, row in both.iterrows():
        before, after = _is_hit(row, "_claimed"), _is_hit(row, "_replayed")
        if before != after:
            reason = _reason(row, str(customer) in cooling)
            items[reason] = items.get(reason, 0) + int(after) - int(before)
    return {
        "contacts": {"claimed": int(ours["listed"].sum()), "replayed": int(theirs["listed"].sum())},
        "hits": {"claimed": int((ours["listed"] & ours["came"]).sum()), "replayed": int((theirs["listed"] & theirs["came"]).sum())},
        "same": int((both["listed_claimed"].eq(True) & both["listed_replayed"].eq(True)).sum()),
        "items": {name: items[name] for name in sorted(items) if items[name]},
    }


def _by_customer(rows: pd.DataFrame, came: pd.Series) -> pd.DataFrame:
    """Return listed, came and apart by customer: of several offers the one on the list."""
    told = pd.DataFrame({"customer_id": rows["customer_id"], "listed": rows["rank"].notna(), "came": came, "apart": rows["apart"]})
    return (
        told.sort_values(["customer_id", "listed"], ascending=[True, False], kind="stable")
        .drop_duplicates("customer_id")
        .set_index("customer_id")
    )


def _is_hit(row: Any, side: str) -> bool:
    return row[f"listed{side}"] is True and row[f"came{side}"] is True


def _reason(row: Any, cooling: bool) -> str:
    """Return why a customer is a hit of one list only."""
    if row["listed_claimed"] is True and row["listed_replayed"] is True:
        return "known_later"
    other = row["apart_replayed"] if row["listed_claimed"] is True else row["apart_claimed"]
    if not isinstance(other, str):
        return COOLING if cooling else "other_cohort"
    return "refitted" if other in ("", BEYOND) else other

"""What a ranking gives at every length: precision and recall, gain, lift, the spread of the chances, and what one more contact brings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from prevenance.judge.bootstrap import closed_rows
from prevenance.judge.shipped import RulesAt, decided_test, with_known
from prevenance.order.capacity import Room
from prevenance.order.holdout import HOLDOUT

POINTS = 60
"""Points at most of a curve."""

LONGEST = 5
"""The profit is told up to so many times the capacity."""

ENDLESS = Room(contacts=1 << 40)


def ranking_curve(predictions: pd.DataFrame, model: str) -> list[dict[str, float]]:
    """Return the raw ranking of a model at growing lengths, all test periods together: share, recall (gain), precision, lift.

    ``share`` of the customers of each period is contacted in the order of the ranking value; customers who share one (ties) come together,
    so no order that nobody decided flatters a curve. Empty without an outcome.
    """
    rows, _ = closed_rows(predictions[predictions["model"] == model])
    outcomes = float(rows["label"].sum())
    if not outcomes:
        return []
    # The share of its own period down to a row and its ties: periods are unequally large, and levels move between them.
    share = rows.groupby("cutoff")["raw"].rank(method="max", ascending=False, pct=True)
    told = pd.DataFrame({"share": share, "hits": rows["label"], "rows": 1.0}).groupby("share").sum().cumsum()
    base, places = outcomes / len(rows), _places(len(told))
    reached = pd.DataFrame(
        {
            "share": told["rows"] / len(rows),
            "recall": told["hits"] / outcomes,
            "precision": told["hits"] / told["rows"],
            "lift": told["hits"] / told["rows"] / base,
        }
    )
    return [{str(name): round(float(value), 6) for name, value in one.items()} for one in reached.iloc[places].to_dict("records")]


def chance_histogram(predictions: pd.DataFrame, model: str, bins: int = 20) -> list[dict[str, float]]:
    """Return how the chances of the test periods spread: low, high, snapshots and outcomes of each of ``bins`` equal steps, [low, high).

    The steps end at the largest chance rounded up; the last holds it.
    """
    rows, _ = closed_rows(predictions[predictions["model"] == model])
    if rows.empty:
        return []
    score = rows["score"].to_numpy(dtype=float)
    top = min(1.0, max(0.02, float(np.ceil(score.max() * 50) / 50)))
    place = np.minimum((score / top * bins).astype(int), bins - 1)
    counts, outcomes = np.bincount(place, minlength=bins), np.bincount(place, rows["label"].to_numpy(dtype=float), bins)
    return [
        {
            "low": round(top * one / bins, 6),
            "high": round(top * (one + 1) / bins, 6),
            "snapshots": int(counts[one]),
            "outcomes": int(outcomes[one]),
        }
        for one in range(bins)
    ]


def profit_curve(predictions: pd.DataFrame, known: pd.DataFrame, model: str, rules_at: RulesAt, capacity: int) -> dict[str, Any]:
    """Return what lists of every length would have brought, in the order that is shipped: ``points`` (contacts a list, net, expected) and where it stops paying.

    The decision of tonight's list is made at each test cutoff with room for everybody (floor, hold-out, who may be contacted and order stay); ``net``
    is the money at stake of the hits × the share that a contact is assumed to keep, less the cost of the contacts, summed over the tests;
    ``expected`` is the same by the chances. ``best`` and ``best_expected`` are the contacts a list with the largest net; ``contacts`` is the
    longest list that any test had. Empty where no money is known.

    Args:
        predictions: with ranks, see ``shipped.with_ranks``.
        known: as there.
        model: whose lists.
        rules_at: as there.
        capacity: contacts a list.
    """
    rows, _ = closed_rows(predictions[predictions["model"] == model])
    if rows.empty or not rows["value_at_stake"].notna().any():
        return {}
    told = with_known(rows, known)
    parts, rules = [], rules_at(model, pd.Timestamp(rows["cutoff"].iloc[0]).to_pydatetime())
    for cutoff, part in told.groupby("cutoff", sort=True):
        usual = rules_at(model, pd.Timestamp(cutoff).to_pydatetime())
        alone = decided_test(part, usual)["apart"] == HOLDOUT
        every = decided_test(part, replace(usual, room=ENDLESS, holdout=replace(usual.holdout, share=0.0)))
        rank = every["rank"].mask(alone).rank()
        worth = part["value_at_stake"].fillna(0.0) * rules.share
        each = {"rank": rank, "net": part["label"] * worth - rules.cost, "expected": part["score"] * worth - rules.cost}
        parts.append(pd.DataFrame(each).dropna(subset=["rank"]))
    listed = pd.concat(parts)
    if listed.empty:
        return {}
    summed = listed.groupby(listed["rank"].astype(int))[["net", "expected"]].sum().cumsum()
    best = {f"best{ending}": int(summed[name].idxmax()) for ending, name in (("", "net"), ("_expected", "expected"))}
    shown = summed[summed.index <= max(LONGEST * capacity, 10)]
    picked = shown.iloc[_places(len(shown), also=capacity - 1)]
    points = [
        {"contacts": int(rank), "net": round(float(one.net), 2), "expected": round(float(one.expected), 2)}
        for rank, one in zip(picked.index, picked.itertuples(), strict=True)
    ]
    return {"points": points, **best, "contacts": int(summed.index.max()), "tests": len(parts)}


def _places(length: int, also: int = -1) -> list[int]:
    """Return at most ``POINTS`` places of a curve, evenly, first and last among them; ``also`` is one more."""
    chosen = {round(one) for one in np.linspace(0, length - 1, min(length, POINTS))} if length else set()
    return sorted(chosen | ({also} if 0 <= also < length else set()))

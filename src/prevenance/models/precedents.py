"""What became of past customers with about the same chance: counts only, kept with the model, never who they were."""

from typing import Any

import numpy as np
import pandas as pd

from prevenance.models.bands import knots_of

NEAREST, FEWEST = 60, 20
"""Past customers behind one count, and how many there must be in all for any count to be kept."""

Precedents = list[list[float]]
"""Knots [score, customers, with the outcome], scores ascending."""


def precedents(rows: pd.DataFrame) -> Precedents:
    """Return, at ``knots_of`` the scores, how many of the ``NEAREST`` past customers had the outcome; [] with fewer than ``FEWEST`` customers.

    Each customer counts once, by the row nearest in score (the first of equals); customers as near as the last one count too.

    ``rows``: customer_id, label (1.0 or 0.0) and score (the chance), predicted for later periods than the model had learned from.
    """
    codes, customers = pd.factorize(rows["customer_id"])
    if len(customers) < FEWEST:
        return []
    scores, labels = rows["score"].to_numpy(dtype="float64"), rows["label"].to_numpy(dtype="float64")
    return [_around(scores, labels, codes, float(score)) for score in knots_of(scores)]


def similar_counts(about: dict[str, Any], score: float | None) -> tuple[int, int] | None:
    """Return (customers, with the outcome) among past customers nearest to ``score``, or ``None`` where a model keeps no such counts."""
    kept: Precedents = about.get("precedents") or []
    if not kept or score is None or not np.isfinite(score):
        return None
    near = min(kept, key=lambda one: (abs(one[0] - score), one[0]))
    return int(near[1]), int(near[2])


def _around(scores: np.ndarray, labels: np.ndarray, codes: np.ndarray, score: float) -> list[float]:
    distance = np.abs(scores - score)
    order = np.argsort(distance, kind="stable")
    # Once a customer: ten snapshots of one are not ten precedents.
    _, first = np.unique(codes[order], return_index=True)
    own = order[np.sort(first)]
    chosen = own[distance[own] <= distance[own[min(NEAREST, len(own)) - 1]]]
    return [score, float(len(chosen)), float(labels[chosen].sum())]

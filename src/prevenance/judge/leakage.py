"""Leakage: features that know more than they could have known, told by their footprints in the training frame.

The history lets no fact through before it was known; a source that lies about when it knew (a field filled in after the cancellation, a
date that runs to the last event) still can. Such features are too good, and each rule here says in what way. Strong honest signals come in
families (the same thing over several lookbacks), so the rules ask for a lead over every other feature, not for strength alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prevenance.judge.footprints import PARTS, Floats, Rows, footprint_sentence, leakage_rows
from prevenance.judge.metrics import roc_auc
from prevenance.models.folds import Fold

LEADS = ((1, 0.75, 0.10), (2, 0.90, 0.10), (3, 0.90, 0.10))
"""The best so many features are named if each alone has at least this AUC and this much more than the next."""

COST, COST_FROM = 0.10, 0.75
"""A feature is named if a small model of at least AUC ``COST_FROM`` loses ``COST`` without it..."""

HALVES, HALVES_FROM = 0.05, 0.90
"""...or if one of at least AUC ``HALVES_FROM`` loses ``HALVES`` and its distance from 1 doubles: near the top there is less to lose."""

_SEARCHED, _ROUNDS = 4, 60

_SMALL = {
    "objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20, "max_bin": 63,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What a feature does to the AUC of customers that were not learned from.

    ``alone``: the feature by itself; ``with_it``, ``without``: a small model of all features that were not named, with and without it (None
    where that was not tried). ``why`` is one sentence if the feature looks like a leak, else empty.
    """

    feature: str
    alone: float
    with_it: float | None
    without: float | None
    why: str


def find_leaks(frame: pd.DataFrame, features: Sequence[str], parted: Sequence[Fold], seed: int) -> list[dict[str, object]]:
    """Return the features that look like leaks, worst first: feature, why (one sentence), flattered_by.

    ``flattered_by`` is how much AUC the feature adds to a small model of all features that were not named. Scores are always for customers
    that were not learned from. ``parted`` limits the rows to the cutoffs of these folds; without folds all rows are used. Nothing is named
    where fewer than ``ENOUGH`` customers have, or do not have, the outcome: chance alone would look like a leak there. A pair (customer
    and product_id) is followed through time as a customer is.
    """
    if "product_id" in frame:
        # Otherwise the offers of a customer would seem to change from row to row.
        frame = frame.assign(customer_id=frame["customer_id"] + " " + frame["product_id"])
    return [
        {"feature": one.feature, "why": one.why, "flattered_by": max(0.0, round((one.with_it or 0.0) - (one.without or 0.0), 3))}
        for one in measure_features(frame, features, parted, seed, others=0)
    ]


def measure_features(frame: pd.DataFrame, features: Sequence[str], parted: Sequence[Fold], seed: int, *, others: int) -> list[Measured]:
    """Return the features that look like leaks as ``find_leaks`` does, then the ``others`` best of the rest by their AUC alone.

    Empty where there are too few customers with or without the outcome to tell.
    """
    rows = leakage_rows(frame, features, parted, seed)
    if rows is None:
        return []
    named = {place: why for place in range(len(rows.names)) if (why := footprint_sentence(rows, place))}
    # One at a time: beside a strong leak the others look harmless.
    while found := _leader(rows, named) or _costly(rows, named, seed):
        named |= found
    clean = [place for place in range(len(rows.names)) if place not in named]
    base = _small(rows, clean, seed)[0] if named or others else 0.5
    leaks = [_measure(rows, place, _small(rows, [*clean, place], seed)[0], base, named[place]) for place in named]
    leaks.sort(key=lambda one: (-max(0.0, round((one.with_it or 0.0) - base, 3)), -one.alone, one.feature))
    best = sorted(clean, key=lambda place: (-rows.strength[place], rows.names[place]))[:others]
    rest = [_measure(rows, place, base, _small(rows, [other for other in clean if other != place], seed)[0], "") for place in best]
    return [*leaks, *rest]


def _measure(rows: Rows, place: int, with_it: float, without: float, why: str) -> Measured:
    return Measured(rows.names[place], float(rows.strength[place]), with_it, without, why)


def _leader(rows: Rows, named: dict[int, str]) -> dict[int, str]:
    """Return the best feature, or the best few, if alone too far ahead of every other that is no copy of them."""
    strength = rows.strength
    left = [place for place in range(len(rows.names)) if place not in named]
    ranked = sorted(left, key=lambda place: (-strength[place], rows.names[place]))
    for size, least, lead in LEADS:
        best, others = ranked[:size], ranked[size:]
        while others and any(_copies(rows, others[0], place) for place in best):
            best, others = [*best, others[0]], others[1:]
        if others and strength[best[-1]] >= least and strength[best[-1]] - strength[others[0]] >= lead:
            ahead = f"and the next best feature, {rows.names[others[0]]}, {strength[others[0]]:.2f}"
            return {place: f"alone it reaches AUC {strength[place]:.2f} {ahead}" for place in best}
    return {}


def _copies(rows: Rows, one: int, other: int) -> bool:
    """Return whether two features rank the rows alike (Spearman at least 0.98 either way)."""
    first, second = (pd.Series(rows.matrix[:, place]).rank() for place in (one, other))
    return bool(abs(first.corr(second)) >= 0.98)


def _costly(rows: Rows, named: dict[int, str], seed: int) -> dict[int, str]:
    """Return the feature without which a small model loses most, if that is too much for one feature to hold."""
    left = [place for place in range(len(rows.names)) if place not in named]
    full, gain = _small(rows, left, seed)
    if full < COST_FROM or len(left) < 2:
        return {}
    likely = {left[heavy] for heavy in np.argsort(-gain, kind="stable")[:_SEARCHED]} | {max(left, key=lambda place: rows.strength[place])}
    without = {place: _small(rows, [other for other in left if other != place], seed)[0] for place in sorted(likely)}
    worst = min(without, key=lambda place: without[place])
    lost = full - without[worst]
    if lost < COST and not (full >= HALVES_FROM and lost >= max(HALVES, 1 - full)):
        return {}
    return {worst: f"a small model reaches AUC {full:.2f} with it and {without[worst]:.2f} without"}


def _small(rows: Rows, places: Sequence[int], seed: int) -> tuple[float, Floats]:
    """Return the AUC of a small boosted model of these features on customers it has not seen, and each feature's share in it."""
    if not places:
        return 0.5, np.zeros(0)
    import lightgbm

    settings = {**_SMALL, "seed": seed}
    score, gain = np.zeros(len(rows.label)), np.zeros(len(places))
    for part in range(PARTS):
        learn = rows.part != part
        booster = lightgbm.train(settings, lightgbm.Dataset(rows.matrix[learn][:, places], rows.label[learn]), num_boost_round=_ROUNDS)
        score[~learn] = booster.predict(rows.matrix[~learn][:, places])
        gain += booster.feature_importance("gain")
    return roc_auc(rows.label, score), gain

"""Leakage: features that know more than they could have known, told by their footprints in the training frame.

The history lets no fact through before it was known; a source that lies about when it knew (a field filled in after the cancellation, a
date that runs to the last event) still can. Such features are too good, and each rule here says in what way. Strong honest signals come in
families (the same thing over several lookbacks), so the rules ask for a lead over every other feature, not for strength alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.judge.footprints import EVER, PARTS, Floats, Rows, footprint_sentence, leakage_rows, written_afterwards
from prevenance.judge.metrics import roc_auc
from prevenance.models.folds import Fold
from prevenance.words.saying import saying

LEADS, ALONE, APART, ALIKE = 5, (0.75, 0.10), (0.80, 0.10), ((0.90, 0.10), (0.80, 0.15))
"""The best one to ``LEADS`` features are named if each has at least this AUC and this much more than the next: one alone, several
that are no family, and several that are (the same thing over several lookbacks is an honest reason to lead together)."""

HABIT = 0.90
"""Least AUC of whoever has the outcome at any cutoff: habits tell that honestly (who wrote many tickets will write one some day)."""

FAMILY, COPY = 0.50, 0.98
"""Features whose ranks correlate so much, either way, among those without the outcome are a family; all rows, copies of each other."""

COST, COST_FROM = 0.10, 0.75
"""A feature is named if a small model of at least AUC ``COST_FROM`` loses ``COST`` without it..."""

HALVES, HALVES_FROM = 0.05, 0.90
"""...or if one of at least AUC ``HALVES_FROM`` loses ``HALVES`` and its distance from 1 doubles: near the top there is less to lose."""

TOGETHER_FROM = 0.88
"""From this AUC of a small model on, up to ``_GROUP`` features are taken away together: of two leaks either stands in for the other."""

_SEARCHED, _GROUP, _ROUNDS = 4, 3, 60

AHEAD = "alone it reaches AUC {auc:.2f}{whom} and the next best feature, {other}, {next:.2f}"

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
    named = written_afterwards(rows, named) | named
    # Again after each: beside a strong leak the others look harmless, and one that is named excuses no other.
    while found := _leader(rows, named) or _costly(rows, named, seed):
        named |= found
        named = written_afterwards(rows, named) | named
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
    left = [place for place in range(len(rows.names)) if place not in named]
    for whom, strength in rows.levels:
        ranked = sorted(left, key=lambda place: (-strength[place], rows.names[place]))
        for size in range(1, LEADS + 1):
            if len(ranked) <= size or strength[ranked[size - 1]] < (HABIT if whom == EVER else ALONE[0]):
                break
            if found := _leads(rows, strength, ranked, size):
                best, following = found
                ahead = {"whom": whom, "other": rows.names[following], "next": float(strength[following])}
                return {place: saying(AHEAD, auc=float(strength[place]), **ahead) for place in best}
    return {}


def _leads(rows: Rows, strength: Floats, ranked: Sequence[int], size: int) -> tuple[list[int], int] | None:
    """Return the best so many with their copies, and who follows, if they lead by enough; ``ranked`` is by ``strength``, best first."""
    best, others = list(ranked[:size]), list(ranked[size:])
    # No lead, no copy: what follows closely is told from the ranks only where the others are far.
    while others and strength[best[size - 1]] >= ALONE[0] and any(_alike(rows, others[0], place, COPY) for place in best):
        best, others = [*best, others[0]], others[1:]
    if not others:
        return None
    least, lead = float(strength[best[-1]]), float(strength[best[-1]] - strength[others[0]])
    if lead < ALONE[1]:
        return None
    asked = (ALONE,) if size == 1 else ALIKE if _family(rows, best[:size]) else (APART,)
    return (best, others[0]) if any(least >= floor and lead >= ahead for floor, ahead in asked) else None


def _family(rows: Rows, best: Sequence[int]) -> bool:
    """Return whether any two of them go together among those without the outcome."""
    return any(_alike(rows, one, other, FAMILY, rows.ever == 0) for number, one in enumerate(best) for other in best[:number])


def _alike(rows: Rows, one: int, other: int, least: float, chosen: NDArray[np.bool_] | slice = slice(None)) -> bool:
    """Return whether two features rank the rows alike (Spearman at least so much, either way)."""
    first, second = (pd.Series(rows.matrix[chosen, place]).rank() for place in (one, other))
    return bool(abs(first.corr(second)) >= least)


def _costly(rows: Rows, named: dict[int, str], seed: int) -> dict[int, str]:
    """Return the feature without which a small model loses most, if that is too much for one feature to hold."""
    left = [place for place in range(len(rows.names)) if place not in named]
    full, gain = _small(rows, left, seed)
    if full < COST_FROM or len(left) < 2:
        return {}
    likely = {left[heavy] for heavy in np.argsort(-gain, kind="stable")[:_SEARCHED]} | {max(left, key=lambda place: rows.strength[place])}
    without = {place: _small(rows, [other for other in left if other != place], seed)[0] for place in sorted(likely)}
    worst = min(without, key=lambda place: without[place])
    if _too_much(full, without[worst]):
        return {worst: _with_and_without(full, without[worst])}
    return _costly_group(rows, left, without, full, seed)


def _costly_group(rows: Rows, left: Sequence[int], without: dict[int, float], full: float, seed: int) -> dict[int, str]:
    """Return the two, or three, of which each holds too much beside a small model that has none of them: one stands in for the other."""
    if full < TOGETHER_FROM:
        return {}
    group = sorted(without, key=lambda place: (without[place], -rows.strength[place]))[:1]
    rest = sorted(set(without) - set(group))
    while rest and len(group) < _GROUP:
        # Whom the model misses most when the first are gone.
        missed = {place: _small(rows, [other for other in left if other not in (*group, place)], seed)[0] for place in rest}
        group.append(min(missed, key=lambda place: missed[place]))
        base = missed[group[-1]]
        rest = [place for place in rest if place != group[-1]]
        if full - base < COST:
            continue
        beside = {place: _small(rows, [other for other in left if other == place or other not in group], seed)[0] for place in group}
        if all(_too_much(one, base) for one in beside.values()):
            return {place: _with_and_without(one, base) for place, one in beside.items()}
    return {}


def _too_much(reached: float, without: float) -> bool:
    lost = reached - without
    return reached >= COST_FROM and (lost >= COST or (reached >= HALVES_FROM and lost >= max(HALVES, 1 - reached)))


def _with_and_without(reached: float, without: float) -> str:
    return saying(
        "a small model reaches AUC {reached:.2f} with it and {without:.2f} without", reached=float(reached), without=float(without)
    )


def _small(rows: Rows, places: Sequence[int], seed: int) -> tuple[float, Floats]:
    """Return the AUC of a small boosted model of these features on customers it has not seen, and each feature's share in it."""
    if not places:
        return 0.5, np.zeros(0)
    import lightgbm

    binning, score, gain = {**_SMALL, "seed": seed}, np.zeros(len(rows.label)), np.zeros(len(rows.names))
    # the rows are cut into bins once: a feature that counts for nothing is none
    asked = binning | {"feature_contri": np.isin(np.arange(len(rows.names)), places).astype(float).tolist()}
    for part in range(PARTS):
        learn = rows.part != part
        if part not in rows.binned:
            rows.binned[part] = lightgbm.Dataset(rows.matrix[learn], rows.label[learn], params=binning, free_raw_data=False).construct()
        booster = lightgbm.train(asked, rows.binned[part], num_boost_round=_ROUNDS)
        score[~learn] = booster.predict(rows.matrix[~learn])
        gain += booster.feature_importance("gain")
    return roc_auc(rows.label, score), gain[list(places)]

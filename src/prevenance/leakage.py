"""Leakage: features that know more than they could have known, told by their footprints in the training frame.

The history lets no fact through before it was known; a source that lies about when it knew (a field filled in after the cancellation, a
date that runs to the last event) still can. Such features are too good, and each rule here says in what way. Strong honest signals come in
families (the same thing over several lookbacks), so the rules ask for a lead over every other feature, not for strength alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.folds import Fold
from prevenance.metrics import roc_auc
from prevenance.models.encode import fit_encoder

Floats = NDArray[np.float64]

ABSOLUTE = 0.95
"""A feature that reaches this AUC alone is named, whatever the others do."""

LEADS = ((1, 0.75, 0.10), (2, 0.90, 0.10), (3, 0.90, 0.10))
"""The best so many features are named if each alone has at least this AUC and this much more than the next."""

COST, COST_FROM = 0.10, 0.80
"""A feature is named if a small model of at least AUC ``COST_FROM`` loses ``COST`` without it..."""

HALVES, HALVES_FROM = 0.05, 0.90
"""...or if one of at least AUC ``HALVES_FROM`` loses ``HALVES`` and its distance from 1 doubles: near the top there is less to lose."""

ENOUGH = 20
"""Distinct customers with the outcome, and without, that a rule needs."""

_BINS, _PARTS, _ROWS, _SEARCHED, _ROUNDS = 20, 3, 20_000, 4, 60

_SMALL = {
    "objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20, "max_bin": 63,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}  # fmt: skip


@dataclass(frozen=True)
class _Rows:
    """Closed snapshots at risk, by customer and cutoff.

    ``matrix`` (n, p) holds the inputs; ``customer`` and ``part`` are codes; ``alone`` (n, p) has the scores of each feature by itself on
    customers that were not counted, ``strength`` (p,) their AUC; ``days`` run to the outcome (nan without).
    """

    names: tuple[str, ...]
    matrix: Floats
    label: Floats
    customer: NDArray[np.intp]
    part: NDArray[np.intp]
    alone: Floats
    strength: Floats
    days: Floats


def leakage(frame: pd.DataFrame, features: Sequence[str], parted: Sequence[Fold], seed: int) -> list[dict[str, object]]:
    """Return the features that look like leaks, worst first: feature, why (one sentence), flattered_by.

    ``flattered_by`` is how much AUC the feature adds to a small model of all features that were not named. Scores are always for customers
    that were not learned from. ``parted`` limits the rows to the cutoffs of these folds; without folds all rows are used. Nothing is named
    where fewer than ``ENOUGH`` customers have, or do not have, the outcome: chance alone would look like a leak there.
    """
    rows = _rows(frame, features, parted, seed)
    if rows is None:
        return []
    named = {place: why for place in range(len(rows.names)) if (why := _footprint(rows, place))}
    while found := _leader(rows, named) or _costly(rows, named, seed):
        named |= found
    clean = [place for place in range(len(rows.names)) if place not in named]
    base = _small(rows, clean, seed)[0] if named else 0.5
    gains = {place: max(0.0, round(_small(rows, [*clean, place], seed)[0] - base, 3)) for place in named}
    worst_first = sorted(named, key=lambda place: (-gains[place], -rows.strength[place], rows.names[place]))
    return [{"feature": rows.names[place], "why": named[place], "flattered_by": gains[place]} for place in worst_first]


def _rows(frame: pd.DataFrame, features: Sequence[str], parted: Sequence[Fold], seed: int) -> _Rows | None:
    """Return the rows to look at, in one fixed order, whole customers only; None if there are too few to tell."""
    keep = frame["label"].notna()
    if "state" in frame:
        keep &= frame["state"] == "at_risk"
    if parted:
        keep &= frame["cutoff"].isin({cutoff for fold in parted for cutoff in (*fold.fit, *fold.calibrate, fold.test)})
    used = frame[keep].sort_values(["customer_id", "cutoff"], kind="stable", ignore_index=True)
    customer, known = pd.factorize(used["customer_id"], sort=True)
    order = np.random.default_rng(seed).permutation(len(known))
    if len(used) > _ROWS:
        chosen = order[customer] < len(known) * _ROWS / len(used)
        used, customer = used[chosen].reset_index(drop=True), customer[chosen]
    label = used["label"].to_numpy(dtype=float)
    if min(len(np.unique(customer[label == side])) for side in (0.0, 1.0)) < ENOUGH:
        return None
    encoder = fit_encoder(used, features)
    matrix, part = encoder.matrix(used), order[customer] % _PARTS
    alone = np.column_stack([_alone(column, label, part) for column in matrix.T]) if encoder.features else matrix
    strength = np.array([roc_auc(label, column) for column in alone.T])
    outcome = pd.to_datetime(used["outcome_at"]) if "outcome_at" in used else pd.Series(pd.NaT, used.index, dtype="datetime64[us]")
    days = ((outcome - used["cutoff"]) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    return _Rows(encoder.features, matrix, label, customer, part, alone, strength, days)


def _alone(column: Floats, label: Floats, part: NDArray[np.intp]) -> Floats:
    """Return each row's share of outcomes in its bin of the column (missing is a bin), counted among the other parts' customers."""
    known = np.isfinite(column)
    values = np.unique(column[known])
    if len(values) > 2 * _BINS:
        values = np.unique(np.quantile(column[known], np.linspace(0, 1, _BINS + 1), method="lower"))
    place = np.where(known, np.searchsorted(values, np.where(known, column, 0.0), side="right"), len(values) + 1)
    cell = place * _PARTS + part
    shape, cells = (len(values) + 2, _PARTS), (len(values) + 2) * _PARTS
    count, outcomes = (np.bincount(cell, weight, cells).reshape(shape) for weight in (np.ones_like(label), label))
    others, positive = (total.sum(axis=1, keepdims=True) - total for total in (count, outcomes))
    share = (positive + 5 * label.mean()) / (others + 5)
    return share[place, part]


def _footprint(rows: _Rows, place: int) -> str:
    """Return in words which footprint of hindsight this feature shows by itself, or nothing."""
    footprints: tuple[Callable[[_Rows, int], str], ...] = (_filled, _late, _changed, _absolute)
    return next((why for footprint in footprints if (why := footprint(rows, place))), "")


def _absolute(rows: _Rows, place: int) -> str:
    return f"alone it reaches AUC {rows.strength[place]:.2f}, too good to be true" if rows.strength[place] >= ABSOLUTE else ""


def _filled(rows: _Rows, place: int) -> str:
    """Return words if being known, or being unknown, all but gives the outcome away and no complete feature says the same."""
    for known, words in ((np.isfinite(rows.matrix[:, place]), "known"), (np.isnan(rows.matrix[:, place]), "missing")):
        ours, theirs = (float(known[rows.label == side].mean()) for side in (1.0, 0.0))
        rare = max(theirs, 0.5 / float((rows.label == 0).sum()))
        if ours >= max(0.10, 20 * rare) and _customers(rows, known & (rows.label == 1)) >= ENOUGH and not _told(rows, place, known):
            return f"{words} for {ours:.0%} of those with the outcome and {theirs:.1%} of those without: it was filled in afterwards"
    return ""


def _told(rows: _Rows, place: int, known: NDArray[np.bool_]) -> bool:
    """Return whether an honest feature that is always known explains the pattern (no tickets, so no ticket score)."""
    complete = np.isfinite(rows.matrix).all(axis=0) & (rows.strength < LEADS[-1][1])
    wanted = known.astype(float)
    others = (other for other in np.flatnonzero(complete) if other != place)
    return any(roc_auc(wanted, _alone(rows.matrix[:, other], wanted, rows.part)) >= 0.95 for other in others)


def _late(rows: _Rows, place: int) -> str:
    """Return words if the feature is sure in the last days before the outcome and blind earlier: it echoes the outcome."""
    positive = (rows.label == 1) & np.isfinite(rows.days)
    if not positive.any():
        return ""
    last = min(7.0, float(rows.days[positive].max()) / 4)
    near, far = positive & (rows.days <= last), positive & (rows.days > last)
    if min(_customers(rows, near), _customers(rows, far)) < ENOUGH:
        return ""
    soon, early = (_against(rows, place, some) for some in (near, far))
    if soon < 0.90 or early > 0.60:
        return ""
    return f"AUC {soon:.2f} in the last {last:.0f} days before the outcome and {early:.2f} earlier: it follows the outcome"


def _changed(rows: _Rows, place: int) -> str:
    """Return words if the value hardly ever changes from one cutoff to the next, except right before the outcome."""
    value, same = rows.matrix[:, place], rows.customer[1:] == rows.customer[:-1]
    moved = np.append(False, same & (value[1:] != value[:-1]) & ~(np.isnan(value[1:]) & np.isnan(value[:-1])))
    follows = np.append(False, same)
    last = follows & (rows.label == 1) & np.append((rows.label[1:] == 0) | ~same, True)
    stays = follows & (rows.label == 0)
    if min(_customers(rows, last), _customers(rows, stays)) < ENOUGH:
        return ""
    before, usual = float(moved[last].mean()), float(moved[stays].mean())
    if before < 0.80 or usual > 0.04:
        return ""
    return f"it changes right before {before:.0%} of the outcomes and at {usual:.1%} of other cutoffs: somebody edits it when it happens"


def _leader(rows: _Rows, named: dict[int, str]) -> dict[int, str]:
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


def _copies(rows: _Rows, one: int, other: int) -> bool:
    """Return whether two features rank the rows alike (Spearman at least 0.98 either way)."""
    first, second = (pd.Series(rows.matrix[:, place]).rank() for place in (one, other))
    return bool(abs(first.corr(second)) >= 0.98)


def _costly(rows: _Rows, named: dict[int, str], seed: int) -> dict[int, str]:
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


def _small(rows: _Rows, places: Sequence[int], seed: int) -> tuple[float, Floats]:
    """Return the AUC of a small boosted model of these features on customers it has not seen, and each feature's share in it."""
    if not places:
        return 0.5, np.zeros(0)
    import lightgbm

    settings = {**_SMALL, "seed": seed}
    score, gain = np.zeros(len(rows.label)), np.zeros(len(places))
    for part in range(_PARTS):
        learn = rows.part != part
        booster = lightgbm.train(settings, lightgbm.Dataset(rows.matrix[learn][:, places], rows.label[learn]), num_boost_round=_ROUNDS)
        score[~learn] = booster.predict(rows.matrix[~learn][:, places])
        gain += booster.feature_importance("gain")
    return roc_auc(rows.label, score), gain


def _against(rows: _Rows, place: int, positive: NDArray[np.bool_]) -> float:
    """Return the AUC of the feature alone for some of the positives against all negatives."""
    chosen = positive | (rows.label == 0)
    return roc_auc(rows.label[chosen], rows.alone[chosen, place])


def _customers(rows: _Rows, chosen: NDArray[np.bool_]) -> int:
    return len(np.unique(rows.customer[chosen]))

"""Footprints of hindsight in a feature taken by itself: filled in afterwards, edited or echoing when it happens, too good to be true."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.judge.metrics import roc_auc
from prevenance.models.encode import fit_encoder
from prevenance.models.folds import Fold, at_risk

Floats = NDArray[np.float64]

ABSOLUTE = 0.95
"""A feature that reaches this AUC alone is named, whatever the others do."""

HONEST = 0.90
"""A complete feature below this AUC may explain why another is known or missing."""

ENOUGH = 20
"""Distinct customers with the outcome, and without, that a rule needs."""

PARTS = 3
"""Customers are parted in so many; scores are always for a part that was not learned from."""

_BINS, _ROWS = 20, 20_000


@dataclass(frozen=True)
class Rows:
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


def leakage_rows(frame: pd.DataFrame, features: Sequence[str], parted: Sequence[Fold], seed: int) -> Rows | None:
    """Return the rows to look at, in one fixed order, whole customers only; None if there are too few to tell."""
    keep = at_risk(frame)
    if parted:
        keep &= frame["cutoff"].isin({cutoff for fold in parted for cutoff in (*fold.learned, fold.test)})
    used = frame[keep].sort_values(["customer_id", "cutoff"], kind="stable", ignore_index=True)
    customer, known = pd.factorize(used["customer_id"], sort=True)
    order = np.random.default_rng(seed).permutation(len(known))
    if len(used) > _ROWS:
        chosen = order[customer] < len(known) * _ROWS / len(used)
        if used["label"].sum() < _ROWS / 10:  # rare outcomes are all needed, and no AUC minds how many there are beside the others
            chosen |= np.isin(customer, customer[used["label"] == 1])
        used, customer = used[chosen].reset_index(drop=True), customer[chosen]
    label = used["label"].to_numpy(dtype=float)
    if min(len(np.unique(customer[label == side])) for side in (0.0, 1.0)) < ENOUGH:
        return None
    encoder = fit_encoder(used, features)
    matrix, part = encoder.matrix(used), order[customer] % PARTS
    alone = np.column_stack([_alone(column, label, part) for column in matrix.T]) if encoder.features else matrix
    strength = np.array([roc_auc(label, column) for column in alone.T])
    outcome = pd.to_datetime(used["outcome_at"]) if "outcome_at" in used else pd.Series(pd.NaT, used.index, dtype="datetime64[us]")
    days = ((outcome - used["cutoff"]) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    return Rows(encoder.features, matrix, label, customer, part, alone, strength, days)


def _alone(column: Floats, label: Floats, part: NDArray[np.intp]) -> Floats:
    """Return each row's share of outcomes in its bin of the column (missing is a bin), counted among the other parts' customers."""
    known = np.isfinite(column)
    values = np.unique(column[known])
    if len(values) > 2 * _BINS:
        values = np.unique(np.quantile(column[known], np.linspace(0, 1, _BINS + 1), method="lower"))
    place = np.where(known, np.searchsorted(values, np.where(known, column, 0.0), side="right"), len(values) + 1)
    cell = place * PARTS + part
    shape, cells = (len(values) + 2, PARTS), (len(values) + 2) * PARTS
    count, outcomes = (np.bincount(cell, weight, cells).reshape(shape) for weight in (np.ones_like(label), label))
    others, positive = (total.sum(axis=1, keepdims=True) - total for total in (count, outcomes))
    # As if five usual rows were in each bin: a bin of one row is no evidence.
    share = (positive + 5 * label.mean()) / (others + 5)
    return share[place, part]


def footprint_sentence(rows: Rows, place: int) -> str:
    """Return in words which footprint of hindsight this feature shows by itself, or nothing."""
    footprints: tuple[Callable[[Rows, int], str], ...] = (_filled, _late, _changed, _absolute)
    return next((why for footprint in footprints if (why := footprint(rows, place))), "")


def _absolute(rows: Rows, place: int) -> str:
    return f"alone it reaches AUC {rows.strength[place]:.2f}, too good to be true" if rows.strength[place] >= ABSOLUTE else ""


def _filled(rows: Rows, place: int) -> str:
    """Return words if being known, or being unknown, all but gives the outcome away and no complete feature says the same."""
    for known, words in ((np.isfinite(rows.matrix[:, place]), "known"), (np.isnan(rows.matrix[:, place]), "missing")):
        ours, theirs = (float(known[rows.label == side].mean()) for side in (1.0, 0.0))
        # None at all among the others is still no proof of never.
        rare = max(theirs, 0.5 / float((rows.label == 0).sum()))
        if ours >= max(0.10, 20 * rare) and _customers(rows, known & (rows.label == 1)) >= ENOUGH and not _told(rows, place, known):
            return f"{words} for {ours:.0%} of those with the outcome and {theirs:.1%} of those without: it was filled in afterwards"
    return ""


def _told(rows: Rows, place: int, known: NDArray[np.bool_]) -> bool:
    """Return whether an honest feature that is always known explains the pattern (no tickets, so no ticket score)."""
    complete = np.isfinite(rows.matrix).all(axis=0) & (rows.strength < HONEST)
    wanted = known.astype(float)
    others = (other for other in np.flatnonzero(complete) if other != place)
    return any(roc_auc(wanted, _alone(rows.matrix[:, other], wanted, rows.part)) >= 0.95 for other in others)


def _late(rows: Rows, place: int) -> str:
    """Return words if the feature is sure in the last days before the outcome and blind earlier: it echoes the outcome."""
    positive = (rows.label == 1) & np.isfinite(rows.days)
    if not positive.any():
        return ""
    # With a short horizon a week is most of it, and no longer "the last days".
    last = min(7.0, float(rows.days[positive].max()) / 4)
    near, far = positive & (rows.days <= last), positive & (rows.days > last)
    if min(_customers(rows, near), _customers(rows, far)) < ENOUGH:
        return ""
    soon, early = (_against(rows, place, some) for some in (near, far))
    if soon < 0.90 or early > 0.60:
        return ""
    return f"AUC {soon:.2f} in the last {last:.0f} days before the outcome and {early:.2f} earlier: it follows the outcome"


def _changed(rows: Rows, place: int) -> str:
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


def _against(rows: Rows, place: int, positive: NDArray[np.bool_]) -> float:
    """Return the AUC of the feature alone for some of the positives against all negatives."""
    chosen = positive | (rows.label == 0)
    return roc_auc(rows.label[chosen], rows.alone[chosen, place])


def _customers(rows: Rows, chosen: NDArray[np.bool_]) -> int:
    return len(np.unique(rows.customer[chosen]))

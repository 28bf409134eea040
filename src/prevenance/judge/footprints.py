"""Footprints of hindsight in a feature taken by itself: filled in afterwards, edited or echoing when it happens, too good to be true."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.judge.metrics import roc_auc
from prevenance.models.encode import fit_encoder
from prevenance.models.folds import Fold, at_risk
from prevenance.words.saying import Saying, saying

Floats = NDArray[np.float64]

ABSOLUTE = 0.95
"""A feature that reaches this AUC alone is named, whatever the others do."""

HONEST = 0.90
"""A complete feature below this AUC may explain why another is known or missing."""

OFTEN, RATIO, WRITTEN = 0.10, 20, 0.50
"""A pattern gives the outcome away if so many of those with it show it and ``RATIO`` times fewer of the others; one value, ``WRITTEN``."""

_VALUES = 20
"""A number column of fewer values than this is a flag or a count: a value of its own is no sign that somebody wrote it over others."""

ENOUGH = 20
"""Distinct customers with the outcome, and without, that a rule needs."""

PARTS = 3
"""Customers are parted in so many; scores are always for a part that was not learned from."""

_BINS, _ROWS = 20, 20_000

EVER, WHERE_KNOWN = saying(" of having it at any cutoff"), saying(" where it is known")
SHOWN = "{what} for {ours:.0%} of those with the outcome{who} and {theirs:.1%} of those without: it was {done} afterwards"


@dataclass(frozen=True)
class Rows:
    """Closed snapshots at risk, by customer and cutoff.

    ``matrix`` (n, p) holds the inputs; ``customer`` and ``part`` are codes; ``alone`` (n, p) has the scores of each feature by itself on
    customers that were not counted, ``strength`` (p,) their AUC; ``days`` run to the outcome (nan without). ``ever`` (n,) is 1 in
    all rows of a customer that has the outcome in any of them. ``levels`` names where strength was measured, each with its own (p,): for
    all rows; for ``ever``, since a field of today's export that was overwritten says so at all cutoffs; in the cutoffs at which some
    feature is known at all. ``words`` (p,) marks the features that hold text; ``binned``: the rows as small models take them, by the part left out.
    """

    names: tuple[str, ...]
    matrix: Floats
    label: Floats
    customer: NDArray[np.intp]
    part: NDArray[np.intp]
    alone: Floats
    strength: Floats
    days: Floats
    ever: Floats
    levels: tuple[tuple[Saying, Floats], ...]
    words: NDArray[np.bool_]
    binned: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)


def leakage_rows(frame: pd.DataFrame, features: Sequence[str], parted: Sequence[Fold], seed: int) -> Rows | None:
    """Return the rows to look at, in one fixed order, whole customers only; None if there are too few to tell."""
    used = _looked_at(frame, parted).sort_values(["customer_id", "cutoff"], kind="stable", ignore_index=True)
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
    alone, strength = _strengths(matrix, label, part)
    ever = np.bincount(customer, label)[customer].clip(max=1.0)
    levels = [(Saying(""), strength)]
    if (ever != label).any():
        levels.append((EVER, _strengths(matrix, ever, part)[1]))
    levels += [(WHERE_KNOWN, one) for one in _where_known(matrix, alone, label, customer, pd.factorize(used["cutoff"])[0])]
    outcome = pd.to_datetime(used["outcome_at"]) if "outcome_at" in used else pd.Series(pd.NaT, used.index, dtype="datetime64[us]")
    days = ((outcome - used["cutoff"]) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    words = np.isin(encoder.features, list(encoder.vocabulary))
    return Rows(encoder.features, matrix, label, customer, part, alone, strength, days, ever, tuple(levels), words)


def _looked_at(frame: pd.DataFrame, parted: Sequence[Fold]) -> pd.DataFrame:
    keep = at_risk(frame)
    if parted:
        keep &= frame["cutoff"].isin({cutoff for fold in parted for cutoff in (*fold.learned, fold.test)})
    return frame[keep]


def not_looked_at(frame: pd.DataFrame, parted: Sequence[Fold]) -> str:
    """Return in words why no feature of these rows can be looked at, or nothing if ``leakage_rows`` can."""
    used = _looked_at(frame, parted)
    key = ["customer_id", "product_id"] if "product_id" in used else ["customer_id"]
    customers = {side: len(used.loc[used["label"] == side, key].drop_duplicates()) for side in (1.0, 0.0)}
    if not sum(customers.values()):
        return saying("no label is closed yet")
    if min(customers.values()) >= ENOUGH:
        return ""
    told = "customers with the outcome: {ours}, without: {theirs}; {least} of each are needed"
    return saying(told, ours=customers[1.0], theirs=customers[0.0], least=ENOUGH)


def _strengths(matrix: Floats, label: Floats, part: NDArray[np.intp]) -> tuple[Floats, Floats]:
    alone = np.column_stack([_alone(column, label, part) for column in matrix.T]) if matrix.shape[1] else matrix
    return alone, np.array([roc_auc(label, column) for column in alone.T])


def _where_known(matrix: Floats, alone: Floats, label: Floats, customer: NDArray[np.intp], cutoff: NDArray[np.intp]) -> Iterator[Floats]:
    """Yield the strengths in the cutoffs that some features are known at, once for each set of cutoffs that is not all."""
    present = np.zeros((int(cutoff.max()) + 1, matrix.shape[1]), dtype=bool)
    for number in range(len(present)):
        present[number] = np.isfinite(matrix[cutoff == number]).any(axis=0)
    for known in np.unique(present.T, axis=0):
        chosen = known[cutoff]
        if known.all() or min((len(np.unique(customer[chosen & (label == side)])) for side in (0.0, 1.0)), default=0) < ENOUGH:
            continue
        asked = (present[~known].sum(axis=0) == 0) | present.all(axis=0)
        yield np.array([roc_auc(label[chosen], alone[chosen, place]) if one else 0.0 for place, one in enumerate(asked)])


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
    return _late(rows, place) or _changed(rows, place) or _absolute(rows, place)


def written_afterwards(rows: Rows, named: Collection[int] = ()) -> dict[int, str]:
    """Return in words, by feature, that being known, missing or of one value all but gives the outcome away and no honest feature says so.

    Honest is a complete feature that is neither ``named`` nor itself under suspicion: columns emptied and overwritten together would
    excuse each other.
    """
    found = {place: patterns for place in range(len(rows.names)) if (patterns := list(_patterns(rows, place)))}
    complete = np.isfinite(rows.matrix).all(axis=0) & (rows.strength < HONEST)
    honest = [place for place in np.flatnonzero(complete).tolist() if place not in found and place not in named]
    told: dict[bytes, bool] = {}
    named_now: dict[int, str] = {}
    for place, patterns in found.items():
        for shown, why in patterns:
            key = shown.tobytes()
            if key not in told:
                told[key] = _told(rows, honest, shown)
            if not told[key]:
                named_now.setdefault(place, why)
    return named_now


def _patterns(rows: Rows, place: int) -> Iterator[tuple[NDArray[np.bool_], str]]:
    """Yield the rows that show what all but gives the outcome away, and in words what it is."""
    value = rows.matrix[:, place]
    known = np.isfinite(value)
    shown = [(known, saying("known"), OFTEN, saying("filled in")), (~known, saying("missing"), OFTEN, saying("emptied"))]
    shown = [] if known.all() else shown
    if (one := _written(rows, place)) is not None:
        shown.append((value == one, saying("of one and the same value"), WRITTEN, saying("overwritten")))
    for rows_shown, what, often, done in shown:
        # habits show more of ever
        for label, who, enough in ((rows.label, Saying(""), often), (rows.ever, saying(" at any cutoff"), WRITTEN)):
            ours, theirs = (float(rows_shown[label == side].mean()) if (label == side).any() else 1.0 for side in (1.0, 0.0))
            # None at all among the others is still no proof of never.
            rare = max(theirs, 0.5 / max(1.0, float((label == 0).sum())))
            if ours >= max(enough, RATIO * rare) and _customers(rows, rows_shown & (label == 1)) >= ENOUGH:
                yield rows_shown, saying(SHOWN, what=what, ours=ours, who=who, theirs=theirs, done=done)
                break


def _written(rows: Rows, place: int) -> float | None:
    """Return the value that most of those with the outcome hold; None for nothing (0), flags and counts: these are honest signals."""
    value = rows.matrix[rows.label == 1, place]
    values, counts = np.unique(value[np.isfinite(value)], return_counts=True)
    if not len(values) or counts.max() < WRITTEN * len(value):
        return None
    most = float(values[counts.argmax()])
    others = rows.matrix[rows.label == 0, place]
    return most if rows.words[place] or (most and len(np.unique(others[np.isfinite(others)])) >= _VALUES) else None


def _told(rows: Rows, honest: Sequence[int], shown: NDArray[np.bool_]) -> bool:
    """Return whether an honest feature that is always known explains the pattern (no tickets, so no ticket score)."""
    wanted = shown.astype(float)
    return any(roc_auc(wanted, _alone(rows.matrix[:, other], wanted, rows.part)) >= 0.95 for other in honest)


def _absolute(rows: Rows, place: int) -> str:
    reached = float(rows.strength[place])
    return saying("alone it reaches AUC {auc:.2f}, too good to be true", auc=reached) if reached >= ABSOLUTE else ""


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
    sides = [some | (rows.label == 0) for some in (near, far)]
    soon, early = (roc_auc(rows.label[side], rows.alone[side, place]) for side in sides)
    if soon < 0.90 or early > 0.60:
        return ""
    told = "AUC {soon:.2f} in the last {days:.0f} {days:day|days} before the outcome and {early:.2f} earlier: it follows the outcome"
    return saying(told, soon=float(soon), days=last, early=float(early))


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
    told = "it changes right before {before:.0%} of the outcomes and at {usual:.1%} of other cutoffs: somebody edits it when it happens"
    return saying(told, before=before, usual=usual)


def _customers(rows: Rows, chosen: NDArray[np.bool_]) -> int:
    return len(np.unique(rows.customer[chosen]))

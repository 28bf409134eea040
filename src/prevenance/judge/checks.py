"""Coded checks of a training run: what a careful reader would ask before believing it.

Each check is a function that returns one ``Finding``: a code, a title, one sentence with its numbers, and pass, warn or fail.
Only fail keeps a model from being promoted. A check that cannot be made yet passes and says why.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prevenance.judge.bootstrap import bootstrap_weights, closed_rows, customer_index, pooled_metrics
from prevenance.judge.drift import Drift
from prevenance.judge.evaluation import Finding
from prevenance.judge.gaps import late_footprints
from prevenance.judge.reliability import reliability
from prevenance.models.folds import MIN_PERIODS, Fold, at_risk
from prevenance.models.units import effective_units
from prevenance.words.saying import said_listed, said_together, saying

TOO_GOOD_AUC = 0.97
"""Nobody foresees a customer's leaving this well; data from after the outcome do."""

ENOUGH = 20
"""Outcomes below which a striking number may be chance: the check then warns at most."""

MOVED, SIGNS = 2.0, 3.0
"""A rate has moved if it is this many times another and this many standard errors off."""


def check_findings(
    frame: pd.DataFrame,
    features: Sequence[str],
    parted: Sequence[Fold],
    predictions: pd.DataFrame,
    model: str,
    *,
    leaks: Sequence[Mapping[str, object]] = (),
    removed: Collection[str] = (),
    moved: Drift | None = None,
) -> list[Finding]:
    """Return every check of one model, in the order of ``TITLES``.

    ``leaks`` is from ``leakage.find_leaks``; ``removed`` names those of their features that the model was not given; ``moved`` is from ``drift``.
    """
    return [
        check_leaks(leaks, removed),
        check_too_good(predictions, model),
        check_base_rate(frame, parted),
        check_chances(predictions, model),
        check_constant(frame, features),
        check_history(parted),
        check_footprints(late_footprints(frame, features)),
        check_drift(moved),
    ]


def check_leaks(leaks: Sequence[Mapping[str, object]], removed: Collection[str] = ()) -> Finding:
    """PV001: fail while a feature that knows the future is in use; warn where all that do were left out."""
    used = [leak for leak in leaks if leak["feature"] not in removed]
    told = said_together(*(saying("{what} ({why})", what=leak["feature"], why=leak["why"]) for leak in used or leaks))
    if used:
        return _finding("PV001", saying("in use, though they know what they could not have known: {what}", what=told), "fail")
    if leaks:
        left_out = "left out, as they look like ones that know the future (if one was known in time, name it in features.trusted): {what}"
        return _finding("PV001", saying(left_out, what=told), "warn")
    return _finding("PV001", saying("no feature shows a footprint of hindsight"), "pass")


def check_too_good(predictions: pd.DataFrame, model: str) -> Finding:
    """PV002: fail if a model's AUC over the test periods is above ``TOO_GOOD_AUC`` (warn with few outcomes)."""
    rows, customers = closed_rows(predictions[predictions["model"] == model])
    outcomes = rows.loc[rows["label"] > 0, "customer_id"].nunique()
    auc = pooled_metrics(rows, customer_index(rows, customers), bootstrap_weights(len(customers), 0, 0), 1)["roc_auc"][0]
    if not np.isfinite(auc):
        return _finding("PV002", saying("not checked: no test period has customers with and without the outcome"), "pass")
    told = saying("AUC {auc:.3f} on {n} {n:customer|customers} with the outcome", auc=float(auc), n=int(outcomes))
    if auc <= TOO_GOOD_AUC:
        return _finding("PV002", told, "pass")
    # Few outcomes can be ranked perfectly by chance.
    severity = "fail" if outcomes >= ENOUGH else "warn"
    return _finding(
        "PV002", saying("{fact} is above {limit:.2f}: look for a feature that knows the future", fact=told, limit=TOO_GOOD_AUC), severity
    )


def check_base_rate(frame: pd.DataFrame, parted: Sequence[Fold]) -> Finding:
    """PV003: warn if a test period's share of outcomes is far from that of the cutoffs it was learned from."""
    usable = frame[at_risk(frame)]
    moved = [words for fold in parted if (words := _moved(usable, fold))]
    if moved:
        many = saying(
            "in {moved} of {n} {n:fold|folds} the base rate moved: {what}", moved=len(moved), n=len(parted), what=said_together(*moved)
        )
        return _finding("PV003", many, "warn")
    steady = saying("steady over {n} {n:fold|folds}", n=len(parted)) if parted else saying("not checked: no folds")
    return _finding("PV003", steady, "pass")


def check_chances(predictions: pd.DataFrame, model: str) -> Finding:
    """PV004: compare the highest tenth of the chances with what came: fail if it is off by more than luck allows.

    Luck is where the share falls in all but one of a hundred worlds in which every chance is exact (see ``reliability``).
    """
    found = reliability(predictions, model)
    if not found:
        return _finding("PV004", saying("not checked: no test period"), "pass")
    top: Any = found["worst_tenth"]
    told = saying("the highest tenth was given {predicted:.1%}, {seen:.1%} came", predicted=top["predicted"], seen=top["seen"])
    if top["low"] is None or top["customers"] < ENOUGH:
        few = saying("{fact}; {n} {n:customer|customers} in it, too few to say more", fact=told, n=int(top["customers"]))
        return _finding("PV004", few, "pass")
    told = saying("{fact} (by luck {low:.1%} to {high:.1%})", fact=told, low=top["low"], high=top["high"])
    if top["low"] <= top["seen"] <= top["high"]:
        return _finding("PV004", told, "pass")
    # ranking well is no way out: a page that says 60 % has to mean it
    way = "{fact}; chances that are off are not promised: train again when more windows have closed, or try another kind (model={kind})"
    return _finding("PV004", saying(way, fact=told, kind="lightgbm" if model == "logistic" else "logistic"), "fail")


def check_constant(frame: pd.DataFrame, features: Sequence[str]) -> Finding:
    """PV005: warn if features are empty or the same in every row: a source column that is not filled, or a wrong select."""
    same = [name for name in features if name in frame and frame[name].nunique(dropna=False) <= 1]
    if not len(frame) or not same:
        return _finding("PV005", saying("all {n} features vary", n=len(features)), "pass")
    told = saying("{same} of {n} features are the same in every row: {what}", same=len(same), n=len(features), what=_some(same))
    return _finding("PV005", told, "warn")


def check_history(parted: Sequence[Fold]) -> Finding:
    """PV006: warn if there are fewer than ``MIN_PERIODS`` test periods: no model can be promoted yet."""
    told = saying("{n} {n:test period|test periods}, {needed} are needed to promote a model", n=len(parted), needed=MIN_PERIODS)
    return _finding("PV006", told, "warn" if len(parted) < MIN_PERIODS else "pass")


def check_footprints(names: Sequence[str]) -> Finding:
    """PV007: warn of features that tell the outcome in its last week only; ``names`` is from ``gaps.late_footprints``."""
    if not names:
        return _finding("PV007", saying("no feature in use tells the last week only"), "pass")
    late = "a footprint, not a warning (tells the last 7 days before the outcome, nothing earlier): {what}"
    return _finding("PV007", saying(late, what=_some(names)), "warn")


def check_drift(moved: Drift | None) -> Finding:
    """PV008: warn of inputs that moved between the snapshots learned from and the newest ones."""
    if moved is None or not moved.looked:
        return _finding("PV008", saying("not checked: too few customers to compare"), "pass")
    grown = sum(one.grown for one in moved.moved)
    told = saying("{moved} of {n} {n:input|inputs} moved since training", moved=len(moved.moved), n=moved.looked)
    told = saying("{fact}, {n} of them only known for more customers now", fact=told, n=grown) if grown else told
    if not moved.moved:
        return _finding("PV008", told, "pass")
    changed = [
        saying("{what} ({why}, PSI {psi:.2f})", what=one.feature, why=one.text, psi=float(one.psi)) for one in moved.moved if not one.grown
    ]
    return _finding("PV008", saying("{fact}: {rest}", fact=told, rest=_some(changed, 3)) if changed else told, "warn")


def _some(names: Sequence[str], most: int = 5) -> str:
    told = said_listed(*names[:most])
    return saying("{what} and {n} more", what=told, n=len(names) - most) if len(names) > most else told


TITLES = {
    "PV001": saying("features from the future"),
    "PV002": saying("too good to be true"),
    "PV003": saying("the base rate moved"),
    "PV004": saying("the highest tenth of the chances"),
    "PV005": saying("features that say nothing"),
    "PV006": saying("short history"),
    "PV007": saying("footprints, not warnings"),
    "PV008": saying("inputs that moved"),
}
"""Every check's code and title."""


def _finding(code: str, text: str, severity: str) -> Finding:
    return Finding(code, TITLES[code], text, severity)


def _moved(usable: pd.DataFrame, fold: Fold) -> str:
    """Return in words how a fold's test differs from what it was learned from, or nothing."""
    learned = usable.loc[usable["cutoff"].isin(fold.learned), "label"]
    test = usable[usable["cutoff"] == fold.test]
    tested = test["label"]
    if learned.empty or tested.empty:
        return ""
    before, now = float(learned.mean()), float(tested.mean())
    # The larger of the two spreads: a rate of nothing has none, and everything would be far from it.
    error = np.sqrt(max(before * (1 - before), now * (1 - now)) / effective_units(test))
    if max(before, now) < MOVED * min(before, now) or abs(now - before) <= SIGNS * error:
        return ""
    return saying("{now:.1%} at {date}, {before:.1%} before", now=now, date=f"{fold.test:%Y-%m-%d}", before=before)

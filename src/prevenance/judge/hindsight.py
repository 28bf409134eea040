"""The eight ways in which published models were fooled by leakage, each answered by a line computed from this very training.

The types are those of Kapoor & Narayanan (2023), "Leakage and the reproducibility crisis in machine-learning-based science", Patterns 4(9).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from prevenance.judge.bootstrap import Estimate, bootstrap_interval, bootstrap_weights, closed_rows, customer_index, pooled_metrics
from prevenance.judge.tested import Choice, Tested
from prevenance.models.bundle import chance
from prevenance.models.folds import sampling_units
from prevenance.models.told_rule import fitted_rule, rule_text
from prevenance.models.training import fit_model
from prevenance.models.units import unit_evidence
from prevenance.words.saying import Saying, said_together, saying

TITLES = {
    "L1.1": saying("no test set"),
    "L1.2": saying("preparing on train and test together"),
    "L1.3": saying("choosing features on train and test together"),
    "L1.4": saying("duplicates in train and test"),
    "L2": saying("features that are not legitimate"),
    "L3.1": saying("the future in the training set"),
    "L3.2": saying("train and test are not independent"),
    "L3.3": saying("the test is not drawn from those it is used on"),
}
"""Every type and its title, in the order of the paper."""

SAME, RATIO = 1e-12, 1.5
"""Chances closer than this are the same; cohorts whose sizes or rates differ by this factor are not alike."""

COPIES = 0.01
"""Share of test snapshots that equal another customer's snapshot in the fit part, from which it is told as a warning."""


def leakage_types(tested: Tested, choice: Choice, *, horizon_days: int, settle_days: int, seed: int) -> list[dict[str, str]]:
    """Return for each type: type, title, answer (one computed sentence) and status (pass, warn or fail); the days are those of the target."""
    if not tested.parted:
        answers: list[tuple[str, str]] = [
            ("warn", saying("no test period yet: nothing has been claimed, and nothing can be checked"))
        ] * len(TITLES)
    else:
        answers = [
            _test_set(tested), _prepared(tested, choice, seed), _selected(tested, horizon_days + settle_days, seed), _duplicates(tested),
            _legitimate(tested, choice), _future(tested, horizon_days, settle_days), _independent(tested, choice, seed), _alike(tested),
        ]  # fmt: skip
    return [
        {"type": name, "title": title, "answer": answer, "status": status}
        for (name, title), (status, answer) in zip(TITLES.items(), answers, strict=True)
    ]


def _test_set(tested: Tested) -> tuple[str, str]:
    """L1.1: tests exist, and none of their cutoffs was learned from in the same fold."""
    both = sum(fold.test <= max(fold.learned) for fold in tested.parted)
    tests = tested.rows["cutoff"].isin([fold.test for fold in tested.parted])
    told = saying("{n} {n:test period|test periods} with {rows} {rows:snapshot|snapshots}", n=len(tested.parted), rows=int(tests.sum()))
    if both:
        return "fail", saying("{fact}; in {n} of them the test is not later than everything that was learned from", fact=told, n=int(both))
    return "pass", saying("{fact}, each later than every cutoff that was learned from", fact=told)


def _prepared(tested: Tested, choice: Choice, seed: int) -> tuple[str, str]:
    """L1.2: fitted again from the newest fold's own rows, without one row of its test, the model says the same."""
    fold, rows = tested.parted[-1], tested.rows
    told = tested.backtest.predictions
    told = told[(told["model"] == choice.tested_as) & (told["fold"] == len(tested.parted))]
    alone = rows[rows["cutoff"].isin(fold.learned)]
    test = rows[rows["cutoff"] == pd.Timestamp(fold.test)]
    again = fit_model(alone, fold, choice.kind, tested.columns, seed=seed, params=choice.params)
    # Other rows than before: then every chance counts as changed.
    off = np.abs(chance(again, test) - told["score"].to_numpy()) if len(test) == len(told) else np.ones(max(len(test), 1))
    changed = int((off > SAME).sum())
    if changed:
        return "fail", saying(
            "fitted again without the test's rows, {changed} of {n} chances of the newest test change", changed=changed, n=len(off)
        )
    return "pass", saying("fitted again without the test's rows, all {n} chances of the newest test are the same", n=len(off))


def _selected(tested: Tested, closing_days: int, seed: int) -> tuple[str, str]:
    """L1.3: chosen again from what was learned from alone, the rule's feature and the features left out as empty are the same (oldest, newest fold)."""
    rows, changed, last = tested.rows, [], len(tested.parted)
    # Oldest and newest are enough to see it, and every fold would be fitted twice.
    for number in sorted({1, last}):
        fold, told = tested.parted[number - 1], (tested.backtest.rules[number - 1], tested.backtest.dropped[number - 1])
        again = fitted_rule(rows[rows["cutoff"].isin(fold.learned)], fold, tested.columns, seed=seed)
        if (rule_text(again), again.encoder.dropped) != told:
            changed.append(number)
    first = tested.parted[0]
    gap = _closest([(max(first.fit), min(first.calibrate))], closing_days) if first.calibrate else 0
    tuned = (
        saying("settings were tuned before the first test ({n} days between the parts)", n=gap)
        if first.calibrate
        else saying("settings were tuned before the first test (on half of the customers, learned from the others)")
    )
    if changed or gap < 0:
        differ = "chosen again from what was learned from alone, the rule or the features differ in folds {folds}; {rest}"
        return "fail", saying(differ, folds=", ".join(map(str, changed)), rest=tuned)
    same = saying(
        "chosen again from what was learned from alone, rule and features are the same in the oldest and newest of {n} {n:fold|folds}",
        n=last,
    )
    search = "the search for leaks saw the tests too and took {n} {n:feature|features} away, which can only lower their numbers"
    return "pass", said_together(same, tuned, *([saying(search, n=len(tested.leaks))] if tested.leaks else []))


def _duplicates(tested: Tested) -> tuple[str, str]:
    """L1.4: no snapshot is there twice; snapshots of the newest test that equal another customer's that was learned from are counted."""
    keys = [key for key in ("cutoff", "customer_id", "product_id") if key in tested.rows]
    twice = int(tested.rows.duplicated(keys).sum())
    fold, rows = tested.parted[-1], tested.rows
    # Columns that are the same for everybody (a month) would make copies of strangers.
    counts = rows.groupby("cutoff")[list(tested.columns)].nunique(dropna=False).max()
    told = [name for name in tested.columns if counts[name] > 1]
    hashed = pd.util.hash_pandas_object(rows[told], index=False) if told else pd.Series(0, rows.index)
    learned, test = rows["cutoff"].isin(fold.learned), rows["cutoff"] == pd.Timestamp(fold.test)
    owners = rows[learned].groupby(hashed[learned])["customer_id"].agg(["min", "max"])
    met = rows.loc[test, ["customer_id"]].join(owners, on=hashed[test])
    copies = int((met["min"].notna() & ((met["min"] != met["customer_id"]) | (met["max"] != met["customer_id"]))).sum())
    copied = "{twice} snapshots are there twice; {copies} of {n} test snapshots equal another customer's that was learned from"
    said = saying(copied, twice=twice, copies=copies, n=int(test.sum()))
    return "fail" if twice else "warn" if copies > COPIES * max(int(test.sum()), 1) else "pass", said


def _legitimate(tested: Tested, choice: Choice) -> tuple[str, str]:
    """L2: features that know what they could not have known, found and left out, or found and in use."""
    named = [str(leak["feature"]) for leak in tested.leaks]
    used = [name for name in named if name in tested.columns]
    echoes = [one.text for one in choice.findings if one.code == "PV007" and one.severity != "pass"]
    told = saying("{n} features in use, {out} left out that look as if written after the outcome", n=len(tested.columns), out=len(named))
    told = saying("{fact} ({what})", fact=told, what=", ".join(named[:3]) + (", ..." if len(named) > 3 else "")) if named else told
    if used:
        return "fail", saying("{fact}; still in use: {what}", fact=told, what=", ".join(used[:5]))
    return "warn" if named or echoes else "pass", said_together(told, *echoes)


def _future(tested: Tested, horizon_days: int, settle_days: int) -> tuple[str, str]:
    """L3.1: the smallest number of days between the last label that was learned from and the part that follows."""
    pairs = [(max(fold.fit), min(fold.calibrate)) for fold in tested.parted if fold.calibrate]
    pairs += [(max(fold.learned), fold.test) for fold in tested.parted]
    gap, window = _closest(pairs, horizon_days + settle_days), {"ahead": horizon_days, "settle": settle_days}
    if gap < 0:
        early = "a label was learned from {n} days before it was known ({ahead} days of outcome and {settle} to be recorded)"
        return "fail", saying(early, n=-gap, **window)
    known = "every label learned from was known at least {n} days before the part that follows began ({ahead} days of outcome and {settle} to be recorded)"
    return "pass", saying(known, n=gap, **window)


def _independent(tested: Tested, choice: Choice, seed: int) -> tuple[str, str]:
    """L3.2: customers of the tests that were learned from, and how well those are ranked that were not."""
    told = tested.backtest.predictions
    rows = closed_rows(told[told["model"] == choice.tested_as])[0]
    seen = [sampling_units(tested.rows.loc[lambda each, fold=fold: each["cutoff"].isin(fold.learned)]) for fold in tested.parted]
    known = np.zeros(len(rows), dtype=bool)
    for number, customers in enumerate(seen, start=1):
        known |= ((rows["fold"] == number) & sampling_units(rows).isin(set(customers))).to_numpy()
    whole, new = _auc(rows, seed), _auc(rows[~known].reset_index(drop=True), seed)
    share = saying(
        "{share:.0%} of the test snapshots are of customers learned from, so intervals are drawn by customer; AUC {auc}",
        share=float(known.mean()),
        auc=_said(whole),
    )
    if new["low"] is None or new["high"] is None:
        few = "{fact}; too few customers never seen before to tell apart ({n})"
        return "pass", saying(few, fact=share, n=int(rows.loc[~known, "customer_id"].nunique()))
    told = saying("{fact}, and {auc} for those never seen before", fact=share, auc=_said(new))
    if whole["value"] is None or new["high"] >= whole["value"]:
        return "pass", told
    return "warn", saying("{fact} (they have little history, or the others were learned by heart)", fact=told)


def _alike(tested: Tested) -> tuple[str, str]:
    """L3.3: the tests beside tonight's customers: how many, how many are too late to help, and the share of outcomes learned from."""
    rows, cohort = tested.rows, tested.frame
    tests = [pd.Timestamp(fold.test) for fold in tested.parted]
    size = rows[rows["cutoff"].isin(tests)].groupby("cutoff").size().mean()
    late = [
        float((part["state"] == "too_late").mean()) if len(part) else 0.0 for part in (cohort[cohort["cutoff"].isin(tests)], tested.tonight)
    ]
    now = int((tested.tonight["state"] == "at_risk").sum())
    test, fitted = (float(rows.loc[rows["cutoff"].isin(part), "label"].mean()) for part in (tests, tested.parted[-1].learned))
    told = saying(
        "{size} {size:customer|customers} at risk in a test, {now} tonight; {late:.1%} and {later:.1%} left out as too late; "
        "{test:.1%} had the outcome in the tests, {fitted:.1%} in what was learned from",
        **{"size": round(size), "now": now, "late": late[0], "later": late[1], "test": test, "fitted": fitted},
    )
    alike = all(_near(*pair) for pair in ((size, now), (test, fitted)))
    return "pass" if alike else "warn", told


def _auc(rows: pd.DataFrame, seed: int) -> Estimate:
    """Return the AUC over periods with its 90 % interval by customer; no interval with too few customers or groups (see ``units``)."""
    customers = np.unique(sampling_units(rows).to_numpy(dtype=object))
    weights = bootstrap_weights(len(customers), 200 if unit_evidence(rows).enough else 0, seed)
    return bootstrap_interval(pooled_metrics(rows, customer_index(rows, customers), weights, 1)["roc_auc"])


def _said(one: Estimate) -> Saying:
    if one["value"] is None:
        return saying("unknown")
    if one["low"] is None:
        return saying("{n:.2f}", n=one["value"])
    return saying("{n:.2f} ({low:.2f}–{high:.2f})", n=one["value"], low=one["low"], high=one["high"])


def _closest(pairs: Sequence[tuple[Any, Any]], closing_days: int) -> int:
    """Return the smallest number of whole days from the moment a label is known to the part that follows."""
    known = timedelta(days=closing_days)
    return min((int(np.floor((later - (cutoff + known)) / timedelta(days=1))) for cutoff, later in pairs), default=0)


def _near(one: float, other: float) -> bool:
    return bool(min(one, other) * RATIO >= max(one, other))

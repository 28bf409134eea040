"""Evaluation of back-tested predictions: folds x metrics with intervals, periods and the gate.

``predictions`` is long, one row per test snapshot and model: fold, cutoff, customer_id, label (1.0/0.0), outcome_at, model, score
(calibrated chance) and raw (ranking value; higher is likelier). A cross-sell row has product_id as well. A period is a test cutoff.
``rank`` says who stood on the list as shipped (see ``shipped``); without it the ``capacity`` highest ranking values are the list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from prevenance.judge.bootstrap import (
    Estimate,
    Floats,
    bootstrap_interval,
    bootstrap_weights,
    closed_rows,
    customer_index,
    listed_rows,
    pooled_metrics,
    rows_by_model,
)
from prevenance.judge.duel import Duel, contacts_of, duel_of, gate_figures, sure_above
from prevenance.judge.metrics import hits_at_capacity
from prevenance.judge.verdicts import called, compared_precision, promoted_text, refused_text, worse_text
from prevenance.models.folds import MIN_PERIODS
from prevenance.models.units import unit_evidence
from prevenance.words.saying import said_listed, saying

_EQUAL = 1e-12


@dataclass(frozen=True)
class Finding:
    """What a check found: a code, a title, one sentence, and a severity (pass, warn or fail; only fail blocks)."""

    code: str
    title: str
    text: str
    severity: str


def count_text(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> count_text(1, "fold"), count_text(2, "fold")
    ('1 fold', '2 folds')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger is promoted, why in one plain sentence, and each gate's result (pass, warn or fail) with the figures behind it."""

    promoted: bool
    why: str
    gates: dict[str, str]
    figures: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)


def evaluate(predictions: pd.DataFrame, *, capacity: int, replicates: int = 400, seed: int) -> dict[str, dict[str, Estimate]]:
    """Return {model: {metric: {value, low, high}}} pooled over test periods, models by name.

    Intervals are two-sided 90 %, bootstrapped by customer over all periods; every model sees the same draws. Row order plays no part.
    With too few customers or groups (see ``units``), or no ``replicates``, low and high are None.
    """
    rows, customers = closed_rows(predictions)
    replicates = replicates if unit_evidence(rows).enough else 0
    weights = bootstrap_weights(len(customers), replicates, seed)
    return {
        model: {
            metric: bootstrap_interval(values)
            for metric, values in pooled_metrics(part, customer_index(part, customers), weights, capacity).items()
        }
        for model, part in rows_by_model(rows).items()
    }


def period_hits(predictions: pd.DataFrame, capacity: int) -> pd.DataFrame:
    """Return one row per test period: cutoff, customers, positives, random (hits of a blind list), then one column of hits per model.

    Hits are those of the lists as shipped (without ``rank``, of the highest ranking values, ties broken at random); nan for a model that
    was not tested in that period.
    """
    rows, _ = closed_rows(predictions)
    lines = [_period(cutoff, rows_by_model(part), capacity) for cutoff, part in rows.groupby("cutoff", sort=True)]
    return pd.DataFrame(lines, columns=["cutoff", "customers", "positives", "random", *rows_by_model(rows)])


def gate_verdict(
    predictions: pd.DataFrame,
    challenger: str,
    rivals: Sequence[str],
    *,
    capacity: int,
    seed: int,
    replicates: int = 400,
    sliced: Iterable[dict[str, object]] = (),
    findings: Iterable[Finding] = (),
    min_periods: int = MIN_PERIODS,
) -> Verdict:
    """Return whether the challenger may replace the best rival (highest average precision), and why.

    It needs enough customers or groups to draw from (see ``units``), ``min_periods`` test periods with both classes, a lower bound above 0
    (two-sided 90 %, paired bootstrap by customer) for the difference in average precision, an AUC clearly above 0.5, precision at capacity and
    Brier not surely worse (by the same paired intervals),
    no collapsed slice and no failed check; a slice that is starved or served worse (``slices``) and a warning of ``findings`` warn.
    """
    rows, customers = closed_rows(predictions)
    parts = rows_by_model(rows)
    present = [rival for rival in rivals if rival in parts and rival != challenger]
    stays = saying("{model} stays", model=called(next((name for name in ("champion", "health_score") if name in present), "rule")))
    if challenger not in parts or not present:
        return Verdict(
            False, refused_text(saying("no test period has both {model} and a rival", model=called(challenger)), stays), {"periods": "fail"}
        )
    weights = bootstrap_weights(len(customers), replicates, seed)
    duels = [duel_of(parts[challenger], parts[rival], rival, customers, weights, capacity) for rival in present]
    # The best rival is the one to beat; one whose precision is undefined is nobody's best.
    duel = max(duels, key=lambda one: np.nan_to_num(one.theirs["average_precision"][0], nan=-1.0))
    served, checked = list(sliced), list(findings)
    gates, blocked = _gates(duel, served, checked, min_periods)
    figures = gate_figures(duel, served, {one.code: one.severity for one in checked}, min_periods)
    if "fail" in gates.values():
        return Verdict(False, refused_text(_words(duel, gates), *blocked, stays), gates, figures)
    return Verdict(True, promoted_text(_words(duel, gates), duel.periods), gates, figures)


def _gates(duel: Duel, sliced: list[dict[str, object]], findings: list[Finding], min_periods: int) -> tuple[dict[str, str], list[str]]:
    """Return each gate's result, and in words what blocks besides the difference itself, which has its own words."""
    low = duel.difference("average_precision")["low"]
    collapsed = [f"{one['column']} {one['value']}" for one in sliced if one["collapse"]]
    failed = [finding for finding in findings if finding.severity == "fail"]
    blocked = {
        "periods": ""
        if duel.periods >= min_periods
        else saying("{n} {n:test period|test periods} with both classes, {needed} are needed", n=duel.periods, needed=min_periods),
        "signal": "" if duel.lack else _coin(duel.ours["roc_auc"]),
        "precision_at_capacity": _worse("precision at capacity", duel, 1.0, 1 / max(1, duel.contacts)),
        "brier": _worse("brier", duel, -1.0, 0.0),
        "slices": saying("ranked worse than the rule in {what}", what=", ".join(collapsed)) if collapsed else "",
        "checks": saying(
            "failed checks: {what}", what=said_listed(*(saying("{code} {what}", code=one.code, what=one.title) for one in failed))
        )
        if failed
        else "",
    }
    gates = {"beats_rivals": "pass" if low is not None and low > 0 else "fail"}
    gates |= {name: "fail" if words else "pass" for name, words in blocked.items()}
    if duel.lack:
        gates["signal"] = "fail"  # without an interval nothing is clearly above a coin
    if not collapsed and any(one.get("starved") or one.get("worse") for one in sliced):
        gates["slices"] = "warn"
    if not failed and any(finding.severity == "warn" for finding in findings):
        gates["checks"] = "warn"
    return gates, [words for words in blocked.values() if words]


def _coin(auc: Floats) -> str:
    """Return that the AUC (value first, then replicates) is not clearly above a coin's, or nothing.

    The rule it must beat may by chance be worse than a coin; without this, one shuffled world in twenty would be promoted.
    """
    if sure_above(auc) > 0.5:
        return ""
    return saying("AUC {auc:.2f} is not clearly above a coin's {coin:.2f}", auc=float(auc[0]), coin=0.5)


def _worse(words: str, duel: Duel, sign: float, least: float) -> str:
    """Return what is worse by its paired interval (``sign`` -1: lower is better), or nothing: a point alone is luck as well.

    Less than ``least`` is no difference: of precision at capacity one hit over all lists, because ties count with fractions of one.
    """
    name = words.replace(" ", "_")
    gap = duel.difference(name)
    value, low, high = gap["value"], gap["low"], gap["high"]
    if value is None or low is None or high is None or (high > -_EQUAL if sign > 0 else low < _EQUAL) or abs(value) < least - _EQUAL:
        return ""
    return worse_text(name, float(duel.ours[name][0]), float(duel.theirs[name][0]), duel.rival, low, high)


def _words(duel: Duel, gates: dict[str, str]) -> str:
    """Return the comparison in numbers."""
    ours, theirs = (float(side["average_precision"][0]) for side in (duel.ours, duel.theirs))
    gap, won = duel.difference("average_precision"), gates["beats_rivals"] == "pass"
    return compared_precision(ours, theirs, duel.rival, gap, duel.lack, won=won)


def _period(cutoff: object, parts: dict[str, pd.DataFrame], capacity: int) -> dict[str, object]:
    one = next(iter(parts.values()))
    hits = {model: _hits(mine, capacity) for model, mine in parts.items()}
    random = max(contacts_of(mine, capacity) for mine in parts.values()) * float(one["label"].mean())  # floors make lists unequally long
    return {"cutoff": cutoff, "customers": one["customer_id"].nunique(), "positives": int(one["label"].sum()), "random": random, **hits}


def _hits(rows: pd.DataFrame, capacity: int) -> float:
    listed = listed_rows(rows)
    return hits_at_capacity(rows["label"], rows["raw"], capacity) if listed is None else float(rows["label"].to_numpy() @ listed)

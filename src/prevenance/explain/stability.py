"""Stability of reasons: would the listed customers be given the same reasons, had other customers been in the past?

The model is learned again from customers drawn with replacement; reasons that change with every draw are the model's mood, not the
customer's story.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from prevenance.explain.attribution import contributions
from prevenance.explain.telling import LEAST, SHARE
from prevenance.models.bundle import Fitted
from prevenance.models.encode import fit_encoder
from prevenance.models.folds import Fold, sampling_units
from prevenance.models.learn import learned_parameters
from prevenance.models.training import usable_rows
from prevenance.models.units import Evidence, unit_evidence

REFITS = 10
ROWS = 20_000
"""Snapshots at most that a refit learns from; with more, fewer customers are drawn, which can only make reasons look less stable."""

TOP = 3
"""Reasons compared; two of three must come back."""

TRIVIAL = ("rule", "base_rate", "customer_rules")
"""Kinds whose reasons are written down, not weighed: there is nothing to vary."""


def reasons_stability(
    fitted: Fitted,
    frame: pd.DataFrame,
    fold: Fold,
    listed: pd.DataFrame,
    families: Mapping[str, object],
    *,
    seed: int,
    refits: int = REFITS,
) -> dict[str, object]:
    """Return whether the ``TOP`` raising reasons of the ``listed`` snapshots come back when the model is refitted.

    Args:
        fitted: the model whose reasons are looked at, learned from ``fold.learned`` of ``frame``.
        frame: a training frame.
        fold: only its fit part is drawn from, by customer.
        listed: the snapshots to explain, with the model's features.
        families: feature -> what it tells (see ``explain.families``); features of one family are one reason.
        seed: of the draws; the refits keep the model's own parameters.
        refits: how many.

    Returns:
        refits, listed (snapshots with a reason at all), stable (two of three reasons came back in more than half of the refits), unstable,
        share_stable (None where nobody is listed), share_kept (mean share of the reasons that came back) and trivial. With too few customers
        or groups to draw from (see ``units``) refits is 0 and nothing is counted: every draw would be nearly the same customers again.
    """
    if fitted.kind in TRIVIAL or not fitted.parameters:
        return _result(0, len(listed), len(listed), 1.0 if len(listed) else None, True)
    learned, evidence = _fit_rows(frame, fold)
    if not evidence.enough:
        return _result(0, 0, 0, None, False)
    groups, names = pd.factorize(pd.Series([str(families.get(name, name)) for name in fitted.encoder.features]))
    # By family: the same story over another lookback is no other reason.
    reasons = _reasons(fitted, listed, groups, len(names))
    told = reasons.any(axis=1)
    if not told.any():
        return _result(refits, 0, 0, None, False)
    kept = np.array(
        [_kept(reasons, _again(fitted, learned, seed + number, listed, groups, len(names))) for number in range(1, refits + 1)]
    )[:, told]
    # With fewer reasons than TOP, two thirds of those there are.
    wanted = np.ceil(2 / 3 * reasons.sum(axis=1)[told])
    stable = (kept >= wanted).mean(axis=0) > 0.5
    return _result(refits, int(told.sum()), int(stable.sum()), float((kept / reasons.sum(axis=1)[told]).mean()), False)


def _again(fitted: Fitted, rows: pd.DataFrame, seed: int, listed: pd.DataFrame, groups: np.ndarray, families: int) -> np.ndarray:
    """Return the reasons of a model learned from customers of ``rows`` drawn with replacement."""
    places = list(rows.groupby(sampling_units(rows).to_numpy(dtype=object), sort=True).indices.values())
    size = max(1, int(len(places) * min(1.0, ROWS / len(rows))))
    drawn = np.random.default_rng(seed).integers(0, len(places), size)
    sample = rows.iloc[np.sort(np.concatenate([places[one] for one in drawn]))]
    # A draw may hold no value of a rare feature, so it gets an encoder of its own.
    encoder = fit_encoder(sample, fitted.encoder.features)
    parameters = learned_parameters(fitted.kind, encoder, sample, seed=seed, params=fitted.about.get("params", {}))
    groups = groups[[fitted.encoder.features.index(name) for name in encoder.features]]
    return _reasons(Fitted(fitted.kind, encoder, parameters, fitted.calibrator), listed, groups, families)


def _fit_rows(frame: pd.DataFrame, fold: Fold) -> tuple[pd.DataFrame, Evidence]:
    rows = usable_rows(frame)
    rows = rows[rows["cutoff"].isin(fold.fit)].reset_index(drop=True)
    return rows, unit_evidence(rows)


def _reasons(fitted: Fitted, rows: pd.DataFrame, groups: np.ndarray, families: int) -> np.ndarray:
    """Return which families are among the first ``TOP`` raising reasons of each row, bool of shape (n, families)."""
    _, found = contributions(fitted, rows)
    weights = found.to_numpy() @ np.eye(families)[groups] * fitted.calibrator[0]
    least = np.maximum(LEAST, SHARE * weights.max(axis=1, keepdims=True))
    place = np.argsort(np.argsort(-weights, axis=1, kind="stable"), axis=1, kind="stable")
    return (place < TOP) & (weights >= least)


def _kept(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before & after).sum(axis=1)


def _result(refits: int, listed: int, stable: int, kept: float | None, trivial: bool) -> dict[str, object]:
    share = stable / listed if listed else None
    return {
        "refits": refits, "listed": listed, "stable": stable, "unstable": listed - stable,
        "share_stable": share, "share_kept": kept, "trivial": trivial,
    }  # fmt: skip

"""What stands behind a training's choice, as its report tells it: candidates, contest, curves, gates, drift, a row taken apart, features."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prevenance.explain.attribution import contributions, secant
from prevenance.explain.facts import wordings
from prevenance.features.define import Definition
from prevenance.judge import curves, drift
from prevenance.judge.periods import candidate_rows
from prevenance.judge.tested import Choice, Tested
from prevenance.models.bundle import Fitted, chance
from prevenance.models.calibrate import sigmoid
from prevenance.models.tuning import contest
from prevenance.runs.past_lists import rules_then
from prevenance.runs.settings.outreach import capacity_of
from prevenance.runs.settings.schema import Settings
from prevenance.targets.target import Target

WEIGHED = 200
"""Newest snapshots that say how much each feature weighs."""

DRAWN, STEPS = 6, 10
"""Features whose drift is drawn, and steps of the row that is taken apart."""


def evidence(
    given: Settings, target: Target, tested: Tested, choice: Choice, fitted: Fitted, definitions: Sequence[Definition]
) -> dict[str, Any]:
    """Return what the report holds behind the choice.

    Keys: ``candidates`` (each with its periods), ``contest`` (how the challenger was chosen), ``ranking``, ``chances`` and ``profit`` of
    the model in use, ``gate_figures``, ``drift_bins`` of what moved, ``waterfall`` and ``dictionary`` of the model that goes to work.
    """
    told, capacity, model = tested.backtest.predictions, capacity_of(given), choice.tested_as
    rules = rules_then(given, target, tested)
    learned = tested.rows[tested.rows["cutoff"].isin(tested.production.learned)]
    tonight = tested.tonight[tested.tonight["state"] == "at_risk"]
    newest = tested.rows[tested.rows["cutoff"] == tested.rows["cutoff"].max()]
    moved = [one.feature for one in choice.moved.moved[:DRAWN]]
    return {
        "candidates": candidate_rows(told, tested.backtest.params, tested.recipe, capacity=capacity, trials=given.model.trials),
        "contest": contest(tested.backtest.early_loss, tested.kinds),
        "ranking": {one: curves.ranking_curve(told, one) for one in dict.fromkeys((model, "rule"))},
        "chances": curves.chance_histogram(told, model),
        "profit": curves.profit_curve(told, tested.known, model, rules, capacity),
        "gate_figures": choice.figures,
        "drift_bins": {name: drift.bin_shares(learned, tonight, name) for name in moved},
        "waterfall": waterfall_steps(fitted, newest),
        "dictionary": feature_lines(fitted, newest.head(WEIGHED), tested.rows, definitions),
    }


def waterfall_steps(fitted: Fitted, rows: pd.DataFrame) -> dict[str, Any]:
    """Return how a chance comes about, of a customer who is nobody: medians and commonest words of the tenth of ``rows`` with the highest chances.

    Keys: base and score (chances), steps (feature, value, points; the heaviest first) and rest (points of all others). Points are percentage
    points of chance; base + Σ points / 100 is score. Empty where the model says the same of everybody.
    """
    if rows.empty or not fitted.encoder.features:
        return {}
    score = chance(fitted, rows)
    row = _typical(rows.iloc[np.argsort(-score, kind="stable")[: max(1, len(rows) // 10)]], fitted.encoder.features)
    base, found = contributions(fitted, row)
    slope, intercept = fitted.calibrator
    heavy = found.iloc[0] * slope
    if not heavy.to_numpy().any():
        return {}
    start = np.array([slope * base + intercept])
    points = heavy * 100 * float(secant(start, start + float(heavy.sum()))[0])
    first = points.reindex(points.abs().sort_values(ascending=False, kind="stable").index).iloc[:STEPS]
    steps = [{"feature": str(name), "value": _plain(row[name].iloc[0]), "points": float(value)} for name, value in first.items() if value]
    whole = float(sigmoid(start + float(heavy.sum()))[0])
    return {"base": float(sigmoid(start)[0]), "score": whole, "steps": steps, "rest": float(points.sum() - first.sum())}


def feature_lines(fitted: Fitted, newest: pd.DataFrame, rows: pd.DataFrame, definitions: Sequence[Definition]) -> list[dict[str, Any]]:
    """Return what each input of the model means, heaviest first: feature, phrase, table, days, worse, known (share of ``rows``) and weight.

    ``weight`` is the mean size of its contribution over ``newest`` as a share of all; None where the model says the same of everybody.
    """
    told = wordings(definitions)
    found = contributions(fitted, newest)[1].abs().mean() if len(newest) else pd.Series(dtype=float)
    total = float(found.sum())
    lines = [
        {
            "feature": name,
            "phrase": told[name].phrase if name in told else "",
            "table": told[name].table if name in told else "",
            "days": told[name].days if name in told else None,
            "worse": told[name].worse if name in told else None,
            "known": round(float(rows[name].notna().mean()), 6),
            "weight": round(float(found.get(name, 0.0)) / total, 6) if total else None,
        }
        for name in fitted.encoder.features
    ]
    return sorted(lines, key=lambda one: (-(one["weight"] or 0.0), one["feature"]))


def _typical(rows: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Return one row of medians and commonest words; what most do not know is not known of it."""
    found: Mapping[str, Any] = {
        name: (rows[name].median() if pd.api.types.is_numeric_dtype(rows[name]) else min(rows[name].mode(), default=None))
        if rows[name].notna().mean() > 0.5
        else None
        for name in features
    }
    return pd.DataFrame({name: pd.Series([value], dtype=rows[name].dtype) for name, value in found.items()})


def _plain(value: Any) -> float | str | None:
    return None if pd.isna(value) else value if isinstance(value, str) else float(value)

"""A team's health score with its guesses replaced: the same inputs and bands, points and weights refitted to outcomes.

Each band is a column of a ridge logistic regression. How far an input's bands lie apart is its weight, where a band lies between them its
points: the result is a health score as before, to be computed by hand and kept in the team's own tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from prevenance.models import health_score
from prevenance.words.saying import Saying, saying

SCORES = ("health_score", "refitted_score")
"""Rivals: the team's score as it is, and refitted on what each fold may learn from."""

STRENGTH = 0.3
"""scikit-learn's ``C``: bands with few outcomes are drawn towards the others."""

TOLD = 3
"""Changes that are told: those that move the score of most customers furthest."""

Params = Mapping[str, Any]


def refitted_params(params: Params, rows: pd.DataFrame) -> dict[str, Any]:
    """Return ``params`` (``inputs`` of ``feature``, ``weight``, ``bands``) with points and weights learned from ``rows`` (features, label 0 or 1).

    Weights keep their sum; inputs that are no feature here stay as they are. With one class only nothing is learned.
    """
    from sklearn.linear_model import LogisticRegression

    inputs, labels = [dict(one) for one in params["inputs"]], rows["label"].to_numpy(dtype=float)
    present = [one for one in inputs if one["feature"] in rows]
    if not present or not 0 < labels.sum() < len(labels):
        return {"inputs": inputs}
    places = [band_places(rows[one["feature"]], one["bands"]) for one in present]
    columns = [place == number for place, one in zip(places, present, strict=True) for number in range(len(one["bands"]))]
    danger = LogisticRegression(C=STRENGTH, max_iter=1000).fit(np.column_stack(columns).astype(float), labels).coef_[0]
    total, found, begin = sum(one["weight"] for one in present), [], 0
    for one in present:
        risk = danger[begin : begin + len(one["bands"])]
        begin += len(risk)
        found.append((one, risk, float(np.ptp(risk))))
    spread = sum(wide for *_, wide in found)
    for one, risk, wide in found if spread > 0 else ():
        worth = 100 * (risk.max() - risk) / wide if wide else np.full(len(risk), 50.0)
        one["weight"] = max(round(total * wide / spread, 1), 0.1)
        one["bands"] = [[low, high, float(round(points))] for (low, high, _), points in zip(one["bands"], worth, strict=True)]
    return {"inputs": inputs}


def fold_params(name: str, params: dict[str, Any], learned: pd.DataFrame) -> dict[str, Any]:
    """Return what a recipe of a back-test takes on a fold: its own settings, and of the refitted score what ``learned`` rows say."""
    return refitted_params(params, learned) if name == SCORES[1] else params


def band_places(values: pd.Series, bands: list[list[float | None]]) -> np.ndarray:
    """Return the band of each value, -1 where it is missing or between two; at a shared end the lower band counts."""
    numbers, found = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan), np.full(len(values), -1)
    for place, (low, high, _) in reversed(list(enumerate(bands))):
        found[(numbers >= (-np.inf if low is None else low)) & (numbers <= (np.inf if high is None else high)) & np.isfinite(numbers)] = (
            place
        )
    return found


def changes_that_matter(before: Params, after: Params, rows: pd.DataFrame) -> list[Saying]:
    """Return the changes of single inputs that move the scores of ``rows`` most, at most ``TOLD``: each input alone is put in its new form."""
    features = tuple(dict.fromkeys(one["feature"] for one in before["inputs"] if one["feature"] in rows))
    encoder = health_score.score_encoder(before, features)
    matrix, found = encoder.matrix(rows), []

    def scored(inputs: list[Any]) -> np.ndarray:
        return health_score.scores(matrix, health_score.parameters(health_score.estimator(encoder, seed=0, inputs=inputs))["inputs"])

    usual = scored(before["inputs"])
    for place, (old, new) in enumerate(zip(before["inputs"], after["inputs"], strict=True)):
        if old["feature"] in features and (old["weight"], old["bands"]) != (new["weight"], new["bands"]):
            changed = scored([new if place == number else one for number, one in enumerate(before["inputs"])])
            found.append((-float(np.nanmean(np.abs(changed - usual))), place, _told(old, new)))
    return [told for moved, _, told in sorted(found, key=lambda one: one[:2])[:TOLD] if moved < 0]


def _told(old: Params, new: Params) -> Saying:
    points = ["/".join(f"{band[2]:.0f}" for band in one["bands"]) for one in (old, new)]
    return saying(
        "{feature}: weight {before:.0f} → {after:.0f}, points of its bands {old} → {new}",
        **{"feature": old["feature"], "before": old["weight"], "after": new["weight"], "old": points[0], "new": points[1]},
    )

"""Why a customer is where they are: exact contributions, and reasons in the words of the definitions.

The only door to the shap package. A reason is a fact with the customer's own numbers; it is linked with the chance and is
never said to cause it.
"""

from __future__ import annotations

import re
import string
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from prevenance.features.define import Definition, Feature, Ratio, State, Trend
from prevenance.models import module
from prevenance.models.bundle import Fitted

LEAST, SHARE = 0.02, 0.1
"""Log-odds below which a contribution is no reason, and share of the largest below which it is not worth a line."""

INFORMATIVE = 0.1
"""Log-odds from which not knowing something is itself worth saying."""


@dataclass(frozen=True)
class _Wording:
    """How a column is told: its phrase, the columns that fill it, and the family of columns that tell the same story."""

    phrase: str
    fills: dict[str, str]
    family: tuple[object, ...]
    changeable: bool


@dataclass(frozen=True)
class _Fact:
    text: str
    weight: float
    changeable: bool


def contributions(fitted: Fitted, frame: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """Return (base, contributions in log-odds of shape (n, p), one column per feature of the model).

    ``base + sum of a row`` is the row's log-odds. Exact for trees, logistic regression and rules; for other models
    permutation values against the typical customer of these rows, which add up as well.

    Raises:
        PrevenanceError: E504 if the frame lacks a feature.
    """
    matrix = fitted.encoder.matrix(frame)
    if not fitted.parameters or not len(matrix):
        base, found = 0.0, np.zeros(matrix.shape)
    else:
        exact = module(fitted.kind).contributions(fitted.parameters, matrix)
        base, found = exact if exact is not None else _sampled(fitted, matrix)
    return base, pd.DataFrame(found, columns=list(fitted.encoder.features), index=frame.index)


def reasons(fitted: Fitted, frame: pd.DataFrame, definitions: Sequence[Definition], k: int = 2) -> pd.DataFrame:
    """Return ``reasons`` and ``holds`` in words for each row of ``frame`` (same index); empty where there is nothing to say.

    ``reasons`` are up to ``k`` facts that raise the chance, joined with "; ": those a customer-success manager can change
    first, then the larger. ``holds`` is the one that lowers it most, chosen alike. Columns that tell the same story over other
    lookbacks count together and give one fact. Something unknown is told only if not knowing it weighs.
    """
    wordings = _wordings(definitions)
    _, found = contributions(fitted, frame)
    told = [name for name in found.columns if name in wordings]
    weights = found[told].to_numpy() * fitted.calibrator[0]
    needed = {column for name in told for column in (name, *wordings[name].fills.values()) if column in frame}
    values = frame[sorted(needed)].to_dict("records")
    rows = [_row(dict(zip(told, weight, strict=True)), value, wordings, k) for weight, value in zip(weights, values, strict=True)]
    return pd.DataFrame(rows, columns=["reasons", "holds"], index=frame.index, dtype="str")


def plots(fitted: Fitted, frame: pd.DataFrame, folder: Path, *, dependence: int = 3) -> list[Path]:
    """Write SHAP pictures of a sample (at most 5,000 rows is wise) as PNG into ``folder`` and return their paths.

    ``importance.png`` (bar), ``beeswarm.png`` and ``dependence_<n>.png`` for the ``dependence`` most important features.
    Nothing is written for a model that says the same of everybody.
    """
    base, found = contributions(fitted, frame)
    if frame.empty or not found.to_numpy().any():
        return []
    folder.mkdir(parents=True, exist_ok=True)
    top = found.abs().mean().sort_values(ascending=False, kind="stable").index[:dependence]
    shap = _shap()
    values = fitted.encoder.matrix(frame)
    told = shap.Explanation(found.to_numpy(), np.full(len(found), base), values, feature_names=list(found.columns))
    pictures = {
        "importance": partial(shap.plots.bar, told, max_display=20, show=False),
        "beeswarm": partial(shap.plots.beeswarm, told, max_display=20, show=False),
    }
    for number, name in enumerate(top, start=1):
        pictures[f"dependence_{number}"] = partial(shap.plots.scatter, told[:, name], show=False)
    return [_drawn(draw, folder / f"{name}.png") for name, draw in pictures.items()]


def _shap() -> ModuleType:
    with warnings.catch_warnings():
        # Its colour maps warn on import about a future matplotlib, which is nobody's business here.
        warnings.simplefilter("ignore")
        import matplotlib

        matplotlib.use("Agg")
        import shap
    return shap


def _drawn(draw: Callable[[], object], path: Path) -> Path:
    from matplotlib import pyplot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyplot.figure()
        draw()
        pyplot.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})
        pyplot.close("all")
    return path


def _sampled(fitted: Fitted, matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return permutation values against one typical row: medians, and a hole where most have one."""
    shap = _shap()
    found = module(fitted.kind)
    known = np.isfinite(matrix)
    typical = np.array([np.median(column[seen]) if seen.mean() > 0.5 else np.nan for column, seen in zip(matrix.T, known.T, strict=True)])
    state = np.random.get_state()
    explainer = shap.explainers.Permutation(
        lambda rows: found.log_odds(fitted.parameters, rows), shap.maskers.Independent(typical.reshape(1, -1)), seed=0
    )
    told = explainer(matrix, max_evals=10 * (2 * matrix.shape[1] + 1), silent=True)
    np.random.set_state(state)
    return float(np.ravel(told.base_values)[0]), np.asarray(told.values)


def _wordings(definitions: Sequence[Definition]) -> dict[str, _Wording]:
    """Return how each column of the definitions is told."""
    features = {one.name: one for one in definitions if isinstance(one, Feature)}
    found: dict[str, _Wording] = {}
    for one in definitions:
        if isinstance(one, Feature):
            found[one.name] = _Wording(one.phrase, {"value": one.name}, _family(one), one.changeable)
        elif isinstance(one, Trend):
            fills = {"now": one.of, "before": f"{one.name}_before", "value": one.name}
            family = _family(features[one.of]) if one.of in features else (one.of,)
            wording = _Wording(one.phrase, fills, family, one.changeable)
            found |= {one.name: wording, f"{one.name}_before": wording}
        elif isinstance(one, Ratio):
            fills = {"value": one.name, "top": one.top, "bottom": one.bottom}
            found[one.name] = _Wording(one.phrase, fills, (one.name,), one.changeable)
        elif isinstance(one, State):
            for column, phrase in one.columns.items():
                found[column] = _Wording(phrase, {"value": column}, (one.name, column), column not in one.background)
    return found


def families(definitions: Sequence[Definition]) -> dict[str, tuple[object, ...]]:
    """Return column -> family: the same count over other lookbacks, its trend and the window before tell one story."""
    return {name: wording.family for name, wording in _wordings(definitions).items()}


def _family(feature: Feature) -> tuple[object, ...]:
    return feature.table, feature.value, feature.where


def _row(weights: dict[str, float], values: dict[str, Any], wordings: dict[str, _Wording], k: int) -> tuple[str, str]:
    families: dict[tuple[object, ...], list[str]] = {}
    for name in weights:
        families.setdefault(wordings[name].family, []).append(name)
    facts = [fact for names in families.values() if (fact := _fact(names, weights, values, wordings))]
    return "; ".join(_best(facts, 1.0, k)), "; ".join(_best(facts, -1.0, 1))


def _best(facts: list[_Fact], side: float, k: int) -> list[str]:
    """Return the texts of the ``k`` facts on one side: changeable first, then by weight, then by text."""
    largest = max((fact.weight * side for fact in facts), default=0.0)
    worth = [fact for fact in facts if fact.weight * side >= max(LEAST, SHARE * largest)]
    ordered = sorted(worth, key=lambda fact: (not fact.changeable, -abs(fact.weight), fact.text))
    return list(dict.fromkeys(fact.text for fact in ordered))[:k]


def _fact(names: list[str], weights: dict[str, float], values: dict[str, Any], wordings: dict[str, _Wording]) -> _Fact | None:
    """Return the fact of a family: its summed weight, in the words of the member that pulls most the same way."""
    total = float(sum(weights[name] for name in names))
    for name in sorted(names, key=lambda name: (-weights[name] * np.sign(total), name)):
        if weights[name] * total > 0 and (text := _text(wordings[name], values, abs(total))):
            return _Fact(text, total, wordings[name].changeable)
    return None


def _text(wording: _Wording, values: dict[str, Any], weight: float) -> str:
    fields = {field.split(".")[0] for _, field, _, _ in string.Formatter().parse(wording.phrase) if field}
    asked = {field: values.get(wording.fills.get(field, "")) for field in sorted(fields)}
    if not any(_missing(value) for value in asked.values()):
        return _capital(re.sub(r"-(0(?:\.0+)?)(?![\d.])", r"\1", wording.phrase.format(**asked)))
    if fields == {"value"} and weight >= INFORMATIVE:
        return _unknown(wording.phrase)
    return ""


def _unknown(phrase: str) -> str:
    """Return "No ... known" for the phrases that name their subject before the number ("Last login {value} days ago"), else ""."""
    subject, _, rest = phrase.partition("{value")
    named = subject.rstrip().endswith(":") or re.match(r"(Last|Oldest|Next) |\w+ in $", subject)
    if not named or "%}" in rest or "against" in rest:
        return ""
    subject = re.sub(r"^(last|oldest|next|average) | (in|for)$", "", subject.rstrip(" :"), flags=re.IGNORECASE)
    acronym = subject[:2].isupper()
    return f"No {subject if acronym else subject[:1].lower() + subject[1:]} known"


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""Why a customer is where they are: exact contributions, and reasons in the words of the definitions.

The only door to the shap package. A reason is a fact with the customer's own numbers; it is linked with the chance and is
never said to cause it.
"""

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from prevenance.explain.facts import Fact, wordings
from prevenance.explain.telling import Telling
from prevenance.features.define import Definition
from prevenance.models.bundle import Fitted
from prevenance.models.calibrate import sigmoid
from prevenance.models.kinds import module
from prevenance.words import Words

BEFORE_DAYS = 28
"""How long ago the number before was, where a fact's own window knows none."""

SAMPLED = ("neural",)
"""Kinds of model whose contributions can only be sampled, against the rows beside them."""


def contributions(fitted: Fitted, frame: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """Return (base, contributions in log-odds of shape (n, p), one column per feature of the model).

    ``base + sum of a row`` is the row's log-odds. Exact for trees, logistic regression and rules; for other models
    permutation values against the typical customer of these rows, which add up as well.

    Raises:
        PrevenanceError: E504 if the frame lacks a feature.
    """
    matrix = fitted.encoder.matrix(frame)
    # Nothing learned means the same chance for all, and nothing that explains a difference.
    if not fitted.parameters or not len(matrix):
        base, found = 0.0, np.zeros(matrix.shape)
    else:
        exact = module(fitted.kind).contributions(fitted.parameters, matrix)
        base, found = exact if exact is not None else _sampled(fitted, matrix)
    return base, pd.DataFrame(found, columns=list(fitted.encoder.features), index=frame.index)


def facts_by_row(
    fitted: Fitted,
    frame: pd.DataFrame,
    definitions: Sequence[Definition],
    say: Words,
    *,
    before: pd.DataFrame | None = None,
    days: int = BEFORE_DAYS,
    most: int | None = None,
) -> list[list[Fact]]:
    """Return the facts of each row of ``frame``, those that can be changed first, then context, each by falling weight.

    Facts below ``LEAST`` log-odds and columns that cannot be told are left out. A fact's ``weight`` is the sum over the columns of its
    story; ``points`` is its share of ``100 * (score - chance of the base)``, in proportion to the weights, so that the points of
    all columns, told or not, add up to it exactly.

    Args:
        fitted: the model.
        frame: its inputs, one row a customer; further columns are used to tell what the inputs mean.
        definitions: of the features.
        say: the reader's language.
        before: the same columns ``days`` earlier, row by row, NaN where nothing was known; tells what a number was then.
        days: how long before that was.
        most: at most so many facts of a kind (changeable or context) and a sign; all if ``None``.

    Raises:
        PrevenanceError: E504 if the frame lacks a feature.
    """
    told = _told(fitted, frame, definitions, say, before, days)
    return [[*told.facts(row, told.movable, most), *told.facts(row, told.context, most)] for row in range(len(frame))]


def context_by_row(
    fitted: Fitted, frame: pd.DataFrame, definitions: Sequence[Definition], say: Words, *, before: pd.DataFrame, rows: int, most: int
) -> list[list[Fact]]:
    """Return of each of the first ``rows`` of ``frame`` up to ``most`` facts of ``facts_by_row`` that raise the chance and nobody can change."""
    told = _told(fitted, frame, definitions, say, before, BEFORE_DAYS)
    return [told.raising_context(row, most) for row in range(rows)]


def write_plots(fitted: Fitted, frame: pd.DataFrame, folder: Path, *, dependence: int = 3) -> list[Path]:
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


def waterfall_axes(fitted: Fitted, row: pd.DataFrame, *, most: int = 12, axes: Any = None) -> Any:
    """Return Axes on which the contributions to the log-odds of one row (a frame of one) add up, the ``most`` heaviest each by itself."""
    from matplotlib import pyplot

    base, found = contributions(fitted, row)
    values = row.reindex(columns=list(found)).to_numpy(dtype=object)[0]
    shap = _shap()
    told = shap.Explanation(found.to_numpy(dtype=float)[0], float(base), values, feature_names=list(found))
    if axes is not None:
        pyplot.sca(axes)
    else:
        pyplot.figure()
    if not found.to_numpy().any():
        pyplot.gca().text(0.5, 0.5, "this model says the same of everybody", ha="center", transform=pyplot.gca().transAxes)
        return pyplot.gca()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shap.plots.waterfall(told, max_display=most, show=False)
    return pyplot.gca()


def _shap() -> ModuleType:
    with warnings.catch_warnings():
        # Its colour maps warn on import about a future matplotlib, which is nobody's business here.
        warnings.simplefilter("ignore")
        import matplotlib

        # A notebook has its own way to show pictures; a command that runs beside a screen must not open windows on it.
        if "MPLBACKEND" not in os.environ and "matplotlib.pyplot" not in sys.modules:
            matplotlib.use("Agg")
        import shap
    return shap


def _drawn(draw: Callable[[], object], path: Path) -> Path:
    from matplotlib import pyplot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        others = pyplot.get_fignums()
        pyplot.figure()
        draw()
        # matplotlib would write its version into the picture, and with it other bytes after an update.
        pyplot.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})
        for number in set(pyplot.get_fignums()).difference(others):
            pyplot.close(number)
    return path


def _sampled(fitted: Fitted, matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return permutation values against one typical row: medians, and a hole where most have one."""
    shap = _shap()
    found = module(fitted.kind)
    known = np.isfinite(matrix)
    typical = np.array([np.median(column[seen]) if seen.mean() > 0.5 else np.nan for column, seen in zip(matrix.T, known.T, strict=True)])
    # shap draws from numpy's one generator for all; nobody else's draws may change by it.
    state = np.random.get_state()
    explainer = shap.explainers.Permutation(
        lambda rows: found.log_odds(fitted.parameters, rows), shap.maskers.Independent(typical.reshape(1, -1)), seed=0
    )
    told = explainer(matrix, max_evals=10 * (2 * matrix.shape[1] + 1), silent=True)
    np.random.set_state(state)
    return float(np.ravel(told.base_values)[0]), np.asarray(told.values)


def column_stories(definitions: Sequence[Definition]) -> dict[str, tuple[object, ...]]:
    """Return column -> story: the same count over other lookbacks, its trend and the window before tell one story."""
    return {name: wording.story for name, wording in wordings(definitions).items()}


def secant(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return chance per log-odds on the way from ``start`` to ``end`` (log-odds): what shares a difference of chances out exactly."""
    there = np.abs(end - start) > 1e-9
    slope = sigmoid(start) * (1 - sigmoid(start))
    return np.divide(sigmoid(end) - sigmoid(start), end - start, out=slope, where=there)


def _told(
    fitted: Fitted, frame: pd.DataFrame, definitions: Sequence[Definition], say: Words, before: pd.DataFrame | None, days: int
) -> Telling:
    base, found = contributions(fitted, frame)
    slope, intercept = fitted.calibrator
    # From the base to the whole: so the points of all columns add up to the score, bent as the curve is.
    start = np.full(len(found), slope * base + intercept)
    points = 100 * secant(start, start + slope * found.to_numpy().sum(axis=1))
    earlier = (say("{days} days before", days=days), before) if before is not None else None
    return Telling(found * slope, points, frame, wordings(definitions), say, earlier)

"""Why a chance moved within 28 days: the facts whose contributions moved it, by the same model then and now."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from prevenance.explain.attribution import contributions
from prevenance.explain.facts import Wording, wordings
from prevenance.explain.reasons import bad_ways, compared_text
from prevenance.explain.telling import LEAST
from prevenance.features.define import Definition, Worse
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.words import Words

STEADY = 5.0
"""Percentage points of change that are steady at least; half the band of the chance where that is more."""

MOST = 2
"""Facts told of a move."""

APART = 28
"""Days between the two."""


def noise_points(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the change in percentage points up to which a chance with this band is steady.

    >>> noise_points(np.array([0.2, 0.4]), np.array([0.4, 0.42])).round(6).tolist()
    [10.0, 5.0]
    """
    return np.maximum(STEADY, 50.0 * (np.asarray(high) - np.asarray(low)))


def moved_texts(
    fitted: Fitted,
    now: pd.DataFrame,
    before: pd.DataFrame,
    definitions: Sequence[Definition],
    say: Words,
    *,
    told_by: str,
    reasons: Sequence[Collection[str]] = (),
) -> list[list[str]]:
    """Return, for each row of ``now``, up to ``MOST`` facts that moved its chance beyond noise, the heaviest first; [] for one that is steady.

    A fact is told with its number then and only where that changed; for targets told by what is ``worse`` nothing that got worse explains a
    chance that fell, nor the other way round.

    Args:
        fitted: the model of both.
        now: its inputs, one row a customer.
        before: the inputs 28 days earlier, row by row, NaN where the customer was not in the cohort.
        definitions: of the features.
        say: the reader's language.
        told_by: how the target's reasons are told.
        reasons: of each row the families of its reasons: why a chance fell is told first by what is no reason to worry as well.
    """
    told, found = wordings(definitions), [list[str]() for _ in range(len(now))]
    known = np.flatnonzero(before.notna().any(axis=1).to_numpy())
    if not len(known):
        return found
    then, here = before.iloc[known].reset_index(drop=True), now.iloc[known].reset_index(drop=True)
    score = bundle.chance(fitted, here)
    change = 100 * (score - bundle.chance(fitted, then))
    low, high = bundle.interval(fitted, score)
    # One call for both: what is only sampled is told against the rows beside it.
    _, parts = contributions(fitted, pd.concat([then, here[list(then)]], ignore_index=True))
    weights = fitted.calibrator[0] * (parts.iloc[len(then) :].to_numpy() - parts.iloc[: len(then)].to_numpy())
    ways = bad_ways(told) if told_by == "worse" else {}
    columns = {name: (here[name].to_numpy(), then[name].to_numpy()) for name in parts}
    for place in np.flatnonzero(np.abs(change) > noise_points(low, high)):
        values = {name: (new[place], old[place]) for name, (new, old) in columns.items()}
        side = float(np.sign(change[place]))
        texts = _texts(dict(zip(parts, weights[place] * side, strict=True)), told, values, ways, side, say)
        worried = reasons[known[place]] if len(reasons) and side < 0 else ()
        found[known[place]] = [text for last in (False, True) for text, family in texts.items() if (family in worried) == last]
    return found


def _texts(
    pulls: Mapping[str, float],
    told: Mapping[str, Wording],
    values: Mapping[str, tuple[object, object]],
    ways: Mapping[str, Worse],
    side: float,
    say: Words,
) -> dict[str, str]:
    """Return the facts of one row and their families, the heaviest first: of each story the column that pulls most, and never two of a family."""
    totals: dict[tuple[object, ...], float] = {}
    for name, pull in pulls.items():
        if name in told:
            totals[told[name].story] = totals.get(told[name].story, 0.0) + pull
    texts: dict[str, str] = {}
    for name in sorted((name for name in pulls if name in told), key=lambda name: (-totals[told[name].story], -pulls[name], name)):
        wording = told.get(told[name].column, told[name])
        if len(texts) == MOST or totals[told[name].story] < LEAST:
            break
        if pulls[name] <= 0 or wording.family in texts.values() or wording.column not in values:
            continue
        new, old = (float(one) if isinstance(one, int | float | np.number) else np.nan for one in values[wording.column])
        # What only grew by the days between is the calendar's doing.
        if wording.worse is None and not wording.silence and abs(new - old) == APART:
            continue
        way = "more" if new > old else "less"
        # What got worse does not explain a chance that fell, and what is neither good nor bad explains nothing.
        if ways and (wording.column not in ways or (way == ways[wording.column]) != (side > 0)):
            continue
        if text := compared_text(wording, new, old, "before", say):
            texts[text] = wording.family
    return texts

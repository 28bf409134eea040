"""The reasons of the rows of a list: what the model weighs, told where a comparison shows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.explain.attribution import SAMPLED, contributions, secant
from prevenance.explain.facts import Fact, wordings
from prevenance.explain.reasons import Reasons, RowReasons, bad_ways, nothing_text, other_way, raising_ways, told_columns
from prevenance.explain.usual import cohort_values, usual_values, with_means
from prevenance.features.define import Count, DaysSince, Definition, Feature, Worse
from prevenance.features.held import InputRows
from prevenance.history.history import History
from prevenance.models.bundle import Fitted
from prevenance.words import Words

MOST_REASONS, MOST_HOLDS = 5, 3
"""Facts of a row at most; a list shows the first of them, an opened row all."""

WAY_ROWS = 1_000
"""Rows from which it is seen which way of a number raises the chance."""


def reasons_by_row(
    fitted: Fitted,
    places: np.ndarray,
    history: History,
    cutoff: datetime,
    cohort: InputRows,
    definitions: Sequence[Definition],
    say: Words,
    *,
    told_by: str = "worse",
    gain: bool = False,
    beside: np.ndarray | None = None,
) -> list[RowReasons]:
    """Return the reasons of the rows of ``cohort`` at ``places``, each with the comparison that shows it; see ``explain.reasons``.

    Args:
        fitted: the model.
        places: integers of shape (n,): which rows of ``cohort`` to tell about.
        history: where their past is looked up.
        cutoff: of ``cohort``, naive UTC.
        cohort: keys and inputs of everybody asked about at the cutoff, in a fixed order: who is similar, and which way numbers pull.
        definitions: of the features.
        say: the reader's language.
        told_by: how the target's reasons are told: by what is ``worse``, or by what raises the ``chance``.
        gain: whether the outcome is wished for.
        beside: the places of the rows of the list, against which contributions that can only be sampled are told; all if not given.

    Raises:
        PrevenanceError: E504 if the frame lacks a feature.
    """
    every = with_means(definitions)
    told = wordings(every)
    values, names = cohort_values(history, cutoff, cohort, every, told_columns(told, fitted.encoder.features))
    frame = values.take(places).reset_index(drop=True)
    usual = usual_values(history, cutoff, frame, values, names, every)
    if fitted.kind in SAMPLED:
        listed = np.arange(len(cohort)) if beside is None else beside
        base, found = contributions(fitted, cohort.take(listed))
        found = found.iloc[pd.Index(listed).get_indexer(pd.Index(places))]
    else:
        base, found = contributions(fitted, frame)
    slope, intercept = fitted.calibrator
    ways, against = bad_ways(told), None
    if told_by != "worse":
        first = values.take(np.arange(min(WAY_ROWS, len(cohort))))
        raising = raising_ways(contributions(fitted, first)[1] * slope, told, first[names])
        ways, against = sensible_ways(raising, ways, trouble_lately(every), gain=gain)
    start = np.full(len(found), slope * base + intercept)
    points = 100 * secant(start, start + slope * found.to_numpy().sum(axis=1))
    reasons = Reasons(found * slope, points, told, usual, say, ways, against)
    return [reasons.both_sides(row, MOST_REASONS, MOST_HOLDS, keeps=told_by == "worse") for row in range(len(frame))]


def sensible_ways(
    raising: Mapping[str, Worse], bad: Mapping[str, Worse], lately: frozenset[str] = frozenset(), *, gain: bool
) -> tuple[dict[str, Worse], dict[str, Worse]]:
    """Return column -> the way that is told as a reason, and as what speaks against, of those that the model finds.

    ``lately`` are the days since trouble, of which few are bad.

    A sale that is hoped for has no reason in what is bad for the relation, and nothing good speaks against it; against trouble that is
    foreseen no other trouble speaks, less use does. A model may find so, among customers who are alike in other ways; nobody could use it.
    """
    against, bad = {name: other_way(way) for name, way in raising.items()}, {**bad, **dict.fromkeys(lately, "less")}
    if gain:
        return (
            {name: way for name, way in raising.items() if way != bad.get(name)},
            {name: way for name, way in against.items() if name not in bad or way == bad[name]},
        )
    foreseen = {name: way for name, way in raising.items() if name not in lately or way == "less"}
    return foreseen, {name: way for name, way in against.items() if way != bad.get(name) or (way == "less" and name not in lately)}


def trouble_lately(definitions: Sequence[Definition]) -> frozenset[str]:
    """Return the silences that begin with trouble: days since what is bad the more of it there is."""
    features = [one for one in definitions if isinstance(one, Feature)]
    bad = {(one.table, one.where) for one in features if isinstance(one.value, Count) and one.worse == "more"}
    return frozenset(one.name for one in features if isinstance(one.value, DaysSince) and (one.table, one.where) in bad)


def reason_columns(told: Sequence[RowReasons], say: Words, k: int = 2) -> pd.DataFrame:
    """Return ``reasons``, ``holds`` and ``family`` of each row: up to ``k`` reasons joined with "; ", what speaks against them, and what the
    first reason is about. A row without a reason says so, and its family is empty.
    """
    rows = [
        (
            "; ".join(fact.text for fact in one.reasons[:k]) or nothing_text(say),
            one.holds[0].text if one.holds else "",
            one.reasons[0].family if one.reasons else "",
        )
        for one in told
    ]
    return pd.DataFrame(rows, columns=["reasons", "holds", "family"], dtype="str")


def scores_told(reasons: Sequence[Fact], say: Words) -> dict[str, str]:
    """Return the feedback score that a reason tells, as ``score``; nothing where none does."""
    values = [one.columns[one.column] for one in reasons if one.family == "feedback" and one.column.endswith("_last")]
    return {"score": say.number(values[0], 0 if float(values[0]).is_integer() else 1)} if values else {}

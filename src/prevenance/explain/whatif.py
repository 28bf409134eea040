"""What would change a chance: the model asked again with a few inputs as they were, or as they usually are.

It is the model's answer to another question, never a promise: what moves an input in life moves others too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from prevenance.features.held import InputRows
from prevenance.models.bundle import Fitted, chance

QUARTER_DAYS = 90
QUARTER, TYPICAL = "a quarter ago", "typical"

LEAST = 0.005
"""Change of the chance below which an answer is not worth a line."""


@dataclass(frozen=True)
class StoryAnswer:
    """The chance if the ``columns`` of one story had the values ``then`` instead: as ``a quarter ago``, or as ``typical``."""

    like: str
    columns: tuple[str, ...]
    then: dict[str, Any]
    score: float


def typical_values(features: InputRows, columns: Sequence[str]) -> dict[str, float]:
    """Return the median of each number among all rows of ``features``; columns without any value, and words, are left out."""
    numbers = ((name, features[name]) for name in columns if name in features)
    middle = {name: float(column.median()) for name, column in numbers if is_numeric_dtype(column)}
    return {name: value for name, value in middle.items() if np.isfinite(value)}


def story_answers(
    fitted: Fitted, row: pd.DataFrame, others: Mapping[str, Mapping[str, Any]], families: Mapping[str, object], movable: Collection[str]
) -> list[StoryAnswer]:
    """Return what moving one story at a time would do, the largest drop of the chance first; only moves of at least ``LEAST``.

    A story is all inputs of a family (the same count over several lookbacks, its trend and the window before): they move together.

    Args:
        fitted: the model.
        row: one row with every input.
        others: like (``QUARTER``, ``TYPICAL``) -> column -> value to move to; unknown values do not move.
        families: column -> family.
        movable: columns that somebody can change.
    """
    stories: dict[object, list[str]] = {}
    for name in fitted.encoder.features:
        stories.setdefault(families.get(name, name), []).append(name)
    asked: list[tuple[str, tuple[str, ...], dict[str, Any]]] = []
    for like, values in others.items():
        for names in stories.values():
            then = {name: values[name] for name in names if _moves(row[name].iloc[0], values.get(name))}
            # What nobody can change is no answer to "what could I do".
            if then and set(names) & set(movable):
                asked.append((like, tuple(names), then))
    if not asked:
        return []
    now = float(chance(fitted, row)[0])
    # a column of words stays one, though a moved row may hold none
    rows = pd.concat([row.assign(**then) for _, _, then in asked], ignore_index=True).astype(row.dtypes.to_dict())
    found = [StoryAnswer(like, names, then, float(score)) for (like, names, then), score in zip(asked, chance(fitted, rows), strict=True)]
    worth = [one for one in found if abs(one.score - now) >= LEAST]
    return sorted(worth, key=lambda one: (one.score - now, one.like, one.columns))


def _moves(now: Any, then: Any) -> bool:
    if then is None or pd.isna(then):
        return False
    return bool(pd.isna(now) or now != then)

"""Which facts are told of a customer, and in which order: what can be changed first, context last.

Weights are summed by story for all customers at once; words are made only for the facts that are told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from prevenance.explain.facts import Fact, Wording, fact_text
from prevenance.words import Words

LEAST, SHARE = 0.02, 0.1
"""Log-odds below which a contribution is no reason, and share of the largest below which it is not worth a line."""


class Telling:
    """The facts of ``n`` customers, told on demand."""

    def __init__(
        self,
        weights: pd.DataFrame,
        points: np.ndarray,
        frame: pd.DataFrame,
        wordings: Mapping[str, Wording],
        say: Words,
        earlier: tuple[str, pd.DataFrame] | None = None,
    ) -> None:
        """Sum the weights of each story.

        Args:
            weights: calibrated log-odds of shape (n, p), one column per feature of the model.
            points: percentage points of chance per log-odds, of shape (n,).
            frame: what the columns say of the same customers.
            wordings: how columns are told; the others are not told.
            say: the reader's language.
            earlier: (when, the same columns then).
        """
        self.names = [name for name in weights.columns if name in wordings]
        self.weights, self.points, self.say = weights[self.names].to_numpy(), points, say
        self.wordings = [wordings[name] for name in self.names]
        self.alone = [replace(one, with_before=None) if one.with_before else one for one in self.wordings]
        stories: dict[tuple[object, ...], list[int]] = {}
        for place, one in enumerate(self.wordings):
            stories.setdefault(one.story, []).append(place)
        self.members = [np.array(places) for places in stories.values()]
        self.totals = np.column_stack([self.weights[:, places].sum(axis=1) for places in self.members] or [np.zeros((len(frame), 0))])
        movable = np.array([any(self.wordings[place].changeable for place in places) for places in self.members], dtype=bool)
        self.movable, self.context = np.flatnonzero(movable), np.flatnonzero(~movable)
        # a story that can be changed may be told by a member that cannot
        fixed = np.array([any(not self.wordings[place].changeable for place in places) for places in self.members], dtype=bool)
        self.mixed = np.flatnonzero(movable & fixed)
        needed = {column for one in self.wordings for column in _columns(one)}
        self.now = {column: frame[column].to_numpy() for column in sorted(needed) if column in frame}
        self.when = earlier[0] if earlier else ""
        self.then = {column: earlier[1][column].to_numpy() for column in self.now if column in earlier[1]} if earlier else {}

    def facts(self, row: int, kind: np.ndarray, most: int | None) -> list[Fact]:
        """Return up to ``most`` facts of one kind (``movable`` or ``context``) on each side, heaviest first."""
        both = (fact for side in (1.0, -1.0) for fact in islice(self._falling(row, kind, side), most))
        return sorted(both, key=lambda fact: -abs(fact.weight))

    def raising_context(self, row: int, most: int) -> list[Fact]:
        """Return up to ``most`` facts that raise the chance and cannot be changed: those of ``facts`` in its order, without telling the others."""
        every = (fact for kind in (self.mixed, self.context) for fact in self._falling(row, kind, 1.0))
        return list(islice((fact for fact in every if fact.points > 0 and not fact.changeable), most))

    def _falling(self, row: int, kind: np.ndarray, side: float) -> Iterator[Fact]:
        totals = self.totals[row, kind] * side
        for place in np.argsort(-totals, kind="stable"):
            if totals[place] < LEAST:
                return
            if fact := self._fact(row, kind[place], side):
                yield fact

    def _fact(self, row: int, story: int, side: float) -> Fact | None:
        """Return a story's fact, in the words of the member that pulls most the same way."""
        total, members = float(self.totals[row, story]), self.members[story]
        for place in pulling_members(self.weights[row], members, side):
            wording = self._wording(row, place, members, side)
            values = {column: self.now[column][row] for column in _columns(wording) if column in self.now}
            then = {column: self.then[column][row] for column in values if column in self.then}
            if told := fact_text(wording, values, self.say, abs(total), (self.when, then) if then else None):
                points = float(self.points[row]) * total
                return Fact(told, points, total, wording.family, wording.changeable, wording.table, values)
        return None

    def _wording(self, row: int, place: int, members: np.ndarray, side: float) -> Wording:
        """Return how a column is told: as now against the window before where that change pulls the same way, else by its level."""
        trend = self.wordings[place].with_before
        if trend is None:
            return self.wordings[place]
        pulls = sum(self.weights[row, other] for other in members if self.wordings[other] is trend) * side
        return self.wordings[place] if pulls > 0 else self.alone[place]


def _columns(wording: Wording) -> tuple[str, ...]:
    own: Mapping[str, Any] = wording.fills
    return tuple(dict.fromkeys((*own.values(), *(wording.with_before.fills.values() if wording.with_before else ()))))


def pulling_members(weights: np.ndarray, members: np.ndarray, side: float) -> Iterator[int]:
    """Yield the places among ``members`` of a story that pull to ``side``, the heaviest first; ``weights`` are those of a row, shape (p,).

    A story as a whole may pull to a side to which no column that is left would.
    """
    pulls = weights[members] * side
    yield from (int(members[at]) for at in np.argsort(-pulls, kind="stable") if pulls[at] > 0)

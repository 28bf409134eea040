"""Reasons: what moves a chance *and* is shown by a comparison, with the customer's own past or with customers like them.

What the model weighs is no reason by itself. A fact is told as one only where the customer's number stands apart the way that the target's
words ask for: against their own past by more than its noise, else against similar customers. Nothing that got better is told as a risk.
"""

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from prevenance.explain.facts import Fact, Wording
from prevenance.explain.telling import LEAST, SHARE, pulling_members
from prevenance.explain.usual import Usual
from prevenance.features.define import Worse
from prevenance.words import Words

Beside = Literal["own", "similar", "itself", "before"]

NOISES = 2.0
"""Median absolute deviations of the own past that a change has to exceed."""

MATERIAL = 0.05
"""Share of what is usual that a difference has to reach: less is no news, however steady the past was."""

LONGER, SOME = 1.5, 30
"""Times the longest silence so far that a silence has to last; customers from whom it can be seen which way of a number raises the chance."""

FED_BY_USE = ("usage", "tickets")
"""Tables whose counts fall with use: no errors of a customer who is not there is no good sign."""


@dataclass(frozen=True)
class RowReasons:
    """What is told of one row, the heaviest first: what raises its chance, and what speaks against."""

    reasons: tuple[Fact, ...] = ()
    holds: tuple[Fact, ...] = ()


class Reasons:
    """The reasons of ``n`` customers, told on demand."""

    def __init__(
        self,
        weights: pd.DataFrame,
        points: np.ndarray,
        wordings: Mapping[str, Wording],
        usual: Usual,
        say: Words,
        ways: Mapping[str, Worse],
        against: Mapping[str, Worse] | None = None,
    ) -> None:
        """Sum the weights of each story.

        Args:
            weights: calibrated log-odds of shape (n, p), one column per feature of the model.
            points: percentage points of chance per log-odds, of shape (n,).
            wordings: how columns are told; the others are not told.
            usual: what is usual for the same rows.
            say: the reader's language.
            ways: told column -> which way of it is told as a reason.
            against: the same of what speaks against; the other ways if not given.
        """
        self.names = [name for name in weights if name in wordings and wordings[name].changeable]
        self.weights, self.points, self.say, self.usual = weights[self.names].to_numpy(), points, say, usual
        self.wordings = [wordings[name] for name in self.names]
        self.ways = {1.0: ways, -1.0: {name: other_way(way) for name, way in ways.items()} if against is None else against}
        self.phrases = {name: one for name, one in wordings.items() if name == one.column}
        stories: dict[tuple[object, ...], list[int]] = {}
        for place, one in enumerate(self.wordings):
            stories.setdefault(one.story, []).append(place)
        self.members = [np.array(places) for places in stories.values()]
        self.totals = np.column_stack([self.weights[:, places].sum(axis=1) for places in self.members] or [np.zeros((len(weights), 0))])

    def both_sides(self, row: int, most: int, against: int, *, keeps: bool = True) -> RowReasons:
        """Return up to ``most`` reasons and ``against`` facts that speak against; of a customer to keep who uses little, few troubles do not."""
        reasons = self.told(row, 1.0, most)
        quiet = keeps and any(
            one.table == "usage" and one.way == ("more" if self.phrases[one.column].silence else "less") for one in reasons
        )
        return RowReasons(tuple(reasons), tuple(self.told(row, -1.0, against, FED_BY_USE if quiet else ())))

    def told(self, row: int, side: float, k: int, hollow: Sequence[str] = ()) -> list[Fact]:
        """Return up to ``k`` reasons (``side`` 1) or facts against (-1), the heaviest first, one a family; of ``hollow`` tables nothing that is less."""
        found: list[Fact] = []
        totals = self.totals[row] * side
        for story in np.argsort(-totals, kind="stable"):
            heaviest = abs(found[0].weight) if found else 0.0
            if len(found) == k or totals[story] < max(LEAST, SHARE * heaviest):
                break
            family = self.wordings[self.members[story][0]].family
            fact = None if family in [one.family for one in found] else self._fact(row, int(story), side)
            if fact and not (fact.table in hollow and fact.way == "less"):
                found.append(fact)
        return found

    def _fact(self, row: int, story: int, side: float) -> Fact | None:
        """Return a story's fact: of the member that pulls most this way and whose comparison shows it."""
        total = float(self.totals[row, story])
        for place in pulling_members(self.weights[row], self.members[story], side):
            wording = self.wordings[place]
            for column in (wording.above, wording.column):
                if fact := self._told(row, column, self.ways[side].get(column) or self.ways[side].get(wording.column), total):
                    return fact
        return None

    def _told(self, row: int, column: str, way: Worse, total: float) -> Fact | None:
        """Return the fact of one column if a comparison shows it."""
        wording = self.phrases.get(column)
        if wording is None or way is None or (beside := comparison_shown(self.usual, wording, row, way)) is None:
            return None
        now, then = float(self.usual.now[column][row]), usual_number(self.usual, column, row, beside)
        text = compared_text(wording, now, then, beside, self.say)
        points, values = float(self.points[row]) * total, {column: now}
        return Fact(text, points, total, wording.family, True, wording.table, values, column, way, beside) if text else None


def comparison_shown(usual: Usual, wording: Wording, row: int, way: Worse) -> Beside | None:
    """Return what shows that the number of a row is ``way`` (more or less) than usual; None where nothing does."""
    name, sign = wording.column, 1.0 if way == "more" else -1.0
    if way is None or name not in usual.now or not np.isfinite(now := usual.now[name][row]):
        return None
    if is_change(wording.phrase):
        return "itself" if sign * now > 0 else None
    own = usual.own[name][row] if name in usual.own else np.nan
    if np.isfinite(own):
        noise = NOISES * usual.noise[name][row]
        moved, lately = sign * (now - own), sign * (now - usual.last[name][row])
        # A number that has come back is no news, however far it still is from what is usual.
        if not lately < -max(noise, MATERIAL * abs(own)) and moved > noise and moved >= MATERIAL * abs(own):
            return None if wording.silence and way == "more" and now < LONGER * usual.top[name][row] else "own"
        if moved < -noise:
            return None
    middle, far = usual.similar[name][row], (usual.high if sign > 0 else usual.low)[name][row]
    apart = sign * (now - middle)
    return "similar" if apart > 0 and apart >= MATERIAL * abs(middle) and sign * (now - far) >= 0 else None


def usual_number(usual: Usual, column: str, row: int, beside: Beside) -> float:
    """Return what a number is compared with; NaN for a change, which is compared with nothing."""
    return float("nan") if beside == "itself" else float((usual.own if beside == "own" else usual.similar)[column][row])


def compared_text(wording: Wording, now: float, then: float, beside: Beside, say: Words) -> str:
    """Return a fact with its comparison; "" where the two would read the same, or nought has no words.

    A function of the definition, its value and the comparison alone: "Logins in 28 days: 16 (usually 41)".
    """
    phrase = say.translated(wording.phrase)
    fields = _value_fields(phrase)
    # What is told of two numbers, or of none, has no one number that could be compared.
    if len(fields) != 1 or not np.isfinite(now):
        return ""
    shown = _number(say, now, fields[0])
    if beside == "itself":
        return "" if _is_nought(shown) else _capital(say.filled(phrase, value=now, days=wording.days))
    usual = _number(say, then, fields[0])
    if usual == shown or not np.isfinite(then) or (is_change(phrase) and _is_nought(shown)):
        return ""
    if _is_nought(shown) and not wording.read:
        # "Logins in 28 days: none"; a silence of nought days is nothing to tell.
        subject = re.fullmatch(r"([^:]*?)\s?: \{value[^}]*\}", phrase)
        if subject is None:
            return ""
        fact = say("{subject}: none", subject=say.filled(subject[1], days=wording.days))
    else:
        fact = say.filled(phrase, value=now, days=wording.days)
    then_told = usual if wording.read or not _is_nought(usual) else say("no change") if is_change(phrase) else say("none")
    if beside == "own":
        return say("{fact} (usually {usual})", fact=_capital(fact), usual=then_told)
    if beside == "before":
        return say("{fact} (28 days before: {usual})", fact=_capital(fact), usual=then_told)
    return say("{fact} (similar customers: {usual})", fact=_capital(fact), usual=then_told)


def raising_ways(weights: pd.DataFrame, wordings: Mapping[str, Wording], values: pd.DataFrame) -> dict[str, Worse]:
    """Return told column -> which way of it goes with a higher chance, by the model's ``weights`` of some rows and their ``values``.

    A column that goes neither way, or of which too few are known, is absent.
    """
    sums: dict[str, np.ndarray] = {}
    for name in weights:
        if name in wordings and wordings[name].column in values:
            column = wordings[name].column
            sums[column] = sums.get(column, np.zeros(len(weights))) + weights[name].to_numpy()
    found: dict[str, Worse] = {}
    for column, pull in sums.items():
        numbers = values[column].to_numpy(dtype=float)
        known = np.isfinite(numbers)
        if known.sum() >= SOME:
            rank = pd.Series(numbers[known]).rank().to_numpy()
            together = float(((rank - rank.mean()) * (pull[known] - pull[known].mean())).mean())
            spread = float(rank.std() * pull[known].std())
            if spread > 0 and abs(together) >= 0.1 * spread:
                found[column] = "more" if together > 0 else "less"
    return found


def nothing_text(say: Words) -> str:
    """Return what a row says whose chance no fact explains that a comparison would show."""
    return say("No single fact stands out")


def bad_ways(wordings: Mapping[str, Wording]) -> dict[str, Worse]:
    """Return told column -> which way of it is bad for the relation, as its definition says."""
    return {one.column: one.worse for one in wordings.values() if one.worse}


def told_columns(wordings: Mapping[str, Wording], names: Sequence[str]) -> list[str]:
    """Return the columns that the reasons of a model with the inputs ``names`` may tell."""
    mine = [wordings[name] for name in names if name in wordings]
    return list(dict.fromkeys(column for one in mine for column in (one.above, one.column) if column))


def is_change(phrase: str) -> bool:
    """Return whether a phrase tells a change against a moment that it names itself: "Seats {value:+.0f} against 90 days before"."""
    return "{value:+" in phrase


def other_way(way: Worse) -> Worse:
    """Return less for more, more for less."""
    return None if way is None else "less" if way == "more" else "more"


@cache
def _value_fields(phrase: str) -> tuple[str, ...]:
    """Return the formats of the numbers that a phrase tells, without words that only follow one."""
    told = [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(phrase) if name and name != "days"]
    if any(name != "value" for name, _ in told):
        return ()
    return tuple(spec for _, spec in told if "|" not in spec and "?" not in spec)


def _number(say: Words, value: float, spec: str) -> str:
    return say.filled("{value:" + spec + "}", value=value) if np.isfinite(value) else ""


def _is_nought(shown: str) -> bool:
    return any(one.isdigit() for one in shown) and not any(one in "123456789" for one in shown)


def _capital(told: str) -> str:
    return told[:1].upper() + told[1:]

"""Facts in words: what a model's columns say of one customer, in the reader's language.

A fact is told with its number now, the number before and the period, where they are known; what is not known is told as unknown.
Columns that tell the same story (a count over other lookbacks, its trend) are one fact.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from prevenance.explain.usual import EACH
from prevenance.features.define import Count, DaysSince, Definition, Distinct, Feature, OfColumn, Ratio, State, Sum, Trend, Worse
from prevenance.words import Words

_FAMILY = {
    "usage": "usage",
    "tickets": "tickets",
    "invoices": "invoices",
    "subscriptions": "contract",
    "feedback": "feedback",
    "purchases": "purchases",
}
"""Table -> family; the rest is ``other``."""

_BOUGHT_UNUSED = "paid_features"
"""The state whose facts are about features paid for, not about use at large."""

INFORMATIVE = 0.1
"""Log-odds from which not knowing something is itself worth saying."""


@dataclass(frozen=True)
class Wording:
    """How a column is told.

    ``fills`` says which column fills each placeholder of ``phrase``; ``story`` is shared by the columns that tell the same;
    ``with_before`` is the wording that tells the window before too; ``days`` fills ``{days}``;
    ``counts`` says that a missing number is no missing knowledge; ``level`` tells a trend that did not move.
    ``read`` says that it is a value that stands in a row (a score), of which 0 is one like any other, not none;
    ``column`` is what its comparison is told of (a trend by what it is of, a sum that follows the calendar by its mean row), ``above`` what is
    told instead where that shows it too (the count of a ratio); ``worse`` says which way of it is bad; a ``silence`` grows by itself.
    """

    phrase: str
    fills: dict[str, str] = field(hash=False)
    story: tuple[object, ...]
    changeable: bool
    family: str
    table: str
    days: int | None = None
    counts: bool = False
    column: str = ""
    above: str = ""
    worse: Worse = None
    silence: bool = False
    read: bool = False
    with_before: Wording | None = None
    level: Wording | None = None


@dataclass(frozen=True)
class Fact:
    """One thing that moves a customer's chance.

    ``weight`` is its log-odds after calibration and ``points`` the same in percentage points of chance, both signed; ``family`` is one of
    ``playbook.FAMILIES``; ``table`` is where it was read and ``columns`` its inputs with their values; ``changeable`` says whether a
    customer-success manager can move it (else it is context). Of a reason, ``column`` is told, ``way`` says whether that is ``more`` or ``less``
    than usual, and ``beside`` what it is compared with: ``own`` past, ``similar`` customers, or ``itself`` where it is a change.
    """

    text: str
    points: float
    weight: float
    family: str
    changeable: bool
    table: str
    columns: dict[str, Any] = field(hash=False)
    column: str = ""
    way: str = ""
    beside: str = ""


def wordings(definitions: Sequence[Definition]) -> dict[str, Wording]:
    """Return how each column of the definitions is told.

    A trend and the window before it are told alike; a ratio tells the story of what is above its line.
    """
    features = {one.name: one for one in definitions if isinstance(one, Feature)}
    found: dict[str, Wording] = {}
    for one in definitions:
        if isinstance(one, Feature):
            found[one.name] = _of_feature(one)
        elif isinstance(one, State):
            found |= _of_state(one)
        elif isinstance(one, Trend):
            wording = _of_trend(one, features.get(one.of))
            wording = replace(wording, level=found.get(one.of))
            found |= {one.name: wording, f"{one.name}_before": wording}
            if one.of in found:
                found[one.of] = replace(found[one.of], with_before=wording)
    # A second round, because a ratio may be defined before what it divides.
    for one in definitions:
        if isinstance(one, Ratio):
            above = found.get(one.top)
            fills = {"value": one.name, "top": one.top, "bottom": one.bottom}
            family, table = (above.family, above.table) if above else ("other", "")
            story = above.story if above else (one.name,)
            found[one.name] = Wording(
                one.phrase, fills, story, one.changeable, family, table, column=one.name, above=one.top, worse=_said(one.worse)
            )
    return {name: found[name] for one in definitions for name in _names(one) if name in found}


def fact_text(
    wording: Wording, values: Mapping[str, Any], say: Words, weight: float = 0.0, earlier: tuple[str, Mapping[str, Any]] | None = None
) -> str:
    """Return the fact in words, or "" where it cannot be told.

    Args:
        wording: how its column is told.
        values: column -> value of one customer, at least those that the wording and its ``with_before`` name (absent is unknown).
        say: the reader's language.
        weight: log-odds of the fact, without sign; from ``INFORMATIVE`` on, something unknown is told as such.
        earlier: (when, values then): added where the wording itself knows no before and the number was another.
    """
    if wording.with_before and (told := _plain(wording.with_before, values, say)):
        return told
    # "5 → 5" tells less than the level alone.
    if wording.level and values.get(wording.fills["now"]) == values.get(wording.fills["before"]):
        return fact_text(replace(wording.level, with_before=None), values, say, weight, earlier)
    told = _plain(wording, values, say)
    if told and earlier and "before" not in wording.fills and (was := _was(told, _plain(wording, earlier[1], say))):
        return say("{fact} ({when}: {was})", fact=told, when=earlier[0], was=was)
    return told or (_unknown(wording, say) if weight >= INFORMATIVE else "")


def unknown_text(phrase: str) -> str:
    """Return "No ... known" for the phrases whose number is missing where there is nothing yet ("Last login {value} days ago"), else "".

    >>> unknown_text("Last login {value:.0f} days ago"), unknown_text("Seats paid for: {value:.0f}")
    ('No login known', '')
    """
    subject, _, rest = phrase.partition("{value")
    if not re.match(r"(Last|Oldest|Next|Average) |\w+ in $", subject) or "against" in rest or not re.search(r"(:| in|[^:]) $", subject):
        return ""
    subject = re.sub(r"^(last|oldest|next|average) | (in|for)$", "", subject.rstrip(" :"), flags=re.IGNORECASE)
    acronym = subject[:2].isupper()
    return f"No {subject if acronym else subject[:1].lower() + subject[1:]} known"


def _unknown(wording: Wording, say: Words) -> str:
    """Return how a missing number is told: "No login known", "Seats paid for: unknown"; "" for shares, changes and what is told of two."""
    if _fields(wording.phrase) - {"days"} != {"value"} or "%}" in wording.phrase or wording.counts:
        return ""
    if key := unknown_text(wording.phrase):
        return say(key, days=wording.days)
    subject, found, _ = say.translated(wording.phrase).partition(": {value")
    return f"{_capital(say.filled(subject, days=wording.days))}: {say('unknown')}" if found else ""


def _plain(wording: Wording, values: Mapping[str, Any], say: Words) -> str:
    asked = {name: values.get(wording.fills.get(name, "")) for name in _fields(wording.phrase) - {"days"}}
    if any(_missing(value) for value in asked.values()):
        return ""
    return _capital(say(wording.phrase, **asked, days=wording.days))


def _was(told: str, before: str) -> str:
    """Return what came after the colon before, up to where it is the same as now, if the subject is the same; else "".

    >>> _was("Use in 28 days: 264 % of the limit", "Use in 28 days: 140 % of the limit"), _was("Plan: basic", "Plan: pro")
    ('140 %', 'pro')
    """
    subject, colon, number = told.rpartition(":")
    subject_then, _, number_then = before.rpartition(":")
    if not colon or subject != subject_then or number == number_then:
        return ""
    now, then = number.split(" "), number_then.split(" ")
    # What both end with ("of the limit") is said once; a bare number keeps its percent sign.
    while len(then) > 2 and now[-1:] == then[-1:] and then[-1] != "%":
        now, then = now[:-1], then[:-1]
    return " ".join(then).strip()


@cache
def _fields(phrase: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(phrase) if name)


def _of_feature(one: Feature) -> Wording:
    counts = isinstance(one.value, Count | Sum | Distinct)
    # A sum that follows the calendar is compared by its mean row.
    column, silent = one.name + EACH if one.each else one.name, isinstance(one.value, DaysSince)
    read = isinstance(one.value, OfColumn) and not counts
    wording = Wording(one.phrase, {"value": one.name}, _story(one), one.changeable, _family([one.table]), one.table, one.days, counts)
    return replace(wording, column=column, worse=_said(one.worse), silence=silent, read=read)


def _of_state(state: State) -> dict[str, Wording]:
    # A state joins tables to learn of the last one: that is what it is about.
    table = next((one for one in reversed(state.tables) if one in _FAMILY), state.tables[0] if state.tables else "")
    family = "features" if state.name == _BOUGHT_UNUSED else "other" if state.pair else _family([table])
    found = {}
    for column, phrase in state.columns.items():
        wording = Wording(phrase, {"value": column}, (state.name, phrase), column not in state.background, family, table)
        found[column] = replace(wording, column=column, worse=_said(state.worse.get(column)), silence="silent" in column)
    return found


def _of_trend(trend: Trend, of: Feature | None) -> Wording:
    fills = {"now": trend.of, "before": f"{trend.name}_before", "value": trend.name}
    if of is None:
        return Wording(trend.phrase, fills, (trend.of,), trend.changeable, "other", "")
    base = _of_feature(of)
    return replace(base, phrase=trend.phrase, fills=fills, changeable=trend.changeable, counts=False)


def _names(one: Definition) -> tuple[str, ...]:
    return tuple(one.columns) if isinstance(one, State) else (one.name, f"{one.name}_before") if isinstance(one, Trend) else (one.name,)


def _story(feature: Feature) -> tuple[object, ...]:
    return feature.table, feature.value, feature.where


def _family(tables: Sequence[str]) -> str:
    return next((_FAMILY[table] for table in tables if table in _FAMILY), "other")


def _said(worse: Worse) -> Worse:
    return None if worse == "unsaid" else worse


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value))


def _capital(told: str) -> str:
    return told[:1].upper() + told[1:]

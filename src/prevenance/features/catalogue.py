"""The table of all features: what each is called, says, reads, looks back on, and what it means when it is null."""

from collections.abc import Sequence

import pandas as pd

from prevenance.features.define import Count, DaysSince, Definition, Distinct, Feature, Last, Max, Mean, Min, Ratio, State, Sum, Trend
from prevenance.features.sets import LOOKBACKS, SETS, definitions
from prevenance.features.state_nulls import NULL_MEANS

COLUMNS = ("feature", "set", "phrase", "tables", "lookback_days", "value", "where", "null_means", "changeable")

_VALUES = {
    Count: "number of rows",
    Sum: "sum of {column}",
    Mean: "mean of {column}",
    Min: "smallest {column}",
    Max: "largest {column}",
    Last: "last {column}",
    Distinct: "different values of {column}",
    DaysSince: "days since the last row",
}
_UNKNOWN = "nothing of the table was known yet, or it begins within the window"


def feature_catalogue(sets: Sequence[str] | None = None, lookbacks: Sequence[int] = LOOKBACKS) -> pd.DataFrame:
    """Return one row per column that ``build`` gives: ``COLUMNS``.

    ``lookback_days`` is empty where a feature looks back to the beginning or is a state; ``tables`` are joined with "; ".
    ``null_means`` says when a value is missing besides a source that does not give the table: then there is no column at all.

    Args:
        sets: names of feature sets; all of them where nothing is asked.
        lookbacks: days, each at least 1; windows are ``(cutoff - days, cutoff]``.

    Raises:
        PrevenanceError: E203 for an unknown set, E202 for a lookback below 1 or none at all.
    """
    chosen = list(SETS) if sets is None else list(sets)
    every = definitions(chosen, lookbacks)
    known = {one.name: one for one in every}
    rows: list[dict[str, object]] = []
    for name in [one for one in SETS if one in chosen]:
        own = {one.name for one in SETS[name](tuple(lookbacks))}
        rows += [row for one in every if one.name in own for row in _rows(one, name, known)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"lookback_days": "Int64"})


def _rows(one: Definition, of: str, known: dict[str, Definition]) -> list[dict[str, object]]:
    if isinstance(one, Feature):
        return [_row(one.name, of, one.phrase, [one.table], one.days, _value(one), one.where, _missing(one), one.changeable)]
    if isinstance(one, Trend):
        base = known.get(one.of)
        tables, days = ([base.table], base.days) if isinstance(base, Feature) else ([], None)
        told = f"({one.of} now - before) / (now + before), of two windows of equal length"
        before = f"{one.of} in the window before: (cutoff - {2 * (days or 0)} d, cutoff - {days} d]"
        both = f"nothing happened in either window, or {_UNKNOWN}"
        return [
            _row(one.name, of, one.phrase, tables, days, told, "", both, one.changeable),
            _row(f"{one.name}_before", of, "", tables, days, before, "", _UNKNOWN, one.changeable),
        ]
    if isinstance(one, Ratio):
        missing = f"{one.bottom} is 0 or null, or {one.top} is null"
        return [_row(one.name, of, one.phrase, [], None, f"{one.top} / {one.bottom}", "", missing, one.changeable)]
    return [_state_row(one, of, column, phrase) for column, phrase in one.columns.items()]


def _state_row(one: State, of: str, column: str, phrase: str) -> dict[str, object]:
    kind = "a category" if column in one.categories else "a state at the cutoff"
    unsaid = f"the customer has no row in {' or '.join(one.tables)} that says it" if one.tables else "never"
    missing = NULL_MEANS.get(column, unsaid)
    return _row(column, of, phrase, list(one.tables), one.days, kind, "", missing, column not in one.background)


def _row(
    feature: str, of: str, phrase: str, tables: list[str], days: int | None, value: str, where: str, missing: str, changeable: bool
) -> dict[str, object]:
    values = (feature, of, phrase, "; ".join(tables), days, value, where, missing, changeable)
    return dict(zip(COLUMNS, values, strict=True))


def _value(one: Feature) -> str:
    return _VALUES[type(one.value)].format(column=getattr(one.value, "column", ""))


def _missing(one: Feature) -> str:
    """Return when a window's value is null: what counts is 0 where nothing happened, what reads a value has none then."""
    counted = isinstance(one.value, Count | Sum | Distinct)
    return _UNKNOWN if counted else f"no row of the window has a value, or {_UNKNOWN}"

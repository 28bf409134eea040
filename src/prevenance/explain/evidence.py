"""What an explanation shows: that the contributions add up, every input with its source, and what would change the chance."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.formats import json_value
from prevenance.explain import whatif
from prevenance.explain.details import Basis
from prevenance.features.build import build
from prevenance.features.define import Definition, Feature, State, columns_of, parts_of
from prevenance.features.sets import changeable_columns
from prevenance.history.history import History, visible_sql
from prevenance.models import bundle
from prevenance.tables.canonical import TABLES
from prevenance.words import Words

EXACT = 1e-9
"""How far the calibrated sum of the contributions may lie from the chance."""


def sum_check(basis: Basis, start: float, parts: pd.Series, score: float, row: dict[str, Any] | None) -> dict[str, Any]:
    """Return the sum of the contributions beside the chance, and whether the list says the same to the last digit."""
    total = start + float(parts.to_numpy().sum())
    added = float(bundle.calibrated(basis.fitted, np.array([total]))[0])
    slope, intercept = basis.fitted.calibrator
    return {
        "base": start,
        "sum": total,
        "calibrator": [slope, intercept],
        "adds_up_to": added,
        "difference": abs(added - score),
        "exact": bool(abs(added - score) <= EXACT),
        "same_as_list": None if row is None or row["score"] is None else bool(row["score"] == score),
    }


def inputs_of(basis: Basis, own: pd.DataFrame, parts: pd.Series, customer: str, say: Words) -> list[dict[str, Any]]:
    """Return every input of the model, the heaviest first: its value, words, tables, newest fact and share of the log-odds."""
    tables, dates = tables_by_column(basis.definitions), newest_facts(basis.history, basis.cutoff, customer)
    movable, values = changeable_columns(basis.definitions), own.iloc[0].to_dict()
    found = []
    for name in sorted(parts.index, key=lambda name: (-abs(parts[name]), name)):
        table, newest = source_of(tables.get(name, ()), dates)
        found.append(
            {
                "input": name,
                "text": basis.phrase(name, values, say),
                "value": json_value(values[name]),
                "table": table,
                "newest": newest,
                "log_odds": float(parts[name]),
                "changeable": name in movable,
            }
        )
    return found


def what_if_answers(basis: Basis, own: pd.DataFrame, parts: pd.Series, say: Words) -> list[dict[str, Any]]:
    """Return what the model says of the customer as a quarter ago, and with what is typical, one story at a time."""
    names = list(basis.fitted.encoder.features)
    others: dict[str, dict[str, Any]] = {whatif.TYPICAL: dict(whatif.typical_values(basis.features, names))}
    earlier = basis.cutoff - timedelta(days=whatif.QUARTER_DAYS)
    if basis.known_since(own["customer_id"].iloc[0], earlier):
        built = build(basis.history, own[basis.target.keys].assign(cutoff=pd.Timestamp(earlier).as_unit("us")), basis.definitions)
        others[whatif.QUARTER] = built.iloc[0].to_dict()
    found = whatif.story_answers(
        basis.fitted, own, others, {name: one.story for name, one in basis.wordings.items()}, changeable_columns(basis.definitions)
    )
    now = own.iloc[0].to_dict()
    told = []
    for one in found:
        moved = sorted(one.then, key=lambda name: (-abs(parts[name]), name))
        # a ratio's two parts belong to the same time as the ratio; typical parts need not give the typical ratio
        then_values = others[one.like] if one.like == whatif.QUARTER else one.then
        if (then := basis.phrase_of(moved, then_values, say)) is not None:
            name, text = then
            fact = _rest_of(basis.phrase(name, now, say) or say("unknown"), text)
            told.append({"like": one.like, "input": name, "then": text, "now": fact, "moved": one.then, "score": one.score})
    return told


def _rest_of(text: str, other: str) -> str:
    """Return the text without the words that it begins with as the other does, up to its number.

    >>> _rest_of("Logins in 28 days: 3", "Logins in 28 days: 11"), _rest_of("unknown", "Logins in 28 days: 11")
    ('3', 'unknown')
    """
    head = other.rpartition(": ")[0] + ": "
    return text.removeprefix(head) or text


def tables_by_column(definitions: Sequence[Definition]) -> dict[str, tuple[str, ...]]:
    """Return column -> the canonical tables that it is made from, for every column that ``build`` gives.

    >>> from prevenance.features.sets import definitions
    >>> tables_by_column(definitions(["tickets"]))["tickets_28d_trend_before"]
    ('tickets',)
    """
    found: dict[str, tuple[str, ...]] = {}
    for one in definitions:
        if isinstance(one, Feature):
            tables: tuple[str, ...] = (one.table,)
        elif isinstance(one, State):
            tables = one.tables
        else:
            tables = tuple(dict.fromkeys(table for part in parts_of(one) for table in found.get(part, ())))
        found |= dict.fromkeys(columns_of(one), tables)
    return found


def newest_facts(history: History, cutoff: datetime, customer: str) -> dict[str, datetime]:
    """Return table -> ``event_at`` of the newest fact on ``customer`` visible at ``cutoff`` (of anybody, where a table has no customers).

    Tables without such a fact are absent; consents are not looked at.
    """
    found = {}
    for name in TABLES:
        if name in history.tables and name != "consents":
            own = " where customer_id = ?" if TABLES[name].per_customer else ""
            query = f"select max(event_at) from {visible_sql(name, cutoff)}{own}"
            row = history.con.execute(query, [customer] if own else []).fetchall()[0]
            # A table without a fact on the customer says nothing, not even a date.
            if row[0] is not None:
                found[name] = row[0]
    return found


def rows_held(history: History, cutoff: datetime, customer: str) -> list[dict[str, object]]:
    """Return what is held on ``customer`` at ``cutoff``, table by table: table, rows, since, until (``event_at`` of the first and last)."""
    found: list[dict[str, object]] = []
    for name in TABLES:
        if name in history.tables and TABLES[name].per_customer and name != "consents":
            query = f"select count(*), min(event_at), max(event_at) from {visible_sql(name, cutoff)} where customer_id = ?"
            rows, since, until = history.con.execute(query, [customer]).fetchall()[0]
            if rows:
                found.append({"table": name, "rows": rows, "since": since, "until": until})
    return found


def source_of(tables: Sequence[str], dates: Mapping[str, datetime]) -> tuple[str, datetime | None]:
    """Return the tables of an input in one text, and the newest of their dates."""
    known = [dates[name] for name in tables if name in dates]
    return ", ".join(tables), max(known, default=None)

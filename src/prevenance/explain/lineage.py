"""Where a model's inputs come from: the tables behind each, and the newest fact of each table on one customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from prevenance.features.define import Definition, Feature, Ratio, State, Trend
from prevenance.history.history import History, visible_sql
from prevenance.tables.canonical import TABLES


def tables_of(definitions: Sequence[Definition]) -> dict[str, tuple[str, ...]]:
    """Return column -> the canonical tables that it is made from, for every column that ``build`` gives.

    >>> from prevenance.features import definitions
    >>> tables_of(definitions(["tickets"]))["tickets_28d_trend_before"]
    ('tickets',)
    """
    found: dict[str, tuple[str, ...]] = {}
    for one in definitions:
        if isinstance(one, Feature):
            found[one.name] = (one.table,)
        elif isinstance(one, State):
            found |= dict.fromkeys(one.columns, one.tables)
        elif isinstance(one, Trend):
            found |= dict.fromkeys((one.name, f"{one.name}_before"), found.get(one.of, ()))
        elif isinstance(one, Ratio):
            found[one.name] = tuple(dict.fromkeys((*found.get(one.top, ()), *found.get(one.bottom, ()))))
    return found


def newest(history: History, cutoff: datetime, customer: str) -> dict[str, datetime]:
    """Return table -> ``event_at`` of the newest fact on ``customer`` visible at ``cutoff`` (of anybody, where a table has no customers).

    Tables without such a fact are absent; consents are not looked at.
    """
    found = {}
    for name in TABLES:
        if name in history.tables and name != "consents":
            own = " where customer_id = ?" if TABLES[name].per_customer else ""
            row = history.con.execute(f"select max(event_at) from {visible_sql(name, cutoff)}{own}", [customer] if own else []).fetchall()[
                0
            ]
            if row[0] is not None:
                found[name] = row[0]
    return found


def held(history: History, cutoff: datetime, customer: str) -> list[dict[str, object]]:
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

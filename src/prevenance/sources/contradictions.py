"""Contracts that contradict themselves: an end before the start, a start while the same contract runs."""

from __future__ import annotations

import duckdb

BEFORE, RUNNING = "event: ended before it started", "event: started while it runs"

SAME_ROW = "a._file is not null and a._file = b._file and a._line = b._line"


def set_contradictions_apart(con: duckdb.DuckDBPyConnection) -> None:
    """Mark contradictions between rows of one subscription in ``judged``.

    Of two rows the one that was known later is marked: what was known before it stays as it was. An end or notice before a start
    contradicts it when the start was known by then, or when both dates stand on one row of the source; an earlier start makes it an
    ordinary contract that began anew. A start contradicts an earlier one when no end between them was known by then.
    """
    rows = "(select * from judged where reason is null)"
    same = "a.customer_id = b.customer_id and a.subscription_id = b.subscription_id"
    left = "a.event in ('ended', 'notice') and b.event = 'started' and a.event_at < b.event_at"
    earlier = (
        f"not exists (select 1 from {rows} s where s.customer_id = a.customer_id and s.subscription_id = a.subscription_id "
        "and s.event = 'started' and s.event_at <= a.event_at)"
    )
    _mark(con, f"select a._row from {rows} a join {rows} b on {same} where {left} and a.known_at >= b.known_at and {earlier}", BEFORE)
    _mark(con, f"select b._row from {rows} a join {rows} b on {same} where {left} and {SAME_ROW} and {earlier}", BEFORE)
    between = (
        f"exists (select 1 from {rows} e where e.customer_id = a.customer_id and e.subscription_id = a.subscription_id and e.event = 'ended' "
        "and e.event_at between a.event_at and b.event_at and e.known_at <= b.known_at)"
    )
    again = "a.event = 'started' and b.event = 'started' and (a.event_at, a.known_at, a._row) < (b.event_at, b.known_at, b._row)"
    _mark(con, f"select b._row from {rows} a join {rows} b on {same} where {again} and not {between}", RUNNING)


def _mark(con: duckdb.DuckDBPyConnection, marked: str, reason: str) -> None:
    con.execute(f"update judged set reason = '{reason}' where reason is null and _row in ({marked})")

"""Rows of one table that may not be used, set apart with a reason: each bad one, repeats, contradictions; and every row counted.

It works on the engine's table ``judged``: converted rows with their raw text, where they stand, and ``reason`` (null: the row is used).
"""

import re
from datetime import datetime

import duckdb

from prevenance.sources.files import sql_name
from prevenance.sources.nothing import can_be_nothing, is_missing_sql, is_nothing_sql, text_sql
from prevenance.sources.repeats import DUPLICATE, OLDER, mark, mark_repeats
from prevenance.sources.taken import NO_ROW, Counts, Intake
from prevenance.tables.canonical import SQL_TYPES, Column, Table

EXCLUDED = (DUPLICATE, OLDER, NO_ROW, "no_known_at")
"""Reasons that are no fault of a row: it is there already, or is none, or nobody can say when it was known."""

BEFORE, RUNNING = {"ended": "event: ended before it started", "notice": "event: noticed before it started"}, "event: started while it runs"

SAME_ROW = "a._file is not null and a._file = b._file and a._line = b._line"


def set_apart(
    taken: Intake, table: Table, columns: list[str], ragged: list[tuple[str, int]], no_rows: int, until: datetime | None, whole: bool = True
) -> Counts:
    """Split ``judged`` into ``canonical.<table>`` and ``quarantine.<table>`` and return the counts.

    ``ragged`` rows never came so far, nor did ``no_rows`` lines of the files that are no rows. Unless ``whole``, the columns ``table.seldom``
    are empty in it.
    """
    con = taken.con
    mark_repeats(taken, table, until)
    if table.name == "subscriptions":
        _mark_contradictions(con)
    empty = {name: f"null::{SQL_TYPES[table.column(name).kind]} as {sql_name(name)}" for name in (() if whole else table.seldom)}
    names = ", ".join(empty.get(name, sql_name(name)) for name in table.names)
    con.execute(
        f"create or replace table canonical.{table.name} as select {names}, _file, _line::bigint as _line from judged where reason is null"
    )
    # of a bad row only ids are kept beside its place: enough for an opt-out or an erasure to find it
    shown = [column.name for column in table.columns if column.kind == "id" and column.name in columns]
    keys = "".join(f", {text_sql(table.column(name))} as {sql_name(name)}" for name in shown)
    con.execute(
        f"create or replace table quarantine.{table.name} as select _file::varchar as _file, _line::bigint as _line, reason{keys} "
        f"from judged where reason is not null and reason not in {EXCLUDED}"
    )
    # a row that does not fit its header belongs to every table that reads the file
    for file, line in ragged:
        con.execute(f"insert into quarantine.{table.name} (_file, _line, reason) values (?, ?, 'ragged_row')", [file, line])
    counts = Counts(read=con.execute("select count(*) from judged").fetchall()[0][0] + len(ragged) + no_rows)
    found = con.execute(
        f"select reason, count(*), {first_met_sql(table)} from judged where reason is not null group by 1 order by 1"
    ).fetchall()
    for reason, rows, first, customers in found:
        taken.met[table.name, reason] = (first or "", customers)
        (counts.excluded if reason in EXCLUDED else counts.quarantined)[reason] = rows
        taken.samples[table.name, reason] = _sample(con, table, columns, reason)
        column = reason.partition(": ")[0]
        if column in columns and con.execute(f"select count({text_sql(table.column(column))}) from judged").fetchall()[0][0] == rows:
            taken.whole.add((table.name, reason))
    if ragged:
        counts.quarantined["ragged_row"] = len(ragged)
    if no_rows:
        counts.excluded[NO_ROW] = no_rows
    return counts


def note_missing(taken: Intake, table: Table, columns: list[str], counts: Counts) -> None:
    """Say what is not there and must not be taken for nothing: words for "nothing", a table without rows, rows never visible."""
    for name in _emptied(taken.con, table, columns):
        raw, value = text_sql(table.column(name)), _value(name)
        word = is_missing_sql(raw) if table.column(name).kind == "number" else is_nothing_sql(raw, table.column(name))
        if rows := count_met(taken, table, f"{name}: missing word", f"from judged where {raw} is not null and {value} is null and {word}"):
            taken.words[table.name, name] = rows
            taken.messages.append(f"{table.name}.{name}: {rows} values such as NaN or #REF! taken as missing")
    if not counts.read:
        taken.messages.append(f"{table.name}: the table has a header and no row; what it would say is unknown, not zero")
    if unseen := counts.excluded.get("no_known_at"):
        taken.messages.append(f"{table.name}: {unseen} of {counts.read} rows have no known_at and are not visible")


def _value(name: str) -> str:
    return "_known" if name == "known_at" else sql_name(name)  # known_at itself is filled from event_at


def _emptied(con: duckdb.DuckDBPyConnection, table: Table, columns: list[str]) -> list[str]:
    """Return the columns with texts that became no value, in one pass: most tables have none, and are asked nothing more."""
    asked = [one.name for one in table.columns if one.name in columns and (one.kind == "number" or can_be_nothing(one))]
    if not asked:
        return []
    counts = ", ".join(f"count({text_sql(table.column(name))}) > count({_value(name)})" for name in asked)
    found = con.execute(f"select {counts} from judged").fetchall()[0]
    return [name for name, lost in zip(asked, found, strict=True) if lost]


def first_met_sql(table: Table) -> str:
    """Return SQL for the file:line of the first of some rows, and for how many customers they have."""
    return f"arg_min(_file || ':' || _line, (_file, _line::bigint)), {'count(distinct customer_id)' if table.per_customer else '0'}"


def count_met(taken: Intake, table: Table, what: str, rows: str) -> int:
    """Return how many ``rows`` (SQL from its ``from`` on) there are, and keep where the first of them was met under ``what``."""
    number, first, customers = taken.con.execute(f"select count(*), {first_met_sql(table)} {rows}").fetchall()[0]
    if number:
        taken.met[table.name, what] = (first or "", customers)
    return int(number)


def _sample(con: duckdb.DuckDBPyConnection, table: Table, columns: list[str], reason: str) -> str:
    """Return the first value that met ``reason``, in brackets; nothing for a personal column."""
    column = reason.partition(": ")[0]
    if ": " not in reason or column not in columns or table.column(column).personal:
        return ""
    first = f"select {text_sql(table.column(column))} from judged where reason = ? order by _file, _line::bigint limit 1"
    rows = con.execute(first, [reason]).fetchall()
    if not rows or rows[0][0] is None:
        return ""
    return (
        f' ("{str(rows[0][0])[:40]}")' if not is_of_person(str(rows[0][0]), table.column(column)) else " (the text of a person, not shown)"
    )


PERSON = r"\S+@\S+|.*\+\d[\d ()/-]{6,}\d.*|0\d[\d ()/-]*[ ()/-][\d ()/-]{4,}\d"
NAMES = r"[^\W\d_a-z][^\W\d]*\.?(?:[ '-]+[^\W\d_a-z][^\W\d]*)+"


def is_of_person(text: str, column: Column) -> bool:
    """Return whether a text that stands in the wrong column looks like an address, a telephone number or, where a time is to stand, a name."""
    return re.fullmatch(PERSON, text.strip()) is not None or (column.kind == "instant" and re.fullmatch(NAMES, text.strip()) is not None)


def _mark_contradictions(con: duckdb.DuckDBPyConnection) -> None:
    """Mark contracts that contradict themselves: an end before the start, a start while the same contract runs.

    Of two rows the one that was known later is marked: what was known before it stays as it was. An end or notice before a start
    contradicts it when the start was known by then, or when both dates stand on one row of the source; an earlier start makes it an
    ordinary contract that began anew. A start contradicts an earlier one when no end lies between them; where that end was recorded after
    the start, the start counts from then: until the end is known, the contract simply runs.
    """
    rows = "(select *, rowid as _row from judged where reason is null)"
    both = f"from {rows} a join {rows} b on a.customer_id = b.customer_id and a.subscription_id = b.subscription_id where"
    left = "b.event = 'started' and a.event_at < b.event_at"
    earlier = (
        f"not exists (select 1 from {rows} s where s.customer_id = a.customer_id and s.subscription_id = a.subscription_id "
        "and s.event = 'started' and s.event_at <= a.event_at)"
    )
    for event, reason in BEFORE.items():
        mark(con, f"select a._row {both} a.event = '{event}' and {left} and a.known_at >= b.known_at and {earlier}", reason)
    for event, reason in BEFORE.items():
        mark(con, f"select b._row {both} a.event = '{event}' and {left} and {SAME_ROW} and {earlier}", reason)
    # an end between two starts; the second was known to be a new beginning when the end was known
    again = "a.event = 'started' and b.event = 'started' and (a.event_at, a.known_at, a._row) < (b.event_at, b.known_at, b._row)"
    ended = "e.customer_id = a.customer_id and e.subscription_id = a.subscription_id and e.event = 'ended' and e.event_at between a.event_at and b.event_at"
    joined = both.removesuffix(" where")
    pairs = f"select b._row, b.known_at, min(e.known_at) as ended {joined} left join {rows} e on {ended} where {again} group by a._row, b._row, b.known_at"
    con.execute(
        f"create or replace temp table restarts as select _row, any_value(known_at) as known_at, bool_or(ended is null) as runs, max(ended) as ended "
        f"from ({pairs}) group by _row"
    )
    mark(con, "select _row from restarts where runs", RUNNING)
    con.execute(
        "update judged set known_at = r.ended from restarts r where judged.rowid = r._row and judged.reason is null and r.ended > r.known_at"
    )

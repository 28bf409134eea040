"""From raw text to canonical tables: convert by the contract, quarantine what does not fit, count every row.

For every table ``read = used + excluded(by reason) + quarantined(by reason)``; ``used`` and ``after_as_of`` are settled
when the history is cut at ``as_of`` (see ``history.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources import denied, raw
from prevenance.sources.clocks import note_clock_changes, note_dates
from prevenance.sources.contradictions import set_contradictions_apart
from prevenance.sources.convert import Source, converted_sql, instant_sql, reason_sql
from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.limits import refuse_bad_rows
from prevenance.sources.order import note_order
from prevenance.sources.people import first_met_sql, settle_customers
from prevenance.sources.selects import check_zone, first_header_place, run_select, unread_columns, views_of_select
from prevenance.sources.taken import Counts, Intake, Policy
from prevenance.tables.canonical import MISSING_WORDS, SQL_TYPES, TABLES, Table


def intake(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    data: Path,
    policies: Mapping[str, Policy],
    step: Callable[[str], None] = lambda text: None,
    until: datetime | None = None,
) -> Intake:
    """Read every table of ``source`` from ``data`` and return the canonical tables.

    ``until`` (naive UTC), where given: a row known later contradicts no earlier one.

    Raises:
        PrevenanceError: E206/E207 zone, E301 column, E302 bad rows, E304 empty, E305 no customers, E306 select, E401 file.
    """
    taken = Intake(con, {}, [])
    ragged: dict[str, list[tuple[str, int]]] = {}
    columns: dict[str, list[str]] = {}
    gone: dict[str, str] = {}
    with raw.raw_reader(con, source, data) as read:
        for view in source.files:
            step(f"read {view}")
            try:
                facts = read(view)
            except PrevenanceError as problem:
                if problem.code != "E401" or not _dispensable(source, view, policies):
                    raise
                gone[view] = problem.what
                continue
            taken.messages += denied.drop_special_columns(con, source, view)
            ragged[view], columns[view] = facts["ragged"], [row[0] for row in con.execute(f"describe raw.{sql_name(view)}").fetchall()]
            if facts["twice"]:
                taken.messages.append(f"{view}: the header names {', '.join(sorted(facts['twice']))} twice; not used")
    denied.deny_outside(con)
    for name in TABLES:
        if name in source.selects:
            step(f"check {name}")
            if missing := [gone[view] for view in views_of_select(source, source.selects[name]) if view in gone]:
                _without(taken, TABLES[name], missing[0])
                continue
            lines = [line for view, found in ragged.items() if re.search(rf"\b{re.escape(view)}\b", source.selects[name]) for line in found]
            _take(taken, source, TABLES[name], lines, until, policies.get(name, Policy()))
    for view in source.files:
        con.execute(f"drop table if exists raw.{sql_name(view)}")
    taken.messages += unread_columns(source, columns)
    if "customers" in taken.counts:
        refuse_bad_rows(taken, "customers", policies.get("customers", Policy()))  # without any customer left, what is wrong with their rows
    settle_customers(taken)
    note_order(taken)
    for name in taken.counts:
        refuse_bad_rows(taken, name, policies.get(name, Policy()))
        for place in ("_file", "_line"):
            con.execute(f"alter table canonical.{name} drop column if exists {place}")
    return taken


def _dispensable(source: Source, view: str, policies: Mapping[str, Policy]) -> bool:
    """Return whether every table that reads a ``files`` entry may be missing."""
    readers = [name for name, select in source.selects.items() if view in views_of_select(source, select)]
    return bool(readers) and all(policies.get(name, Policy()).required is False for name in readers)


def _without(taken: Intake, table: Table, why: str) -> None:
    """Go on without a table that may be missing: it is there, without rows."""
    columns = ", ".join(f"null::{SQL_TYPES[column.kind]} as {sql_name(column.name)}" for column in table.columns)
    placed = "null::varchar as _file, null::bigint as _line"
    taken.con.execute(f"create or replace table canonical.{table.name} as select {columns}, {placed} where false")
    taken.con.execute(f"create or replace table quarantine.{table.name} (_file varchar, _line bigint, reason varchar)")
    taken.counts[table.name] = Counts()
    taken.messages.append(f"{table.name}: {why}; made without it, what it would say is unknown")


def _take(taken: Intake, source: Source, table: Table, ragged: list[tuple[str, int]], until: datetime | None, policy: Policy) -> None:
    """Run one select, convert, set bad rows and duplicates apart."""
    con = taken.con
    columns = run_select(con, source, table)
    if not con.execute("select exists(from taken)").fetchall()[0][0] and (table.name == "customers" or policy.required):
        raise PrevenanceError(
            "E304",
            "the required table has a header and no row",
            table=table.name,
            first=first_header_place(source, source.selects[table.name]),
            fix="export it again, with its rows",
        )
    check_zone(con, source, table, columns)
    typed = ", ".join(f"{converted_sql(source, table, column, columns)} as {sql_name(column.name)}" for column in table.columns)
    texts = ", ".join(f"{sql_name(name)} as {sql_name('raw ' + name)}" for name in columns if name in table.names)
    extra = ", ".join(name if name in columns else f"null::varchar as {name}" for name in ("_file", "_line", "_id"))
    known = instant_sql(source, sql_name("known_at")) if "known_at" in columns else "null::timestamp"
    con.execute(
        f"create or replace temp table converted as select {typed}, {texts}, {extra}, {known} as _known, row_number() over () as _row from taken"
    )
    con.execute("drop table taken")
    con.execute(f"create or replace temp table judged as select *, {reason_sql(source, table, columns)} as reason from converted")
    con.execute("drop table converted")
    _set_apart_repeats(con, table, until)
    if table.name == "subscriptions":
        set_contradictions_apart(con)
    names = ", ".join(sql_name(name) for name in table.names)
    con.execute(
        f"create or replace table canonical.{table.name} as select {names}, _file, _line::bigint as _line from judged where reason is null"
    )
    shown = [column.name for column in table.columns if column.kind == "id" and column.name in columns]
    keys = ", ".join(sql_name("raw " + name) + " as " + sql_name(name) for name in shown)
    con.execute(
        f"create or replace table quarantine.{table.name} as select _file::varchar as _file, _line::bigint as _line, reason"
        f"{', ' + keys if keys else ''} from judged where reason is not null and reason not in ('duplicate', 'no_known_at')"
    )
    for file, line in ragged:
        con.execute(f"insert into quarantine.{table.name} (_file, _line, reason) values (?, ?, 'ragged_row')", [file, line])
    counts = Counts(read=con.execute("select count(*) from judged").fetchall()[0][0] + len(ragged))
    taken.columns[table.name] = columns
    told = f"select reason, count(*), {first_met_sql(table)} from judged where reason is not null group by 1 order by 1"
    for reason, rows, *place in con.execute(told).fetchall():
        taken.met[table.name, reason] = (place[0] or "", place[1])
        (counts.excluded if reason in ("duplicate", "no_known_at") else counts.quarantined)[reason] = rows
        taken.samples[table.name, reason] = _sample(con, table, columns, reason)
    if ragged:
        counts.quarantined["ragged_row"] = len(ragged)
    taken.counts[table.name] = counts
    _note_missing_words(taken, table, columns)
    if not counts.read:
        taken.messages.append(f"{table.name}: the table has a header and no row; what it would say is unknown, not zero")
    if unseen := counts.excluded.get("no_known_at"):
        taken.messages.append(f"{table.name}: {unseen} of {counts.read} rows have no known_at and are not visible")
    note_clock_changes(taken, source, table, columns)
    note_dates(taken, source, table, columns)
    con.execute("drop table judged")


def _sample(con: duckdb.DuckDBPyConnection, table: Table, columns: list[str], reason: str) -> str:
    """Return the first value that met ``reason``, in brackets; nothing for a personal column."""
    column = reason.partition(": ")[0]
    if ": " not in reason or column not in columns or table.column(column).personal:
        return ""
    rows = con.execute(
        f"select {sql_name('raw ' + column)} from judged where reason = ? order by _file, _line::bigint limit 1", [reason]
    ).fetchall()
    return f' ("{str(rows[0][0])[:40]}")' if rows and rows[0][0] is not None else ""


def _set_apart_repeats(con: duckdb.DuckDBPyConnection, table: Table, until: datetime | None) -> None:
    """Mark duplicates (kept once) and conflicting keys (both set apart) in ``judged``."""
    everything = ", ".join(sql_name(name) for name in table.names)
    known = "" if until is None else f" and known_at <= timestamp '{until}'"
    has_id = con.execute("select count(_id) > 0 from judged").fetchall()[0][0]
    for key in ((["_id"] if has_id else []), list(table.key)):
        if not key:
            continue
        keys = ", ".join(sql_name(name) for name in key)
        con.execute(
            f"update judged set reason = 'conflicting_key' where reason is null and _row in (select _row from (select _row, count(distinct "
            f"hash({everything})) over (partition by {keys}) as different from judged where reason is null and {sql_name(key[0])} is not null{known}) where different > 1)"
        )
    if has_id or table.once:
        same = everything if table.once else f"_id, {everything}"
        only = "" if table.once else " and _id is not null"
        con.execute(
            f"update judged set reason = 'duplicate' where _row in (select _row from (select _row, row_number() over (partition by {same} "
            f"order by _row) as place from judged where reason is null{only}) where place > 1)"
        )


def _note_missing_words(taken: Intake, table: Table, columns: list[str]) -> None:
    words = ", ".join(sql_text(word) for word in MISSING_WORDS)
    for column in table.columns:
        if column.kind == "number" and column.name in columns:
            raw = sql_name("raw " + column.name)
            rows, *place = taken.con.execute(
                f"select count(*), {first_met_sql(table)} from judged where lower(trim({raw})) in ({words})"
            ).fetchall()[0]
            if rows:
                taken.words[table.name, column.name] = rows
                taken.met[table.name, f"{column.name}: missing word"] = (place[0] or "", place[1])
                taken.messages.append(f"{table.name}.{column.name}: {rows} values such as NaN or #REF! taken as missing")

"""From raw text to canonical tables, step by step: read, select, convert, set apart, settle between tables, judge.

For every table ``read = used + excluded(by reason) + quarantined(by reason)``; ``used`` and ``after_as_of`` are settled
when the history is cut at ``as_of`` (see ``history.py``).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.apart import note_missing, set_apart
from prevenance.sources.convert import convert_rows, note_clock_changes
from prevenance.sources.dates import note_dates
from prevenance.sources.declared import Source
from prevenance.sources.dropped import rows_left_out
from prevenance.sources.files import sql_name
from prevenance.sources.limits import refuse_bad_rows
from prevenance.sources.people import settle_customers
from prevenance.sources.raw import deny_outside, raw_reader
from prevenance.sources.selects import refuse_empty, run_select, unread_columns
from prevenance.sources.taken import Counts, Intake, Loaded, Policy
from prevenance.tables.canonical import SQL_TYPES, TABLES, Table


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
    asked = {name: policies.get(name, Policy()) for name in TABLES}
    raw = _read(taken, source, data, asked, step)
    for name, table in TABLES.items():
        if name in source.selects:
            step(f"check {name}")
            views = source.views_read(name)
            if missing := [raw[view].gone for view in views if raw[view].gone]:
                _without(taken, table, missing[0])
            else:
                ragged = [place for view in views for place in raw[view].ragged]
                _take(taken, source, table, ragged, until, asked[name])
    for view in source.files:
        con.execute(f"drop table if exists raw.{sql_name(view)}")
    taken.messages += unread_columns(source, {view: one.columns for view, one in raw.items()})
    if "customers" in taken.counts:
        refuse_bad_rows(taken, "customers", asked["customers"])  # without any customer left, what is wrong with their rows
    try:
        settle_customers(taken)
    except PrevenanceError:
        for name in taken.counts:  # with nobody left, what is wrong with the rows is what there is to say
            refuse_bad_rows(taken, name, Policy())
        raise
    for name in taken.counts:
        refuse_bad_rows(taken, name, asked[name])
        for place in ("_file", "_line"):
            con.execute(f"alter table canonical.{name} drop column if exists {place}")
    return taken


def _read(taken: Intake, source: Source, data: Path, asked: Mapping[str, Policy], step: Callable[[str], None]) -> dict[str, Loaded]:
    """Load every ``files`` entry; one that is not there is noted, where every table that reads it may be missing."""
    raw: dict[str, Loaded] = {}
    with raw_reader(taken.con, source, data) as read:
        for view, entry in source.entries.items():
            step(f"read {view}")
            try:
                loaded = raw[view] = read(entry)
            except PrevenanceError as problem:
                readers = [name for name in source.selects if view in source.views_read(name)]
                if problem.code != "E401" or not readers or any(asked[name].required is not False for name in readers):
                    raise
                raw[view] = Loaded([], gone=problem.what)
                continue
            taken.messages += loaded.special + loaded.said
            if loaded.twice:
                taken.messages.append(f"{view}: the header names {', '.join(sorted(loaded.twice))} twice; not used")
    deny_outside(taken.con)
    return raw


def _without(taken: Intake, table: Table, why: str) -> None:
    """Go on without a table that may be missing: it is there, without rows."""
    columns = ", ".join(f"null::{SQL_TYPES[column.kind]} as {sql_name(column.name)}" for column in table.columns)
    placed = "null::varchar as _file, null::bigint as _line"
    taken.con.execute(f"create or replace table canonical.{table.name} as select {columns}, {placed} where false")
    taken.con.execute(f"create or replace table quarantine.{table.name} (_file varchar, _line bigint, reason varchar)")
    taken.counts[table.name] = Counts()
    taken.messages.append(f"{table.name}: {why}; made without it, what it would say is unknown")


def _take(taken: Intake, source: Source, table: Table, ragged: list[tuple[str, int]], until: datetime | None, policy: Policy) -> None:
    """Run one select, convert its rows, set bad ones and repeats apart, and note what is doubtful of the rest."""
    columns = taken.columns[table.name] = run_select(taken.con, source, table)
    left_out, told = rows_left_out(taken.con, source, table, columns, policy)
    if table.name == "customers" or policy.required:
        refuse_empty(taken.con, source, table)
    convert_rows(taken.con, source, table, columns)
    counts = taken.counts[table.name] = set_apart(taken, table, columns, ragged, until)
    counts.warnings |= {"left_out": left_out} if left_out else {}
    taken.messages += told
    note_missing(taken, table, columns, counts)
    note_clock_changes(taken, source, table, columns)
    note_dates(taken, source, table, columns)
    taken.con.execute("drop table judged")

"""From raw text to canonical tables, step by step: read, select, convert, set apart, settle between tables, judge.

For every table ``read = used + excluded(by reason) + quarantined(by reason)``; ``used`` and ``after_as_of`` are settled
when the history is cut at ``as_of`` (see ``history.py``).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.apart import note_missing, set_apart
from prevenance.sources.convert import convert_rows, note_clock_changes
from prevenance.sources.copies import Copies
from prevenance.sources.dates import note_dates, note_midnights, note_placeholders
from prevenance.sources.declared import Source
from prevenance.sources.dropped import rows_left_out, unread_columns
from prevenance.sources.files import drop_places, new_engine, sql_name
from prevenance.sources.grown import grows_alone
from prevenance.sources.ids import refuse_rounded
from prevenance.sources.instants import check_formats
from prevenance.sources.limits import refuse_bad_rows
from prevenance.sources.numbers import note_numbers
from prevenance.sources.people import settle_customers
from prevenance.sources.raw import deny_outside, raw_reader
from prevenance.sources.repeats import note_versions
from prevenance.sources.selects import check_select, check_zone, refuse_empty, selected_texts
from prevenance.sources.taken import MONEY, Counts, Intake, Loaded, Policy, ReadWhole
from prevenance.sources.twice import ALIKE, mark_twice
from prevenance.tables.canonical import SQL_TYPES, TABLES, Table


def intake(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    data: Path,
    policies: Mapping[str, Policy],
    step: Callable[[str], None] = lambda text: None,
    until: datetime | None = None,
    copies: Copies | None = None,
    *,
    whole: bool = True,
) -> Intake:
    """Read every table of ``source`` from ``data`` and return the canonical tables.

    ``until`` (naive UTC), where given: a row known later contradicts no earlier one. ``copies`` hold the tables whose files were read before.
    Unless ``whole``, the columns that few commands read are empty (``Table.seldom``); what is noted of them is the same.

    Raises:
        PrevenanceError: E206/E207 zone, E301 column, E302 bad rows, E304 empty, E305 no customers, E306 select, E401 file.
    """
    taken = Intake(con, {}, [])
    asked = {name: policies.get(name, Policy()) for name in TABLES}
    check_formats(con, source.timestamp_formats, "source.timestamp_formats")
    for entry in source.entries.values():
        check_formats(con, entry.formats, f"{entry.key}.timestamp_formats")
    copies = copies or Copies()
    copies.whole = whole
    raw = _read(taken, source, data, asked, step, until, copies)
    source = _told_apart(source, raw)
    for name, table in TABLES.items():
        if name in source.selects:
            step(f"check {name}")
            views = source.views_read(name)
            if missing := [raw[view].gone for view in views if raw[view].gone]:
                _without(taken, table, missing[0])
            elif name in copies.held:
                check_select(con, source.of_table(name), table)
                copies.give(taken, name)
            else:
                told = len(taken.messages)
                newest = _take(taken, source.of_table(name), table, [raw[view] for view in views], until, asked[name], copies)
                copies.keep(taken, name, taken.messages[told:], newest, until)
    _note_currencies(taken, source, raw)
    for view in source.files:
        con.execute(f"drop table if exists raw.{sql_name(view)}")
    taken.messages += unread_columns(source, {view: one.columns for view, one in raw.items()})
    if "customers" in taken.counts:
        refuse_bad_rows(taken, "customers", asked["customers"])  # without any customer left, what is wrong with their rows
    try:
        settle_customers(taken, source)
    except PrevenanceError:
        for name in taken.counts:  # with nobody left, what is wrong with the rows is what there is to say
            refuse_bad_rows(taken, name, Policy())
        raise
    for name in taken.counts:
        refuse_bad_rows(taken, name, asked[name])
        drop_places(con, name)
    copies.close(con, source)
    return taken


def intake_beside(
    kept: Callable[..., Copies],
    source: Source,
    data: Path,
    policies: Mapping[str, Policy],
    step: Callable[[str], None] = lambda text: None,
    until: datetime | None = None,
    *,
    whole: bool = True,
) -> Intake:
    """Return what ``intake`` gives beside what is ``kept``; where files that only grow are not told by what is new of them, all of them is read."""
    copies = kept()
    try:
        return intake(new_engine(), source, data, policies, step, until, copies, whole=whole)
    except (ReadWhole, PrevenanceError):
        if not copies.grown.held:
            raise
    return intake(new_engine(), source, data, policies, step, until, kept(anew=True), whole=whole)


def _note_currencies(taken: Intake, source: Source, raw: Mapping[str, Loaded]) -> None:
    """Keep which columns of the files say several currencies, unless a select reads them: it knows what it does."""
    said = " ".join(source.select_words(table) for table in source.selects)
    for view, loaded in raw.items():
        if any(view in source.views_read(table) for table in source.selects):
            taken.currencies |= {f"{view}.{name}": found for name, found in loaded.currencies.items() if name not in said}


def _look(con: duckdb.DuckDBPyConnection, view: str, loaded: Loaded) -> None:
    """Note what the rows of a view say beside their tables: which files they are of, in which moneys they count."""
    held = f"raw.{sql_name(view)}"
    loaded.files = [row[0] for row in con.execute(f"select distinct _file from {held} order by 1").fetchall()]
    for name in (one for one in loaded.columns if re.fullmatch(MONEY, one.lower())):
        cell = f"upper(trim({sql_name(name)}))"
        query = f"select {cell} from {held} where regexp_full_match({cell}, '[A-Z]{{3}}') group by 1 order by count(*) desc, 1 limit 5"
        if len(found := [row[0] for row in con.execute(query).fetchall()]) > 1:
            loaded.currencies[name] = found


def _read(
    taken: Intake,
    source: Source,
    data: Path,
    asked: Mapping[str, Policy],
    step: Callable[[str], None],
    until: datetime | None,
    copies: Copies,
) -> dict[str, Loaded]:
    """Load every ``files`` entry whose rows are needed; one that is not there is noted, where every table that reads it may be missing."""
    raw: dict[str, Loaded] = {}
    with raw_reader(taken.con, source, data) as read:
        copies.open(taken, source, asked, until, read.standing)
        needed = [view for view in source.files if copies.needs(source, view)]
        for view, entry in source.entries.items():
            if (given := entry.given.get("append")) and grows_alone(taken.con, source, view) is None:
                use = "only a select that takes each row of this one entry by itself makes use of it"
                taken.messages.append(f"{view}: append: {'true' if given is True else given} has no effect: {use}")
            try:
                if view in needed:
                    step(f"read {view}")
                    loaded = raw[view] = read(entry, copies.grown.known.get(view))
                    _look(taken.con, view, loaded)
                else:
                    loaded = raw[view] = copies.stand_in(taken.con, view)
                if view in copies.grown.tables:
                    loaded = raw[view] = copies.grown.all_loaded(taken.con, entry, loaded)
                    taken.partial |= {view} & set(copies.grown.held)
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
    copies.keep_views(taken.con, data, source, {view: raw[view] for view in needed})
    return raw


def _told_apart(source: Source, raw: Mapping[str, Loaded]) -> Source:
    """Return the source with the names of the files that write numbers or times in a way of their own.

    Raises:
        PrevenanceError: E202 where another entry has a file of the same name.
    """
    held = {view: one.files for view, one in raw.items() if one.columns}
    own = [view for view in held if source.entries[view].has_own_text]
    for view in own:
        for other in held:
            if other != view and (twice := set(held[view]) & set(held[other])):
                what = f"files.{view} and files.{other} both have a file {min(twice)}, and only one of them says how it is written"
                raise PrevenanceError("E202", what, key=f"files.{view}", fix="give the files different names, or say the same of both")
    return replace(source, by_file=tuple((file, view) for view in own for file in sorted(held[view])))


def _without(taken: Intake, table: Table, why: str) -> None:
    """Go on without a table that may be missing: it is there, without rows."""
    columns = ", ".join(f"null::{SQL_TYPES[column.kind]} as {sql_name(column.name)}" for column in table.columns)
    placed = "null::varchar as _file, null::bigint as _line"
    taken.con.execute(f"create or replace table canonical.{table.name} as select {columns}, {placed} where false")
    taken.con.execute(f"create or replace table quarantine.{table.name} (_file varchar, _line bigint, reason varchar)")
    taken.counts[table.name] = Counts()
    taken.messages.append(f"{table.name}: {why}; made without it, what it would say is unknown")


def _take(
    taken: Intake, source: Source, table: Table, loaded: list[Loaded], until: datetime | None, policy: Policy, copies: Copies
) -> datetime | None:
    """Run one select, convert its rows, set bad ones and repeats apart, and note what is doubtful of the rest; return their newest known_at."""
    columns, texts = selected_texts(taken.con, source, table)
    if source.by_file and "_file" not in columns:
        what = f"{table.name}.sql gives no _file, and {', '.join(file for file, _ in source.by_file)} is written in a way of its own"
        raise PrevenanceError("E306", what, table=table.name, fix=f"add _file, _line to every select of {table.name}.sql")
    taken.columns[table.name] = columns
    convert_rows(taken.con, source, table, columns, texts)
    check_zone(taken.con, source, table, columns)
    files, left_out, told = rows_left_out(taken.con, source, table, columns, policy)
    grows = next((view for view, name in copies.grown.tables.items() if name == table.name), "")
    if grows:
        files, left_out = copies.grown.counted(grows, files, left_out, told)
    if (table.name == "customers" or policy.required) and grows not in taken.partial and not any(one.ragged for one in loaded):
        refuse_empty(taken.con, source, table)
    if grows:
        copies.grown.add(taken.con, grows, columns, copies.room_left())
    refuse_rounded(taken.con, source, table, columns)
    ragged = [place for one in loaded for place in one.ragged]
    newest = taken.con.execute("select max(known_at) from judged").fetchall()[0][0]
    alike = mark_twice(taken, source, table, columns)
    counts = taken.counts[table.name] = set_apart(
        taken, table, columns, ragged, sum(len(one.no_rows) for one in loaded), until, copies.whole
    )
    counts.files = files
    counts.warnings |= {name: rows for name, rows in (("left_out", left_out), (ALIKE, alike)) if rows}
    taken.messages += told
    note_missing(taken, table, columns, counts)
    note_clock_changes(taken, source, table, columns)
    entries = [source.entries[view] for view in source.views_read(table.name)]
    note_dates(taken, source, table, columns, entries)
    note_placeholders(taken, source, table)
    note_midnights(taken, source, table, columns)
    note_numbers(taken, source, table, entries)
    note_versions(taken, source, table)
    taken.con.execute("drop table judged")
    return newest if newest is None or isinstance(newest, datetime) else datetime.max  # beyond the years that Python has

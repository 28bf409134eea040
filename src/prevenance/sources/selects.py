"""Run a source's select over the raw files, and say in one line why one does not run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import duckdb

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.sources import denied
from prevenance.sources.convert import WITH_OFFSET, Source
from prevenance.sources.files import is_out_of_room, sql_name
from prevenance.sources.header import entry_line, entry_pattern
from prevenance.tables.canonical import Table


def run_select(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> list[str]:
    """Run the table's select over the raw views into ``taken`` (all text) and return its columns."""
    denied.refuse_agents(con, source, table)
    con.execute("use raw")
    try:
        found = [row[0] for row in con.execute(f"describe {source.selects[table.name]}").fetchall()]
        kinds = {"_line": "try_cast(cast(_line as varchar) as bigint)"}  # what a select calls a line, and is no number, is no place
        texts = ", ".join(f"nullif(cast({kinds.get(name, sql_name(name))} as varchar), '') as {sql_name(name)}" for name in found)
        con.execute(f"create or replace temp table taken as select {texts} from ({source.selects[table.name]})")
    except duckdb.Error as problem:
        if is_out_of_room(problem):
            raise
        raise _select_error(con, table, source, str(problem)) from problem
    finally:
        con.execute("use memory.main")
    unknown = [name for name in found if name not in (*table.names, "_file", "_line", "_id")]
    missing = [column.name for column in table.columns if column.required and column.name not in found]
    denied.refuse_special(unknown, source, table)
    if unknown:
        raise PrevenanceError(
            "E301",
            f'the select gives "{unknown[0]}", which is no column of {table.name}',
            table=table.name,
            column=unknown[0],
            fix=f"rename it: {did_you_mean(unknown[0], table.names)}",
        )
    if missing:
        raise PrevenanceError(
            "E301",
            f'the select does not give "{missing[0]}"',
            table=table.name,
            column=missing[0],
            fix=f"add `… as {missing[0]}` to {table.name}.sql",
        )
    return found


def views_of_select(source: Source, select: str) -> list[str]:
    """Return the ``files`` entries that a select reads."""
    return [view for view in source.files if re.search(rf"\b{re.escape(view)}\b", select)]


def first_header_place(source: Source, select: str) -> str | None:
    """Return the header line of the first file that a select reads, or None."""
    return next((f"{entry_pattern(source.files[view])}:1" for view in views_of_select(source, select)), None)


def unread_columns(source: Source, columns: dict[str, list[str]]) -> list[str]:
    """Return a message on the columns of each ``files`` entry that no select names; there may be new ones among them."""
    found = {}
    for view, names in columns.items():
        text = " ".join(select for select in source.selects.values() if view in views_of_select(source, select)).lower()
        found[view] = sorted(
            name for name in names if name not in ("_file", "_line") and not re.search(rf"\b{re.escape(name.lower())}\b", text)
        )
    told = [f"{view} ({', '.join(names)})" for view, names in found.items() if names]
    count = sum(map(len, found.values()))
    return [f"{count} column{'' if count == 1 else 's'} that no select reads: {'; '.join(told)}"] if told else []


def _select_error(con: duckdb.DuckDBPyConnection, table: Table, source: Source, problem: str) -> PrevenanceError:
    read = views_of_select(source, source.selects[table.name])
    held: dict[str, str] = {}
    for view, name in con.execute("select table_name, column_name from duckdb_columns() where schema_name = 'raw' order by all").fetchall():
        if view in read and name not in ("_file", "_line"):
            held.setdefault(name, view)
    if absent := _absent(problem):
        return _missing(con, table, source, absent, held)
    if found := re.search(r"Table with name (\S+) does not exist", problem):
        return PrevenanceError(
            "E306",
            f'{table.name}.sql reads "{found.group(1)}", which `files` does not name',
            table=table.name,
            fix=did_you_mean(found.group(1), source.files),
        )
    if "file system operations are disabled" in problem:
        return PrevenanceError(
            "E209",
            f"{table.name}.sql opens a file by itself, and may read only what `files` names",
            table=table.name,
            fix=f"put the file below data=, name it under files: in the source's yaml, and read it by that name in {table.name}.sql",
        )
    return PrevenanceError("E306", problem.splitlines()[0][:300], table=table.name, fix=f"correct source/{source.name}/{table.name}.sql")


def _absent(problem: str) -> str | None:
    """Return the column that a select misses, if that is what the engine says."""
    found = re.search(r'Referenced column "([^"]+)"|column named "([^"]+)"|does not have a column named "([^"]+)"', problem)
    return next(group for group in found.groups() if group) if found else None


def _free(con: duckdb.DuckDBPyConnection, source: Source, view: str, column: str, name: str) -> bool:
    """Return whether a column can be called ``name`` without a select of its file missing it."""
    con.execute(f"alter table raw.{sql_name(view)} rename column {sql_name(column)} to {sql_name(name)}")
    missed = set()
    for select in source.selects.values():
        if view in views_of_select(source, select):
            try:
                con.execute(f"describe {select}")
            except duckdb.Error as problem:
                missed.add((_absent(str(problem)) or "").lower())
    con.execute(f"alter table raw.{sql_name(view)} rename column {sql_name(name)} to {sql_name(column)}")
    return column.lower() not in missed


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that ``name`` may have been renamed to, likeliest first: those of the same first word, then those spelt alike.

    The first word says what a column holds, the others its unit or form: ``mrr_amount`` is rather ``MRR_EUR`` than ``arr_amount``.
    """

    def words(one: str) -> list[str]:
        return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", one).lower())

    def alike(one: str) -> tuple[bool, float]:
        return words(one)[:1] == words(name)[:1], difflib.SequenceMatcher(None, name.lower(), one.lower()).ratio()

    return sorted((one for one in names if alike(one)[1] >= (0.4 if alike(one)[0] else 0.6)), key=alike, reverse=True)


def _missing(con: duckdb.DuckDBPyConnection, table: Table, source: Source, name: str, held: dict[str, str]) -> PrevenanceError:
    """Return the error for a column that the files lack, with the line that gives the nearest one its old name."""
    denied.refuse_special([name], source, table, agents=False)
    if f"{name}__1" in held:
        fix = f'use "{name}__1" as {name}, or "{name}__2" as {name}, in {table.name}.sql'
        twice = f"{entry_pattern(source.files[held[f'{name}__1']])}:1"
        return PrevenanceError("E301", f'the header names "{name}" twice', table=table.name, column=name, first=twice, fix=fix)
    near = near_names(name, held)
    if free := [one for one in near if _free(con, source, held[one], one, name)]:
        view, other = held[free[0]], f' (with "{free[1]}" if that is its new name)' if free[1:] else ""
        given = source.files[view]
        renamed = {} if isinstance(given, str) else dict(given.get("rename") or {})
        hint = "did you mean " + ", or ".join(f'"{one}"' for one in free[:2]) + "?"
        first: str | None = f"{entry_pattern(given)}:1"
        fix = f"write {entry_line(view, given, rename=renamed | {free[0]: name})} in the source's yaml{other}, or correct the export"
    else:
        left = [one for one in held if one not in near]
        hint = did_you_mean(name, left) if left else "every column that they have is read already"
        first, fix = first_header_place(source, source.selects[table.name]), "correct the export"
    return PrevenanceError("E301", f'the files have no column "{name}"; {hint}', table=table.name, column=name, first=first, fix=fix)


def check_zone(con: duckdb.DuckDBPyConnection, source: Source, table: Table, columns: list[str]) -> None:
    """Raise E207 for an unknown zone, E206 for timestamps without offset where no zone is declared."""
    if source.timezone:
        known = con.execute("select 1 from pg_timezone_names() where name = ?", [source.timezone]).fetchall()
        if not known:
            names = [row[0] for row in con.execute("select name from pg_timezone_names()").fetchall()]
            raise PrevenanceError(
                "E207", f'no time zone is called "{source.timezone}"', key="source.timezone", fix=did_you_mean(source.timezone, names)[:120]
            )
        return
    for column in table.columns:
        if column.kind == "instant" and column.name in columns:
            naive = f"{sql_name(column.name)} is not null and not regexp_matches({sql_name(column.name)}, '{WITH_OFFSET}')"
            place = "_file, _line::bigint" if {"_file", "_line"} <= set(columns) else "null, null"
            found = con.execute(f"select {place} from taken where {naive} order by all limit 1").fetchall()
            if found:
                raise PrevenanceError(
                    "E206",
                    "timestamps carry no offset and the source declares no zone",
                    table=table.name,
                    column=column.name,
                    first=f"{found[0][0]}:{found[0][1]}" if found[0][1] else None,
                    fix="write timezone: Europe/Paris (the zone the export was made in) in the source's yaml",
                )

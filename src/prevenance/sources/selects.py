"""Run a source's select over the raw files, and say in one line why one does not run."""

from __future__ import annotations

import re

import duckdb

from prevenance.errors import PrevenanceError, nearest
from prevenance.sources import denied
from prevenance.sources.convert import WITH_OFFSET, Source
from prevenance.sources.files import quoted
from prevenance.tables import Table


def selected(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> list[str]:
    """Run the table's select over the raw views into ``taken`` (all text) and return its columns."""
    denied.refuse_agents(con, source, table)
    con.execute("use raw")
    try:
        found = [row[0] for row in con.execute(f"describe {source.selects[table.name]}").fetchall()]
        texts = ", ".join(f"nullif(cast({quoted(name)} as varchar), '') as {quoted(name)}" for name in found)
        con.execute(f"create or replace temp table taken as select {texts} from ({source.selects[table.name]})")
    except duckdb.Error as problem:
        raise _select_error(con, table, source, str(problem)) from problem
    finally:
        con.execute("use memory.main")
    unknown = [name for name in found if name not in (*table.names, "_file", "_line", "_id")]
    missing = [column.name for column in table.columns if column.required and column.name not in found]
    denied.refuse(unknown, source, table)
    if unknown:
        raise PrevenanceError(
            "E301",
            f'the select gives "{unknown[0]}", which is no column of {table.name}',
            table=table.name,
            column=unknown[0],
            fix=f"rename it: {nearest(unknown[0], table.names)}",
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


def _select_error(con: duckdb.DuckDBPyConnection, table: Table, source: Source, problem: str) -> PrevenanceError:
    views = {row[0] for row in con.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()}
    present = sorted({row[0] for row in con.execute("select column_name from duckdb_columns() where schema_name = 'raw'").fetchall()})
    if found := re.search(r'Referenced column "([^"]+)"|column named "([^"]+)"|does not have a column named "([^"]+)"', problem):
        name = next(group for group in found.groups() if group)
        denied.refuse([name], source, table, agents=False)
        if f"{name}__1" in present:
            return PrevenanceError(
                "E301",
                f'the header names "{name}" twice',
                table=table.name,
                column=name,
                fix=f'use "{name}__1" or "{name}__2" in {table.name}.sql',
            )
        hint = nearest(name, present)
        close = re.search(r'"(.+)"', hint)
        paste = f", or in {table.name}.sql write {quoted(close.group(1))} as it is now called" if close else ""
        return PrevenanceError(
            "E301", f'the files have no column "{name}"; {hint}', table=table.name, column=name, fix=f"correct the export{paste}"
        )
    if found := re.search(r"Table with name (\S+) does not exist", problem):
        return PrevenanceError(
            "E306",
            f'{table.name}.sql reads "{found.group(1)}", which `files` does not name',
            table=table.name,
            fix=nearest(found.group(1), views),
        )
    return PrevenanceError(
        "E306", problem.splitlines()[0][:300], table=table.name, fix=f"correct conf/source/{source.name}/{table.name}.sql"
    )


def check_zone(con: duckdb.DuckDBPyConnection, source: Source, table: Table, columns: list[str]) -> None:
    """Raise E207 for an unknown zone, E206 for timestamps without offset where no zone is declared."""
    if source.timezone:
        known = con.execute("select 1 from pg_timezone_names() where name = ?", [source.timezone]).fetchall()
        if not known:
            names = [row[0] for row in con.execute("select name from pg_timezone_names()").fetchall()]
            raise PrevenanceError(
                "E207", f'no time zone is called "{source.timezone}"', key="source.timezone", fix=nearest(source.timezone, names)[:120]
            )
        return
    for column in table.columns:
        if column.kind == "instant" and column.name in columns:
            naive = f"{quoted(column.name)} is not null and not regexp_matches({quoted(column.name)}, '{WITH_OFFSET}')"
            if con.execute(f"select exists(from taken where {naive})").fetchall()[0][0]:
                raise PrevenanceError(
                    "E206",
                    "timestamps carry no offset and the source declares no zone",
                    table=table.name,
                    column=column.name,
                    fix="write timezone: Europe/Paris (the zone the export was made in) in the source's yaml",
                )

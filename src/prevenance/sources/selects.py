"""Run a source's select over the raw files, and say in one line why one does not run."""

import difflib
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.consent import special
from prevenance.sources.declared import Source
from prevenance.sources.files import PLACE, column_names, is_out_of_room, sql_name
from prevenance.sources.instants import has_offset_sql
from prevenance.sources.nothing import is_nothing_sql, text_sql
from prevenance.sources.repeats import VERSION
from prevenance.sources.steady import tables_read, unsteady_word
from prevenance.tables.canonical import Table


def read_select(path: Path) -> str:
    """Return the select of a file, without the sign at its end.

    Raises:
        PrevenanceError: E306 for a file that holds none.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as problem:
        raise PrevenanceError("E306", f"{path.name} is not UTF-8", path=path, fix="save it as UTF-8") from problem
    except IsADirectoryError as problem:
        raise PrevenanceError("E306", f"{path.name} is a folder, not a select", path=path, fix="give the folder another name") from problem
    if not re.sub(r"--[^\n]*", "", text).strip("; \n\t"):
        raise PrevenanceError("E306", f"{path.name} holds no select", path=path, fix="write a select into it, or remove it")
    return re.sub(r";\s*(--[^\n']*\s*)*$", "", text)


def check_select(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> str:
    """Return the table's select, of which nothing is run; of the raw views only the names of their columns are asked.

    Raises:
        PrevenanceError: E306 for what is no single steady select, E902 for an agent's name put to another use.
    """
    select = f"{source.selects[table.name]}\n"  # it may end in a comment
    with suppress(duckdb.Error):  # what does not parse is told below, in the engine's words
        if (held := len(con.extract_statements(select))) > 1:
            fix = f"leave one select in source/{source.name}/{table.name}.sql; several become one with union all by name between them"
            raise PrevenanceError("E306", f"{table.name}.sql holds {held} statements", table=table.name, fix=fix)
    if word := unsteady_word(con, select):
        what = f"{table.name}.sql asks for {word}, and the same data must give the same table at any time"
        fix = f"take {word} out of source/{source.name}/{table.name}.sql; what is known by as_of= is cut by the engine, not by the select"
        raise PrevenanceError("E306", what, table=table.name, fix=fix)
    _refuse_agents(con, source, table)
    return select


@contextmanager
def selecting(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> Generator[None]:
    """Let a table's select name its files plainly, out of reach of the canonical tables, and say in one line why it does not run.

    Raises:
        PrevenanceError: E301, E306, E209.
    """
    con.execute("use raw")
    try:
        yield
    except duckdb.Error as problem:
        if is_out_of_room(problem):
            raise
        raise _select_error(con, table, source, str(problem)) from problem
    finally:
        con.execute("use memory.main")


def selected_texts(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> tuple[list[str], str]:
    """Return the columns of the table's select and the SQL that gives them as texts; it is bound to the raw views, and not run.

    Raises:
        PrevenanceError: see ``check_select`` and ``selecting``; E902 for a column that may not be used, E207 for an unknown zone.
    """
    select = check_select(con, source, table)
    with selecting(con, source, table):
        given = column_names(con, select)
    # the engine keeps the file's capitals where a select gives another case
    known = {name.lower(): name for name in (*table.names, *PLACE, "_id", VERSION)}
    columns = [known.get(name.lower(), name) for name in given]
    kinds = {"_line": "try_cast(cast(_line as varchar) as bigint)"}  # what a select calls a line, and is no number, is no place
    texts = ", ".join(
        f"nullif(cast({kinds.get(name, sql_name(one))} as varchar), '') as {sql_name(name)}"
        for one, name in zip(given, columns, strict=True)
    )
    unknown = [name for name in columns if name not in (*table.names, *PLACE, "_id", VERSION)]
    _refuse_special(unknown, source, table)
    if unknown:
        fix = f"rename it: {did_you_mean(unknown[0], table.names)}"
        raise _column_error(table, unknown[0], f'the select gives "{unknown[0]}", which is no column of {table.name}', fix)
    if missing := [column.name for column in table.columns if column.required and column.name not in columns]:
        fix = f"add `… as {missing[0]}` to {table.name}.sql"
        raise _column_error(table, missing[0], f'the select does not give "{missing[0]}"', fix)
    if source.timezone:
        names = [row[0] for row in con.execute("select name from pg_timezone_names()").fetchall()]
        if source.timezone not in names:
            what, fix = f'no time zone is called "{source.timezone}"', did_you_mean(source.timezone, names)[:120]
            raise PrevenanceError("E207", what, key="source.timezone", fix=fix)
    return columns, f"select {texts} from ({select})"


def refuse_empty(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> None:
    """Raise E304 for a table that must have rows and has none."""
    if not con.execute("select exists(from judged)").fetchall()[0][0]:
        what, first = "the required table has a header and no row", _first_header_place(source, table)
        raise PrevenanceError("E304", what, table=table.name, first=first, fix="export it again, with its rows")


def _refuse_agents(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> None:
    """Raise E902 where a column that says who works for the company is given another meaning than ``owner``."""
    # a comment in a select may name what it does not use
    text = re.sub(r"--[^\n]*", "", source.selects[table.name])
    for (name,) in con.execute("select distinct column_name from duckdb_columns() where schema_name = 'raw' order by 1").fetchall():
        # special categories are gone by now; only an agent's name can still be put to another use
        if special.refused_category(name, source.permitted, agents=True) != special.AGENT:
            continue
        for given in re.findall(rf'(?<!\w)"?{re.escape(name)}"?\s+as\s+"?(\w+)"?', text, re.IGNORECASE):
            if given.lower() in table.names and given.lower() not in ("owner", *_ordinals(table, name)):
                raise special.special_error(name, special.AGENT, fix=f"give {given} another column in {table.name}.sql", table=table.name)


def _ordinals(table: Table, name: str) -> list[str]:
    """Return the column that a raw one of its own name may fill though it speaks of agents: the ordinal within a ticket."""
    return [column.name for column in table.columns if column.apart and column.name == name.lower()]


def _refuse_special(names: list[str], source: Source, table: Table, *, agents: bool = True) -> None:
    """Raise E902 if one of ``names``, asked for or given by the table's select, may not be used."""
    for name in names:
        if kind := special.refused_category(name, source.permitted, agents=agents and name not in table.names):
            raise special.special_error(name, kind, table=table.name)


def _column_error(table: Table, name: str, what: str, fix: str, first: str | None = None) -> PrevenanceError:
    return PrevenanceError("E301", what, table=table.name, column=name, first=first, fix=fix)


def _first_header_place(source: Source, table: Table) -> str | None:
    """Return the header line of the first file that a select reads, or None."""
    return next((f"{source.entries[view].pattern}:1" for view in source.views_read(table.name)), None)


def _select_error(con: duckdb.DuckDBPyConnection, table: Table, source: Source, problem: str) -> PrevenanceError:
    if absent := _absent(problem):
        return _missing(con, table, source, absent)
    if found := re.search(r"Table with name (\S+) does not exist", problem):
        view = found.group(1)
        what, fix = f'{table.name}.sql reads "{view}", which `files` does not name', did_you_mean(view, source.files)
        fix = fix if source.files else f"write files: {{{view}: {view}.csv}} in source/{source.name}.yaml"
        return PrevenanceError("E306", what, table=table.name, fix=fix)
    if "file system operations are disabled" in problem:
        what = f"{table.name}.sql opens a file by itself, and may read only what `files` names"
        fix = f"put the file below data=, name it under files: in the source's yaml, and read it by that name in {table.name}.sql"
        return PrevenanceError("E209", what, table=table.name, fix=fix)
    return PrevenanceError("E306", problem.splitlines()[0][:300], table=table.name, fix=f"correct source/{source.name}/{table.name}.sql")


def _absent(problem: str) -> str | None:
    """Return the column that a select misses, if that is what the engine says."""
    found = re.search(r'Referenced column "([^"]+)"|column named "([^"]+)"|does not have a column named "([^"]+)"', problem)
    return next(group for group in found.groups() if group) if found else None


def _is_free(con: duckdb.DuckDBPyConnection, source: Source, view: str, column: str, name: str) -> bool:
    """Return whether a column can be called ``name`` without a select of its file missing it."""
    con.execute(f"alter table raw.{sql_name(view)} rename column {sql_name(column)} to {sql_name(name)}")
    missed = set()
    for table, select in source.selects.items():
        if view in source.views_read(table):
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


def _missing(con: duckdb.DuckDBPyConnection, table: Table, source: Source, name: str) -> PrevenanceError:
    """Return the error for a column that the files lack, with the line that gives the nearest one its old name."""
    _refuse_special([name], source, table, agents=False)
    read = {view: source.entries[view] for view in source.views_read(table.name)}
    held: dict[str, str] = {}
    for view, column in con.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'raw' order by all"
    ).fetchall():
        if view in read and column not in PLACE:
            held.setdefault(column, view)
    if f"{name}__1" in held:
        fix = f'use "{name}__1" as {name}, or "{name}__2" as {name}, in {table.name}.sql'
        return _column_error(table, name, f'the header names "{name}" twice', fix, f"{read[held[f'{name}__1']].pattern}:1")
    near = near_names(name, held)
    # a name that a select reads already is no renamed one: to propose it would break that select
    if free := [one for one in near if _is_free(con, source, held[one], one, name)]:
        entry, other = read[held[free[0]]], f' (with "{free[1]}" if that is its new name)' if free[1:] else ""
        hint = "did you mean " + ", or ".join(f'"{one}"' for one in free[:2]) + "?"
        first: str | None = f"{entry.pattern}:1"
        fix = f"write {entry.line(rename=entry.rename | {free[0]: name})} in the source's yaml{other}, or correct the export"
    else:
        left = [one for one in held if one not in near]
        hint = did_you_mean(name, left) if left else "every column that they have is read already"
        first, fix = _first_header_place(source, table), "correct the export"
    return _column_error(table, name, f'the files have no column "{name}"; {hint}', fix, first)


def check_zone(con: duckdb.DuckDBPyConnection, source: Source, table: Table, columns: list[str]) -> None:
    """Raise E206 for timestamps of ``judged`` without offset where no zone is declared."""
    place = ", ".join(PLACE) + "::bigint" if set(PLACE) <= set(columns) else "null, null"
    for column in table.columns:
        if not source.timezone and column.kind == "instant" and column.name in columns:
            text = text_sql(column)
            local = f"{text} is not null and not {has_offset_sql(source, text)} and not {is_nothing_sql(text)}"
            if found := con.execute(f"select {place} from judged where {local} order by all limit 1").fetchall():
                what, first = (
                    "timestamps carry no offset and the source declares no zone",
                    f"{found[0][0]}:{found[0][1]}" if found[0][1] else None,
                )
                fix = "add source.timezone=Europe/Paris (the zone the export was made in), or write timezone: Europe/Paris in the source's yaml"
                raise PrevenanceError("E206", what, table=table.name, column=column.name, first=first, fix=fix)


def views_alone(con: duckdb.DuckDBPyConnection, source: Source, name: str) -> list[str] | None:
    """Return the views that a select reads, ``None`` where that is not all that it reads or cannot be told."""
    read = tables_read(con, source.selects[name])
    views = source.views_read(name)
    return views if read is not None and {one.removeprefix("raw.") for one in read} <= {one.lower() for one in views} else None

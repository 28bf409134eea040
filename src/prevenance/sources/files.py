"""Raw files as text: one engine table per file, every column text, with ``_file`` and ``_line``.

Nothing is guessed: the header is read as it stands, a separator that was not declared is refused with the line to
declare it, rows that do not fit the header are kept aside with their line.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.sources.header import (
    bad_utf8_error,
    check_packed,
    entry_line,
    entry_pattern,
    entry_separator,
    first_bad_byte,
    first_other_end,
    header_names,
    mixed_ends_error,
)

LONGEST_LINE = 8_000_000
"""Bytes of one row; a longer one is quarantined, so that one broken cell cannot take the memory."""


def sql_name(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def new_engine(memory: str = "3GB", threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Return a fresh engine that works in UTC, keeps row order and spills to disk above ``memory``."""
    connection = duckdb.connect(":memory:")
    # what is spilled is personal: never into the folder that the command was called from
    spilled = sql_text(str(Path(tempfile.gettempdir()) / f"prevenance-{os.getpid()}"))
    for setting in (
        "TimeZone='UTC'", f"memory_limit='{memory}'", f"threads={threads}", f"temp_directory={spilled}",
    ):  # fmt: skip
        connection.execute(f"set {setting}")
    with suppress(duckdb.InvalidInputException):  # a notebook without widgets can draw no bar, and refuses even to be told not to
        connection.execute("set enable_progress_bar=false")
    connection.execute("create schema canonical; create schema quarantine; create schema raw")
    return connection


def is_out_of_room(problem: Exception) -> bool:
    """Return whether memory or work space ran out: no fault of a file or a select."""
    space = isinstance(problem, duckdb.IOException) and ("No space left" in str(problem) or "write" in str(problem).lower())
    return space or isinstance(problem, duckdb.OutOfMemoryException)


def entry_files(root: Path, view: str, declared: str | Mapping[str, Any]) -> list[Path]:
    """Return the files of a ``files`` entry, found under ``root`` only.

    Raises:
        PrevenanceError: E209 for a path that leaves ``root``, E401 when nothing is there.
    """
    pattern = entry_pattern(declared)
    if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise PrevenanceError(
            "E209", f'the path "{pattern}" leaves the data folder', key=f"files.{view}", fix="give a path relative to data=, without '..'"
        )
    paths = sorted(path for path in root.glob(pattern) if path.is_file())
    if not paths:
        raise PrevenanceError(
            "E401",
            f"no file at {root / pattern}",
            table=view,
            key=f"files.{view}",
            fix=f"put the file there, or set data=<folder that holds {pattern}>",
        )
    if stray := [path for path in paths if not path.resolve().is_relative_to(root.resolve())]:
        raise PrevenanceError(
            "E209", f"{stray[0]} is a link out of the data folder", key=f"files.{view}", fix="copy the file into the folder"
        )
    return paths


def read_files(con: duckdb.DuckDBPyConnection, root: Path, view: str, declared: str | Mapping[str, Any]) -> dict[str, Any]:
    """Load a ``files`` entry as table ``raw.<view>``: all columns text, plus ``_file`` and ``_line``.

    Returns:
        ``{"rows", "ragged": [(file, line)], "twice": [header names met twice], "columns"}``.

    Raises:
        PrevenanceError: E303 for a file that is not what was declared, E401 when it is not there.
    """
    facts: dict[str, Any] = {"rows": 0, "ragged": [], "twice": set(), "columns": []}
    parts = []
    for number, path in enumerate(entry_files(root, view, declared)):
        part = f"raw.{sql_name(f'{view}#{number}')}"
        try:
            if not path.stat().st_size:
                raise PrevenanceError(
                    "E303", f"{path.name} is empty (0 bytes)", table=view, fix="export the file again; a table without rows has a header"
                )
            if path.suffix == ".parquet":
                facts["columns"] = _read_parquet(con, path, part)
            else:
                check_packed(path)
                columns, twice = header_names(path, view, declared)
                facts["columns"] = columns
                facts["twice"] |= twice
                facts["ragged"] += _read_csv(con, path, view, part, columns, entry_separator(view, declared))
        except (duckdb.Error, OSError, EOFError, zlib.error) as problem:
            if is_out_of_room(problem):
                raise
            raise _unreadable(path, view, problem) from problem
        parts.append(part)
    con.execute(f"create or replace table raw.{sql_name(view)} as " + " union all by name ".join(f"from {part}" for part in parts))
    for part in parts:
        con.execute(f"drop table {part}")
    facts["columns"] = rename_columns(con, view, declared)
    facts["rows"] = con.execute(f"select count(*) from raw.{sql_name(view)}").fetchall()[0][0]
    return facts


def rename_columns(con: duckdb.DuckDBPyConnection, view: str, declared: str | Mapping[str, Any]) -> list[str]:
    """Give the columns the names under ``rename`` and return all names.

    Raises:
        PrevenanceError: E301 for a name that no file has.
    """
    names = [row[0] for row in con.execute(f"describe raw.{sql_name(view)}").fetchall()]
    for old, new in ({} if isinstance(declared, str) else dict(declared.get("rename") or {})).items():
        if old not in names:
            hint = did_you_mean(old, [name for name in names if name not in ("_file", "_line")])
            fix = f"correct the name under rename in {entry_line(view, declared)}"
            raise PrevenanceError(
                "E301",
                f'the files have no column "{old}" to rename; {hint}',
                table=view,
                column=old,
                first=f"{entry_pattern(declared)}:1",
                fix=fix,
            )
        con.execute(f"alter table raw.{sql_name(view)} rename column {sql_name(old)} to {sql_name(new)}")
    return [dict(declared.get("rename") or {}).get(name, name) if not isinstance(declared, str) else name for name in names]


def _read_csv(
    con: duckdb.DuckDBPyConnection, path: Path, view: str, part: str, columns: list[str], separator: str
) -> list[tuple[str, int]]:
    """Load one CSV file and return the (file, line) of its ragged rows."""
    spec = "{" + ", ".join(f"{sql_text(name)}: 'VARCHAR'" for name in columns) + "}"
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    names = ", ".join(sql_name(name) for name in columns)
    con.execute(
        f"create or replace table {part} as select {names}, {sql_text(path.name)} as _file, row_number() over () as _line "
        f"from read_csv({sql_text(_escaped(path))}, columns={spec}, auto_detect=false, header=true, delim={sql_text(separator)}, quote='\"', "
        f"escape='\"', strict_mode=true, null_padding=false, store_rejects=true, rejects_limit=100000, ignore_errors=true, max_line_size={LONGEST_LINE})"
    )
    rejects = con.execute("select distinct line, error_type, error_message from reject_errors order by line").fetchall()
    if broken := [line for line, kind, _ in rejects if kind == "UNQUOTED VALUE"]:
        if first_other_end(path) == broken[0]:
            raise mixed_ends_error(path, view, broken[0])
        raise PrevenanceError(
            "E303",
            "a quote is opened and never closed",
            table=view,
            first=f"{path.name}:{broken[0]}",
            fix="correct the export: close or double the quote",
        )
    if broken := [line for line, kind, _ in rejects if kind in ("INVALID ENCODING", "INVALID UNICODE")]:
        raise bad_utf8_error(path, view, first_bad_byte(path))
    lines = sorted({int(line) for line, _, _ in rejects})
    return [(path.name, line) for line in _set_lines(con, part, columns, lines)]


def _set_lines(con: duckdb.DuckDBPyConnection, part: str, columns: list[str], rejected: list[int]) -> list[int]:
    """Turn record numbers into line numbers (the header is line 1, quoted newlines count); return those of ``rejected``."""
    for line in rejected:
        # `line` counts records from the header; records kept after a rejected one move down by one
        con.execute(f"update {part} set _line = _line + 1 where _line >= {line - 1}")
    newlines = " + ".join(
        f"(length(coalesce({sql_name(name)}, '')) - length(replace(coalesce({sql_name(name)}, ''), chr(10), '')))" for name in columns
    )
    if con.execute(f"select count(*) from {part} where {newlines} > 0").fetchall()[0][0]:
        before = f"select coalesce(sum({newlines}), 0) from {part} where _line < "
        rejected = [line + int(con.execute(before + str(line - 1)).fetchall()[0][0]) for line in rejected]
        con.execute(
            f"update {part} set _line = n.line from (select _line, _line + coalesce(sum({newlines}) over (order by _line rows between "
            f"unbounded preceding and 1 preceding), 0) as line from {part}) n where n._line = {part}._line"
        )
    con.execute(f"update {part} set _line = _line + 1")
    return rejected


def _read_parquet(con: duckdb.DuckDBPyConnection, path: Path, part: str) -> list[str]:
    file = sql_text(_escaped(path))
    columns = [row[0] for row in con.execute(f"describe select * from read_parquet({file})").fetchall()]
    texts = ", ".join(f"cast({sql_name(name)} as varchar) as {sql_name(name)}" for name in columns)
    con.execute(
        f"create or replace table {part} as select {texts}, {sql_text(path.name)} as _file, file_row_number + 1 as _line "
        f"from read_parquet({file}, file_row_number=true)"
    )
    return columns


def _escaped(path: Path) -> str:
    """Return the path with the engine's wildcards taken literally."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _unreadable(path: Path, view: str, problem: Exception) -> PrevenanceError:
    if "utf-8" in str(problem).lower() or "unicode" in str(problem).lower():
        return bad_utf8_error(path, view, first_bad_byte(path))
    if "state machine" in str(problem) and (line := first_other_end(path)):
        return mixed_ends_error(path, view, line)
    first = str(problem).splitlines()[0][:200]
    return PrevenanceError(
        "E303", f"{path.name} cannot be read: {first}", table=view, fix="export the file again; it is cut off or not what its name says"
    )

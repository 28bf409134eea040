"""Raw files as text: one engine table per file, every column text, with ``_file`` and ``_line``.

Nothing is guessed: the header is read as it stands, a separator that was not declared is refused with the line to
declare it, rows that do not fit the header are kept aside with their line.
"""

import os
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.sources.alphabets import in_utf8
from prevenance.sources.declared import Entry
from prevenance.sources.header import (
    Head,
    bad_utf8_error,
    check_packed,
    empty_error,
    file_head,
    first_other_end,
    mixed_ends_error,
)
from prevenance.sources.taken import Loaded

PLACE = ("_file", "_line")
"""Columns that every raw row has beside its own: where it stands."""

LONGEST_LINE = 8_000_000
"""Bytes of one row; a longer one is quarantined, so that one broken cell cannot take the memory."""


def sql_name(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def column_names(con: duckdb.DuckDBPyConnection, what: str) -> list[str]:
    """Return the columns of a table or select, in order."""
    return [row[0] for row in con.execute(f"describe {what}").fetchall()]


def new_engine(memory: str = "3GB", threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Return a fresh engine that works in UTC, keeps row order and spills to disk above ``memory``, with ``threads`` or as many as it has cores."""
    connection = duckdb.connect(":memory:")
    if hasattr(os, "sched_getaffinity"):  # a thread without a core of its own only waits for the others
        threads = min(threads, len(os.sched_getaffinity(0)))
    # what is spilled is personal: never into the folder that the command was called from
    spilled = sql_text(str(Path(tempfile.gettempdir()) / f"prevenance-{os.getpid()}"))
    connection.execute(f"set TimeZone='UTC'; set memory_limit='{memory}'; set threads={threads}; set temp_directory={spilled}")
    with suppress(duckdb.InvalidInputException):  # a notebook without widgets can draw no bar, and refuses even to be told not to
        connection.execute("set enable_progress_bar=false")
    connection.execute("create schema canonical; create schema quarantine; create schema raw")
    return connection


def is_out_of_room(problem: Exception) -> bool:
    """Return whether memory or work space ran out: no fault of a file or a select."""
    # the engine has no error of its own for a full disk
    space = isinstance(problem, duckdb.IOException) and ("No space left" in str(problem) or "write" in str(problem).lower())
    return space or isinstance(problem, duckdb.OutOfMemoryException)


def entry_files(root: Path, entry: Entry) -> list[Path]:
    """Return the files of a ``files`` entry, found under ``root`` only.

    Raises:
        PrevenanceError: E209 for a path that leaves ``root``, E401 when nothing is there.
    """
    pattern = entry.pattern
    if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        fix = "give a path relative to data=, without '..'"
        raise PrevenanceError("E209", f'the path "{pattern}" leaves the data folder', key=entry.key, fix=fix)
    paths = sorted(path for path in root.glob(pattern) if path.is_file())
    if not paths:
        fix = f"put the file there, or set data=<folder that holds {pattern}>"
        raise entry.error("E401", f"no file at {root / pattern}", fix, key=entry.key)
    if stray := [path for path in paths if not path.resolve().is_relative_to(root.resolve())]:
        fix = "copy the file into the folder"
        raise PrevenanceError("E209", f"{stray[0]} is a link out of the data folder", key=entry.key, fix=fix)
    return paths


def read_files(con: duckdb.DuckDBPyConnection, root: Path, entry: Entry) -> Loaded:
    """Load the files of an entry as table ``raw.<view>``: all columns text, plus ``_file`` and ``_line``.

    Raises:
        PrevenanceError: E303 for a file that is not what was declared, E401 when it is not there.
    """
    ragged: list[tuple[str, int]] = []
    twice: set[str] = set()
    said: list[str] = []
    # a part for each file: only so can lines be counted per file
    parts = []
    for number, path in enumerate(entry_files(root, entry)):
        part = f"raw.{sql_name(f'{entry.view}#{number}')}"
        try:
            if not path.stat().st_size:
                raise empty_error(path, entry)
            if path.suffix == ".parquet":
                _read_parquet(con, path, part)
            else:
                check_packed(path)
                with in_utf8(path, entry, said) as readable:
                    head = file_head(path, readable, entry)
                    twice |= head.twice
                    said += (
                        [f'{entry.view}: the first line of {path.name} says which separator it has, "{head.separator}"']
                        if head.before
                        else []
                    )
                    ragged += _read_csv(con, path, readable, entry, part, head)
        except (duckdb.Error, OSError, EOFError, zlib.error) as problem:
            # a full disk is no fault of the export, and has another exit code
            if is_out_of_room(problem):
                raise
            raise _unreadable_error(path, entry, problem) from problem
        parts.append(part)
    con.execute(f"create or replace table raw.{sql_name(entry.view)} as " + " union all by name ".join(f"from {part}" for part in parts))
    for part in parts:
        con.execute(f"drop table {part}")
    return Loaded(rename_columns(con, entry), ragged, twice, said=said)


def rename_columns(con: duckdb.DuckDBPyConnection, entry: Entry) -> list[str]:
    """Give the columns the names under ``rename`` and return all names.

    Raises:
        PrevenanceError: E301 for a name that no file has.
    """
    names = column_names(con, f"raw.{sql_name(entry.view)}")
    for old, new in entry.rename.items():
        if old not in names:
            what = f'the files have no column "{old}" to rename; {did_you_mean(old, [name for name in names if name not in PLACE])}'
            fix = f"correct the name under rename in {entry.line()}"
            raise entry.error("E301", what, fix, column=old, first=f"{entry.pattern}:1")
        con.execute(f"alter table raw.{sql_name(entry.view)} rename column {sql_name(old)} to {sql_name(new)}")
    return [entry.rename.get(name, name) for name in names]


def _read_csv(con: duckdb.DuckDBPyConnection, path: Path, readable: Path, entry: Entry, part: str, head: Head) -> list[tuple[str, int]]:
    """Load one CSV file and return the (file, line) of its ragged rows."""
    spec = "{" + ", ".join(f"{sql_text(name)}: 'VARCHAR'" for name in head.names) + "}"
    # the engine keeps the rejects of the file before
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    names = ", ".join(sql_name(name) for name in head.names)
    con.execute(
        f"create or replace table {part} as select {names}, {sql_text(path.name)} as _file, row_number() over () as _line "
        f"from read_csv({sql_text(_escaped(readable))}, columns={spec}, auto_detect=false, header=true, skip={head.before}, delim={sql_text(head.separator)}, quote='\"', "
        f"escape='\"', strict_mode=true, null_padding=false, store_rejects=true, rejects_limit=100000, ignore_errors=true, max_line_size={LONGEST_LINE})"
    )
    rejects = con.execute("select distinct line, error_type, error_message from reject_errors order by line").fetchall()
    if broken := [line for line, kind, _ in rejects if kind == "UNQUOTED VALUE"]:
        # two kinds of line ends look to the engine like a quote that never closes
        if first_other_end(path) == broken[0]:
            raise mixed_ends_error(path, entry, broken[0])
        fix = "correct the export: close or double the quote"
        raise entry.error("E303", "a quote is opened and never closed", fix, first=f"{path.name}:{broken[0]}")
    if any(kind in ("INVALID ENCODING", "INVALID UNICODE") for _, kind, _ in rejects):
        raise bad_utf8_error(path, entry)
    lines = sorted({int(line) for line, _, _ in rejects})
    return [(path.name, line) for line in _set_lines(con, part, head, lines)]


def _set_lines(con: duckdb.DuckDBPyConnection, part: str, head: Head, rejected: list[int]) -> list[int]:
    """Turn record numbers into line numbers (the header begins in line 1, quoted newlines count); return those of ``rejected``."""
    above = head.before + head.lines
    rejected = [line - head.before for line in rejected]
    for line in rejected:
        # `line` counts records from the header; records kept after a rejected one move down by one
        con.execute(f"update {part} set _line = _line + 1 where _line >= {line - 1}")
    newlines = " + ".join(
        f"(length(coalesce({sql_name(name)}, '')) - length(replace(coalesce({sql_name(name)}, ''), chr(10), '')))" for name in head.names
    )
    # most files have no quoted newline and are spared the window over all rows
    if con.execute(f"select count(*) from {part} where {newlines} > 0").fetchall()[0][0]:
        before = f"select coalesce(sum({newlines}), 0) from {part} where _line < "
        rejected = [line + int(con.execute(before + str(line - 1)).fetchall()[0][0]) for line in rejected]
        con.execute(
            f"update {part} set _line = n.line from (select _line, _line + coalesce(sum({newlines}) over (order by _line rows between "
            f"unbounded preceding and 1 preceding), 0) as line from {part}) n where n._line = {part}._line"
        )
    con.execute(f"update {part} set _line = _line + {above}")
    return [line + above - 1 for line in rejected]


def _read_parquet(con: duckdb.DuckDBPyConnection, path: Path, part: str) -> None:
    file = sql_text(_escaped(path))
    columns = column_names(con, f"select * from read_parquet({file})")
    # text again, so that a Parquet file is judged by the very rules of a CSV file
    texts = ", ".join(f"cast({sql_name(name)} as varchar) as {sql_name(name)}" for name in columns)
    con.execute(
        f"create or replace table {part} as select {texts}, {sql_text(path.name)} as _file, file_row_number + 1 as _line "
        f"from read_parquet({file}, file_row_number=true)"
    )


def _escaped(path: Path) -> str:
    """Return the path with the engine's wildcards taken literally."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _unreadable_error(path: Path, entry: Entry, problem: Exception) -> PrevenanceError:
    if "utf-8" in str(problem).lower() or "unicode" in str(problem).lower():
        return bad_utf8_error(path, entry)
    if "state machine" in str(problem) and (line := first_other_end(path)):
        return mixed_ends_error(path, entry, line)
    what = f"{path.name} cannot be read: {str(problem).splitlines()[0][:200]}"
    return entry.error("E303", what, "export the file again; it is cut off or not what its name says")

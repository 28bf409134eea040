"""Where a source's files are, and the engine that they are read into: one table per file, every column text, with ``_file`` and ``_line``."""

import difflib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.sources.declared import PLACE, Entry

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


def free_name(name: str) -> str:
    """Return what a column of a file is called in selects: one that is called as where a row stands gets a number."""
    return f"{name}__1" if name.lower() in PLACE else name


COLUMNS = "(select coalesce(nullif(schema_name, 'main'), database_name) as place, table_name, column_name, data_type from duckdb_columns())"
"""SQL for the columns of an engine's tables; their place is canonical, quarantine or raw."""


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
    # the engine takes most of what we ask for tiny, and would hold every row against every interval
    connection.execute("set asof_loop_join_threshold=0")
    # what is read many times is packed while it is written: a sixth of the room, and read faster
    connection.execute("attach ':memory:' as canonical (compress); create schema quarantine; create schema raw")
    return connection


def kept_name(table: str) -> str:
    """Return what a file of the engine's own is attached as, whose rows ``canonical.<table>`` shows."""
    return f"kept_{table}"


def stored_rows(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return where the rows of ``canonical.<table>`` are stored: only there can they be removed or changed."""
    attached = con.execute("select 1 from duckdb_databases() where database_name = ?", [kept_name(table)]).fetchall()
    return f"{kept_name(table)}.rows" if attached else f"canonical.{table}"


def drop_places(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Let go of where the rows of ``canonical.<table>`` stand in their files."""
    if (stored := stored_rows(con, table)) == f"canonical.{table}":
        for place in PLACE:
            con.execute(f"alter table {stored} drop column if exists {place}")
    else:
        con.execute(f"create or replace view canonical.{table} as select * exclude ({', '.join(PLACE)}) from {stored}")


def is_out_of_room(problem: Exception) -> bool:
    """Return whether memory or work space ran out: no fault of a file or a select."""
    # the engine has no error of its own for a full disk
    space = isinstance(problem, duckdb.IOException) and ("No space left" in str(problem) or "write" in str(problem).lower())
    return space or isinstance(problem, duckdb.OutOfMemoryException)


def entry_files(root: Path, entry: Entry) -> list[Path]:
    """Return the files of a ``files`` entry, found under ``root`` only.

    Raises:
        PrevenanceError: E202 for a folder, E209 for a path that leaves ``root``, E401 when nothing is there.
    """
    pattern = entry.pattern
    if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        fix = "give a path relative to data=, without '..'"
        raise PrevenanceError("E209", f'the path "{pattern}" leaves the data folder', key=entry.key, fix=fix)
    if (root / pattern).is_dir():
        held = sorted(path.relative_to(root).as_posix() for path in (root / pattern).iterdir() if path.is_file())
        near = difflib.get_close_matches(entry.view.lower(), {one.lower(): one for one in held}, n=1, cutoff=0) or ["*.csv"]
        own = {**entry.given, "path": next((one for one in held if one.lower() == near[0]), near[0])}
        what = f'the path "{pattern}" is a folder, and the rows are in files'
        raise PrevenanceError("E202", what, key=entry.key, fix=f"write {Entry(entry.view, own).line()} in the source's yaml")
    paths = sorted(path for path in root.glob(pattern) if path.is_file())
    if not paths:
        fix = f"put the file there, or set data=<folder that holds {pattern}>"
        raise entry.error("E401", f"no file at {root / pattern}", fix, key=entry.key)
    if stray := [path for path in paths if not path.resolve().is_relative_to(root.resolve())]:
        fix = "copy the file into the folder"
        raise PrevenanceError("E209", f"{stray[0]} is a link out of the data folder", key=entry.key, fix=fix)
    return paths


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


def engine_path(path: Path) -> str:
    """Return the path with the engine's wildcards taken literally."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))

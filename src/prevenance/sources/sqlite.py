"""Tables, views and queries of a SQLite file below the data folder: read only, streamed as text, in an order that never changes.

Nothing is written beside the file. One that keeps a write-ahead log is read from a private copy, because SQLite itself would make files there.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from prevenance.base.disk import writing
from prevenance.base.errors import PrevenanceError
from prevenance.sources.alphabets import workplace
from prevenance.sources.declared import Entry
from prevenance.sources.files import entry_files, sql_name
from prevenance.sources.stream import load_rows
from prevenance.sources.taken import Loaded

if TYPE_CHECKING:
    import pyarrow as pa

WAIT = 30.0
"""Seconds that a locked file is waited for."""

COPIES = 3
"""A file whose log is written back while it is copied is copied again, this often in all."""

Cells = tuple[Any, ...]


class Links(ExitStack):
    """The open files, closed together: all reads of one file are of one moment."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.open: dict[Path, sqlite3.Connection] = {}


def read_sqlite(con: duckdb.DuckDBPyConnection, links: Links, root: Path, entry: Entry) -> Loaded:
    """Load a table, view or query as ``raw.<view>``: all columns text (empty is null), ``_file`` file and table, ``_line`` the place in the order.

    The order is the primary key's, or that of all columns where there is none. Rows too long to hold are ``ragged``.

    Raises:
        PrevenanceError: E202 for a wrong entry, E401 for a file or table that is not there, E402 for a locked file, E303 for a broken one,
            E306 for a query that does not run.
    """
    path = _file(root, entry)
    name = f"{path.name}/{entry.given.get('table') or f'{entry.view} (query)'}"
    try:
        link = links.open.get(path) or _connected(links, path, entry)
        body, order = _body(link, entry)
        columns = [column[0] for column in link.execute(f"select * from {body} limit 0").description]
        # binary: a collation may call two texts equal, and their order would be chance
        sorted_by = ", ".join(f"{sql_name(column)} collate binary" for column in order or columns)
        rows = link.execute(f"select * from {body} order by {sorted_by}")
        return load_rows(con, entry, name, columns, rows, _size, _texts)
    except (sqlite3.Error, OSError) as problem:
        raise _refused(problem, entry, name) from problem


def _file(root: Path, entry: Entry) -> Path:
    if ("table" in entry.given) == ("query" in entry.given):
        what = f"{entry.key} names a SQLite file and not one table or query of it"
        fix = f"write {entry.key}: {{sqlite: {entry.given['sqlite']}, table: {entry.view}}} in the source's yaml"
        raise PrevenanceError("E202", what, key=entry.key, fix=fix)
    paths = entry_files(root, entry)
    if len(paths) > 1:
        fix = f"name one of them, such as {paths[0].relative_to(root)}"
        raise PrevenanceError("E202", f"{entry.given['sqlite']} is {len(paths)} files", key=entry.key, fix=fix)
    return paths[0]


def _connected(links: Links, path: Path, entry: Entry) -> sqlite3.Connection:
    with path.open("rb") as stream:
        head = stream.read(20)
    if not head.startswith(b"SQLite format 3\0"):
        what = "is no SQLite database" if head else "is empty (0 bytes)"
        raise entry.error("E303", f"{path.name} {what}", "export it again, or name the right file under sqlite")
    # bytes 18 and 19 say 2 where the file keeps a write-ahead log; opening that one read-only would fail or write beside it
    logged = head[18:20] == b"\2\2"
    place = _copied(path, links.enter_context(workplace()), entry) if logged else path
    uri = f"{place.absolute().as_uri()}?mode={'rw' if logged else 'ro'}"
    link = links.enter_context(closing(sqlite3.connect(uri, uri=True, timeout=WAIT, isolation_level=None)))
    # the transaction that begins here and never ends is what makes all reads of one moment
    for statement in ("pragma query_only=on", "pragma trusted_schema=off", "begin", "select 1 from sqlite_master"):
        link.execute(statement).fetchone()
    links.open[path] = link
    return link


def _copied(path: Path, folder: Path, entry: Entry) -> Path:
    """Copy a file and its write-ahead log as they were at one moment: a log may grow meanwhile, the file itself may not change."""
    log = path.with_name(path.name + "-wal")
    # a log that is written back while we copy changes the file under the copy
    for _ in range(COPIES):
        with writing(folder):
            before = path.stat()
            copy = Path(shutil.copyfile(path, folder / "copy.db"))
            (folder / "copy.db-wal").unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(log, folder / "copy.db-wal")
            after = path.stat()
        if (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino):
            return copy
    raise _busy(entry, path.name)


def _body(link: sqlite3.Connection, entry: Entry) -> tuple[str, list[str]]:
    """Return what is read, as SQL, and the columns of its primary key."""
    if "query" in entry.given:
        return f"({entry.query})", []
    name = str(entry.given["table"])
    known = [row[0] for row in link.execute("select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite_%'")]
    if name not in known:
        raise entry.no_table(name, known)
    key = link.execute("select name from pragma_table_info(?) where pk > 0 order by pk", [name]).fetchall()
    return sql_name(name), [row[0] for row in key]


def _size(row: Cells) -> int:
    return sum(len(cell) for cell in row if isinstance(cell, (str, bytes)))


def _texts(rows: list[Cells]) -> pa.Table:
    import pyarrow as pa

    columns = [pa.array([_text(cell) for cell in column], pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, names=[f"c{number}" for number in range(len(columns))])


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell or None
    # as PostgreSQL writes bytes, so that one select reads both
    return "\\x" + cell.hex() if isinstance(cell, bytes) else repr(cell)


def _busy(entry: Entry, name: str) -> PrevenanceError:
    what = f"{name} is locked or being written by another program (waited for up to {WAIT:.0f} s)"
    fix = "run again when that program is done, or read a copy: sqlite3 crm.db '.backup copy.db'"
    return entry.error("E402", what, fix, key=entry.key)


def _refused(problem: Exception, entry: Entry, name: str) -> PrevenanceError:
    """Return the error for what SQLite says; its own words are told only of a query, because they may hold a value."""
    kind, said = getattr(problem, "sqlite_errorcode", 0) & 0xFF, str(problem)
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _busy(entry, name)
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        fix = "open it once with the program that writes it, or read a copy made with its own backup"
        return entry.error("E402", f"{name} was left in the middle of a change and cannot be read as it is", fix)
    if found := re.match(r"Could not decode to UTF-8 column '([^']*)'", said):
        return entry.error("E303", f"{name} holds text that is not UTF-8", "write that column as UTF-8", column=found[1])
    if found := re.match(r"no such table: (\S+)", said):
        return entry.no_table(found[1], [])
    if kind == sqlite3.SQLITE_ERROR:
        return entry.error("E306", f"{name} does not run: {said[:200]}", f"correct {entry.key} in the source's yaml")
    fix = "export it again; it is cut off or damaged (sqlite3 crm.db 'pragma integrity_check')"
    return entry.error("E303", f"{name} cannot be read: {said[:100]}", fix)

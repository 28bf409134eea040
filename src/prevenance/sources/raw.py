"""One door to what a source's ``files`` name: files, tables of a server, tables of a SQLite file; and which bytes of them a run stands on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.consent import special
from prevenance.sources import files, postgres, reading, relations, sqlite
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import sql_name
from prevenance.sources.growth import Known
from prevenance.sources.taken import Loaded

if TYPE_CHECKING:
    import psycopg


TICK = 2.0
"""Seconds; no clock of a file system is coarser."""


@contextmanager
def raw_reader(con: duckdb.DuckDBPyConnection, source: Source, root: Path) -> Iterator[Reader]:
    """Give what loads ``files`` entries; all reads of one database are of one moment."""
    with postgres.open_snapshot(source) as link, sqlite.Links() as links:
        yield Reader(con, source, root, link, links)


@dataclass(frozen=True)
class Reader:
    """Loads a ``files`` entry as ``raw.<view>``, without what is ``known`` of it (by file or table).

    Columns whose names speak of a special category are dropped before anything else sees them.
    """

    con: duckdb.DuckDBPyConnection
    source: Source
    root: Path
    link: psycopg.Connection | None
    links: sqlite.Links

    def __call__(self, entry: Entry, known: Mapping[str, Known] | None = None) -> Loaded:
        """Load an entry."""
        if self.link and entry.is_table:
            loaded = postgres.read_table(self.con, self.link, entry, known)
        elif entry.is_sqlite:
            loaded = sqlite.read_sqlite(self.con, self.links, self.root, entry)
        else:
            folder = self.source.folders.get(entry.view, self.root)
            if folder != self.root and not any(folder.glob("*.csv")):
                fix = "run make record, with the same source= and out="
                raise entry.error("E401", f"nothing is recorded in {folder}", fix)
            loaded = reading.read_files(self.con, folder, entry, known)
        return _without_special(self.con, entry, self.source.permitted, loaded)

    def standing(self, entry: Entry, known: Mapping[str, Known]) -> tuple[dict[str, Known], bool]:
        """Return what a server holds of an entry now, and whether what is ``known`` of it is all as it was."""
        return relations.standing(self.link, entry, known) if self.link else ({}, False)


def _without_special(con: duckdb.DuckDBPyConnection, entry: Entry, permitted: tuple[str, ...], loaded: Loaded) -> Loaded:
    # before any select: what nobody may use must not even be joined on
    dropped = [name for name in loaded.columns if special.refused_category(name, permitted)]
    for name in dropped:
        con.execute(f"alter table raw.{sql_name(entry.view)} drop column {sql_name(name)}")
    if dropped:
        loaded.special = [f"{entry.view}: {', '.join(sorted(dropped))} not used, a special category of personal data (Art. 9 GDPR)"]
        loaded.columns = [name for name in loaded.columns if name not in dropped]
    return loaded


def deny_outside(con: duckdb.DuckDBPyConnection) -> None:
    """From here on no SQL reads or writes a file or reaches the network: a select sees the declared files and nothing else."""
    con.execute("set enable_external_access=false")


def view_digests(root: Path, source: Source, views: Collection[str] | None = None) -> dict[str, dict[str, str]]:
    """Return, for each view (of ``views``, where given) of files below ``root`` that are there, path below ``root`` -> SHA-256."""
    found: dict[str, dict[str, str]] = {}
    for view, entry in source.entries.items():
        if views is not None and view not in views:
            continue
        # a database is read as it was at one moment, and a record changes only by our own hand
        if entry.is_table or entry.is_sqlite or view in source.folders:
            continue
        with suppress(PrevenanceError):  # the reader refuses, or does without
            found[view] = {path.relative_to(root).as_posix(): file_digest(path) for path in files.entry_files(root, entry)}
    return found


def file_digests(root: Path, source: Source) -> dict[str, str]:
    """Return path below ``root`` -> SHA-256 of every file there that the source names; those that are not there are left out."""
    return {path: digest for found in view_digests(root, source).values() for path, digest in found.items()}


def check_unchanged(root: Path, source: Source, before: Mapping[str, str]) -> None:
    """Raise E310 if a file is not as it was ``before``: what was read may be half of one export and half of another."""
    now = file_digests(root, source)
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if changed:
        what = f"{changed[0]} changed during the run" + (f", and {len(changed) - 1} more" if changed[1:] else "")
        raise PrevenanceError("E310", what, fix="run again when the export is written; nothing was published", path=root / changed[0])


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or what kept it from being read. A file that has not been touched since it was asked for is not read again."""
    try:
        told = path.stat()
        stamp = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
        # within a tick of its last change a file can change again and look the same
        return _digest(path) if time.time() - max(told.st_mtime, told.st_ctime) < TICK else _digest_as_of(path, stamp)
    except OSError as problem:
        return type(problem).__name__


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=10_000)
def _digest_as_of(path: Path, stamp: tuple[int, ...]) -> str:
    return _digest(path)

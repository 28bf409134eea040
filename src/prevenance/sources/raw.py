"""One door to what a source's ``files`` name: files, tables of a server, tables of a SQLite file; and which bytes of them a run stands on."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.consent import special
from prevenance.sources import files, postgres, reading, sqlite
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import sql_name
from prevenance.sources.growth import Known
from prevenance.sources.taken import Loaded


@contextmanager
def raw_reader(
    con: duckdb.DuckDBPyConnection, source: Source, root: Path, known: Mapping[str, Mapping[str, Known]] | None = None
) -> Iterator[Callable[[Entry], Loaded]]:
    """Give a function that loads a ``files`` entry as ``raw.<view>``, without what is ``known`` (by view); all reads of one database are of one moment.

    Columns whose names speak of a special category are dropped before anything else sees them.
    """
    with postgres.open_snapshot(source) as link, sqlite.Links() as links:

        def read(entry: Entry) -> Loaded:
            if link and entry.is_table:
                loaded = postgres.read_table(con, link, entry)
            elif entry.is_sqlite:
                loaded = sqlite.read_sqlite(con, links, root, entry)
            else:
                folder = source.folders.get(entry.view, root)
                if folder != root and not any(folder.glob("*.csv")):
                    fix = "run make record, with the same source= and out="
                    raise entry.error("E401", f"nothing is recorded in {folder}", fix)
                loaded = reading.read_files(con, folder, entry, (known or {}).get(entry.view))
            return _without_special(con, entry, source.permitted, loaded)

        yield read


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
    """Return the SHA-256 of a file, or what kept it from being read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        return type(problem).__name__

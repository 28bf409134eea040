"""One door to what a source's ``files`` name: files, tables of a server, tables of a SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources import files, postgres, sqlite
from prevenance.sources.convert import Source


@contextmanager
def raw_reader(con: duckdb.DuckDBPyConnection, source: Source, root: Path) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Give a function that loads a ``files`` entry as ``raw.<view>`` (see ``files.read_files``); all reads of one database are of one moment."""
    with postgres.open_snapshot(source) as link, sqlite.open_links() as links:

        def read(view: str) -> dict[str, Any]:
            declared = source.files[view]
            if link and postgres.is_table_entry(declared):
                return postgres.read_table(con, link, view, declared)
            if sqlite.is_sqlite_entry(declared):
                return sqlite.read_sqlite(con, links, root, view, declared)
            folder = source.folders.get(view, root)
            if folder != root and not any(folder.glob("*.csv")):
                raise PrevenanceError(
                    "E401", f"nothing is recorded in {folder}", table=view, fix="run make record, with the same source= and out="
                )
            return files.read_files(con, folder, view, declared)

        yield read

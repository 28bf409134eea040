"""Rows of the engine as Parquet files below the output folder: whole or not at all, in as little room as their files."""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import duckdb

from prevenance.base import disk
from prevenance.sources.raw import file_digest
from prevenance.tables.canonical import Table

ROWS_AT_ONCE = 200_000
"""Rows that are written at once: what is kept never stands in memory a second time as a whole."""


def written_rows(con: duckdb.DuckDBPyConnection, table: str, path: Path, room: int) -> str:
    """Write a table of the engine as Parquet, whole or not at all, and return its SHA-256; an ``OSError`` where it takes more than ``room`` bytes."""
    import pyarrow.parquet as pq

    rows = con.sql(f"from {table}").to_arrow_reader(ROWS_AT_ONCE)
    # instants and lines grow from row to row: told by their differences they take half the room
    growing = [one.name for one in rows.schema if str(one.type) in ("timestamp[us]", "int64")]
    words = [one.name for one in rows.schema if one.name not in growing]
    unfinished = disk.beside(path)
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            encoding = dict.fromkeys(growing, "DELTA_BINARY_PACKED")
            with pq.ParquetWriter(file, rows.schema, compression="zstd", use_dictionary=words, column_encoding=encoding) as writer:
                for batch in rows:
                    writer.write_batch(batch)
                    if file.tell() > room:
                        raise OSError("a copy that takes more room than the files is none")
            file.flush()
            os.fsync(file.fileno())
        digest = file_digest(unfinished)
        os.replace(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return digest


def may_be_kept(table: Table, columns: Collection[str], *, whole: bool = True) -> bool:
    """Return whether a table has nothing that is personal beyond ids: names and texts stay in the files; see ``Table.seldom``."""
    seldom = () if whole else table.seldom
    return not any(column.personal and column.name in columns and column.name not in seldom for column in table.columns)

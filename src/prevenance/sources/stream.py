"""Rows of a database into the engine, a batch at a time: what every database source does alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import duckdb

from prevenance.sources.declared import Entry
from prevenance.sources.files import LONGEST_LINE, rename_columns, sql_name
from prevenance.sources.taken import Loaded

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 16_000_000
"""Bytes of rows that are handed to the engine at once."""

Row = TypeVar("Row")


def load_rows(
    con: duckdb.DuckDBPyConnection,
    entry: Entry,
    name: str,
    columns: list[str],
    rows: Iterable[Row],
    size: Callable[[Row], int],
    texts: Callable[[list[Row]], pa.Table],
) -> Loaded:
    """Make ``raw.<view>`` of text ``columns`` with ``_file`` (``name``) and ``_line`` (the place of the row, from 1).

    ``texts`` turns rows into a table of text columns c0, c1, ... Rows too long to hold are ``ragged``.
    """
    spec = ", ".join(f"{sql_name(column)} varchar" for column in columns)
    con.execute(f"create or replace table raw.{sql_name(entry.view)} ({spec}, _file varchar, _line bigint)")
    ragged: list[tuple[str, int]] = []
    kept: list[Row] = []
    lines: list[int] = []
    held = 0
    for line, row in enumerate(rows, 1):
        if (length := size(row)) > LONGEST_LINE:
            ragged.append((name, line))
            continue
        kept.append(row)
        lines.append(line)
        held += length
        if held >= BATCH:
            _insert(con, entry, name, texts(kept), lines)
            kept, lines, held = [], [], 0
    if kept:
        _insert(con, entry, name, texts(kept), lines)
    return Loaded(rename_columns(con, entry), ragged)


def _insert(con: duckdb.DuckDBPyConnection, entry: Entry, name: str, batch: pa.Table, lines: list[int]) -> None:
    import pyarrow as pa

    places = ", ".join(batch.column_names)
    # order by _line: the engine may insert a batch on several threads
    con.register("batch", batch.append_column("_line", pa.array(lines, pa.int64())))
    con.execute(f"insert into raw.{sql_name(entry.view)} select {places}, ?, _line from batch order by _line", [name])
    con.unregister("batch")

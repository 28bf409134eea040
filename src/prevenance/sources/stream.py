"""Rows of a database into the engine, a batch at a time: what every database source does alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import duckdb

from prevenance.sources.declared import Entry
from prevenance.sources.files import LONGEST_LINE, free_name, rename_columns, sql_name
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
    above: int = 0,
) -> Loaded:
    """Make ``raw.<view>`` of text ``columns`` with ``_file`` (``name``) and ``_line`` (the place of the row, from 1, below ``above`` others).

    ``texts`` turns rows into a table of text columns c0, c1, ... Rows too long to hold are ``ragged``.
    """
    spec = ", ".join(f"{sql_name(free_name(column))} varchar" for column in columns)
    con.execute(f"create or replace table raw.{sql_name(entry.view)} ({spec}, _file varchar, _line bigint)")
    ragged: list[tuple[str, int]] = []
    kept: list[Row] = []
    lines: list[int] = []
    held = total = 0
    for line, row in enumerate(rows, above + 1):
        length = size(row)
        total += length
        if length > LONGEST_LINE:
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
    return Loaded(rename_columns(con, entry), ragged, size=total)


def insert_texts(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[str],
    file: str,
    rows: Iterable[tuple[int, list[str | None]]],
    ragged: list[tuple[str, int]],
) -> None:
    """Make ``table`` of text ``columns`` with ``_file`` and ``_line``, a batch at a time; rows too long to hold are put into ``ragged``."""
    import pyarrow as pa

    spec = ", ".join(f"{sql_name(column)} varchar" for column in columns)
    con.execute(f"create or replace table {table} ({spec}, _file varchar, _line bigint)")
    kept: list[list[str | None]] = []
    lines: list[int] = []
    held = 0

    def insert() -> None:
        texts = [pa.array([row[place] for row in kept], pa.string()) for place in range(len(columns))]
        con.register("batch", pa.table([*texts, pa.array(lines, pa.int64())], names=[*(f"c{n}" for n in range(len(columns))), "_line"]))
        places = ", ".join(f"c{n}" for n in range(len(columns)))
        con.execute(f"insert into {table} select {places}, ?, _line from batch order by _line", [file])
        con.unregister("batch")

    for line, row in rows:
        if (length := sum(map(len, filter(None, row)))) > LONGEST_LINE:
            ragged.append((file, line))
            continue
        kept.append(row)
        lines.append(line)
        held += length + 8 * len(row)
        if held >= BATCH:
            insert()
            kept, lines, held = [], [], 0
    if kept:
        insert()


def _insert(con: duckdb.DuckDBPyConnection, entry: Entry, name: str, batch: pa.Table, lines: list[int]) -> None:
    import pyarrow as pa

    places = ", ".join(batch.column_names)
    # order by _line: the engine may insert a batch on several threads
    con.register("batch", batch.append_column("_line", pa.array(lines, pa.int64())))
    con.execute(f"insert into raw.{sql_name(entry.view)} select {places}, ?, _line from batch order by _line", [name])
    con.unregister("batch")

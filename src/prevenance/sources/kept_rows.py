"""Rows of the engine as files below the output folder: whole or not at all, in as little room as their files.

A table of many rows is a file of the engine's own, packed as it packs tables: it is attached and not read again. Of others Parquet takes less room.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import duckdb

from prevenance.base import disk
from prevenance.sources.files import engine_path, kept_name, new_engine, sql_text, stored_rows
from prevenance.sources.raw import file_digest
from prevenance.tables.canonical import Table

ROWS_AT_ONCE = 200_000
"""Rows that are written at once: what is kept never stands in memory a second time as a whole."""

PACKED = 1_000_000
"""Rows from which a table is kept as a file of the engine's own, which takes half as much room again as Parquet."""


PACKED_ENDING = ".canonical.duckdb"


def table_parts(path: Path) -> set[Path]:
    """Return the files that a table's rows, and those set apart, may be in; ``path`` is that of its record."""
    return {path.with_name(path.name + ending) for ending in (".canonical.parquet", PACKED_ENDING, ".quarantine.parquet")}


def keep_table(con: duckdb.DuckDBPyConnection, name: str, path: Path, room: Callable[[Path], int]) -> dict[str, str]:
    """Write the rows of a table and those set apart beside ``path``, and return what each file's name ends with and its SHA-256."""
    packed = con.execute(f"select count(*) >= {PACKED} from canonical.{name}").fetchall()[0][0]
    kept = {}
    for schema, ending in (("canonical", PACKED_ENDING if packed else ".canonical.parquet"), ("quarantine", ".quarantine.parquet")):
        write, part = packed_rows if ending == PACKED_ENDING else written_rows, path.with_name(path.name + ending)
        kept[ending] = write(con, f"{schema}.{name}", part, room(part))
    return kept


def hold_table(con: duckdb.DuckDBPyConnection, name: str, path: Path, kept: Mapping[str, str]) -> bool:
    """Put a table that is kept into the engine, and return whether all of it is what was written."""
    try:
        for ending, digest in kept.items():
            part = path.with_name(path.name + ending)
            if ending == PACKED_ENDING:
                if not _hold_packed(con, name, part, digest):
                    return False
            elif file_digest(part) == digest:
                table = f"{ending.split('.')[1]}.{name}"
                con.execute(f"create or replace table {table} as from read_parquet({sql_text(engine_path(part))})")
            else:
                return False
    except (duckdb.Error, OSError):  # removed by another run at this very instant
        return False
    return True


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


def packed_rows(con: duckdb.DuckDBPyConnection, table: str, path: Path, room: int) -> str:
    """Write a table of the engine as a file of its own, as ``written_rows`` does."""
    import pyarrow as pa

    unfinished = disk.beside(path)

    def fitting() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            yield batch
            if unfinished.stat().st_size > room:
                raise OSError("a copy that takes more room than the files is none")

    rows = con.sql(f"from {table}").to_arrow_reader(ROWS_AT_ONCE)
    try:
        with new_engine("1GB") as own:
            own.execute(f"attach {sql_text(str(unfinished))} as kept")
            unfinished.chmod(0o600)
            own.register("frame", pa.RecordBatchReader.from_batches(rows.schema, fitting()))
            own.execute("create table kept.rows as from frame")
            own.execute("detach kept")
        if unfinished.stat().st_size > room:
            raise OSError("a copy that takes more room than the files is none")
        digest = file_digest(unfinished)
        os.replace(unfinished, path)
    finally:
        for one in (unfinished, unfinished.with_name(f"{unfinished.name}.wal")):
            with suppress(OSError):
                one.unlink()
    return digest


def _hold_packed(con: duckdb.DuckDBPyConnection, name: str, path: Path, digest: str) -> bool:
    """Show the rows of a packed file as ``canonical.<name>``, and return whether it is what was written.

    What is attached is a copy without a name: rows can be removed from it, and it goes with this process.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(path, copy := Path(folder) / "rows")
        if file_digest(copy) != digest:
            return False
        con.execute(
            f"attach {sql_text(str(copy))} as {kept_name(name)} (recovery_mode no_wal_writes); pragma disable_checkpoint_on_shutdown"
        )
    con.execute(f"create or replace view canonical.{name} as from {kept_name(name)}.rows")
    return True


def let_go(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Forget a packed file whose rows are not used."""
    if stored_rows(con, name) != f"canonical.{name}":
        con.execute(f"drop view if exists canonical.{name}; detach {kept_name(name)}")


def may_be_kept(table: Table, columns: Collection[str], *, whole: bool = True) -> bool:
    """Return whether a table has nothing that is personal beyond ids: names and texts stay in the files; see ``Table.seldom``."""
    seldom = () if whole else table.seldom
    return not any(column.personal and column.name in columns and column.name not in seldom for column in table.columns)

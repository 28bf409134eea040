"""A frame as the bytes of a file: CSV for a spreadsheet, JSON for a program, Parquet for the next analysis.

The same frame gives the same bytes, whatever the clock, locale, hash seed or number of threads. An empty frame keeps its columns.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from prevenance.base.days import local_time

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")
"""What a spreadsheet takes for the beginning of a formula (the wide forms too)."""

GROUP = 65_536
"""Rows of a group in a Parquet file."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as UTF-8 CSV (RFC 4180, CRLF) that is safe to open in a spreadsheet.

    Text that begins like a formula gets a leading apostrophe; control characters are removed. Numbers are the shortest that read back
    equal, instants are ISO 8601 in UTC, what is missing is empty.
    """
    content = io.BytesIO()
    with io.TextIOWrapper(content, encoding="utf-8", errors="replace", newline="") as written:
        # RFC 4180 wants CRLF, and a spreadsheet on Windows shows one line without it
        writer = csv.writer(written, lineterminator="\r\n")
        writer.writerow([neutral_text(str(name)) for name in frame.columns])
        for part in _slices(frame):
            writer.writerows(zip(*(_texts(part[name]) for name in part.columns), strict=True))
        written.flush()
        return content.getvalue()


def _slices(frame: pd.DataFrame) -> Iterable[pd.DataFrame]:
    """Return the rows in parts: a cell as an object of its own is dear."""
    return (frame.iloc[first : first + GROUP] for first in range(0, len(frame), GROUP))


def neutral_text(text: str) -> str:
    """Return ``text`` without control characters and, if it begins like a formula, with a leading apostrophe.

    >>> neutral_text("=1+1"), neutral_text("Halden Foods")
    ("'=1+1", 'Halden Foods')
    """
    # control characters go first: one of them before "=" would hide a formula from the test and not from the spreadsheet
    clean = _CONTROL.sub("", text)
    return "'" + clean if clean.startswith(FORMULA_STARTS) else clean


def _texts(column: pd.Series) -> list[str]:
    """Return the cells of a column as they stand in a CSV file."""
    # a number may begin with a minus and is no formula: an apostrophe would make text of it
    safe = is_numeric_dtype(column) or is_datetime64_any_dtype(column)

    def worded(cell: object) -> str:
        value = json_value(cell)
        text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)
        return "" if value is None else text if safe else neutral_text(text)

    return _each_once(column, worded)


def _each_once(column: pd.Series, told: Callable[[object], str]) -> list[str]:
    """Return what each cell is ``told`` as; one that comes again is not asked again."""
    if column.dtype == object:  # there 1, 1.0 and True are equal
        return [told(cell) for cell in column.tolist()]
    codes, cells = pd.factorize(column)
    # the last stands for what is missing
    return np.array([*map(told, cells.tolist()), told(None)], dtype=object)[codes].tolist()


def json_bytes(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as a UTF-8 JSON array: one object per row and line, keys in column order, text as it is, missing is null."""

    def rows() -> Iterable[str]:
        for part in _slices(frame):
            columns = [[f"{_json(str(name))}: {text}" for text in _each_once(part[name], _json)] for name in part.columns]
            for row in zip(*columns, strict=True):
                yield f"{{{', '.join(row)}}}"

    return json_lines_bytes(rows())


def _json(value: object) -> str:
    # a text and a number by themselves are most cells; an encoder made anew for each would cost more than the cell
    plain = json_value(value)
    return repr(plain) if type(plain) is float or type(plain) is int else _ENCODER.encode(plain)


def json_lines_bytes(rows: Iterable[str]) -> bytes:
    """Return the JSON texts of rows as an array with a row on each line."""
    content = io.BytesIO()
    for row in rows:
        content.write(b",\n" if content.tell() else b"[\n")
        content.write(row.encode(errors="replace"))
    content.write(b"\n]\n" if content.tell() else b"[]\n")
    return content.getvalue()


def canonical_json(value: object) -> bytes:
    """Return any report or manifest as UTF-8 JSON: keys sorted, numbers that are no numbers as null, instants as ISO 8601 in UTC."""
    text = json.dumps(json_value(value), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    return (text + "\n").encode("utf-8", errors="replace")


def json_value(value: object) -> object:
    """Return ``value`` in the types of JSON; nan, infinities, NaT and NA become None, -0.0 becomes 0.0."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:  # most cells of a page, told apart without asking what is a mapping
        return value
    if kind is float:
        return value + 0.0 if math.isfinite(value) else None  # type: ignore[operator, arg-type]
    if isinstance(value, Mapping):
        return {str(key): json_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        # the order of a set depends on the hash seed, and equal runs give equal bytes
        return [json_value(each) for each in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, np.ndarray):
        return json_value(value.tolist())
    if isinstance(value, np.generic):
        return json_value(value.item())
    if isinstance(value, float):
        # -0.0 and 0.0 are equal and spelt in two ways
        return value + 0.0 if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value if isinstance(value, (bool, int, str)) else str(value)


def instant_text(moment: datetime) -> str:
    """Return a naive UTC instant as ISO 8601 with its zone: ``2026-10-01T00:00:00Z``, with microseconds only if there are any."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def instant_stamp(moment: datetime) -> str:
    """Return an instant (naive UTC) as it stands in the name of a file or folder.

    >>> instant_stamp(datetime(2026, 10, 1))
    '2026-10-01T000000Z'
    """
    return f"{moment:%Y-%m-%dT%H%M%S}Z"


def date_text(moment: datetime, zone: str) -> str:
    """Return the moment as a date where it is midnight in a time zone, else as an instant in UTC."""
    local = local_time(moment, zone)
    return f"{local:%Y-%m-%d}" if local.time() == time() else instant_stamp(moment)


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as Parquet (zstd) without an index and without anything but its columns: no library versions of pandas, no clock."""
    return parquet_parts([frame])


def parquet_parts(frames: Iterable[pd.DataFrame]) -> bytes:
    """Return ``parquet_bytes`` of one or more frames below each other; no more than one of them and a group of rows is held beside the bytes."""
    write_parquet(frames, written := io.BytesIO())
    return written.getvalue()


def write_parquet(frames: Iterable[pd.DataFrame], into: IO[bytes]) -> None:
    """Write what ``parquet_parts`` returns."""
    import pyarrow as pa

    def tables() -> Iterable[pa.Table]:
        for frame in frames:
            yield pa.Table.from_arrays([_array(frame[name]) for name in frame.columns], names=[str(name) for name in frame.columns])

    _write_tables(tables(), into)


def table_bytes(table: pa.Table) -> bytes:
    """Return an Arrow table as Parquet: equal rows are equal bytes."""
    _write_tables([table], written := io.BytesIO())
    return written.getvalue()


def _write_tables(tables: Iterable[pa.Table], written: IO[bytes]) -> None:
    """Write one or more tables of the same columns as Parquet, in groups of ``GROUP`` rows whatever the parts in which they come."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer, waiting, groups = None, None, 0
    for table in tables:
        waiting = table if waiting is None else pa.concat_tables([waiting, table])
        if writer is None:
            # the schema that pandas would store names its version, so another version would be other bytes
            writer = pq.ParquetWriter(
                written, table.schema, compression="zstd", compression_level=3, version="2.6", store_schema=False, data_page_version="1.0"
            )
        whole = len(waiting) // GROUP * GROUP
        for first in range(0, whole, GROUP):
            writer.write_table(waiting.slice(first, GROUP).combine_chunks(), row_group_size=GROUP)
        groups, waiting = groups + whole // GROUP, waiting.slice(whole)
    if writer is None or waiting is None:
        raise ValueError("no table to write")
    if len(waiting) or not groups:
        writer.write_table(waiting.combine_chunks(), row_group_size=GROUP)
    writer.close()


def _array(column: pd.Series) -> object:
    import pyarrow as pa

    if is_datetime64_any_dtype(column):
        return pa.array(column.dt.as_unit("us"), from_pandas=True)
    if is_numeric_dtype(column):
        return pa.array(column, from_pandas=True)
    # every column of text is written as text, also an empty one that Arrow would call null
    texts = column.astype("object")
    return pa.array(texts.where(texts.notna(), None).tolist(), type=pa.string())

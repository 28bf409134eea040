"""Sheets of an Excel workbook into the engine, a row at a time: cells as text that says what they hold, dates as dates."""

import re
import zipfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.archives import check_infos
from prevenance.sources.declared import Entry
from prevenance.sources.header import column_heads, title_error
from prevenance.sources.kinds import damaged_error
from prevenance.sources.stream import insert_texts

Row = tuple[int, list[str | None]]
"""A row of a sheet: its number, and its cells as text."""

WITHOUT_VALUE = re.compile(rb'<c(?![^>]*t="str")[^>]*>\s*<f[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>')
"""A formula in a sheet whose value nobody has worked out yet."""

LOOKED_AT = 4_000_000
"""Bytes of a sheet that are looked at for formulas without a value."""


def read_sheet(con: duckdb.DuckDBPyConnection, path: Path, name: str, entry: Entry, part: str) -> tuple[list[tuple[str, int]], set[str]]:
    """Load a sheet as table ``part``: text columns, ``_file`` and ``_line``, the row of the sheet; return ragged rows and names that stand twice.

    Cells are what they hold, not what they show: dates in ISO, a date alone where its format shows no hour; formulas as last worked out.

    Raises:
        PrevenanceError: E303 for a workbook that cannot be trusted or read, has several sheets, or not the one declared.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_infos(name, path.stat().st_size, archive.infolist(), entry)
        return _read(con, path, name, entry, part)
    except PrevenanceError:
        raise
    except duckdb.Error:
        raise
    except Exception as problem:  # what a damaged part of a workbook raises is anything: ParseError, KeyError, IndexError, ValueError
        raise damaged_error(name, entry) from problem


def _read(con: duckdb.DuckDBPyConnection, path: Path, name: str, entry: Entry, part: str) -> tuple[list[tuple[str, int]], set[str]]:
    import openpyxl

    # opened here: the library judges a path by its name
    with path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)) as book:
        sheet = _sheet(book, name, entry)
        _refuse_unworked(path, sheet, name, entry)
        place = f"{name}/{sheet.title}" if "sheet" in entry.given else name
        with closing(_rows(sheet, entry.skip)) as rows:
            line, head = next(rows, (1, []))
            if not head:
                what = f"the sheet {sheet.title} of {name} is empty"
                raise entry.error("E303", what, "export the table again; a table without rows has a header")
            first = next(rows, None)
            if len(head) == 1 and first and len(first[1]) > 1:
                raise title_error(f"{place}:{line}", first[0] - 1, entry)
            names, twice = column_heads([cell or "" for cell in head])
            ragged: list[tuple[str, int]] = []
            fitting = _fitting(chain([first] if first else [], rows), len(head), place, ragged)
            insert_texts(con, part, names, place, fitting, ragged)
            return ragged, twice


def _fitting(rows: Iterable[Row], width: int, place: str, ragged: list[tuple[str, int]]) -> Iterator[Row]:
    """Give the rows that are no wider than the header; where others stand is put into ``ragged``."""
    for line, cells in rows:
        if len(cells) > width:
            ragged.append((place, line))
        else:
            yield line, cells + [None] * (width - len(cells))


def _sheet(book: Any, name: str, entry: Entry) -> Any:
    sheets = {one.title: one for one in book.worksheets}
    if wanted := str(entry.given.get("sheet") or ""):
        if wanted not in sheets:
            what = f'{name} has no sheet "{wanted}"; it has {", ".join(sheets)}'
            raise entry.error(
                "E303", what, f"write {entry.line(sheet=next(iter(sheets), ''))} in the source's yaml, or another of its sheets"
            )
        return sheets[wanted]
    filled = []
    for title, one in sheets.items():
        with closing(_rows(one, 0)) as rows:
            if one.sheet_state == "visible" and next(rows, None):
                filled.append(title)
    if len(filled) > 1:
        what = f"{name} has several sheets: {', '.join(filled)}"
        raise entry.error("E303", what, f"write {entry.line(sheet=filled[0])} in the source's yaml, or another of its sheets")
    if not filled:
        raise entry.error("E303", f"{name} has no sheet with a row", "export the table again; a table without rows has a header")
    return sheets[filled[0]]


def _refuse_unworked(path: Path, sheet: Any, name: str, entry: Entry) -> None:
    """Raise E303 where a formula has no value: a program wrote the workbook, and no spreadsheet has opened it since."""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as stream:
        start = stream.read(LOOKED_AT)
    if WITHOUT_VALUE.search(start):
        what = f"the sheet {sheet.title} of {name} holds formulas that nobody has worked out"
        raise entry.error("E303", what, "open it in a spreadsheet and save it, or save it as CSV UTF-8 and name that file under files")


def _rows(sheet: Any, skip: int) -> Generator[Row, None, None]:
    """Give the rows that hold something from row ``skip + 1`` on, with their number; empty cells at the end of a row are left out."""
    sheet.reset_dimensions()  # some programs write a wrong one
    with closing(sheet.iter_rows(min_row=skip + 1)) as rows:
        for cells in rows:
            texts = [_text(cell) for cell in cells]
            while texts and texts[-1] is None:
                texts.pop()
            if texts:
                yield next(cell.row for cell in cells if cell.value is not None), texts


def _text(cell: Any) -> str | None:
    value = cell.value
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # a cell of numbers keeps 15 digits: what is larger was rounded, and is to look so
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        bare = value.time() == time() and not re.search("[hHsS]", re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", cell.number_format))
        return value.date().isoformat() if bare else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return str(value)

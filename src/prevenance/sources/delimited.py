"""CSV files into the engine, as they stand: a separator that was not declared is refused with the line to declare it, rows that do not fit the
header are kept aside with their line.
"""

import csv
import re
from pathlib import Path

import duckdb

from prevenance.sources.alphabets import is_packed
from prevenance.sources.declared import Entry
from prevenance.sources.files import LONGEST_LINE, engine_path, sql_name, sql_text
from prevenance.sources.header import Head, bad_utf8_error, first_other_end, mixed_ends_error
from prevenance.sources.no_rows import TOTAL

Place = tuple[str, int]
"""Where a row stands: file and line."""


def read_csv(
    con: duckdb.DuckDBPyConnection, path: Path, readable: Path, name: str, entry: Entry, part: str, head: Head
) -> tuple[list[Place], list[Place]]:
    """Load one CSV file (its text in UTF-8 is ``readable``) and return where its ragged rows are, and lines of words below the table."""
    spec = "{" + ", ".join(f"{sql_text(name)}: 'VARCHAR'" for name in head.names) + "}"
    # the engine keeps the rejects of the file before
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    names = ", ".join(sql_name(name) for name in head.names)
    packed = "gzip" if is_packed(readable) else "none"
    con.execute(
        f"create or replace table {part} as select {names}, {sql_text(name)} as _file, row_number() over () + {head.before + head.lines} as _line "
        f"from read_csv({sql_text(engine_path(readable))}, columns={spec}, auto_detect=false, compression='{packed}', header=true, skip={head.before}, "
        f"delim={sql_text(head.separator)}, quote='\"', "
        f"escape='\"', strict_mode=true, null_padding=false, store_rejects=true, rejects_limit=100000, ignore_errors=true, max_line_size={LONGEST_LINE})"
    )
    rejects = con.execute("select line, error_type, any_value(csv_line) from reject_errors group by all order by line").fetchall()
    if broken := [line for line, kind, _ in rejects if kind == "UNQUOTED VALUE"]:
        # two kinds of line ends look to the engine like a quote that never closes
        if first_other_end(path) == broken[0]:
            raise mixed_ends_error(path, entry, broken[0])
        fix = "correct the export: close or double the quote"
        raise entry.error("E303", "a quote is opened and never closed", fix, first=f"{path.name}:{broken[0]}")
    if any(kind in ("INVALID ENCODING", "INVALID UNICODE") for _, kind, _ in rejects):
        raise bad_utf8_error(path, entry)
    texts = {int(line): text for line, _, text in rejects}
    places = dict(zip(sorted(texts), _set_lines(con, part, head, sorted(texts)), strict=True))
    [(last,)] = con.execute(f"select coalesce(max(_line), 0) from {part}").fetchall()
    below = {place for line, place in places.items() if place > last and _is_words(texts[line], head.separator)}
    # the last line of a file that was cut off looks like words, too
    if below == {max(places.values(), default=0)} and not _ends_whole(readable):
        below = set()
    return [(name, one) for one in places.values() if one not in below], [(name, one) for one in sorted(below)]


def _is_words(line: str | None, separator: str) -> bool:
    """Return whether a line has one filled cell, as words have, or tells a total; a row has more cells."""
    try:
        cells = next(csv.reader([re.sub(r"[\r\n]+", " ", line or "").strip(" ")[:100_000]], delimiter=separator), [])
    except csv.Error:
        return False
    return len([one for one in cells if one.strip()]) <= 1 or bool(re.fullmatch(TOTAL, cells[0]))


def _ends_whole(path: Path) -> bool:
    if is_packed(path):
        return True
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in (b"\n", b"\r")


def _set_lines(con: duckdb.DuckDBPyConnection, part: str, head: Head, rejected: list[int]) -> list[int]:
    """Make line numbers (the header begins in line 1, quoted newlines count) of numbers of records below the head; return those of ``rejected``."""
    # a rejected one is counted from the header on
    rejected = [line - 1 + head.lines for line in rejected]
    for line in rejected:
        # records kept after a rejected one move down by one
        con.execute(f"update {part} set _line = _line + 1 where _line >= {line}")
    cells = f"concat_ws('', {', '.join(map(sql_name, head.names))})"
    newlines = f"(length({cells}) - length(replace({cells}, chr(10), '')))"
    # most files have no quoted newline and are spared the window over all rows
    some = " or ".join(f"contains({sql_name(name)}, chr(10))" for name in head.names)
    if con.execute(f"select exists(select 1 from {part} where {some})").fetchall()[0][0]:
        before = f"select coalesce(sum({newlines}), 0) from {part} where _line < "
        rejected = [line + int(con.execute(before + str(line)).fetchall()[0][0]) for line in rejected]
        con.execute(
            f"update {part} set _line = n.line from (select _line, _line + coalesce(sum({newlines}) over (order by _line rows between "
            f"unbounded preceding and 1 preceding), 0) as line from {part}) n where n._line = {part}._line"
        )
    return rejected

"""Rows of a file that a select leaves out, counted by file, told, and refused where too few are left; and columns that no select reads.

A file's rows have reached a table when a row of the select's result carries their ``_file`` and ``_line``. Every select and file is counted,
whether it loses rows or not.
"""

import re
from collections.abc import Mapping

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import PLACE, Source
from prevenance.sources.files import column_names, sql_name
from prevenance.sources.steady import gathers_rows
from prevenance.sources.taken import FileRows, Policy
from prevenance.tables.canonical import Table

UNEQUAL = r"""("[^"]+"|\b\w+)\s*(<>|!=|\bnot\s+(?:i?like|in)\b)\s*(?!'')('(?:[^']|'')*'|\([^()]*\))"""
"""A column that a select asks not to be some text: a blank cell is null, and null is never unequal. Groups: column, sign, text."""

PRINT = "count(*), coalesce(sum(hash(_line::bigint)), 0)"
"""Two sets of lines with the same print are the same: most selects keep each row once, and are spared the count of distinct lines."""

MOST_NAMED = 20
"""Columns that a message names at most."""


EVERYTHING = r"(?<!\()(?:\bselect\s+(?:distinct\s+)?|,\s*|\.)\*|\bcolumns\s*\("
"""A select that takes whatever columns there are: which of them it does without cannot be told from its words."""


def rows_left_out(
    con: duckdb.DuckDBPyConnection, source: Source, table: Table, columns: list[str], policy: Policy
) -> tuple[dict[str, FileRows], int, list[str]]:
    """Return what became of the rows of each file that the table's select reads, how many are lost, and a sentence for each entry that loses some.

    Raises:
        PrevenanceError: E306 when none of a file's rows is kept, or a smaller share than ``policy.least_kept``; a table that is not
            required may do without.
    """
    reached = _prints(con, "judged") if {"_file", "_line"} <= set(columns) else {}
    anything, gone, told = con.execute("select exists(from judged)").fetchall()[0][0], 0, []
    held: dict[str, FileRows] = {}
    for view in source.views_read(table.name):
        files = _prints(con, f"raw.{sql_name(view)}")
        rows = sum(count for count, _ in files.values())
        # a file of which no row arrives beside others of which some do is only looked up in, or the select loses where its rows stand
        if anything and not files.keys() & reached.keys():
            held |= {_place(held, view, file): FileRows(count) for file, (count, _) in files.items()}
            continue
        arrived = {
            file: 0 if file not in reached else one[0] if reached[file] == one else _distinct(con, file) for file, one in files.items()
        }
        held |= {_place(held, view, file): FileRows(count, arrived[file], count - arrived[file]) for file, (count, _) in files.items()}
        if (kept := sum(arrived.values())) == rows:
            continue
        few = not kept or kept / rows < policy.least_kept
        said, fix = _blank_hint(con, source, table, view, few=few) or ("", "")
        # one row a customer of all their purchases, the newest row of each id: no row of the file is lost by it
        if not few and not fix and gathers_rows(con, source.selects[table.name]):
            continue
        what = f"keeps {kept:,} of the {rows:,} rows of {view}{said}"
        if policy.required is not False and few:
            fix = f"{fix or f'correct {table.name}.sql'}, or set tables.{table.name}.required=false for a list without it"
            where = {"table": table.name, "rows": rows - kept, "first": f"{source.entries[view].pattern}:2"}
            raise PrevenanceError("E306", f"{table.name}.sql {what}", fix=fix, **where)
        gone += rows - kept
        told.append(f"{table.name}: the select {what}" + (f"; {fix}" if fix else ""))
    return held, gone, told


def _place(held: Mapping[str, FileRows], view: str, file: str) -> str:
    return f"{view}: {file}" if file in held else file


def _prints(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, tuple[int, int]]:
    rows = con.execute(f"select _file, {PRINT} from {relation} where _file is not null and _line is not null group by 1").fetchall()
    return {file: (count, lines) for file, count, lines in rows}


def _distinct(con: duckdb.DuckDBPyConnection, file: str) -> int:
    return int(con.execute("select count(distinct _line) from judged where _file = ?", [file]).fetchall()[0][0])


def _blank_hint(con: duckdb.DuckDBPyConnection, source: Source, table: Table, view: str, *, few: bool) -> tuple[str, str] | None:
    """Return what is said of the first column that the select asks not to be a text and that has blank cells, and the line to write.

    With ``few`` rows kept, any column with blank cells that a condition of the select names.
    """
    select = re.sub(r"--[^\n]*", "", source.selects[table.name])
    held = {name.lower(): name for name in column_names(con, f"raw.{sql_name(view)}")}
    for name, sign, text in re.findall(UNEQUAL, select, re.IGNORECASE):
        if (column := held.get(name.strip('"').lower())) and (blanks := _blanks(con, view, column)):
            said = f"; {column} is blank in {blanks:,} of them, and a blank is neither equal to a text nor unequal"
            return said, f"write coalesce({name}, '') {' '.join(sign.split())} {text} in {table.name}.sql"
    condition = re.split(r"\bwhere\b", select, maxsplit=1, flags=re.IGNORECASE)[1:] if few else []
    for name in re.findall(r"\"[^\"]+\"|\b[^\W\d]\w*\b(?!\s*\()", re.sub(r"'(?:[^']|'')*'", "", "".join(condition))):
        if (column := held.get(name.strip('"').lower())) and (blanks := _blanks(con, view, column)):
            said = f"; {column} is blank in {blanks:,} of them: a blank is null, and no comparison with it is true"
            return said, f"write coalesce({name}, '') for {name} in the condition of {table.name}.sql"
    return None


def _blanks(con: duckdb.DuckDBPyConnection, view: str, column: str) -> int:
    return int(con.execute(f"select count(*) from raw.{sql_name(view)} where {sql_name(column)} is null").fetchall()[0][0])


def unread_columns(source: Source, columns: dict[str, list[str]]) -> list[str]:
    """Return a message on the columns of each ``files`` entry that no select names; there may be new ones among them."""
    found = {}
    for view, names in columns.items():
        text = " ".join(source.select_words(table) for table in source.selects if view in source.views_read(table)).lower()
        left = [] if re.search(EVERYTHING, text) else names
        text = text.replace('""', '"')
        found[view] = sorted(name for name in left if name not in PLACE and not re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", text))
    told = [f"{view} ({_named(names)})" for view, names in found.items() if names]
    count = sum(map(len, found.values()))
    return [f"{count} column{'' if count == 1 else 's'} that no select reads: {'; '.join(told)}"] if told else []


def _named(names: list[str]) -> str:
    """Return names as they are told: the first of many, each on one short line."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(" ".join(name.split())[:60] for name in names[:MOST_NAMED]) + more

"""What the values of a column are: dates and how they are written, numbers, money, yes or no; from a bounded sample of its rows."""

import re
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from prevenance.sources.dates import ISO, NUMBERED, known_formats
from prevenance.sources.declared import PLACE
from prevenance.sources.files import column_names, sql_name, sql_text
from prevenance.sources.guess.found import BLANK, DATE, FLAG, MONEY, NUMBER, TEXT, Column
from prevenance.sources.instants import PLAIN, SPELT, WITHOFFSET
from prevenance.tables.canonical import NOTHING_WORDS

SAMPLED, KEPT, MOST = 20_000, 400, 0.95
"""Rows that are looked at, different values of a column that are, and the share of them that has to be of one kind."""

DAY_FIRST = tuple(f"%d{sign}%m{sign}%Y{clock}" for sign in "./-" for clock in ("", " %H:%M", " %H:%M:%S"))
MONTH_FIRST = tuple(one.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m") for one in DAY_FIRST if not one.startswith("%d."))
YES_NO = {"yes", "no", "y", "n", "true", "false", "ja", "nein", "oui", "non", "si", "sí", "vrai", "faux", "wahr", "falsch", "verdadero", "falso"}  # fmt: skip

ZONED = r" ?(CEST|CET|MESZ|MEZ)"
"""Names of the two clocks of central Europe behind an instant."""

DIGITS = r"[+-]?\d+(\.\d+)?"
COMMA = r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?"
SIGNS = r"(?:[€$£]|EUR|USD|GBP|CHF)"
AMOUNT = rf"\s*{SIGNS}?\s*[+-]?\s*{SIGNS}?\s*\d[\d.,'\u00a0\u202f ]*\s*{SIGNS}?\s*"


def columns_of(con: duckdb.DuckDBPyConnection, view: str) -> tuple[list[Column], int]:
    """Return the columns of ``raw.<view>`` and how many rows it has."""
    table = f"raw.{sql_name(view)}"
    [(rows,)] = con.execute(f"select count(*) from {table}").fetchall()
    step = max(1, rows // SAMPLED)
    # every so many lines, so that the sample is the same at any time, and from the whole file
    con.execute(f"create or replace temp table sampled as from {table} where _line % {step} = 0 or {rows} < {SAMPLED}")
    names = [name for name in column_names(con, table) if name not in PLACE]
    return [_column(con, table, name, rows) for name in names], rows


def _column(con: duckdb.DuckDBPyConnection, table: str, name: str, rows: int) -> Column:
    cell = f"nullif(trim({sql_name(name)}), '')"
    [(filled, distinct)] = con.execute(f"select count({cell}), count(distinct {cell}) from {table}").fetchall()
    query = f"select {cell} as v from sampled where v is not null group by 1 order by count(*) desc, hash(v), 1 limit {KEPT}"
    values = tuple(value for (value,) in con.execute(query).fetchall() if value.lower() not in NOTHING_WORDS)
    share, unique = filled / max(1, rows), bool(filled) and distinct == filled
    if not values:
        return Column(name, BLANK, 0.0, 0, False)
    found = _dates(con, name, share, distinct, unique, values) or _numbers(name, share, distinct, unique, values)
    if found:
        return found
    kind = FLAG if {one.lower() for one in values} <= YES_NO | {"0", "1"} else TEXT
    return Column(name, kind, share, distinct, unique, values)


def _most(values: Sequence[str], pattern: str) -> bool:
    return sum(bool(re.fullmatch(pattern, one)) for one in values) >= MOST * len(values)


def _zoned(found: Column) -> str:
    """Return SQL that reads an instant of central Europe that is followed by the name of its clock."""
    bare = f"regexp_replace(X, '{ZONED}$', '')"
    at = f"try_strptime({bare}, {list(found.formats)!r})" if found.formats else f"try_cast({bare} as timestamp)"
    offset = "case when regexp_matches(X, '(CEST|MESZ)$') then '+02:00' else '+01:00' end"
    return f"strftime({at}, '%Y-%m-%d %H:%M:%S') || {offset}"


def _dates(con: duckdb.DuckDBPyConnection, name: str, share: float, distinct: int, unique: bool, values: tuple[str, ...]) -> Column | None:
    plain = rf"{PLAIN}|{WITHOFFSET}|{SPELT}"
    if _most(values, rf".*\d{ZONED}"):
        bare = tuple(re.sub(f"{ZONED}$", "", one) for one in values)
        local = _dates(con, name, share, distinct, unique, bare)
        return local and replace(local, values=values, formats=(), timed=False, read=_zoned(local))
    if _most(values, plain):
        timed = any(":" in one and not re.fullmatch(rf"{WITHOFFSET}|.*(Z|UTC|GMT).*", one) for one in values)
        return Column(name, DATE, share, distinct, unique, values, (), timed)
    if not all(re.search(r"\d", one) and 6 <= len(one) <= 40 for one in values[:50]):
        return None
    if _most(values, r"\d{5}|\d{10}|\d{13}") and re.search(r"(?i)date|time|_at$|\bam\b|fecha|datum|zeit", name):
        numbers = [float(one) for one in values if re.fullmatch(r"\d+", one)]
        for (low, high), sql in NUMBERED.items():
            if all(low <= one <= high for one in numbers):
                return Column(name, DATE, share, distinct, unique, values, (), False, read=sql)
    likely = (way for one in values[:20] for way in known_formats(one))
    ways = [one for one in dict.fromkeys((*DAY_FIRST, *MONTH_FIRST, *likely)) if "%Y%m%d" not in one or _most(values, r"(19|20)\d{6}.*")]
    counted = ", ".join(f"count(try_strptime(v, {sql_text(one)}))" for one in ways)
    [fits] = con.execute(f"select {counted} from (select unnest(?::varchar[]) as v)", [list(values)]).fetchall()
    found = [one for one, count in zip(ways, fits, strict=True) if count >= MOST * len(values)]
    if not found:
        # one column may hold dates with and without an hour
        told = dict(zip(ways, fits, strict=True))
        pairs = [[one, f"{one} %H:%M"] for one in ways if f"{one} %H:%M" in told]
        found = next((pair for pair in pairs if sum(told[one] for one in pair) >= MOST * len(values)), [])
        return Column(name, DATE, share, distinct, unique, values, tuple(found), timed=True) if found else None
    # day first where both orders fit: it is asked
    either = found[0] in DAY_FIRST and any(one in MONTH_FIRST for one in found)
    timed = any(f"%{sign}" in found[0] for sign in "HI") and not found[0].endswith(("%z", "Z"))
    return Column(name, DATE, share, distinct, unique, values, (found[0],), timed=timed, either=either)


def _numbers(name: str, share: float, distinct: int, unique: bool, values: tuple[str, ...]) -> Column | None:
    if _most(values, DIGITS) and not any(re.fullmatch(r"0\d+", one) for one in values):
        return Column(name, NUMBER, share, distinct, unique, values)
    if _most(values, COMMA) and any("," in one for one in values):
        return Column(name, NUMBER, share, distinct, unique, values, comma=True)
    if not _most(values, AMOUNT) or not any(re.search(SIGNS if unique else r"\D", one) for one in values):
        return None
    # the last of two different signs is the one before decimals; one alone with two digits behind it, too
    comma = sum(bool(re.search(r",\d{1,2}\D*$", one)) for one in values) > sum(bool(re.search(r"\.\d{1,2}\D*$", one)) for one in values)
    kept = "[^0-9.,+-]" if comma else "[^0-9.+-]"
    return Column(name, MONEY, share, distinct, unique, values, comma=comma, read=f"regexp_replace(X, '{kept}', '', 'g')")


def cell_sql(column: Column, alias: str = "") -> str:
    """Return SQL for a column's cell, as a reader takes it; a day with the hour that stands beside it."""
    text = column.read.replace("X", alias + sql_name(column.name))
    if not column.hour:
        return text
    return f"rtrim({text} || ' ' || coalesce({column.hour_read.replace('X', alias + sql_name(column.hour))}, ''))"


def date_sql(column: Column, alias: str = "") -> str:
    """Return SQL for a date's text that sorts as time does: as it stands, or in ISO where it is written otherwise."""
    text = cell_sql(column, alias)
    if not column.formats:
        return text
    at = f"try_strptime({text}, {list(column.formats)!r})"
    day, moment = (f"strftime({at}, '%Y-%m-%d{clock}')" for clock in ("", " %H:%M:%S"))
    # a day without its hour stays one: it is known when it is over
    return f"case when {text} like '%:%' then {moment} else {day} end" if len(column.formats) > 1 else moment if column.timed else day


def format_lines(columns: Sequence[Column]) -> list[str]:
    """Return ``timestamp_formats`` for the dates of one file, none where all are ISO."""
    own = [way for column in columns for way in column.formats if way not in ISO]
    return [*dict.fromkeys([*own, *ISO])] if own else []

"""Dates that were not read: which way of writing them would, told as the line to paste, and two orders of day and month that contradict each other."""

import re
from collections.abc import Sequence

from prevenance.base.errors import PrevenanceError
from prevenance.sources.convert import OUTSIDE
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import column_names, sql_name, sql_text
from prevenance.sources.instants import OFFSET, strptime_sql
from prevenance.sources.months import plain_months_sql
from prevenance.sources.nothing import is_nothing_sql
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import ACTIVITY, EARLIEST, LATEST, Table

DATE = r"^\s*(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4})(.*)$"
"""A date whose first two numbers could be day and month or month and day."""

ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")

DAYS = (
    *("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y%m%d"),
    *(f"{day}{sign}{month}{sign}{year}" for day, month in (("%d", "%m"), ("%m", "%d")) for sign in "./-" for year in ("%Y", "%y")),
    *(f"%d{sign}{month}{sign}{year}" for sign in " -/" for month in ("%b", "%B") for year in ("%Y", "%y")),
    *(f"{month} %d{comma} %Y" for month in ("%b", "%B") for comma in (",", "")),
    *(
        f"%d{sign}{month}{comma} %Y"
        for sign in (" ", ". ", " de ")
        for month in ("%b", "%B")
        for comma in (",", " de")
        if (sign, comma) != (". ", " de")
    ),
    *(f"%d. {month} {year}" for month in ("%b", "%B") for year in ("%Y", "%y")),
    *("%a, %d %b %Y", "%a %d %b %Y", "%a, %b %d, %Y"),
)
CLOCKS = (
    "",
    *(
        f"{between}{clock}{zone}"
        for between in (" ", "T", ", ", " at ", " à ", " um ")
        for clock in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%Hh%M", "%H:%M Uhr")
        for zone in ("", "%z", " %z", "Z", " UTC", " GMT")
    ),
    *("%H%M%S", "T%H%M%S", "T%H%M%SZ", "T%H%M%S%z"),
)
WHOLE = ("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S UTC %Y", "%a %b %d %H:%M:%S %z %Y")
"""Ways to write a day, the time after it, and both at once, that a source may declare; proposed where one alone reads every text."""

SHAPES = {
    "%Y": r"\d{4}",
    "%b": r"[A-Za-z]{3}",
    "%B": r"[A-Za-z]{3,}",
    "%a": r"[A-Za-z]{3}",
    "%p": "[AaPp][Mm]",
    "%f": r"\d+",
    "%z": f"(?:{OFFSET})",
}
"""Sign of a format -> how its text looks; the others are one or two digits."""

LEAST_MIDNIGHTS = 20
"""Fewer rows at 00:00 may be chance."""

NUMBER = "try_cast(X as double)"
NUMBERED = {
    (36526, 73050): f"strftime(timestamp '1899-12-30' + to_microseconds(round({NUMBER} * 86400000000)::bigint), '%Y-%m-%d %H:%M:%S')",
    (631152000, 4102444800): f"strftime(to_timestamp({NUMBER}), '%Y-%m-%dT%H:%M:%SZ')",
    (631152000000, 4102444800000): f"strftime(to_timestamp({NUMBER} / 1000), '%Y-%m-%dT%H:%M:%SZ')",
    (631152000000000, 4102444800000000): f"strftime(to_timestamp({NUMBER} / 1000000), '%Y-%m-%dT%H:%M:%SZ')",
    (631152000000000000, 4102444800000000000): f"strftime(to_timestamp({NUMBER} / 1000000000), '%Y-%m-%dT%H:%M:%SZ')",
}
"""Numbers that mean a time (serials of a spreadsheet; seconds, and their thousandths and finer, since 1970) -> the SQL that says it, X for the column."""


def note_dates(taken: Intake, source: Source, table: Table, columns: list[str], entries: list[Entry]) -> None:
    """Keep for each column with unreadable dates what its two orders say; refuse two declared orders that both fit.

    Raises:
        PrevenanceError: E302 when the source declares day/month and month/day and rows contradict each other.
    """
    # two declared orders read 03/04 by whichever comes first, and nobody would ever see it
    declared = max((_declared_orders(one) for one in (source.timestamp_formats, *(entry.formats for entry in entries))), key=len)
    for column in table.columns:
        reason = f"{column.name}: not a timestamp"
        if column.kind != "instant" or column.name not in columns or ((table.name, reason) not in taken.samples and len(declared) < 2):
            continue
        day, month = _orders(taken, column.name)
        if day and month:
            what = f"day/month and month/day contradict each other: {_told(day)} and {_told(month)}"
            taken.hints[table.name, reason] = what, "write every date as 2024-03-25 in the export"
            if len(declared) == 2:
                fix = "write every date as 2024-03-25 in the export and leave one order in timestamp_formats"
                raise PrevenanceError("E302", what, table=table.name, column=column.name, first=f"{day[0]}:{day[1]}", fix=fix)
        elif (first := day or month) and _would_read(taken, column.name, patterns := _patterns(first[3], day_first=bool(day))):
            if fix := _formats_line(taken, source, reason, patterns, entries):
                taken.hints[table.name, reason] = "", fix
        elif fix := _other_way(taken, source, table, column.name, entries):
            taken.hints[table.name, reason] = "", fix


def _would_read(taken: Intake, name: str, formats: list[str]) -> bool:
    """Return whether any text of a column that was not read would be read by ``formats``."""
    unread = f"reason = {sql_text(f'{name}: not a timestamp')} and try_strptime(trim({sql_name('raw ' + name)}), {formats}) is not null"
    return bool(taken.con.execute(f"select exists(from judged where {unread})").fetchall()[0][0])


def note_placeholders(taken: Intake, source: Source, table: Table) -> None:
    """Keep for each column of which one same date lies outside all years (9999-12-31, 1900-01-01: "none") the line that takes it for nothing."""
    for column in table.columns:
        reason = f"{column.name}: {OUTSIDE}"
        if column.kind != "instant" or (table.name, reason) not in taken.samples:
            continue
        text = sql_name("raw " + column.name)
        low, high = taken.con.execute(f"select min({text}), max({text}) from judged where reason = {sql_text(reason)}").fetchall()[0]
        if low != high or not low:
            continue
        fix = source.rewritten(table.name, column.name, f"nullif(X, {sql_text(low)})")
        if column.required:  # what never happens is no event
            fix = _left_out(taken, source, table, re.findall(r"nullif\((.*?), '", fix), low)
        taken.hints[table.name, reason] = f'{OUTSIDE}: "{low[:40]}" stands for no date', fix


def _left_out(taken: Intake, source: Source, table: Table, columns: list[str], none: str) -> str:
    """Return the condition that leaves out the rows of a select whose date is ``none``: by the column, of those that become it, which holds that text."""
    for view in source.views_read(table.name):
        held = {name.lower(): name for name in column_names(taken.con, f"raw.{sql_name(view)}")}
        for column in columns:
            name = held.get(column.strip('"').lower())
            if not name:
                continue
            # of a table that is made of one file alone the text can stand nowhere else
            here = (
                view in taken.partial
                or taken.con.execute(f"select count(*) from raw.{sql_name(view)} where {sql_name(name)} = ?", [none]).fetchall()[0][0]
            )
            if here:
                return f"add `where {column} <> {sql_text(none)}` to the select of {table.name}.sql that gives it"
    return "correct the export"


def note_midnights(taken: Intake, source: Source, table: Table, columns: list[str]) -> None:
    """Say that a table has no hour but 00:00, where its rows would count before their day is over, with the line to write."""
    name = "known_at" if "known_at" in columns else "event_at"
    if table.name in source.delay_days or table.name not in ACTIVITY or name not in columns:
        return
    midnight = f"regexp_matches({sql_name('raw ' + name)}, '^\\d{{4}}-\\d\\d-\\d\\d[ T]00:00(:00)?(\\D|$)')"
    for rows in ("(select * from judged limit 100)", "judged"):  # nearly every table has an hour among its first rows
        count, every = taken.con.execute(f"select count(*), bool_and({midnight}) from {rows} where reason is null").fetchall()[0]
        if count < LEAST_MIDNIGHTS or not every:
            return
    line = source.rewritten(table.name, name, "left(X, 10)")
    taken.messages.append(f"{table.name}.{name}: all {count:,} times are 00:00, and count from then; if only the day is known, {line}")


def _declared_orders(formats: Sequence[str]) -> set[str]:
    return {"d" if pattern.startswith("%d") else "m" for pattern in formats if pattern.startswith(("%d", "%m"))}


def _formats_line(taken: Intake, source: Source, reason: str, formats: list[str], entries: list[Entry]) -> str:
    """Return the line that declares ``formats``: for the source, or for the one entry whose files need them where others are declared already."""
    if not source.timestamp_formats and not source.by_file:
        return f"write timestamp_formats: {[*dict.fromkeys([*formats, *ISO])]} in the source's yaml"
    if formats[0].startswith("%Y") and not source.by_file:  # year first, nothing else reads it: the whole source may be written so
        return f"write timestamp_formats: {[*dict.fromkeys([*source.timestamp_formats, *formats, *ISO])]} in the source's yaml"
    files = [row[0] for row in taken.con.execute("select distinct _file from judged where reason = ?", [reason]).fetchall()]
    found = [entry for entry in entries if all(entry.holds(file or "") for file in files)]
    # a file has one way of writing: with a second order declared, 03/04 would be read by whichever comes first
    if not found or (_declared_orders(found[0].formats) - _declared_orders(formats)):
        return ""
    return f"write {found[0].line(timestamp_formats=[*dict.fromkeys([*formats, *(found[0].formats or ISO)])])} in the source's yaml"


def _other_way(taken: Intake, source: Source, table: Table, name: str, entries: list[Entry]) -> str:
    """Return the line to write where one known way reads every text of a column that was not read, and no other way does; else nothing."""
    text, unread = sql_name("raw " + name), f"reason = {sql_text(f'{name}: not a timestamp')}"
    texts = f"from judged where {unread} and {text} is not null and not {is_nothing_sql(text)}"
    first, comma = taken.con.execute(
        f"select any_value(trim({text})), bool_and(regexp_full_match(trim({text}), '\\d+(,\\d+)?')) {texts}"
    ).fetchall()[0]
    if not first:
        return ""
    # numbers are told apart by their size: a serial of 2000 to 2100, a day, seconds or less of 1990 to 2100; one with an exponent was rounded
    plain = f"replace({text}, ',', '.')" if comma else text
    number = f"case when not contains(lower({text}), 'e') then try_cast(trim({plain}) as double) end"
    ways = {f"{number} between {low} and {high}": sql for (low, high), sql in NUMBERED.items()}
    formats = known_formats(first) or known_formats(taken.con.execute(f"select {plain_months_sql('?')}", [first]).fetchall()[0][0])
    ways |= {f"year({_read(text, one)}) between {EARLIEST[:4]} and {LATEST[:4]}": one for one in formats}
    counted = ", ".join(f"bool_and(coalesce({condition}, false))" for condition in ways)
    fits = taken.con.execute(f"select {counted} {texts}").fetchall()[0]
    found = [way for way, all_fit in zip(ways.values(), fits, strict=True) if all_fit]
    formats = [way for way in found if NUMBER not in way]
    if formats and formats == found:
        # May is a short name and a long one: ways that read the same need no choice
        apart = " or ".join(f"{_read(text, one)} <> {_read(text, formats[0])}" for one in formats[1:]) or "false"
        if taken.con.execute(f"select count(*) {texts} and ({apart})").fetchall()[0][0]:
            return ""
        return _formats_line(taken, source, f"{name}: not a timestamp", [formats[0]], entries)
    if len(found) != 1:
        return ""
    commas = comma and taken.con.execute(f"select count(*) {texts} and contains({text}, ',')").fetchall()[0][0]
    return source.rewritten(table.name, name, found[0].replace("X", "replace(X, ',', '.')") if commas else found[0])


def _read(text: str, written: str) -> str:
    return strptime_sql(f"trim({text})", [written])


def known_formats(text: str) -> list[str]:
    """Return the known ways of writing a time that a text looks like."""

    def looks(way: str) -> str:
        parts = re.split(r"(%[a-zA-Z])", way)
        return "".join(SHAPES.get(one, r"\d{1,2}") if one.startswith("%") else re.escape(one) for one in parts)

    days = {day: found.end() for day in DAYS if (found := re.match(looks(day), text))}
    clocks = {one: looks(one) for one in CLOCKS}
    both = [f"{day}{clock}" for day, end in days.items() for clock, shape in clocks.items() if re.fullmatch(shape, text[end:])]
    return both + [one for one in WHOLE if re.fullmatch(looks(one), text)]


def _orders(taken: Intake, name: str) -> list[tuple[str, int, str, str] | None]:
    """Return the first (file, line, text, separator) that only day/month can be, and the first that only month/day can be."""
    text = sql_name("raw " + name)
    parts = [f"try_cast(regexp_extract({text}, '{DATE}', {group}) as integer)" for group in (1, 3)]
    # cheap, and true of every such date: a year in front is most of what there is
    early = " or ".join(f"contains('/.-', substr(ltrim({text}), {place}, 1))" for place in (2, 3))
    found: list[tuple[str, int, str, str] | None] = []
    for large, day_first in zip(parts, (True, False), strict=True):
        fits = (
            f"try_strptime(trim({text}), {[one for separator in '/.-' for one in _patterns(separator, day_first=day_first)]}) is not null"
        )
        rows = taken.con.execute(
            f"select _file, _line, {text}, regexp_extract({text}, '{DATE}', 2) from judged "
            # a number above 12 is a day: only such a row proves an order
            f"where case when {early} then {large} > 12 and {fits} end order by _file, _line::bigint limit 1"
        ).fetchall()
        found.append(rows[0] if rows else None)
    return found


def _told(row: tuple[str, int, str, str]) -> str:
    return f'{row[0]}:{row[1]} ("{row[2][:40]}")'


def _patterns(separator: str, *, day_first: bool) -> list[str]:
    date = separator.join(["%d", "%m", "%Y"] if day_first else ["%m", "%d", "%Y"])
    return [date, f"{date} %H:%M", f"{date} %H:%M:%S"]

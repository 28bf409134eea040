"""What text says of time and cannot be taken for granted: hours that a zone skips or has twice, day and month in two orders."""

from __future__ import annotations

from prevenance.base.errors import PrevenanceError
from prevenance.sources.convert import WITH_OFFSET, Source, local_time_sql
from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import Table

DATE = r"^\s*(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4})(.*)$"
"""A date whose first two numbers could be day and month or month and day."""

ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


def note_clock_changes(taken: Intake, source: Source, table: Table, columns: list[str]) -> None:
    """Count the local times of ``judged`` that the zone skips (read an hour later) or has twice (read as the later one)."""
    if source.timezone in ("", "UTC"):
        return
    for column in table.columns:
        if column.kind != "instant" or column.name not in columns:
            continue
        skipped, twice = _changes(taken, source, column.name)
        if skipped or twice:
            counts = taken.counts[table.name].warnings
            counts["clock_change"] = counts.get("clock_change", 0) + skipped + twice
            taken.messages.append(
                f"{table.name}.{column.name}: {skipped} time{'' if skipped == 1 else 's'} that {source.timezone} skips read as an hour later, "
                f"{twice} that it has twice as the later one"
            )


def _changes(taken: Intake, source: Source, name: str) -> tuple[int, int]:
    """Return how many rows lie in a gap and in a fold; only rows near a change of the clocks are parsed again."""

    def local(instant: str) -> str:
        return f"timezone({sql_text(source.timezone)}, timezone('UTC', {instant}))"

    hours = (
        f"select distinct date_trunc('hour', {sql_name(name)}) as hour from judged where reason is null and {sql_name(name)} is not null"
    )
    before, after = "hour - interval 3 hour", "hour + interval 3 hour"
    near = f"select hour from ({hours}) where {local(after)} - {local(before)} <> interval 6 hour"
    text, value = sql_name("raw " + name), sql_name(name)
    rows = (
        f"select {value} as moment, {local_time_sql(source, text)} as said from judged where reason is null and date_trunc('hour', {value}) in ({near}) "
        f"and not regexp_matches({text}, '{WITH_OFFSET}')"
    )
    twice = " or ".join(f"{local(f'moment {sign} interval {minutes} minute')} = said" for sign in "+-" for minutes in (30, 60))
    found = taken.con.execute(
        f"select count(*) filter (where {local('moment')} <> said), count(*) filter (where {local('moment')} = said and ({twice})) from ({rows})"
    ).fetchall()[0]
    return int(found[0]), int(found[1])


def note_dates(taken: Intake, source: Source, table: Table, columns: list[str]) -> None:
    """Keep for each column with unreadable dates what its two orders say; refuse two declared orders that both fit.

    Raises:
        PrevenanceError: E302 when the source declares day/month and month/day and rows contradict each other.
    """
    declared = {"d" if pattern.startswith("%d") else "m" for pattern in source.timestamp_formats if pattern.startswith(("%d", "%m"))}
    for column in table.columns:
        reason = f"{column.name}: not a timestamp"
        if column.kind != "instant" or column.name not in columns or ((table.name, reason) not in taken.samples and len(declared) < 2):
            continue
        day, month = _orders(taken, column.name)
        if day and month:
            what = f"day/month and month/day contradict each other: {_told(day)} and {_told(month)}"
            taken.hints[table.name, reason] = what, "write every date as 2024-03-25 in the export"
            if len(declared) == 2:
                raise PrevenanceError(
                    "E302",
                    what,
                    table=table.name,
                    column=column.name,
                    first=f"{day[0]}:{day[1]}",
                    fix="write every date as 2024-03-25 in the export and leave one order in timestamp_formats",
                )
        elif (day or month) and not declared:
            taken.hints[table.name, reason] = "", f"write timestamp_formats: {_formats(day or month, bool(day))} in the source's yaml"


def _orders(taken: Intake, name: str) -> list[tuple[str, int, str, str] | None]:
    """Return the first (file, line, text, separator) that only day/month can be, and the first that only month/day can be."""
    text = sql_name("raw " + name)
    parts = [f"try_cast(regexp_extract({text}, '{DATE}', {group}) as integer)" for group in (1, 3)]
    found: list[tuple[str, int, str, str] | None] = []
    for large, day_first in zip(parts, (True, False), strict=True):
        fits = f"try_strptime(trim({text}), {[one for separator in '/.-' for one in _patterns(separator, day_first)]}) is not null"
        rows = taken.con.execute(
            f"select _file, _line, {text}, regexp_extract({text}, '{DATE}', 2) from judged "
            f"where {large} > 12 and {fits} order by _file, _line::bigint limit 1"
        ).fetchall()
        found.append(rows[0] if rows else None)
    return found


def _told(row: tuple[str, int, str, str]) -> str:
    return f'{row[0]}:{row[1]} ("{row[2][:40]}")'


def _formats(row: tuple[str, int, str, str] | None, day_first: bool) -> str:
    return str([*_patterns(row[3] if row else "/", day_first), *ISO])


def _patterns(separator: str, day_first: bool) -> list[str]:
    date = separator.join(["%d", "%m", "%Y"] if day_first else ["%m", "%d", "%Y"])
    return [date, f"{date} %H:%M", f"{date} %H:%M:%S"]

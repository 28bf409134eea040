"""SQL that turns a select's text into typed columns, and names the first rule a row breaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prevenance.sources.files import sql_name, sql_text
from prevenance.tables.canonical import CLOCK_SLACK_MINUTES, EARLIEST, LATEST, MISSING_WORDS, SQL_TYPES, Column, Table

WITH_OFFSET = r"\d[ T]?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)? ?(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True)
class Source:
    """A declared source: where its files are and how its text is to be read. See ``conf/source``.

    ``record`` names ``files`` entries whose changes we keep, with their key columns; ``folders`` the entries that lie elsewhere than the data folder.
    """

    name: str
    selects: dict[str, str]
    files: dict[str, Any]
    timezone: str = ""
    static: bool = False
    currency: str = ""
    delay_days: dict[str, float] = field(default_factory=dict)
    timestamp_formats: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    decimal: str = "."
    database: dict[str, Any] = field(default_factory=dict)
    record: dict[str, tuple[str, ...]] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)


def local_time_sql(source: Source, text: str) -> str:
    """Return SQL that turns text without an offset into local time, or null."""
    if source.timestamp_formats:
        return f"try_strptime({text}, [{', '.join(sql_text(pattern) for pattern in source.timestamp_formats)}])"
    return f"try_cast({text} as timestamp)"


def number_text_sql(source: Source, text: str) -> str:
    """Return SQL for a number's text with a decimal point; with a declared comma, points are thousands and anything else is no number."""
    if source.decimal != ",":
        return f"trim({text})"
    fits = r"regexp_full_match(trim(TEXT), '[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?')".replace("TEXT", text)
    return f"case when {fits} then replace(replace(trim({text}), '.', ''), ',', '.') end"


def instant_sql(source: Source, text: str) -> str:
    """Return SQL that turns text into a UTC instant, or null."""
    local = local_time_sql(source, text)
    if source.timezone not in ("", "UTC"):
        local = f"timezone('UTC', timezone({sql_text(source.timezone)}, {local}))"
    return f"case when regexp_matches({text}, '{WITH_OFFSET}') then timezone('UTC', try_cast({text} as timestamptz)) else {local} end"


def converted_sql(source: Source, table: Table, column: Column, columns: list[str]) -> str:
    """Return SQL for a column's converted value (null where it does not convert)."""
    text = sql_name(column.name)
    if column.name == "known_at":
        happened = instant_sql(source, sql_name("event_at"))
        if "known_at" not in columns:
            delay = round(source.delay_days.get(table.name, 0) * 86_400_000_000)
            return f"{happened} + interval {delay} microsecond"
        return f"greatest({instant_sql(source, text)}, {happened})" if "event_at" in columns else instant_sql(source, text)
    if column.name not in columns:
        return f"null::{SQL_TYPES[column.kind]}"
    if column.kind == "instant":
        return instant_sql(source, text)
    if column.kind == "number":
        words = ", ".join(sql_text(word) for word in MISSING_WORDS)
        return f"case when lower(trim({text})) in ({words}) then null else try_cast({number_text_sql(source, text)} as {SQL_TYPES['number']}) end"
    if column.kind == "flag":
        return f"try_cast(lower(trim({text})) as boolean)"
    return text


def reason_sql(source: Source, table: Table, columns: list[str]) -> str:
    """Return SQL that names the first rule a converted row breaks, or null."""
    cases = []
    for column in table.columns:
        name, raw = sql_name(column.name), sql_name("raw " + column.name)
        present = column.name in columns
        if column.required and column.kind in ("id", "choice"):
            cases.append((f"regexp_full_match(coalesce({name}, ''), '[\\s\\x{{00a0}}]*')", f"{column.name}: blank"))
        if column.kind == "choice" and present:
            cases.append((f"{name} not in ({', '.join(sql_text(choice) for choice in column.choices)})", f"{column.name}: unknown value"))
        if column.kind == "instant" and present and column.name != "known_at":
            required = f"{raw} is null" if column.required else "false"
            cases.append((f"{required} or ({raw} is not null and {name} is null)", f"{column.name}: not a timestamp"))
            cases.append(
                (
                    f"{name} < timestamp '{EARLIEST}' or {name} >= timestamp '{LATEST}'",
                    f"{column.name}: outside {EARLIEST[:4]}..{LATEST[:4]}",
                )
            )
        if column.kind == "number" and present:
            words = ", ".join(sql_text(word) for word in MISSING_WORDS)
            number, given = f"try_cast({number_text_sql(source, raw)} as double)", f"lower(trim({raw})) not in ({words})"
            cases.append((f"{name} is null and {given} and {number} is null", f"{column.name}: not a number"))
            cases.append(
                (
                    f"{given} and {number} not between {column.low} and {column.high}",
                    f"{column.name}: outside {column.low:g}..{column.high:g}",
                )
            )
        if column.kind == "flag" and present:
            cases.append((f"{raw} is not null and {name} is null and '{table.name}' <> 'consents'", f"{column.name}: not yes or no"))
    if "known_at" in columns:
        cases.append(('"raw known_at" is not null and _known is null', "known_at: not a timestamp"))
        cases.append((f"_known + interval {CLOCK_SLACK_MINUTES} minute < event_at", "known_at: before event_at"))
        cases.append(
            (f"_known < timestamp '{EARLIEST}' or _known >= timestamp '{LATEST}'", f"known_at: outside {EARLIEST[:4]}..{LATEST[:4]}")
        )
        if table.name != "consents":  # a "no" that does not say when it was known is a no all the same
            cases.append(('"raw known_at" is null', "no_known_at"))
    return "case " + " ".join(f"when {condition} then {sql_text(text)}" for condition, text in cases) + " end"

"""What a text says of time, as SQL: the whole text or nothing, because a tail that is left out ("PM", "UTC") moves it by hours."""

import re
from collections.abc import Sequence

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Source
from prevenance.sources.files import sql_text
from prevenance.sources.months import plain_months_sql, with_short_months

_DAY = r"\d{4,6}[-/ \\]\d{1,2}[-/ \\]\d{1,2}"
_CLOCK = r"[ T]+\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d*)?)?"
OFFSET = r"Z|\+(?:(?:0\d|1[0-3])(?::?[0-5]\d)?|14(?::?00)?)|-(?:(?:0\d|1[01])(?::?[0-5]\d)?|12(?::?00)?)"

PLAIN = f"{_DAY}(?:{_CLOCK})?"
"""ISO 8601 and its usual neighbours without an offset, which the engine reads whole."""

WITHOFFSET = f"{_DAY}{_CLOCK}(?:{OFFSET})"
"""The same with an offset that exists: from -12:00 to +14:00."""

IN_UTC = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ"
"""Of those with an offset the usual ones: they are spared the way round the zones, which costs most."""

_CLOCK_SPELT = _CLOCK.replace(r"\.", "[.,]")
SPELT = rf"\s*({_DAY}(?:{_CLOCK_SPELT})?)(?:\s*([AaPp])\.?[Mm]\.?)?\s*((?i:Z|UTC|GMT)?(?:([+-])(\d{{1,2}})(?::?(\d{{2}}))?)?)\s*"
"""What people add: blanks, AM and PM, UTC and GMT, offsets with a blank or one digit. Groups: time, half of the day, zone, its sign, hours, minutes."""

CLOCK_SIGNS = "HIMSfgnpcX"
"""Signs of a declared format that say an hour or less of it."""

MOSTOFFSET = {"+": 14 * 60, "-": 12 * 60}
"""Minutes from UTC that the farthest zones have."""


def check_formats(con: duckdb.DuckDBPyConnection, formats: Sequence[str], key: str) -> None:
    """Raise E202 for a format of timestamps that the engine cannot read by."""
    for one in formats:
        fix = (
            "write it as in timestamp_formats: ['%d/%m/%Y %H:%M'], with %z for an offset such as +0200, in the source's yaml, "
            "or leave it out where times are written as 2024-03-31 09:00"
        )
        if "%Z" in one:
            raise PrevenanceError(
                "E202", f'the format "{one[:40]}" reads names of zones (%Z), which say no offset for sure', key=key, fix=fix
            )
        if re.search("%-?I", one) and "%p" not in one:
            what = f'the format "{one[:40]}" reads hours of a half day (%I) and not which half (%p)'
            whole = one.replace("I", "H")[:60]
            raise PrevenanceError("E202", what, key=key, fix=f"write '{whole}' there if hours go from 0 to 23, or read AM and PM with %p")
        if not re.search("%[a-zA-Z]", one):
            raise PrevenanceError("E202", f'the format "{one[:40]}" reads no time', key=key, fix=fix)
        try:
            con.execute("select try_strptime('x', ?)", [one])
        except duckdb.Error as problem:
            said = str(problem).splitlines()[0].partition(": ")[2][:120]
            raise PrevenanceError("E202", f'the format "{one[:40]}" cannot be read: {said}', key=key, fix=fix) from problem


def instant_sql(source: Source, text: str) -> str:
    """Return SQL that turns text into a UTC instant, or null; an offset in the text says more than the declared zone."""
    return source.by_file_sql(lambda one: _instant(one, text))


def _instant(source: Source, text: str) -> str:
    offset = f"when regexp_full_match({text}, '{WITHOFFSET}') then {_utc(f'try_cast({text} as timestamptz)')}"
    if not source.timestamp_formats:
        in_utc = f"when strlen({text}) = 20 and regexp_full_match({text}, '{IN_UTC}') then {_cast(f'substr({text}, 1, 19)')}"
        plain = f"when regexp_full_match({text}, '{PLAIN}') then {to_utc_sql(source, _cast(text))}"
        return f"case {in_utc} {plain} {offset} else coalesce({_with_zone(text)}, {to_utc_sql(source, _spelt_local(text))}) end"
    plain_formats, utc, zoned = _split(source.timestamp_formats)
    ways = [to_utc_sql(source, strptime_sql(text, plain_formats))] if plain_formats else []
    ways += [strptime_sql(text, utc)] if utc else []
    ways += [f"case when {_exists(text, one)} then {_utc(strptime_sql(text, [one]))} end" for one in zoned]
    return f"case {offset} else coalesce({', '.join([*ways, _with_zone(text)])}) end"


def local_sql(source: Source, text: str) -> str:
    """Return SQL for the local time that a text without an offset says, or null."""
    return source.by_file_sql(lambda one: _local(one, text))


def _local(source: Source, text: str) -> str:
    if source.timestamp_formats:
        plain, _, _ = _split(source.timestamp_formats)
        return strptime_sql(text, plain) if plain else "null::timestamp"
    return f"case when regexp_full_match({text}, '{PLAIN}') then {_cast(text)} else {_spelt_local(text)} end"


def has_offset_sql(source: Source, text: str) -> str:
    """Return SQL for whether a text says how far it is from UTC."""
    return source.by_file_sql(lambda one: _has_offset(one, text))


def _has_offset(source: Source, text: str) -> str:
    _, *zoned = _split(source.timestamp_formats)
    declared = "".join(f" or {strptime_sql(text, some)} is not null" for some in zoned if some)
    return f"(regexp_full_match({text}, '{WITHOFFSET}') or coalesce({_group(text, 3)} <> '', false){declared})"


def is_bare_sql(source: Source, text: str) -> str:
    """Return SQL for whether a text that can be read is a date alone."""
    return source.by_file_sql(lambda one: _is_bare(one, text))


def _is_bare(source: Source, text: str) -> str:
    if not source.timestamp_formats:
        return f"not contains({text}, ':')"
    dates = [one for one in _split(source.timestamp_formats)[0] if not any(f"%{sign}" in one for sign in CLOCK_SIGNS)]
    return f"{strptime_sql(text, dates)} is not null" if dates else "false"


def known_sql(source: Source, text: str, said: str) -> str:
    """Return SQL for when a fact of the time ``text`` was known: of a bare date, when its day is over in the source's zone; else ``said``."""
    over = to_utc_sql(source, f"{local_sql(source, text)} + interval 1 day")
    return f"case when {is_bare_sql(source, text)} then {over} else {said} end"


def to_utc_sql(source: Source, local: str) -> str:
    """Return SQL that turns local time into a UTC instant."""
    if source.timezone in ("", "UTC"):
        return local
    return _utc(f"timezone({sql_text(source.timezone)}, {local})")


def _utc(moment: str) -> str:
    # the way over the calendar of a zone costs more than reading the text
    return f"make_timestamp(epoch_us({moment}))"


def _split(formats: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Return the formats without a zone, those that end in the word for UTC, and those whose texts say an offset: instants of two kinds."""
    zoned = [one for one in formats if "%z" in one]
    utc = [
        one
        for one in formats
        if one not in zoned and re.search(r"\b(UTC|GMT)\b|(?<!%)(Z|UTC|GMT)$", re.sub("%-?[a-zA-Z]", "%-", one).strip())
    ]
    return [one for one in formats if one not in (*zoned, *utc)], utc, zoned


def strptime_sql(text: str, formats: Sequence[str]) -> str:
    """Return SQL for the time that a text says in one of some ways, or null; months may be called as in English, French, German or Spanish."""
    read = f"try_strptime({text}, [{', '.join(map(sql_text, formats))}])"
    named = [with_short_months(one) for one in formats if "%b" in one or "%B" in one]
    other = f"try_strptime({plain_months_sql(text)}, [{', '.join(map(sql_text, named))}])"
    return f"coalesce({read}, {other})" if named else read


def _exists(text: str, zoned: str) -> str:
    """Return SQL for whether the offset in a text of a format with one is an offset that some zone has: the engine reads any."""
    parts = re.split("(%-?[a-zA-Z])", zoned)
    shape = "".join(f"(?:{OFFSET})" if one == "%z" else ".+" if one.startswith("%") else re.escape(one) for one in parts)
    return f"regexp_full_match({text}, {sql_text(shape)})"


def _cast(text: str) -> str:
    return f"try_cast({text} as timestamp)"


def _group(text: str, number: int) -> str:
    # only a whole match counts: the engine extracts from anywhere in a text
    return f"regexp_extract({text}, '^(?:{SPELT})$', {number})"


def _spelt(text: str) -> str:
    """Return SQL for the time of a text that fits ``SPELT``, zone not looked at, or null: hours of a half day go from 1 to 12."""
    moment, half = f"try_cast(replace({_group(text, 1)}, ',', '.') as timestamp)", f"upper({_group(text, 2)})"
    later = f"to_hours(case {half} when 'P' then 12 else 0 end - case when hour({moment}) = 12 then 12 else 0 end)"
    return f"case when {half} = '' then {moment} when hour({moment}) between 1 and 12 then {moment} + {later} end"


def _spelt_local(text: str) -> str:
    return f"case when {_group(text, 3)} = '' then {_spelt(text)} end"


def _with_zone(text: str) -> str:
    """Return SQL for the UTC instant of a text that fits ``SPELT`` and names a zone, or null."""
    sign, hours, minutes = (_group(text, number) for number in (4, 5, 6))
    away = f"(coalesce(try_cast({hours} as integer), 0) * 60 + coalesce(try_cast({minutes} as integer), 0))"
    exists = f"{away} <= case {sign} when '-' then {MOSTOFFSET['-']} else {MOSTOFFSET['+']} end and coalesce(try_cast({minutes} as integer), 0) < 60"
    shift = f"to_minutes({away} * case {sign} when '-' then 1 else -1 end)"
    # a zone after a bare date says nothing of the hour
    timed = f"contains({_group(text, 1)}, ':')"
    return f"case when {_group(text, 3)} <> '' and {timed} and {exists} then {_spelt(text)} + {shift} end"

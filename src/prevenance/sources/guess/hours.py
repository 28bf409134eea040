"""Hours that stand in a column of their own beside the day: both are one instant."""

import re
from dataclasses import replace

from prevenance.consent.special import name_words
from prevenance.sources.guess.found import DATE, HOUR, Column, Found, Guess
from prevenance.sources.guess.roles import hour_words

COLON = r"(.*(1899|1900)\S*[ T])?\D{0,4}([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d([.,]\d+)?)?( ?(Uhr|h|hrs))?"
HALVES = r"(0?\d|1[0-2])(:[0-5]\d){1,2} ?[AaPp]\.? ?[Mm]\.?"
SPELT = r"([01]?\d|2[0-4]) ?(h|H|Uhr|Std\.?)( ?[0-5]\d)?( ?(min|m|Uhr))?"
BARE = r"([01]?\d|2[0-3])[.]?[0-5]\d( ?Uhr)?", r"([01]?\d|2[0-3])[0-5]\d[0-5]\d"
"""How hours are written; the last ones could be numbers, so that a name has to say what they are."""

MIDNIGHT = r".*[ T]0?0:00(:00(\.0+)?)?"


def hour_sql(column: Column) -> str:
    """Return SQL for the hour in a column's cell, X for the column; empty where the column holds none."""

    def all_like(pattern: str) -> bool:
        return bool(column.values) and sum(bool(re.fullmatch(pattern, one)) for one in column.values) >= 0.95 * len(column.values)

    says_hour = hour_words(column.name) == (True, False)
    if all_like(HALVES):
        return r"strftime(try_strptime(upper(regexp_replace(X, '[. ]', '', 'g')), ['%I:%M%p', '%I:%M:%S%p']), '%H:%M:%S')"
    if all_like(COLON):
        return r"regexp_extract(X, '\d+:\d+(:[\d.]+)?')"
    if all_like(SPELT) or (says_hour and all_like(BARE[0]) and any("." in one for one in column.values)):
        return r"regexp_replace(regexp_replace(X, '^(\d+)\D+(\d\d)\D*$', '\1:\2'), '^(\d+)\D*$', '\1:00')"
    if says_hour and (wide := next((n for n, like in ((4, BARE[0]), (6, BARE[1])) if all_like(like)), 0)):
        return rf"regexp_replace(lpad(X, {wide}, '0'), '^(\d\d)(\d\d)', '\1:\2{':' if wide == 6 else ''}')"
    return ""


def set_hours(file: Found, guess: Guess) -> None:
    """Give each day of a file the hour that stands beside it; what is not sure is asked for."""
    hours = {one.name: (sql, *hour_words(one.name)) for one in file.columns if (sql := hour_sql(one))}
    days = [one for one in file.columns if one.name not in hours and _is_day(one)]
    for name in hours:
        _put(file, replace(file.column(name), kind=HOUR))
    if not days:
        return
    free = list(days)
    for name, (sql, says_hour, says_span) in hours.items():
        stem = _stem(name)
        alike = [one for one in free if _alike(stem, _stem(one.name))]
        place = [one.name for one in file.columns].index(name)
        before = [one.name for one in file.columns[max(0, place - 1) : place]]
        beside = [one for one in free if one.name in before] or (free if len(days) == 1 else [])
        sure = len(alike) == 1
        found = alike if sure else beside if says_hour and not stem else []
        if says_span and not sure:
            continue
        if not found:
            told = " or ".join(f'"{one.name}"' for one in free[:4]) or "none of the days"
            guess.ask(
                f'{file.view}: "{name}" is an hour. Of which day: {told}? It is not used, and days without an hour count as whole days.',
                f'Write "…" || \' \' || "{name}" as event_at where the day stands, and how both are written under timestamp_formats of {file.view} in the yaml.',
            )
            continue
        day = found[0]
        if not sure and len(days) > len(hours):
            guess.ask(
                f'{file.view}: is "{name}" the hour of "{day.name}"? It stands behind it and is taken for it.',
                f"If not, write the day alone as event_at in the select of {file.view}.",
            )
        free.remove(day)
        _put(file, _with_hour(day, name, sql))


def _with_hour(day: Column, name: str, sql: str) -> Column:
    written = [re.sub(r"[ T]%H.*", "", one) for one in day.formats]
    clocks = ("", " %H:%M", " %H:%M:%S")
    read = r"regexp_replace(X, '[ T]0?0:00.*$', '')" if day.timed else day.read
    formats = tuple(f"{one}{clock}" for one in dict.fromkeys(written) for clock in clocks)
    return replace(day, formats=formats, timed=True, read=read, hour=name, hour_read=sql)


def _put(file: Found, column: Column) -> None:
    file.columns = [column if one.name == column.name else one for one in file.columns]


def _is_day(column: Column) -> bool:
    midnights = all(re.fullmatch(MIDNIGHT, one) for one in column.values)
    return column.kind == DATE and column.read == "X" and (midnights or (not column.timed and not any(":" in one for one in column.values)))


def _stem(name: str) -> str:
    """Return what a column's name says beside that it is a day or an hour.

    >>> _stem("Eröffnungsdatum"), _stem("Heure d'ouverture"), _stem("Closed at"), _stem("Uhrzeit")
    ('eroffnungs', 'ouverture', 'closed', '')
    """
    small = {"am", "um", "on", "at", "le", "la", "a", "el", "los", "las", "les", "de", "del", "du", "d", "l", "of", "the", "der", "die", "das", "in", "utc"}  # fmt: skip
    said = [
        re.sub(r"(datum|date|uhrzeit|zeitpunkt|zeit|time|uhr|tag|day|heure|hora|hour|horaire|fecha|jour|dia)$", "", one)
        for one in name_words(name)
    ]
    return "".join(one for one in said if one not in small)


def _alike(one: str, other: str) -> bool:
    """Return whether two names say the same: ``ouvert`` and ``ouverture``, ``erstellt`` and ``erstellungs``."""
    shared = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one == other or (shared >= 4 and shared >= 0.75 * min(len(one), len(other)))

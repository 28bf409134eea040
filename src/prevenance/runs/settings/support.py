"""The working hours of teams, from the settings of ``conf/support/``: what cannot be is refused, with a line that can."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.base.working import DAY, Spans, TeamHours, WorkingHours, holiday_codes, without_breaks
from prevenance.runs.settings.schema import Settings
from prevenance.runs.settings.zones import check_zone

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS = ("hours", "breaks", "dates", "holidays", "zone", "always")
"""What a team may say of its own; what it leaves out is as usual."""

EXAMPLE = "08:00-18:00"


def hours_of(given: Settings) -> TeamHours:
    """Return the working hours of every team.

    Raises:
        PrevenanceError: E201 an unknown key, day or team's key; E202 a span that ends before it starts, spans that overlap, no open hour;
            E203 unknown holidays; E207 an unknown zone.
    """
    own, zone = given.support, given.source.timezone or "UTC"
    usual = {key: getattr(own, key) for key in KEYS}
    teams = []
    for team, said in (own.teams or {}).items():
        place = f"support.teams.{team}"
        if not isinstance(said, dict):
            what = f'a team says its hours with their keys, and "{str(said)[:40]}" stands there'
            raise PrevenanceError(
                "E202", what, key=place, fix=f"write teams: {{{team}: {{always: true}}}} under support in the source's yaml"
            )
        if strange := sorted(str(key) for key in said if key not in KEYS):
            raise PrevenanceError("E201", f'there is no key "{strange[0][:60]}"', key=place, fix=did_you_mean(strange[0], KEYS))
        # a team that closes one day says that day alone
        week = {**usual["hours"], **_mapping(said["hours"], f"{place}.hours")} if "hours" in said else usual["hours"]
        teams.append((str(team), _working_hours({**usual, **said, "hours": week}, zone, place)))
    return TeamHours(_working_hours(usual, zone, "support"), tuple(teams))


def kept_hours(about: Mapping[str, Any]) -> TeamHours | None:
    """Return the hours that a model was fitted with, from what it keeps of how it came to be; ``None`` where it keeps none."""

    def read(said: Mapping[str, Any]) -> WorkingHours:
        return WorkingHours(**{name: _tuples(value) for name, value in said.items()})

    if (kept := about.get("hours")) is None:
        return None
    return TeamHours(read(kept["usual"]), tuple((team, read(said)) for team, said in kept["teams"]))


def _tuples(said: Any) -> Any:
    """Return what JSON made lists of as tuples."""
    return tuple(map(_tuples, said)) if isinstance(said, list | tuple) else said


def _working_hours(said: Mapping[str, Any], zone: str, place: str) -> WorkingHours:
    if not isinstance(said["always"], bool):
        what = f'"{str(said["always"])[:40]}" is not true or false'
        raise PrevenanceError("E202", what, key=f"{place}.always", fix=f"write {place}.always=true")
    zone = said["zone"] or zone
    check_zone(zone, f"{place}.zone")
    holidays = _holidays(said["holidays"], f"{place}.holidays")
    breaks = _spans(said["breaks"], f"{place}.breaks")
    hours, dates = _mapping(said["hours"], f"{place}.hours"), _mapping(said["dates"], f"{place}.dates")
    if strange := sorted(str(day) for day in hours if day not in WEEK):
        raise PrevenanceError("E201", f'no day is called "{strange[0][:60]}"', key=f"{place}.hours", fix=did_you_mean(strange[0], WEEK))
    spans = {day: without_breaks(_spans(hours[day], f"{place}.hours.{day}"), breaks) for day in WEEK if day in hours}
    week = tuple((number, *span) for number, day in enumerate(WEEK) for span in spans.get(day, ()))
    found = tuple(
        (_day(day, f"{place}.dates"), without_breaks(_spans(said, f"{place}.dates.{day}"), breaks)) for day, said in dates.items()
    )
    if not week and not said["always"]:
        less = f", and leave out what {place}.breaks closes" if breaks else ""
        what = "no hour of the week is open, so nothing would ever be worked on"
        fix = f"write {place}.hours.mon={EXAMPLE}{less}, or {place}.always=true"
        raise PrevenanceError("E202", what, key=f"{place}.hours", fix=fix)
    return WorkingHours(zone, week, holidays, found, said["always"])


def _mapping(said: Any, place: str) -> Mapping[str, Any]:
    if isinstance(said, Mapping) or said is None:
        return said or {}
    name = place.rpartition(".")[2]
    example = f"mon: '{EXAMPLE}'" if name == "hours" else f"'12-24': '{EXAMPLE}'"
    what = f'{name} names days, each with its hours, and "{str(said)[:40]}" stands there'
    raise PrevenanceError("E202", what, key=place, fix=f"write {name}: {{{example}}}")


def _spans(said: Any, place: str) -> Spans:
    """Return the spans of a day, in order; a list may hold them one by one."""
    texts = [text for one in (said if isinstance(said, list) else [said]) for text in _texts(one)]
    found = sorted(_span(text, place) for text in texts)
    for (start, end), (begin, last) in pairwise(found):
        if begin < end:
            what = f"{_shown(start, end)} and {_shown(begin, last)} overlap"
            raise PrevenanceError("E202", what, key=place, fix=_written(place, _joined(found)))
    return tuple(found)


def _texts(said: Any) -> list[str]:
    text = "" if said is None else str(said)
    return [one for one in re.split(r"[\s,;]+|\band\b", re.sub(r"\s*[-–]\s*", "-", text)) if one]


def _span(text: str, place: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,2})(?::([0-5]\d))?-(\d{1,2})(?::([0-5]\d))?", text)
    hours = [int(one or 0) for one in found.groups()] if found else []
    start, end = (hours[0] * 3600 + hours[1] * 60, hours[2] * 3600 + hours[3] * 60) if found else (0, 0)
    if not found or max(start, end) > DAY:
        raise PrevenanceError("E202", f'"{text[:40]}" is no span of hours of a day', key=place, fix=_written(place, [(28_800, 64_800)]))
    if end > start:
        return start, end
    what = f"{text} ends before it starts" if end < start else f"{text} ends as it starts"
    fix = _written(place, [(end, start)] if end < start else [(28_800, 64_800)])
    day = place.rpartition(".")[2]
    if end < start and day in WEEK:
        after, base = WEEK[(WEEK.index(day) + 1) % 7], place.rpartition(".")[0]
        fix += f"; a night is the end of a day and the beginning of the next: {base}.{day}={_shown(start, DAY)} {base}.{after}={_shown(0, end)}"
    raise PrevenanceError("E202", what, key=place, fix=fix)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order with those that overlap as one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _shown(start: int, end: int) -> str:
    return "-".join(f"{one // 3600:02}:{one % 3600 // 60:02}" for one in (start, end))


def _written(place: str, spans: list[tuple[int, int]]) -> str:
    texts = [_shown(*one) for one in spans]
    if place.endswith(".breaks"):
        return f"write {place}=[{','.join(texts)}]"
    return f"write {place}={texts[0]}" if len(texts) == 1 else f"write {place}=\"'{' '.join(texts)}'\""


def _day(text: str, place: str) -> str:
    """Return a day as ``2026-05-15``, or ``12-24`` of every year."""
    try:
        # 2024 has the 29th of February
        date.fromisoformat(str(text) if len(str(text)) > 5 else f"2024-{text}")
    except ValueError as problem:
        what = f'"{str(text)[:40]}" is no day'
        fix = f"write {place}.12-24=08:00-12:00 for a day of every year, or {place}.2026-05-15= for one that is closed"
        raise PrevenanceError("E202", what, key=place, fix=fix) from problem
    return str(text)


def _holidays(said: str, place: str) -> tuple[str, str] | None:
    if not said:
        return None
    country, _, part = str(said).partition("-")
    codes = _codes()
    if country.upper() == "FALSE":  # a file of settings reads Norway's NO as a word for false
        raise PrevenanceError(
            "E203", "holidays is false, which is how a file reads NO", key=place, fix=f'write {place}=NO, in a file holidays: "NO"'
        )
    if country.upper() not in codes:
        fix = did_you_mean(country.upper(), codes) if len(country) > 1 else "write a country's two letters, such as FR"
        fix = fix if fix.startswith(("did", "write")) else f"write {place}=FR, or another country's two letters, with its part as in DE-BY"
        raise PrevenanceError("E203", f'no country is called "{country[:40]}"', key=place, fix=fix)
    parts = {one.upper(): one for one in codes[country.upper()]}
    if part and part.upper() not in parts:
        near = did_you_mean(said, [f"{country.upper()}-{one}" for one in parts.values()])
        whole = f"{place}={country.upper()}"
        fix = f"{near}, or leave the part out: {whole}" if parts else f"write {whole}"
        raise PrevenanceError("E203", f'no part of {country.upper()} is called "{part[:40]}"', key=place, fix=fix)
    return country.upper(), parts.get(part.upper(), "")


@cache
def _codes() -> Mapping[str, tuple[str, ...]]:
    return holiday_codes()

"""The settings of working hours: what each key means, and what cannot be is refused with a line that works."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from hydra.core.plugins import Plugins

from pipelines.start.compose import PrivateConf, settings_of
from prevenance.base.errors import PrevenanceError
from prevenance.base.working import TeamHours, WorkingHours, without_breaks
from prevenance.runs.commands import PRIVATE
from prevenance.runs.settings.schema import Settings
from prevenance.runs.settings.support import hours_of

pytestmark = pytest.mark.long

H = 3600


def asked(*overrides: str) -> TeamHours:
    return hours_of(settings_of("train", list(overrides)))


def test_without_a_word_a_team_works_on_weekdays_in_the_zone_of_its_source() -> None:
    usual = WorkingHours().week
    assert asked() == TeamHours(WorkingHours("Europe/Paris", usual))
    assert hours_of(Settings()) == TeamHours(WorkingHours("UTC", usual))
    assert asked("support.zone=America/New_York").usual.zone == "America/New_York"


def test_a_day_may_have_several_spans_and_less_where_there_are_breaks() -> None:
    found = asked(
        "support.hours.mon=7-12, 13:00 - 16:30", "support.hours.tue=", "support.hours.sat=10:00–12:00", "support.breaks=['12:30-13:15']"
    )
    week = {day: tuple(one[1:] for one in found.usual.week if one[0] == day) for day in range(7)}
    assert week[0] == ((7 * H, 12 * H), (13 * H + 900, 16 * H + 1800))
    assert week[2] == ((8 * H, 12 * H + 1800), (13 * H + 900, 18 * H))
    assert week[5] == ((10 * H, 12 * H),)
    assert week[1] == week[6] == ()
    assert without_breaks(((8, 18),), ((6, 20),)) == ()


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("FR", ("FR", "")),
        ("DE-BY", ("DE", "BY")),
        ("gb-eng", ("GB", "ENG")),
        ("DE-augsburg", ("DE", "Augsburg")),
        ("NO", ("NO", "")),
        ("", None),
    ],
)
def test_holidays_are_those_of_a_country_or_its_part(said: str, known: tuple[str, str] | None) -> None:
    assert asked(f"support.holidays={said}").usual.holidays == known


def test_a_source_and_a_private_folder_say_their_hours(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "acme.yaml").write_text(
        """name: acme
timezone: Europe/Berlin
support:
  hours: {fri: 08:00-12:00}
  holidays: DE-BY
  dates: {12-24: 08:00-12:00, 2026-05-15: ""}
  teams:
    night shift: {always: true}
    "team: 1, west": {holidays: GB-ENG, zone: Europe/London, hours: {sat: [09:00-12:00, 13:00-15:00]}}
""",
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PRIVATE, str(tmp_path))
        Plugins.instance().register(PrivateConf)
        found = asked("source=acme")
        assert [one for one in found.usual.week if one[0] == 4] == [(4, 8 * H, 12 * H)]
        assert found.usual.dates == (("12-24", ((8 * H, 12 * H),)), ("2026-05-15", ()))
        night, west = dict(found.teams)["night shift"], dict(found.teams)["team: 1, west"]
        assert night.always
        assert west.holidays == ("GB", "ENG")
        assert [one for one in west.week if one[0] > 3] == [(4, 8 * H, 12 * H), (5, 9 * H, 12 * H), (5, 13 * H, 15 * H)]
        assert len(found.open_hours(datetime(2026, 5, 11), datetime(2026, 5, 18))["calendar"].unique()) == 3
        # the command line has the last word
        assert [one for one in asked("source=acme", "support.hours.fri=").usual.week if one[0] == 4] == []


WRONG = {
    "support.hours.mon=18:00-08:00": r"E202 key=support.hours.mon — 18:00-08:00 ends before it starts. FIX: write support.hours.mon=08:00-18:00",
    "support.hours.sun=22:00-06:00": r"E202.*sun — .*a night is .*: support.hours.sun=22:00-24:00 support.hours.mon=00:00-06:00",
    "support.hours.tue=09:00-09:00": r"E202 key=support.hours.tue — 09:00-09:00 ends as it starts",
    "support.hours.wed='08:00-12:00 11:30-18:00'": r"E202.*08:00-12:00 and 11:30-18:00 overlap. FIX: write support.hours.wed=08:00-18:00",
    "support.hours.thu='08:00-12:00 09:00-10:00 14:00-18:00'": r"E202.*FIX: write support.hours.thu=\"'08:00-12:00 14:00-18:00'\"",
    "support.hours.fri=08:00-25:00": 'E202.*"08:00-25:00" is no span of hours of a day. FIX: write support.hours.fri=08:00-18:00',
    "support.hours.fri=morning": 'E202.*"morning" is no span',
    "support.hours.monday=08:00-18:00": 'E201 key=support.hours — no day is called "monday". FIX: did you mean "mon"',
    "support.hours={mon:'',tue:'',wed:'',thu:'',fri:'',sat:'',sun:''}": "E202 key=support.hours — no hour of the week is open",
    "support.breaks=[06:00-20:00]": "E202 key=support.hours — no hour .* leave out what support.breaks closes",
    "support.breaks=[13:00-12:00]": r"E202 key=support.breaks — .*FIX: write support.breaks=\[12:00-13:00\]",
    "support.breaks=[12:00-13:00,12:30-14:00]": r"E202 key=support.breaks — .*overlap. FIX: write support.breaks=\[12:00-14:00\]",
    "support.holidays=XQ": 'E203 key=support.holidays — no country is called "XQ"',
    "support.holidays=DE-BX": 'E203.*no part of DE is called "BX". FIX: did you mean "DE-[A-Z]+".*support.holidays=DE',
    "support.holidays=FR-Paris": "E203.*no part of FR",
    "support.holidays=MC-1": "E203.*support.holidays=MC$",
    "support.holidays=false": "E203.*FIX: write support.holidays=NO",
    "support.zone=Europe/Pariss": 'E207 key=support.zone — no time zone is called "Europe/Pariss". FIX: did you mean "Europe/Paris"',
    "support.dates.12-32=08:00-12:00": 'E202 key=support.dates — "12-32" is no day. FIX: write support.dates.12-24=08:00-12:00',
    "support.teams={night:always}": "E202 key=support.teams.night — a team says its hours",
    "support.teams={night:{alway:true}}": 'E201 key=support.teams.night — there is no key "alway". FIX: did you mean "always"',
    "support.teams={night:{always:1}}": 'E202 key=support.teams.night.always — "1" is not true or false',
    "support.teams={night:{hours:{mon:18:00-08:00}}}": "E202 key=support.teams.night.hours.mon",
    "support.teams={night:{hours:always}}": "E202 key=support.teams.night.hours — hours names days",
}


@pytest.mark.parametrize("setting", WRONG)
def test_hours_that_cannot_be_are_refused_and_the_fix_works(setting: str) -> None:
    with pytest.raises(PrevenanceError, match=WRONG[setting]) as problem:
        asked(setting)
    assert problem.value.exit_status == 2
    # the first setting of the fix, as a shell hands it on
    typed = re.search(r"(support\.[\w.-]+=)(?:\"('[^']*')\"|(\[[^]]*\])|([\w:./-]*))", problem.value.fix)
    if typed and "night" not in setting:
        asked("".join(filter(None, typed.groups())), *(["support.breaks=[]"] if "leave out" in problem.value.fix else []))
    assert typed or "did you mean" in problem.value.fix or "teams" in setting

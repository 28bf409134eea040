"""The working clock against a count by its definition: every step of every interval asked whether it is open."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pytest

from prevenance.base.working import TeamHours, WorkingHours, open_intervals, working_seconds, working_seconds_sql
from prevenance.features import definitions
from prevenance.features.build import build
from prevenance.history.history import History
from prevenance.runs.settings.support import kept_hours

HOUR, QUARTER = 3600, 900
SINCE, UNTIL = datetime(2024, 2, 20), datetime(2024, 12, 31)
FULL = tuple((day, *span) for day in range(4) for span in ((8 * HOUR, 12 * HOUR), (13 * HOUR, 18 * HOUR)))
LUNCH = (*FULL, (4, 8 * HOUR, 12 * HOUR + 1800))
NIGHTS = tuple((day, *span) for day in range(7) for span in ((0, 2 * HOUR + 1800), (2 * HOUR + 2700, 6 * HOUR), (22 * HOUR, 24 * HOUR)))
CALENDARS = {
    "FR": WorkingHours("Europe/Paris", LUNCH, ("FR", "")),
    "DE-BY": WorkingHours("Europe/Berlin", LUNCH, ("DE", "BY"), (("12-24", ((8 * HOUR, 12 * HOUR),)), ("2024-05-10", ()))),
    "GB-ENG": WorkingHours("Europe/London", WorkingHours().week, ("GB", "ENG"), (("2024-05-27", ((9 * HOUR, 13 * HOUR),)),)),
    "nights": WorkingHours("America/New_York", NIGHTS),
    "half an hour": WorkingHours("Australia/Lord_Howe", NIGHTS),
    "always": WorkingHours("Europe/Paris", always=True),
}
PUBLIC = {
    "FR": "01-01 04-01 05-01 05-08 05-09 05-20 07-14 08-15 11-01 11-11 12-25",
    "DE-BY": "01-01 01-06 03-29 04-01 05-01 05-09 05-20 05-30 10-03 11-01 12-25 12-26",
    "GB-ENG": "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
}
"""The public holidays of 2024, by hand."""


def is_open(name: str, second: int) -> bool:
    """Return whether the team works in this second (UTC since 1970): the definition, for one instant."""
    hours = CALENDARS[name]
    local = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(hours.zone))
    clock, dated = local.hour * HOUR + local.minute * 60 + local.second, dict(hours.dates)
    spans = dated.get(f"{local:%Y-%m-%d}", dated.get(f"{local:%m-%d}"))
    if spans is None:
        spans = (
            () if f"{local:%m-%d}" in PUBLIC.get(name, "").split() else tuple(one[1:] for one in hours.week if one[0] == local.weekday())
        )
    return hours.always or any(start <= clock < end for start, end in spans)


def epoch(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def counted(name: str, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the seconds of each interval, quarter by quarter: every span and every change of the clocks is on a quarter of an hour."""
    quarters = np.arange(epoch(SINCE), epoch(UNTIL), QUARTER)
    opened = np.array([is_open(name, int(one)) for one in quarters])
    found = []
    for start, end in zip(starts.astype("datetime64[s]").astype("int64"), ends.astype("datetime64[s]").astype("int64"), strict=True):
        some = slice((start - quarters[0]) // QUARTER, (end - quarters[0]) // QUARTER + 1)
        shared = np.minimum(quarters[some] + QUARTER, end) - np.maximum(quarters[some], start)
        found.append(int(shared[opened[some]].sum()))
    return np.array(found)


def intervals(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random intervals, some of seconds and some of months, with fractions of a second, and many beside changes of the clocks."""
    span = int((UNTIL - SINCE - timedelta(days=70)).total_seconds() * 1e6)
    starts = rng.integers(0, span, size)
    near = [
        (datetime(2024, month, day, 1) - SINCE) // timedelta(microseconds=1) for month, day in ((3, 10), (3, 31), (4, 6), (10, 5), (10, 27))
    ]
    starts = np.where(rng.random(size) < 0.3, rng.choice(near, size) + rng.integers(-(10**11), 10**11, size), starts)
    lengths = np.exp(rng.uniform(0, np.log(60 * 86_400 * 1e6), size)).astype("int64")
    first = np.datetime64(SINCE, "us") + starts.astype("timedelta64[us]")
    return first, first + lengths.astype("timedelta64[us]")


def by_sql(hours: TeamHours, starts: np.ndarray, ends: np.ndarray, teams: list[str] | None = None) -> np.ndarray:
    con = duckdb.connect()
    con.register("open_hours", hours.open_hours(SINCE, UNTIL))
    con.register("team_hours", hours.team_calendars())
    con.register("asked", pd.DataFrame({"place": np.arange(len(starts)), "a": starts, "b": ends, "team": teams or [""] * len(starts)}))
    rows = "(select asked.*, coalesce(calendar, 0) as number from asked left join team_hours using (team))"
    found = con.execute(f"select working_seconds from {working_seconds_sql(rows, 'a', 'b', calendar='number')} order by place").df()
    return found["working_seconds"].to_numpy()


@pytest.mark.parametrize("name", CALENDARS)
def test_the_clock_counts_what_stepping_through_each_interval_counts(name: str) -> None:
    starts, ends = intervals(np.random.default_rng([*name.encode()]), 600)
    expected = counted(name, starts, ends)
    assert (expected == 0).any() or name == "always"
    np.testing.assert_array_equal(working_seconds(CALENDARS[name], starts, ends), expected)
    np.testing.assert_array_equal(by_sql(TeamHours(CALENDARS[name]), starts, ends), expected)


@pytest.mark.parametrize("name", [name for name in CALENDARS if name != "always"])
def test_the_clock_is_right_in_every_second_around_an_edge(name: str) -> None:
    edges = (
        open_intervals(CALENDARS[name], SINCE, UNTIL)[["open_at", "close_at"]].to_numpy().astype("datetime64[s]").astype("int64").ravel()
    )
    rng = np.random.default_rng(3)
    seconds = np.unique(np.concatenate([one + np.arange(-2, 3) for one in rng.choice(edges, 60)]))
    starts = seconds.astype("datetime64[s]")
    found = working_seconds(CALENDARS[name], starts, starts + np.timedelta64(1, "s"))
    np.testing.assert_array_equal(found, [float(is_open(name, int(one))) for one in seconds])


def test_each_team_is_counted_by_its_own_hours() -> None:
    hours = TeamHours(
        CALENDARS["FR"], (("second line", CALENDARS["GB-ENG"]), ("night", CALENDARS["nights"]), ("it's ours", CALENDARS["FR"]))
    )
    starts, ends = intervals(np.random.default_rng(5), 400)
    teams = ["second line", "night", "first line", "it's ours"] * 100
    by = {"second line": "GB-ENG", "night": "nights"}
    found = by_sql(hours, starts, ends, teams)
    for team in set(teams):
        some = np.array(teams) == team
        np.testing.assert_array_equal(found[some], working_seconds(CALENDARS[by.get(team, "FR")], starts[some], ends[some]))
    assert list(hours.team_calendars()["calendar"]) == [1, 2, 0]


def test_seconds_add_up_and_turn_round() -> None:
    hours = CALENDARS["DE-BY"]
    starts, ends = intervals(np.random.default_rng(9), 200)
    middle = starts + (ends - starts) // 3
    whole = working_seconds(hours, starts, ends)
    np.testing.assert_array_equal(working_seconds(hours, starts, middle) + working_seconds(hours, middle, ends), whole)
    np.testing.assert_array_equal(working_seconds(hours, ends, starts), -whole)
    always = working_seconds(CALENDARS["always"], starts, ends)
    np.testing.assert_array_equal(always, (ends.astype("datetime64[s]") - starts.astype("datetime64[s]")).astype(float))


def test_an_instant_that_is_missing_gives_no_number_and_one_outside_the_week_no_second() -> None:
    none = np.array(["NaT", "2024-05-06T09:00"], dtype="datetime64[us]")
    then = np.array(["2024-05-06T10:00", "NaT"], dtype="datetime64[us]")
    assert np.isnan(working_seconds(WorkingHours(), none, then)).all()
    assert pd.isna(by_sql(TeamHours(), none, then)).all()
    assert np.isnan(working_seconds(WorkingHours(), none[:1], none[:1])).all()
    closed = replace(WorkingHours(), week=())
    assert working_seconds(closed, then[:1], then[:1] + np.timedelta64(9, "h")).tolist() == [0.0]
    assert by_sql(TeamHours(closed), then[:1], then[:1] + np.timedelta64(9, "h")).tolist() == [0]


def test_a_day_of_every_year_is_one_where_there_is_such_a_day() -> None:
    leap = replace(WorkingHours(), week=(), dates=(("02-29", ((0, 10),)),))
    assert list(open_intervals(leap, datetime(2023, 1, 1), datetime(2029, 1, 1))["open_at"].dt.strftime("%Y-%m-%d")) == [
        "2024-02-29",
        "2028-02-29",
    ]


def test_tickets_count_the_hours_of_the_team_that_has_them() -> None:
    steps = [
        ("1", "opened", "2024-03-29T16:30:00", "first line"),  # a Friday; the zone changes its clocks on the Sunday
        ("1", "transferred", "2024-03-29T19:10:00.5", "night"),
        ("1", "replied", "2024-03-30T01:00:00", "night"),
        ("1", "transferred", "2024-03-31T12:00:00", "first line"),
        ("1", "resolved", "2024-04-01T09:00:00", "first line"),
        ("1", "closed", "2024-04-09T09:00:00", None),
        ("2", "opened", "2024-04-02T06:00:00", None),
        ("2", "asked", "2024-04-02T07:30:00", None),
    ]
    rows = pd.DataFrame(steps, columns=["ticket_id", "event", "event_at", "group"])
    instants = pd.to_datetime(rows["event_at"], format="ISO8601").astype("datetime64[us]")
    frame = rows.assign(customer_id="a", event_at=instants, known_at=instants)
    hours = TeamHours(WorkingHours("Europe/Berlin"), (("night", WorkingHours("Europe/Berlin", always=True)),))
    history = History.from_frames({"tickets": frame}, datetime(2024, 5, 1))
    asked = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b"],
            "cutoff": pd.to_datetime(["2024-03-30T12:00", "2024-04-20T00:00", "2024-04-20T00:00"]).as_unit("us"),
        }
    )
    found = build(history, asked, definitions(["tickets"], hours=hours))
    # the first team's hours until the reply: 17:30 to 18:00 of Friday in Berlin
    reply = [0.5, 0.5]
    # then the night's, day and night, from 19:10:00 on Friday to noon on Sunday, and an hour less on the Monday that the first line is back
    solution = [np.nan, 0.5 + 40 + 5 / 6 + 3]
    np.testing.assert_allclose(found["first_reply_working_hours_90d"], [*reply, np.nan], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["solution_working_hours_90d"], [*solution, np.nan], rtol=0, atol=1e-12)
    usual = build(history, asked, definitions(["tickets"]))
    assert list(usual["solution_working_hours_90d"].round(6))[1] == 1.5 + 1
    assert usual["clarifications_per_ticket_90d"].tolist()[:2] == [0.0, 0.5]


def test_a_model_keeps_its_hours() -> None:
    hours = TeamHours(CALENDARS["DE-BY"], (("night", CALENDARS["always"]), ("west", CALENDARS["GB-ENG"])))
    assert kept_hours(json.loads(json.dumps({"hours": asdict(hours)}))) == hours
    assert kept_hours({}) is None
    assert hash(hours) == hash(kept_hours({"hours": asdict(hours)}))

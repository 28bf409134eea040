"""Events of the watch: what dries up, doubles or loses a segment is named that night, what is quiet is left alone, and the future changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from amount import amount
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import CUTOFFS, worlds

from prevenance.history.history import History
from prevenance.proof.watch.events import LOGS, event_warnings, segments_gone, table_events

END = datetime(2026, 6, 10)
WEEKDAY = np.array([1.3, 1.2, 1.2, 1.1, 1.0, 0.3, 0.2])


def company(seed: int, *, days: int = 420, customers: int = 300, use: float = 900.0, tickets: float = 12.0) -> dict[str, pd.DataFrame]:
    """Return a quiet company up to ``END``: use and tickets with a rhythm of the week, days that differ, and rows known a day later."""
    dice = np.random.default_rng(seed)
    people = pd.DataFrame(
        {"customer_id": [f"{n:04}" for n in range(customers)], "segment": np.where(np.arange(customers) % 4, "small", "key")}
    )
    people = people.assign(event_at=END - timedelta(days=days), known_at=END - timedelta(days=days), name=people["customer_id"])

    def log(a_day: float) -> pd.DataFrame:
        offset = np.arange(days)
        weekday = np.array([(END - timedelta(days=int(one) + 1)).weekday() for one in offset])
        rate = a_day * WEEKDAY[weekday] * dice.lognormal(0, 0.15, days)
        back = np.repeat(offset, dice.poisson(rate))
        at = END - pd.to_timedelta(back + dice.random(len(back)) * 0.999 + 0.0005, unit="D")
        who = people["customer_id"].to_numpy()[dice.integers(0, customers, len(back))]
        rows = pd.DataFrame({"customer_id": who, "event_at": at})
        return rows.assign(known_at=rows["event_at"] + pd.to_timedelta(np.where(dice.random(len(rows)) < 0.1, 1.0, 0.01), unit="D"))

    told = log(tickets)
    told = told.assign(ticket_id=[f"t{n}" for n in range(len(told))], event="opened")
    again = told.sample(frac=0.8, random_state=seed).assign(event="replied")
    again["event_at"] = again["known_at"] = again["known_at"] + timedelta(days=1)
    return {"customers": people, "usage": log(use).assign(kind="use", feature="f"), "tickets": pd.concat([told, again], ignore_index=True)}


def named(frames: dict[str, pd.DataFrame], cutoff: datetime = END, since: int = 1) -> list[tuple[str, str]]:
    return [(one.kind, one.about) for one in event_warnings(History.from_frames(frames, cutoff), cutoff, since)]


@pytest.fixture(scope="module")
def quiet() -> dict[str, pd.DataFrame]:
    return company(1)


def stopped(rows: pd.DataFrame, since: datetime) -> pd.DataFrame:
    return rows[rows["event_at"] <= since]


def test_a_quiet_night_says_nothing(quiet: dict[str, pd.DataFrame]) -> None:
    assert named(quiet) == []


def test_a_feed_that_stops_is_named_though_one_fresh_row_a_day_arrives(quiet: dict[str, pd.DataFrame]) -> None:
    since = END - timedelta(days=1)
    fresh = quiet["usage"].tail(1).assign(event_at=END - timedelta(hours=1), known_at=END - timedelta(hours=1))
    assert named(quiet | {"usage": pd.concat([stopped(quiet["usage"], since), fresh])}) == [("dried", "usage")]


def test_updates_of_old_tickets_are_no_events(quiet: dict[str, pd.DataFrame]) -> None:
    tickets, since = quiet["tickets"], END - timedelta(days=7)
    old = tickets[tickets["event_at"] <= since]
    again = old.tail(400).assign(event="replied", event_at=END - timedelta(hours=3), known_at=END - timedelta(hours=2))
    assert ("dried", "tickets") in named(quiet | {"tickets": pd.concat([old, again])})


def test_a_log_whose_last_week_is_cut_is_named(quiet: dict[str, pd.DataFrame]) -> None:
    assert named(quiet | {"usage": stopped(quiet["usage"], END - timedelta(days=7))}) == [("dried", "usage")]


def test_a_day_that_arrives_twice_is_named(quiet: dict[str, pd.DataFrame]) -> None:
    last = quiet["usage"][quiet["usage"]["event_at"] > END - timedelta(days=1)]
    assert named(quiet | {"usage": pd.concat([quiet["usage"], last, last])}) == [("doubled", "usage")]


def test_a_segment_whose_events_stop_is_named(quiet: dict[str, pd.DataFrame]) -> None:
    key = quiet["customers"].loc[quiet["customers"]["segment"] == "key", "customer_id"]
    usage = quiet["usage"]
    rest = usage[~(usage["customer_id"].isin(key) & (usage["event_at"] > END - timedelta(days=1)))]
    found = event_warnings(History.from_frames(quiet | {"usage": rest}, END), END)
    assert [(one.kind, one.about, one.facts["segment"]) for one in found] == [("segment", "usage", "key")]


def test_a_segment_that_is_not_exported_any_more_is_missed_beside_the_lists_before() -> None:
    before = [{"key": 75, "small": 225}] * 7
    assert [one.facts["segment"] for one in segments_gone({"small": 226}, before)] == ["key"]
    assert segments_gone({"small": 226, "key": 74}, before) == segments_gone({"small": 3}, []) == []


def test_a_short_history_and_a_rare_table_say_nothing() -> None:
    young = company(2, days=40)
    assert named(young | {"usage": stopped(young["usage"], END - timedelta(days=3))}) == []
    rare = company(3, tickets=0.05)
    assert named(rare | {"tickets": stopped(rare["tickets"], END - timedelta(days=3))}) == []


def test_a_table_of_few_events_is_named_once_a_dozen_are_missing() -> None:
    few = company(4, tickets=6)
    for days, named_so in ((1, []), (2, [("dried", "tickets")])):
        assert named(few | {"tickets": stopped(few["tickets"], END - timedelta(days=days))}) == named_so


def test_a_source_that_is_always_late_is_compared_with_itself(quiet: dict[str, pd.DataFrame]) -> None:
    late = quiet["usage"].assign(known_at=quiet["usage"]["event_at"] + timedelta(days=2))
    assert named(quiet | {"usage": late}) == []


@settings(max_examples=amount(3, 15), deadline=None)
@given(world=worlds(), cutoff=st.sampled_from(CUTOFFS), hours=st.integers(1, 5000))
def test_what_is_not_visible_at_the_cutoff_changes_no_count(world: dict[str, pd.DataFrame], cutoff: datetime, hours: int) -> None:
    until = max(CUTOFFS) + timedelta(days=400)
    seen = History.from_frames(world, until)
    changed = {}
    for name, rows in world.items():
        hidden = (rows["event_at"] > cutoff) | (rows["known_at"] > cutoff)
        later = rows[hidden].assign(known_at=lambda rows: rows["known_at"] + timedelta(hours=hours))
        changed[name] = pd.concat([rows[~hidden], later, later]).sample(frac=1, random_state=1)
    other = History.from_frames(changed, until)
    for name in set(LOGS) & set(world):
        first, second = table_events(seen, name, cutoff), table_events(other, name, cutoff)
        assert first.counts.keys() == second.counts.keys()
        assert all((first.counts[one] == second.counts[one]).all() for one in first.counts)
        # One cutoff is like many: a window of the past is what that night itself counted.
        earlier = table_events(seen, name, cutoff - timedelta(days=14))
        if not {"tickets", "invoices", "purchases"} & {name}:
            assert first.window(7, 14)[0] == earlier.window(7)[0]


@pytest.mark.sweep
def test_quiet_companies_are_left_alone() -> None:
    companies, nights, episodes, told = amount(2, 5), 100, 0, []
    for seed in range(companies):
        history = History.from_frames(company(seed, days=420 + nights), END)
        before: set[tuple[str, str]] = set()
        for night in range(nights):
            cutoff = END - timedelta(days=nights - night)
            now = {(one.kind, one.about) for one in event_warnings(history, cutoff)}
            episodes, before = episodes + len(now - before), now
            told += [(seed, night, *one) for one in now]
    assert episodes <= 0.01 * companies * nights, told

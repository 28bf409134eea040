"""Who is contacted: suppression, hold-out, capacity and stability, one moment after the other."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from amount import amount
from hypothesis import given, settings
from hypothesis import strategies as st

from prevenance.base.errors import PrevenanceError
from prevenance.decide.weeks import week_began
from prevenance.order.capacity import Room
from prevenance.order.decision import Memory, Rules, decide
from prevenance.order.holdout import ORIGIN, HoldOut, last_mondays

MONDAY = datetime(2026, 9, 28)
NONE = HoldOut("churn", 90, share=0.0)


def people(n: int, **columns) -> pd.DataFrame:
    usual = {"state0": "at_risk", "score": np.linspace(0.9, 0.1, n), "value_at_stake": 1000.0, "owner": "Dana"}
    return pd.DataFrame({"customer_id": [f"c{number:03}" for number in range(n)]} | usual | columns)


def rules(capacity: int = 4, hold: HoldOut = NONE, **others) -> Rules:
    return Rules(0.15, 0.0, Room(capacity), hold, **others)


def decided(rows: pd.DataFrame, given: Rules, memory: Memory | None = None, moment: datetime = MONDAY, draws: bool = False) -> pd.DataFrame:
    return decide(rows, given, moment, memory or Memory(), draws=draws)[0].set_index("customer_id")


# -- suppression


def test_each_reason_sets_a_row_apart_and_the_first_counts() -> None:
    later = pd.Timestamp(MONDAY + timedelta(days=5))
    rows = people(9).assign(
        cooling_down=[True, True] + [False] * 7,
        state0=["at_risk", "too_late", "too_late", "not_enough_data"] + ["at_risk"] * 5,
        escalated=[True, False, True, False, True, True, False, False, False],
        rests=["snoozed", "", "", "", "snoozed", "", "snoozed", "too_late", ""],
        rests_until=later,
        rests_since=pd.Timestamp(MONDAY - timedelta(days=1)),
        score_then=0.5,
    )
    rows.loc[3, "score"] = np.nan
    found = decided(rows, rules(5, wake_points=50))
    told = ["cooling_down", "cooling_down", "too_late", "not_enough_data", "escalated", "escalated", "snoozed", "too_late", ""]
    assert found["apart"].tolist() == told
    assert found["rank"].dropna().to_dict() == {"c008": 1}
    assert found["expected_value"].notna().tolist() == [True, False, False, False, True, True, True, False, True]
    assert found["apart_until"].dropna().to_dict() == {"c006": later}


@pytest.mark.parametrize(("days", "apart"), [(-1, "snoozed"), (0, ""), (1, "")])
def test_a_snooze_ends_on_its_date(days: int, apart: str) -> None:
    rows = people(1).assign(rests="snoozed", rests_until=pd.Timestamp(MONDAY), rests_since=pd.Timestamp("2026-09-01"), score_then=0.9)
    assert decided(rows, rules(), moment=MONDAY + timedelta(days=days))["apart"].tolist() == [apart]


def test_a_jump_in_chance_wakes_and_stays_awake() -> None:
    since = pd.Timestamp("2026-09-01")
    rows = people(2, score=[0.59, 0.60]).assign(rests="snoozed", rests_until=pd.Timestamp("2027-01-01"), rests_since=since, score_then=0.5)
    found, memory = decide(rows, rules(wake_points=10), MONDAY, Memory(), draws=False)
    assert found["apart"].tolist() == ["snoozed", ""]
    assert found["woken_points"].fillna(0).tolist() == [0.0, 10.0]
    fell = rows.assign(score=0.5)
    again = decided(fell, rules(wake_points=10), memory, MONDAY + timedelta(days=7))
    assert again["apart"].tolist() == ["snoozed", ""], "who woke is not put back to sleep by the same snooze"
    renewed = decided(fell.assign(rests_since=pd.Timestamp("2026-09-29")), rules(), memory, MONDAY + timedelta(days=7))
    assert renewed["apart"].tolist() == ["snoozed", "snoozed"], "a new snooze counts"


# -- capacity


def test_hours_are_counted_for_each_owner_walking_down_the_order() -> None:
    owners = ["Dana", "Dana", "Dana", "Eve", None, "Fay", None, "Eve"]
    room = Room(1, {"default": 1.6, "Dana": 3.2, "Fay": 1.0}, 1.5)
    found = decided(people(8, owner=owners), Rules(0.15, 0.0, room, NONE))
    assert found["rank"].dropna().to_dict() == {"c000": 1, "c001": 2, "c003": 3}
    assert found["hours"].sum() == 4.5
    assert (room.unit, room.available("Dana"), room.available("Zoe"), room.available(None)) == ("hours", 3.2, 1.6, 0.0)


def test_without_default_hours_only_who_is_named_is_worked() -> None:
    found = decided(people(3, owner=["Dana", "Eve", "Dana"]), Rules(0.15, 0.0, Room(9, {"Dana": 9.0}), NONE))
    assert found["rank"].dropna().to_dict() == {"c000": 1, "c002": 2}


def test_default_hours_are_those_of_every_owner_and_nobody_has_hours_for_who_has_no_owner() -> None:
    room = Room(9, {"default": 18.0}, 1.5)
    assert (room.slots("Dana"), room.slots("Zoe"), room.slots(None), room.slots("")) == (12, 12, 0, 0)
    found = decided(people(4, owner=[None, "Dana", None, "Eve"]), Rules(0.15, 0.0, room, NONE))
    assert found["rank"].dropna().to_dict() == {"c001": 1, "c003": 2}


@pytest.mark.parametrize(("used", "left"), [({}, 4), ({"Dana": 1}, 3), ({"Dana": 2, "": 1}, 1), ({"Eve": 9}, 0)])
def test_what_was_done_this_week_uses_its_capacity_up(used: dict[str, int], left: int) -> None:
    found = decided(people(9), Rules(0.15, 0.0, Room(4, used=used), NONE))
    assert int(found["rank"].notna().sum()) == left
    by_hours = Room(4, {"default": 6.0}, 1.5, used)
    assert by_hours.slots("Dana") == 4 - used.get("Dana", 0)


@pytest.mark.parametrize(
    ("moment", "zone", "began"),
    [
        ("2026-10-01T15:00", "Europe/Paris", "2026-09-27T22:00"),
        ("2026-09-27T22:00", "Europe/Paris", "2026-09-27T22:00"),
        ("2026-09-27T21:59", "Europe/Paris", "2026-09-20T22:00"),
        ("2026-09-28T03:00", "America/New_York", "2026-09-21T04:00"),
        ("2026-10-26T12:00", "Europe/Paris", "2026-10-25T23:00"),
        ("2026-10-25T12:00", "Europe/Paris", "2026-10-18T22:00"),
    ],
)
def test_a_week_begins_on_its_monday_in_the_sources_zone(moment: str, zone: str, began: str) -> None:
    assert week_began(datetime.fromisoformat(moment), zone) == datetime.fromisoformat(began)


def test_a_capacity_below_one_is_refused() -> None:
    with pytest.raises(PrevenanceError, match="capacity is 0"):
        Room(0)


# -- stability


@pytest.mark.long
@settings(max_examples=amount(20, 60), deadline=None)
@given(seed=st.integers(0, 10_000), money=st.booleans(), by_hours=st.booleans())
def test_noise_below_the_margin_changes_no_membership(seed: int, money: bool, by_hours: bool) -> None:
    draw = np.random.default_rng(seed)
    n, margin = 40, 0.05
    rows = people(n, score=draw.uniform(0.05, 0.5, n), owner=draw.choice(["Dana", "Eve"], n))
    rows["value_at_stake"] = draw.uniform(500, 9000, n) if money else np.nan
    room = Room(10, {"default": 6.0} if by_hours else {}, 1.0)
    given = Rules(0.15, 60.0, room, NONE, margin)
    before, memory = decide(rows, given, MONDAY, Memory(), draws=False)
    bound = margin / (2 + margin) * 0.999
    noisy = rows.assign(score=rows["score"] * draw.uniform(1 - bound, 1 + bound, n))
    after, _ = decide(noisy, given, MONDAY, memory, draws=False)
    assert after["rank"].notna().tolist() == before["rank"].notna().tolist()
    assert not after["new"].any()


@pytest.mark.long
@settings(max_examples=amount(20, 60), deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_clear_rise_enters_and_who_is_least_worth_leaves(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows = people(30, score=draw.uniform(0.05, 0.5, 30), value_at_stake=draw.uniform(500, 9000, 30))
    before, memory = decide(rows, rules(8), MONDAY, Memory(), draws=False)
    gain = rows["score"] * rows["value_at_stake"]
    last = gain[before["rank"] == 8].iloc[0]
    chosen = int(draw.choice(np.flatnonzero(before["rank"].isna())))
    for factor, enters in ((1.04, False), (1.06, True)):
        rows.loc[chosen, "value_at_stake"] = last * factor / rows.loc[chosen, "score"]
        after, _ = decide(rows, rules(8), MONDAY, memory, draws=False)
        assert bool(after["rank"].notna()[chosen]) is enters
    assert set(before.index[before["rank"].notna()]) - set(after.index[after["rank"].notna()]) == {
        int(before.index[before["rank"] == 8][0])
    }
    assert after["new"].sum() == 1


def test_the_control_without_a_margin_noise_reshuffles() -> None:
    draw = np.random.default_rng(1)
    rows = people(200, score=draw.uniform(0.3, 0.35, 200))
    flat = rules(50, margin=0.0)
    _, memory = decide(rows, flat, MONDAY, Memory(), draws=False)
    noisy = rows.assign(score=rows["score"] * draw.uniform(0.98, 1.02, 200))
    assert decide(noisy, flat, MONDAY, memory, draws=False)[0]["new"].sum() > 5


# -- hold-out


HELD = HoldOut("churn", 30, share=0.3, max_value=5000)


def test_the_hold_out_is_drawn_near_the_line_and_nobody_may_not_be_held() -> None:
    rows = people(200, value_at_stake=np.where(np.arange(200) % 7 == 0, 6000.0, 1000.0), score=0.5)
    rows["escalated"], rows["revenue"] = np.arange(200) % 11 == 0, np.where(np.arange(200) % 13 == 0, 9000.0, 10.0)
    rows["touched"] = np.arange(200) % 17 == 0
    found = decided(rows, rules(100, HELD), draws=True)
    held = found[found["arm"] == "holdout"]
    given = rows.set_index("customer_id").loc[held.index]
    assert len(held) > 5
    assert not given["escalated"].any()
    assert not given["touched"].any()
    assert (given[["value_at_stake", "revenue"]].max(axis=1) <= 5000).all()
    assert held["in_band"].all()
    assert held["rank"].isna().all()
    assert (held["apart"] == "holdout").all()
    assert found["rank"].dropna().sort_values().tolist() == list(range(1, 101)), "who is held out is replaced"
    free = found[found["apart"].isin(["", "holdout", "beyond_capacity"])].sort_values("place")
    assert set(free.index[free["in_band"]]) <= set(free.index[50:150])
    assert 0.15 < len(held) / found["in_band"].sum() < 0.45


def test_a_customer_keeps_its_arm_for_an_epoch_and_is_drawn_anew_in_the_next() -> None:
    draw, memory, arms = np.random.default_rng(4), Memory(), {}
    first = ORIGIN + timedelta(days=7 * HELD.weeks * 250)
    for week in range(HELD.weeks):
        rows = people(100, score=draw.uniform(0.1, 0.9, 100))
        found, memory = decide(rows, rules(30, HELD), first + timedelta(days=7 * week), memory, draws=True)
        for customer, arm in zip(found["customer_id"], found["arm"], strict=True):
            if arm:
                assert arms.setdefault(customer, arm) == arm
        held = {one for one, arm in memory.arms.items() if arm == "holdout"}
        assert held <= set(found.loc[found["arm"] == "holdout", "customer_id"]), "a hold-out stays one wherever its chance goes"
    assert len(held) > 3
    _, following = decide(rows, rules(30, HELD), first + timedelta(days=7 * HELD.weeks), memory, draws=True)
    assert {one for one, arm in following.arms.items() if arm == "holdout"} != held


def test_between_the_mondays_nobody_is_drawn() -> None:
    rows = people(100)
    _, memory = decide(rows, rules(30, HELD), MONDAY, Memory(), draws=True)
    held = decided(rows.assign(score=rows["score"].to_numpy()[::-1]), rules(30, HELD), memory, MONDAY + timedelta(days=2))
    assert set(held.index[held["arm"] == "holdout"]) == {one for one, arm in memory.arms.items() if arm == "holdout"}


def test_a_hold_out_that_escalates_or_grows_is_one_no_longer() -> None:
    rows = people(100)
    _, memory = decide(rows, rules(30, HELD), MONDAY, Memory(), draws=True)
    one, other, *_ = sorted(one for one, arm in memory.arms.items() if arm == "holdout")
    rows["escalated"], rows["revenue"] = rows["customer_id"] == one, np.where(rows["customer_id"] == other, 9000.0, 10.0)
    found = decided(rows, rules(30, HELD), memory, MONDAY + timedelta(days=1))
    assert found.loc[one, ["apart", "arm"]].tolist() == ["escalated", ""]
    assert found.loc[other, "arm"] != "holdout"


def test_the_draw_is_a_keyed_hash_of_the_id() -> None:
    ids = [f"id{number}" for number in range(4000)]
    share = [HELD.drawn(one, 7) for one in ids]
    assert share == [HoldOut("churn", 30, share=0.3).drawn(one, 7) for one in ids]
    assert np.mean(share) == pytest.approx(0.3, abs=0.03)
    for other in (HoldOut("churn", 30, share=0.3, key=b"ours"), HoldOut("tickets", 30, share=0.3)):
        assert np.mean([one == other.drawn(name, 7) for one, name in zip(share, ids, strict=True)]) == pytest.approx(0.58, abs=0.04)
    assert np.mean([one == HELD.drawn(name, 8) for one, name in zip(share, ids, strict=True)]) == pytest.approx(0.58, abs=0.04)
    assert HELD.mark != HoldOut("churn", 30, key=b"ours").mark


@given(st.datetimes(datetime(2001, 1, 1), datetime(2060, 1, 1)))
def test_weeks_and_epochs_tile_time(moment: datetime) -> None:
    found = last_mondays(moment, 13)
    assert all(one.weekday() == 0 and one.time() == datetime.min.time() for one in found)
    assert timedelta(0) <= moment - found[-1] < timedelta(days=7)
    assert HELD.began(moment) <= moment < HELD.began(moment) + timedelta(days=7 * HELD.weeks)
    assert HELD.epoch(HELD.began(moment)) == HELD.epoch(moment) == HELD.epoch(found[-1])


def test_an_empty_cohort_is_decided_too() -> None:
    found, memory = decide(people(0), rules(4, HELD), MONDAY, Memory(), draws=True)
    assert found.empty
    assert memory.inside == frozenset()


def test_the_line_of_chances_is_twelve_mondays_of_which_the_last_is_the_cutoff() -> None:
    from prevenance.decide.weeks import BEFORE, moments_of

    for cutoff in (MONDAY, MONDAY + timedelta(days=3, hours=2)):
        found = moments_of(cutoff, rules())
        assert len(found.line) == 12
        assert found.line[-1] == cutoff
        assert {one.weekday() for one in found.line[:-1]} == {0}
        assert cutoff - BEFORE in found.every
        assert found.every == sorted(set(found.every))
        assert found.mondays[0] <= rules().holdout.began(cutoff), "the arms of an epoch are seen from its beginning"

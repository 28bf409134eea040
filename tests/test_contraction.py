"""Contraction: a table of small histories with what each counts as, and a slow second opinion in plain Python on random companies."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest
from amount import amount, some
from oracle import contract_steps
from worlds import CUTOFFS, world

from prevenance.history.history import History
from prevenance.judge.outcomes import DID_NOT, NOT_YET, outcomes_of_list
from prevenance.targets.contraction import contraction
from prevenance.targets.labels import cohort, label

CUTOFF = datetime(2025, 3, 1)
TARGET = contraction(horizon_days=90, settle_days=7)
END = CUTOFF + timedelta(days=90)
OUT, LOW, NO = "not asked", 1.0, 0.0
EPSILON = timedelta(microseconds=1)
EARLIEST = CUTOFF + EPSILON
ORDER = ["started", "changed", "renewed", "notice", "ended"]

Step = tuple[object, ...]


def step(day: float | datetime, event: str, seats: float | None = None, mrr: float | None = None, sub: str = "s", known: float = 0) -> Step:
    """Return a row: days from the cutoff (or an instant), and how many days later it was known."""
    moment = day if isinstance(day, datetime) else CUTOFF + timedelta(days=day)
    return "c", moment, moment + timedelta(days=known), sub, event, seats, mrr


BEGUN = step(-300, "started", 10, 100.0)
HISTORIES: dict[str, tuple[list[Step], object]] = {
    "nothing happens": ([BEGUN], NO),
    "eight of ten seats are left": ([BEGUN, step(20, "changed", 8, 100.0)], LOW),
    "a little more than eight of ten are left": ([step(-300, "started", 1000, 100.0), step(20, "changed", 801, 100.0)], NO),
    "less money for the same seats": ([BEGUN, step(20, "changed", 10, 80.0)], LOW),
    "more seats for less money": ([BEGUN, step(20, "changed", 12, 70.0)], LOW),
    "more of both": ([BEGUN, step(20, "changed", 12, 130.0)], NO),
    "a dip that is made good": ([BEGUN, step(20, "changed", 5, 50.0), step(60, "changed", 10, 100.0)], NO),
    "made good in part only": ([BEGUN, step(20, "changed", 5, 50.0), step(60, "changed", 8, 80.0)], LOW),
    "up and then down": ([BEGUN, step(20, "changed", 20, 200.0), step(60, "changed", 10, 100.0)], NO),
    "leaves altogether": ([BEGUN, step(30, "ended")], NO),
    "shrinks and then leaves": ([BEGUN, step(20, "changed", 5, 50.0), step(60, "ended")], NO),
    "gives notice and is still there": ([BEGUN, step(20, "notice")], NO),
    "one of two contracts ends": ([BEGUN, step(-200, "started", 10, 100.0, sub="t"), step(40, "ended", sub="t")], LOW),
    "one ends and the other grows": (
        [BEGUN, step(-200, "started", 10, 100.0, sub="t"), step(40, "ended", sub="t"), step(41, "changed", 20, 200.0)],
        NO,
    ),
    "leaves and comes back smaller": ([BEGUN, step(20, "ended"), step(50, "started", 5, 50.0, sub="t")], LOW),
    "comes back as it was": ([BEGUN, step(20, "ended"), step(50, "started", 10, 100.0, sub="t")], NO),
    "a change at the cutoff is the standing": ([BEGUN, step(0, "changed", 5, 50.0)], NO),
    "a change at the very end counts": ([BEGUN, step(END, "changed", 5, 50.0)], LOW),
    "one just after it does not": ([BEGUN, step(END + EPSILON, "changed", 5, 50.0)], NO),
    "known as late as may be": ([BEGUN, step(END, "changed", 5, 50.0, known=7)], LOW),
    "known later than that": ([BEGUN, step(END, "changed", 5, 50.0, known=7.01)], NO),
    "happened before the cutoff, known after it": ([BEGUN, step(-5, "changed", 5, 50.0, known=10)], NO),
    "only money is known": ([step(-300, "started", None, 100.0), step(20, "changed", None, 60.0)], LOW),
    "only seats are known": ([step(-300, "started", 10, None), step(20, "changed", 6, None)], LOW),
    "neither is known": ([step(-300, "started"), step(20, "changed", 6, 10.0)], OUT),
    "nothing is paid for": ([step(-300, "started", 0, 0.0)], OUT),
    "it ended before": ([BEGUN, step(-10, "ended")], OUT),
    "a change that says nothing new": ([BEGUN, step(20, "renewed"), step(30, "changed")], NO),
    "one of two gets a little smaller": ([BEGUN, step(-200, "started", 10, 100.0, sub="t"), step(20, "changed", 7, 70.0)], NO),
    "one of two gets much smaller": ([BEGUN, step(-200, "started", 10, 100.0, sub="t"), step(20, "changed", 6, 60.0)], LOW),
    "the last of two ends as well": (
        [BEGUN, step(-200, "started", 10, 100.0, sub="t"), step(20, "ended", sub="t"), step(90, "ended")],
        NO,
    ),
    "paid down to nothing while it runs, a pause": ([BEGUN, step(20, "changed", 0, 0.0)], LOW),
    "paused and taken up again": ([BEGUN, step(20, "changed", 0, 0.0), step(80, "changed", 10, 100.0)], NO),
    "under notice at the cutoff, but it runs": ([BEGUN, step(-10, "notice")], NO),
    "under notice, and smaller until then": ([BEGUN, step(-10, "notice"), step(20, "changed", 5, 50.0)], LOW),
    "seats alone go down, the money stays": ([BEGUN, step(20, "changed", 7, 100.0)], LOW),
    "a shrunk contract from just after the cutoff": ([BEGUN, step(EARLIEST, "changed", 5, 50.0)], LOW),
    "eight tenths to the cent, of three contracts": (
        [step(-300, "started", None, 33.33, sub=one) for one in "abc"] + [step(20, "changed", None, 13.332, sub="a")],
        LOW,
    ),
    "a hundredth of a cent above eight tenths": (
        [step(-300, "started", None, 33.33, sub=one) for one in "abc"] + [step(20, "changed", None, 13.3321, sub="a")],
        NO,
    ),
    "it moves to a contract of which nothing is known": ([BEGUN, step(20, "ended"), step(20, "started", sub="t")], NO),
    "it moves to one of which only the money is known": ([BEGUN, step(20, "ended"), step(20, "started", None, 70.0, sub="t")], LOW),
    "it was known at the cutoff only of the money": ([step(-300, "started", None, 100.0), step(20, "changed", 1, 100.0)], NO),
    "several on one day, the last known counts": ([BEGUN, step(20, "changed", 5, 50.0), step(20, "changed", 9, 90.0, known=0.1)], NO),
}


def labelled(steps: list[Step], until: datetime = END + timedelta(days=60)) -> pd.DataFrame:
    columns = ["customer_id", "event_at", "known_at", "subscription_id", "event", "seats", "mrr"]
    frame = pd.DataFrame(steps, columns=columns).astype({"seats": float, "mrr": float})
    customers = pd.DataFrame({"customer_id": ["c"], "event_at": [datetime(2024, 1, 1)], "known_at": [datetime(2024, 1, 1)]})
    history = History.from_frames({"subscriptions": frame, "customers": customers}, until)
    return label(history, TARGET, cohort(history, TARGET, [CUTOFF]))


@pytest.mark.parametrize("story", list(HISTORIES))
def test_what_each_history_counts_as(story: str) -> None:
    steps, wanted = HISTORIES[story]
    found = labelled(steps)
    assert (OUT if found.empty else found["label"].iloc[0]) == wanted


@pytest.mark.parametrize(
    ("steps", "days"),
    [
        ([step(20, "changed", 8, 100.0)], 20),
        ([step(20, "changed", 5, 50.0), step(60, "changed", 8, 80.0)], 20),
        ([step(20, "changed", 5, 50.0), step(40, "changed", 10, 100.0), step(60, "changed", 7, 70.0)], 60),
        ([step(20, "ended"), step(50, "started", 5, 50.0, sub="t")], 50),
    ],
)
def test_it_came_when_it_stayed_low(steps: list[Step], days: int) -> None:
    assert labelled([BEGUN, *steps])["outcome_at"].tolist() == [pd.Timestamp(CUTOFF + timedelta(days=days))]


def test_what_is_at_stake_is_the_fifth_of_a_year() -> None:
    assert labelled([BEGUN, step(-200, "started", 1, 50.0, sub="t")])["value_at_stake"].tolist() == [360.0]
    assert labelled([step(-300, "started", 5)])["value_at_stake"].isna().all()


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([], "at_risk"),
        ([step(-10, "notice")], "too_late"),
        ([step(0, "notice")], "too_late"),
        ([step(EARLIEST, "notice")], "at_risk"),
        ([step(-10, "notice", known=20)], "at_risk"),
        ([step(-10, "notice"), step(-5, "renewed")], "at_risk"),
        ([step(-10, "notice"), step(-200, "started", 10, 100.0, sub="t")], "at_risk"),
    ],
)
def test_whose_every_contract_is_under_notice_is_too_late(steps: list[Step], state: str) -> None:
    assert labelled([BEGUN, *steps])["state"].tolist() == [state]


def test_while_its_window_is_open_nothing_is_said() -> None:
    assert labelled([BEGUN, step(20, "changed", 1, 1.0)], until=END + timedelta(days=6))["label"].isna().all()


def test_a_dip_is_no_outcome_before_the_window_is_over() -> None:
    steps = [BEGUN, step(20, "changed", 5, 50.0), step(60, "changed", 10, 100.0)]
    for days, wanted in ((30, NOT_YET), (96, NOT_YET), (97, DID_NOT)):
        columns = ["customer_id", "event_at", "known_at", "subscription_id", "event", "seats", "mrr"]
        rows = pd.DataFrame(steps, columns=columns).astype({"seats": float, "mrr": float})
        until = CUTOFF + timedelta(days=days)
        history = History.from_frames({"subscriptions": rows[rows["known_at"] <= until]}, until)
        listed = pd.DataFrame({"customer_id": ["c"], "cutoff": [CUTOFF], "state": ["at_risk"], "rank": [1.0]})
        found = outcomes_of_list(history, TARGET, listed)
        assert found["outcome"].tolist() == [wanted], days
        assert found["outcome_at"].isna().all()


# A second opinion: rows of one customer, one after another, from the definition.


def standing(rows: list[dict[str, object]]) -> tuple[bool, float | None, float | None]:
    """Return whether anything runs, and the sums of seats and money over what does."""
    running, seats, mrr = False, None, None
    for sub in sorted({str(row["subscription_id"]) for row in rows}):
        own = [row for row in rows if row["subscription_id"] == sub]
        if not contract_steps(own)[-1][1]:
            continue
        running = True
        for name in ("seats", "mrr"):
            known = sorted(
                (row["event_at"], row["event"] != "ended", row["known_at"], ORDER.index(str(row["event"])), row[name])
                for row in own
                if pd.notna(row[name])
            )
            if known and name == "seats":
                seats = (seats or 0.0) + float(known[-1][-1])
            elif known:
                mrr = (mrr or 0.0) + float(known[-1][-1])
    return running, seats, mrr


def second_opinion(rows: list[dict[str, object]], cutoff: datetime, target_days: int, settle: int) -> tuple[float, datetime | None] | None:
    end = cutoff + timedelta(days=target_days)
    visible = [row for row in rows if row["event_at"] <= cutoff and row["known_at"] <= cutoff]
    runs, seats, mrr = standing(visible)
    if not runs or not ((seats or 0) > 0 or (mrr or 0) > 0):
        return None
    coming = [row for row in rows if cutoff < row["event_at"] <= end and row["known_at"] <= end + timedelta(days=settle)]
    came = None
    for moment in sorted({row["event_at"] for row in coming}):
        still, seats_then, mrr_then = standing(visible + [row for row in coming if row["event_at"] <= moment])
        # five fourths, not eight tenths: a half-written 0.8 is not exact
        low = any(before and then is not None and 5 * then <= 4 * before for before, then in ((seats, seats_then), (mrr, mrr_then)))
        came = (came or moment) if low and still else None
    return (0.0, None) if came is None else (1.0, came)


@pytest.mark.parametrize("seed", some(range(12), 0, 1))
def test_a_slow_second_opinion_agrees_on_random_companies(seed: int) -> None:
    frames = world(seed, customers=8, rows=2.0)
    target = contraction(horizon_days=60, settle_days=5)
    history = History.from_frames(frames, CUTOFFS[-1] + timedelta(days=400))
    found = label(history, target, cohort(history, target, CUTOFFS))
    known = {(row["customer_id"], row["cutoff"]): row for row in found.to_dict("records")}
    rows = frames["subscriptions"].to_dict("records")
    opted_out = set(frames["consents"].loc[~frames["consents"]["allowed"].astype(bool), "customer_id"])
    first = frames["customers"]
    for customer in sorted(set(frames["subscriptions"]["customer_id"]) - opted_out):
        own = [row for row in rows if row["customer_id"] == customer]
        for cutoff in CUTOFFS:
            there = first[(first["customer_id"] == customer) & (first["event_at"] <= cutoff) & (first["known_at"] <= cutoff)]
            wanted = second_opinion(own, cutoff, 60, 5) if len(there) else None
            got = known.pop((customer, pd.Timestamp(cutoff)), None)
            assert (got is None) == (wanted is None), (customer, cutoff)
            if got is not None and wanted is not None:
                assert got["label"] == wanted[0], (customer, cutoff)
                assert (None if pd.isna(got["outcome_at"]) else got["outcome_at"].to_pydatetime()) == wanted[1]
    assert not known


def test_the_random_companies_have_both_kinds() -> None:
    labels = []
    for seed in range(amount(5, 12)):
        history = History.from_frames(world(seed, customers=8, rows=2.0), CUTOFFS[-1] + timedelta(days=400))
        target = contraction(horizon_days=60, settle_days=5)
        labels += label(history, target, cohort(history, target, CUTOFFS))["label"].tolist()
    assert sum(labels) > amount(8, 20)
    assert len(labels) - sum(labels) > amount(8, 20)

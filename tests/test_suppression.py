"""Contacts, escalations and revenue as they stood at a moment, by both clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import pytest
from worlds import world

from prevenance.history.history import History, visible_each_sql, visible_sql
from prevenance.order.suppression import PERSONAL, newest_contacts, open_escalations, yearly_revenue

NOW = datetime(2026, 9, 30)


def contacted_customers(past: History, moment: datetime, days: float) -> set[str]:
    return set(newest_contacts(past, [moment], days)[moment].index)


def escalated_customers(past: History, moment: datetime, days: float) -> set[str]:
    return open_escalations(past, [moment], days)[moment]


def revenue(past: History, moment: datetime) -> dict[str, float]:
    return yearly_revenue(past, [moment])[moment].to_dict()


def history(table: str, *rows: tuple) -> History:
    """Rows: days from now it happened, days from now it was known, then further columns as a dict."""
    frame = pd.DataFrame(
        [{"event_at": NOW + timedelta(days=at), "known_at": NOW + timedelta(days=known)} | rest for at, known, rest in rows]
    )
    return History.from_frames({table: frame}, NOW + timedelta(days=99))


@pytest.mark.parametrize(
    ("at", "known", "row", "counts"),
    [
        (-13.9, -13.9, {"kind": "call", "direction": "out"}, True),
        (-14, -14, {"kind": "call", "direction": "out"}, False),
        (0, 0, {"kind": "meeting", "direction": "out"}, True),
        (-1, 1, {"kind": "meeting", "direction": "out"}, False),
        (1, 1, {"kind": "email", "direction": "out"}, False),
        (-1, -1, {"kind": "training", "direction": "out"}, True),
        (-1, -1, {"kind": "campaign", "direction": "out"}, False),
        (-1, -1, {"kind": "call", "direction": "in"}, False),
    ],
)
def test_a_personal_contact_of_ours_counts_while_it_is_fresh_and_known(at: float, known: float, row: dict, counts: bool) -> None:
    assert contacted_customers(history("contacts", (at, known, {"customer_id": "a"} | row)), NOW, 14) == ({"a"} if counts else set())


ESCALATED = {"customer_id": "a", "ticket_id": "t", "event": "escalated"}


@pytest.mark.parametrize(
    ("later", "open_"),
    [
        ([], True),
        ([(-1, -1, "resolved")], False),
        ([(-1, -1, "closed")], False),
        ([(-1, 1, "resolved")], True),
        ([(1, 1, "resolved")], True),
        ([(-5, -5, "resolved")], False),
        ([(-3, -3, "resolved"), (-2, -2, "reopened")], True),
        ([(-3, -3, "resolved"), (-2, -2, "rated")], False),
        ([(-4, -4, "replied")], True),
    ],
)
def test_an_escalation_is_open_until_the_ticket_is_done(later: list, open_: bool) -> None:
    rows = [(-5, -5, ESCALATED), (-6, -6, ESCALATED | {"event": "opened"})]
    rows += [(at, known, ESCALATED | {"event": event}) for at, known, event in later]
    assert escalated_customers(history("tickets", *rows), NOW, 90) == ({"a"} if open_ else set())


def test_a_forgotten_or_plain_ticket_is_no_open_escalation() -> None:
    assert escalated_customers(history("tickets", (-91, -91, ESCALATED)), NOW, 90) == set()
    assert escalated_customers(history("tickets", (-91, -91, ESCALATED), (-2, -2, ESCALATED | {"event": "waiting"})), NOW, 90) == {"a"}
    assert escalated_customers(history("tickets", (-5, -5, ESCALATED | {"event": "opened"})), NOW, 90) == set()
    other = ESCALATED | {"ticket_id": "u", "event": "resolved"}
    assert escalated_customers(history("tickets", (-5, -5, ESCALATED), (-1, -1, other)), NOW, 90) == {"a"}, "another ticket was resolved"


def test_revenue_is_that_of_running_contracts() -> None:
    contract = {"customer_id": "a", "subscription_id": "s", "event": "started", "mrr": 100.0}
    rows = [(-100, -100, contract), (-50, -50, contract | {"subscription_id": "u", "mrr": 20.0}), (-9, -9, contract | {"event": "ended"})]
    assert revenue(history("subscriptions", *rows), NOW) == {"a": 240.0}
    assert revenue(history("subscriptions", *rows), NOW - timedelta(days=20)) == {"a": 1440.0}
    assert revenue(History.from_frames({}, NOW), NOW) == {}


@pytest.mark.parametrize("seed", range(6))
def test_the_future_changes_nothing_and_the_plain_loop_agrees(seed: int) -> None:
    frames = world(seed, customers=5, rows=2.0)
    at = datetime(2026, 4, 1)
    whole = History.from_frames(frames, datetime(2027, 6, 1))
    known = {
        name: frame[(frame["event_at"] <= at) & (frame["known_at"] <= at)] if "known_at" in frame else frame
        for name, frame in frames.items()
    }
    past = History.from_frames({name: frame for name, frame in known.items() if len(frame)}, at)
    for asked in (
        lambda one: contacted_customers(one, at, 60),
        lambda one: escalated_customers(one, at, 400),
        lambda one: revenue(one, at),
    ):
        assert asked(whole) == asked(past)
    contacts = known["contacts"]
    fresh = contacts[(contacts["event_at"] > at - timedelta(days=60)) & (contacts["direction"] == "out") & contacts["kind"].isin(PERSONAL)]
    assert contacted_customers(whole, at, 60) == set(fresh["customer_id"])
    assert np.isfinite(list(revenue(whole, at).values())).all()


@pytest.mark.parametrize(("begin", "apart"), [(datetime(2025, 9, 1), 40.25), (datetime(2024, 4, 18), 40.25), (datetime(2024, 4, 18), 1.5)])
def test_many_moments_at_once_are_each_alone(begin: datetime, apart: float) -> None:
    whole = History.from_frames(world(3, customers=8, rows=6.0), datetime(2027, 6, 1))
    moments = [begin + timedelta(days=apart * n) for n in range(8)]
    for asked in (partial(newest_contacts, days=300), partial(open_escalations, days=300), yearly_revenue):
        many, each = asked(whole, moments), {}
        for moment in moments:
            whole.answers.clear()  # nothing that was asked for many
            each |= asked(whole, [moment])
        told = [{moment: one if isinstance(one, set) else one.to_dict() for moment, one in found.items()} for found in (many, each)]
        assert told[0] == told[1]
        assert any(told[0].values())
    for table in ("contacts", "tickets", "customers"):
        columns = "cutoff, age_days, * exclude (age_days, cutoff)"
        each = [whole.con.execute(f"select {columns} from {visible_sql(table, moment)} order by all").fetchall() for moment in moments]
        found = whole.con.execute(f"select {columns} from {visible_each_sql(table, moments)} order by all").fetchall()
        assert found == [row for rows in each for row in rows]

"""A customer's own things: named only where they are there, known at the cutoff, and to the point."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from test_story import CUTOFF, at, company, rows

from prevenance.explain.things import own_things
from prevenance.words import words


def use(days: float, kind: str = "use", feature: str | None = "exports", **more: object) -> dict:
    return {"customer_id": "a", "event_at": at(days), "kind": kind, "feature": feature, "product_id": "p", "quantity": 1, **more}


def named(*usage: dict, **tables: pd.DataFrame) -> dict[str, str]:
    found = own_things(company(usage=rows(*usage), **tables), CUTOFF, ["a"], words("en"))
    return {name: text for name, text in found.loc["a", "things"].items() if name in ("release", "trouble", "feature", "grown", "contact")}


RELEASES = rows({"customer_id": "a", "product_id": "p", "event_at": at(20), "version": "5.1"}).drop(columns="customer_id")


@pytest.mark.parametrize(
    ("days", "release"),
    [
        ([19, 10, 3], "5.1"),  # they began with it
        ([35, 30, 25, 10, 5, 3], None),  # as many before as after
        ([25, 10, 5, 3, 2, 1], "5.1"),
        ([10, 5], None),  # too few to tell
        ([35, 30, 25], None),
    ],
)
def test_a_release_is_named_where_the_errors_began_with_it(days, release):
    assert named(*(use(one, "error") for one in days), releases=RELEASES).get("release") == release


def test_the_release_of_another_product_is_not_named():
    assert "release" not in named(*(use(one, "error") for one in (19, 10, 3)), releases=RELEASES.assign(product_id="q"))


def test_the_feature_with_the_most_errors_is_named_not_the_one_used_most():
    some = [use(2, "error", "api"), use(3, "error", "api"), use(4, "error", "imports"), *(use(day) for day in range(1, 9))]
    assert named(*some)["trouble"] == "api"
    assert "trouble" not in named(use(2, "error", "api"), use(3, "error", "imports"), use(40, "error", "api"))
    assert "trouble" not in named(use(2, "error", None), use(3, "error", None))


def test_what_grew_and_what_fell_are_told_apart():
    grew, fell = [use(one, feature="alerts") for one in (1, 2, 3)], [use(one, feature="exports") for one in (30, 40, 50)]
    assert named(*grew, *fell) == {"grown": "alerts", "feature": "exports"}
    assert "grown" not in named(*fell)


def test_the_last_message_from_the_customer_is_named_by_its_day():
    contacts = rows(
        {"customer_id": "a", "event_at": at(9), "kind": "email", "direction": "in"},
        {"customer_id": "a", "event_at": at(1), "kind": "email", "direction": "out"},
        {"customer_id": "a", "event_at": at(2), "known_at": at(-1), "kind": "call", "direction": "in"},
        {"customer_id": "a", "event_at": at(-2), "kind": "call", "direction": "in"},
    )
    assert named(use(1), contacts=contacts)["contact"] == "22 Sept"
    old = contacts.assign(event_at=contacts["event_at"] - timedelta(days=100))
    assert "contact" not in named(use(1), contacts=old)


@pytest.mark.parametrize(("users", "people", "idle"), [(1, None, "2"), (2, None, None), (3, "3", None)])
def test_several_people_are_several(users, people, idle):
    used = [use(number, user_id=f"u{number}") for number in range(1, users + 1)]
    found = own_things(company(usage=rows(*used)), CUTOFF, ["a"], words("en")).loc["a", "things"]
    assert (found["seats"], found["used"], found.get("people"), found.get("idle")) == ("3", str(users), people, idle)


def test_what_is_not_known_yet_changes_nothing():
    before = [use(one, "error") for one in (19, 10, 3)]
    later = [use(one, "error", "api", known_at=at(-1)) for one in (1, 1.5, 2)] + [use(-one, "error", "api") for one in (1, 2, 3)]
    assert named(*before, *later, releases=RELEASES) == named(*before, releases=RELEASES)


def test_a_ticket_that_was_escalated_is_not_told_as_one_that_came_back_and_one_of_today_is_of_today():
    def things(*events: tuple[str, str, float]) -> dict[str, str]:
        tickets = [
            {"customer_id": "a", "ticket_id": one, "event": event, "event_at": at(days), "category": "bug"} for one, event, days in events
        ]
        return own_things(company(usage=rows(use(1)), tickets=rows(*tickets)), CUTOFF, ["a"], words("en")).loc["a", "things"]

    solved = ("T1", "resolved", 3.0)
    found = things(("T1", "opened", 9.0), ("T1", "escalated", 8.0), solved)
    assert (found.get("escalated"), found.get("again")) == ("T1", None)
    found = things(
        ("T1", "opened", 9.0), solved, ("T1", "reopened", 2.0), ("T1", "resolved", 1.0), ("T2", "opened", 99.0), ("T2", "escalated", 95.0)
    )
    assert (found.get("escalated"), found.get("again")) == (None, "T1")
    assert things(("T3", "opened", 0.2))["tickets"] == "T3 (bug, today)"
    assert things(("T3", "opened", 1.2))["tickets"] == "T3 (bug, 1 day)"

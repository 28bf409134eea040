"""The week: several lists as one, a customer a row, one budget, no offer to somebody who has other worries."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import once
import pandas as pd
import pytest
import views
from amount import whole

from pipelines import feedback, score
from pipelines.start.run import _guarded
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import csv_bytes
from prevenance.decide.ranking import COLUMNS, PAIR_COLUMNS
from prevenance.order.capacity import Room
from prevenance.order.joint import Part, room_left, week_rows, worries
from prevenance.publish import finished, weekly
from prevenance.publish.digest import digest_text
from prevenance.publish.index import index_page
from prevenance.publish.page import list_page
from prevenance.publish.published import Published
from prevenance.runs.week import OWN, _Asked, _table, with_spent
from prevenance.words import words

NAMES = ["rank", "customer_id", "owner", "score", "expected_value", "state", "arm", "product_id"]


def listed(target: str, *rows: tuple[object, ...], **told: object) -> Part:
    """Return a part whose rows are (customer, owner, score, expected value, at will state, rank None)."""
    found = []
    for place, row in enumerate(rows, start=1):
        customer, owner, score, worth, state, rank = (*row, "open", place)[:6] if len(row) == 4 else (*row, place)[:6]
        found.append((rank, customer, owner, score, worth, state, "contact" if rank else None, "P1" if told.get("offers") else None))
    frame = pd.DataFrame(found, columns=NAMES).astype({"rank": "Int64", "score": "float64", "expected_value": "float64"})
    return Part(target, frame.assign(target=target, value_at_stake=frame["expected_value"] * 10), **told)  # type: ignore[arg-type]


def week(
    *parts: Part,
    room: Room | None = None,
    escalated: set[str] = frozenset(),
    urgent: set[str] = frozenset(),
    resting: set[str] = frozenset(),
) -> dict[str, tuple[object, ...]]:
    """Return customer -> rank, target, apart, why and the targets beneath."""
    rows = week_rows(parts, room or Room(sum(one.contacts for one in parts)), worries(parts, escalated, urgent), resting)
    assert not rows["customer_id"].duplicated().any()
    return {
        row["customer_id"]: (
            None if pd.isna(row["rank"]) else int(row["rank"]),
            row["target"],
            row["apart"],
            row["why"],
            [one["target"] for one in row["also"]],
        )
        for row in rows.to_dict("records")
    }


def test_a_customer_on_two_lists_is_one_row_by_what_is_worth_most():
    keep = listed("churn", ("A", "ann", 0.4, 500.0), ("B", "ann", 0.3, 100.0), keeps=True)
    help_ = listed("contraction", ("B", "ann", 0.5, 900.0), ("C", "bob", 0.2, 50.0))
    assert week(keep, help_) == {
        "B": (1, "contraction", "", "", ["churn"]),
        "A": (2, "churn", "", "", []),
        "C": (3, "contraction", "", "", []),
    }


def test_rows_without_money_follow_by_how_many_times_the_base_rate_their_chance_is():
    keep = listed("churn", ("A", "ann", 0.4, -5.0), keeps=True)
    tickets = listed("tickets", ("B", "ann", 0.6, None), ("C", "ann", 0.5, None), base=0.5)
    rare = listed("rare", ("D", "ann", 0.2, None), base=0.05)
    assert list(week(keep, tickets, rare)) == ["A", "D", "B", "C"]


def test_one_budget_of_an_owners_hours_over_all_lists():
    lists = [
        listed(name, *((f"{name}{n}", "ann", 0.3, 100.0 * n + place) for n in (3, 2, 1))) for place, name in enumerate(("x", "y", "z"))
    ]
    found = week(*lists, room=Room(60, {"ann": 6.0}, 1.5, {"ann": 1}))
    assert [one for one, (rank, *_) in found.items() if rank] == ["z3", "y3", "x3"], "four fit six hours, one was made"
    assert {apart for rank, _, apart, _, _ in found.values() if not rank} == {"beyond_capacity"}
    assert room_left(Room(60, {"ann": 6.0}, 1.5, {"ann": 1}), []) == {"ann": {"available": 6.0, "used": 1.5, "left": 4.5}}


@pytest.mark.parametrize("owner", [None, "zoe"], ids=["nobody's", "an owner without hours"])
def test_whom_nobody_has_hours_for_is_told_and_takes_nobodys(owner):
    keep = listed("churn", ("A", "ann", 0.4, 500.0), ("B", owner, 0.4, 600.0, "open", None), ("C", owner, 0.1, 10.0, "open", None))
    assert week(keep, room=Room(20, {"ann": 18.0})) == {
        "A": (1, "churn", "", "", []),
        "B": (None, "churn", "beyond_capacity", "no_hours", []),
    }


def test_hours_by_default_are_every_named_owners_and_not_nobodys():
    keep = listed("churn", ("A", "ann", 0.4, 500.0), ("B", "zoe", 0.4, 600.0), ("C", None, 0.4, 900.0, "open", None))
    found = week(keep, room=Room(20, {"default": 18.0}))
    assert [rank for rank, *_ in found.values()] == [1, 2, None]
    assert found["C"][3] == "no_hours"
    assert room_left(Room(20, {"default": 18.0}), ["zoe"]) == {"zoe": {"available": 18.0, "used": 0.0, "left": 18.0}}


def test_where_contacts_count_somebody_without_owner_is_one_of_them():
    assert week(listed("churn", ("A", None, 0.4, 500.0)))["A"][0] == 1


def test_no_offer_to_somebody_who_has_other_worries():
    keep = listed(
        "churn",
        ("A", "ann", 0.4, 500.0),
        ("L", "ann", 0.9, 1.0, "too_late", None),
        ("R", "ann", 0.2, 1.0, "open", None),
        ("F", "ann", 0.01, 1.0, "below_floor", None),
        keeps=True,
        floor=0.1,
    )
    offers = listed(
        "cross_sell",
        *((one, "ann", 0.3, 900.0) for one in "ALRUF"),
        ("E", "ann", 0.3, 950.0, "open", None),
        ("W", "ann", 0.3, 1.0, "open", None),
        offers=True,
    )
    assert week(keep, offers, escalated={"E", "W", "A"}, urgent={"U"}) == {
        "F": (1, "cross_sell", "", "", []),
        "A": (2, "churn", "", "", ["cross_sell"]),
        "E": (None, "cross_sell", "in_trouble", "escalated", []),
        "L": (None, "cross_sell", "in_trouble", "leaving", []),
        "R": (None, "cross_sell", "in_trouble", "at_risk", []),
        "U": (None, "cross_sell", "in_trouble", "urgent", []),
    }


def test_without_a_floor_whoever_is_listed_for_leaving_gets_no_offer():
    keep = listed("churn", ("A", "ann", 0.1, 5.0), ("B", "ann", 0.05, 4.0, "open", None), keeps=True)
    offers = listed("cross_sell", ("B", "ann", 0.3, 900.0), ("A", "ann", 0.3, 800.0), offers=True)
    assert week(keep, offers) == {"B": (1, "cross_sell", "", "", []), "A": (2, "churn", "", "", ["cross_sell"])}


def test_what_was_contacted_on_any_list_uses_up_the_week_of_all():
    lists = [listed(name, *((f"{name}{n}", "ann", 0.3, 100.0) for n in range(2)), contacts=2) for name in ("x", "y")]
    found = week(*lists, room=Room(4, used={"ann": 1}), resting={"x0"})
    assert [one for one, (rank, *_) in found.items() if rank] == ["x1", "y0", "y1"]


def test_lists_of_nobody_make_a_week_of_nobody_with_all_its_columns(tmp_path: Path):
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    told = {"cutoff": "2026-09-07T00:00:00Z", "files": {"list.json": hashlib.sha256(b"[]").hexdigest()}}
    parts = [_Asked(Published(tmp_path, told), {"target": one, "kind": "contract", "capacity": 20}).part for one in ("churn", "other")]
    rows = with_spent(week_rows(parts, Room(40), worries(parts, [], [])), Room(40))
    assert len(csv_bytes(_table(rows, [])).splitlines()) == 1


def test_no_rows_is_a_week_without_rows():
    empty = listed("churn")
    assert len(week_rows([empty], Room(20), {})) == 0
    assert len(week_rows([listed("churn", ("A", "ann", 0.4, 5.0), keeps=True), empty], Room(20), {})) == 1


def test_the_order_of_lists_and_rows_changes_nothing():
    parts = [listed(name, *((f"C{n}", "ann", 0.3, 100.0) for n in range(5)), offers=name == "z") for name in "xyz"]
    usual = week_rows(parts, Room(8), {}).astype(str)
    turned = [Part(one.target, one.rows[::-1].reset_index(drop=True), offers=one.offers) for one in parts[::-1]]
    assert week_rows(turned, Room(8), {}).astype(str).equals(usual[list(week_rows(turned, Room(8), {}).columns)])


def test_the_page_of_a_week_claims_nothing_names_what_is_missing_and_says_why_an_offer_waits():
    told = list_page(views.week())
    for text in (
        "Whom to contact this week",
        "This page claims no hits of its own",
        "Not in it, without a list of this date: tickets",
        "14 left of 20 this week, 6 done.",
        "Also Offers that fit, Insight: No offer now: they may leave",
        "No offer now: an escalation is open",
        "Nobody has hours for them",
        'href="../../churn/latest/list.html"',
    ):
        assert text in told, text
    assert "on the list left" not in told


@pytest.mark.parametrize(
    ("week", "said"),
    [
        ({"known": False, "done": 0}, "What was done this week is not known: neither contacts nor answers are recorded."),
        ({"known": True, "done": 10, "left": 10, "capacity": 20}, "10 left of 20 this week, 10 done."),
        ({"known": True, "done": 3, "left": None, "capacity": None}, "3 contacts of this week are done."),
    ],
)
def test_page_digest_and_index_say_what_of_the_week_is_left_and_what_nobody_can_know(week: dict[str, Any], said: str):
    view = views.week(week=week)
    assert said in list_page(view)
    assert said in digest_text(view)
    assert said in index_page([view])


def test_the_index_opens_with_the_week_and_counts_an_owners_hours_once():
    week, lists = (
        views.week(owners=[{"owner": "Ann", "listed": 3, "planned": 4.5, "available": 18.0}]),
        [views.view(), views.view(target="tickets")],
    )
    told = index_page([lists[0], week, lists[1]])
    assert re.findall(r'<h2><a href="([^"]+)"', told)[0] == "lists/week/latest/list.html"
    assert told.count('<th scope="rowgroup"') == 1
    assert "4.5 of 18 hours" in told


@pytest.mark.parametrize("language", ["fr", "de"])
def test_what_a_week_says_is_said_in_the_readers_language(language: str):
    say, english = words(language), words("en")
    assert set(weekly.worry_words(say).values()).isdisjoint(weekly.worry_words(english).values())
    row = {"target": "churn", "action": "Anrufen", "act_by": "2026-10-04", "cutoff": "2026-10-01T00:00:00Z", "why": ""}
    told = weekly.other_texts(say, [row], {"churn": "X"})[0]
    assert told.startswith({"fr": "Aussi, X\xa0: Anrufen", "de": "Außerdem X: Anrufen"}[language])
    assert weekly.page_texts(say, ["tickets"])["missing"].endswith("tickets")


def test_the_digest_names_the_day_of_the_sources_zone():
    told = digest_text(views.view(cutoff="2026-09-22T22:00:00Z", date="2026-09-23"))
    assert "23 Sept 2026" in told.splitlines()[0]


SMALL = ["demo.customers=120", "demo.months=16", "model=rule", "capacity=10", *once.CHEAP, "demo.events=8000", "as_of=2026-08-01"]
SMALL += ["features.sets=[tickets,contacts]", "features.lookbacks=[28,90]"]
MONDAY = (("train", *SMALL), ("score", "as_of=2026-09-07"))
"""Three targets under their rules, and the lists of a Monday."""


def promised(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return rows and manifest of a week, once they are what is promised of every list: digests, counts, the same rows in both files."""
    rows, manifest = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("list.json", "manifest.json"))
    assert set(manifest["files"]) >= {"list.csv", "list.json", "list.xlsx", "list.html", "digest.md"}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["files"]} == manifest["files"]
    counts = manifest["counts"]
    assert counts["customers_read"] == counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values())
    assert all(
        one["read"] == one["used"] + sum(one["excluded"].values()) + sum(one["quarantined"].values()) for one in manifest["tables"].values()
    )
    assert set(manifest["gates"].values()) <= {"pass", "warn", "fail"}
    assert set(manifest["privacy"]) >= {"purpose", "legal_basis"}
    with (folder / "list.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert counts["listed"] == len(rows) == len(table)
    assert [list(row) for row in table[:1]] == [[*COLUMNS, *(name for name in PAIR_COLUMNS if name in row), *OWN] for row in table[:1]]
    assert [(row["rank"], row["customer_id"], row["target"]) for row in table] == [
        (str(row["rank"] or ""), row["customer_id"], row["target"]) for row in rows
    ]
    ranks = [row["rank"] for row in rows if row["rank"]]
    assert ranks == list(range(1, len(ranks) + 1)), "best first, without a gap"
    assert folder.resolve().name == f"{stamp(manifest['cutoff'])}-{manifest['run_id'][:12]}"
    return rows, manifest


def stamp(cutoff: str) -> str:
    return cutoff.replace(":", "")


def newest(out: Path) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """Return rows, manifest and page of the newest week."""
    folder = out / "lists" / "week" / "latest"
    rows, manifest = promised(folder)
    return rows, manifest, (folder / "list.html").read_text(encoding="utf-8")


def run(name: str, *arguments: str) -> int:
    return _guarded(name, {"score": score.body, "feedback": feedback.body}[name], list(arguments))


@pytest.mark.long
def test_ten_contacted_on_monday_are_ten_fewer_all_week_and_none_next_monday(tmp_path: Path):
    out = once.lived_copy(MONDAY, tmp_path / "out")
    rows, manifest, page = newest(out)
    assert manifest["week"] | {"hours": {}} == {
        "since": "2026-09-07",
        "unit": "contacts",
        "capacity": 30,
        "left": 30,
        "done": 0,
        "known": True,
        "hours": {},
    }
    assert len({row["customer_id"] for row in rows}) == len(rows) > 20
    assert any(row["also"] for row in rows)
    names = ["target", "customer_id", "product_id", "run_id", "cutoff", "action", "at", "until", "channel", "outcome", "reason", "by"]
    with (tmp_path / "feedback.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", extrasaction="ignore")
        writer.writeheader()
        told = {"action": "contacted", "at": "2026-09-07T09:00:00Z", "channel": "call", "outcome": "reached"}
        writer.writerows({name: row.get(name) or "" for name in names} | told for row in rows[:10])
    assert run("feedback", f"out={out}", f"file={tmp_path / 'feedback.csv'}") == 0
    done = {row["customer_id"] for row in rows[:10]}
    for at, said in (
        ("2026-09-07T12:00:00Z", "20 left of 30 this week, 10 done."),
        *([("2026-09-08", "20 left of 30 this week, 10 done.")] if whole() else []),
        ("2026-09-14", ""),
    ):
        assert run("score", f"out={out}", f"as_of={at}") == 0
        rows, manifest, page = newest(out)
        assert (said in page) if said else ("left of" not in page), at
        assert manifest["week"]["done"] == (10 if said else 0)
        assert not done & {row["customer_id"] for row in rows}, "whoever was contacted is left in peace"
        assert {row["week_left"] for row in rows} == {manifest["week"]["left"]}
    assert run("score", f"out={out}", "as_of=2026-09-15", "outreach.hours.default=4.5") == 0
    rows, manifest, page = newest(out)
    by_owner = pd.Series([row["owner"] for row in rows if row["rank"]]).value_counts()
    assert by_owner.max() == 3, "4.5 hours are three contacts, over all lists"
    assert set(manifest["week"]["hours"]) >= set(by_owner.index)


@pytest.mark.long
def test_a_list_alone_names_the_others_and_the_same_night_again_changes_nothing(tmp_path: Path):
    out = once.lived_copy(MONDAY, tmp_path / "out")
    before, folder = newest(out), (out / "lists" / "week" / "latest").resolve()
    bytes_before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run("score", f"out={out}", "as_of=2026-09-07", "target=churn") == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == bytes_before, "the others' lists of that date are there"
    assert newest(out)[1]["lists"] == before[1]["lists"]
    assert run("score", f"out={out}", "as_of=2026-09-08", "target=churn") == 0
    rows, manifest, page = newest(out)
    assert {row["target"] for row in rows} == {"churn"}
    assert manifest["missing"] == ["cross_sell", "tickets"]
    assert "Not in it, without a list of this date: cross_sell, tickets" in page
    damaged = (out / "lists" / "week" / "latest").resolve() / "list.csv"
    damaged.write_text("rank\n", encoding="utf-8")
    with pytest.raises(PrevenanceError, match="E603 .*list.csv is not what was written"):
        finished.check_list_folder(damaged.parent, manifest)


@pytest.mark.parametrize(("on", "done"), [("2026-09-25", 0), ("2026-09-28", 1), ("", 1)])
def test_a_contact_of_last_week_that_is_told_today_uses_nothing_up_and_rests(monkeypatch: pytest.MonkeyPatch, on: str, done: int) -> None:
    from datetime import datetime
    from types import SimpleNamespace

    from prevenance.decide.feedback import Answer
    from prevenance.runs import week

    at = "2026-09-29T09:00:00Z"
    told = Answer("churn", "a", "", "0" * 16, at, "contacted", at, "", "", "", "", "", contacted_on=on)
    monkeypatch.setattr(week, "known_answers", lambda *_, **__: [told])
    monkeypatch.setattr(week, "peace_of", lambda _: SimpleNamespace(static=False, zone="UTC", cooldown_days=14))
    part = SimpleNamespace(rows=pd.DataFrame({"customer_id": ["a"], "owner": ["Ann"]}), contacts=20)
    lists: Any = [SimpleNamespace(view={"target": "churn"}, part=part)]
    source, outreach = SimpleNamespace(static=False), SimpleNamespace(hours=None, hours_per_contact=1.5)
    given: Any = SimpleNamespace(folder=None, source=source, outreach=outreach)
    room, used, resting = week.room_of(given, lists, datetime(2026, 9, 30))
    assert (room.done, len(used), resting) == (done, done, {"a"})

"""Laws of the week: the future changes nothing of it, places are never filled again within a week, and order, threads and clock play no part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from amount import amount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_laws import END, FUTURES, Future
from worlds import CUTOFFS, TOGETHER

import prevenance.order.suppression as asked
from prevenance.base.formats import json_bytes
from prevenance.decide.scored import scored_weeks
from prevenance.decide.weeks import decision_at_cutoff, moments_of
from prevenance.features import definitions
from prevenance.features.define import Feature
from prevenance.history.history import History
from prevenance.history.roster import customer_attributes
from prevenance.models.bundle import Fitted
from prevenance.models.encode import Encoder
from prevenance.order.capacity import Room
from prevenance.order.decision import Memory, Rules, decide
from prevenance.order.holdout import HoldOut
from prevenance.order.joint import Part, week_rows, worries
from prevenance.order.suppression import Peace, open_escalations, open_urgent_tickets
from prevenance.runs import night
from prevenance.targets.churn import by_contract
from prevenance.targets.cross_sell import next_offer
from prevenance.targets.tickets import next_ticket
from prevenance.words import words

PEACE = Peace(14, 30, 28, False, "Europe/Paris")
HORIZON = 14
TARGETS = (
    by_contract(horizon_days=HORIZON, settle_days=3),
    next_ticket(horizon_days=HORIZON, settle_days=3),
    next_offer(horizon_days=HORIZON, settle_days=3),
)
COLUMNS = ("logins_28d", "tickets_28d")
DEFINITIONS = tuple(one for one in definitions() if isinstance(one, Feature) and one.name in COLUMNS)


def model(place: int) -> Fitted:
    """Return a rule: more of the feature is a higher chance."""
    return Fitted("rule", Encoder(COLUMNS), {"place": place, "direction": 1.0, "middle": 1.0, "scale": 1.0}, (1.0, -1.0))


def week_of(frames: dict[str, pd.DataFrame], cutoff: datetime) -> bytes:
    """Return the rows of the week of a company's three lists, as a night decides them at a cutoff."""
    history, parts = History.from_frames(frames, END), []
    for place, target in enumerate(TARGETS):
        rules = Rules(0.3, 10.0, Room(4), HoldOut(target.name, HORIZON), policy="value", floor=0.1 if target.keeps else 0.0)
        moments = moments_of(cutoff, rules)
        found = scored_weeks(history, target, model(place % 2), DEFINITIONS, moments, words("en"), lambda text: None)
        people = customer_attributes(history, cutoff)[["customer_id", "owner"]]
        rows, past = (one.merge(people, on="customer_id", how="left") for one in (found.rows, found.past))
        choice, _, _ = decision_at_cutoff(PEACE, history, moments, rows, past, [])
        told = rows.assign(
            **{name: choice[name] for name in ("rank", "expected_value")},
            arm=choice["arm"].replace("", None),
            state="open",
            target=target.name,
        )
        told.loc[choice["apart"].eq("too_late"), "state"] = "too_late"
        told = told[choice["apart"].ne("cooling_down")].reset_index(drop=True)
        parts.append(Part(target.name, told, keeps=target.keeps, offers=target.words.gain, base=0.2, floor=rules.floor, contacts=4))
    escalated, urgent = (ask(history, [cutoff], 60)[cutoff] for ask in (open_escalations, open_urgent_tickets))
    week = week_rows(parts, Room(12), worries(parts, escalated, urgent))
    return json_bytes(week.assign(also=[json.dumps(one, default=str, sort_keys=True) for one in week["also"]]))


@pytest.mark.long
@settings(max_examples=200 // TOGETHER, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(future=FUTURES, cutoff=st.sampled_from(CUTOFFS))
def test_the_future_changes_nothing_of_the_week(future: Future, cutoff: datetime) -> None:
    before = week_of(future.frames, cutoff)
    assert before == week_of(future.after(cutoff), cutoff)
    assert json.loads(before), "a week of nobody shows nothing"


def test_control_an_escalation_without_the_second_clock_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    at, late = CUTOFFS[1], CUTOFFS[1] + timedelta(days=1)
    rows = pd.DataFrame({"customer_id": ["a"], "score": [0.5], "rank": [1], "state": ["open"], "arm": ["contact"], "owner": [None]})
    offer = Part("offers", rows.assign(expected_value=9.0, value_at_stake=9.0, target="offers"), offers=True)
    tickets = pd.DataFrame({"customer_id": ["a"], "event_at": [at], "known_at": [late], "ticket_id": ["1"], "event": ["escalated"]})
    history = History.from_frames({"customers": tickets[["customer_id", "event_at"]].assign(known_at=at), "tickets": tickets}, END)

    def told() -> list[str]:
        return list(week_rows([offer], Room(1), worries([offer], open_escalations(history, [at], 30)[at], set()))["apart"])

    assert told() == [""]
    visible = asked.visible_each_sql
    monkeypatch.setattr(asked, "visible_each_sql", lambda *given: visible(*given).replace("known_at <=", "event_at <="))
    history.answers.clear()
    assert told() == ["in_trouble"]


CUSTOMERS = [f"c{number}" for number in range(14)]
OWNERS = ["ann", "bob", None]


@st.composite
def lists_and_contacts(draw: st.DrawFn) -> tuple[list[pd.DataFrame], Room, list[str]]:
    """Return the rows of two lists, the room of each and of whom of both a contact is made."""
    dice = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    owner = dict(zip(CUSTOMERS, dice.choice(np.array(OWNERS, dtype=object), len(CUSTOMERS)), strict=True))
    hours = draw(st.sampled_from([{}, {"ann": 4.5, "bob": 3.0}, {"default": 3.0}, {"ann": 1.0}]))
    lists = []
    for _ in range(2):
        chosen = sorted(dice.choice(CUSTOMERS, draw(st.integers(1, 12)), replace=False))
        values = {"score": dice.uniform(0.05, 0.9, len(chosen)).round(2), "value_at_stake": dice.uniform(10, 900, len(chosen)).round()}
        lists.append(pd.DataFrame({"customer_id": chosen, "state0": "at_risk", "owner": [owner[one] for one in chosen], **values}))
    room = Room(draw(st.integers(1, 5)), hours, 1.5)
    return lists, room, draw(st.lists(st.sampled_from(CUSTOMERS), max_size=6, unique=True))


def worked(lists: list[pd.DataFrame], room: Room, done: list[str]) -> dict[str, str]:
    """Return customer -> list of whom is to be worked this week, once those who are ``done`` were contacted, as lists and week count them."""
    moment, parts, used = datetime(2026, 3, 5), [], {}
    for number, rows in enumerate(lists):
        mine = rows[rows["customer_id"].isin(done)]
        spent = mine["owner"].fillna("").value_counts().to_dict()
        used |= dict(zip(mine["customer_id"], mine["owner"].fillna(""), strict=True))
        rules = Rules(0.3, 10.0, Room(room.contacts, room.hours, room.hours_per_contact, spent), HoldOut("x", 28, share=0.0))
        found, _ = decide(rows.assign(cooling_down=rows["customer_id"].isin(done)), rules, moment, Memory(), draws=False)
        told = rows.assign(
            rank=found["rank"],
            expected_value=found["expected_value"],
            state="open",
            arm=found["arm"].replace("", None),
            target=f"t{number}",
        )
        parts.append(Part(f"t{number}", told[~found["apart"].eq("cooling_down")].reset_index(drop=True), base=0.2, contacts=room.contacts))
    whole = Room(2 * room.contacts, room.hours, room.hours_per_contact, pd.Series(used, dtype="str").value_counts().to_dict())
    week = week_rows(parts, whole, {}, done)
    return dict(week.loc[week["rank"].notna(), ["customer_id", "target"]].itertuples(index=False, name=None))


@settings(max_examples=amount(60, 150), deadline=None, derandomize=True)
@given(told=lists_and_contacts())
@pytest.mark.long
def test_a_listed_customer_who_was_contacted_gives_the_place_to_nobody_this_week(told: tuple[list[pd.DataFrame], Room, list[str]]) -> None:
    lists, room, contacted = told
    monday = worked(lists, room, [])
    done = [one for one in contacted if one in monday]
    assert set(worked(lists, room, done)) <= set(monday) - set(done)


class Quiet:
    """Steps that nobody reads."""

    def __call__(self, text: str) -> None:
        """Say nothing."""

    tell = __call__


def test_a_published_week_is_in_the_trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"list": "lists/week/x", "worked": 1, "listed": 2, "lists": ["churn"], "run_id": "0123456789abcdef", "missing": []}
    monkeypatch.setattr(night, "publish_week", lambda given, loaded: made)
    assert night._week(SimpleNamespace(folder=tmp_path), None, {"churn": {}}, {}, Quiet()) == made  # type: ignore[arg-type]
    last = json.loads((tmp_path / "audit.log").read_text(encoding="utf-8").splitlines()[-1])
    assert (last["what"], last["target"], last["run_id"]) == ("score", "week", "0123456789abcdef")


WEEK_ELSEWHERE = """
import sys; sys.path[:0] = sys.argv[2:4]
import hashlib, json, locale
import duckdb
from test_week_laws import CUTOFFS, week_of
from worlds import together, world
threads, shuffled = json.loads(sys.argv[1])
if threads:
    connect = duckdb.connect
    def few(*given, **named):
        made = connect(*given, **named); made.execute(f"set threads = {threads}"); return made
    duckdb.connect = few
frames = together([world(seed, customers=6, rows=1.0) for seed in range(8)])
if shuffled:
    frames = {name: frame.sample(frac=1, random_state=7).reset_index(drop=True) for name, frame in frames.items()}
print(hashlib.sha256(b"".join(week_of(frames, one) for one in CUTOFFS)).hexdigest())
"""


@pytest.mark.long
def test_threads_row_order_zone_locale_and_hash_seed_change_no_byte_of_the_week() -> None:
    root = Path(__file__).parent
    ways = [
        ([1, False], {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"}),
        ([2, True], {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "de_DE.UTF-8"}),
    ]
    found = []
    for asked_for, more in ways:
        command = [sys.executable, "-c", WEEK_ELSEWHERE, json.dumps(asked_for), str(root), str(root.parent / "src")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **more})
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1]

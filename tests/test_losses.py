"""What lost time costs: each loss against slow loops, findings where they are and nowhere else, what stays, promises, and no future."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import losses_twin as twin
import numpy as np
import pandas as pd
import pytest

from prevenance.base.working import WorkingHours, working_seconds
from prevenance.history.history import History
from prevenance.order.capacity import Room
from prevenance.order.suppression import Peace
from prevenance.runs import support_past
from prevenance.support import lost
from prevenance.support.cards import finding_cards, findings_sentence, promise_rows
from prevenance.support.contrast import contrast
from prevenance.support.facts import Facts, support_facts
from prevenance.support.finding import Behind, Promise
from prevenance.support.kpi_names import LOSS_NAMES
from prevenance.support.loss_words import title_text
from prevenance.support.records import Asked
from prevenance.support.saved import findings_record
from prevenance.support.trouble import known_trouble, suggestions
from prevenance.support.whatif import kept_reason, measured_since, promise_of, promise_record
from prevenance.words import words

START = datetime(2025, 1, 6, 9)
CUTOFF = START + timedelta(days=300)
TEAMS = ("first", "second", "third")
SIZES = dict.fromkeys(TEAMS, 9)
LAST = START + timedelta(days=280)
"""The last day on which a ticket of ``slow_team`` comes."""
EVENTS = (
    "assigned",
    "note",
    "asked",
    "answered",
    "transferred",
    "escalated",
    "approval_asked",
    "approval_given",
    "other",
    "replied",
    "reopened",
)


def made(seed: int, tickets: int = 160) -> pd.DataFrame:
    """Return a log of random ways, no two rows of a ticket at one instant."""
    rng, rows = random.Random(seed), []
    for number in range(tickets):
        at, team, channel = START + timedelta(minutes=rng.randrange(200 * 1440)), rng.choice(TEAMS), rng.choice(("mail", "phone"))
        events = [
            "opened",
            *rng.choices(EVENTS, k=rng.randrange(7)),
            *(["resolved"] if rng.random() < 0.9 else []),
            *rng.choices(("closed", "note"), k=rng.randrange(2)),
        ]
        for event in events:
            rows.append((f"c{number % 30}", f"t{number}", event, at, team, channel, f"{event} it", "ab"[number % 2]))
            at += timedelta(minutes=rng.randrange(1, 4000), seconds=rng.randrange(60))
            team = rng.choice(TEAMS) if rng.random() < 0.4 else team
            channel = rng.choice(("mail", "phone")) if rng.random() < 0.2 else channel
    frame = pd.DataFrame(rows, columns=["customer_id", "ticket_id", "event", "event_at", "group", "channel", "activity", "category"])
    return frame.assign(known_at=frame["event_at"])


def report(frame: pd.DataFrame, cutoff: datetime = CUTOFF, **asked: object) -> tuple[History, Facts]:
    history = History.from_frames({"tickets": frame}, max(CUTOFF, frame["known_at"].max()))
    return history, support_facts(history, Asked(cutoff, team_sizes=SIZES, **asked))  # type: ignore[arg-type]


def clock(moments: pd.Series) -> list[int]:
    zero = np.full(len(moments), np.datetime64(START - timedelta(days=1), "s"))
    return list(working_seconds(WorkingHours("UTC"), zero, moments.to_numpy().astype("datetime64[s]")).astype(int))


@pytest.mark.parametrize("seed", [2, pytest.param(3, marks=pytest.mark.long)])
def test_every_loss_is_what_slow_loops_say(seed: int) -> None:
    frame = made(seed, 360)
    history, _ = report(frame)
    wanted = twin.stretches(frame, clock)
    for loss in lost.LOSSES:
        sql = 'select ticket_id, unit, met, "begin", "end" from lost join numbers using (number) where loss = ? order by all'
        found = history.con.execute(sql, [loss.name]).fetchall()
        told = [
            (ticket, unit, met, begin if met or loss.of == "hand-off" else None, end if met else None)
            for ticket, unit, met, begin, end in found
        ]
        want = [
            (ticket, unit, met, begin if met or loss.of == "hand-off" else None, end if met else None)
            for ticket, unit, met, begin, end in wanted[loss.name]
        ]
        assert sorted(told, key=repr) == sorted(want, key=repr), loss.name
        assert any(one[2] for one in told)


def test_a_note_of_another_team_is_no_hand_off() -> None:
    ways = {"noted": ("opened", "assigned", "note", "resolved"), "handed": ("opened", "assigned", "transferred", "transferred", "resolved")}
    rows = [
        ("c", f"{name}{number}", event, START + timedelta(hours=number + place), ("first", "second")[place == 2], f"{event} it", "bug")
        for name, events in ways.items()
        for number in range(30)
        for place, event in enumerate(events)
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "ticket_id", "event", "event_at", "group", "activity", "category"])
    history, _ = report(frame.assign(known_at=frame["event_at"]))
    sql = "select distinct regexp_extract(ticket_id, '[a-z]+'), met from lost join numbers using (number) where loss = 'ping_pong'"
    assert history.con.execute(sql).fetchall() == [("handed", True)]


@pytest.mark.long
def test_working_hours_of_losses_are_those_of_the_clock_and_count_once() -> None:
    frame = made(4)
    history, _ = report(frame)
    rows = history.con.execute('select number, "begin", "end", working_seconds from lost where met').fetchall()
    begins, ends = (np.array([row[place] for row in rows]).astype("datetime64[s]") for place in (1, 2))
    assert [row[3] for row in rows] == list(working_seconds(WorkingHours("UTC"), begins, ends).astype(int))
    opens, total = WorkingHours("UTC"), 0.0
    for ticket in {row[0] for row in rows}:
        held = sorted((row[1], row[2]) for row in rows if row[0] == ticket)
        merged = [held[0]]
        for begin, end in held[1:]:
            if begin <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((begin, end))
        starts, stops = (np.array(one).astype("datetime64[s]") for one in zip(*merged, strict=True))
        total += working_seconds(opens, starts, stops).sum()
    assert lost.hours_once(history, "true") == pytest.approx(total / 3600)
    assert lost.hours_once(history, "loss = 'hand_off' or loss = 'ping_pong'") < lost.hours_once(history, "true")


def test_settings_know_the_losses_and_each_has_its_words() -> None:
    assert tuple(loss.name for loss in lost.LOSSES) == LOSS_NAMES
    for loss in lost.LOSSES:
        assert lost.loss_sql(loss).startswith("-- ")
        assert title_text(words("de"), loss.name, "x") != title_text(words("en"), loss.name, "x")


def slow_team(seed: int = 7, tickets: int = 900, slow: float = 6.0, lately: float = 1.0, step: float = 0.0) -> pd.DataFrame:
    """Return a log in which the hand-offs to one team wait ``slow`` times as long, and a third of the tickets of one category need an approval.

    In the last quarter all hand-offs wait ``lately`` times as long. A third of that category's other tickets has a step of its own for ``step`` hours.
    """
    rng, rows = np.random.default_rng(seed), []
    for number in range(tickets):
        at, customer = START + timedelta(minutes=int(rng.integers((LAST - START).days * 1440))), f"c{rng.integers(60)}"
        category, team = ("plain", "bug")[number % 2], TEAMS[1 + number % 3 % 2]
        ways = [("opened", "first", 1.0), ("assigned", "first", 2.0)]
        if category == "bug":
            new = lately if at > LAST - timedelta(days=91) else 1.0
            ways += [("transferred", team, 4.0 * new * (slow if team == "third" else 1.0)), ("assigned", team, 3.0)]
        elif number % 3 == 0:
            ways += [("approval_asked", "first", 40.0), ("approval_given", "first", 1.0)]
        elif number % 3 == 1 and step:
            ways += [("note", "first", step), ("other", "first", 1.0)]
        for event, group, hours in [*ways, ("resolved", "first", 0.0)]:
            rows.append((customer, f"t{number}", event, at, group, f"{event} it", category))
            at += timedelta(hours=hours * float(rng.lognormal(0, 0.4)))
    frame = pd.DataFrame(rows, columns=["customer_id", "ticket_id", "event", "event_at", "group", "activity", "category"])
    return frame.assign(known_at=frame["event_at"])


@pytest.fixture(scope="module")
def slow() -> tuple[History, Facts]:
    return report(slow_team())


def test_what_is_dear_is_found_with_its_hours_and_customers_and_nothing_else(slow: tuple[History, Facts]) -> None:
    found = {one.key: one for one in slow[1].losses.findings.found}
    assert set(found) == {"hand_off: third", "over_organised: plain"}
    one = found["hand_off: third"]
    assert one.own / one.reference == pytest.approx(6.0, rel=0.35)
    assert one.above[1] < one.above[0] < one.above[2] < one.hours
    assert one.customers <= 60
    assert (len(one.examples), one.money) == (3, 0.0)
    approval = found["over_organised: plain"]
    assert approval.reference < 0.1
    assert approval.money == pytest.approx(approval.touches * 4.5)
    assert np.isnan([*approval.reopened, *one.reopened]).all()  # the log has no row that reopens


def test_what_cannot_be_compared_or_told_is_said_and_not_taken_for_none() -> None:
    frame = slow_team(tickets=200)
    _, facts = report(frame.assign(category=None, group=None))
    assert (facts.losses.findings.found, facts.losses.findings.compared) == ((), 0)
    assert set(facts.losses.findings.untold) == set(LOSS_NAMES)
    assert findings_sentence(words("en"), facts).startswith("Nothing could be compared among the 200 tickets")
    untold = set(report(frame)[1].losses.findings.untold)
    assert untold == {"missing_information", "double_check", "extra_step", "media_break"}
    assert "media_break" not in report(frame.assign(channel="mail"))[1].losses.findings.untold


@pytest.mark.long
def test_without_anything_dear_nothing_is_told() -> None:
    frame = slow_team(slow=1.0)
    assert report(frame[~frame["event"].str.startswith("approval")])[1].losses.findings.found == ()


def test_what_came_with_the_last_quarter_is_told_beside_the_one_before() -> None:
    frame = slow_team(tickets=1500, slow=1.0, lately=4.0)
    frame = frame[~frame["event"].str.startswith("approval")]
    _, facts = report(frame, LAST)
    found = {one.key: one for one in facts.losses.findings.found}
    assert set(found) == {"hand_off: second", "hand_off: third"}
    one = found["hand_off: third"]
    assert one.beside == "quarter"
    assert (one.own, one.reference) == pytest.approx(one.quarters)
    assert one.own / one.reference == pytest.approx(4.0, rel=0.35)
    assert one.chances < 0.6 * (frame["event"] == "transferred").sum() / 2
    assert "of the 91 days before" in finding_cards(words("en"), facts)[0]["often"]
    promised = next(each for each in facts.losses.promises if each.unit == "third")
    assert promised.quarter_low < one.above[0] < promised.quarter_high
    # a log that does not tell both quarters whole compares none
    short = frame[
        frame["ticket_id"].isin(frame.loc[(frame["event"] == "opened") & (frame["event_at"] > START + timedelta(days=110)), "ticket_id"])
    ]
    assert report(short, LAST)[1].losses.findings.found == ()
    assert report(frame, LAST, findings_days=181)[1].losses.findings.found == ()


def test_a_step_without_which_equal_tickets_go_as_well_is_told_and_one_of_hard_tickets_is_not() -> None:
    _, facts = report(slow_team(slow=1.0, step=40.0))
    found = {one.key: one for one in facts.losses.findings.found}
    assert set(found) == {"over_organised: plain", "extra_step: plain · note it"}
    one = found["extra_step: plain · note it"]
    assert (one.steps, one.reference < 0.2) == (("note it",), True)
    assert kept_reason(one, {"note it": "safety"}) == "safety"
    assert found["over_organised: plain"].steps == ("approval_asked it", "approval_given it")
    # the same step on tickets whose every other part takes long, too
    hard = slow_team(slow=1.0, step=40.0)
    with_step = hard["ticket_id"].isin(hard.loc[hard["event"] == "note", "ticket_id"])
    late = with_step & (hard["event"] == "resolved")
    hard.loc[late, ["event_at", "known_at"]] += timedelta(hours=100)
    assert {one.key for one in report(hard)[1].losses.findings.found} == {"over_organised: plain"}


@pytest.mark.long
def test_a_step_to_keep_is_in_no_what_if(slow: tuple[History, Facts]) -> None:
    assert {one.loss for one in slow[1].losses.promises} == {"hand_off", "over_organised"}
    _, facts = report(slow_team(), keep={"approval_asked it": "compliance"})
    assert {one.loss for one in facts.losses.promises} == {"hand_off"}
    kept = {one.loss: kept_reason(one, facts.asked.keep) for one in facts.losses.findings.found}
    assert kept == {"hand_off": None, "over_organised": "compliance"}


@pytest.mark.long
def test_rows_after_the_cutoff_and_rows_known_later_change_nothing() -> None:
    frame, cutoff = slow_team(), START + timedelta(days=200)
    late = frame.sample(40, random_state=1)
    late = late.assign(known_at=cutoff + timedelta(days=3), activity="later", event="note")
    more = pd.concat([frame[frame["known_at"] <= cutoff], late], ignore_index=True)
    assert findings_record(report(frame, cutoff)[1]) == findings_record(report(more, cutoff)[1])
    assert findings_record(report(frame, cutoff)[1]) != findings_record(report(frame)[1])


def test_a_promise_is_kept_as_it_was_made_and_measured_beside_the_untouched(slow: tuple[History, Facts]) -> None:
    history, facts = slow
    made_then = [replace(one, cutoff=CUTOFF - timedelta(days=91)) for one in facts.losses.promises]
    assert [promise_of(promise_record(one)) for one in made_then] == made_then
    measured = list(measured_since(history, made_then, CUTOFF, 364))
    assert [one.promise for one in measured] == made_then
    one = next(one for one in measured if one.promise.loss == "hand_off")
    assert one.days == 91
    assert one.own_since[0] > 3 * one.others_since[0] > 0
    young = Promise(CUTOFF - timedelta(days=20), "hand_off", "third", "hand-off", 9.0, 1.0, 2.0, 1.0, 2.0, 5)
    assert list(measured_since(history, [young], CUTOFF, 364)) == []
    with pytest.raises(KeyError, match="cutoff"):
        promise_of({"loss": "hand_off"})
    whole = promise_record(young)
    for wrong in ({"loss": "gone"}, {"low": "much"}, {"unit": None}, {"high": float("nan")}, {"cutoff": "2025-01-01T00:00:00+01:00"}):
        with pytest.raises(ValueError, match="no promise"):
            promise_of(whole | wrong)


def test_of_many_promises_about_a_place_that_of_a_quarter_ago_is_measured_whole_on_both_sides(slow: tuple[History, Facts]) -> None:
    history, facts = slow
    one = next(one for one in facts.losses.promises if one.loss == "hand_off")
    nightly = [replace(one, cutoff=CUTOFF - timedelta(days=days)) for days in range(1, 300)]
    (measured,) = measured_since(history, nightly, CUTOFF, 364)
    assert (measured.days, measured.promise.cutoff) == (91, CUTOFF - timedelta(days=91))
    # what was promised long ago is measured over as many days before as the tickets looked at hold
    old = replace(one, cutoff=CUTOFF - timedelta(days=264))
    assert [each.days for each in measured_since(history, [old], CUTOFF, 364)] == [100]
    assert list(measured_since(history, [replace(one, cutoff=CUTOFF - timedelta(days=340))], CUTOFF, 364)) == []


def test_a_promise_about_a_place_that_is_no_more_is_not_known_and_other_promised_places_are_not_beside_it(
    slow: tuple[History, Facts],
) -> None:
    history, facts = slow
    one = replace(next(one for one in facts.losses.promises if one.loss == "hand_off"), cutoff=CUTOFF - timedelta(days=91))
    gone, second, missing = replace(one, unit="gone"), replace(one, unit="second"), replace(one, loss="missing_information", unit="bug")
    measured = {each.promise.unit: each for each in measured_since(history, [one, gone, second, missing], CUTOFF, 364)}
    assert set(measured) == {"third", "gone", "second", "bug"}
    assert np.isnan([*measured["gone"].own_before, *measured["gone"].own_since, *measured["bug"].others_since]).all()
    assert np.isnan(measured["third"].others_since[0])  # of the only other team something was promised as well
    told = promise_rows(words("en"), replace(facts, losses=replace(facts.losses, measured=(measured["gone"],))))
    assert (told[0]["before"], told[0]["since"]) == ("not known", "not known")


def test_a_place_that_differs_by_luck_alone_is_seldom_told_even_where_chances_hang_together() -> None:
    told = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        level = rng.gamma(2.0, 0.5, 40)  # what a customer's tickets share
        sums = [
            (rng.poisson(level * counts).astype(float), counts)
            for counts in (rng.integers(1, 12, 40).astype(float), rng.integers(1, 12, 40).astype(float))
        ]
        shuffled = rng.permutation(40)
        told += contrast([(sums[0], (sums[1][0][shuffled], sums[1][1][shuffled]))]).p <= 0.05
    assert told <= 20


def told_of(release_day: int = 250, extra: int = 30) -> dict[str, pd.DataFrame]:
    """Return customers with two products, a release of one, and ``extra`` of its customers who open a ticket in the days after it."""
    day = timedelta(days=1)
    rng, names = np.random.default_rng(5), [f"c{number}" for number in range(120)]
    product = {name: ("P1", "P2")[number % 2] for number, name in enumerate(names)}
    calls = [(name, START + float(rng.uniform(0, 262)) * day, "bug") for name in names for _ in range(2)]
    calls += [(name, START + (release_day + float(rng.uniform(0.1, 10))) * day, "bug") for name in names[::2][:extra]]
    tickets = pd.DataFrame(
        [
            {
                "customer_id": name,
                "ticket_id": f"t{number}",
                "event": event,
                "event_at": at + later * day,
                "category": category,
                "product_id": product[name],
            }
            for number, (name, at, category) in enumerate(calls)
            for event, later in (("opened", 0), ("assigned", 0.1), ("resolved", 0.5))
        ]
    )
    held = [
        {
            "customer_id": name,
            "subscription_id": name,
            "event": "started",
            "event_at": START,
            "product_id": product[name],
            "mrr": 10.0 + number,
        }
        for number, name in enumerate(names)
    ]
    frames = {
        "tickets": tickets,
        "releases": pd.DataFrame({"product_id": ["P1", "P2"], "version": ["7.1", "7.2"], "event_at": [START + release_day * day] * 2}),
        "subscriptions": pd.DataFrame(held),
        "customers": pd.DataFrame({"customer_id": names, "event_at": START, "name": names, "owner": "Ada"}),
        "consents": pd.DataFrame({"customer_id": ["c118"], "event_at": [START], "purpose": ["outreach"], "allowed": [False]}),
        "contacts": pd.DataFrame({"customer_id": ["c116"], "event_at": [START + 258 * day], "direction": ["out"], "kind": ["call"]}),
    }
    return {name: frame.assign(known_at=frame["event_at"]) for name, frame in frames.items()}


def test_trouble_after_a_release_is_told_to_those_who_have_not_called_and_may_be_contacted() -> None:
    until = START + timedelta(days=262)
    history = History.from_frames(told_of(), until)
    (one,) = known_trouble(history, until)
    assert (one.product_id, one.version, one.category) == ("P1", "7.1", "bug")
    assert one.ratio[1] > 1.5
    assert one.customers >= 30
    peace = Peace(14, 90, 60, True, "UTC")
    listed, why = suggestions(history, until, [one], Room(20), peace)
    called = set(
        history.con.execute(
            f"select customer_id from canonical.tickets where event = 'opened' and event_at > timestamp '{one.released_at}'"
        ).df()["customer_id"]
    )
    ids = set(listed["customer_id"])
    assert ids
    assert not ids & (called | {"c118", "c116"})  # said no; contacted four days ago
    assert ids <= {f"c{number}" for number in range(0, 120, 2)}
    # one who does not want to be contacted is in no history at all, so nowhere in the counts
    assert len(listed) + sum(why.values()) == 59
    few, beyond = suggestions(history, until, [one], Room(3), peace)
    assert list(few["customer_id"]) == list(listed["customer_id"])[:3]
    assert beyond["beyond_capacity"] == len(listed) - 3 + why.get("beyond_capacity", 0)
    assert suggestions(history, until, [], Room(3), peace)[0].empty


def test_trouble_that_is_not_there_or_not_known_yet_is_not_told() -> None:
    until = START + timedelta(days=262)
    assert known_trouble(History.from_frames(told_of(extra=0), until), until) == ()
    assert known_trouble(History.from_frames(told_of(), until), START + timedelta(days=251)) == ()
    frames = told_of()
    late = frames["tickets"]["event_at"] > START + timedelta(days=250)
    frames["tickets"].loc[late, "known_at"] = until + timedelta(days=1)
    assert known_trouble(History.from_frames(frames, until + timedelta(days=2)), until) == ()


def test_customers_who_leave_after_a_way_stand_beside_like_ones_of_a_straight_way() -> None:
    frame = slow_team(tickets=600)
    rng = np.random.default_rng(1)
    held = [
        {
            "customer_id": f"c{number}",
            "subscription_id": "s",
            "event": "started",
            "event_at": START - timedelta(days=number * 9),
            "mrr": 10.0 * (1 + number % 3),
        }
        for number in range(60)
    ]
    left = [
        {
            "customer_id": f"c{number}",
            "subscription_id": "s",
            "event": "ended",
            "event_at": START + timedelta(days=float(rng.uniform(20, 290))),
        }
        for number in range(0, 60, 4)
    ]
    contracts = pd.DataFrame(held + left)
    history = History.from_frames({"tickets": frame, "subscriptions": contracts.assign(known_at=contracts["event_at"])}, CUTOFF)
    facts = support_facts(history, Asked(CUTOFF, team_sizes=SIZES))
    (row,) = facts.losses.journey.to_dict("records")
    assert (row["way"], row["customers"] <= 60) == ("handed_on", True)
    assert row["low"] < row["difference"] < row["high"]
    assert row["difference"] == pytest.approx(row["share"] - row["like"])
    assert row["low"] < 0 < row["high"]  # who leaves was drawn without a look at the ways


def test_the_chance_of_leaving_is_that_of_a_list_of_the_last_month_and_money_at_risk_is_its_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = told_of()
    until = START + timedelta(days=262)
    inputs = SimpleNamespace(history=History.from_frames(frames, until), as_of=until)
    given = SimpleNamespace(folder=Path("nowhere"))

    def behind(age: int, **privacy: str) -> Behind:
        rows = pd.DataFrame({"customer_id": ["c0", "c1", "c2"], "score": [0.5, None, 0.1]})
        made = SimpleNamespace(cutoff=until - timedelta(days=age), manifest={"privacy": privacy}, rows=rows)
        monkeypatch.setattr(support_past, "published_lists", lambda out, name: [made])
        return support_past.customers_behind(cast("Any", given), cast("Any", inputs))

    assert behind(31).chance == {"c0": 0.5, "c2": 0.1}
    assert behind(31).revenue["c1"] == 132.0
    assert behind(32).chance == behind(-1).chance == behind(3, key_id="k").chance == {}
    history, asked = report(slow_team())[0], Asked(CUTOFF, team_sizes=SIZES)
    every = [f"c{number}" for number in range(60)]
    one = support_facts(history, asked, Behind(dict.fromkeys(every, 10.0), dict.fromkeys(every, 0.25))).losses.findings.found[0]
    assert (one.revenue, one.leaving, one.at_risk) == pytest.approx((10.0 * one.customers, 0.25, 2.5 * one.customers))

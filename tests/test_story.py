"""What stands behind a row: both clocks, all the words, no names and no free text."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from amount import amount
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import CUTOFFS, world

from prevenance.decide import movement
from prevenance.explain import evidence, story, whatif
from prevenance.explain.evidence import newest_facts, rows_held, source_of, tables_by_column
from prevenance.explain.note import call_note
from prevenance.history.history import History
from prevenance.models.bundle import Fitted, chance, load, save
from prevenance.models.encode import Encoder
from prevenance.models.precedents import FEWEST, NEAREST, precedents, similar_counts
from prevenance.words import LANGUAGES, words

CUTOFF = datetime(2026, 10, 1)
SAY = words("en")


def rows(*given_rows: dict) -> pd.DataFrame:
    return pd.DataFrame([{"known_at": one.get("known_at", one["event_at"]), **one} for one in given_rows])


def at(days: float) -> datetime:
    return CUTOFF - timedelta(days=days)


def company(**more: pd.DataFrame) -> History:
    frames = {
        "customers": rows({"customer_id": "a", "event_at": at(400), "name": "A", "country": "CH", "plan": "old"}),
        "subscriptions": rows(
            {
                "customer_id": "a",
                "event_at": at(380),
                "subscription_id": "s",
                "event": "started",
                "plan": "team",
                "seats": 5,
                "renews_on": at(-60),
            },
            {"customer_id": "a", "event_at": at(100), "subscription_id": "s", "event": "changed", "seats": 3},
            {"customer_id": "a", "event_at": at(50), "subscription_id": "s", "event": "changed", "plan": "solo"},
        ),
        "contacts": rows(
            {"customer_id": "a", "event_at": at(30), "kind": "call", "direction": "out"},
            {"customer_id": "a", "event_at": at(3), "kind": "campaign", "direction": "out"},
            {"customer_id": "a", "event_at": at(2), "known_at": at(-1), "kind": "meeting", "direction": "in"},
            {"customer_id": "a", "event_at": at(-2), "kind": "call", "direction": "in"},
        ),
        "tickets": rows(
            {
                "customer_id": "a",
                "event_at": at(9),
                "ticket_id": "t",
                "event": "opened",
                "priority": "Urgent",
                "subject": "secret",
                "body": "secret",
            },
            {"customer_id": "a", "event_at": at(8), "ticket_id": "t", "event": "resolved"},
        ),
        "invoices": rows(
            {"customer_id": "a", "event_at": at(80), "invoice_id": "i", "event": "issued", "due_on": at(50)},
            {"customer_id": "a", "event_at": at(45), "invoice_id": "i", "event": "paid"},
            {"customer_id": "a", "event_at": at(40), "invoice_id": "j", "event": "issued", "due_on": at(12)},
            {"customer_id": "a", "event_at": at(40), "invoice_id": "k", "event": "issued", "due_on": at(20)},
            {"customer_id": "a", "event_at": at(21), "invoice_id": "k", "event": "paid"},
        ),
        "feedback": rows({"customer_id": "a", "event_at": at(60), "kind": "nps", "score": 7, "text": "secret"}),
    }
    return History.from_frames(frames | more, CUTOFF + timedelta(days=30))


def test_a_timeline_tells_what_was_known_newest_first():
    told = story.timelines(company(), CUTOFF, ["a"], SAY)["a"]
    assert [(one["on"], one["text"]) for one in told] == [
        ("2026-09-23", "Ticket resolved"),
        ("2026-09-22", "Ticket opened (urgent)"),
        ("2026-09-19", "Invoice due and not paid for 12 days"),
        ("2026-09-01", "Call"),
        ("2026-08-17", "Invoice paid 5 days late"),
        ("2026-08-12", "Plan team → solo"),
        ("2026-08-02", "NPS: 7"),
        ("2026-06-23", "Seats 5 → 3"),
    ]
    assert "secret" not in str(told)


def test_a_row_stands_on_what_was_known():
    found = story.customer_states(company(), CUTOFF).loc["a"]
    assert (found["country"], found["plan"], found["last_contact_kind"]) == ("CH", "solo", "call")
    assert (found["renews_on"], found["last_contact"], found["known_days"]) == (at(-60), at(30), 400)


def test_marks_stand_on_the_line_of_chances():
    line = story.line_moments(CUTOFF)
    assert len(line) == 12
    assert all(one.weekday() == 0 for one in line[:-1])
    assert story.line_moments(datetime(2026, 9, 28))[-2:] == [datetime(2026, 9, 21), datetime(2026, 9, 28)]
    found = story.marks_by_customer(company(), CUTOFF, ["a"], SAY)["a"]
    assert {(one["week"], one["kind"], one["text"]) for one in found} == {(10, "ticket", "Ticket opened (urgent)"), (7, "contact", "Call")}
    for one, moment in ((10, at(9)), (7, at(30))):
        assert line[one - 1] < moment <= line[one]


def test_the_line_is_that_of_the_decision():
    from pipelines.start.compose import settings_of
    from prevenance.decide.weeks import moments_of
    from prevenance.runs.settings.outreach import rules_of
    from prevenance.runs.snapshots import target_of

    settings_ = settings_of("score", ["target=churn"])
    rules = rules_of(settings_, target_of(settings_))
    for cutoff in (CUTOFF, datetime(2026, 9, 28), datetime(2026, 9, 28, 6), datetime(2026, 9, 27, 23, 59, 59)):
        assert moments_of(cutoff, rules).line == story.line_moments(cutoff)


@settings(max_examples=amount(5, 15), deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_not_visible_changes_nothing(seed):
    frames, cutoff = world(seed), CUTOFFS[1]
    known = {
        name: frame[(frame["event_at"] <= cutoff) & (frame["known_at"] <= cutoff)] for name, frame in frames.items() if name != "consents"
    }
    customers = sorted(set(frames["customers"]["customer_id"]))

    def told(which: dict[str, pd.DataFrame]) -> tuple:
        history = History.from_frames(which, cutoff + timedelta(days=60))
        parts = [function(history, cutoff, customers, SAY) for function in (story.timelines, story.marks_by_customer)]
        stands = story.customer_states(history, cutoff).to_csv()
        return (*parts, stands, story.source_ages(history, cutoff), [rows_held(history, cutoff, one) for one in customers])

    assert told({name: frame for name, frame in frames.items() if name != "consents"}) == told(known)


def test_a_source_is_late_when_it_is_silent_for_longer_than_ever():
    def late(*days: float) -> bool:
        frame = rows(*({"customer_id": "a", "event_at": at(one), "kind": "login"} for one in days))
        found = {one["table"]: one for one in story.source_ages(company(usage=frame), CUTOFF)}
        return found["usage"]["late"]

    assert not late(0.5, 1, 2, 3)
    assert not late(2, 4, 6, 8)
    assert late(3, 5, 7, 9)
    assert late(6, 7, 8, 9)
    assert not late(60, 80)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_unknown_is_said(language):
    frame = pd.DataFrame({"customer_id": ["a"], "score": [0.9], "holes": [30], "inputs": [100], "without": [("usage",)]})
    known = pd.DataFrame({"known_days": [12.0]}, index=["a"])
    late = [{"table": "tickets", "newest": at(6), "late": True}, {"table": "usage", "newest": at(0), "late": False}]
    found = story.unknown_by_customer(frame, known, late, (0.01, 0.5), words(language))["a"]
    assert len(found) == 5
    calm = frame.assign(score=0.2, holes=1, without=[()])
    assert story.unknown_by_customer(calm, known.assign(known_days=500.0), late[1:], (0.01, 0.5), words(language)) == {"a": []}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_note_has_three_sentences_and_no_word_of_a_model(language):
    say = words(language)
    facts = ["Logins 41 → 16", "Open tickets: 2", "A third"]
    full = call_note(
        say, cutoff=CUTOFF, last_contact=at(30), kind="call", facts=facts, action="Call.", act_by="2026-10-08", renews_on=at(-60)
    )
    bare = call_note(say, cutoff=CUTOFF, last_contact=None, kind=None, facts=[], action="", act_by="", renews_on=pd.NaT)
    assert "Logins 41 → 16; Open tickets: 2" in full
    assert "A third" not in full
    assert bare.count(".") == 3
    for word in ("score", "model", "chance", "modèle", "risk", "%"):
        assert word not in full.lower() + bare.lower()


def test_every_input_has_its_tables_and_the_newest_fact():
    from prevenance.features import definitions
    from prevenance.features.build import feature_columns

    chosen = definitions()
    found = tables_by_column(chosen)
    assert set(feature_columns(chosen)) <= set(found)
    assert found["logins_28d_trend"] == ("usage",)
    assert found["errors_per_use_28d"] == ("usage",)
    dates = newest_facts(company(), CUTOFF, "a")
    assert dates["contacts"] == at(3)
    assert source_of(("contacts", "tickets"), dates) == ("contacts, tickets", at(3))
    assert newest_facts(company(), CUTOFF, "o'brien; drop") == {}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(1, 300), people=st.integers(1, 120))
def test_precedents_count_each_customer_once(seed, n, people):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer_id": draw.integers(0, people, n).astype(str),
            "score": draw.choice([0.1, 0.2, 0.25, 0.9], n) if seed % 2 else draw.random(n),
            "label": (draw.random(n) < 0.3).astype(float),
        }
    )
    kept = precedents(frame)
    if frame["customer_id"].nunique() < FEWEST:
        assert kept == []
        return
    assert [one[0] for one in kept] == sorted({one[0] for one in kept})
    for score, customers, came in kept:
        own = frame.assign(d=(frame["score"] - score).abs()).sort_values("d", kind="stable").drop_duplicates("customer_id")
        far = own["d"].iloc[min(NEAREST, len(own)) - 1]
        assert (customers, came) == (int((own["d"] <= far).sum()), own.loc[own["d"] <= far, "label"].sum())
    assert similar_counts({"precedents": kept}, kept[0][0] - 1) == (kept[0][1], kept[0][2])


def test_a_model_from_before_has_no_precedents_and_loads(tmp_path):
    old = Fitted("rule", Encoder(("a",)), {}, (0.0, 0.0))
    found = load(tmp_path / "m", save(old, tmp_path / "m"))
    assert similar_counts(found.about, 0.3) is None
    new = Fitted("rule", Encoder(("a",)), {}, (0.0, 0.0), about={"precedents": [[0.1, 60.0, 7.0]]})
    assert similar_counts(load(tmp_path / "n", save(new, tmp_path / "n")).about, 0.3) == (60, 7)
    assert similar_counts(new.about, float("nan")) is None


def test_what_if_moves_a_story_as_one():
    model = {"place": 0, "direction": 1.0, "middle": 0.0, "scale": 1.0}
    fitted = Fitted("rule", Encoder(("x", "x_before", "age")), model, (1.0, 0.0))
    row = pd.DataFrame({"x": [4.0], "x_before": [1.0], "age": [9.0]})
    stories = {"x": "s", "x_before": "s", "age": "t"}
    typical = whatif.typical_values(
        pd.DataFrame({"x": [0.0, 1.0, 2.0], "x_before": [np.nan] * 3, "age": [1.0] * 3}), ["x", "x_before", "age", "gone"]
    )
    assert typical == {"x": 1.0, "age": 1.0}
    found = whatif.story_answers(fitted, row, {whatif.TYPICAL: typical, whatif.QUARTER: {"x": np.nan}}, stories, {"x"})
    assert [(one.columns, one.then) for one in found] == [(("x", "x_before"), {"x": 1.0})]
    assert found[0].score == chance(fitted, row.assign(x=1.0))[0]
    assert whatif.story_answers(fitted, row, {whatif.TYPICAL: typical}, stories, set()) == []


@pytest.mark.parametrize(("now", "said"), [(4.0, "4.0"), (np.nan, "unknown")])
def test_an_answer_says_the_number_of_now_or_that_it_is_unknown(monkeypatch, now, said):
    fitted = Fitted("rule", Encoder(("x",)), {"place": 0, "direction": 1.0, "middle": 0.0, "scale": 1.0}, (1.0, 0.0))
    basis = SimpleNamespace(
        fitted=fitted,
        features=pd.DataFrame({"x": [1.0, 1.0]}),
        cutoff=datetime(2026, 1, 1),
        known_since=lambda customer, moment: False,
        wordings={"x": SimpleNamespace(story="s")},
        definitions=[],
        phrase_of=lambda names, values, say: (names[0], f"Visits: {values[names[0]]}"),
        phrase=lambda name, values, say: None if np.isnan(values[name]) else f"Visits: {values[name]}",
    )
    monkeypatch.setattr(evidence, "changeable_columns", lambda definitions: {"x"})
    own = pd.DataFrame({"customer_id": ["a"], "x": [now]})
    found = evidence.what_if_answers(basis, own, pd.Series({"x": 1.0}), words("en"))
    assert [(one["then"], one["now"]) for one in found] == [("Visits: 1.0", said)]


def test_who_moved_and_why():
    before = pd.DataFrame({"customer_id": list("abcdefg"), "name": list("ABCDEFG"), "rank": [1, 2, 3, 4, 5, 6, 7], "score": 0.5})
    now = pd.DataFrame(
        {
            "customer_id": list("bahcdf"),
            "name": list("BAHCDF"),
            "rank": [1, 2, 3, None, None, None],
            "score": [0.5, 0.5, 0.5, 0.2, 0.6, 0.5],
            "apart": ["", "", "", "beyond_capacity", "beyond_capacity", "snoozed"],
        }
    )
    assert movement.rank_moves(now, before) == {"b": "up 1", "a": "down 1", "h": "entered"}
    gone = movement.customers_gone(now, before, {"g"}, set(), {"e"})
    assert [(one["customer_id"], one["why"]) for one in gone] == [
        ("c", "recovered"),
        ("d", "overtaken"),
        ("e", "renewed"),
        ("f", "snoozed"),
    ]
    assert movement.customers_gone(now, before, set(), {"e", "g"}, {"e"})[2]["why"] == "contacted"
    assert movement.counts_apart(now)["snoozed"] == 1

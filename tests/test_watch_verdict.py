"""The watch's verdict: a record before an estimate, one decision with its evidence, and notices that show as meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prevenance.proof.watch.notice import notice_of
from prevenance.proof.watch.page import watch_page
from prevenance.proof.watch.verdict import (
    CANNOT_HELP,
    RETRAIN,
    WAIT,
    Evidence,
    Record,
    decision_on,
    estimate_silence,
    list_record,
    refit_gain,
)
from prevenance.proof.watch.wording import decision_text
from prevenance.words import LANGUAGES, words
from prevenance.words.saying import said_in

RIGHT, OFF, NONE = Record(4, 20.0, 21, True), Record(4, 20.0, 3, False), Record(1, 5.0, 4, None)
BETTER, SAME = {"value": 0.02, "low": 0.01, "high": 0.03}, {"value": 0.001, "low": -0.01, "high": 0.012}


def lists(hits: list[float | None], days: int = 30) -> pd.DataFrame:
    at = pd.date_range("2025-01-01", periods=len(hits), freq=f"{days}D")
    return pd.DataFrame({"cutoff": at, "expected_hits": 6.0, "spread": 4.2, "hits": pd.array(hits, dtype="Float64")})


def evidence(**changed: Any) -> Evidence:
    return Evidence(**{"events": [], "warned": [], "record": RIGHT, "age_days": 60, "gain": SAME, "lacking": ""} | changed)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, WAIT),
        ({"gain": BETTER}, RETRAIN),
        ({"age_days": 200}, RETRAIN),
        ({"warned": ["inputs"], "gain": BETTER}, RETRAIN),
        ({"warned": ["inputs"]}, CANNOT_HELP),
        ({"record": OFF, "age_days": 200}, CANNOT_HELP),
        ({"record": OFF, "gain": None, "lacking": "the first period closes on 2026-05-01."}, WAIT),
        ({"events": ["usage"], "gain": BETTER}, CANNOT_HELP),
        ({"record": NONE, "gain": None}, WAIT),
    ],
)
def test_one_decision_follows_from_the_evidence(changed: dict[str, Any], kind: str) -> None:
    found = decision_on(evidence(**changed))
    assert found.kind == kind
    for language in LANGUAGES:
        assert all("{" not in said_in(words(language), one) for one in found.reasons)
    if found.kind == RETRAIN and changed.get("gain") is BETTER:
        assert "+0,0200" in " ".join(said_in(words("fr"), one) for one in found.reasons), "numbers are those of the language"


def test_windows_that_overlap_are_one_piece_of_evidence() -> None:
    assert list_record(lists([5, 7, 6, 6, 5, 7, None]), 90) == Record(2, 12.0, 13, None)
    assert list_record(lists([5, 7, 6, 6, None]), 30) == Record(4, 24.0, 24, True)
    assert list_record(lists([0, 1, 0, 0]), 30).right is False
    assert list_record(lists([]), 30) == Record(0, 0.0, 0, None)


def test_the_estimate_is_silent_where_it_was_wrong_where_it_has_no_record_and_where_the_night_is_another() -> None:
    assert estimate_silence(RIGHT, []) is None
    # The planted case: under drift the chances of the open list would be told, and be wrong.
    assert "outside" in str(estimate_silence(RIGHT, ["inputs"]))
    assert "outside" in str(estimate_silence(RIGHT, ["dried"])), "a feed that dried up looks like customers who leave"
    assert "3 came" in str(estimate_silence(OFF, []))
    assert "1 of 3 lists" in str(estimate_silence(NONE, []))


def test_a_gain_is_sure_only_beyond_the_luck_of_customers() -> None:
    dice = np.random.default_rng(1)
    truth = dice.uniform(0.02, 0.5, 2000)
    label, names = (dice.random(2000) < truth).astype(float), [f"{n % 500}" for n in range(2000)]
    better = refit_gain(label, np.full(2000, label.mean()), truth, names)
    assert 0 < float(better["low"] or 0) < float(better["value"] or 0) < float(better["high"] or 0)
    same = refit_gain(label, truth, np.clip(truth + dice.normal(0, 0.002, 2000), 0.001, 1), names)
    assert float(same["low"] or 0) < 0 < float(same["high"] or 0)
    assert refit_gain(label[:1], truth[:1], truth[:1], names[:1])["value"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_shows_as_meant_in_a_mail_and_in_a_chat(language: str) -> None:
    decided = [{"target": "churn", "decision": RETRAIN, "says": "Train *again* now.", "reasons": ["Better by 0.02."]}]
    found = notice_of(words(language), "Is it still right?", "2026-04-01", ["use: <3 new & few @here"], decided, "out/watch/x/report.html")
    assert "&lt;3 new &amp; few" in found["chat"]
    assert "\u200b@here" in found["chat"]
    assert "*churn: Train \u200b*again\u200b* now.*" in found["chat"]
    assert "<3 new & few" in found["mail"]
    assert notice_of(words(language), "t", "d", [], [], "p")["mail"].count("\n") == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_the_decision_first_and_escapes_what_the_data_say(language: str) -> None:
    say, at = words(language), pd.date_range("2025-10-01", periods=4, freq="28D")
    one = {
        "target": "churn",
        "title": say("Customers at risk of leaving"),
        "decision": WAIT,
        "says": decision_text(say, WAIT),
        "reasons": ["One."],
    }
    one |= {"estimate": None, "silence": "None yet.", "agreement": {"against": 3, "decided": 20}}
    rows = pd.DataFrame(
        {"target": "churn", "cutoff": at, "customers": 300, "expected": 17.0, "listed": 20, "expected_hits": 6.2, "closes": at}
    )
    rows = rows.assign(outcomes=[16, 17, None, None], hits=[5, 6, None, None], warned=["", "rate", "", ""])
    weeks = {"usage": [(day.to_pydatetime(), 900) for day in at]}
    page = watch_page(say, "demo", "2026-04-15", "abcdef123456789", ["<b>3 new</b>"], [one], rows, weeks)
    assert page.index(one["says"]) < page.index("&lt;b&gt;3 new") < page.index("<svg")
    assert page.count('<tr><th scope="row">') == 4
    assert "<script" not in page
    assert page.count("<svg") == 2
    bare = watch_page(say, "demo", "2026-04-15", "abcdef123456789", [], [one], rows.iloc[:0], {})
    assert say("No list has been published yet: there is no record.") in bare
    assert say("Nothing is far from usual.") in bare

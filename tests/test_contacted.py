"""Whom we contacted while a label's window ran: counted apart, never called an effect, and left out of what is learned where that is asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest

from prevenance.history.history import History
from prevenance.publish.sentences import contacted_sentence
from prevenance.runs.contacted import contacted_counts, contacted_within, learned_rows
from prevenance.runs.settings.schema import ValidationSettings
from prevenance.targets import KINDS
from prevenance.words import LANGUAGES, words

FIRST = datetime(2026, 1, 5)
CUTOFFS = (FIRST, FIRST + timedelta(days=60))
TARGET = KINDS["contract"](horizon_days=30, settle_days=2)
PEOPLE = [f"c{one:02}" for one in range(40)]
CALLS = [(name, FIRST + timedelta(days=3 + number)) for number, name in enumerate(PEOPLE[:24])]
"""The last at 26 days; nobody in the window of the second cutoff."""


def history(calls: list[tuple[str, datetime]], kind: str = "call") -> History:
    contacts = pd.DataFrame(calls, columns=["customer_id", "event_at"]).astype({"event_at": "datetime64[us]"})
    began = pd.DataFrame({"customer_id": PEOPLE, "event_at": FIRST - timedelta(days=99)})
    frames = {
        "customers": began,
        "subscriptions": began.assign(subscription_id="s", event="started", mrr=10.0),
        "contacts": contacts.assign(direction="out", kind=kind),
    }
    return History.from_frames({name: one.assign(known_at=one["event_at"]) for name, one in frames.items()}, FIRST + timedelta(days=200))


def snapshots() -> pd.DataFrame:
    parts = [pd.DataFrame({"customer_id": PEOPLE, "cutoff": pd.Timestamp(at).as_unit("us")}) for at in CUTOFFS]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(label=[float(number % 5 == 0) for number in range(len(rows))])


def test_who_was_contacted_is_counted_apart() -> None:
    rows = snapshots()
    met = contacted_within(history(CALLS), TARGET, rows)
    assert met.tolist() == [row["cutoff"] == FIRST and row["customer_id"] in PEOPLE[:24] for row in rows.to_dict("records")]
    told = contacted_counts(history(CALLS), TARGET, rows, left_out=False)
    ones = [[row["label"] for row, one in zip(rows.to_dict("records"), met, strict=True) if one == which] for which in (True, False)]
    for name, found in zip(("contacted", "alone"), ones, strict=True):
        assert (told[name]["snapshots"], told[name]["outcomes"]) == (len(found), sum(found))
        assert told[name]["rate"] == pytest.approx(sum(found) / len(found))
        assert told[name]["low"] < told[name]["rate"] < told[name]["high"]
    difference = told["difference"]
    assert difference["low"] < difference["value"] < difference["high"]
    assert difference["value"] == pytest.approx(told["contacted"]["rate"] - told["alone"]["rate"])
    # a campaign is no contact in person, and without the table nothing is said
    assert not contacted_within(history(CALLS, "campaign"), TARGET, rows).any()


def test_those_contacted_are_left_out_where_it_is_asked_and_counted() -> None:
    rows = snapshots()
    kept, said = learned_rows(ValidationSettings(), history(CALLS), TARGET, rows)
    assert (len(kept), said) == (80, [])
    alone, said = learned_rows(ValidationSettings(contacted="leave_out"), history(CALLS), TARGET, rows)
    assert len(alone) == 56
    assert "24 of 80 snapshots are neither learned from nor tested on" in said[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_says_that_it_is_no_effect(language: str) -> None:
    told = contacted_counts(history(CALLS), TARGET, snapshots(), left_out=True)
    text = contacted_sentence({"contacted": told}, words(language))
    assert "20" in text
    if language == "en":
        assert "which is no effect of contacts: those contacted were chosen" in text
        assert "of 24 snapshots" in text
        assert text.endswith("only those without were learned from and tested on")
        assert contacted_sentence({}) == "no contacts are known"
        few = contacted_counts(history([]), TARGET, snapshots(), left_out=False)
        assert "window: nobody" in contacted_sentence({"contacted": few})

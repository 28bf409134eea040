"""Days that people read are those of the source's time zone: a date there is another day in UTC."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from company import Company

from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError
from prevenance.explain import story
from prevenance.explain.note import call_note
from prevenance.history.history import History, as_of_instant
from prevenance.publish import cells, digest, header, page, summary, wording, workbook
from prevenance.runs.no_model import no_signal_text
from prevenance.words import words

PARIS, CUTOFF = "Europe/Paris", datetime(2024, 2, 28, 23)  # 29 February, 00:00
VIEW = {
    "language": "en",
    "zone": PARIS,
    "target": "churn",
    "kind": "contract",
    "cutoff": "2024-02-28T23:00:00Z",
    "date": "2024-02-29",
    "data_until": "2024-02-28T23:00:00Z",
    "horizon_days": 90,
    "run_id": "0" * 16,
    "moved": {"since": "2024-02-22"},
    "sources": [{"table": "usage", "newest": "2024-02-28T23:00:00Z", "days": 0, "late": False}],
    "rows": [
        {"rank": 1, "customer_id": "a", "name": "Ada", "score": 0.3, "state": "open", "act_by": "2024-03-07", "action": "Call",
         "reasons": "", "cutoff": "2024-02-28T23:00:00Z", "details": {"renews_on": "2024-03-31"}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (CUTOFF, PARIS, date(2024, 2, 29)),
        ("2024-02-28T23:00:00Z", PARIS, date(2024, 2, 29)),
        ("2024-02-29T00:00:00+01:00", PARIS, date(2024, 2, 29)),
        ("2024-02-28T23:00:00Z", "", date(2024, 2, 28)),
        ("2024-02-29T02:00:00", "America/New_York", date(2024, 2, 28)),
        ("2024-02-28", PARIS, date(2024, 2, 28)),
        (date(2024, 2, 28), PARIS, date(2024, 2, 28)),
        (pd.Timestamp(CUTOFF), PARIS, date(2024, 2, 29)),
        (pd.NaT, PARIS, None),
        ("", PARIS, None),
    ],
)
def test_an_instant_is_a_day_of_the_zone_and_a_date_stays(moment: object, zone: str, day: date | None) -> None:
    assert words("en", zone).day(moment) == day  # type: ignore[arg-type]
    assert words("de", zone).date(moment) == ("–" if day is None else f"{day.day}. Feb. 2024")  # type: ignore[arg-type]


def test_a_list_tells_its_days_wherever_it_is_read() -> None:
    say = wording.view_words(VIEW)
    assert say.zone == PARIS
    assert "29 February 2024" in header.long_date(say, VIEW | {"date": None})
    assert "· 29 Feb 2024" in digest.digest_text(VIEW).splitlines()[0]
    assert header.source_freshness(say, VIEW) == [("use 29 Feb", False)]
    html = page.list_page(VIEW)
    assert '"day":"2024-02-29"' in html
    assert "28 Feb" not in html
    assert cells.date_and_distance(say, VIEW["cutoff"], "2024-03-31") == ("31 Mar", "in 31 days")
    found = pd.read_excel(io.BytesIO(workbook.workbook_bytes(VIEW)), sheet_name="Data")
    assert found["cutoff"].iloc[0] == pd.Timestamp("2024-02-29")
    assert wording.view_words(VIEW | {"zone": "../etc/passwd"}).zone == wording.view_words(VIEW | {"zone": "Mars/Base"}).zone == ""


def test_the_terminal_tells_them_too() -> None:
    ranked = pd.DataFrame({"target": ["churn"], "cutoff": [CUTOFF], "data_until": [CUTOFF], "horizon_days": [90], "state": ["too_late"],
        "rank": [None], "expected_value": [None], "customer_id": ["a"]})  # fmt: skip
    assert "LIST      churn · 2024-02-29 · the 90 days ahead · data until 2024-02-29" in summary.list_text(ranked, zone=PARIS)
    assert "until 2024-02-29 " in summary.training_text({"source": "mine", "as_of": "2024-02-28T23:00:00", "timezone": PARIS})
    assert wording.date_text(CUTOFF, PARIS) == local_day(CUTOFF, PARIS) == "2024-02-29"
    with pytest.raises(PrevenanceError, match="lies in the future") as refused:
        as_of_instant("2024-03-01", PARIS, CUTOFF)
    assert refused.value.fix == "give a date up to 2024-02-29"


def test_what_happened_and_what_renews_stand_on_their_day() -> None:
    known = pd.DataFrame({"customer_id": ["a"], "event_at": [CUTOFF], "known_at": [CUTOFF], "kind": ["call"], "direction": ["out"]})
    who = pd.DataFrame({"customer_id": ["a"], "event_at": [datetime(2023, 1, 1)], "known_at": [datetime(2023, 1, 1)]})
    history, say = History.from_frames({"customers": who, "contacts": known}, datetime(2024, 3, 9)), words("en", PARIS)
    assert [one["on"] for one in story.timelines(history, datetime(2024, 3, 1, 23), ["a"], say)["a"]] == ["2024-02-29"]
    note = call_note(
        say, cutoff=datetime(2024, 3, 1, 23), last_contact=CUTOFF, kind="call", facts=[], action="", act_by="",
        renews_on=datetime(2024, 3, 31, 22),
    )  # fmt: skip
    assert note == "Last contact: Call on 29 Feb, 2 days ago. Nothing stands out in the records. Renewal on 1 Apr, in 30 days."


def test_a_sentence_of_the_intake_tells_the_day_of_the_zone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    company = Company(tmp_path, capsys)
    company.settings |= {"timezone": PARIS, "delay_days": {"tickets": 0, "customers": 0}}
    assert "no customer is known at 2023-12-31. FIX" in company.refused("E305", overrides=("as_of=2023-12-31",)).line
    fix = company.refused("E305", overrides=("as_of=2023-12-31",)).line.partition("as_of=")[2].split()[0]
    assert company.passes(f"as_of={fix}")


def _auc(value: float, low: float, high: float) -> dict[str, dict[str, float]]:
    return {"roc_auc": {"value": value, "low": low, "high": high}}


def test_no_signal_is_said_only_where_the_rule_has_none_either() -> None:
    coin = {"logistic": _auc(0.52, 0.47, 0.57)}
    assert no_signal_text(coin | {"rule": _auc(0.51, 0.46, 0.56)}, ("logistic",)).startswith("There is no usable signal in these data")
    said = no_signal_text(coin | {"rule": _auc(0.73, 0.69, 0.77)}, ("logistic",))
    assert "no usable signal" not in said
    assert (
        said
        == "No model ranks better than a coin: the best model's AUC is 0.52 (0.47 to 0.57), a coin has 0.50; there is a signal, simple rule has 0.73."
    )
    assert "your health score has 0.70" in no_signal_text(coin | {"health_score": _auc(0.7, 0.6, 0.8)}, ("logistic",))
    assert no_signal_text({"logistic": _auc(0.6, 0.55, 0.65), "rule": _auc(0.7, 0.6, 0.8)}, ("logistic",)) == ""

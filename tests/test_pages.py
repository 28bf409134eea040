from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from reports import UGLY, poor_reports, report
from test_ranking import company, ranked

from prevenance.writers import drawings, summary, wording
from prevenance.writers.report import card, page


def pixel(folder: Path, name: str) -> Path:
    path = folder / f"{name}.png"
    path.write_bytes(base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="))
    return path


def test_the_page_is_one_file_that_asks_nothing_of_the_network(tmp_path: Path) -> None:
    text = page(report(), [pixel(tmp_path, "importance"), pixel(tmp_path, "dependence_1")])
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<iframe|\son\w+=|\sstyle=", re.sub(r"base64,[\w+/=]+", "", text))
    assert text.count('src="data:image/') == text.count("src=") == 5
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'" in text


def test_what_comes_from_data_is_escaped() -> None:
    text = page(report() | {"target": UGLY, "source": UGLY, "says": UGLY, "rule": UGLY, "enough": UGLY, "seconds": {UGLY: 1.0}})
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text
    written = card(report() | {"target": UGLY})
    assert "<script" not in written.replace("\\<script", "")
    assert not re.search(r"(?<!\\)`code", written)


def test_the_page_says_what_matters() -> None:
    text = page(report())
    for words in (
        "LightGBM is promoted",
        "Average precision 0.34 against the rule&#39;s 0.19",
        "32.5 %",
        "26.0–39.0 %",
        "csm_health_manual",
        "✗ fail",
        "worse than the rule",
        "Median 47 days",
        "Predicted 3.4 %, seen 3.2 %",
        "read = used + excluded + quarantined",
        "Champion so far",
        "8.5",
    ):
        assert words in text
    assert text == page(report())


@pytest.mark.parametrize("name", sorted(poor_reports()))
def test_what_is_missing_is_said_and_nothing_fails(name: str) -> None:
    poor = poor_reports()[name]
    said = summary.training(poor)
    assert "None" not in said
    assert "nan" not in said.replace("prevenance", "")
    for text in (page(poor), card(poor)):
        assert not re.search(r"\bNone\b(?! found|\.)|\bnan\b|Undefined", text)
    if name != "undefined metrics":
        assert "not enough data" in said
        assert "Not enough data yet." in page(poor)


def test_the_summary_is_read_in_a_minute() -> None:
    lines = summary.training(report()).splitlines()
    labels = [line[:10].strip() for line in lines if line[:10].strip()]
    wanted = [
        "DATA",
        "LABEL",
        "ENOUGH?",
        "SPLIT",
        "LEAKAGE",
        "BACKTEST",
        "LEAD TIME",
        "CALIBR.",
        "SLICES",
        "CHECKS",
        "GATES",
        "RESULT",
        "NOTES",
        "FILES",
        "NEXT",
    ]
    assert labels == wanted
    assert len(lines) < 45
    said = "\n".join(lines)
    assert "217 outcomes in 6,826 snapshots (3.2 %)" in said
    assert "lightgbm against simple rule: +32 hits, better in 6 of 6 periods" in said
    assert "usage 4,099,000 (700 excluded, 300 quarantined)" in said
    assert "\x1b" not in said


def test_hits_may_stand_in_a_dict_of_their_own() -> None:
    nested = [{"cutoff": "2026-01-01", "customers": 10, "positives": 2, "random": 0.5, "hits": {"rule": 1.0}}]
    assert wording.total(nested, "rule") == 1.0
    assert "simple rule" in summary.training({"periods": nested, "chosen": {"model": "rule"}, "capacity": 3})


def test_the_top_of_a_list_names_no_person() -> None:
    frame = company().assign(name="Jane Doe", owner="Dana", reasons="Logins 41 → 16 in 28 days\x1b[31m; Tickets: 3")
    said = summary.top(ranked(frame, capacity=12), Path("out/lists/churn/x"), rows=5)
    assert "Jane" not in said
    assert "Dana" not in said
    assert "\x1b" not in said
    assert "12 of 60 customers to contact" in said
    assert "and 7 more" in said
    assert "too late" in said
    assert said.rstrip().endswith("out/lists/churn/x/")
    assert "nobody is at risk" in summary.top(ranked(company().iloc[:0]))


def test_a_list_without_money_or_reasons_has_a_top_too() -> None:
    frame = company().assign(value_at_stake=float("nan"), reasons=None, score_before=float("nan"))
    said = summary.top(ranked(frame, playbook={}))
    assert "no single reason stands out" in said
    assert "expected" not in said


def test_drawings_are_well_formed_and_empty_where_there_is_nothing() -> None:
    full = report()
    for drawn in (drawings.hits(full["periods"], "lightgbm"), drawings.reliability(full["calibration"]["bins"])):
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        assert "nan" not in drawn
    assert drawings.hits([], "lightgbm") == drawings.reliability([]) == drawings.reliability([{"predicted": None, "seen": None}]) == ""
    assert drawings.hits([{"cutoff": "2026-01-01", "random": 0.0, "rule": 0.0}], "rule") == ""


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.41, "about 4 in 10"),
        (0.97, "more than 9 in 10"),
        (0.096, "about 1 in 10"),
        (0.03, "about 3 in 100"),
        (0.0, "below 1 in 100"),
        (None, "–"),
    ],
)
def test_chances_are_told_as_frequencies(share: float | None, words: str) -> None:
    assert wording.chance(share) == words

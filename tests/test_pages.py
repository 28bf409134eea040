from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from reports import UGLY, poor_reports, report
from test_ranking import company, ranked

from prevenance import words as speakers
from prevenance.publish import drawings, summary, wording
from prevenance.publish.report import model_card, report_page
from prevenance.targets.churn import by_contract, by_event, by_silence
from prevenance.targets.cross_sell import next_family, next_offer
from prevenance.targets.target import Target
from prevenance.targets.tickets import next_ticket
from prevenance.words.saying import saying


def pixel(folder: Path, name: str) -> Path:
    path = folder / f"{name}.png"
    path.write_bytes(base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="))
    return path


def test_the_page_is_one_file_that_asks_nothing_of_the_network(tmp_path: Path) -> None:
    text = report_page(report(), [pixel(tmp_path, "importance"), pixel(tmp_path, "dependence_1")])
    within = re.sub(r'base64,[\w+/=]+|xmlns="http://www.w3.org/2000/svg"|url\(#late\)', "", text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<iframe|\son\w+=|\sstyle=", within)
    assert text.count('src="data:image/') == text.count("src=") == 2
    assert text.count("<svg") == 6 + len(report()["slices"])
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'" in text


def test_what_comes_from_data_is_escaped() -> None:
    text = report_page(report() | {"target": UGLY, "source": UGLY, "says": UGLY, "rule": UGLY, "enough": UGLY, "seconds": {UGLY: 1.0}})
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text
    written = model_card(report() | {"target": UGLY})
    assert "<script" not in written.replace("\\<script", "")
    assert not re.search(r"(?<!\\)`code", written)


def test_the_page_says_what_matters() -> None:
    text = report_page(report())
    for words in (
        "LightGBM is promoted",
        "Average precision 0.34 against the rule&#39;s 0.19",
        "32.5 %",
        "26.0–39.0 %",
        "csm_health_manual",
        "✗ fail",
        "worse than the rule",
        "Median 47 days",
        "Predicted 3.4\u00a0%, seen 3.2\u00a0%",
        "read = used + excluded + quarantined",
        "78 of 240 contacts were right (32.5\u00a0%; 90\u00a0% interval 26.0–39.0\u00a0%): 45.5 with the simple rule",
        "141 of 219 outcomes were on no list (64\u00a0%): a list holds 40; 9 of 78 outcomes found came too late",
        "1 input that knew too much, 11 customers who opted out, 300 rows that broke the contract, 1,180 labels still open, a judgement on 1 slice",
        "off by 1.2 points on average, luck alone gives up to 1.8 points",
        "Top-3 stable over 10 refits for 88\u00a0% of listed customers (35 of 40)",
        "2 of 81 inputs moved since training, 1 of them only known for more customers now",
        "! footprint",
        "20 % of contacts for 40 % of outcomes",
        "hatched: too late to act",
        "Champion so far",
        "8.5",
    ):
        assert words in text
    assert text == report_page(report())


@pytest.mark.parametrize("name", sorted(poor_reports()))
def test_what_is_missing_is_said_and_nothing_fails(name: str) -> None:
    poor = poor_reports()[name]
    said = summary.training_text(poor)
    assert "None" not in said
    assert "nan" not in said.replace("prevenance", "")
    for text in (report_page(poor), model_card(poor)):
        assert not re.search(r"\bNone\b(?! found|\.)|\bnan\b|Undefined", text)
    if name != "undefined metrics":
        assert "not enough data" in said
        assert "Not enough data yet." in report_page(poor)


def test_the_summary_is_read_in_a_minute() -> None:
    lines = summary.training_text(report()).splitlines()
    labels = [line[:10].strip() for line in lines if line[:10].strip()]
    wanted = [
        "DATA",
        "LABEL",
        "ENOUGH?",
        "SPLIT",
        "LEAKAGE",
        "BACKTEST",
        "POLICIES",
        "LEAD TIME",
        "CALIBR.",
        "SLICES",
        "REASONS",
        "DRIFT",
        "CHECKS",
        "GATES",
        "RESULT",
        "NOTES",
        "FILES",
        "NEXT",
    ]
    assert labels == wanted
    assert len(lines) <= 38
    assert max(len(line) for line in lines) <= 240
    said = "\n".join(lines)
    assert "217 outcomes in 6,826 snapshots (3.2 %)" in said
    assert "lightgbm against simple rule: +32 hits, better in 6 of 6 periods" in said
    assert "8,198,000 rows of 2 tables used, 700 excluded, 300 quarantined" in said
    assert "top-3 stable over 10 refits for 88 % of listed customers" in said
    assert "! segment Mid (70 outcomes): 20 % of contacts for 40 % of outcomes" in said
    assert "3 types of leakage: 2 pass, 1 warn (L2)" in said
    assert "32.5 % (26–39)" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("target", [by_contract(), by_event(), by_silence(), next_ticket(), next_offer(), next_family()])
def test_what_a_target_says_follows_a_customer_in_a_sentence(target: Target) -> None:
    assert re.match(r"(gave|had|opened|took|bought) ", target.says)


def test_the_card_says_once_within_how_many_days() -> None:
    assert "| label | 1 if the outcome came within 90 days of the cutoff; known" in model_card(report() | {"says": ""})


def test_too_few_outcomes_make_no_claim() -> None:
    one = report() | {"positives": 1, "customers": 1, "snapshots": 1, "positive_snapshots": 1, "models": {}, "folds": []}
    for text in (model_card(one), report_page(one), summary.training_text(one)):
        assert not re.search(r"(?<![\d,.])1 (customers|snapshots|contacts|outcomes)|<b>1</b> (customers|snapshots)", text)
        assert "predicted 3.4" not in text.lower().replace("\u00a0", " ")
    assert "Rules, no model" in model_card(one)
    assert "Found:" not in model_card(one)
    assert "Rules, no model" not in model_card(report())
    bare = {name: {metric: one | {"low": None, "high": None} for metric, one in each.items()} for name, each in report()["models"].items()}
    assert "too few customers stand behind them for an interval" in report_page(report() | {"models": bare})
    assert not re.search(r"\d–\d", summary.training_text(report() | {"models": bare}))


def test_the_card_answers_what_a_reader_asks() -> None:
    text = model_card(report())
    for words in (
        "## What it is not for",
        "1 if the customer gave notice on, or ended, every contract within 90 days of the cutoff; known",
        "| 2025-01-01 to 2025-01-01 (1) |",
        "15 % of the chance, for 60",
        "**assumed**, not measured",
        "Legal basis: legitimate interest (GDPR Art. 6(1)(f))",
        "L2 no test set",
        "1 input moved already",
        "| segment Mid | 300 | 70 | 40 % | 20 % |",
        "not enough data",
    ):
        assert words in text
    assert "not recorded" in model_card(report() | {"privacy": {}})


def test_a_champion_that_stays_is_marked_as_in_use() -> None:
    kept = report() | {
        "tested_as": "champion",
        "chosen": {"model": "lightgbm", "challenger": "lightgbm", "promoted": False, "why": "not promoted: x"},
    }
    assert re.search(r"Champion so far<span class=\"tag\">in use", report_page(kept))
    assert not re.search(r"LightGBM<span class=\"tag\">in use", report_page(kept))


@pytest.mark.parametrize(("count", "words"), [(0, "0 customers"), (1, "1 customer"), (2, "2 customers"), (None, "– customers")])
def test_counts_agree_with_their_nouns(count: int | None, words: str) -> None:
    assert wording.count_text(count, "customer") == words


def test_hits_may_stand_in_a_dict_of_their_own() -> None:
    nested = [{"cutoff": "2026-01-01", "customers": 10, "positives": 2, "random": 0.5, "hits": {"rule": 1.0}}]
    assert wording.total_hits(nested, "rule") == 1.0
    assert "simple rule" in summary.training_text({"periods": nested, "chosen": {"model": "rule"}, "capacity": 3})


def test_the_top_of_a_list_names_no_person() -> None:
    frame = company().assign(name="Jane Doe", owner="Dana", reasons="Logins 41 → 16 in 28 days\x1b[31m; Tickets: 3")
    said = summary.list_text(ranked(frame, capacity=12), Path("out/lists/churn/x"), rows=5)
    assert "Jane" not in said
    assert "Dana" not in said
    assert "\x1b" not in said
    assert "12 of 60 customers to contact" in said
    assert "and 7 more" in said
    assert "too late" in said
    assert said.rstrip().endswith("out/lists/churn/x/")
    nobody = ranked(company().iloc[:0])
    assert "no customer to judge" in summary.list_text(nobody)
    assert "the newest row known is of 2017-08-31" in summary.list_text(nobody, until=datetime(2017, 8, 31, 23), zone="UTC")
    assert " · rules, no model" in summary.list_text(ranked(company()), by="rules, no model")


def test_ids_stand_whole_in_the_terminal_for_explain_to_take() -> None:
    rows = ranked(company())
    ids = {one: f"{one}-7f3c9a52-0b1e-4d1c-9a57-2d6b4e8f1a{place:02}" for place, one in enumerate(rows["customer_id"])}
    said = summary.list_text(rows.assign(customer_id=rows["customer_id"].map(ids)))
    worked = rows[rows["rank"].notna()].head(10)
    assert len(worked)
    assert all(f" {ids[one]} " in said for one in worked["customer_id"])
    assert len({line.index("about") for line in said.splitlines() if " about " in line}) == 1, "the columns stay in line"


def test_a_list_without_money_or_reasons_has_a_top_too() -> None:
    frame = company().assign(value_at_stake=float("nan"), reasons=None, score_before=float("nan"))
    said = summary.list_text(ranked(frame, playbook={}))
    assert "no single reason stands out" in said
    assert "expected" not in said


def test_drawings_are_well_formed_and_empty_where_there_is_nothing() -> None:
    full = report()
    pictures = {
        "hits": drawings.hits_svg(full["periods"], "lightgbm"),
        "reliability": drawings.reliability_svg(full["calibration"]["bins"]),
        "folds": drawings.folds_svg(full["folds"]),
        "weeks": drawings.warning_weeks_svg(full["lead_time"]["weeks"]),
        "gaps": drawings.power_svg(full["gaps"]),
        "shares": drawings.shares_svg(full["slices"][0], 0.6),
    }
    for drawn in pictures.values():
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        assert "nan" not in drawn
    assert (
        drawings.hits_svg([], "lightgbm")
        == drawings.reliability_svg([])
        == drawings.reliability_svg([{"predicted": None, "seen": None}])
        == ""
    )
    assert drawings.folds_svg([]) == drawings.warning_weeks_svg([]) == drawings.power_svg([]) == drawings.shares_svg({}, 1.0) == ""
    assert pictures["folds"].count(">T</text>") == 6
    assert pictures["weeks"].count('class="late"') == 1
    assert pictures["gaps"].count("<polyline") == 3
    assert drawings.hits_svg([{"cutoff": "2026-01-01", "random": 0.0, "rule": 0.0}], "rule") == ""


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
    assert wording.english_chance(share) == words


def test_the_teams_own_score_is_told_on_the_page_and_on_the_card() -> None:
    told = "the model would have found 12 more (90 % 3 to 20) than your score <b>"
    rich = report() | {"health_score": {"text": told}}
    assert "the model would have found 12 more (90 % 3 to 20) than your score &lt;b&gt;" in report_page(rich, [])
    assert "Your health score: the model would have found 12 more" in model_card(rich)
    assert "Your health score" not in report_page(report(), []) + model_card(report())


ENGLISH = r"\b(the|with|customers|outcomes|of|not|days|list|chance|inputs)\b"


@pytest.mark.parametrize(("language", "title"), [("fr", "Que valent les listes"), ("de", "Wie gut sind die Listen")])
def test_report_and_card_speak_the_reader_s_language(language: str, title: str) -> None:
    say, told = (
        speakers.words(language),
        report() | {"says": by_contract().says, "leakage": [], "checks": [], "leakage_types": [], "messages": []},
    )
    told |= {"enough": saying("yes: {n} {n:customer|customers} with the outcome", n=190), "chosen": {"model": "lightgbm", "promoted": True}}
    told |= {"data": {}, "slices": [], "drift": {}, "settings": {}, "gaps": []}
    page, card = report_page(told, [], say), model_card(told, say)
    assert title in page
    assert f'lang="{language}"' in page
    body = re.sub(r"<style>.*?</style>|<code>.*?</code>|<[^>]*>", " ", page.split("<main>")[1], flags=re.DOTALL)
    for text in (body, card):
        assert not re.findall(ENGLISH, text.replace("report.json", "").replace("make score", "")), text


def test_what_a_training_said_itself_is_marked_as_english_for_others() -> None:
    told = report() | {"messages": ["a note of the training"]}
    assert '<span lang="en">A note of the training</span>' in report_page(told, [], speakers.words("de"))
    assert "<span lang" not in report_page(told)

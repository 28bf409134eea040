"""What stands behind a training's choice: periods of candidates, curves, profit, gates, drift, a row taken apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prevenance.features import definitions
from prevenance.features.define import Feature
from prevenance.judge import curves, drift, shipped
from prevenance.judge.evaluation import evaluate, gate_verdict
from prevenance.judge.periods import candidate_rows
from prevenance.models.bundle import Fitted, chance
from prevenance.models.encode import Encoder
from prevenance.models.tuning import choose_challenger, contest, trials_behind
from prevenance.order.capacity import Room
from prevenance.order.decision import STANDING, Rules
from prevenance.order.holdout import HoldOut
from prevenance.publish.evidence import evidence_view
from prevenance.publish.gates import contest_lines, gate_sentences
from prevenance.publish.report import report_page
from prevenance.runs.evidence import feature_lines, waterfall_steps
from prevenance.words import words

SAY, CAPACITY = words("en"), 5
TESTS = [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01"), pd.Timestamp("2026-03-01")]


def rules_at(model: str, cutoff: object) -> Rules:
    return Rules(0.3, 20.0, Room(CAPACITY), HoldOut("x", 28, share=0.4), floor=0.1)


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    dice, rows = np.random.default_rng(3), []
    for cutoff in TESTS:
        rows += [(cutoff, f"c{number:02}", float(dice.integers(50, 900))) for number in range(60)]
    frame = pd.DataFrame(rows, columns=["cutoff", "customer_id", "value_at_stake"])
    return frame.assign(**dict(STANDING.items()))


@pytest.fixture(scope="module")
def told(known: pd.DataFrame) -> pd.DataFrame:
    dice, parts = np.random.default_rng(5), []
    for model, noise in (("lightgbm", 0.6), ("rule", 2.0)):
        risk = np.random.default_rng(1).normal(-1.2, 1.0, len(known))
        raw = np.round(risk + dice.normal(0, noise, len(known)), 1)
        label = (np.random.default_rng(2).random(len(known)) < 1 / (1 + np.exp(-risk))).astype(float)
        parts.append(
            known[["cutoff", "customer_id"]].assign(
                fold=1, label=label, outcome_at=pd.NaT, model=model, raw=raw, score=1 / (1 + np.exp(-raw))
            )
        )
    return shipped.with_ranks(pd.concat(parts, ignore_index=True), known, rules_at)


def test_periods_of_a_candidate_add_up_to_what_the_report_pools(told: pd.DataFrame) -> None:
    rows = {one["model"]: one for one in candidate_rows(told, {"lightgbm": {"num_leaves": 4}}, None, capacity=CAPACITY, trials=20)}
    record, pooled = shipped.shipped_record(told, "lightgbm", rules_at), evaluate(told, capacity=CAPACITY, replicates=0, seed=1)
    mine = rows["lightgbm"]["periods"]
    assert [(one["cutoff"], one["contacts"], one["hits"]) for one in mine] == [
        (one["cutoff"], one["contacts"], float(one["hits"])) for one in record["periods"]
    ]
    weights = [one["outcomes"] for one in mine]
    assert np.average([one["roc_auc"] for one in mine], weights=weights) == pytest.approx(pooled["lightgbm"]["roc_auc"]["value"])
    assert (rows["lightgbm"]["trials"], rows["rule"]["trials"]) == (20, 0)


def test_what_was_undefined_in_a_period_is_none_and_a_champion_has_its_recipe(told: pd.DataFrame) -> None:
    empty = told.assign(label=0.0)
    (one,) = candidate_rows(
        empty[empty["model"] == "rule"].assign(model="champion"), {}, ("blend", {"logistic": {"strength": 0.1}}), capacity=5, trials=20
    )
    assert {period["roc_auc"] for period in one["periods"]} == {None}
    assert (one["kind"], one["params"], one["trials"]) == ("blend", {"logistic.strength": 0.1}, 0)


def test_the_curve_at_every_share_is_counted_by_hand(told: pd.DataFrame) -> None:
    one = told[(told["model"] == "lightgbm") & (told["cutoff"] == TESTS[0])]
    for point in curves.ranking_curve(one, "lightgbm"):
        line = one["raw"].sort_values(ascending=False).iloc[round(point["share"] * len(one)) - 1]
        top = one[one["raw"] >= line]
        assert point["precision"] == pytest.approx(top["label"].mean(), abs=1e-6)
        assert point["recall"] == pytest.approx(top["label"].sum() / one["label"].sum(), abs=1e-6)
        assert point["lift"] == pytest.approx(top["label"].mean() / one["label"].mean(), abs=1e-5)
    assert curves.ranking_curve(told.assign(label=0.0), "lightgbm") == []


def test_the_histogram_holds_everybody_once(told: pd.DataFrame) -> None:
    bins = curves.chance_histogram(told, "lightgbm")
    rows = told[told["model"] == "lightgbm"]
    assert (sum(one["snapshots"] for one in bins), sum(one["outcomes"] for one in bins)) == (len(rows), rows["label"].sum())
    third = bins[2]
    assert third["snapshots"] == rows["score"].between(third["low"], third["high"], inclusive="left").sum()
    assert curves.chance_histogram(told.iloc[:0], "lightgbm") == []


def test_the_profit_at_the_capacity_is_that_of_the_lists_as_shipped(told: pd.DataFrame, known: pd.DataFrame) -> None:
    found = curves.profit_curve(told, known, "lightgbm", rules_at, CAPACITY)
    record = shipped.shipped_record(told, "lightgbm", rules_at)
    at = {one["contacts"]: one["net"] for one in found["points"]}
    assert at[CAPACITY] == pytest.approx(0.3 * record["money_caught"] - 20 * record["contacts"])
    shorter = {one["contacts"]: one["net"] for one in curves.profit_curve(told, known, "lightgbm", rules_at, 2)["points"]}
    assert all(shorter[one] == at[one] for one in set(shorter) & set(at))
    free = told[(told["model"] == "lightgbm") & (told["score"] >= 0.1) & (told["apart"] != "holdout")].groupby("cutoff").size().max()
    assert found["contacts"] == free, "with room for everybody the floor and the lot alone end a list"


def test_without_money_there_is_no_profit(told: pd.DataFrame, known: pd.DataFrame) -> None:
    assert curves.profit_curve(told.assign(value_at_stake=np.nan), known.assign(value_at_stake=np.nan), "lightgbm", rules_at, 5) == {}


def test_ties_go_to_the_simpler_and_the_report_says_so() -> None:
    dice = np.random.default_rng(1)
    simple = dice.random(100)
    equal, better = simple + dice.normal(0, 0.5, 100), simple - 0.2 + dice.normal(0, 0.01, 100)
    losses = {"logistic": tuple(simple), "blend": tuple(equal - equal.mean() + simple.mean() - 0.001), "lightgbm": tuple(better)}
    steps = contest(losses, ("logistic", "blend", "lightgbm"))
    assert [(one["kind"], one["against"], one["won"]) for one in steps] == [
        ("logistic", None, True),
        ("blend", "logistic", False),
        ("lightgbm", "logistic", True),
    ]
    assert choose_challenger(losses, ("logistic", "blend", "lightgbm")) == "lightgbm"
    lines = contest_lines({"contest": steps}, SAY)
    assert "is equal: better than Logistic regression" in lines[1]
    assert "takes its place" in lines[2]
    refused = {"contest": steps, "chosen": {"promoted": True, "challenger": "blend"}}
    assert contest_lines(refused, SAY)[-1] == "The gate refused LightGBM; Blend was asked after it and passed."
    assert trials_behind("blend", {"logistic": {"strength": 0.1}, "lightgbm": {"num_leaves": 9}}, 20) == 26


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_every_gate_says_what_it_found(told: pd.DataFrame, language: str) -> None:
    verdict = gate_verdict(told, "lightgbm", ["rule"], capacity=CAPACITY, seed=1, replicates=60)
    report = {"gates": verdict.gates, "figures": verdict.figures, "gate_figures": verdict.figures}
    found = gate_sentences(report, words(language))
    assert set(found) == set(verdict.gates)
    assert all(len(text) > 20 and "{" not in text for text in found.values())
    gap = verdict.figures["beats_rivals"]
    if language == "en":
        assert f"{gap['value']:+.4f}" in found["beats_rivals"]
        assert gate_sentences({"gates": {"enough": "warn", "brier": "pass"}}, SAY) == {
            "enough": "Too few customers had the outcome for a model: nothing was to be promoted.",
            "brier": "Not recorded: trained before figures were kept.",
        }


def test_the_bins_of_a_picture_are_those_that_drift_compares() -> None:
    old = pd.DataFrame({"customer_id": [str(n) for n in range(100)], "x": np.arange(100.0), "w": ["a", "b"] * 50})
    new = old.assign(x=old["x"] / 2, w=["a"] * 90 + [None] * 10)
    bins = drift.bin_shares(old, new, "x")
    assert [one["before"] for one in bins] == [0.1] * 10
    assert [one["now"] for one in bins] == pytest.approx([0.19, 0.2, 0.2, 0.2, 0.2, 0.01, 0, 0, 0, 0], abs=0.02)
    assert sum(float(str(one["now"])) for one in bins) == pytest.approx(1)
    assert [(one["name"], one["before"], one["now"]) for one in drift.bin_shares(old, new, "w")] == [
        ("a", 0.5, 0.9),
        ("b", 0.5, 0.0),
        ("unknown", 0.0, 0.1),
    ]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    names = tuple(one.name for one in definitions() if isinstance(one, Feature) and one.name in ("logins_28d", "tickets_28d"))
    return Fitted("rule", Encoder(names), {"place": 0, "direction": -1.0, "middle": 3.0, "scale": 2.0}, (1.5, -1.0))


def test_the_steps_of_the_made_up_customer_add_up_to_its_chance(fitted: Fitted) -> None:
    rows = pd.DataFrame({"logins_28d": [0.0, 1.0, 2.0, 9.0] * 10, "tickets_28d": [np.nan, np.nan, np.nan, 1.0] * 10})
    found = waterfall_steps(fitted, rows)
    assert found["base"] + (sum(one["points"] for one in found["steps"]) + found["rest"]) / 100 == pytest.approx(found["score"], abs=1e-9)
    made = pd.DataFrame({"logins_28d": [0.0], "tickets_28d": [np.nan]})
    assert found["score"] == pytest.approx(chance(fitted, made)[0])
    assert waterfall_steps(replace(fitted, parameters={}), rows) == {}
    assert waterfall_steps(fitted, rows.iloc[:0]) == {}


def test_the_dictionary_tells_every_input_in_words(fitted: Fitted) -> None:
    rows = pd.DataFrame({"logins_28d": [0.0, 1.0, 2.0, 9.0], "tickets_28d": [np.nan, np.nan, np.nan, 1.0]})
    first, second = feature_lines(fitted, rows, rows, definitions())
    assert (first["feature"], first["table"], first["days"], first["worse"], first["weight"], first["known"]) == (
        "logins_28d",
        "usage",
        28,
        "less",
        1.0,
        1.0,
    )
    assert (second["feature"], second["known"], second["weight"]) == ("tickets_28d", 0.25, 0.0)
    assert first["phrase"]


def evidence_report(told: pd.DataFrame, known: pd.DataFrame, fitted: Fitted) -> dict[str, Any]:
    verdict = gate_verdict(told, "lightgbm", ["rule"], capacity=CAPACITY, seed=1, replicates=20)
    rows = pd.DataFrame({"logins_28d": [0.0, 1.0, 2.0, 9.0] * 10, "tickets_28d": [2.0] * 40, "customer_id": [f"c{n}" for n in range(40)]})
    return {
        "target": "churn",
        "currency": "EUR",
        "capacity": CAPACITY,
        "tested_as": "lightgbm",
        "models": evaluate(told, capacity=CAPACITY, replicates=0, seed=1),
        "chosen": {"model": "lightgbm", "challenger": "lightgbm", "why": "", "promoted": True},
        "gates": verdict.gates,
        "gate_figures": verdict.figures,
        "candidates": candidate_rows(told, {"lightgbm": {"num_leaves": 9}}, None, capacity=CAPACITY, trials=20),
        "contest": contest({"lightgbm": (0.1, 0.2)}, ("lightgbm",)),
        "ranking": {one: curves.ranking_curve(told, one) for one in ("lightgbm", "rule")},
        "chances": curves.chance_histogram(told, "lightgbm"),
        "profit": curves.profit_curve(told, known, "lightgbm", rules_at, CAPACITY),
        "drift": {
            "moved": [{"feature": "logins_28d", "psi": 1, "threshold": 0.1, "swing": 0.1, "text": "median 2 → 3", "grown": False}],
            "learned": ["2026-01-01", "2026-01-01"],
            "newest": "2026-03-01",
        },
        "drift_bins": {"<b>logins</b>": drift.bin_shares(rows, rows.assign(logins_28d=3.0), "logins_28d")},
        "waterfall": waterfall_steps(fitted, rows),
        "dictionary": [
            *feature_lines(fitted, rows, rows, definitions()),
            {"feature": "<script>alert(1)</script>", "phrase": "", "table": "", "days": None, "worse": None, "known": 1.0, "weight": 0.1},
        ],
    }


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_page_shows_all_of_it_and_escapes_names(told: pd.DataFrame, known: pd.DataFrame, fitted: Fitted, language: str) -> None:
    report, say = evidence_report(told, known, fitted), words(language)
    page = report_page(report, [], say)
    for place in ("candidates", "curves", "dictionary"):
        assert f'id="{place}"' in page
    assert page.count('class="plot"') == 6, "profit, three curves, histogram, waterfall"
    assert "<script>" not in page
    assert "<b>logins</b>" not in page
    assert '<td class="text"></td></tr>' not in page, "no gate without what it found"
    assert ", surely above" not in page or language == "en"


def test_an_older_report_has_none_of_it_and_no_empty_heading() -> None:
    view = evidence_view({"models": {}, "tested_as": "rule"}, SAY)
    assert not any(view[name] for name in ("candidates", "contest", "curves", "chances", "drift", "steps", "dictionary", "gates"))
    page = report_page({"target": "churn", "models": {}, "chosen": {}}, [], SAY)
    assert 'id="candidates"' not in page
    assert 'id="curves"' not in page

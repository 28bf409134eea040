"""Tonight against the past: quiet companies are left alone, what breaks is named within a fortnight, and what has no record is silent."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from amount import amount
from watched import FIRST, HORIZON, company, nights

from pipelines.start.compose import settings_of
from prevenance.models.bundle import Fitted
from prevenance.models.encode import fit_encoder
from prevenance.proof.watch import tonight
from prevenance.proof.watch.records import Warned
from prevenance.proof.watch.verdict import Record, estimate_silence
from prevenance.proof.watch.wording import warning_text
from prevenance.runs.snapshots import target_of
from prevenance.runs.watched import learned_rows
from prevenance.words import LANGUAGES, words

FORTNIGHT = 14


def kinds(found: list[Warned]) -> set[str]:
    return {one.kind for one in found}


def test_a_quiet_night_says_nothing() -> None:
    assert nights(company(1), 0, 1) == {0: []}


def test_a_shifted_input_is_named_with_its_name_and_moves_the_chances() -> None:
    [found] = nights(company(2, shifted=10), 20, 21).values()
    assert {"inputs", "total"} <= kinds(found)
    [moved] = [one for one in found if one.kind == "inputs"]
    assert (moved.facts["moved"], moved.facts["named"]) == (1, "logins")


def test_a_rate_that_doubled_is_named_when_a_label_can_show_it() -> None:
    found = nights(company(3, doubled=5), 5 + HORIZON, 5 + HORIZON + FORTNIGHT)
    assert any("rate" in kinds(one) for one in found.values())


def test_a_rate_that_halved_is_named_in_a_company_that_is_large_enough() -> None:
    made = company(7, customers=1200, doubled=5, factor=0.5)
    [found] = nights(made, 5 + HORIZON + 1, 5 + HORIZON + 2).values()
    [one] = [one for one in found if one.kind == "rate"]
    assert float(one.facts["rate"] or 0) < float(one.facts["usual"] or 0) / 1.4


def test_rows_learned_from_are_those_that_were_closed_at_the_cutoff(tmp_path: Path) -> None:
    given = settings_of("score", [f"out={tmp_path}", "target=churn"])
    target, rows = target_of(given), company(8, customers=60).frame(FIRST, labels=True)
    parts = [rows.assign(cutoff=pd.Timestamp(f"2025-{month:02}-01")) for month in (1, 4, 7)]
    folder = tmp_path / "train" / "churn"
    folder.mkdir(parents=True)
    pd.concat(parts).to_parquet(folder / "features.parquet")
    model = Fitted("logistic", fit_encoder(rows, ["logins"]), {}, (0.0, 0.0), about={"trained_until": "2025-12-01T00:00:00"})
    for night, months in (("2025-07-06", 1), ("2025-07-08", 2), ("2025-10-07", 3), ("2025-03-01", 0)):
        found = learned_rows(given, target, model, datetime.fromisoformat(night))
        assert found["cutoff"].nunique() == months, night
    early = replace(model, about={"trained_until": "2025-05-01T00:00:00"})
    assert learned_rows(given, target, early, datetime(2025, 12, 1))["cutoff"].nunique() == 1, (
        "what came after its training it did not learn"
    )
    (folder / "features.parquet").write_bytes(b"half a file")
    assert learned_rows(given, target, model, datetime(2025, 12, 1)).empty


def test_too_little_to_compare_is_silence() -> None:
    made = company(4, customers=40)
    assert nights(made, 0, 1) == {0: []}
    rates = tonight.outcome_rates(company(4).frame(FIRST - HORIZON, labels=True))
    assert tonight.rate_warnings("churn", rates, rates.assign(outcomes=200), HORIZON) == []
    empty = made.frame(FIRST)[["customer_id", "cutoff", "score"]].iloc[:0]
    assert tonight.chance_warnings("churn", empty, empty) == []


def test_a_word_that_many_customers_have_and_the_model_does_not_know_is_named() -> None:
    rows = company(5).frame(FIRST)
    encoder = fit_encoder(rows, ["logins", "plan"])
    assert tonight.word_warnings("churn", encoder, rows) == []
    [found] = tonight.word_warnings("churn", encoder, rows.assign(plan="new"))
    assert (found.facts["named"], found.facts["share"]) == ("plan", 1.0)


def test_a_handful_of_many_inputs_that_moved_is_no_banner() -> None:
    rows, more = company(7).frame(FIRST), [f"more_{number}" for number in range(24)]
    rows = rows.assign(**dict.fromkeys(more, rows["errors"]))
    learned, now = rows.assign(cutoff=FIRST - HORIZON), rows.assign(logins=rows["logins"] + 5 * rows["logins"].std())
    [told] = tonight.input_warnings("churn", learned, now, ["logins", "errors"])
    assert (told.kind, told.facts["moved"]) == ("inputs", 1)
    assert tonight.input_warnings("churn", learned, now, ["logins", "errors", *more]) == []


def test_the_estimate_is_silent_where_it_would_be_wrong_and_told_where_it_is_right() -> None:
    record = Record(4, 96.0, 98, True)
    for made, right in ((company(2), True), (company(2, shifted=10), False)):
        rows = made.frame(FIRST + 20, labels=True)
        expected, came = rows["score"].sum(), rows["label"].sum()
        [found] = nights(made, 20, 21).values()
        assert bool(abs(came - expected) <= 0.5 * expected) is right, (expected, came)
        assert (estimate_silence(record, [one.kind for one in found]) is None) is right


def test_inputs_are_named_as_reasons_name_them() -> None:
    rows = company(7).frame(FIRST)
    learned, now = rows.assign(cutoff=FIRST - HORIZON), rows.assign(logins=rows["logins"] + 5, plan="new")
    phrases = {"logins": ("Logins in {days} days: {value:,.0f}", 28), "plan": ("Plan: {value}", None)}
    [told] = tonight.input_warnings("churn", learned, now, ["logins", "errors"], phrases)
    [word] = tonight.word_warnings("churn", fit_encoder(rows, ["logins", "plan"]), now, phrases)
    for language, named, plan in (
        ("en", "Logins in 28 days.", "Plan."),
        ("fr", "Connexions en 28 jours.", "Formule."),
        ("de", "Anmeldungen in 28 Tagen.", "Tarif."),
    ):
        for one, name in ((told, named), (word, plan)):
            text = warning_text(words(language), Warned(**json.loads(json.dumps(asdict(one)))))
            assert name in text, text
            assert "logins" not in text
    earlier = Warned("inputs", "churn", {"moved": 1, "looked": 8, "named": "logins"})
    assert "logins" in warning_text(words("en"), earlier), "a manifest of an earlier version names columns"


def test_a_customer_with_many_products_counts_once() -> None:
    rows = company(6).frame(FIRST - HORIZON, labels=True)
    assert tonight.outcome_rates(pd.concat([rows, rows.assign(label=0.0)])).equals(tonight.outcome_rates(rows))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_is_said(language: str) -> None:
    say = words(language)
    events = {"events": 3, "usual": 40.0, "days": 1, "segment": "small"}
    told = [Warned(kind, "usage", events) for kind in ("dried", "doubled", "segment", "gone")]
    told += [
        Warned("total", "churn", {"sum": 31.2, "usual": 17.0, "customers": 300}),
        Warned("shape", "churn", {"before": 0.03, "now": 0.11}),
    ]
    told += [
        Warned("inputs", "churn", {"moved": 1, "looked": 8, "named": "logins"}),
        Warned("words", "churn", {"named": "plan", "share": 0.4}),
    ]
    told += [Warned("rate", "churn", {"rate": 0.16, "usual": 0.08, "outcomes": 48, "customers": 300})]
    texts = [warning_text(say, one) for one in told]
    assert len(set(texts)) == len(texts)
    assert all("–" not in text and "{" not in text for text in texts)


@pytest.mark.sweep
def test_quiet_companies_are_left_alone() -> None:
    companies, episodes, told = amount(1, 20), 0, []
    for seed in range(companies):
        before: set[str] = set()
        for night, found in nights(company(seed)).items():
            episodes += len(kinds(found) - before)
            told += [(seed, night, kind) for kind in sorted(kinds(found) - before)]
            before = kinds(found)
    assert episodes <= 0.02 * companies * 100, told


@pytest.mark.sweep
def test_breaks_are_found_within_a_fortnight() -> None:
    shifted = [nights(company(seed, shifted=30), 30, 30 + FORTNIGHT) for seed in range(20)]
    assert sum(any({"inputs", "total", "shape"} & kinds(one) for one in found.values()) for found in shifted) >= 18
    first = 20 + HORIZON
    doubled = [nights(company(seed, doubled=20), first, first + FORTNIGHT) for seed in range(20)]
    assert sum(any("rate" in kinds(one) for one in found.values()) for found in doubled) >= 18

"""Two ways drawn for those on the list: who is drawn for which, what the list tells, another key, and what the statement says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from test_experiment import KEYED, PLAN, START, nobody, programme

from pipelines.start.compose import settings_of
from prevenance.base.errors import PrevenanceError
from prevenance.decide.ways import told_ways, with_ways
from prevenance.proof import statement
from prevenance.proof.compared import way_log
from prevenance.proof.experiment import balance_of, meter_of, plan_rows, verdict_of
from prevenance.proof.page import proof_page
from prevenance.proof.stated import Statement, figures_of, statement_facts
from prevenance.runs.settings.outreach import rules_of
from prevenance.runs.snapshots import target_of
from prevenance.words import LANGUAGES, words

WAYS = replace(KEYED, ways=("call", "training"))
IDS = [f"c{one}" for one in range(400)]


def arms(rules=WAYS, at: datetime = START, ids: list[str] = IDS) -> pd.DataFrame:
    rows = pd.DataFrame({"customer_id": ids, "place": 1, "score": 0.1, "value_at_stake": 1.0, "in_band": False, "arm": "contact"})
    return rows.assign(way=[rules.way(one, rules.epoch(at)) for one in ids])


def test_each_way_is_drawn_for_half_and_has_nothing_to_do_with_the_hold_out() -> None:
    drawn = [WAYS.way(one, 7) == "call" for one in IDS]
    held = np.array([WAYS.drawn(one, 7) for one in IDS])
    assert 160 < sum(drawn) < 240
    assert abs(np.mean(np.array(drawn)[held]) - np.mean(np.array(drawn)[~held])) < 0.15
    assert [WAYS.way(one, 8) == "call" for one in IDS] != drawn


def test_the_log_takes_the_first_list_of_an_epoch_and_leaves_another_key_out() -> None:
    second = START + timedelta(weeks=13)
    other = replace(WAYS, key=b"another")
    lists = [(START + timedelta(days=3), arms()), (START, arms(ids=IDS[:300])), (second, arms(other, second))]
    log, foreign = way_log(lists, WAYS, nobody)
    assert (len(log), foreign) == (400, 400)
    assert log["listed_at"].value_counts().to_dict() == {pd.Timestamp(START): 300, pd.Timestamp(START + timedelta(days=3)): 100}
    assert log["held"].tolist() == log["way"].eq("call").tolist()
    owners = pd.Series({one: f"owner {number % 9}" for number, one in enumerate(IDS)})
    by_owner = replace(WAYS, unit="owner")
    drawn = arms().assign(way=[WAYS.way(owners[one], WAYS.epoch(START)) for one in IDS])
    log, foreign = way_log([(START, drawn)], by_owner, lambda moment: owners)
    assert (len(log), foreign, log.groupby("unit")["way"].nunique().max()) == (400, 0, 1)
    assert way_log([(START, arms().drop(columns="way"))], WAYS, nobody)[0].empty


@pytest.mark.parametrize(
    ("ways", "told", "by"),
    [
        (("call", "training"), "By the draw: a training. Help", "2026-09-10"),
        (("0", "28"), "By the draw: not before 29 Sept 2026. Help", "2026-10-08"),
    ],
)
def test_the_list_tells_what_the_draw_asks_for(ways: tuple[str, str], told: str, by: str) -> None:
    at = datetime(2026, 9, 1)
    ranked = pd.DataFrame({"customer_id": ["a", "b"], "action": ["Help", None], "act_by": ["2026-09-10", None], "cutoff": pd.Timestamp(at)})
    found = told_ways(ranked, {"a": ways[1], "b": None}, words("en"))
    assert found.loc[0, ["action", "act_by"]].tolist() == [told, by]
    assert found.loc[1, ["action", "act_by"]].isna().all()
    first = told_ways(ranked, {"a": ways[0], "b": None}, words("en"))
    assert first.loc[0, "act_by"] == "2026-09-10"
    rows, choice = pd.DataFrame({"customer_id": ["a", "b"]}), pd.DataFrame({"rank": [1, None]})
    assert with_ways(rows, ranked, choice, replace(KEYED, ways=ways), at, words("en"))[0]["way"].isna().tolist() == [False, True]


@pytest.mark.long
def test_two_ways_and_a_key_of_ones_own_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("[call]", "[call,call]", "[call,phone]", "[call,28]", "[0,28,56]", "[0,400]"):
        with pytest.raises(PrevenanceError, match="compare is"):
            settings_of("score", [f"outreach.compare={wrong}"])
    given = settings_of("score", ["outreach.compare=[0,28]", "target=churn"])
    monkeypatch.delenv("PREVENANCE_HOLDOUT_KEY", raising=False)
    with pytest.raises(PrevenanceError, match="anybody can work out who is drawn"):
        rules_of(given, target_of(given))
    monkeypatch.setenv("PREVENANCE_HOLDOUT_KEY", "ours")
    assert rules_of(given, target_of(given)).holdout.ways == ("0", "28")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("effect", "customers"), [(0.5, 1000), (0.0, 60), (0.0, 20_000)])
def test_the_comparison_is_a_page_in_each_language(language: str, effect: float, customers: int) -> None:
    log, say = programme(1, effect, customers=customers), words(language)
    plan = replace(PLAN, share=0.4 if customers == 20_000 else 0.3)
    told = verdict_of(log, plan, PLAN.dates[-1])
    ways, meter = plan_rows(plan, 0.2, 40, 1, 0.0), meter_of(plan, 0.2, log)
    drawn: tuple[dict[str, int], dict[str, int]] = {}, {"other_key": 4}
    one = Statement("churn", "Customers to keep", plan, told, log, balance_of(log), ways, meter, 0.2, *drawn, "EUR", ("0", "28"))
    lead, notes = statement.lead_sentences(say, one), statement.note_sentences(say, one)
    page = proof_page(say, "x", {}, lead, notes, statement.statement_sections(say, one, "x"))
    facts = json.loads(json.dumps(statement_facts(one), default=str))
    assert {"share", "saved"}.isdisjoint(facts), "a comparison measures no share and saves no money"
    assert facts["ways_compared"] == ["0", "28"]
    assert {name.split("/")[1] for name, *_ in figures_of([one])} == {"compared"}
    assert page.rstrip().endswith("</html>")
    if language == "en":
        wanted = {
            "measured": "fewer had the outcome than of 100 for “at once”",
            "assumed": "not shown yet",
            "replaced": "surely not better",
        }
        assert wanted[told.share_from] in lead[0]
        assert told.share_from == ("measured" if effect else "assumed" if customers == 60 else "replaced")


@pytest.mark.parametrize("language", LANGUAGES)
def test_intervals_have_a_true_minus_and_one_look_is_one(language: str) -> None:
    log, say, plan = programme(4, 0.0, customers=300), words(language), replace(PLAN, looks=1)
    told = verdict_of(log, plan, plan.dates[-1])
    ways, meter = plan_rows(plan, 0.2, 40, 1, 0.0), meter_of(plan, 0.2, log)
    one = Statement("churn", "Customers to keep", plan, told, log, balance_of(log), ways, meter, 0.2, {}, {}, "EUR")
    cells = [cell for section in statement.statement_sections(say, one) for row in section.rows for cell in row]
    assert any("−" in cell for cell in cells)
    assert not any(cell.startswith("-") or "– -" in cell for cell in cells)
    assert not any(wrong in note for note in statement.note_sentences(say, one) for wrong in ("1 looks", "1 examens", "1 Blicke"))

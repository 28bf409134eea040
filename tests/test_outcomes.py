"""What became of the lists: each judged as training judged, figures that add up, the team against the model, and a past date that stays as it was."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import once
import pandas as pd
import pytest

from pipelines import erase
from pipelines import outcomes as command
from pipelines.start.run import _guarded
from prevenance.decide.feedback import Answer
from prevenance.history.history import History
from prevenance.judge.outcomes import outcome_counts, outcomes_of_list
from prevenance.proof import became
from prevenance.proof.became import Became
from prevenance.proof.listings import Shipped, judged_rows, known_share, ledger_of, once_a_month, with_months
from prevenance.proof.page import Section, proof_page
from prevenance.proof.tally import outcome_tally, team_against_model
from prevenance.targets import KINDS
from prevenance.words import LANGUAGES, words

FIRST = datetime(2026, 1, 5)
TARGET = KINDS["contract"](horizon_days=30, settle_days=2, lead_days=5)
LEFT = {"a": 12, "b": 80, "d": 20, "e": 3, "f": -10}
"""Customer -> days from the first list to their notice; c stays."""


def history(until: datetime, left: dict[str, int] | None = None, contacts: dict[str, int] | None = None) -> History:
    rows = [(name, FIRST - timedelta(days=200), "started") for name in "abcdef"]
    rows += [(name, FIRST + timedelta(days=days), "notice") for name, days in (LEFT if left is None else left).items()]
    subscriptions = pd.DataFrame(rows, columns=["customer_id", "event_at", "event"]).assign(subscription_id="s", mrr=10.0)
    calls = [(name, FIRST + timedelta(days=days)) for name, days in (contacts or {}).items()]
    frames = {
        "subscriptions": subscriptions,
        "customers": subscriptions[subscriptions["event"] == "started"][["customer_id", "event_at"]],
        "contacts": pd.DataFrame(calls, columns=["customer_id", "event_at"])
        .astype({"event_at": "datetime64[us]"})
        .assign(direction="out", kind="call"),
    }
    return History.from_frames({name: part.assign(known_at=part["event_at"]) for name, part in frames.items()}, until)


def shipped(days: int, number: int, ranks: tuple[int | None, ...] = (1, 2, 3, None, None, None)) -> Shipped:
    rows = pd.DataFrame(
        {"customer_id": list("abcdef"), "rank": ranks, "owner": ["Mia", "Mia", None, "Tom", "Tom", "Tom"], "segment": "small"}
    )
    rows = rows.assign(arm=["contact", "contact", "contact", "holdout", None, None], score=0.5, value_at_stake=100.0)
    return Shipped(FIRST + timedelta(days=days), f"{number:016x}", "value", rows.assign(state=["new"] * 5 + ["too_late"]))


def answer(customer: str, action: str, number: int = 1) -> Answer:
    return Answer("churn", customer, "", f"{number:016x}", f"{FIRST.isoformat()}Z", action, f"{FIRST.isoformat()}Z", "", "", "", "", "")


def judged(until: datetime, lists: list[Shipped], answers: tuple[Answer, ...] = (), **more: dict[str, int]) -> pd.DataFrame:
    return with_months(judged_rows(history(until, **more), TARGET, lists, list(answers)), "Europe/Paris")


LISTS = [shipped(0, 1), shipped(1, 2), shipped(60, 3)]
CLOSED = FIRST + timedelta(days=60)


def test_every_closed_list_is_judged_as_a_replay_judges_it() -> None:
    rows = judged(CLOSED, LISTS)
    tally = outcome_tally(rows, once_a_month(rows)).set_index(["by", "name"])
    for one in LISTS[:2]:
        own = outcomes_of_list(history(CLOSED), TARGET, one.rows.assign(cutoff=pd.Timestamp(one.cutoff)))
        wanted = outcome_counts(own, TARGET, CLOSED)
        found = tally.loc[("list", f"{one.cutoff:%Y-%m-%d}")]
        names = {
            "listed": "capacity",
            "customers": "at_risk",
            **{name: name for name in ("outcomes", "hits", "missed", "too_late", "expected_by_chance")},
        }
        assert {name: found[name] for name in names} == {name: wanted[key] for name, key in names.items()}
        assert found["hits"] + found["missed"] == found["outcomes"]
    assert set(rows.loc[rows["run_id"] == LISTS[2].run_id, "outcome"]) == {"not known yet"}
    assert ("list", "2026-03-06") not in tally.index


def test_groups_count_a_customer_once_a_month_and_add_up() -> None:
    rows = judged(CLOSED, LISTS)
    tally = outcome_tally(rows, once_a_month(rows))
    whole = tally[tally["by"] == "all"].iloc[0]
    assert (whole["customers"], whole["listed"], whole["hits"], whole["outcomes"]) == (5, 3, 1, 3)
    for by in ("month", "owner", "segment", "policy"):
        part = tally[tally["by"] == by]
        assert part[["customers", "listed", "hits", "outcomes", "missed"]].sum().tolist() == [5, 3, 1, 3, 2]
    assert tally.loc[tally["by"] == "all", ["low", "high"]].isna().all(axis=None), "three customers have no interval"
    assert (whole["at_stake_hits"], whole["median_warning_days"]) == (100.0, 12.0)


def test_the_ledger_says_what_was_done_and_what_happened() -> None:
    said = (answer("a", "wrong_alarm"), answer("b", "contacted"), answer("c", "snooze", 2))
    ledger = ledger_of(judged(CLOSED, LISTS, said, contacts={"c": 25, "a": 45})).set_index(["run_id", "customer_id"])
    assert len(ledger) == 12
    one = ledger.loc[LISTS[0].run_id]
    assert one["said"].to_dict() == {"a": "wrong_alarm", "b": "", "c": "", "d": ""}
    assert one["contacted"].to_dict() == {"a": False, "b": True, "c": True, "d": False}
    assert one["proved_right"].astype(object).where(one["proved_right"].notna(), None).to_dict() == {
        "a": True,
        "b": False,
        "c": False,
        "d": None,
    }
    assert ledger.loc[(LISTS[1].run_id, "c"), "said"] == "snooze"
    assert ledger.loc[LISTS[2].run_id, "proved_right"].isna().all()


def test_who_was_right_where_the_team_went_its_own_way() -> None:
    said = (answer("a", "wrong_alarm"), answer("b", "wrong_alarm"), answer("c", "too_late"))
    found = team_against_model(judged(CLOSED, LISTS[:1], said, contacts={"e": 10, "b": 3, "d": 4})).set_index("question")
    assert found[["n", "right"]].T.to_dict("list") == {
        "wrong_alarm": [2, 1],
        "too_late": [1, 0],
        "own_choice": [1, 1],
        "left_undone": [2, 1],
    }


def test_how_much_of_a_new_list_is_known_is_learned_from_the_closed_ones() -> None:
    rows = judged(CLOSED, LISTS)
    assert known_share(rows, TARGET, LISTS[0].cutoff, CLOSED) == 1.0
    sure = replace(TARGET, at_end=False)
    days = rows.loc[rows["came"], "days_of_warning"]
    assert known_share(rows, sure, CLOSED, CLOSED + timedelta(days=14)) == np.mean(days <= 12)
    assert known_share(rows, replace(TARGET, at_end=True), CLOSED, CLOSED + timedelta(days=14)) == 0.0
    assert np.isnan(known_share(rows.iloc[:0], sure, CLOSED, CLOSED + timedelta(days=14)))


def test_later_rows_change_nothing_of_what_is_judged() -> None:
    wanted = judged(CLOSED, LISTS)
    for later in ({"c": 61}, {"c": 61, "a": 75}):
        pd.testing.assert_frame_equal(
            judged(CLOSED, LISTS, left=LEFT | {key: day for key, day in later.items() if key not in LEFT}), wanted
        )
    assert not judged(CLOSED, LISTS, left=LEFT | {"c": 9}).equals(wanted), "what was known would be seen"


def test_no_list_and_an_empty_list_are_no_failure() -> None:
    for lists in ([], [replace(LISTS[0], rows=LISTS[0].rows.iloc[:0])]):
        rows = judged(CLOSED, lists)
        assert outcome_tally(rows, once_a_month(rows)).empty
        assert team_against_model(rows).empty
        assert ledger_of(rows).empty


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_and_escapes_what_the_data_say(language: str) -> None:
    rows = judged(CLOSED, LISTS, (answer("a", "wrong_alarm"),)).replace({"Mia": "<script>x</script>"})
    tally = outcome_tally(rows, once_a_month(rows))
    open_lists = pd.DataFrame([{"cutoff": LISTS[2].cutoff, "closes": CLOSED, "listed": 3, "known": 0.5}])
    one = Became("churn", TARGET.words.title, tally, team_against_model(rows), tally.head(1), open_lists, 3, 2, CLOSED, {"erased": 2})
    say = words(language)
    sections = became.became_sections(say, [one], "EUR")
    page = proof_page(
        say, say("What became of the lists"), {"date": "1"}, became.lead_sentences(say, [one]), became.note_sentences(say, [one]), sections
    )
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.rstrip().endswith("</html>")
    assert len(sections) == 8
    unknown = replace(one, tally=tally.iloc[:0])
    assert (language != "en") or became.lead_sentences(say, [unknown]) == [
        "Customers to keep: nobody knows yet, the first answer comes on 6 Mar 2026."
    ]
    assert re.search(r"\d", became.note_sentences(say, [one])[-1])


def test_a_part_without_a_row_is_not_on_a_page() -> None:
    assert "Nothing" not in proof_page(words("en"), "Title", {}, ["Lead."], [], [Section("Nothing")])


# -- the command


def run(name: str, *arguments: str) -> int:
    return _guarded(name, {"outcomes": command.body, "erase": erase.body}[name], list(arguments))


@pytest.mark.long
def test_the_command_publishes_and_leaves_out_who_was_erased(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = once.lived_copy(once.RULED, tmp_path / "out")
    assert run("outcomes", f"out={out}") == 0
    folder = (out / "outcomes" / "latest").resolve()
    ledger = pd.read_csv(folder / "ledger.csv", dtype=str)
    told = json.loads((folder / "outcomes.json").read_text(encoding="utf-8"))
    assert all(one["lists"] >= 1 for one in told.values())
    assert "outcomes/latest/report.html" in (out / "index.html").read_text(encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run("outcomes", f"out={out}") == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    victim = str(ledger["customer_id"].iloc[0])
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    assert victim not in (folder / "ledger.csv").read_text(encoding="utf-8")
    assert run("outcomes", f"out={out}") == 0
    told = json.loads((out / "outcomes" / "latest" / "outcomes.json").read_text(encoding="utf-8"))
    assert sum(one["left_out"]["erased"] for one in told.values()) >= 1
    capsys.readouterr()
    assert run("outcomes", f"out={tmp_path / 'none'}") == 4
    assert "E401" in capsys.readouterr().err

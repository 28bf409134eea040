"""A replayed list is the list of that date; only its outcome columns know what came later."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import once
import pandas as pd
import pytest
from amount import some, whole

from pipelines import replay, score, train
from pipelines.start.run import _guarded
from prevenance.decide.ranking import COLUMNS
from prevenance.history.history import History
from prevenance.judge import outcomes
from prevenance.models.bundle import Fitted
from prevenance.models.encode import Encoder
from prevenance.runs.replay import _recipe
from prevenance.targets import KINDS

pytestmark = pytest.mark.long

SMALL = ["demo.customers=150", "demo.months=18", "capacity=10", *once.CHEAP]
SMALL += ["features.sets=[tickets,contacts]", "features.lookbacks=[28,90]"]
RULED = [one for one in once.RULED[0][1:] if not one.startswith("as_of=")]
PAST = "2026-04-01"


def run(name: str, *arguments: str) -> int:
    return _guarded(name, {"train": train.body, "score": score.body, "replay": replay.body}[name], list(arguments))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "out"
    if not whole():
        return once.lived_copy(once.RULED, out)
    assert run("train", *SMALL, f"out={out}", "target=churn", "model=logistic") == 0
    return out


def listed(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "list.csv", dtype=str, keep_default_na=False)


# -- what became of those listed

CUTOFF = datetime(2026, 1, 1)
EXITS = {"a": 30, "b": None, "c": 5, "d": 60, "e": None, "f": -10}
"""Customer -> days from the cutoff to their notice."""


def world(until: datetime) -> History:
    rows = [(name, CUTOFF - timedelta(days=200), "started") for name in EXITS]
    rows += [(name, CUTOFF + timedelta(days=days), "notice") for name, days in EXITS.items() if days is not None]
    frame = pd.DataFrame(rows, columns=["customer_id", "event_at", "event"]).assign(subscription_id="s", mrr=10.0)
    customers = frame[frame["event"] == "started"][["customer_id", "event_at"]]
    frames = {"subscriptions": frame, "customers": customers}
    return History.from_frames({name: part.assign(known_at=part["event_at"]) for name, part in frames.items()}, until)


def ranked() -> pd.DataFrame:
    frame = pd.DataFrame({"customer_id": list("abcdef"), "rank": [1, 2, None, None, None, None]})
    return frame.assign(cutoff=pd.Timestamp(CUTOFF), state=["new", "open", "open", "open", "not_enough_data", "too_late"])


TARGET = KINDS["contract"](horizon_days=90, settle_days=7, lead_days=14)


def test_outcomes_are_judged_by_the_label_of_training():
    rows = outcomes.outcomes_of_list(world(CUTOFF + timedelta(days=120)), TARGET, ranked())
    assert rows["outcome"].tolist() == ["happened", "did not", "too late", "happened", "did not", "too late"]
    assert rows["missed"].tolist() == [False, False, True, True, False, False]
    assert rows["days_of_warning"].fillna(-1).tolist() == [30.0, -1, 5.0, 60.0, -1, -1]
    assert rows["outcome_at"].notna().tolist() == [True, False, True, True, False, False]
    facts = outcomes.outcome_counts(rows, TARGET, CUTOFF + timedelta(days=120))
    assert {key: facts[key] for key in ("capacity", "at_risk", "outcomes", "hits", "missed", "too_late", "gone_before")} == {
        **{"capacity": 2, "at_risk": 5, "outcomes": 3, "hits": 1},
        **{"missed": 2, "too_late": 1, "gone_before": 1},
    }
    assert (facts["closest_missed"], facts["median_warning_days"], facts["expected_by_chance"]) == (3, 30.0, 1.2)
    assert not facts["still_open"]


def test_an_open_window_says_what_came_so_far():
    until = CUTOFF + timedelta(days=40)
    sure = replace(TARGET, at_end=False)  # of an outcome that nothing later takes back
    rows = outcomes.outcomes_of_list(world(until), sure, ranked())
    assert rows["outcome"].tolist() == ["happened", "not known yet", "too late", "not known yet", "not known yet", "too late"]
    # who left may be back before the window ends
    assert outcomes.outcomes_of_list(world(until), TARGET, ranked())["outcome"].iloc[0] == "not known yet"
    facts = outcomes.outcome_counts(rows, sure, until) | {"date": "2026-01-01", "horizon_days": 90}
    assert facts["still_open"]
    assert "2 who left within 90 days so far" in outcomes.verdict(facts, "left")
    assert "The window is still open, until 2026-04-08" in outcomes.verdict(facts, "left")


def test_silence_is_sure_only_of_those_who_came_while_the_window_is_open():
    days = pd.DataFrame({"customer_id": ["a", "b", "a"], "event_at": [CUTOFF - timedelta(days=5)] * 2 + [CUTOFF + timedelta(days=3)]})
    usage = days.assign(known_at=days["event_at"], kind="use")
    customers = usage.drop_duplicates("customer_id")[["customer_id", "event_at", "known_at"]]
    history = History.from_frames({"usage": usage, "customers": customers}, CUTOFF + timedelta(days=10))
    silent = KINDS["silence"](horizon_days=28)
    rows = outcomes.outcomes_of_list(history, silent, ranked().head(2))
    assert rows["outcome"].tolist() == ["did not", "not known yet"]


def test_an_empty_list_is_judged_too():
    rows = outcomes.outcomes_of_list(world(CUTOFF + timedelta(days=120)), TARGET, ranked().head(0))
    facts = outcomes.outcome_counts(rows, TARGET, CUTOFF) | {"date": "2026-01-01", "horizon_days": 90}
    assert "the list of 0 would have held 0 of the 0" in outcomes.verdict(facts, "left")


# -- the command


def test_a_list_of_an_hour_is_told_by_its_day(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", f"out={trained}", f"as_of={PAST}T10:00Z") == 0
    assert f"\nOn {PAST} the list of 10 would" in capsys.readouterr().out
    assert (trained / "replay" / "churn" / f"{PAST}T100000Z" / "replay.html").is_file()


def test_replay_writes_and_says_what_the_list_was_worth(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", f"out={trained}", f"as_of={PAST}") == 0
    said = capsys.readouterr().out
    folder = trained / "replay" / "churn" / PAST
    facts = json.loads((folder / "summary.json").read_text())
    assert facts["verdict"] in said
    assert f"On {PAST} the list of 10 would have held {facts['hits']} of the {facts['outcomes']} who left within 90 days" in said
    rows = listed(folder)
    assert list(rows.columns) == [*COLUMNS, *outcomes.COLUMNS]
    worked = rows[rows["rank"] != ""]
    assert facts["hits"] == worked["outcome"].isin(["happened", "too late"]).sum()
    assert facts["missed"] == (rows["missed"] == "true").sum() == facts["outcomes"] - facts["hits"] > 0
    assert [list(row) for row in json.loads((folder / "list.json").read_text())[:1]] == [[*COLUMNS, *outcomes.COLUMNS]]
    page = (folder / "replay.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert facts["verdict"] in page


@pytest.mark.sweep
def test_the_future_changes_nothing_but_the_outcome_columns(trained: Path, tmp_path: Path) -> None:
    assert run("replay", f"out={trained}", f"as_of={PAST}") == 0
    before = listed(trained / "replay" / "churn" / PAST)
    for path in (trained / "demo").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    contracts = pd.read_csv(tmp_path / "subscriptions.csv", dtype=str)
    later = contracts["notice_on"].fillna(contracts["ended_on"]) > "2026-04-02"
    assert later.sum() > 3, "nobody leaves later: this test proves nothing"
    contracts.loc[later, ["notice_on", "ends_on", "ended_on"]] = None
    contracts.to_csv(tmp_path / "subscriptions.csv", index=False)
    header, *lines = (tmp_path / "feedback.csv").read_text(encoding="utf-8").rstrip("\n").split("\n")
    dated = [line for line in lines if not any(f"2026-{month:02d}-" in line for month in (5, 6, 7, 8))]
    (tmp_path / "feedback.csv").write_text("\n".join([header, *dated]) + "\n", encoding="utf-8")
    assert run("replay", f"out={trained}", f"as_of={PAST}", f"data={tmp_path}") == 0
    after = listed(trained / "replay" / "churn" / PAST)
    assert before[list(COLUMNS)].to_csv() == after[list(COLUMNS)].to_csv()
    assert before["outcome"].tolist() != after["outcome"].tolist()


def test_replay_lists_what_score_would_have_listed(tmp_path: Path) -> None:
    now, then = once.lived_copy(once.RULED, tmp_path / "now"), tmp_path / "then"
    data = f"data={now / 'demo'}"
    assert run("replay", f"out={now}", f"as_of={PAST}", "target=churn") == 0
    assert run("train", *RULED, f"out={then}", data, f"as_of={PAST}") == 0
    assert run("score", f"out={then}", "target=churn", f"as_of={PAST}") == 0
    replayed, published = listed(now / "replay" / "churn" / PAST), listed(then / "lists" / "churn" / "latest")
    assert replayed[list(COLUMNS)].to_csv() == published.to_csv()


def test_too_little_closed_history_gives_the_rule_and_says_so() -> None:
    champion = Fitted("logistic", Encoder(()), {}, (0.0, 0.0), about={"params": {"C": 0.5}})
    assert _recipe(champion, 20)[:2] == ("logistic", {"C": 0.5})
    kind, params, why = _recipe(champion, 19)
    assert (kind, params) == ("rule", {})
    assert why == "19 customers had had the outcome by then, 20 are needed for a model: the rule"


EARLY = "2025-06-01" if whole() else "2025-08-15"
"""Too early for a closed window of the company of this run."""
REFUSED = [
    ([f"as_of={EARLY}"], 6, "replay from as_of="),
    ([], 2, "as_of is not set"),
    (["as_of=2999-01-01"], 2, "future"),
    (["as_of=soon"], 2, "not a date"),
]


@pytest.mark.parametrize(("arguments", "status", "words"), some(REFUSED, 0, 1), ids=str)
def test_refusals(trained: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str) -> None:
    assert run("replay", f"out={trained}", *arguments) == status
    assert words in capsys.readouterr().err


def test_without_a_training_it_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", f"out={tmp_path / 'out'}", "source=helpdesk", "target=tickets", "data=/data/helpdesk", f"as_of={PAST}") == 5
    assert f"make train ARGS='source=helpdesk data=/data/helpdesk target=tickets out={tmp_path / 'out'}'" in capsys.readouterr().err


def test_names_are_escaped_on_the_page():
    from prevenance.publish import replay as writer

    rows = outcomes.outcomes_of_list(world(CUTOFF + timedelta(days=120)), TARGET, ranked())
    rows = rows.assign(name="<script>alert(1)</script>", score=np.linspace(0.5, 0, 6), reasons="<b>Logins</b>")
    facts = outcomes.outcome_counts(rows, TARGET, CUTOFF + timedelta(days=120)) | {
        "date": "2026-01-01",
        "horizon_days": 90,
        "lead_days": 14,
    }
    facts |= {"target": "churn", "judged_at": "2026-05-01", "model": {"why": "<i>"}, "verdict": "v"}
    page = writer.replay_page(rows, facts)
    assert "<script>" not in page
    assert "<b>Logins" not in page
    assert "&lt;script&gt;" in page

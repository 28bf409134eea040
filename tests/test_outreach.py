"""The decision end to end: the next list honours what happened to this one, nobody is lost, and twice gives the same bytes."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import once
import pandas as pd
import pytest
from amount import whole

from pipelines import feedback as take
from pipelines import replay, score
from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance.decide.feedback import COLUMNS
from prevenance.runs.ranked import dear_contacts_note
from prevenance.targets import KINDS

pytestmark = pytest.mark.long


def run(name: str, *arguments: str) -> int:
    bodies = {"score": score.body, "replay": replay.body, "feedback": take.body}
    return _guarded(name, bodies[name], list(arguments))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return once.lived_copy(once.RULED, tmp_path / "out")


def latest(out: Path) -> Path:
    return (out / "lists" / "churn" / "latest").resolve()


def listed(out: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    counts = json.loads((latest(out) / "manifest.json").read_text())["counts"]
    assert counts["customers_read"] == counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values())
    rows = pd.DataFrame(json.loads((latest(out) / "list.json").read_text()))
    assert len(rows) == counts["listed"]
    assert rows["rank"].dropna().tolist() == list(range(1, int(rows["rank"].notna().sum()) + 1))
    return rows.set_index("customer_id"), counts


def answered(out: Path, path: Path, **actions: str) -> Path:
    rows, _ = listed(out)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for customer, action in actions.items():
            usual = {"target": "churn", "at": "2026-11-20T09:00:00Z", "until": "2027-03-01" if action == "snooze" else "", "by": "Jane"}
            about = {"customer_id": customer, "run_id": rows["run_id"].iloc[0], "cutoff": rows["cutoff"].iloc[0], "action": action}
            writer.writerow(usual | about)
    return path


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir()) if path.is_file()}


def test_the_next_list_honours_what_was_answered_and_every_reason_is_counted(out: Path, tmp_path: Path, capsys) -> None:
    before, counts = listed(out)
    first = latest(out)
    top = before.index[:5].tolist()
    path = answered(out, tmp_path / "f.csv", **dict(zip(top, ["contacted", "snooze", "wrong_alarm", "too_late"], strict=False)))
    if whole():
        assert run("replay", f"out={out}", "target=churn", "as_of=2026-04-01") == 0
    past = whole() and digests(out / "replay" / "churn" / "2026-04-01")
    capsys.readouterr()
    assert run("feedback", f"out={out}", f"file={path}") == 0
    assert "4 answers read, 4 taken" in (said := capsys.readouterr().out)
    assert "Jane" not in said
    if whole():
        assert run("replay", f"out={out}", "target=churn", "as_of=2026-04-01") == 0
        assert digests(out / "replay" / "churn" / "2026-04-01") == past, "a past date does not know what is answered today"
    consents = next((out / "demo").glob("consents.csv"))
    consents.write_text(consents.read_text(encoding="utf-8") + f"{top[4]},outreach,no,2026-09-01\n", encoding="utf-8")
    assert run("score", f"out={out}", "target=churn") == 0
    after, now = listed(out)
    assert latest(out) != first, "what is published never changes"
    assert not {top[0], top[4]} & set(after.index), "contacted and opted out: absent"
    assert now["excluded"]["cooling_down"] == counts["excluded"].get("cooling_down", 0) + 1
    assert now["excluded"]["opted_out"] == counts["excluded"]["opted_out"] + 1
    assert after.loc[top[1:4], "state"].tolist() == ["snoozed", "snoozed", "too_late"]
    assert after.loc[top[1:4], "rank"].isna().all()
    assert now["apart"]["snoozed"] == 2
    assert now["apart"]["too_late"] == counts["apart"].get("too_late", 0) + 1
    assert after["rank"].notna().sum() == 9, "others take the place of who stands apart, nobody that of a contact of this week"
    week = json.loads((latest(out) / "manifest.json").read_text())["week"]
    assert {key: week[key] for key in ("capacity", "done", "left")} == {"capacity": 10, "done": 1, "left": 9}
    known = digests(latest(out))
    assert run("feedback", f"out={out}", f"file={path}") == 0
    assert "0 taken, 4 known already" in capsys.readouterr().out
    if not whole():  # test_fault_65_the_same_night_again_changes_nothing
        return
    assert run("score", f"out={out}", "target=churn") == 0
    assert digests(latest(out)) == known, "twice gives the same bytes"


def test_nobody_is_held_out_who_is_in_escalation_or_above_the_value(out: Path) -> None:
    assert run("score", f"out={out}", "target=churn", "outreach.holdout.share=0.5", "outreach.holdout.max_value=6000") == 0
    rows, counts = listed(out)
    arms = pd.read_csv(latest(out) / "arms.csv", dtype={"customer_id": str}).set_index("customer_id")
    held = rows[rows["arm"] == "holdout"]
    assert len(held) == counts["apart"]["holdout"] > 0
    assert held["rank"].isna().all()
    assert (held["value_at_stake"] <= 6000).all()
    assert arms.loc[held.index, "in_band"].all()
    assert (arms["arm"].dropna().sort_index() == rows["arm"].dropna().sort_index()).all()


def test_hours_of_each_owner_decide_who_fits(out: Path) -> None:
    assert run("score", f"out={out}", "target=churn", "outreach.hours={default: 3}", "outreach.hours_per_contact=1.5") == 0
    rows, _ = listed(out)
    worked = rows[rows["rank"].notna()]
    assert worked["owner"].value_counts().max() == 2
    assert set(worked["owner"].dropna()) == set(rows["owner"].dropna())


def test_a_bad_file_takes_nothing(out: Path, tmp_path: Path, capsys) -> None:
    customer = listed(out)[0].index[0]
    assert run("feedback", f"out={out}", f"file={answered(out, tmp_path / 'f.csv', **{customer: 'contacted', 'nobody': 'contacted'})}") == 3
    assert "first=f.csv:3 — the customer is not on that list" in capsys.readouterr().err
    assert not (out / "feedback").exists()
    assert run("feedback", f"out={out}", "file=nowhere.csv") == 4
    assert run("feedback", f"out={out}") == 4


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("outreach.share=15", "outreach.share"),
        ("outreach.shares={churn: 2}", "outreach.shares.churn"),
        ("outreach.costs={churn: -1}", "outreach.costs.churn"),
        ("outreach.hours={default: -3}", "outreach.hours.default"),
        ("outreach.hours={default: many}", "outreach.hours.default"),
        ("outreach.hours_per_contact=0", "outreach.hours_per_contact"),
        ("outreach.cooldown_days=-1", "outreach.cooldown_days"),
        ("outreach.holdout.share=0.9", "outreach.holdout.share"),
        ("outreach.cost_per_ticket=0", "outreach.cost_per_ticket"),
        ("outreach.margin=nan", "outreach.margin"),
        ("outreach.wake_points=soon", "outreach.wake_points"),
        ("outreach.capacity=0", "outreach.capacity"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(override: str, key: str, tmp_path: Path, capsys) -> None:
    assert run("score", f"out={tmp_path}", "target=churn", override) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"ERROR E202 key={key} — "), line


def test_a_source_says_what_its_contacts_are_worth_and_the_command_line_wins() -> None:
    assert settings_of("score", ["target=tickets"]).outreach.cost_per_ticket == 45
    assert settings_of("score", ["target=tickets", "outreach.cost_per_ticket=9"]).outreach.cost_per_ticket == 9
    assert settings_of("score", ["source=helpdesk", "target=tickets"]).outreach.cost_per_ticket is None
    given = settings_of("score", ["target=churn", "outreach.hours={default: 18, Dana: 12}", "outreach.shares={churn: 0.3}"]).outreach
    assert (given.hours, given.shares) == ({"default": 18.0, "Dana": 12.0}, {"churn": 0.3})


def test_tickets_are_worth_what_the_customer_s_own_pace_lets_expect() -> None:
    from datetime import datetime, timedelta
    from math import exp

    from prevenance.history.history import History
    from prevenance.targets.labels import cohort

    now = datetime(2026, 9, 30)
    rows = [("a", days) for days in range(1, 25)] + [("b", 400), ("b", 2)] + [("c", 300), ("c", -3)]
    frame = pd.DataFrame([{"customer_id": one, "ticket_id": f"{one}{days}", "event_at": now - timedelta(days=days)} for one, days in rows])
    frame = frame.assign(known_at=frame["event_at"], event="opened")
    history = History.from_frames({"tickets": frame}, now + timedelta(days=30))
    found = cohort(history, KINDS["ticket"](cost_per_ticket=40.0), [now]).set_index("customer_id")["value_at_stake"]
    pace = {"a": 24 * 30 / 365, "b": 30 / 365, "c": 30 / 365}
    assert found.to_dict() == {one: round(40 * n / (1 - exp(-n)), 2) for one, n in pace.items()}
    assert cohort(history, KINDS["ticket"](), [now])["value_at_stake"].isna().all()


def test_contacts_that_are_expected_to_bring_less_than_they_cost_are_counted() -> None:
    ranked = pd.DataFrame({"rank": [1.0, 2.0, 3.0, None], "expected_value": [-40.0, 0.0, -1.0, -9.0]})
    [told] = dear_contacts_note(ranked, 60.0)
    assert told.startswith("2 of the 3 contacts cost more (60 each) than they are expected to bring: a smaller capacity")
    assert dear_contacts_note(ranked.assign(expected_value=0.0), 60.0) == []


@pytest.mark.sweep
def test_contacts_that_cost_more_than_they_bring_are_told(out: Path) -> None:
    assert run("score", f"out={out}", "outreach.cost_per_contact=1e9") == 0
    told = json.loads((latest(out) / "manifest.json").read_text())["messages"]
    assert any(one.startswith("10 of the 10 contacts cost more (1e+09 each) than they are expected to bring") for one in told)
    assert run("score", f"out={out}", "outreach.cost_per_contact=0") == 0
    assert not any("cost more" in one for one in json.loads((latest(out) / "manifest.json").read_text())["messages"])

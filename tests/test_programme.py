"""A company that lives on by its lists: who is contacted, whom it keeps or drives away, a past that stays, and figures that a slow count finds again."""

from __future__ import annotations

import csv
import gzip
import importlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import once
import pandas as pd
import pytest

from bench import programme as second
from pipelines.start.run import _guarded
from prevenance.demo import simulated
from prevenance.demo.programme import HELD, LISTED, local_moment, programme_of
from prevenance.demo.switches import Demo

FIRST, SECOND = datetime(2026, 3, 2, 5), datetime(2026, 6, 1, 5)
SMALL = Demo(customers=60, months=14, events=4000, seed=3, programme=True)


def lists(customers: list[str], cutoff: datetime = FIRST, part: str = LISTED, option: str = "") -> pd.DataFrame:
    return pd.DataFrame({"customer_id": customers, "cutoff": pd.Timestamp(cutoff), "part": part, "option": option})


MANY = [f"c{one}" for one in range(400)]


def test_the_team_does_what_the_list_says_as_far_as_it_complies() -> None:
    asked = pd.concat([lists(MANY), lists([f"h{one}" for one in range(400)], part=HELD)], ignore_index=True)
    whole = programme_of(SMALL, asked)
    assert whole.contacts["part"].value_counts().to_dict() == {LISTED: 400}
    assert whole.start == local_moment(FIRST)
    assert (whole.contacts["contacted_at"] > whole.start).all()
    some = programme_of(replace(SMALL, complied=0.5, noncompliance=0.1), asked).contacts
    assert 160 < (some["part"] == LISTED).sum() < 240
    assert 20 < (some["part"] == HELD).sum() < 65
    assert set(some["action"]) == {"call"}
    # a later list changes nothing of what was done with an earlier one
    more = programme_of(SMALL, pd.concat([asked, lists(MANY, SECOND)], ignore_index=True)).contacts
    pd.testing.assert_frame_equal(more.head(400), whole.contacts)
    assert programme_of(SMALL, asked.iloc[:0]).contacts.empty


@pytest.mark.parametrize(
    ("option", "action", "least", "most"), [("training", "training", 1, 6), ("28", "call", 29, 34), ("0", "call", 1, 6)]
)
def test_what_the_draw_says_is_done(option: str, action: str, least: int, most: int) -> None:
    found = programme_of(SMALL, lists(MANY[:50], option=option)).contacts
    days = (found["contacted_at"] - pd.Timestamp(FIRST)).dt.total_seconds() / 86_400
    assert set(found["action"]) == {action}
    assert least - 0.2 <= days.min()
    assert days.max() <= most


def everybody() -> list[str]:
    return [str(one) for one in simulated.world_of(SMALL).ids]


def facts(folder: Path) -> dict[str, list[dict[str, str]]]:
    found = {}
    for path in sorted(folder.glob("*.csv*")):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found[path.name] = list(csv.DictReader(text.decode().splitlines()))
    return found


KNOWN = {"contacts.csv": "logged_at", "feedback.csv": "answered_at", "account_reviews.csv": "reviewed_at", "tickets.csv": "opened_at",
         "invoices.csv": "issued_on", "product_events.csv.gz": "loaded_at", "purchases.csv": "ordered_on"}  # fmt: skip


@pytest.mark.long
def test_what_was_known_at_a_list_is_not_changed_by_what_is_done_about_it(tmp_path: Path) -> None:
    ids = everybody()
    before, after = (programme_of(SMALL, one) for one in (lists(ids), pd.concat([lists(ids), lists(ids[::2], SECOND)], ignore_index=True)))
    given = replace(SMALL, effects={"call": 0.0})
    simulated.write_company(tmp_path / "before", given, before)
    simulated.write_company(tmp_path / "after", given, after)
    one, other = facts(tmp_path / "before"), facts(tmp_path / "after")
    for name, column in KNOWN.items():
        early = [[row for row in part[name] if row[column] and row[column][:10] < "2026-06-01"] for part in (one, other)]
        changes_later = {"tickets.csv", "invoices.csv"}
        shown = [[row["account_id"] for row in part] if name in changes_later else part for part in early]
        assert shown[0] == shown[1], name
    left = [{row["subscription_id"]: row["notice_on"] for row in part["subscriptions.csv"]} for part in (one, other)]
    assert {key: day for key, day in left[0].items() if day and day < "2026-06-01"} == {
        key: day for key, day in left[1].items() if day and day < "2026-06-01"
    }
    assert one != other


@pytest.mark.long
def test_contacts_keep_and_harm_as_planted_and_only_where_the_switch_is_on(tmp_path: Path) -> None:
    ids = everybody()
    made = programme_of(SMALL, lists(ids))
    told, left = {}, {}
    for name, given in {
        "nothing": replace(SMALL, effects={}),
        "kept": replace(SMALL, effects={"call": 0.0}),
        "harmed": replace(SMALL, effects={"call": 1.0}, harm=50.0),
    }.items():
        told[name] = simulated.write_company(tmp_path / name, given, made)["truth"]["programme"]
        truth = pd.read_parquet(simulated.truth_folder(tmp_path / name) / "truth_contacts.parquet")
        assert len(truth) == len(made.contacts)
        assert not list((tmp_path / name).glob("*contacts.parquet")), "no truth among the data"
        left[name] = int(truth["leaves"].between("2026-03-02", "2026-06-01").sum())
        assert truth["harmed"].any() == (name == "harmed")
    assert left["kept"] < left["nothing"] < left["harmed"]
    assert (told["nothing"]["kept"], told["nothing"]["driven_away"]) == (0, 0)
    assert told["kept"]["kept"] > 0
    assert told["harmed"]["driven_away"] > 0
    plain = replace(SMALL, programme=False)
    for name, given in {"plain": plain, "set": replace(plain, effects={"call": 9.0}, harm=3.0, complied=0.1, noncompliance=1.0)}.items():
        simulated.write_company(tmp_path / name, given)
    for path in (tmp_path / "plain").iterdir():
        assert path.read_bytes() == (tmp_path / "set" / path.name).read_bytes(), path.name


# -- the whole way: lists, contacts, the next lists, the statement


def run(name: str, *arguments: str) -> None:
    assert _guarded(name, importlib.import_module(f"pipelines.{name}").body, list(arguments)) == 0, (name, arguments)


@pytest.mark.long
def test_quarters_lived_by_the_lists_end_in_the_figures_of_a_slow_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also: the statement of a past day stays as it was, who is erased leaves it, and the ways that were drawn are compared."""
    monkeypatch.setenv("PREVENANCE_HOLDOUT_KEY", second.KEY)
    ways, out = ("call", "training"), tmp_path / "out"
    more = ("demo.customers=150", "demo.months=16", "capacity=60", *once.CHEAP, "demo.events=5000", f"outreach.compare=[{','.join(ways)}]")
    told = second.lived_on(run, out, *more, quarters=("2026-03-02", "2026-06-01"))
    assert [one["number"] for one in told["looks"]] == [1]
    assert second.differences(out, told) == []
    assert second.differences(out, told["compared"], ways) == []
    assert told["compared"]["drawn"]["draws"] > 60
    assert "share" not in told["compared"]
    log = pd.read_csv(out / "experiment" / "latest" / "draws.csv", dtype=str)
    victim = log["customer_id"].iloc[0]
    run("erase", f"out={out}", f"customer={victim}")
    asked = (f"out={out}", *second.WORLD, *more, "experiment.looks=1")
    again = json.loads(second.statement_of(run, out, *asked))["churn"]
    assert again["left_out"]["erased"] >= 1
    assert again["drawn"]["customers"] < told["drawn"]["customers"]
    assert victim not in pd.read_csv(out / "experiment" / "latest" / "draws.csv", dtype=str)["customer_id"].tolist()
    monkeypatch.delenv("PREVENANCE_HOLDOUT_KEY")
    capsys.readouterr()
    assert _guarded("score", importlib.import_module("pipelines.score").body, [*asked[:-1], "as_of=2026-07-01"]) == 2
    assert "anybody can work out who is drawn" in capsys.readouterr().err

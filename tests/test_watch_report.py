"""``make watch`` as a whole: a page, a table, JSON and a notice; one decision with its evidence; nothing but its own folders is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import once
import pytest
from shelves import SMALL, company

from pipelines import score, watch
from pipelines.start.run import _guarded
from prevenance.words import words

pytestmark = pytest.mark.long

TONIGHT, LATER = "2026-06-20", "2026-10-01"
"""A list five days after the model was trained, and a day on which its window is over."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = company(tmp_path_factory.mktemp("watch") / "out", ("churn",))
    arguments = [*SMALL, "target=churn", f"out={folder}", *once.CHEAP, "outreach.floor=0"]
    assert _guarded("score", score.body, [*arguments, f"as_of={TONIGHT}"]) == 0
    assert _guarded("watch", watch.body, [*arguments, f"as_of={LATER}"]) == 0
    return folder


def told(out: Path) -> dict[str, object]:
    return dict(json.loads((out / "watch" / "latest" / "watch.json").read_text()))


def test_one_decision_with_its_evidence(out: Path) -> None:
    [one] = told(out)["targets"]  # type: ignore[misc]
    assert one["decision"] in ("retrain", "wait", "cannot_help")
    assert one["reasons"]
    assert one["record"]["lists"] == 1
    assert (one["gain"] or {}).get("value") is not None, one["reasons"]
    assert one["estimate"] is None
    assert "1 of 3 lists" in one["silence"]
    assert json.loads((out / "status" / "watch.json").read_text())["decisions"] == {"churn": one["decision"]}


def test_the_table_says_what_came_of_each_list(out: Path) -> None:
    [row] = csv.DictReader((out / "watch" / "latest" / "watch.csv").read_text().splitlines())
    assert row["cutoff"] == "2026-06-19T22:00:00Z", "the night of 20 June where the source is"
    [judged] = (one for one in (out / "lists" / "churn").glob("2026-06-1*/list.csv"))
    worked = [one for one in csv.DictReader(judged.read_text(encoding="utf-8").splitlines()) if one["rank"]]
    assert 0 <= int(float(row["hits"])) <= int(row["listed"]) == len(worked) > 0


def test_the_page_and_the_notice_say_the_same(out: Path) -> None:
    page = (out / "watch" / "latest" / "report.html").read_text()
    notice = json.loads((out / "notify" / f"{LATER}.json").read_text())
    [decided] = notice["decisions"]
    assert decided["says"] in page
    assert decided["says"] in notice["mail"]
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert words("en")("Is it still right?") in (out / "index.html").read_text()


def test_the_same_again_publishes_nothing_new_and_another_language_says_it_otherwise(out: Path) -> None:
    before = sorted(path.name for path in (out / "watch").iterdir())
    arguments = [*SMALL, "target=churn", f"out={out}", *once.CHEAP, "outreach.floor=0", f"as_of={LATER}"]
    assert _guarded("watch", watch.body, arguments) == 0
    assert sorted(path.name for path in (out / "watch").iterdir()) == before
    assert _guarded("watch", watch.body, [*arguments, "language=fr"]) == 0
    assert "Est-ce encore juste" in (out / "watch" / "latest" / "report.html").read_text()

"""The night: a whole, right list or the old one with the reason, whatever feeds, store and operators do."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import once
import pandas as pd
import pytest
from amount import amount, some, whole

from pipelines import backfill, explain, score, train, validate
from pipelines.start.run import _guarded
from prevenance.base import lock
from prevenance.base.errors import PrevenanceError
from prevenance.decide import ranking
from prevenance.models import bundle, shelf
from prevenance.publish import finished
from prevenance.runs import feeds, night
from prevenance.sources.gates import Gate, Limit, enforce_gates, freshness_gates, parse_age, volume_gates
from prevenance.sources.taken import Counts

pytestmark = pytest.mark.long

BODIES = {
    one: module.body
    for one, module in {"train": train, "score": score, "backfill": backfill, "validate": validate, "explain": explain}.items()
}
QUARANTINED = [
    f"tables.{name}.on_bad_row=quarantine"
    for name in ("customers", "tickets", "subscriptions", "usage", "invoices", "contacts", "feedback", "purchases", "consents")
]

SMALL = [one for one in once.RULED[0][1:] if not one.startswith(("target=", "as_of="))]
LATER = "as_of=2026-10-08"
"""A week after the newest knowledge of the demo."""
LATE = (*once.RULED, ("score", "target=churn", LATER, "tables.usage.warn_after=2", "language=fr"))
"""A list made although the use of a week is missing."""
WITHOUT = (
    *once.RULED,
    (
        *("score", "target=churn", LATER, "tables.usage.error_after=3", "tables.usage.required=false"),
        *("tables.tickets.error_after=3", "tables.tickets.required=false"),
    ),
)
"""A list made without the tables that are late."""


def run(name: str, *arguments: str) -> int:
    return _guarded(name, BODIES[name], list(arguments))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return once.lived_copy(once.RULED, tmp_path / "out")


def latest(out: Path) -> Path:
    return (out / "lists" / "churn" / "latest").resolve()


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text()))


def published(out: Path) -> dict[str, bytes]:
    root = out / "lists"
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return found | {"latest": latest(out).name.encode()}


def status(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "status.json").read_text()))


def test_fault_02_a_feed_that_is_too_old_keeps_the_old_list_and_its_fix_works(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = published(out)
    assert run("score", f"out={out}", "target=churn", LATER, "tables.usage.error_after=3") == 4
    line = capsys.readouterr().err
    assert line.startswith("ERROR E403 table=usage newest=2026-")
    assert "age=" in line
    assert "limit=3 days" in line
    assert published(out) == before
    assert status(out)["exit"] == 4
    for name, words in (("validate", []), ("explain", ["customer=nobody"])):
        run(name, f"out={out}", "target=churn", *words)
    assert (status(out)["pipeline"], status(out)["exit"]) == ("score", 4), "what another command did since says nothing of the night"
    capsys.readouterr()
    setting = line.partition("or set ")[2].partition(",")[0]
    assert run("score", f"out={out}", "target=churn", LATER, setting) == 0, capsys.readouterr().err


@pytest.mark.sweep
def test_fault_02_a_warning_is_told_on_the_page_and_in_the_manifest(out: Path) -> None:
    assert run("score", f"out={out}", "target=churn", LATER, "tables.usage.warn_after=36h") == 0
    told = manifest(latest(out))
    assert told["gates"]["fresh.usage"] == "warn"
    [said] = [one for one in told["messages"] if one.startswith("usage: its newest knowledge is")]
    assert "the limit is 36 hours" in said
    assert said[:40] in (latest(out) / "list.html").read_text()


def test_fault_02_a_warning_that_is_asked_for_later_is_told_too(out: Path) -> None:
    before = published(out)
    assert run("score", f"out={out}", "target=churn", "tables.contacts.warn_after=1m") == 0
    assert manifest(latest(out))["gates"]["fresh.contacts"] == "warn"
    after = published(out)
    assert all(after[name] == content for name, content in before.items() if name != "latest")


def test_fault_03_a_late_table_that_is_not_required_is_left_out_and_counted() -> None:
    told = manifest(latest(once.lived(WITHOUT)))
    usage = told["tables"]["usage"]
    assert usage["used"] == 0
    assert usage["excluded"]["late_feed"] > 1000
    assert usage["read"] == sum(usage["excluded"].values()) + sum(usage["quarantined"].values())
    assert told["gates"]["fresh.usage"] == "warn"
    assert any("the list is made without it" in one for one in told["messages"])


def test_a_demo_folder_that_is_not_there_names_the_command_that_makes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", f"out={tmp_path / 'out'}", f"data={tmp_path / 'none'}") == 4
    assert f"FIX: run make demo ARGS='data={tmp_path / 'none'}' first, or leave data= out" in capsys.readouterr().err
    (tmp_path / "accounts.csv").touch()
    assert run("train", f"out={tmp_path / 'out'}", f"data={tmp_path / 'accounts.csv'}") == 4
    assert f"FIX: set data={tmp_path}, the folder" in capsys.readouterr().err


def test_fault_01_03_a_missing_file_is_refused_unless_its_table_may_be_missing(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(out / "demo", tmp_path / "inbox")
    (folder / "feedback.csv").unlink()
    before = published(out)
    assert run("score", f"out={out}", "target=churn", f"data={folder}") == 4
    line = capsys.readouterr().err
    assert "E401" in line
    assert "feedback.csv" in line
    assert "files.feedback" in line
    assert published(out) == before
    assert run("score", f"out={out}", "target=churn", f"data={folder}", "tables.feedback.required=false") == 0
    told = manifest(latest(out))
    assert any(one.startswith("feedback: no file at") for one in told["messages"])
    assert told["gates"]["conservation"] == "pass"


@pytest.mark.sweep
def test_a_required_table_without_rows_is_refused(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(out / "demo", tmp_path / "inbox")
    head = (folder / "contacts.csv").read_text().splitlines()[0]
    (folder / "contacts.csv").write_text(head + "\n")
    arguments = [f"out={out}", "target=churn", f"data={folder}", "accept_volume=true"]
    assert run("score", *arguments, "tables.contacts.required=true") == 3
    assert "E304 table=contacts" in capsys.readouterr().err
    assert run("score", *arguments) == 0


def test_fault_04_a_part_of_a_table_is_refused_unless_it_is_accepted(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(out / "demo", tmp_path / "inbox")
    lines = (folder / "tickets.csv").read_text().splitlines(keepends=True)
    (folder / "tickets.csv").write_text("".join(lines[: len(lines) // 3]))
    before = published(out)
    assert run("score", f"out={out}", "target=churn", f"data={folder}") == 4
    line = capsys.readouterr().err
    assert "E404 table=tickets" in line
    assert "usual=" in line
    assert "accept_volume=true" in line
    assert published(out) == before
    if not whole():  # what it lets through: test_volume_is_judged_by_the_median_of_seven_lists
        return
    assert run("score", f"out={out}", "target=churn", f"data={folder}", "accept_volume=true") == 0
    told = manifest(Path(status(out)["targets"]["churn"]["list"]))
    assert told["gates"]["volume.tickets"] == "warn"
    assert any("(accept_volume)" in one for one in told["messages"])


def test_fault_17_an_input_that_changes_during_the_run_is_not_published(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prevenance.runs import night

    ranked, path = night.ranked_list, next((out / "demo").glob("product_events*.csv.gz"))

    def meanwhile(*given: Any, **more: Any) -> Any:
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"\n", mtime=0))
        return ranked(*given, **more)

    monkeypatch.setattr(night, "ranked_list", meanwhile)
    before = published(out)
    assert run("score", f"out={out}", "target=churn", "as_of=2026-09-20") == 3
    line = capsys.readouterr().err
    assert "E310" in line
    assert path.name in line
    assert "changed during the run" in line
    assert published(out) == before
    if whole():
        monkeypatch.setattr(night, "ranked_list", ranked)
        assert run("score", f"out={out}", "target=churn", "as_of=2026-09-20", "tables.usage.on_bad_row=quarantine") == 0


def test_fault_41_another_clock_gives_the_same_list_and_freshness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prevenance.runs import inputs

    out = once.lived_copy(LATE, tmp_path / "out")

    class Off(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=3)

    before, told = published(out), manifest(latest(out))
    assert told["gates"]["fresh.usage"] == "warn"
    monkeypatch.setattr(inputs, "datetime", Off)
    assert run("score", *LATE[-1][1:], f"out={out}") == 0
    assert published(out) == before
    assert manifest(latest(out)) == told


def test_fault_59_a_second_run_ends_at_once_naming_the_first(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (out / "status.json").read_bytes()
    with lock.hold_lock(out, "lists"):
        assert run("score", f"out={out}", "target=churn") == 7
        assert run("backfill", f"out={out}", "target=churn", "from=2026-09-01", "to=2026-09-01") == 7
        assert _guarded("train", lambda *_: None, [f"out={out}", "target=churn", *SMALL]) == 0, "training may overlap"
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("ERROR E701")
    assert "process " in lines[0]
    assert "holds the lock lists" in lines[0]
    assert json.loads((out / "status" / "train.json").read_text())["exit"] == 0
    assert (out / "status.json").read_bytes() == before, "the night that holds the lock tells its own"
    assert _guarded("score", lambda *_: None, [f"out={out}", "target=churn"]) == 0


def test_fault_60_the_lock_goes_with_the_process_that_held_it(out: Path) -> None:
    code = "import sys, signal; from pathlib import Path; from prevenance.base import lock\n"
    code += "with lock.hold_lock(Path(sys.argv[1]), 'lists'):\n  print('held', flush=True)\n  signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(PrevenanceError, match=f"process {holder.pid} on .* holds the lock lists"), lock.hold_lock(out, "lists"):
            pass
        holder.send_signal(signal.SIGKILL)
    with lock.hold_lock(out, "lists"):
        assert json.loads((out / ".lists.holder").read_text())["pid"] != holder.pid
    assert not (out / ".lists.holder").exists()


def test_fault_64_missed_nights_get_what_they_would_have_had(out: Path, tmp_path: Path) -> None:
    alone = once.lived_copy(once.RULED, tmp_path / "alone")
    days = [f"2026-09-{day}" for day in (28, 29, 30)[-amount(2, 3) :]]
    before = latest(out).name
    assert run("backfill", f"out={out}", "target=churn", f"from={days[0]}", f"to={days[-1]}") == 0
    assert latest(out).name == before, "latest never moves back"
    told = status(out)
    assert list(told["nights"]) == days
    assert all(one["exit"] == 0 for one in told["nights"].values())
    for day in days[-amount(1, 3) :]:
        assert run("score", f"out={alone}", "target=churn", f"as_of={day}") == 0
    now, then = published(out), published(alone)
    same = [name for name in then if name.endswith(("list.csv", "list.json", "features.parquet"))]
    assert len(same) == amount(10, 20), "three files of a list, two of its week"
    assert {name: now[name] for name in same} == {name: then[name] for name in same}


def train_until(out: Path, until: str) -> str:
    """Train the champion again with what was known at ``until`` and return its digest."""
    assert run("train", *SMALL, f"out={out}", "target=churn", f"as_of={until}") == 0
    held = shelf.shelf_champion(out / "models" / "churn")
    assert held is not None
    return held[1]


def test_a_backfilled_night_takes_the_champion_of_its_time(out: Path) -> None:
    present = shelf.shelf_champion(out / "models" / "churn")
    assert present is not None
    old = train_until(out, "2026-09-01") if whole() else present[1]
    new = train_until(out, "2026-10-01")
    assert new != old
    assert run("backfill", f"out={out}", "target=churn", "from=2026-09-20", "to=2026-09-20") == 0
    [folder] = (out / "lists" / "churn").glob("2026-09-19*")
    assert manifest(folder)["model"]["digest"] == old


def test_a_backfill_goes_on_after_a_refused_night(out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if not whole():  # the loop is what is tested
        monkeypatch.setattr(night, "publish_target", lambda *_, **__: ("LIST", {"list": str(latest(out))}))
    assert run("backfill", f"out={out}", "target=churn", "from=2026-10-06", "to=2026-10-07", "tables.usage.error_after=5.5") == 4
    said = capsys.readouterr()
    assert said.err.count("ERROR E403") == 1, said
    told = status(out)
    assert [one["exit"] for one in told["nights"].values()] == [0, 4]
    assert told["outcome"] == "partly published"


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (["from=2026-09-01"], "from or to is not set"),
        (["from=2026-09-02", "to=2026-09-01"], "is not 1 to 366 nights"),
        (["from=yesterday", "to=2026-09-01"], 'from="yesterday" is not a date'),
    ],
)
def test_a_backfill_without_nights_is_refused(out: Path, dates: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("backfill", f"out={out}", "target=churn", *dates) == 2
    assert said in capsys.readouterr().err


def test_fault_65_the_same_night_again_changes_nothing(out: Path) -> None:
    before, index = published(out), (out / "index.html").read_bytes()
    assert run("score", f"out={out}", "target=churn") == 0
    assert published(out) == before
    assert (out / "index.html").read_bytes() == index
    assert len(runs(out)) == 1


def test_of_a_long_list_people_are_shown_a_part_and_the_files_hold_all(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(folder: Path) -> tuple[pd.DataFrame, list[str], list[str]]:
        book = pd.read_excel(folder / "list.xlsx", sheet_name=["List", "Data"], dtype=str)
        ids = book["Data"]["customer_id"].tolist()
        assert book["List"]["customer_id"].tolist() == ids
        return (
            pd.read_csv(folder / "list.csv", dtype={"customer_id": str}).fillna({"reasons": ""}),
            ids,
            finished._page((folder / "list.html").read_bytes()),
        )

    assert run("score", f"out={out}", "target=churn", "capacity=4") == 0
    every, ids, page = shown(latest(out))
    assert ids == every["customer_id"].tolist()
    assert sorted(page) == sorted(ids)
    assert "shown" not in manifest(latest(out))["counts"]
    monkeypatch.setattr(ranking, "MOST_SHOWN", 3)
    assert run("score", f"out={out}", "target=churn", "capacity=5") == 0
    rows, ids, page = shown(latest(out))
    assert sorted(rows["customer_id"]) == sorted(every["customer_id"])
    parts = json.loads((latest(out) / "view.json").read_text())["unshown"]
    assert len(ids) == len(rows) - sum(parts.values()) == manifest(latest(out))["counts"]["shown"] < len(rows)
    assert sorted(page) == sorted(ids)
    assert set(rows.loc[rows["rank"].notna(), "customer_id"]) < set(ids)
    told = rows["customer_id"].isin(ids)
    assert (rows.loc[~told, "reasons"] == "").all()
    known = rows.loc[told].merge(every, on="customer_id")
    assert known["reasons_x"].tolist() == known["reasons_y"].tolist()
    assert (known["reasons_x"] != "").any()
    place, count = next(iter(parts.items()))
    assert f"{count + 3} customers, the first 3 of them here, all in list.csv" in (latest(out) / "list.html").read_text(), place


def test_a_segment_that_is_not_exported_any_more_is_named_the_night_after(out: Path) -> None:
    # the list of the week is of the same cutoff, and says nothing of segments
    assert all("segments" in one["watch"] for one in feeds.manifests_before(out))
    accounts = out / "demo" / "crm_accounts.csv"
    rows = pd.read_csv(accounts, dtype=str, keep_default_na=False)
    sizes = manifest(latest(out))["watch"]["segments"]
    name = min(sizes, key=lambda one: (sizes[one] < 6, sizes[one]))
    data = out.parent / "hurt"
    shutil.copytree(out / "demo", data)
    rows[rows["segment"] != name].to_csv(data / "crm_accounts.csv", index=False)
    night = (datetime.fromisoformat(manifest(latest(out))["cutoff"].rstrip("Z")) + timedelta(days=1)).date()
    assert run("score", f"out={out}", "target=churn", f"data={data}", f"as_of={night}T12:00:00Z", *QUARANTINED) == 0
    assert "gone.customers" in [one for one, outcome in manifest(latest(out))["gates"].items() if outcome == "warn"]
    assert f"{name}: 0 customers where {sizes[name]} are usual" in (latest(out) / "list.html").read_text()


def runs(out: Path) -> list[tuple[str, str]]:
    """Return (status, run_id) of the runs of the experiment of lists."""
    query = (
        "select r.status, t.value from runs r join tags t on t.run_uuid = r.run_uuid and t.key = 'run_id' "
        "join experiments e on e.experiment_id = r.experiment_id where e.name = 'churn lists'"
    )
    with closing(sqlite3.connect(out / "mlflow.db")) as store:
        return [(str(one), str(two)) for one, two in store.execute(query).fetchall()]


@pytest.mark.parametrize("trouble", some(["corrupt", "locked", "a folder"], 0))
def test_fault_68_a_store_in_trouble_spoils_no_list_and_is_caught_up_with(
    out: Path, trouble: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prevenance.track import tracking

    store, aside = out / "mlflow.db", out / "aside.db"
    with closing(sqlite3.connect(store)) as whole, closing(sqlite3.connect(aside)) as kept:
        whole.backup(kept)
    for left in out.glob("mlflow.db-*"):
        left.unlink()
    monkeypatch.setattr(tracking, "BUSY_SECONDS", 0.1)
    holder: Callable[[], None] | None = None
    if trouble == "corrupt":
        store.write_bytes(b"no database" * 500)
    elif trouble == "a folder":
        store.unlink()
        store.mkdir()
    else:
        held = sqlite3.connect(store, isolation_level=None)
        held.execute("begin exclusive")
        holder = held.close
    assert run("score", f"out={out}", "target=churn", LATER) == 0, capsys.readouterr().err
    assert "not yet in the model store" in capsys.readouterr().out
    assert latest(out).name.startswith("2026-10-07T22")
    assert len(list((out / "spool").iterdir())) == 1
    assert "not yet in the model store" in status(out)["messages"][0]
    if holder:
        holder()
    shutil.rmtree(store) if store.is_dir() else store.unlink()
    aside.rename(store)
    assert run("score", f"out={out}", "target=churn", LATER) == 0
    assert not list((out / "spool").iterdir())
    assert status(out)["messages"] == []
    assert len(runs(out)) == 2
    assert {one for one, _ in runs(out)} == {"FINISHED"}


def test_fault_69_without_a_champion_the_command_is_told_or_a_rule_list_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run("score", *SMALL, f"out={out}", "target=churn") == 5
    line = capsys.readouterr().err
    assert "E501" in line
    assert "make train ARGS='target=churn out=" in line
    assert "allow_rule=true" in line
    assert not (out / "lists").exists()
    assert run("score", *SMALL, f"out={out}", "target=churn", "allow_rule=true") == 0, capsys.readouterr().err
    assert manifest(latest(out))["model"]["kind"] == "rule"
    assert "rules, no model" in (latest(out) / "list.html").read_text()


def test_one_refused_target_does_not_stop_the_others(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, others = night.publish_target, []

    def tonight(given: Any, *rest: Any, **how: Any) -> Any:
        if given.target.name == "churn":
            return real(given, *rest, **how)
        others.append(given.target.name)
        return "LIST", {"list": str(latest(out))}

    if whole():
        assert run("train", *SMALL, f"out={out}", "target=tickets") == 0
    else:
        monkeypatch.setattr(night, "publish_target", tonight)
        monkeypatch.setattr(night, "tracked_champion", lambda _, target: "1" if target in ("churn", "tickets") else None)
    digest = shelf.shelf_champion(out / "models" / "churn")
    assert digest is not None
    (out / "models" / "churn" / digest[1] / "model.json").write_text("{}")
    before = latest(out).name
    assert run("score", f"out={out}", LATER) == 5
    assert "E502" in capsys.readouterr().err
    assert others == ["tickets"] or (out / "lists" / "tickets" / "latest" / "list.csv").is_file()
    assert latest(out).name == before
    told = status(out)
    assert told["outcome"] == "partly published"
    assert told["targets"]["churn"]["exit"] == 5


def test_a_disk_that_fills_after_the_first_list_leaves_its_record(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = night.publish_target

    def tonight(given: Any, *rest: Any, **how: Any) -> Any:
        if given.target.name != "churn":
            raise PrevenanceError("E801", "cannot write (No space left on device)", fix="free space")
        return real(given, *rest, **how)

    monkeypatch.setattr(night, "publish_target", tonight)
    monkeypatch.setattr(night, "tracked_champion", lambda *_: "1")
    assert run("score", f"out={out}", "target=all", LATER) == 8
    assert capsys.readouterr().err.count("ERROR E801") == 1
    told = status(out)
    assert (told["outcome"], list(told["targets"])) == ("partly published", ["churn", "tickets"])
    assert told["targets"]["churn"]["list"] == str(latest(out).resolve())
    assert '"score"' in (out / "audit.log").read_text().splitlines()[-1]


@pytest.mark.sweep
def test_fault_72_a_champion_of_another_horizon_is_refused_and_the_fix_works(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = published(out)
    assert run("score", f"out={out}", "target=churn", LATER, "target.horizon_days=30") == 5
    assert "E504 target=churn — the champion of churn learned the 90 days ahead" in capsys.readouterr().err
    assert published(out) == before
    assert run("score", f"out={out}", "target=churn", LATER, "target.horizon_days=90") == 0


def test_finished_files_that_differ_are_not_published(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prevenance.publish import workbook

    before, whole = published(out), workbook.workbook_bytes
    monkeypatch.setattr(workbook, "workbook_bytes", lambda view: whole(view | {"rows": view["rows"][:-1]}))
    assert run("score", f"out={out}", "target=churn", LATER) == 6
    assert "E603 first=list.xlsx" in capsys.readouterr().err
    assert published(out) == before
    assert not list((out / "lists" / "churn").glob(".tmp-*"))


@pytest.mark.parametrize(("value", "days"), [(3, 3.0), ("36h", 1.5), ("2 days", 2.0), ("1w", 7.0), ("90m", 0.0625), (None, None)])
def test_ages(value: object, days: float | None) -> None:
    assert parse_age(value, "key") == (None if days is None else timedelta(days=days))


@pytest.mark.parametrize("value", ["soon", 0, -1, "1y", ""])
def test_ages_that_are_none(value: object) -> None:
    with pytest.raises(PrevenanceError, match=r"E202 key=tables\.usage\.error_after"):
        parse_age(value, "tables.usage.error_after")


def test_freshness_is_judged_to_the_microsecond() -> None:
    counts = {"usage": Counts(newest_known_at="2026-10-01T00:00:00Z"), "tickets": Counts()}
    limits = {"usage": Limit(timedelta(days=1), timedelta(days=2)), "tickets": Limit(error_after=timedelta(days=1))}
    at = datetime(2026, 10, 3, tzinfo=UTC).replace(tzinfo=None)
    assert {one.name: one.outcome for one in freshness_gates(counts, at, limits)} == {"fresh.tickets": "fail", "fresh.usage": "warn"}
    late = freshness_gates(counts, at + timedelta(microseconds=1), limits)
    assert {one.name: one.outcome for one in late}["fresh.usage"] == "fail"
    with pytest.raises(PrevenanceError, match="E403 table=tickets"):
        enforce_gates(late)


def test_volume_is_judged_by_the_median_of_seven_lists() -> None:
    usual = [{"usage": 10}, *({"usage": rows} for rows in (100, 110, 90, 100, 5, 100, 120))]
    assert [one.outcome for one in volume_gates({"usage": 40}, usual, {})] == ["pass"]
    assert [one.outcome for one in volume_gates({"usage": 39}, usual, {})] == ["fail"]
    assert [one.outcome for one in volume_gates({"usage": 39}, usual, {}, accepted=True)] == ["warn"]
    assert [one.outcome for one in volume_gates({"usage": 0}, usual, {"usage": Limit(required=False)})] == ["warn"]
    assert volume_gates({"usage": 5, "new": 1}, [], {}) == [Gate("volume.new", "pass"), Gate("volume.usage", "pass")]


def test_features_of_a_late_table_are_unknown_not_zero() -> None:
    before = pd.read_parquet(latest(once.lived(once.RULED)) / "features.parquet")
    asked = [one for one in before if one.startswith("tickets_") and one.endswith("_90d")]
    assert asked
    assert before[asked].notna().any(axis=None)
    assert pd.read_parquet(latest(once.lived(WITHOUT)) / "features.parquet")[asked].isna().all(axis=None)


def test_a_history_that_outgrows_a_lookback_keeps_its_champion(out: Path) -> None:
    longer = [one for one in SMALL if not one.startswith("features.lookbacks")] + ["features.lookbacks=[28,300]", "target=churn"]
    assert run("train", *longer, f"out={out}", "as_of=2026-03-01") == 0
    held = shelf.shelf_champion(out / "models" / "churn")
    assert held is not None
    assert not [name for name in bundle.load(out / "models" / "churn" / held[1], held[1]).encoder.features if name.endswith("_300d")]
    assert run("score", f"out={out}", "target=churn", "as_of=2026-05-01") == 0


def test_a_late_feed_is_a_banner_on_page_index_and_digest_in_the_readers_language() -> None:
    out = once.lived(LATE)
    said = "rien de nouveau depuis 7 jours. La liste est faite avec ce que l’on savait avant."
    page = (latest(out) / "list.html").read_text()
    assert page.count(said) == 1
    assert '<p class="banner" role="note">' in page.partition(said)[0][-200:]
    assert said in (out / "index.html").read_text()
    assert said in (latest(out) / "digest.md").read_text()

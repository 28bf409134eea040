"""The report of support as a command: demo and helpdesk against plain loops and the truth, files, refusals, and no agent anywhere."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pandas as pd
import pytest
import support_twin as twin
from test_demo import taken
from test_support import compare

from pipelines.start.run import _guarded
from pipelines.support import body
from prevenance.base.working import TeamHours, WorkingHours
from prevenance.demo import simulated
from prevenance.demo.switches import Demo
from prevenance.history.history import cut_history, newest_known_at
from prevenance.support.facts import Facts, support_facts
from prevenance.support.parts import PARTS
from prevenance.support.records import Asked

pytestmark = pytest.mark.long

DATA = Path(__file__).parent.parent.parent / "data"
FILES = {
    "report.html",
    "kpis.csv",
    "map.csv",
    "variants.csv",
    "paths.parquet",
    "map.svg",
    "manifest.json",
    "findings.json",
    "suggestions.csv",
}


def facts_and_log(name: str, data: Path, zone: str) -> tuple[Facts, pd.DataFrame]:
    read = taken(name, data)
    cutoff = newest_known_at(read)
    history, _ = cut_history(read, cutoff)
    asked = Asked(cutoff, zone, TeamHours(WorkingHours(zone)))
    return support_facts(history, asked), history.con.execute("select * from canonical.tickets").df()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("support") / "demo"
    simulated.write_company(folder, Demo(customers=150, months=16, events=2_000))
    return folder


def test_the_demo_is_as_plain_loops_and_the_truth_say(demo: Path) -> None:
    facts, log = facts_and_log("demo", demo, "Europe/Paris")
    compare(facts, twin.tickets(log, facts.asked.cutoff))
    truth = pd.read_parquet(demo.with_name("demo-truth") / "truth_tickets.parquet").set_index("ticket_id")
    opened = set(log.loc[log["event"] == "opened", "ticket_id"])
    found = facts.paths[facts.paths["resolve_seconds"].notna()].set_index("ticket_id")
    told = truth[truth["starts_logged"] & truth.index.isin(opened) & truth.index.isin(found.index)]
    assert len(told) > 300
    names = [f"{part}{clock}" for part in PARTS if f"{part}_seconds" in told for clock in ("_seconds", "_working_seconds")]
    assert len(names) == 14
    pd.testing.assert_frame_equal(found.loc[told.index, names].astype("int64"), told[names].astype("int64"), check_names=False)


def test_helpdesk_is_as_plain_loops_say_and_says_what_it_cannot_tell(helpdesk_data: Path) -> None:
    facts, log = facts_and_log("helpdesk", helpdesk_data, "Europe/Rome")
    compare(facts, twin.tickets(log, facts.asked.cutoff))
    assert (facts.counts.tickets, facts.counts.unresolved, facts.cut) == (2495, 35, None)
    assert {"first_reply_median", "first_contact", "csat", "last_level"} <= set(facts.missing)
    assert "team" not in facts.groups
    assert facts.parts.set_index("part").loc["clarification", "tickets"] == 0


@pytest.fixture(scope="module")
def helpdesk_data() -> Path:
    import os

    folder = Path(os.environ.get("PREVENANCE_DATA", DATA)) / "helpdesk"
    if not folder.is_dir():
        pytest.skip("the export of the help desk is not on this machine")
    return folder


def run(*arguments: str) -> int:
    return _guarded("support", body, list(arguments))


def test_a_report_is_published_found_again_and_told(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ("source=demo", f"data={demo}", f"out={out}", "language=de")
    assert run(*arguments) == 0
    assert "SUPPORT" in capsys.readouterr().out
    folder = (out / "support" / "latest").resolve()
    assert {path.name for path in folder.iterdir()} == FILES
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert b'<html lang="de">' in before["report.html"]
    assert "Wohin die Tage gehen" in before["report.html"].decode()
    assert b"<script" not in before["report.html"]
    assert run(*arguments) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert 'href="support/latest/report.html"' in (out / "index.html").read_text(encoding="utf-8")
    assert json.loads((out / "status" / "support.json").read_text())["exit"] == 0
    earlier = str(pd.Timestamp(json.loads(before["manifest.json"])["cutoff"]).date() - pd.Timedelta(days=90))
    assert run(*arguments, f"as_of={earlier}") == 0
    assert (out / "support" / "latest").resolve() == folder  # never moves backwards
    assert len([path for path in (out / "support").iterdir() if path.name != "promises"]) == 3
    promised = json.loads((out / "support" / "promises" / f"{folder.name.rpartition('-')[0]}.json").read_text())["promises"]
    assert [(one["loss"], one["unit"]) for one in promised] == [("hand_off", "engineering")]  # the bottleneck of every demo
    found = json.loads(before["findings.json"])
    assert [(one["loss"], one["unit"]) for one in found["findings"]] == [("hand_off", "engineering")]
    assert found["measured"] == []
    # a quarter later the promise stands beside what came of it, and the report of then is another
    assert run(*arguments) == 0
    later = json.loads(((out / "support" / "latest").resolve() / "findings.json").read_text())
    assert [(one["promise"]["loss"], one["days"]) for one in later["measured"]] == [("hand_off", 90)]
    # a damaged file of promises is told, and stops nothing
    kept = out / "support" / "promises"
    (kept / "2020-01-01T000000Z.json").write_text('{"promises": [{"loss": "hand_off"}]}')
    (kept / "2020-02-01T000000Z.json").write_text('{"promises": 5}')
    (kept / "2020-03-01T000000Z.json").write_text("[")
    capsys.readouterr()
    assert run(*arguments) == 0
    assert capsys.readouterr().out.count("is damaged: what it promised is not measured") == 3
    from prevenance.track.tracking import open_store

    with open_store(out) as (_, client):
        number = client.get_experiment_by_name("support").experiment_id
        logged = client.search_runs([number])
    assert len(logged) == 3
    assert {"now/resolve_median", "baseline/touches", "month/csat"} <= set(logged[0].data.metrics)


def test_no_agent_of_the_source_stands_in_any_file(helpdesk_data: Path, tmp_path: Path) -> None:
    text = (helpdesk_data / "helpdesk.csv").read_text(encoding="utf-8").splitlines()
    place = text[0].split(",").index("Resource")
    rows = [text[0]]
    for line in text[1:]:
        cells = line.split(",")
        cells[place] = f"Agente{cells[place].replace(' ', '')}Zz"
        rows.append(",".join(cells))
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    (data / "helpdesk.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert run("source=helpdesk", f"data={data}", f"out={out}") == 0
    for path in (path for path in out.rglob("*") if path.is_file()):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
            assert not {"hand", "hands"} & set(frame.columns)
            content = frame.to_csv().encode()
        assert not re.search(rb"Agente\w+Zz", content), path


def test_what_cannot_be_looked_at_is_one_line(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = f"out={tmp_path / 'out'}"
    assert run("source=demo", f"data={demo}", out, "as_of=2010-01-01") == 3
    assert run("source=demo", f"data={demo}", out, "support.kpi_targets={resolve_mediam: 4}") == 2
    assert run("source=demo", f"data={demo}", out, "support.now_days=0") == 2
    assert run("source=demo", f"data={demo}", out, "support.baseline=[2026-03-31,2026-01-01]") == 2
    assert run("source=demo", f"data={demo}", out, "support.keep={asked for approval: law}") == 2
    assert run("source=demo", f"data={demo}", out, "support.effort={handoff: now}") == 2
    assert run("source=demo", f"data={demo}", out, "support.keep={first repli: compliance}") == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line[:10] for line in lines] == [
        "ERROR E305",
        *["ERROR E201", "ERROR E202", "ERROR E202"],
        *["ERROR E202", *["ERROR E201"] * 2],
    ]
    assert lines[6].startswith('ERROR E201 table=tickets key=support.keep — no step of the log is called "first repli"')
    assert lines[6].endswith('FIX: did you mean "first reply"?')
    assert "keep: {asked for approval: compliance}" in lines[4]
    assert 'did you mean "hand_off"?' in lines[5]
    assert 'did you mean "resolve_median"?' in lines[1]
    assert "support.baseline=[2026-01-01,2026-03-31]" in lines[3]


def test_a_source_without_tickets_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from company import Company

    company = Company(tmp_path, capsys)
    del company.selects["tickets"]
    del company.files["tickets.csv"]
    company.settings |= {"files": {"accounts": "accounts.csv"}, "targets": {}}
    inbox = company.write()
    assert (
        _guarded("support", body, ["source=mine", f"data={inbox}", f"out={tmp_path / 'out'}", "--config-dir", str(tmp_path / "conf")]) == 4
    )
    assert "ERROR E401 table=tickets" in capsys.readouterr().err

"""After ``make erase`` nothing below ``out`` names the customer, nobody else lost a row, and later runs leave them out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import sqlite3
import zipfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import once
import pandas as pd
import pytest
from amount import whole

from pipelines import erase, explain, export, feedback, replay, score, train
from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance.base import lock
from prevenance.base.errors import PrevenanceError
from prevenance.consent import erased
from prevenance.privacy import trail
from prevenance.privacy.removal import Person, without_person
from prevenance.runs.demo import ensure_demo
from prevenance.runs.steps import Steps

pytestmark = pytest.mark.long

TINY = ["demo.customers=60", "demo.months=12", "model=rule", "target=churn", *once.CHEAP]
TINY += ["features.sets=[tickets,contacts]", "features.lookbacks=[28,90]"]
NAME, MAIL, SECRET, NOTE = "Zebulon Quagga GmbH", "z.q@quagga.example", "kanarie-7QxZ", "asked for Xylander by the lake"
BODIES = {"train": train.body, "score": score.body, "explain": explain.body, "feedback": feedback.body, "erase": erase.body}
BODIES |= {"replay": replay.body, "export": export.body}


def run(name: str, *arguments: str) -> int:
    return _guarded(name, BODIES[name], list(arguments))


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def victim_of(out: Path) -> str:
    folder = (out / "lists" / "churn" / "latest").resolve()
    return next(row["customer_id"] for row in json.loads((folder / "list.json").read_text(encoding="utf-8")) if row["name"] == NAME)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder that has trained, scored, explained, replayed, taken an answer and exported; its files know a name, a mail and notes."""
    out = tmp_path_factory.mktemp("grown") / "out"
    given = settings_of("train", [f"out={out}", *TINY])
    ensure_demo(given, out / "demo", Steps(out))
    accounts = out / "demo" / "crm_accounts.csv"
    refused = {row["account_id"] for row in table(out / "demo" / "consents.csv") if row["allowed"] != "yes"}
    contracts = table(out / "demo" / "subscriptions.csv")
    running = {row["account_id"] for row in contracts if row["plan"] and not row["notice_on"] and not row["ended_on"]}
    rows = [row for row in table(accounts) if row["account_id"] in running - refused]
    lately = {row["account_id"] for row in table(out / "demo" / "contacts.csv") if row["contacted_at"] >= "2026-08"}
    victim, neighbour = [row["account_id"] for row in rows if row["account_id"] not in lately][:2]
    for path in (out / "demo").glob("*.csv*"):
        zipped = path.suffix == ".gz"
        text = (gzip.decompress(path.read_bytes()) if zipped else path.read_bytes()).decode().replace(f'"{neighbour}"', f'"{victim}9"')
        path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    text = accounts.read_text(encoding="utf-8")
    old = next(row["name"] for row in rows if row["account_id"] == victim)
    accounts.write_text(text.replace(f'"{victim}","{old}"', f'"{victim}","{NAME}"'), encoding="utf-8")
    with (out / "demo" / "feedback.csv").open("a", encoding="utf-8") as answers:
        answers.write(f'"F999999","{victim}","nps",3,"2026-01-01 10:00:00","write to {MAIL}, {NOTE}"\n')
    os.environ["CANARY_PASSWORD"] = SECRET
    assert run("train", f"out={out}", *TINY) == 0
    assert run("score", f"out={out}", "target=churn") == 0
    folder = (out / "lists" / "churn" / "latest").resolve()
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    line = f"churn,{victim},,{told['run_id']},{told['cutoff']},contacted,2026-11-01T10:00:00Z,,call,reached,{NOTE},me"
    (out.parent / "answers.csv").write_text(
        "target,customer_id,product_id,run_id,cutoff,action,at,until,channel,outcome,reason,by\n" + line + "\n", encoding="utf-8"
    )
    assert run("feedback", f"out={out}", f"file={out.parent / 'answers.csv'}") == 0
    assert run("export", f"out={out}", "target=churn", "reviewed_only=true") == 0
    assert run("explain", f"out={out}", f"customer={victim}", "target=churn") == 0
    if whole():  # ``lived`` has a replay in every run
        assert run("replay", f"out={out}", "target=churn", "as_of=2026-07-01") == 0
    return out


@pytest.fixture(scope="module")
def lived(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and the customer stands where no run of ours puts them: in the model store, an old replay, a status file."""
    out = tmp_path_factory.mktemp("lived") / "out"
    shutil.copytree(grown, out, symlinks=True)
    victim, folder = victim_of(out), (out / "lists" / "churn" / "latest").resolve()
    (out / "replay" / "churn" / "2026-01-01").mkdir(parents=True)
    for name in ("list.csv", "list.json"):
        shutil.copy(folder / name, out / "replay" / "churn" / "2026-01-01" / name)
    with closing(sqlite3.connect(out / "mlflow.db", isolation_level=None)) as store:
        number = store.execute("select run_uuid from runs limit 1").fetchone()[0]
        store.execute("insert into tags (key, value, run_uuid) values ('about', ?, ?)", (f"asked by {NAME}, {victim}", number))
        store.execute("insert into tags (key, value, run_uuid) values ('gone', ?, ?)", (f"note {NAME} {MAIL}" * 40, number))
        store.execute("delete from tags where key = 'gone'")
    (out / "status.json").write_text(json.dumps({"error": f"customer={victim}"}), encoding="utf-8")
    return out


@pytest.fixture
def out(lived: Path, tmp_path: Path) -> Path:
    shutil.copytree(lived, tmp_path / "out", symlinks=True)
    return tmp_path / "out"


def told(path: Path) -> bytes:
    """The raw bytes of a file, and what is packed in it."""
    raw = path.read_bytes()
    if path.suffix == ".gz":
        return raw + gzip.decompress(raw)
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            return raw + b"".join(book.read(name) for name in book.namelist())
    return raw + pd.read_parquet(path).to_csv(index=False).encode() if path.suffix == ".parquet" else raw


def naming(out: Path, text: str, *, quoted: bool = False) -> list[str]:
    words = [f'"{text}"'.encode(), f">{text}<".encode(), f",{text},".encode()] if quoted else [text.encode()]
    return [
        path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if path.is_file() and any(word in told(path) for word in words)
    ]


def test_fault_79_nothing_names_an_erased_customer_raw_bytes_of_databases_included(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    victim = victim_of(out)
    before = {text: naming(out, text) for text in (NAME, MAIL, victim)}
    for kind in ("list.csv", "list.xlsx", "list.html", "list.json", "crm_accounts.csv", "mlflow.db"):
        assert any(name.endswith(kind) for name in before[NAME]), f"the test would not see a name in {kind}"
    assert any(name.startswith("explain/") for name in before[NAME])
    assert before[MAIL]
    assert {"feedback/churn.csv", "train/churn/features.parquet", "status.json"} <= set(before[victim])
    capsys.readouterr()
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    said = capsys.readouterr().out
    assert naming(out, NAME) == []
    assert naming(out, MAIL) == []
    neighbour = f"{victim}9"
    for path in sorted(out.rglob("*")):
        if path.is_file():
            rest = told(path).replace(neighbour.encode(), b"")
            assert f'"{victim}"'.encode() not in rest, path
            assert f",{victim},".encode() not in rest, path
            assert f'"{victim}-u'.encode() not in rest, path
            assert f">{victim}<".encode() not in rest, path
    assert victim not in said
    assert NAME not in said
    assert "ERASED    certificate 1" in said
    assert "NEXT      make train   # churn" in said
    told_ = json.loads((out / "erasures" / "1.json").read_text(encoding="utf-8"))
    assert told_["left"] == []
    assert {"lists/churn", "train", "feedback", "explain", "demo", "replay", "mlflow.db"} <= set(told_["erased"])


def test_canaries_stand_only_where_people_need_them_and_after_an_erasure_nowhere(grown: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(grown, out, symlinks=True)
    victim = victim_of(out)
    found = {text: {name for name in naming(out, text) if not name.startswith("demo/")} for text in (NAME, MAIL, NOTE, SECRET, victim)}
    people = re.compile(r"index\.html|lists/(?:churn|week)/[^/]+/(list\.\w+|digest\.md|view\.json)|replay/.*|explain/.*")
    assert {name for name in found[NAME] if not people.fullmatch(name)} == set()
    assert any(name.startswith("explain/") for name in found[NAME])
    assert {name.rpartition("/")[2] for name in found[NAME]} >= {"list.csv", "list.json", "list.xlsx", "list.html"}
    assert found[MAIL] == set(), "what a customer wrote is read for no purpose of ours"
    assert found[NOTE] == {"feedback/churn.csv"}, "a note stays with its answer"
    assert found[SECRET] == set()
    assert not [name for name in found[victim] if name in ("audit.log", "steps.log", "mlflow.db", "run.json", "status.json")]
    assert not [name for name in found[victim] if name.startswith(("mlruns/", "models/", "spool/")) and found[victim]]
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    assert [name for text in (NAME, MAIL, NOTE, SECRET) for name in naming(out, text)] == []
    assert not [
        path for path in out.rglob("*") if path.is_file() and f'"{victim}"'.encode() in told(path).replace(f"{victim}9".encode(), b"")
    ]


def test_an_erasure_waits_for_nobody_and_is_not_lost_to_a_run_at_work(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    victim = victim_of(out)
    before = naming(out, NAME)
    for name in ("lists", "train", "feedback", "replay", "explain", "export"):
        with lock.hold_lock(out, name):
            capsys.readouterr()
            assert run("erase", f"out={out}", f"customer={victim}") == 7
            assert f"holds the lock {name}" in capsys.readouterr().err
    assert naming(out, NAME) == before
    assert not (out / erased.LIST_FILE).exists(), "nothing was begun"
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    assert naming(out, NAME) == []


def test_nobody_else_loses_a_row_not_even_one_whose_id_begins_alike(out: Path, lived: Path) -> None:
    victim = victim_of(out)
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    new, old = ((root / "lists" / "churn" / "latest").resolve() for root in (out, lived))
    rows = [json.loads((folder / "list.json").read_text(encoding="utf-8")) for folder in (new, old)]
    assert rows[0] == [row for row in rows[1] if row["customer_id"] != victim]
    assert f"{victim}9" in {row["customer_id"] for row in rows[0]}
    for name in ("list.csv", "arms.csv"):
        kept = [line for line in (old / name).read_bytes().splitlines(keepends=True) if victim.encode() + b"," not in line]
        assert (new / name).read_bytes() == b"".join(kept)
    for path in ("train/churn/features.parquet", f"lists/churn/{new.name}/features.parquet"):
        was, now = (pd.read_parquet(root / path) for root in (lived, out))
        pd.testing.assert_frame_equal(now, was[was["customer_id"] != victim].reset_index(drop=True))
    page, before = ((folder / "list.html").read_text(encoding="utf-8") for folder in (new, old))
    assert page.count("<tbody") == before.count("<tbody") - 1
    from openpyxl import load_workbook

    sheets = [load_workbook(folder / "list.xlsx").worksheets[0] for folder in (new, old)]
    assert sheets[0].max_row == sheets[1].max_row - 1
    accounts = [table(root / "demo" / "crm_accounts.csv") for root in (out, lived)]
    assert len(accounts[0]) == len(accounts[1]) - 1


def test_a_published_folder_is_whole_again_and_says_so(out: Path) -> None:
    victim = victim_of(out)
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    folder = (out / "lists" / "churn" / "latest").resolve()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    held = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}
    assert manifest["files"] == {name: digest for name, digest in held.items() if name != "manifest.json"}
    assert manifest["erased"] == 1
    counts = manifest["counts"]
    assert counts["excluded"]["erased"] == 1
    assert counts["customers_read"] == counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.rglob("*") if path.is_file())
    assert not list(out.rglob(".tmp-*"))
    again = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == again, "erasing again changes nothing"


def test_fault_79_an_erased_customer_stays_out_even_if_the_source_still_has_them(out: Path, lived: Path) -> None:
    victim = victim_of(out)
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    shutil.rmtree(out / "demo")
    shutil.copytree(lived / "demo", out / "demo")
    assert run("score", f"out={out}", "target=churn") == 0
    folder = (out / "lists" / "churn" / "latest").resolve()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert "erased" not in manifest, "a new list, not the rewritten one"
    counts = manifest["counts"]
    assert counts["excluded"]["erased"] == 1
    assert counts["customers_read"] == counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values())
    assert manifest["gates"]["conservation"] == "pass"
    assert manifest["tables"]["usage"]["excluded"]["erased"] > 0
    rows = json.loads((folder / "list.json").read_text(encoding="utf-8"))
    assert victim not in {row["customer_id"] for row in rows}
    shutil.rmtree(out / "demo")
    assert naming(out, NAME) == []
    (out / "erased.key").unlink()
    assert run("score", f"out={out}", "target=churn") == 9, "without the key nobody can tell who was erased, so nobody is scored"


def test_the_list_of_the_erased_holds_no_id_and_needs_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(erased.KEY_VARIABLE, raising=False)
    assert erased.load_erased(tmp_path).among(["a"]) == set()
    erased.add_erased(tmp_path, "customer-1")
    held = erased.add_erased(tmp_path, "b")
    assert held.among(["customer-1", "customer-10", "b", "c"]) == {"customer-1", "b"}
    assert b"customer" not in (tmp_path / erased.LIST_FILE).read_bytes()
    assert (tmp_path / erased.KEY_FILE).stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv(erased.KEY_VARIABLE, "another key")
    with pytest.raises(PrevenanceError, match="E904.*another key"):
        erased.load_erased(tmp_path)
    monkeypatch.delenv(erased.KEY_VARIABLE)
    (tmp_path / erased.LIST_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(PrevenanceError, match="E904.*cannot be read"):
        erased.load_erased(tmp_path)


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["customer="], 2), (["customer=x", "out=/nowhere/at/all"], 4)])
def test_erase_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int) -> None:
    assert run("erase", *([] if "out=/" in " ".join(arguments) else [f"out={tmp_path}"]), *arguments) == status
    assert "FIX: " in capsys.readouterr().err


def test_rows_go_by_their_field_and_never_by_a_part_of_a_text() -> None:
    text = b"customer_id,parent_id,note\r\n7,,x\r\n77,7,7 tickets\r\n'=7,7,y\r\n"
    assert without_person("a.csv", text, Person("7")) == (b"customer_id,parent_id,note\r\n77,,7 tickets\r\n'=7,,y\r\n", 1)
    assert without_person("a.csv", text, Person("=7"))[1] == 1, "an id that was made safe for a spreadsheet is found"
    named = Person("C-1", frozenset({"Acme & Co"}))
    assert without_person("a.html", b"<p>Acme &amp; Co, C-1, C-10, C-1-2, AC-1</p>", named)[0] == "<p>…, …, C-10, C-1-2, AC-1</p>".encode()
    assert without_person("a.json", b'{"rows": [{"customer_id": "C-1"}, {"customer_id": "C-10"}], "C-1": 1}', named)[1] == 1


def test_the_audit_log_tells_who_did_what_and_no_id(out: Path) -> None:
    victim = victim_of(out)
    assert run("erase", f"out={out}", f"customer={victim}") == 0
    lines = trail.verified_lines(out)
    assert [line["what"] for line in lines] == ["train", "score", "score", "feedback", "export", "explain", "erase"]
    folder = (out / "lists" / "churn" / "latest").resolve()
    assert lines[1]["run_id"] == json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["run_id"]
    assert all({"at", "who", "previous", "digest"} <= set(line) for line in lines)
    assert victim not in (out / trail.LOG).read_text(encoding="utf-8")
    assert (out / trail.LOG).stat().st_mode & 0o777 == 0o600


def test_fault_77_a_secret_of_the_environment_is_in_no_file(lived: Path) -> None:
    assert os.environ["CANARY_PASSWORD"] == SECRET
    assert naming(lived, SECRET) == []


def test_an_id_that_nothing_names_is_asked_for_again_unless_it_is_meant(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for typo in ("nosuch", "4711471", "' or 1=1"):
        assert _guarded("erase", erase.body, [f"out={out}", f"customer={typo}"]) == 2
        said = capsys.readouterr().err
        assert "E202 key=customer — nothing below" in said
        assert typo not in said
    assert not (out / "erasures").exists()
    assert _guarded("erase", erase.body, [f"out={out}", "customer=nosuch", "force=true"]) == 0
    assert _guarded("erase", erase.body, [f"out={out}", "customer=nosuch"]) == 0, "who was erased may be erased again"

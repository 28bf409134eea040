"""What others get to see: pseudonyms where nobody has to call, exports only of what a person has decided on."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import once
import pandas as pd
import pytest
from amount import amount, whole

from pipelines import erase, explain, export, feedback, score, train
from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance.base import keys
from prevenance.base.errors import PrevenanceError
from prevenance.consent import pseudonyms
from prevenance.consent.pseudonyms import Pseudonyms
from prevenance.decide import overrides
from prevenance.decide.feedback import Answer, load_answers
from prevenance.privacy import trail
from prevenance.runs.demo import ensure_demo
from prevenance.runs.steps import Steps

pytestmark = pytest.mark.long

TINY = [
    "demo.customers=60",
    "demo.months=12",
    "model=rule",
    "target=churn",
    "features.sets=[tickets,contacts]",
    "features.lookbacks=[28,90]",
    *once.CHEAP,
]
BODIES = {
    "train": train.body,
    "score": score.body,
    "explain": explain.body,
    "feedback": feedback.body,
    "erase": erase.body,
    "export": export.body,
}
KEY = "a key that is kept elsewhere"
OURS = Pseudonyms(KEY.encode())


def run(name: str, *arguments: str) -> int:
    return _guarded(name, BODIES[name], list(arguments))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder whose tables hold pseudonyms; one row of the customers' file and one of contacts is set apart."""
    out = tmp_path_factory.mktemp("made") / "out"
    given = settings_of("train", [f"out={out}", *TINY])
    ensure_demo(given, out / "demo", Steps(out))
    contacts = out / "demo" / "contacts.csv"
    rows = contacts.read_text(encoding="utf-8").splitlines()
    contacts.write_text("\n".join([*rows, rows[-1].replace(rows[-1].split(",")[2], '"31/31/2026"')]) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(pseudonyms.KEY_VARIABLE, KEY)
        on = ["privacy.pseudonyms=true", "tables.contacts.on_bad_row=quarantine"]
        assert run("train", f"out={out}", *TINY, *on) == 0
        assert run("score", f"out={out}", "target=churn") == 0
    return out


@pytest.fixture
def out(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "out", symlinks=True)
    monkeypatch.setenv(pseudonyms.KEY_VARIABLE, KEY)
    return tmp_path / "out"


def newest(out: Path) -> Path:
    return (out / "lists" / "churn" / "latest").resolve()


def listed(out: Path) -> list[dict[str, object]]:
    return list(json.loads((newest(out) / "list.json").read_text(encoding="utf-8")))


def ranked(out: Path) -> list[dict[str, object]]:
    return [row for row in listed(out) if row["rank"] is not None]


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


def exported(out: Path) -> list[dict[str, str]]:
    return table(next((out / "export").glob("churn-*.csv")))


def answered(out: Path, *rows: tuple[object, str, str], by: str = "me") -> int:
    told = json.loads((newest(out) / "manifest.json").read_text(encoding="utf-8"))
    head = "target,customer_id,product_id,run_id,cutoff,action,at,until,channel,outcome,reason,by\n"
    lines = [
        f"churn,{customer},,{told['run_id']},{told['cutoff']},{action},{at},{'2027-01-01' if action == 'snooze' else ''},,,=a reason,{by}\n"
        for customer, action, at in rows
    ]
    (out.parent / "answers.csv").write_text(head + "".join(lines), encoding="utf-8")
    return run("feedback", f"out={out}", f"file={out.parent / 'answers.csv'}")


def test_the_same_customer_has_the_same_pseudonym_under_the_same_key_only() -> None:
    other = Pseudonyms(b"another key")
    assert OURS.of("00123") == Pseudonyms(KEY.encode()).of("00123") != OURS.of("123")
    assert OURS.of("00123") != other.of("00123")
    frame = pd.DataFrame({"customer_id": ["b", "a", "客"], "parent_id": ["a", None, "b"], "x": [1.0, 2.0, 3.0]})
    hidden = OURS.hidden(frame)
    assert set(hidden["customer_id"]) == {OURS.of(one) for one in ("a", "b", "客")}
    assert hidden["customer_id"].is_monotonic_increasing, "the order of rows tells nothing of the ids"
    assert hidden["parent_id"].isna().sum() == 1
    back = OURS.shown(hidden, ["a", "b", "客", "d"])
    assert back["customer_id"].tolist() == ["a", "b", "客"]
    assert back["x"].tolist() == [2.0, 1.0, 3.0]
    assert OURS.shown(hidden, ["a"])["customer_id"].str.startswith("p-").sum() == 2


def test_tables_hold_pseudonyms_and_lists_hold_ids(out: Path) -> None:
    ids = {str(row["customer_id"]) for row in listed(out)}
    folder = newest(out)
    for path in (out / "train" / "churn" / "features.parquet", folder / "features.parquet"):
        found = set(pd.read_parquet(path)["customer_id"])
        assert ({OURS.of(one) for one in ids} <= found) if path.parent == folder else ({OURS.of(one) for one in ids} & found)
        assert all(one.startswith("p-") for one in found)
    for path in (folder / "arms.csv", folder / "quarantine" / "contacts.csv"):
        rows = table(path)
        assert rows
        assert all(row["customer_id"].startswith("p-") for row in rows if row["customer_id"])
    for name in ("list.csv", "list.json", "list.html"):
        assert str(ranked(out)[0]["customer_id"]) in (folder / name).read_text(encoding="utf-8")
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert told["privacy"]["key_id"] == OURS.key_id == keys.key_id(KEY.encode())
    assert "key_file" not in told["privacy"]
    assert not [path for path in out.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_who_has_the_key_explains_and_scores_and_nobody_else(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = ranked(out)[0]["customer_id"]
    assert run("explain", f"out={out}", f"customer={customer}", "target=churn") == 0
    told = json.loads(next((out / "explain").rglob("*.json")).read_text(encoding="utf-8"))
    assert told["row"]["customer_id"] == customer
    assert told["score"] == told["row"]["score"]
    before = newest(out)
    for key in ("another key", "")[: amount(1, 2)]:
        monkeypatch.setenv(pseudonyms.KEY_VARIABLE, key)
        capsys.readouterr()
        assert run("explain", f"out={out}", f"customer={customer}", "target=churn") == 9
        assert "E905" in capsys.readouterr().err
    monkeypatch.delenv(pseudonyms.KEY_VARIABLE)
    assert run("score", f"out={out}", "target=churn") == 9
    assert "FIX: set PREVENANCE_PSEUDONYM_KEY" in capsys.readouterr().err
    file = out.parent / "key"
    file.write_text(KEY, encoding="utf-8")
    file.chmod(0o640)
    with pytest.raises(PrevenanceError, match=r"E905.*open to others \(mode 0640\)"):
        pseudonyms.wanted_pseudonyms(True, str(file))
    file.chmod(0o600)
    if not whole():
        assert run("explain", f"out={out}", f"customer={customer}", "target=churn", f"privacy.key_file={file}") == 0
        return
    assert run("score", f"out={out}", "target=churn", f"privacy.key_file={file}") == 0
    assert newest(out) == before


def test_fault_79_an_erasure_finds_pseudonyms_and_says_so_without_the_key(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = str(ranked(out)[0]["customer_id"])
    hidden = OURS.of(customer)
    tables = [out / "train" / "churn" / "features.parquet", newest(out) / "features.parquet"]
    assert all(hidden in set(pd.read_parquet(path)["customer_id"]) for path in tables)
    monkeypatch.delenv(pseudonyms.KEY_VARIABLE)
    assert run("erase", f"out={out}", f"customer={customer}") == 9
    assert f"E904 — rows may be left under pseudonyms of the key {OURS.key_id}" in capsys.readouterr().err
    assert all(hidden in set(pd.read_parquet(path)["customer_id"]) for path in tables)
    monkeypatch.setenv(pseudonyms.KEY_VARIABLE, KEY)
    assert run("erase", f"out={out}", f"customer={customer}") == 0
    assert not any(hidden in set(pd.read_parquet(path)["customer_id"]) for path in tables)
    assert hidden.encode() not in b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file() and path.suffix != ".parquet")


def test_no_row_leaves_before_a_person_has_decided(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ranked(out)
    assert run("export", f"out={out}", "target=churn") == 9
    told = capsys.readouterr().err
    assert f"E906 target=churn — {len(rows)} of {len(rows)} rows have no decision by a person" in told
    assert "reviewed_only=true" in told
    assert not (out / "export").exists()
    ids = [row["customer_id"] for row in rows]
    at = ["2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"]
    assert (
        answered(out, (ids[0], "approved", at[0]), (ids[1], "contacted", at[0]), (ids[1], "wrong_alarm", at[1]), (ids[2], "snooze", at[0]))
        == 0
    )
    printed = capsys.readouterr().out
    assert "DECIDED   churn: 2 of 3 (67%) against the proposal" in printed
    assert "a reason" not in printed
    assert run("export", f"out={out}", "target=churn") == 9
    assert f"{len(rows) - 3} of {len(rows)} rows" in capsys.readouterr().err
    assert run("export", f"out={out}", "target=churn", "reviewed_only=true") == 0
    found = exported(out)
    assert [(row["customer_id"], row["decision"], row["decided_by"], bool(row["action"])) for row in found] == [
        (ids[0], "approved", "me", True),
        (ids[1], "wrong_alarm", "me", False),
        (ids[2], "snooze", "me", False),
    ], "a row that was decided against has no action"
    assert found[0]["action"] == rows[0]["action"]
    assert run("export", f"out={out}", "target=churn", "privacy.review=optional") == 0
    assert len(exported(out)) == len(rows)
    lines = [one for one in trail.verified_lines(out) if one["what"] == "export"]
    assert [(one["rows"], one["decided"], one["review"]) for one in lines] == [(3, 3, "required"), (len(rows), 3, "optional")]
    assert run("export", f"out={out}", "target=churn", "privacy.review=sometimes") == 2
    assert run("export", f"out={out}", "target=churn", "reviewed_only=true", "pseudonymous=true") == 0
    assert [row["customer_id"] for row in exported(out)] == [OURS.of(str(one)) for one in ids[:3]]
    assert run("erase", f"out={out}", f"customer={ids[0]}") == 0
    assert len(exported(out)) == 2, "an export is erased from too"


def test_whoever_takes_a_file_that_names_nobody_is_told_by_a_hash_and_the_file_counts_once(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(ranked(out)[0]["customer_id"], "approved", "2026-11-01T10:00:00Z")]
    assert answered(out, *rows, by="") == 0
    monkeypatch.setattr(trail, "user_hash", lambda: "somebody else")
    assert answered(out, *rows, by="") == 0
    found = load_answers(out, "churn")
    assert len(found) == 1
    assert found[0].by.startswith("user ")
    assert found[0].reason == "=a reason"


def test_the_newest_decision_on_a_row_counts_and_few_decisions_tell_nothing_of_an_owner() -> None:
    usual = {"target": "churn", "product_id": "", "run_id": "a" * 12, "cutoff": "2026-10-01T00:00:00Z", "until": "", "channel": ""}
    usual |= {"outcome": "", "reason": "", "by": "x"}

    def answer(customer: str, action: str, day: int = 1) -> Answer:
        return Answer(**usual, customer_id=customer, action=action, at=f"2026-10-0{day}T00:00:00Z")

    found = [answer(f"c{number}", "contacted") for number in range(5)] + [answer("c0", "too_late", 2), answer("d", "snooze")]
    assert overrides.override_rate(found) == overrides.Rate(2, 6)
    assert overrides.override_rate([]) == overrides.Rate(0, 0)
    owners = {("a" * 12, f"c{number}", ""): "Ada" for number in range(5)} | {("a" * 12, "d", ""): "Bo"}
    assert overrides.override_rates_by_owner(found, owners) == {"Ada": overrides.Rate(1, 5)}


def test_what_is_past_its_retention_goes_at_the_end_of_a_night_and_is_told(out: Path) -> None:
    old, kept = (out / "lists" / "churn" / f"{year}-01-01T000000Z-0123456789ab" for year in (2020, 2026))
    for folder in (old, kept):
        folder.mkdir()
    (out / "explain" / "churn" / "2026-01-01T000000Z").mkdir(parents=True)
    more = ["privacy.retention.tables.contacts=90"]
    assert run("score", f"out={out}", "target=churn", *more) == 0
    assert not old.exists()
    assert kept.exists()
    told = json.loads((out / "status.json").read_text(encoding="utf-8"))
    assert "past their retention and removed: 1 of explain, 1 of lists" in told["messages"]
    lines = [one for one in trail.verified_lines(out) if one["what"] == "prune"]
    assert [(one["lists"], one["explain"]) for one in lines] == [(1, 1)]
    manifest = json.loads((newest(out) / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["tables"]["contacts"]["excluded"]["past_retention"] > 0
    assert manifest["gates"]["conservation"] == "pass"
    assert manifest["privacy"]["retention"]["tables"]["contacts"] == 90

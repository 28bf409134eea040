"""``make record``: what changed since last night becomes history; a night knows what was recorded by then, and nothing later."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from company import ACCOUNTS, Company

from pipelines import erase, record, replay, score, train
from pipelines.start import stops
from pipelines.start.run import _guarded
from prevenance.base import disk, lock
from prevenance.consent import erased
from prevenance.demo.simulated import write_company
from prevenance.demo.switches import demo_of
from prevenance.runs.commands import PRIVATE

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
BODIES = {"record": record.body, "train": train.body, "score": score.body, "replay": replay.body, "erase": erase.body}
RECORDED = "select account as customer_id, recorded_at as event_at, recorded_at as known_at, name, segment, _file, _line from accounts_recorded where recorded_gone = 'false'"


@dataclass
class Night:
    """What one run gave: exit status, what it printed, its error line, and the segments by their name."""

    status: int
    out: str
    line: str
    segments: dict[str, list[dict[str, str]]] = field(default_factory=dict)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    company = Company(tmp_path, capsys)
    company.settings["record"] = {"accounts": ["account"]}
    return company


def run(company: Company, name: str, *overrides: str) -> Night:
    inbox, out = company.write(), company.root / "out"
    stops._told.clear()  # a process of its own says it once
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PRIVATE, str(company.root / "conf"))
        status = _guarded(name, BODIES[name], [*(["source=mine", f"data={inbox}"] if name == "record" else []), f"out={out}", *overrides])
    said = company.capture.readouterr()
    assert said.err.count("\n") == (1 if status else 0), said.err
    found = {path.stem: rows(path) for path in sorted((out / "record").glob("*/*.csv"))}
    return Night(status, said.out, said.err, found)


def night(company: Company, day: str, text: str | None = None) -> Night:
    if text is not None:
        company.files["accounts.csv"] = text
    return run(company, "record", f"as_of={day}")


def test_a_night_keeps_new_and_changed_rows_and_who_is_gone(company: Company) -> None:
    first = night(company, "2024-05-01", ACCOUNTS)
    assert (first.status, first.line) == (0, "")
    assert "RECORD    2024-05-01T000000Z" in first.out
    assert "accounts: 2 new, 0 changed, 0 gone" in first.out
    assert [list(row.values()) for row in first.segments["2024-05-01T000000Z"]] == [
        ["a", "2024-05-01T00:00:00Z", "false", "2024-01-01", "Ada", "small"],
        ["b", "2024-05-01T00:00:00Z", "false", "2024-01-02", "Bo", "large"],
    ]
    again = night(company, "2024-05-02")
    assert "nothing changed, 2 rows known" in again.out
    assert list(again.segments) == ["2024-05-01T000000Z"]
    changed = night(company, "2024-05-03", 'account,since,name,segment\nc,2024-05-02,"Cy, ""the"" third\nline",\na,2024-01-01,Ada,large\n')
    assert "accounts: 1 new, 1 changed, 1 gone" in changed.out
    assert [list(row.values()) for row in changed.segments["2024-05-03T000000Z"]] == [
        ["a", "2024-05-03T00:00:00Z", "false", "2024-01-01", "Ada", "large"],
        ["b", "2024-05-03T00:00:00Z", "true", "", "", ""],
        ["c", "2024-05-03T00:00:00Z", "false", "2024-05-02", 'Cy, "the" third\nline', ""],
    ]
    assert "nothing changed, 2 rows known" in night(company, "2024-05-04").out
    back = night(company, "2024-05-05", company.files["accounts.csv"] + "b,2024-01-02,Bo,large\n")
    assert "accounts: 1 new, 0 changed, 0 gone" in back.out
    path = company.root / "out" / "record" / "accounts" / "2024-05-05T000000Z.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    told = json.loads((company.root / "out" / "status" / "record.json").read_text())
    assert told["record"] == {"accounts": {"new": 1, "changed": 0, "gone": 0}}
    assert first.segments["2024-05-01T000000Z"] == back.segments["2024-05-01T000000Z"]


def test_the_record_at_any_night_is_the_table_as_it_was(company: Company) -> None:
    nights = {
        "2024-05-01": "account,since,segment\na,1,x\nb,2,\n",
        "2024-05-02": "account,since,segment\nb,2,y\na,1,x\n",
        "2024-05-03": "account,since,Segment,plan\nb,2,y,\na,1,x,gold\n",
        "2024-05-04": "account,plan\nb,silver\n",
        "2024-05-05": "account,plan,since\nb,silver,2\na,gold,9\n",
    }
    for day, text in nights.items():
        assert night(company, day, text).status == 0
    told = night(company, "2024-05-06").segments
    for day, text in nights.items():
        state: dict[str, dict[str, str]] = {}
        for name, changes in told.items():
            for row in changes if name <= f"{day}T000000Z" else ():
                state[row["account"]] = {key.lower(): value for key, value in row.items() if value and key != "recorded_at"}
        known = {key: row for key, row in state.items() if row.pop("recorded_gone") == "false"}
        was = {row["account"]: {key.lower(): value for key, value in row.items() if value} for row in csv.DictReader(io.StringIO(text))}
        assert known == was, day


def test_columns_that_come_and_go_are_told(company: Company) -> None:
    night(company, "2024-05-01", ACCOUNTS)
    out = night(company, "2024-05-02", "account,since,name,plan\na,2024-01-01,Ada,\nb,2024-01-02,Bo,gold\n").out
    assert "accounts: column plan is new" in out
    assert "accounts: column segment is gone" in out
    assert "2 changed" in out


def test_what_is_recorded_is_settled(company: Company) -> None:
    night(company, "2024-05-02", ACCOUNTS)
    late = night(company, "2024-05-01")
    assert late.status == 2
    assert "ERROR E208" in late.line
    assert "not after the last record of 2024-05-02T000000Z" in late.line
    assert night(company, "2024-05-02").status == 0
    assert "E208" in night(company, "2024-05-02", ACCOUNTS.replace("large", "tiny")).line
    assert night(company, "2024-05-03").status == 0
    assert night(company, "2999-01-01").line.startswith("ERROR E208")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            ACCOUNTS + "a,2024-01-01,Eve,small\n",
            ["E302 table=accounts rows=2 first=accounts.csv:2", "the same account say different things"],
        ),
        (ACCOUNTS.replace("account,", "acount,"), ["E301 table=accounts column=account", 'did you mean "acount"']),
        (ACCOUNTS.replace("segment", "recorded_at"), ["E301 table=accounts column=recorded_at", "rename it"]),
    ],
)
def test_a_table_that_cannot_be_compared_is_refused_and_nothing_is_written(company: Company, text: str, words: list[str]) -> None:
    company.settings["record"] = {"tickets": ["id"], "accounts": ["account"]}
    found = night(company, "2024-05-01", text)
    assert found.status == 3
    assert all(word in found.line for word in words), found.line
    assert "Eve" not in found.line
    assert found.segments == {}


def test_rows_without_a_key_twins_and_broken_rows(company: Company) -> None:
    night(company, "2024-05-01", ACCOUNTS + "c,2024-01-03,Cy,small\n")
    broken = ACCOUNTS + "a,2024-01-01,Ada,small\n,2024-01-01,Nobody,small\nc,2024\n"
    found = night(company, "2024-05-02", broken)
    assert found.status == 0
    assert "nothing changed, 3 rows known" in found.out
    assert "1 rows have no key and are left out" in found.out
    assert "1 rows cannot be read (first accounts.csv:6); what vanished is left open" in found.out
    assert "0 new, 0 changed, 1 gone" in night(company, "2024-05-03", ACCOUNTS).out


def test_a_table_that_lost_most_of_its_keys_is_not_believed(company: Company) -> None:
    whole = "account,since\n" + "".join(f"c{n},2024-01-01\n" for n in range(10))
    night(company, "2024-05-01", whole)
    found = night(company, "2024-05-02", whole[: whole.index("c3")])
    assert found.status == 4
    assert "ERROR E404 table=accounts rows=3 usual=10" in found.line
    assert list(found.segments) == ["2024-05-01T000000Z"]
    assert "0 new, 0 changed, 7 gone" in run(company, "record", "as_of=2024-05-02", "accept_volume=true").out


def test_two_at_once(company: Company) -> None:
    with lock.hold_lock(company.root / "out", "record"):
        assert run(company, "record", "as_of=2024-05-01").line.startswith("ERROR E701")


def test_a_source_must_say_what_to_record(company: Company) -> None:
    for said, words in (
        ({}, "E202"),
        ({"acounts": ["account"]}, "E203 key=source.record.acounts"),
        ({"accounts": []}, "E202 key=source.record.accounts"),
    ):
        company.settings["record"] = said
        assert words in night(company, "2024-05-01").line


def test_special_categories_are_not_recorded(company: Company) -> None:
    found = night(company, "2024-05-01", ACCOUNTS.replace("segment", "religion"))
    assert "religion not used" in found.out
    assert "religion" not in found.segments["2024-05-01T000000Z"][0]


@pytest.mark.parametrize(("step", "there"), [("_fill", False), ("sync", True)])
def test_killed_in_between_the_old_state_or_the_new(company: Company, monkeypatch: pytest.MonkeyPatch, step: str, there: bool) -> None:
    first = night(company, "2024-05-01", ACCOUNTS)
    held = getattr(disk, step)

    def killed(path: Path, *given: object) -> None:
        held(path, *given)
        if "accounts" in str(path):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(disk, step, killed)
        found = night(company, "2024-05-02", ACCOUNTS.replace("large", "tiny"))
    assert found.status == 130
    assert ("2024-05-02T000000Z" in found.segments) == there
    again = night(company, "2024-05-03").segments
    assert again["2024-05-01T000000Z"] == first.segments["2024-05-01T000000Z"]
    assert list(again) == ["2024-05-01T000000Z", "2024-05-02T000000Z" if there else "2024-05-03T000000Z"]
    assert [row["segment"] for row in list(again.values())[1]] == ["tiny"]


@pytest.mark.long
def test_a_select_reads_the_record_with_the_nights_as_its_clock(company: Company) -> None:
    company.selects["customers"] = RECORDED
    company.refused("E401", "table=accounts_recorded", "FIX: run make record")
    night(company, "2024-03-10", ACCOUNTS)
    night(company, "2024-03-20", ACCOUNTS.replace("small", "medium"))
    asked = "select segment from canonical.customers where customer_id = 'a' order by event_at"
    assert company.passes("as_of=2024-03-15").rows(asked) == [("small",)]
    assert company.passes("as_of=2024-03-20").rows(asked) == [("small",), ("medium",)]
    early = company.passes("as_of=2024-03-15")
    assert early.count("customers") == (3, 2, {"after_as_of": 1}, {})


def test_an_erased_customer_leaves_the_record_and_does_not_come_back(company: Company) -> None:
    company.settings["record"] = {"accounts": ["account"], "tickets": ["id"]}
    company.settings["files"]["tickets"] = {"path": "tickets.csv", "rename": {"account": "account_id"}}
    company.selects["tickets"] = company.selects["tickets"].replace("account as", "account_id as")
    night(company, "2024-05-01", ACCOUNTS.replace("a,", "acme-1,", 1).replace("\na,", "\nacme-1,"))
    company.files["tickets.csv"] = str(company.files["tickets.csv"]).replace("\na,", "\nacme-1,")
    night(company, "2024-05-02")
    out = company.root / "out"
    assert any(b"acme-1" in path.read_bytes() for path in (out / "record" / "accounts").iterdir())
    assert any(b"acme-1" in path.read_bytes() for path in (out / "record" / "tickets").iterdir())
    assert run(company, "erase", "customer=acme-1").status == 0
    told = json.loads((out / "erasures" / "1.json").read_text())
    assert told["erased"]["record"] >= 5
    assert not [path for path in out.rglob("*") if path.is_file() and b"acme-1" in path.read_bytes()]
    kept = night(company, "2024-05-03")
    assert "accounts: 1 erased customers are left out" in kept.out
    assert not [path for path in out.rglob("*") if path.is_file() and b"acme-1" in path.read_bytes()]
    assert {row["account"] for path in (out / "record" / "accounts").iterdir() for row in rows(path)} == {"b"}
    assert erased.load_erased(out).among(["acme-1"]) == {"acme-1"}


SMALL = ["model=rule", "target=churn", "validation.replicates=20", "validation.cutoffs=8", "capacity=10", "target.horizon_days=60"]
SHOP = """
select account_id as customer_id, created_at as event_at, created_at as known_at, name, null as segment, _file, _line
from (select distinct on (account_id) * from accounts order by account_id, _file, _line)
union all by name
select account_id as customer_id, recorded_at as event_at, recorded_at as known_at, name, segment, _file, _line from accounts_recorded where recorded_gone = 'false'
"""


@pytest.mark.sweep
def test_a_list_of_the_first_night_does_not_know_the_second_and_a_replay_proves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo, out, conf = tmp_path / "demo", tmp_path / "out", tmp_path / "conf" / "source"
    write_company(demo, demo_of({"customers": 60, "months": 20, "events": 5000}))
    shipped = yaml.safe_load((ROOT / "conf/source/demo.yaml").read_text())
    shipped.pop("defaults", None)
    conf.mkdir(parents=True)
    files = {name: shipped["files"][name] for name in ("accounts", "contracts", "contract_changes", "tickets")}
    said = {"name": "shop", "files": files, "features": ["tickets", "customers"], "record": {"accounts": ["account_id"]}}
    (conf / "shop.yaml").write_text(yaml.safe_dump(shipped | said))
    (conf / "shop").mkdir()
    for name in ("subscriptions", "tickets"):
        shutil.copy(ROOT / "conf/source/demo" / f"{name}.sql", conf / "shop")
    (conf / "shop" / "customers.sql").write_text(SHOP)
    monkeypatch.setenv(PRIVATE, str(tmp_path / "conf"))
    held = rows(demo / "crm_accounts.csv")

    def done(name: str, *overrides: str) -> None:
        asked = ["source=shop", f"data={demo}"] if name in ("record", "train") else []
        assert _guarded(name, BODIES[name], [*asked, f"out={out}", *overrides]) == 0

    def recorded(day: str, segment: str) -> None:
        with (demo / "crm_accounts.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(held[0]))
            writer.writeheader()
            writer.writerows(row | {"segment": segment} for row in held)
        done("record", f"as_of={day}")

    def segments(folder: Path) -> set[str]:
        return {row["segment"] for row in rows(folder / "list.csv")}

    recorded("2026-06-01", "first")
    done("train", *SMALL, "as_of=2026-07-01")
    done("score", "target=churn", "as_of=2026-07-01")
    first = (out / "lists" / "churn" / "latest").resolve()
    before = {name: (first / name).read_bytes() for name in ("list.csv", "list.json", "features.parquet")}
    assert segments(first) == {"first"}
    recorded("2026-08-01", "second")
    done("score", "target=churn", "as_of=2026-07-01")
    assert (out / "lists" / "churn" / "latest").resolve() == first
    assert {name: (first / name).read_bytes() for name in before} == before
    done("score", "target=churn", "as_of=2026-08-02")
    assert segments((out / "lists" / "churn" / "latest").resolve()) == {"second"}
    done("replay", "target=churn", "as_of=2026-07-01")
    [past] = (out / "replay" / "churn").iterdir()
    assert segments(past) == {"first"}

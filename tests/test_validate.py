"""``make validate``: an audit that a person reads in a minute, the rest of it also when a part refuses, and nothing published."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from company import ACCOUNTS, SELECTS, TICKETS, Company

from pipelines import validate
from pipelines.start.run import _guarded
from prevenance.runs.commands import PRIVATE

pytestmark = pytest.mark.long


@dataclass
class Checked:
    """What one run printed and left."""

    status: int
    out: str
    err: str
    report: dict[str, Any]

    def section(self, name: str) -> str:
        return next(block for block in self.out.split("\n\n") if block.startswith(name))


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    return Company(tmp_path, capsys)


def check(company: Company, *overrides: str) -> Checked:
    inbox, out = company.write(), company.root / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PRIVATE, str(company.root / "conf"))
        status = _guarded("validate", validate.body, ["source=mine", f"data={inbox}", f"out={out}", *overrides])
    said = company.capture.readouterr()
    path = out / "validate" / "report.json"
    return Checked(status, said.out, said.err, json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {})


def test_good_tables_pass_and_nothing_is_published(company: Company) -> None:
    found = check(company)
    assert (found.status, found.err) == (0, "")
    assert "mine at 2024-03-09 00:00Z: 2 customers" in found.section("DATA")
    assert "selects read 2 files: 10 rows = 10 reached their table + 0 dropped" in found.section("DATA")
    assert found.report["tables"]["tickets"]["files"] == {"tickets.csv": {"raw": 8, "reached": 8, "dropped": 0}}
    assert "nothing is missing" in found.section("COMPLETENESS")
    assert "nothing" in found.section("FIX FIRST")
    assert found.report["tables"]["tickets"]["used"] == 8
    assert sorted(path.name for path in (company.root / "out").iterdir() if path.suffix != ".log") == ["memo", "status", "validate"]
    assert json.loads((company.root / "out" / "status" / "validate.json").read_text())["outcome"] == "valid"
    assert (company.root / "out" / "validate" / "report.json").stat().st_mode & 0o777 == 0o600


def test_what_was_understood_and_what_looks_wrong_come_first(company: Company) -> None:
    company.files["accounts.csv"] = "account,since,name,segment,Currency\na,2024-01-01,Ada,small,eur\nb,2024-01-02,Bo,large,USD\n"
    company.files["copy.csv"] = company.files["accounts.csv"]
    company.settings["files"] |= {"copy": "copy.csv"}
    found = check(company, "language=fr")
    assert found.out.index("SENS") < found.out.index("SUSPECT") < found.out.index("À CORRIGER") < found.out.index("COMPLÉTUDE")
    assert "2024-03-01 – 2024-03-08" in found.section("SENS")
    assert "2 clients (100\u202f%)" in found.section("SENS").replace("\xa0", "\u202f")
    assert "les montants de accounts.Currency sont en EUR, USD" in found.section("SUSPECT")
    assert "accounts.csv et copy.csv ont le même contenu" in found.section("SUSPECT")
    assert {one["code"] for one in found.report["meaning"]["oddities"]} == {"two_currencies", "same_files"}
    company.selects["customers"] += " where upper(Currency) in ('EUR', 'USD')"
    assert "montants" not in check(company, "language=fr").section("SUSPECT")


@pytest.mark.parametrize(("language", "labels"), [("de", ("DATEN", "FRAGLICH", "ZUERST", "ALTER")), ("fr", ("DONNÉES", "SUSPECT", "À CORRIGER", "FRAÎCHEUR"))])  # fmt: skip
def test_one_screen_speaks_one_language(company: Company, language: str, labels: tuple[str, ...]) -> None:
    company.settings["files"] |= {"consents": "consents.csv", "bills": "bills.csv", "calls": "calls.csv"}
    company.selects["consents"] = "select account as customer_id, day as event_at, 'email' as purpose, allowed, _file, _line from consents"
    company.selects["invoices"] = (
        "select account as customer_id, day as event_at, id as invoice_id, 'issued' as event, amount, _file, _line from bills"
    )
    company.selects["contacts"] = (
        "select account as customer_id, day as event_at, 'call' as kind, 'out' as direction, _file, _line from calls"
    )
    company.files["consents.csv"] = "account,day,allowed\na,2024-01-03,perhaps\nb,2024-01-03,yes\n"
    company.files["bills.csv"] = 'account,day,id,amount\na,2024-02-03,r1,"12,50"\nb,03.02.2024,r2,7\n'
    company.files["accounts.csv"] = (
        "account,since,name,segment,Currency\na,2024-01-01,Ada,small,eur\nb,2024-03-02,Bo,,USD\n,2024-01-01,Cy,small,eur\n"
    )
    company.files["tickets.csv"] = (
        TICKETS + TICKETS.splitlines()[1] + "\nzz,v1,2024-03-05,1,x\nb,v2,2024-03-06,#REF!,x\nb,v3,2024-03-06,900,x\n"
    )
    found = check(company, f"language={language}", "tables.tickets.error_after=1", "as_of=2024-03-20")
    assert found.status != 0
    screen = "\n".join(line for line in found.out.splitlines() if not line.startswith("ERROR"))
    assert all(f"\n{one}" in f"\n{screen}" for one in labels)
    english = re.findall(r"(?i)\b(?:the|rows?|with|is|are|not|below|write|export each|in the|and|first|stops)\b.{0,40}", screen)
    assert english == []
    whole = check(company, "tables.tickets.error_after=1", "as_of=2024-03-20")
    assert whole.report["fix_first"] == found.report["fix_first"]


def test_what_is_said_to_stop_a_run_ends_it(company: Company) -> None:
    late = ["as_of=2024-03-20", "tables.tickets.error_after=9", "tables.tickets.required=false"]
    without = check(company, *late)
    assert (without.status, "stops the run" in without.out) == (0, False)
    company.files["accounts.csv"] += ",2024-01-01,Cy,small\n"
    other = check(company, *late)
    assert other.status == 3
    # of the late table, which a list goes without, it is not said, whatever else stops it
    assert re.findall(r"(\S+) +stops the run", other.section("FIX FIRST")) == ["customers.customer_id"]
    company.files["accounts.csv"] = "account,since,name,segment,Currency\na,2024-01-01,Ada,small,eur\nb,2024-01-02,Bo,large,USD\n"
    money = check(company)
    assert money.status == 0
    assert "nothing of rows and cells; see what looks wrong, above" in money.section("FIX FIRST")


def test_a_refusal_comes_after_the_audit_and_ends_as_a_run_would(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS.replace("2024-03-03", "31/02/2024") + "b,t9,2024-03-04,900,x\n"
    company.files["accounts.csv"] = ACCOUNTS + ",2024-01-01,Cy,small\n"
    found = check(company)
    assert found.status == 3
    assert found.err.startswith("ERROR E302 table=customers column=customer_id rows=1 first=accounts.csv:4")
    assert found.err.count("\n") == 1
    mend = found.section("FIX FIRST")
    assert "tickets.event_at  stops the run: not a timestamp (1 row, 1 customer, first tickets.csv:4)" in mend
    assert "tickets.score  stops the run: outside -100..100 (1 row, 1 customer, first tickets.csv:10)" in mend
    assert "customers.customer_id  stops the run: blank (1 row, first accounts.csv:4)" in mend
    assert {(one["table"], one["column"]) for one in found.report["accuracy"]} == {
        ("customers", "customer_id"),
        ("tickets", "event_at"),
        ("tickets", "score"),
    }
    assert found.report["tables"]["tickets"]["used"] == 7
    assert json.loads((company.root / "out" / "status" / "validate.json").read_text())["exit"] == 3


def test_every_refusal_is_named_and_the_rest_is_audited(company: Company) -> None:
    company.settings["files"] |= {"contacts": "contacts.csv", "calls": "calls.csv"}
    company.selects["contacts"] = (
        "select account as customer_id, day as event_at, 'call' as kind, 'out' as direction, _file, _line from calls"
    )
    company.selects["feedback"] = (
        "select account as customer_id, day as event_at, 'nps' as kind, grade as score, _file, _line from contacts"
    )
    company.files["contacts.csv"] = "account,day,note\na,2024-02-01,x\n"
    found = check(company)
    assert found.status == 4
    assert "ERROR E401 table=calls key=files.calls" in found.err
    assert "ERROR E301 table=feedback column=grade" in found.out
    assert "calls  stops the run: no file at" in found.section("FIX FIRST")
    assert "feedback.grade  stops the run: the files have no column" in found.section("FIX FIRST")
    assert set(found.report["tables"]) == {"customers", "tickets"}
    assert len(found.report["refused"]) == 2


def test_where_nothing_is_left_only_the_refusal_is_told(company: Company) -> None:
    company.files = {}
    company.settings["files"] = {"accounts": "nothing.csv", "tickets": "nothing.csv"}
    found = check(company)
    assert found.status == 4
    assert found.err.startswith("ERROR E401 table=accounts")
    assert "ERROR E401 table=tickets" in found.out
    assert found.report == {}
    found = check(company, "tabels.usage.on_bad_row=refuse")
    assert (found.status, found.out) == (2, "")


@pytest.mark.parametrize("setting", ["privacy.purpose=''", "privacy.controller=' '", "privacy.opt_in=true"])
def test_privacy_is_checked_too(company: Company, setting: str) -> None:
    found = check(company, setting)
    assert found.status == 9
    assert "ERROR E901" in found.err
    assert "tickets" in found.section("DATA")


def test_no_value_of_a_personal_column_is_told(company: Company) -> None:
    company.files["accounts.csv"] = ACCOUNTS.replace("Ada", "Quagga GmbH") + "c,soon,Yak AG,small\na,2024-01-01,Zebra KG,small\n"
    company.files["tickets.csv"] = TICKETS + "nobody-77,t9,2024-03-03,1,secret words\n"
    found = check(company, "tables.customers.on_bad_row=quarantine", "tables.tickets.on_bad_row=quarantine")
    assert found.status == 0
    assert {one["what"] for one in found.report["consistency"]} >= {"rows with the same key and other content"}
    told = found.out + found.err + json.dumps(found.report)
    for value in ("Quagga", "Zebra", "Yak", "nobody-77", "secret", "soon"):
        assert value not in told


def test_a_column_is_asked_for_only_where_its_event_carries_it(company: Company) -> None:
    rated = "select account as customer_id, id as ticket_id, 'rated' as event, day as event_at, nullif(score, '3') as score, id || 'r' as _id, _file, _line from tickets"
    company.selects["tickets"] = SELECTS["tickets"].replace(" score,", "") + " union all by name " + rated
    company.selects["customers"] = SELECTS["customers"].replace("segment,", "segment, null as industry,")
    found = check(company)
    assert "tickets.score" in found.section("COMPLETENESS")
    assert "12.5 %  1 of 8 rows" in found.section("COMPLETENESS")
    assert "never filled: customers.industry" in found.section("COMPLETENESS")
    assert "tickets.score  missing in 12.5 % of the rows that usually have it (1 row, 1 customer)" in found.section("FIX FIRST")
    assert "industry" not in found.section("FIX FIRST")


def test_the_proposed_limit_fits_the_rhythm(company: Company) -> None:
    days = [f"2024-01-{day:02d}" for day in range(1, 29) if day % 7 not in (6, 0)]
    company.files["tickets.csv"] = "account,id,day,score,note\n" + "".join(f"a,t{n},{day},1,x\n" for n, day in enumerate(days))
    fresh = check(company, "as_of=2024-01-28").section("FRESHNESS")
    assert re.search(r"tickets +\d\.\d days, rows on most days   no limit; set tables\.tickets\.error_after=4", fresh), fresh
    found = check(company, "as_of=2024-02-03")
    assert "tickets         7.0 days, rows on most days   no limit; older than its rhythm of at most 4 days" in found.section("FRESHNESS")
    assert "customers       31.0 days                     no limit, too few days to propose one" in found.section("FRESHNESS")


def test_what_costs_most_customers_comes_first(company: Company) -> None:
    company.settings["files"] |= {"consents": "consents.csv"}
    company.selects["consents"] = "select account as customer_id, day as event_at, 'email' as purpose, allowed, _file, _line from consents"
    company.files["consents.csv"] = "account,day,allowed\na,2024-01-03,perhaps\nb,2024-01-03,yes\n"
    company.files["accounts.csv"] = ACCOUNTS + "".join(f"c{n},2024-03-20,C{n},small\n" for n in range(9))
    early = "".join(f"c{n},u{n},2024-03-04,1,x\n" for n in range(9))
    company.files["tickets.csv"] = TICKETS + TICKETS.splitlines()[1] + "\n" + early + "zz,v1,2024-03-05,1,x\nzz,v2,2024-03-06,N/A,x\n"
    found = check(company, "tables.tickets.on_bad_row=quarantine")
    assert found.status == 0
    assert [(one["table"], one["column"], one["rows"], one["customers"]) for one in found.report["fix_first"]] == [
        ("customers", "event_at", 9, 9),
        ("tickets", "customer_id", 2, 1),
        ("consents", "allowed", 1, 1),
        ("tickets", "score", 1, 1),
    ]
    assert found.report["fix_first"][0]["first"] == "tickets.csv:11"
    assert "rows there twice, one of them is used  first tickets.csv:10" in found.section("CONSISTENCY")


@pytest.mark.long
def test_the_gates_of_a_night_are_told_with_the_audit(company: Company) -> None:
    late = check(company, "as_of=2024-03-20", "tables.tickets.warn_after=5d", "tables.tickets.error_after=30")
    assert (late.status, late.err) == (0, "")
    assert "tickets         11.0 days                     LATE: older than warn_after" in late.section("FRESHNESS")
    assert "tickets  its newest knowledge is 11 days old, the limit is 5 days" in late.section("FIX FIRST")
    assert "within its limit" in check(company, "tables.tickets.error_after=1").section("FRESHNESS")
    stale = check(company, "as_of=2024-03-20", "tables.tickets.error_after=9")
    assert stale.status == 4
    assert stale.err.startswith("ERROR E403 table=tickets")
    assert "TOO OLD" in stale.section("FRESHNESS")
    assert "nothing found" in stale.section("ACCURACY")
    assert "1 tickets  stops the run: its newest knowledge is 11 days old" in stale.section("FIX FIRST")
    assert "(8 rows, 2 customers)" in stale.section("FIX FIRST")

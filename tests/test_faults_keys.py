"""Faults of keys and values: ids stay as they are, contradictions are set apart, numbers keep their range, words stay words."""

from __future__ import annotations

import csv
import io
import json
import time
import unicodedata
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import views
from amount import some
from company import ACCOUNTS, TICKETS, Company

from prevenance.base.formats import csv_bytes, json_bytes
from prevenance.models.encode import LEVELS, fit_encoder
from prevenance.publish.page import list_page
from prevenance.publish.workbook import workbook_bytes

pytestmark = pytest.mark.long


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    return Company(tmp_path, capsys)


def test_fault_18_customer_twice(company: Company) -> None:
    company.files["accounts.csv"] = ACCOUNTS + ACCOUNTS.splitlines()[1] + "\n"
    run = company.passes()
    assert run.count("customers") == (3, 2, {"duplicate": 1}, {})
    assert run.count("tickets")[:2] == (8, 8)


def test_fault_19_customer_twice_and_different(company: Company) -> None:
    company.files["accounts.csv"] = ACCOUNTS + "a,2024-01-01,Ada,large\n"
    run = company.refused("E302", "table=customers", "rows=2", "first=accounts.csv:2", "conflicting_key")
    run = company.passes(run.setting())
    assert run.count("customers") == (3, 1, {}, {"conflicting_key": 2})
    assert run.count("tickets") == (8, 4, {}, {"customer_set_apart": 4})
    assert run.rows("select distinct customer_id from canonical.tickets") == [("b",)]


def test_fault_20_event_twice(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS + TICKETS.splitlines()[1] + "\n"
    assert company.passes().count("tickets") == (9, 8, {"duplicate": 1}, {})


def test_fault_21_unknown_customer(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS + "zz,t9,2024-03-09,1,x\n"
    run = company.refused("E302", "table=tickets", "column=customer_id", "rows=1", "first=tickets.csv:10", "unknown_customer")
    assert company.passes(run.setting()).count("tickets") == (9, 8, {}, {"unknown_customer": 1})
    assert company.passes("tables.tickets.max_bad_share=0.2").count("tickets")[1] == 8


@pytest.mark.parametrize("blank", some(["", "  ", '""', '"\t"'], 1, 3))
def test_fault_22_blank_id(company: Company, blank: str) -> None:
    company.files["tickets.csv"] = TICKETS + f"{blank},t9,2024-03-09,1,x\n"
    run = company.refused("E302", "table=tickets", "column=customer_id", "first=tickets.csv:10", "blank")
    assert company.passes(run.setting()).count("tickets") == (9, 8, {}, {"customer_id: blank": 1})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_fault_23_ids_stay_text(company: Company, tmp_path: Path, kind: str) -> None:
    ids = ["00123", "123", str(2**53 + 1), str(2**53), "1e5", "100000", "NA", "nullable", "7.0", "True"]
    frame = pd.DataFrame({"account": ids, "since": "2024-01-01", "name": "x", "segment": "y"})
    company.settings["files"]["accounts"] = f"accounts.{kind}"
    frame.to_parquet(tmp_path / "a.parquet")
    company.files[f"accounts.{kind}"] = (tmp_path / "a.parquet").read_bytes() if kind == "parquet" else frame.to_csv(index=False)
    company.files["tickets.csv"] = "account,id,day,score,note\n" + "".join(f"{one},t{n},2024-03-01,1,x\n" for n, one in enumerate(ids))
    run = company.passes()
    assert {row[0] for row in run.rows("select customer_id from canonical.customers")} == set(ids)
    assert run.rows("select count(distinct customer_id) from canonical.tickets") == [(len(ids),)]


def test_fault_24_likely_duplicates(company: Company) -> None:
    alike = ["Acme", "ACME", "Acme ", "Zoë", unicodedata.normalize("NFD", "Zoë"), "other"]
    company.files["accounts.csv"] = "account,since,name,segment\n" + "".join(f'"{one}",2024-01-01,x,y\n' for one in [*alike, "a", "b"])
    run = company.passes()
    assert run.count("customers")[1] == 8
    assert "customers: 5 ids differ only by case, spaces or Unicode form (first accounts.csv:2)" in run.messages
    assert run.taken.counts["customers"].warnings["likely_duplicate"] == 5
    company.files["accounts.csv"] = ACCOUNTS
    assert "differ only by case" not in company.passes().messages


def test_fault_25_no_numbers(company: Company) -> None:
    words = ["NaN", "inf", "-Infinity", "#REF!", "N/A", "null", " ", "-", "#DIV/0!", "#VALUE!"]
    company.files["tickets.csv"] = "account,id,day,score,note\n" + "".join(f"a,t{n},2024-03-01,{one},x\n" for n, one in enumerate(words))
    run = company.passes()
    assert run.rows("select count(*), count(score) from canonical.tickets") == [(10, 0)]
    assert "tickets.score: 10 values such as NaN or #REF! taken as missing" in run.messages
    frame = pd.DataFrame({"x": [1.0, np.inf, -np.inf, np.nan]})
    assert np.isnan(fit_encoder(frame, ["x"]).matrix(frame)[1:]).all()


@pytest.mark.parametrize("value", some(["1e308", "1e999", "-5", "1000000000", "9" * 60], 1, 2))
def test_fault_26_out_of_range(company: Company, value: str) -> None:
    company.files["contracts.csv"] = f"account,id,day,seats,mrr\na,s1,2024-02-01,5,10\nb,s2,2024-02-01,{value},10\n"
    company.settings["files"]["contracts"] = "contracts.csv"
    company.selects["subscriptions"] = (
        "select account as customer_id, id as subscription_id, 'started' as event, day as event_at, seats, mrr, _file, _line from contracts"
    )
    run = company.refused("E302", "table=subscriptions", "column=seats", "first=contracts.csv:3", "outside 0..1e+06")
    run = company.passes(run.setting())
    assert run.count("subscriptions") == (2, 1, {}, {"seats: outside 0..1e+06": 1})
    company.selects["subscriptions"] = company.selects["subscriptions"].replace("seats, mrr", "seats as mrr")
    if value == "-5":
        company.refused("E302", "column=mrr", '("-5")', "outside 0..1e+09")


def test_fault_27_a_new_word_is_other_and_counted() -> None:
    from prevenance.judge.drift import unseen_words

    encoder = fit_encoder(pd.DataFrame({"plan": ["basic", "plus", "basic"], "n": [1.0, 2.0, 3.0]}), ["plan", "n"])
    tonight = pd.DataFrame({"plan": ["gold", "plus", "gold", None], "n": [1.0, 2.0, 3.0, 4.0]})
    assert encoder.matrix(tonight)[:3, 0].tolist() == [2.0, 1.0, 2.0]
    assert unseen_words(encoder, tonight) == {"plan": 2}
    assert unseen_words(encoder, tonight.iloc[1:2]) == {}


def test_fault_28_a_hundred_thousand_words() -> None:
    started = time.process_time()
    frame = pd.DataFrame({"plan": np.char.add("w", np.arange(100_000).astype(str)), "n": np.arange(100_000) % 7})
    encoder = fit_encoder(frame, ["plan", "n"])
    assert len(encoder.vocabulary["plan"]) == LEVELS
    assert encoder.matrix(frame).shape == (100_000, 2)
    assert np.nanmax(encoder.matrix(frame)[:, 0]) == LEVELS
    assert time.process_time() - started < 20


def test_fault_29_constant_and_empty_features_are_dropped_and_named() -> None:
    frame = pd.DataFrame({"same": 1.0, "empty": np.nan, "word": "x", "n": [1.0, 2.0, 3.0]})
    encoder = fit_encoder(frame, list(frame))
    assert encoder.features == ("n",)
    assert encoder.dropped == ("same", "empty", "word")


NAMES = ["=HYPERLINK(1)", "<script>alert(1)</script>", "a\x00b", "\u202eevil", "🦄", "x" * 40_000, "@cmd", "-1+1"]


def test_fault_30_hostile_names_enter_whole(company: Company) -> None:
    lines = [f'c{n},2024-01-01,"{name}",s' for n, name in enumerate(NAMES)]
    company.files["accounts.csv"] = "account,since,name,segment\na,2024-01-01,x,y\nb,2024-01-01,x,y\n" + "\n".join(lines) + "\n"
    run = company.passes()
    assert run.count("customers")[:2] == (10, 10)
    assert run.rows("select name from canonical.customers where customer_id like 'c_' order by customer_id") == [(one,) for one in NAMES]


def test_fault_30_hostile_names_leave_harmless() -> None:
    shown = views.view(12, 12, names=NAMES)
    frame = pd.DataFrame({"customer_id": [f"c{n}" for n in range(len(NAMES))], "name": pd.Series(NAMES, dtype="str")})
    cells = [row["name"] for row in csv.DictReader(io.StringIO(csv_bytes(frame).decode(), newline=""))]
    assert len(cells) == len(NAMES)
    assert not [one for one in cells if one[:1] in "=+-@" or "\x00" in one]
    assert [row["name"] for row in json.loads(json_bytes(frame))][:2] == NAMES[:2]
    html = list_page(shown)
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "\x00" not in html
    assert "\u202e" not in html
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(shown)))
    values = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert any("<script>" in cell.value for cell in values)
    assert not [cell for cell in values if cell.data_type == "f" or len(cell.value) > 32_767]

"""Faults of files and schema: each is met with the promised code, names the place, and its FIX works when it is applied."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pandas as pd
import pytest
from amount import some
from company import ACCOUNTS, TICKETS, Company

pytestmark = pytest.mark.long


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    return Company(tmp_path, capsys)


def pasted(line: str, start: str) -> str:
    """Return the yaml line that the FIX says to write."""
    found = re.search(rf"({re.escape(start)}.*) in the source's yaml", line.partition("FIX: ")[2])
    assert found, line
    return found.group(1)


def parquet(path: Path, text: str) -> bytes:
    from io import StringIO

    pd.read_csv(StringIO(text), dtype="str").to_parquet(path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", some(["parquet", "csv.gz"], 1))
def test_fault_05_truncated_file(company: Company, tmp_path: Path, kind: str) -> None:
    many = TICKETS + "".join(f"a,u{n},2024-04-01,{n % 5},{n * 7919}\n" for n in range(3000))
    whole = parquet(tmp_path / "whole", many) if kind == "parquet" else gzip.compress(many.encode())
    name = f"tickets.{kind}"
    company.settings["files"]["tickets"] = name
    for cut in (len(whole) // 2, len(whole) - 20):
        company.files[name] = whole[:cut]
        assert str(tmp_path) not in company.refused("E303", "table=tickets", name, "export the file again").line
    company.files[name] = whole
    assert company.passes().count("tickets")[0] == 3008


def test_fault_05_a_packed_file_with_other_bytes(company: Company) -> None:
    many = TICKETS + "".join(f"a,u{n},2024-04-01,{n % 5},{n * 7919}\n" for n in range(50_000))
    whole = gzip.compress(many.encode())
    company.settings["files"]["tickets"] = "tickets.csv.gz"
    for broken in (
        whole[:2000] + b"\xff" * 50 + whole[2050:],
        whole[:-8] + b"\1\2\3\4" + whole[-4:],
    ):  # no stream of its kind; another check sum
        company.files["tickets.csv.gz"] = broken
        company.refused("E303", "table=tickets", "tickets.csv.gz cannot be read", "export the file again")
    company.files["tickets.csv.gz"] = gzip.compress(TICKETS.encode()) + gzip.compress(many.removeprefix(TICKETS).encode())
    assert company.passes().count("tickets")[0] == 50_008


def test_fault_06_required_table_without_rows(company: Company) -> None:
    company.files["accounts.csv"] = ACCOUNTS.splitlines()[0] + "\n"
    company.refused("E304", "table=customers", "accounts.csv:1", "export it again")
    company.files["accounts.csv"] = ACCOUNTS
    company.passes()


@pytest.mark.parametrize("name", some(["tickets.csv", "tickets.csv.gz", "tickets.parquet"], 0))
def test_fault_07_zero_bytes(company: Company, tmp_path: Path, name: str) -> None:
    company.settings["files"]["tickets"] = name
    company.files[name] = b""
    company.refused("E303", "table=tickets", f"{name} is empty (0 bytes)", "export the file again")
    company.files[name] = (
        TICKETS.encode()
        if name.endswith("csv")
        else gzip.compress(TICKETS.encode())
        if name.endswith("gz")
        else parquet(tmp_path / "x", TICKETS)
    )
    company.passes()


def test_fault_08_missing_column(company: Company) -> None:
    company.selects["tickets"] = company.selects["tickets"].replace("score", "scre as score")
    company.refused("E301", "table=tickets", "column=scre", 'did you mean "score"?')
    company.selects["tickets"] = company.selects["tickets"].replace("scre", "score")
    company.passes()


def test_fault_08_no_name_is_proposed_that_a_select_reads_already(company: Company) -> None:
    company.selects["tickets"] = company.selects["tickets"].replace(" as event,", " as event, amount as category,")
    run = company.refused("E301", "table=tickets", "column=amount", "tickets.csv:1", "FIX: correct the export")
    assert "account" not in run.line.partition("—")[2]
    company.files["tickets.csv"] = TICKETS.replace("note", "amount")
    company.passes()


@pytest.mark.parametrize("separator", some([",", ";"], 1))
def test_fault_09_renamed_column(company: Company, separator: str) -> None:
    company.files["tickets.csv"] = TICKETS.replace("score", "Score (1-5)").replace(",", separator)
    if separator == ";":
        company.settings["files"]["tickets"] = {"path": "tickets.csv", "delimiter": ";"}
    run = company.refused("E301", "table=tickets", "column=score", 'did you mean "Score (1-5)"?', "tickets.csv:1")
    company.paste(pasted(run.line, "files.tickets: "))
    assert company.passes().count("tickets")[:2] == (8, 8)


def test_fault_09_what_a_column_holds_weighs_more_than_its_letters(company: Company) -> None:
    company.selects["tickets"] = company.selects["tickets"].replace("score", "mrr_amount as score")
    company.files["tickets.csv"] = TICKETS.replace("score", "MRR_EUR").replace("note", "arr_amount")
    run = company.refused(
        "E301", "column=mrr_amount", 'did you mean "MRR_EUR", or "arr_amount"?', '(with "arr_amount" if that is its new name)'
    )
    company.paste(pasted(run.line, "files.tickets: "))
    assert company.passes().count("tickets")[:2] == (8, 8)


def test_a_line_that_is_no_number_is_no_place(company: Company) -> None:
    company.selects["tickets"] = company.selects["tickets"].replace("_line", "'row ' || _line as _line")
    assert company.passes().count("tickets")[:2] == (8, 8)
    company.files["tickets.csv"] = TICKETS.replace("2024-03-03", "31/02/2026")
    company.refused("E302", "table=tickets", "rows=1", '"31/02/2026"')


def test_fault_09_a_new_name_that_is_not_there(company: Company) -> None:
    company.settings["files"]["tickets"] = {"path": "tickets.csv", "rename": {"Scor": "points"}}
    company.refused("E301", "table=tickets", "column=Scor", 'did you mean "score"?')


STRANGE = [
    (b"%PDF-1.4\n%\xe2\xe3\n", "is a PDF"),
    (b"7z\xbc\xaf\x27\x1c\0\4" + b"\0" * 50, "an archive of 7-Zip"),
    (b"\x28\xb5\x2f\xfd" + b"\0" * 50, "packed with zstd"),
    (b"\xef\xbb\xbf<!DOCTYPE html>\n<table><tr><td>account</td></tr></table>\n", "a web page"),
    (b'<?xml version="1.0"?>\n<rows/>\n', "is XML"),
    (b"account id  day\na       t1  2024-03-01\n", "parted by blanks alone"),
]


@pytest.mark.parametrize(("content", "what"), some(STRANGE, 0, 5))
def test_what_is_no_table_is_told_for_what_it_is(company: Company, content: bytes, what: str) -> None:
    company.files["tickets.csv"] = content
    line = company.refused("E303", "table=tickets", what).line
    assert "encoding" not in line
    assert "rename" not in line


@pytest.mark.parametrize("sign", some(["^", "~", ":", "#"], 0))
def test_any_separator_gets_its_line(company: Company, sign: str) -> None:
    company.files["tickets.csv"] = TICKETS.replace(",", sign)
    company.paste(pasted(company.refused("E303", "has one column").line, "files.tickets: "))
    assert company.passes().count("tickets")[0] == 8


def test_utf_32_is_read_and_rows_alone_are_no_empty_table(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS.encode("utf-32")
    assert "tickets.csv is read as utf-32" in company.passes().messages
    company.files["accounts.csv"] = "account,since,name,segment\na,2024-01-01,Ada\n"
    company.refused("E302", "table=customers", "do not fit the header")


PERSONS = [
    ("account,id,day,score,note\na,t1,Anna Schmidt,1,x\n", "not a timestamp (the text of a person"),
    ("account,id,day,score,note\na,t1,2024-03-01,anna@x.de,x\n", "not a number (the text of a person"),
    ("account,id,day,score,note\na,t1,2024-03-01,+49 170 1234567,x\n", "not a number (the text of a person"),
    ("anna@x.de,t1,2024-03-01,1,x\nbo@x.de,t2,2024-03-01,1,x\n", "is a row (it holds an address of mail)"),
]


@pytest.mark.parametrize(("text", "says"), some(PERSONS, 0, 3))
def test_no_text_of_a_person_is_shown(company: Company, text: str, says: str) -> None:
    company.files["tickets.csv"] = text
    line = company.refused("E303" if "is a row" in says else "E302", says).line
    assert not [word for word in ("Anna", "anna", "170", "bo@") if word in line]


def test_fault_10_new_column(company: Company) -> None:
    company.files["tickets.csv"] = "\n".join(f"{line},{'channel_new' if not n else 'x'}" for n, line in enumerate(TICKETS.splitlines()))
    run = company.passes()
    assert run.count("tickets")[:2] == (8, 8)
    assert run.messages.count("channel_new") == 1
    assert "2 columns that no select reads: tickets (channel_new, note)" in run.messages


def test_fault_11_number_became_text(company: Company) -> None:
    company.files["tickets.csv"] = re.sub(r",(\d),x", r",grade \1,x", TICKETS)
    run = company.refused("E302", "table=tickets", "column=score", "rows=8", "first=tickets.csv:2", "not a number", "8 of 8 rows (100.0%)")
    assert company.passes(run.setting()).count("tickets")[3] == {"score: not a number": 8}


def test_fault_11_the_value_shown_is_that_of_the_first_row(company: Company) -> None:
    days = [f"2024-13-{n:02d}" for n in range(1, 13)]
    company.files["tickets.csv"] = "account,id,day,score,note\n" + "".join(f"a,t{n},{day},1,x\n" for n, day in enumerate(days))
    company.refused("E302", "first=tickets.csv:2", 'not a timestamp ("2024-13-01")')


def test_fault_11_no_day_is_one_in_any_customer(company: Company) -> None:
    company.files["accounts.csv"] = re.sub(r"2024-01-0(\d)", r"week \1", ACCOUNTS)
    run = company.refused("E302", "table=customers", "column=event_at", "rows=2", "first=accounts.csv:2", '"week 1"', "2 of 2 rows")
    assert run.line.endswith("FIX: correct the export\n")


@pytest.mark.parametrize("text", some(["31/02/2026", "25/03/2026 at noon"], 0))
def test_fault_11_no_format_is_proposed_that_does_not_read_it(company: Company, text: str) -> None:
    company.files["tickets.csv"] = TICKETS.replace("2024-03-02", text)
    run = company.refused("E302", "column=event_at", "first=tickets.csv:3", f'"{text}"', "FIX: correct the export, or set")
    assert company.passes(run.setting()).count("tickets")[3] == {"event_at: not a timestamp": 1}


def test_fault_12_header_twice(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS.replace("score,note", "score,score")
    run = company.refused("E301", "table=tickets", "column=score", 'names "score" twice', "tickets.csv:1")
    written = re.search(r'use "(score__1)"', run.line)
    assert written
    company.selects["tickets"] = company.selects["tickets"].replace("score", f"{written.group(1)} as score")
    company.passes()


def test_fault_12_header_twice_but_not_used(company: Company) -> None:
    company.files["tickets.csv"] = "\n".join(f"{line},{'note' if not n else 'y'}" for n, line in enumerate(TICKETS.splitlines()))
    assert "tickets: the header names note twice" in company.passes().messages


def test_fault_12_names_that_differ_by_case_only(company: Company) -> None:
    company.files["tickets.csv"] = "\n".join(f"{line},{'NOTE' if not n else 'y'}" for n, line in enumerate(TICKETS.splitlines()))
    assert "tickets: the header names NOTE, note twice" in company.passes().messages
    company.files["tickets.csv"] = company.files["tickets.csv"].replace("NOTE", "SCORE")
    run = company.refused("E301", "column=score", 'names "score" twice')
    company.selects["tickets"] = company.selects["tickets"].replace("score", re.findall(r'use ("score__1" as score)', run.line)[0])
    company.passes()


@pytest.mark.parametrize("separator", some([";", "\t", "|"], 0))
def test_fault_13_other_separator(company: Company, separator: str) -> None:
    company.files["tickets.csv"] = TICKETS.replace(",", separator)
    run = company.refused("E303", "table=tickets", "first=tickets.csv:1")
    company.paste(pasted(run.line, "files.tickets: "))
    assert company.passes().count("tickets")[:2] == (8, 8)


def test_fault_13_decimal_comma(company: Company) -> None:
    company.settings["files"]["tickets"] = {"path": "tickets.csv", "delimiter": ";"}
    company.files["tickets.csv"] = re.sub(r",(\d),x", r",\1,5,y", TICKETS).replace(",y", ";y").replace("day,score,note", "day;score;note")
    text = ["account;id;day;score;note", *(f"a;t{n};2024-03-0{n};{n},5;x" for n in range(1, 6)), "a;t6;2024-03-06;1.200,00;x"]
    company.files["tickets.csv"] = "\n".join([*text[:-1], "a;t6;2024-03-06;-1.0,25;x"]) + "\n"
    run = company.refused("E302", "table=tickets", "column=score", "first=tickets.csv:2", '"1,5"', "decimal comma")
    company.paste(pasted(run.line, "decimal: "))
    company.files["tickets.csv"] = "\n".join(text[:-1]) + "\n"
    assert [float(row[0]) for row in company.passes().rows("select score from canonical.tickets order by 1")] == [1.5, 2.5, 3.5, 4.5, 5.5]
    company.files["tickets.csv"] = "\n".join(text).replace("a;t1;2024-03-01;1,5", "a;t1;2024-03-01;1.5") + "\n"
    run = company.passes("tables.tickets.on_bad_row=quarantine")
    assert run.count("tickets")[3] == {"score: not a number": 1, "score: outside -100..100": 1}


def test_fault_14_encodings(company: Company) -> None:
    company.files["tickets.csv"] = b"\xef\xbb\xbf" + TICKETS.replace("\n", "\r\n").encode()
    assert company.passes().count("tickets")[:2] == (8, 8)
    for mark in (b"", b"\xef\xbb\xbf"):
        broken = mark + TICKETS.replace("t3", "é").encode("latin-1")
        company.files["tickets.csv"] = broken
        run = company.refused("E303", "table=tickets", f"not UTF-8 at byte {broken.index(0xE9)}")
        company.paste(pasted(run.line, "files.tickets"))
        assert company.passes().count("tickets")[:2] == (8, 8), run.line
        assert ("é",) in company.passes().rows("select ticket_id from canonical.tickets")
        company.settings["files"]["tickets"] = "tickets.csv"


@pytest.mark.parametrize(("coding", "rows"), [("utf-16", 8), ("utf-16-le", 8), ("utf-16-be", 70_000), ("utf-16-le, marked", 8)])
def test_fault_14_utf_16_is_recognised_and_said(company: Company, coding: str, rows: int) -> None:
    text = TICKETS.replace("t3", "té") + "".join(f"a,u{n},2024-03-01,1,日本\n" for n in range(rows - 8)) + "a,bad,soon,1,x\n"
    coded = text.encode(coding.partition(",")[0])
    company.files["tickets.csv"] = b"\xff\xfe" + coded if "marked" in coding else coded
    run = company.passes("tables.tickets.on_bad_row=quarantine")
    assert run.count("tickets") == (rows + 1, rows, {}, {"event_at: not a timestamp": 1})
    assert run.rows("select _file, _line from quarantine.tickets") == [("tickets.csv", rows + 2)]
    assert "tickets: tickets.csv is read as utf-16" in run.messages


def test_fault_14_an_encoding_that_does_not_fit_gets_one_that_does(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS.encode() + b"a,v1,2024-03-01,1,\x81\xe9\n"
    run = company.refused("E303", '"encoding": "cp1252"')
    company.paste(pasted(run.line, "files.tickets"))
    run = company.refused("E303", "is not cp1252", '"encoding": "latin-1"')
    company.paste(pasted(run.line, "files.tickets"))
    assert company.passes().count("tickets")[:2] == (9, 9)
    company.settings["files"]["tickets"] = {"path": "tickets.csv", "encoding": "cp-1252x"}
    run = company.refused("E202", 'no encoding "cp-1252x"', '"encoding": "cp1252"')


def test_fault_14_bad_bytes_far_down(company: Company) -> None:
    lines = TICKETS + "".join(f"a,u{n},2024-04-01,{n % 5},{'y' * 60}\n" for n in range(20000))
    broken = lines.encode() + "a,v1,2024-04-01,1,é\n".encode("latin-1")
    company.files["tickets.csv"] = broken
    company.refused("E303", f"not UTF-8 at byte {broken.index(0xE9)}")


@pytest.mark.parametrize("text", [TICKETS, re.sub(r"\b", '"', TICKETS).replace('"-"', "-")])
def test_fault_14_two_kinds_of_line_ends(company: Company, text: str) -> None:
    lines = text.splitlines()
    company.files["tickets.csv"] = "\n".join(lines[:4]) + "\r\n" + "\n".join(lines[4:]) + "\n"
    company.refused("E303", "table=tickets", "first=tickets.csv:4", "CRLF", "the same end")
    company.files["tickets.csv"] = company.files["tickets.csv"].replace("\r\n", "\n")
    assert company.passes().count("tickets")[:2] == (8, 8)


def test_fault_15_quoted_newline_and_ragged_row(company: Company) -> None:
    lines = TICKETS.splitlines()
    lines[3] = 'a,t2,2024-03-03,2,"one\ntwo, three"'
    lines[5] = "a,t4,2024-03-05"
    company.files["tickets.csv"] = "\n".join(lines) + "\n"
    run = company.refused("E302", "table=tickets", "ragged_row", "first=tickets.csv:7", "1 of 8 rows")
    run = company.passes(run.setting())
    assert run.count("tickets") == (8, 7, {}, {"ragged_row": 1})
    assert run.rows("select _file, _line, reason from quarantine.tickets") == [("tickets.csv", 7, "ragged_row")]


def test_fault_16_a_cell_of_50_mb(company: Company) -> None:
    import resource

    company.files["tickets.csv"] = TICKETS + "a,big,2024-03-01,1," + "x" * 50_000_000 + "\na,t9,2024-03-02,1,x\n"
    company.write()
    company.files.pop("tickets.csv")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = company.passes("tables.tickets.on_bad_row=quarantine")
    assert run.count("tickets") == (10, 9, {}, {"ragged_row": 1})
    assert run.rows("select _line from quarantine.tickets") == [(10,)]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000

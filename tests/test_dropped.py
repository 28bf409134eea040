"""Rows that a select leaves out: counted by file, told, and refused where none is left."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from company import SELECTS, Company

from prevenance.runs.manifest import is_balanced
from prevenance.sources.taken import FileRows

pytestmark = pytest.mark.long

HEAD = "account,id,day,spam,score\n"


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    found = Company(tmp_path, capsys)
    # one row is marked: in most exports the others are blank
    found.files["tickets.csv"] = HEAD + "".join(f"{'ab'[n % 2]},t{n},2024-03-0{n + 1},{'true' if n == 3 else ''},1\n" for n in range(8))
    return found


@pytest.mark.parametrize("where", ["spam <> 'true'", "Spam != 'true'", "spam not in ('true', 'yes')", "\"spam\" not like 'tr%'"])
def test_a_comparison_that_loses_blank_cells_is_refused_with_the_line_to_write(company: Company, where: str) -> None:
    company.selects["tickets"] += f" where {where}"
    run = company.refused("E306", "table=tickets", "first=tickets.csv:2", "keeps 0 of the 8 rows", "blank in 7 of them")
    written = run.line.partition("write ")[2].partition(" in tickets.sql")[0]
    company.selects["tickets"] = company.selects["tickets"].partition(" where ")[0] + f" where {written}"
    run = company.passes()
    assert run.count("tickets")[:2] == (7, 7)
    assert "tickets: the select keeps 7 of the 8 rows of tickets" in run.messages
    assert run.taken.counts["tickets"].warnings["left_out"] == 1


@pytest.mark.parametrize(
    "where",
    ["not spam = 'true'", "lower(trim(spam)) <> 'true'", "spam = ''", "length(Spam) = 0", "spam < 't'", "upper(\"spam\") not in ('TRUE')"],
)
def test_any_condition_on_a_column_of_blanks_has_the_line_to_write(company: Company, where: str) -> None:
    company.selects["tickets"] += f" where {where}"
    run = company.refused("E306", "keeps 0 of the 8 rows", "spam is blank in 7 of them", "no comparison with it is true")
    written, old = re.findall(r"write (coalesce.*?) for (\S+) in the condition", run.line)[0]
    company.selects["tickets"] = company.selects["tickets"].replace(f" where {where}", f" where {where.replace(old, written)}")
    assert company.passes().count("tickets")[:2] == (7, 7)


def test_a_condition_on_other_columns_says_nothing_of_blanks(company: Company) -> None:
    company.selects["tickets"] += " where score = '7'"
    assert "blank" not in company.refused("E306", "keeps 0 of the 8 rows").line


def test_a_table_that_may_be_missing_may_be_left_empty(company: Company) -> None:
    company.selects["tickets"] += " where id = 'none'"
    run = company.refused("E306", "keeps 0 of the 8 rows", "correct tickets.sql")
    assert company.passes(run.setting()).count("tickets") == (0, 0, {}, {})


def test_a_share_may_be_asked_for(company: Company) -> None:
    company.selects["tickets"] += " where score = '1' and id in ('t1', 't2')"
    assert "keeps 2 of the 8 rows" in company.passes().messages
    company.settings["tables"] = {"tickets": {"least_kept": 0.5}}
    company.refused("E306", "keeps 2 of the 8 rows")


def test_customers_who_are_all_left_out_have_no_empty_file(company: Company) -> None:
    company.selects["customers"] += " where segment = 'none'"
    company.refused("E306", "customers.sql keeps 0 of the 2 rows of accounts")


def test_wide_rows_and_files_that_are_only_looked_up_in_lose_nothing(company: Company) -> None:
    wide = SELECTS["tickets"].replace("id as _id", "id || ':o' as _id")
    again = wide.replace("opened", "closed").replace(":o", ":c") + " where spam = 'true'"
    company.selects["tickets"] = f"{wide} union all by name {again}"
    company.selects["feedback"] = (
        "select a.account as customer_id, t.day as event_at, 'csat' as kind, t.score, t._file, t._line from tickets t join accounts a using (account)"
    )
    run = company.passes()
    assert not [message for message in run.taken.messages if "keeps" in message]
    assert run.taken.counts["tickets"].files == {"tickets.csv": FileRows(8, 8, 0)}, "a row may become several"
    assert run.taken.counts["feedback"].files == {"tickets.csv": FileRows(8, 8, 0), "accounts.csv": FileRows(2)}, "only looked up in"


@pytest.mark.parametrize(
    ("end", "tickets"),
    [("", FileRows(8, 8, 0)), (" where id <> 't1'", FileRows(8, 7, 1)), (" qualify row_number() over (partition by account order by day) = 1", FileRows(8, 2, 6))],
)  # fmt: skip
def test_every_select_and_file_is_counted_whether_it_loses_rows_or_not(company: Company, end: str, tickets: FileRows) -> None:
    company.selects["tickets"] = SELECTS["tickets"] + end
    counts = company.passes().taken.counts
    assert (counts["tickets"].files, counts["customers"].files) == ({"tickets.csv": tickets}, {"accounts.csv": FileRows(2, 2, 0)})
    assert is_balanced(counts["tickets"])
    assert not is_balanced(replace(counts["tickets"], files={"tickets.csv": FileRows(8, 9, -1)}))
    assert not is_balanced(replace(counts["tickets"], files={"tickets.csv": FileRows(8, 7, 0)}))


def test_names_in_capitals_are_the_same_files(company: Company) -> None:
    company.selects["tickets"] = SELECTS["tickets"].replace("from tickets", "FROM TICKETS where ID <> 't1'")
    run = company.passes()
    assert run.taken.counts["tickets"].files == {"tickets.csv": FileRows(8, 7, 1)}
    assert "tickets: the select keeps 7 of the 8 rows of tickets" in run.messages
    assert "1 column that no select reads: tickets (spam)" in run.messages


@pytest.mark.parametrize("read", ["* exclude (account, id, day, spam)", "columns('sco.*')", "tickets.* exclude (account, id, day, spam)"])
def test_a_select_of_everything_reads_everything(company: Company, read: str) -> None:
    company.selects["tickets"] = f"select account as customer_id, id as ticket_id, 'opened' as event, day as event_at, {read} from tickets"
    assert "no select reads" not in company.passes().messages


def test_a_name_with_a_quote_is_read(company: Company) -> None:
    company.files["tickets.csv"] = company.files["tickets.csv"].replace("spam", '"a""b"', 1)
    company.selects["tickets"] = SELECTS["tickets"].replace("score", 'score, "a""b" as subject')
    assert "no select reads" not in company.passes().messages


def test_customers_who_begin_after_everything_get_no_later_date(company: Company) -> None:
    company.files["accounts.csv"] = company.files["accounts.csv"].replace("2024-01", "2031-01")
    line = company.refused("E305", "no customer is known at 2024-03-09").line
    assert "FIX: correct event_at of customers, in the export or in customers.sql: the first begins on 2031-01-0" in line


def test_a_select_that_loses_its_places_is_asked_only_whether_anything_is_left(company: Company) -> None:
    company.selects["tickets"] = SELECTS["tickets"].replace(", _file, _line", "") + " where id <> 't1'"
    run = company.passes()
    assert "keeps" not in run.messages
    assert run.taken.counts["tickets"].files == {"tickets.csv": FileRows(8)}
    company.selects["tickets"] += " and id = 't1'"
    company.refused("E306", "keeps 0 of the 8 rows")


@pytest.mark.parametrize(
    "select",
    [
        "select account as customer_id, min(day) as event_at, min(_file) as _file, arg_min(_line, _line) as _line from tickets group by account",
        "select distinct account as customer_id, '2024-03-01' as event_at from tickets",
        "select account as customer_id, day as event_at, _file, _line from tickets qualify row_number() over (partition by account order by day) = 1",
        "select * exclude (place) from (select account as customer_id, day as event_at, _file, _line, row_number() over (partition by account order by day) "
        "as place from tickets) where place = 1",
        "select account as customer_id, min(day) as event_at, any_value(_file) as _file, min(_line) as _line from tickets group by all",
    ],
)
def test_rows_that_are_gathered_on_purpose_are_not_lost(company: Company, select: str) -> None:
    company.selects["customers"] = select
    company.settings["files"] = {"tickets": "tickets.csv"}
    assert "keeps" not in company.passes().messages
    company.settings["tables"] = {"customers": {"least_kept": 0.5}}
    if "_file" in select:
        company.refused("E306", "keeps 2 of the 8 rows")

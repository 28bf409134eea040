"""Words for "nothing" (NULL, NaN, #N/A): as an empty cell in every column that may be empty, and a text where somebody may be called so."""

from __future__ import annotations

from pathlib import Path

import pytest

from prevenance.sources.declared import Source
from prevenance.sources.files import new_engine, sql_text
from prevenance.sources.intake import intake
from prevenance.sources.nothing import can_be_nothing, is_nothing_sql
from prevenance.sources.taken import Intake, Policy
from prevenance.tables.canonical import AS_WRITTEN, TABLES

WORDS = ["NULL", "None", "nan", "NaN", "NaT", "n/a", "N/A", "NA", "<NA>", "#N/A", "#REF!", "-", "\\N", "   ", "\t"]
SIBLINGS = ["nUlL", "  NULL ", "\u00a0none\t", "na t", "Nancy", "nullable", "-1", "--x", "N/A Ltd", "NATO", "#1", "(none)"]
COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns if can_be_nothing(column)]


def judge(texts: list[str], table: str, column: str) -> list[str]:
    """Return the texts that count as nothing in a column."""
    given = ", ".join(f"({sql_text(one)})" for one in texts)
    query = f"select x from (values {given}) t(x) where {is_nothing_sql('x', TABLES[table].column(column))}"
    return [row[0] for row in new_engine().execute(query).fetchall()]


def take(folder: Path, selects: dict[str, str], timezone: str = "UTC", **files: str) -> Intake:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    source = Source("mine", selects, {name: f"{name}.csv" for name in files}, timezone=timezone)
    return intake(new_engine(), source, folder, dict.fromkeys(TABLES, Policy("quarantine")))


def test_every_word_is_nothing_in_every_column_that_may_be_empty() -> None:
    said = ", ".join(
        f"(select count(*) from (values {', '.join(f'({sql_text(one)})' for one in WORDS)}) t(x) where {is_nothing_sql('x', column)})"
        for _, column in COLUMNS
    )
    found = new_engine().execute(f"select {said}").fetchall()[0]
    named = {(table.name, column.name): n for (table, column), n in zip(COLUMNS, found, strict=True) if n != len(WORDS)}
    assert named == {("customers", "country"): len(WORDS) - 1}  # Namibia
    assert len(COLUMNS) > 30
    assert not {column.name for _, column in COLUMNS} & {*AS_WRITTEN, "customer_id", "ticket_id", "event_at"}


def test_case_and_blanks_around_change_nothing_and_like_words_stay() -> None:
    assert judge(SIBLINGS, "customers", "parent_id") == SIBLINGS[:3]
    assert judge(WORDS, "tickets", "ticket_id") == [one for one in WORDS if one != "NA"]


ACCOUNTS = (
    "id,since,name,segment,country,owner,parent\na,2024-01-01,Null,NA,NA,None,NULL\n"
    "b,2024-01-01,None,SMB,n/a,-, null \nc,2024-01-01,x,SMB,FR,Ann,NaN\nnull,2024-01-01,x,SMB,FR,Ann,\n"
)
CUSTOMERS = "select id as customer_id, since as event_at, name, segment, country, owner, parent as parent_id, _file, _line from accounts"


def test_emptied_cells_are_counted_and_names_stay(tmp_path: Path) -> None:
    taken = take(tmp_path, {"customers": CUSTOMERS}, accounts=ACCOUNTS)
    rows = taken.con.execute("select name, segment, country, owner, parent_id from canonical.customers order by customer_id").fetchall()
    assert rows == [("Null", None, "NA", None, None), ("None", "SMB", None, None, None), ("x", "SMB", "FR", "Ann", None)]
    assert taken.counts["customers"].quarantined == {"customer_id: blank": 1}
    assert taken.words == {("customers", name): n for name, n in {"segment": 1, "country": 1, "owner": 2, "parent_id": 3}.items()}
    assert "customers.parent_id: 3 values such as NaN or #REF! taken as missing" in taken.messages


CONTRACTS = (
    "account,id,start,known,end,row\na,s1,2024-01-01,2024-01-02,NaT,NULL\na,s2,2024-01-03,2024-01-04,2025-01-01, null\n"
    "a,s3,NaT,2024-01-04,,\na,s4,2024-01-03,None,,-\na,s5,2024-01-03,2024-01-04,soon,\n"
)
SUBSCRIPTIONS = (
    "select account as customer_id, id as subscription_id, 'started' as event, start as event_at, known as known_at, end_on as ends_on, "
    'row_id as _id, _file, _line from (select *, "end" as end_on, "row" as row_id from contracts)'
)


def test_an_instant_that_may_be_missing_is_and_one_that_may_not_is_set_apart(tmp_path: Path) -> None:
    taken = take(tmp_path, {"subscriptions": SUBSCRIPTIONS}, contracts=CONTRACTS)
    counts = taken.counts["subscriptions"]
    assert counts.quarantined == {"event_at: not a timestamp": 1, "ends_on: not a timestamp": 1}
    assert counts.excluded == {"no_known_at": 1}
    found = taken.con.execute("select subscription_id, ends_on is null from canonical.subscriptions order by 1").fetchall()
    assert found == [("s1", True), ("s2", False)]  # NULL is no row id that contradicts another
    assert taken.words == {("subscriptions", "known_at"): 1, ("subscriptions", "ends_on"): 1}


@pytest.mark.parametrize("word", ["NULL", "nat"])
def test_a_word_in_an_instant_asks_for_no_zone(tmp_path: Path, word: str) -> None:
    text = CONTRACTS.splitlines()[0] + f"\na,s1,2024-01-01 00:00:00Z,2024-01-02 00:00:00Z,{word},\n"
    taken = take(tmp_path, {"subscriptions": SUBSCRIPTIONS}, timezone="", contracts=text)
    assert taken.counts["subscriptions"].quarantined == {}

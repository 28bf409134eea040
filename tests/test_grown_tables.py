"""Tables of a server that only grow: it is asked for what is new, and the tables, counts and words are those of reading everything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from amount import amount, some
from company import Company
from killed import killed
from pg_server import SECRET, VARIABLE
from test_grown import CUSTOMERS, USAGE, night, plain

from prevenance.base.errors import PrevenanceError
from prevenance.consent import erased
from prevenance.sources import postgres
from prevenance.sources.declared import Source

pytestmark = pytest.mark.long

SOURCE = Source(
    "mine",
    {"customers": CUSTOMERS, "usage": USAGE},
    {"people": "people.csv", "events": {"table": "crm.events", "append": "n"}},
    timezone="Europe/Paris",
    database={"url_env": VARIABLE},
)
BY_INSTANT = replace(SOURCE, files=SOURCE.files | {"events": {"table": "crm.events", "append": "written", "rename": {"written": "at"}}})
OF_VIEW = replace(SOURCE, files=SOURCE.files | {"events": {"table": "crm.seen", "append": "n"}})
OF_QUERY = replace(SOURCE, files=SOURCE.files | {"events": {"query": "select * from crm.events;", "append": "n"}})
MADE = (
    "create table crm.events (n bigint primary key, written timestamptz(3), id text, account text, who text, kind text, moment text, "
    "amount numeric(9,1), note text); create view crm.seen as select n, id, account, who, kind, moment, amount from crm.events"
)


def rows(link: psycopg.Connection, first: int, last: int, **of: str) -> None:
    """Insert the rows numbered from ``first`` to before ``last``; an hour of writing has a hundred of them, the last written first."""
    told = {
        "n": "n", "written": "'2024-05-01'::timestamptz + interval '1 hour' * (n / 100)", "id": "10000 - n", "account": "'a' || n % 5",
        "who": "'u' || n % 7", "kind": "case when n % 3 = 0 then 'use' else 'login' end",
        "moment": "'2024-03-' || lpad((n % 28 + 1)::text, 2, '0') || ' 0' || n % 9 || ':30'", "amount": "n + 0.5", "note": "'x'",
    } | of  # fmt: skip
    link.execute(f"insert into crm.events select {', '.join(told.values())} from generate_series({first}, {last} - 1) n")


def odd(link: psycopg.Connection, first: int) -> None:
    """Insert rows that cannot be used, repeat others or contradict them."""
    rows(link, first, first + 1, moment="'2024-03-31 02:30'", amount="'NaN'")
    rows(link, first + 1, first + 2, moment="'31/02/2024'")
    rows(link, first + 2, first + 3, account="'zz'", who="null")
    rows(link, first + 3, first + 5, account="''", note="E'two\\nlines'")
    rows(link, first + 5, first + 8, id="10000 - 40", who="'u' || n % 2")
    rows(link, first + 8, first + 9, kind="'jump'", moment="'9999-12-31'")


@pytest.fixture
def link(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setenv(VARIABLE, server)
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f"drop schema if exists crm cascade; create schema crm; {MADE}")
        rows(link, 0, 4000)
        odd(link, 4000)
        yield link


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "people.csv").write_text("account,since\n" + "".join(f"a{n},2023-0{n + 1}-01\n" for n in range(5)))
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows the server was asked for, reading by reading."""
    seen, real = [], postgres.load_rows

    def counted(con: Any, entry: Any, *rest: Any) -> Any:
        loaded = real(con, entry, *rest)
        seen.append(con.execute(f"select count(*) from raw.{entry.view}").fetchall()[0][0])
        return loaded

    monkeypatch.setattr(postgres, "load_rows", counted)
    return seen


def tonight(data: Path, asked: list[int], source: Source = SOURCE) -> int:
    """Hold a night against one that knows nothing, and return how many rows it asked for."""
    asked.clear()
    found = night(data, source)
    rows = sum(asked)
    assert found == plain(data, source)
    return rows


def held(data: Path) -> list[Path]:
    return sorted((data.parent / "out" / "memo" / "tables").glob("usage-*"))


def test_a_night_asks_for_what_is_new(data: Path, link: psycopg.Connection, asked: list[int]) -> None:
    for source in (SOURCE, BY_INSTANT, OF_VIEW, OF_QUERY):
        link.execute(f"drop schema crm cascade; create schema crm; {MADE}")
        rows(link, 0, 4000)
        odd(link, 4000)
        assert tonight(data, asked, source) == 4009
        assert tonight(data, asked, source) == 0
        assert len(held(data)) == 2
        rows(link, 5000, 5150)
        assert tonight(data, asked, source) == 150
        if source is not SOURCE:
            continue
        odd(link, 5200)
        assert tonight(data, asked, source) == 9
        people = data / "people.csv"
        people.write_text(people.read_text() + "zz,2023-01-01\n")
        assert tonight(data, asked, source) == 0
        link.execute("vacuum freeze crm.events")
        rows(link, 6000, 6001)
        assert tonight(data, asked, source) == 1
    # far more than there was: what may be kept grows with the rows
    rows(link, 10_000, 40_000)
    assert tonight(data, asked, OF_QUERY) == 30_000
    assert tonight(data, asked, OF_QUERY) == 0
    written = [path for path in data.parent.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


KNOWN_ROWS: dict[str, Callable[[psycopg.Connection], object]] = {
    "an old row is gone": lambda link: link.execute("delete from crm.events where n = 30"),
    "the newest rows are gone": lambda link: link.execute("delete from crm.events where n > 3990"),
    "one is gone and one came between": lambda link: [link.execute("delete from crm.events where n = 30"), rows(link, -1, 0)],
    "one came between": lambda link: rows(link, -1, 0),
    "a row is another": lambda link: link.execute("update crm.events set amount = 7 where n = 40"),
    "a number is another": lambda link: link.execute("update crm.events set n = 4500 where n = 4008"),
    "filled anew": lambda link: [link.execute("truncate crm.events"), rows(link, 0, 4009, account="'a1'")],
    "made anew": lambda link: [link.execute(f"drop table crm.events cascade; {MADE}"), rows(link, 0, 4009, account="'a1'")],
    "none": lambda link: link.execute("delete from crm.events"),
    "a column more": lambda link: link.execute("alter table crm.events add shade text"),
    "a column of another type": lambda link: link.execute("drop view crm.seen; alter table crm.events alter amount type numeric(12,3)"),
    "a column of another name": lambda link: link.execute("alter table crm.events rename note to remark"),
    "a blank number": lambda link: [link.execute("alter table crm.events drop constraint events_pkey, alter n drop not null"), rows(link, 1, 2, n="null")],
}  # fmt: skip


@pytest.mark.parametrize("changes", some(KNOWN_ROWS, 0, 2, 4, 9, 12))
def test_what_did_not_only_grow_is_asked_for_as_a_whole(data: Path, link: psycopg.Connection, asked: list[int], changes: str) -> None:
    tonight(data, asked)
    KNOWN_ROWS[changes](link)
    whole = link.execute("select count(*) from crm.events").fetchall()[0][0]
    assert tonight(data, asked) == whole
    rows(link, 7000, 7010)
    assert tonight(data, asked) == (10 if changes != "a blank number" and whole else whole + 10)
    link.execute("delete from crm.events where n = 50 or n = 7000")
    rows(link, 7010, 7020)
    assert tonight(data, asked) == link.execute("select count(*) from crm.events").fetchall()[0][0]


def test_rows_of_the_newest_instant_that_come_later_are_not_lost(data: Path, link: psycopg.Connection, asked: list[int]) -> None:
    link.execute("delete from crm.events where n >= 3950")
    assert tonight(data, asked, BY_INSTANT) == 3950
    rows(link, 3950, 4050)  # half of them are of the instant that is known
    assert tonight(data, asked, BY_INSTANT) == 4050
    rows(link, 4100, 4120)
    assert tonight(data, asked, BY_INSTANT) == 20
    # among rows of one instant another key gives another order
    link.execute("alter table crm.events drop constraint events_pkey; alter table crm.events add primary key (id, n)")
    assert tonight(data, asked, BY_INSTANT) == 4070
    assert tonight(data, asked, BY_INSTANT) == 0
    rows(link, 4120, 4123, written="null")
    assert tonight(data, asked, BY_INSTANT) == 4073
    assert "events: append: written has no effect: 3 rows have no value there" in plain(data, BY_INSTANT)["messages"]
    assert tonight(data, asked, BY_INSTANT) == 4073
    link.execute("delete from crm.events where written is null")
    assert tonight(data, asked, BY_INSTANT) == 4070
    assert tonight(data, asked, BY_INSTANT) == 0


def test_a_view_that_says_something_else_is_asked_for_as_a_whole(data: Path, link: psycopg.Connection, asked: list[int]) -> None:
    tonight(data, asked, OF_VIEW)
    link.execute("create or replace view crm.seen as select n, id, account, who, 'use' as kind, moment, amount from crm.events")
    assert tonight(data, asked, OF_VIEW) == 4009
    link.execute("delete from crm.events where n = 30")
    assert tonight(data, asked, OF_VIEW) == 4008


def test_another_version_of_the_server_may_write_values_otherwise(
    data: Path, link: psycopg.Connection, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tonight(data, asked)
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", 990000)
    assert tonight(data, asked) == 4009


def test_a_row_too_long_keeps_its_place(data: Path, link: psycopg.Connection, asked: list[int]) -> None:
    rows(link, 4300, 4303, note="case when n = 4301 then repeat('x', 9000000) end")
    tonight(data, asked)
    rows(link, 5300, 5303, note="case when n = 5301 then repeat('x', 9000000) end")
    assert tonight(data, asked) == 2
    assert plain(data, SOURCE)["counts"]["usage"].quarantined["ragged_row"] == 2


def test_whoever_is_erased_or_stands_in_a_wrong_column_leaves_what_is_kept(data: Path, link: psycopg.Connection, asked: list[int]) -> None:
    tonight(data, asked)
    assert len(held(data)) == 2
    rows(link, 7000, 7001, moment="'Anna Schmidt'")
    tonight(data, asked)
    assert not held(data)
    link.execute("delete from crm.events where n = 7000")
    tonight(data, asked)
    assert held(data)
    erased.add_erased(data.parent / "out", "a1")
    night(data, SOURCE)
    assert not held(data)


def test_a_kill_leaves_nothing_that_is_not_whole(data: Path, link: psycopg.Connection, asked: list[int]) -> None:
    out = data.parent / "out"
    night(data, SOURCE)
    shutil.copytree(out, data.parent / "before")
    odd(link, 5000)
    wanted, number = plain(data, SOURCE), 0
    while killed(partial(night, data, SOURCE), number):
        assert night(data, SOURCE) == wanted
        shutil.rmtree(out)
        shutil.copytree(data.parent / "before", out)
        number += amount(4, 1)
    assert number > 8


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    return Company(tmp_path, capsys)


def test_the_column_that_grows_is_named_and_the_fix_works(company: Company, link: psycopg.Connection) -> None:
    link.execute(
        "create table crm.tickets (id int primary key, account text, day date, score int, note text);"
        "insert into crm.tickets select n, 'a', '2024-03-01'::date + n, 4, 'x' from generate_series(1, 9) n; create table crm.words (id text, note text)"
    )
    company.settings["database"] = {"url_env": VARIABLE}
    for append, words in (
        (True, "append of a table names the column that only grows"),
        (["id"], "append of a table names the column that only grows"),
        ("", 'has no column ""'),
        ("idd", 'crm.tickets has no column "idd"; did you mean "id"'),
        ("ID", 'did you mean "id"'),
        ("note", 'append: "note" of type text is no whole number and no instant'),
    ):
        company.settings["files"]["tickets"] = {"table": "crm.tickets", "append": append}
        run = company.refused("E202", "key=files.tickets", words, '"append": "id"')
        company.paste(run.line.partition("write ")[2].partition(" in the source's yaml")[0])
        assert company.passes().count("tickets")[:2] == (9, 9)
    company.settings["files"]["tickets"] = {"table": "crm.tickets", "append": "dayy"}
    company.refused("E202", 'did you mean "day"', '"append": "day"')
    company.settings["files"]["tickets"] = {"table": "crm.tickets", "append": "day"}
    assert company.passes().count("tickets")[:2] == (9, 9)
    company.settings["files"]["tickets"] = {"table": "crm.tickets", "append": False}
    company.passes()
    company.settings["files"]["tickets"] = {"table": "crm.words", "append": "id"}
    run = company.refused("E202", "key=files.tickets", 'write files.tickets: {"table": "crm.words"} in')
    company.settings["files"]["tickets"] = {"path": "tickets.csv", "append": "id"}
    run = company.refused("E202", "key=files.tickets", "append is true or false, and id is none")
    company.paste(run.line.partition("write ")[2].partition(" in the source's yaml")[0])
    company.passes()


def test_a_table_that_cannot_be_asked_does_not_end_the_reading_of_others(
    data: Path, link: psycopg.Connection, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link.execute("drop role if exists reader; create role reader login; grant usage on schema crm to reader")
    monkeypatch.setenv(VARIABLE, server.replace("owner:", "reader:"))
    with pytest.raises(PrevenanceError, match="E401 table=events .*grant select on crm.events"):
        night(data, SOURCE)
    link.execute("drop owned by reader; drop role reader")

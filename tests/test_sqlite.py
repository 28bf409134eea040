"""A SQLite file as a source: the same tables as from files, nothing written beside it, a locked one waited for and then named."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from amount import some
from company import Company

from prevenance.base.errors import PrevenanceError
from prevenance.demo.simulated import write_company
from prevenance.demo.switches import demo_of
from prevenance.sources import raw, sqlite, stream
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import new_engine
from prevenance.sources.intake import intake
from prevenance.sources.raw import file_digests
from prevenance.sources.reading import read_files
from prevenance.sources.taken import FileRows, Intake, Policy
from prevenance.tables.canonical import TABLES

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent


def fill(base: sqlite3.Connection, name: str, path: Path) -> None:
    """Create a table of text columns with the rows of a CSV file; a table that is there gets more rows."""
    con = new_engine()
    names = read_files(con, path.parent, Entry.of("given", path.name)).columns
    columns = [one for one in names if one not in ("_file", "_line")]
    base.execute(f'create table if not exists "{name}" ({", ".join(f"""{chr(34)}{one}{chr(34)} text""" for one in columns)})')
    rows = con.execute("select * exclude (_file, _line) from raw.given order by _line").fetchall()
    base.executemany(f'insert into "{name}" values ({", ".join("?" * len(columns))})', rows)
    base.commit()


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    """A company whose tables are in crm.db."""
    company = Company(tmp_path, capsys)
    inbox = company.write()
    with closing(sqlite3.connect(inbox / "crm.db")) as base:
        fill(base, "accounts", inbox / "accounts.csv")
        fill(base, "tickets", inbox / "tickets.csv")
    for name in company.files:
        (inbox / name).unlink()
    company.files = {}
    company.settings["files"] = {name: {"sqlite": "crm.db", "table": name} for name in ("accounts", "tickets")}
    return company


@pytest.fixture
def base(company: Company) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(company.root / "inbox" / "crm.db", timeout=0)) as base:
        yield base


def loaded(root: Path, **declared: str) -> list[tuple]:
    con = new_engine()
    source = Source("mine", {}, {"asked": declared})
    with raw.raw_reader(con, source, root) as read:
        read(source.entries["asked"])
    return con.execute("select * from raw.asked order by _line").fetchall()


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_table_a_view_and_a_query_read_like_the_file(company: Company, base: sqlite3.Connection) -> None:
    plain = company.passes()
    assert plain.count("tickets")[:2] == (8, 8)
    base.execute('create view "asked for" as select * from tickets where cast(score as int) > 2')
    company.settings["files"]["tickets"] = {"sqlite": "crm.db", "table": "asked for"}
    assert company.passes().count("tickets")[:2] == (2, 2)
    company.settings["files"]["tickets"] = {"sqlite": "crm.db", "query": "select * from tickets where score = '4';"}
    assert company.passes().count("tickets")[:2] == (1, 1)
    company.settings["files"]["tickets"] = {
        "sqlite": "crm.db",
        "query": "select account, id, day, score as s from tickets",
        "rename": {"s": "score"},
    }
    assert company.passes().count("tickets")[:2] == (8, 8)


def test_every_type_becomes_text_and_the_order_is_that_of_the_key_or_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as base:
        base.execute("create table kinds (id integer primary key, n real, t text collate nocase, b blob)")
        base.execute(
            "insert into kinds values (10, 0.1, 'two\nlines, \"q\" é', x'6869'), (9, 1e300, '', null), (9007199254740993, 2, 'B', 7)"
        )
        base.execute("create table words (t text collate nocase, n)")
        base.executemany("insert into words values (?, ?)", [("b", 2), ("B", 1), ("ä", 3), ("a", 2), ("a", 1)])
        base.commit()
    name = "a.db/kinds"
    assert loaded(tmp_path, sqlite="a.db", table="kinds") == [
        ("9", "1e+300", None, None, name, 1),
        ("10", "0.1", 'two\nlines, "q" é', "\\x6869", name, 2),
        ("9007199254740993", "2.0", "B", "7", name, 3),
    ]
    words = loaded(tmp_path, sqlite="a.db", table="words")
    assert [row[:2] for row in words] == [("B", "1"), ("a", "1"), ("a", "2"), ("b", "2"), ("ä", "3")]
    monkeypatch.setattr(stream, "BATCH", 2)
    assert loaded(tmp_path, sqlite="a.db", table="words") == words
    monkeypatch.setattr(stream, "LONGEST_LINE", 1)
    con = new_engine()
    source = Source("mine", {}, {"asked": {"sqlite": "a.db", "table": "words"}})
    with raw.raw_reader(con, source, tmp_path) as read:
        assert read(source.entries["asked"]).ragged == []
    monkeypatch.setattr(stream, "LONGEST_LINE", 0)
    with raw.raw_reader(con, source, tmp_path) as read:
        assert read(source.entries["asked"]).ragged == [("a.db/words", line) for line in range(1, 6)]


def test_all_tables_of_one_file_are_of_one_moment(company: Company, base: sqlite3.Connection) -> None:
    base.execute("pragma journal_mode=wal")
    source = Source("mine", {}, {name: {"sqlite": "crm.db", "table": name} for name in ("accounts", "tickets")})
    con = new_engine()
    with raw.raw_reader(con, source, company.root / "inbox") as read:
        read(source.entries["accounts"])
        base.execute("delete from tickets")
        base.commit()
        read(source.entries["tickets"])
        assert con.execute("select count(*) from raw.tickets").fetchall() == [(8,)]
    assert file_digests(company.root / "inbox", source) == {}, "a file that is written all day stops no run"


def test_nothing_can_be_written(company: Company, base: sqlite3.Connection) -> None:
    before = state(company.root / "inbox")
    for query in (
        "delete from tickets returning *",
        "select 1) ; delete from tickets; select * from (select 1",
        "select 1); attach '/tmp/stolen.db' as stolen --",
    ):
        with pytest.raises(PrevenanceError, match="E306 table=asked|E303 table=asked"):
            loaded(company.root / "inbox", sqlite="crm.db", query=query)
    assert state(company.root / "inbox") == before


def test_what_is_missing_is_named_and_the_fix_works(company: Company, base: sqlite3.Connection) -> None:
    said = company.settings["files"]
    said["tickets"] = {"sqlite": "crm.db", "table": "tikets"}
    company.refused("E401", "table=tickets", "key=files.tickets", "no table tikets", 'did you mean "tickets"')
    said["tickets"] = {"sqlite": "crm.db", "table": 'tickets"; drop table tickets; --'}
    company.refused("E401", "table=tickets")
    said["tickets"] = {"sqlite": "crm.db", "query": "select * from deals"}
    company.refused("E401", "no table deals")
    said["tickets"] = {"sqlite": "crm.db", "query": "select nope from tickets"}
    company.refused("E306", "table=tickets", "no such column: nope")
    said["tickets"] = {"sqlite": "none.db", "table": "tickets"}
    company.refused("E401", "key=files.tickets", "none.db")
    said["tickets"] = {"sqlite": "../inbox/crm.db", "table": "tickets"}
    company.refused("E209", "key=files.tickets")
    said["tickets"] = {"sqlite": "crm.db"}
    run = company.refused("E202", "key=files.tickets")
    company.paste(run.line.partition("write ")[2].partition(" in the source's yaml")[0])
    company.passes()
    base.execute("alter table tickets rename column score to scores")
    run = company.refused("E301", "column=score", "first=crm.db:1", 'did you mean "scores"')
    company.paste(run.line.partition("write ")[2].partition(" in the source's yaml")[0])
    company.passes()


def test_what_is_no_database_or_cut_off_is_refused(company: Company) -> None:
    whole = (company.root / "inbox" / "crm.db").read_bytes()
    damaged = whole[:4096] + b"\x07" * 4096 + whole[8192:]
    for content, words in (
        (b"", "0 bytes"),
        (b"account,since\n", "no SQLite"),
        (whole[:-4096], "cannot be read"),
        (damaged, "cannot be read"),
    ):
        company.files = {"crm.db": content}
        company.refused("E303", "table=accounts", "crm.db", words)
    company.files = {"crm.db": whole}
    company.passes()


def test_text_that_is_not_utf_8_is_named_by_its_column_and_not_repeated(company: Company, base: sqlite3.Connection) -> None:
    base.execute("update tickets set note = cast(x'4AE9726F6D65' as text) where id = 't3'")
    base.commit()
    assert "rome" not in company.refused("E303", "table=tickets", "column=note", "not UTF-8").line


def test_fault_61_a_locked_file_is_waited_for_and_then_named(
    company: Company, base: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connects, waits = sqlite3.connect, []

    def connecting(*given: object, **more: object) -> sqlite3.Connection:
        waits.append(more["timeout"])
        return connects(*given, **(more | {"timeout": 0}))

    monkeypatch.setattr(sqlite.sqlite3, "connect", connecting)
    base.execute("begin exclusive")
    run = company.refused("E402", "table=accounts", "crm.db/accounts is locked", "waited for up to 30 s", "FIX: run again")
    assert run.status == 4
    assert waits == [30.0]
    base.execute("rollback")
    company.passes()


def test_fault_61_a_file_that_changes_while_it_is_copied(
    company: Company, base: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.execute("pragma journal_mode=wal")
    copies, copied = sqlite.shutil.copyfile, []

    def copying(path: Path, place: Path) -> Path:
        copied.append(place)
        os.utime(path, ns=(0, len(copied)))
        return copies(path, place)

    monkeypatch.setattr(sqlite.shutil, "copyfile", copying)
    company.refused("E402", "table=accounts", "being written")
    assert len([place for place in copied if place.name == "copy.db"]) == sqlite.COPIES


@pytest.mark.parametrize("mode", some(["delete", "wal", "wal with a writer"], 0, 2))
def test_fault_62_a_read_only_source_works_and_nothing_is_left_there(company: Company, base: sqlite3.Connection, mode: str) -> None:
    base.execute(f"pragma journal_mode={mode.split()[0]}")
    base.execute("insert into tickets select account, 'new', day, score, note from tickets limit 1")
    base.commit()
    if mode != "wal with a writer":
        base.close()
    inbox = company.root / "inbox"
    before = state(inbox)
    assert ("crm.db-wal" in before) == (mode == "wal with a writer")
    for path in inbox.iterdir():
        path.chmod(0o444)
    inbox.chmod(0o555)
    try:
        assert company.passes().count("tickets")[:2] == (9, 9)
        assert state(inbox) == before
    finally:
        inbox.chmod(0o755)


def test_a_change_that_was_never_finished_is_told(company: Company, base: sqlite3.Connection) -> None:
    inbox = company.root / "inbox"
    base.execute("pragma cache_size=1")
    base.execute("begin exclusive")
    base.execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000) insert into tickets select 'a', i, '2024-01-01', 1, 'x' from n"
    )
    left = {name: (inbox / name).read_bytes() for name in ("crm.db", "crm.db-journal")}
    base.execute("rollback")
    base.close()
    company.files = left
    company.refused("E402", "table=accounts", "in the middle of a change")
    with closing(sqlite3.connect(inbox / "crm.db")) as writer:
        assert writer.execute("select count(*) from tickets").fetchone() == (8,)
    company.files = {}
    company.passes()


def taken(root: Path, declared: dict[str, object]) -> Intake:
    selects = {path.stem: path.read_text() for path in (ROOT / "conf/source/demo").glob("*.sql")}
    shipped = yaml.safe_load((ROOT / "conf/source/demo.yaml").read_text())
    source = Source("shop", selects, declared, "Europe/Paris", static=True, delay_days=shipped["delay_days"])
    return intake(new_engine(), source, root, dict.fromkeys(TABLES, Policy("quarantine")))


def test_the_same_tables_as_from_the_files(tmp_path: Path) -> None:
    write_company(tmp_path, demo_of({"customers": 25, "months": 8, "events": 3_000}))
    shipped = yaml.safe_load((ROOT / "conf/source/demo.yaml").read_text())["files"]
    with closing(sqlite3.connect(tmp_path / "crm.db")) as base:
        for name, pattern in shipped.items():
            for path in sorted(tmp_path.glob(pattern)):
                fill(base, name, path)
    ours, theirs = taken(tmp_path, {name: {"sqlite": "crm.db", "table": name} for name in shipped}), taken(tmp_path, shipped)
    # a file and a table are called otherwise, and a table may be several files: what became of their rows is the same
    for counts in (ours.counts, theirs.counts):
        for one in counts.values():
            rows = [sum(getattr(each, name) or 0 for each in one.files.values()) for name in ("raw", "reached", "dropped")]
            one.files = {"all": FileRows(*rows)}
    assert ours.counts == theirs.counts
    assert sum(one.read for one in ours.counts.values()) > 3_000
    for name in ours.counts:
        query = f"select * from canonical.{name} order by all"
        assert ours.con.execute(query).fetchall() == theirs.con.execute(query).fetchall(), name

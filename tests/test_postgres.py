"""PostgreSQL as a source, on a real server: the same bytes as the files, one read-only snapshot, no secret in any line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from company import Company
from pg_server import SECRET, VARIABLE
from psycopg import sql

from pipelines import score, train
from pipelines.start.run import _guarded
from prevenance.base.errors import PrevenanceError
from prevenance.demo.simulated import write_company
from prevenance.demo.switches import demo_of
from prevenance.runs.commands import PRIVATE
from prevenance.sources import postgres, stream
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import new_engine
from prevenance.sources.reading import read_files

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent


@pytest.fixture
def link(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setenv(VARIABLE, server)
    with psycopg.connect(server, autocommit=True) as link:
        link.execute("drop schema if exists crm cascade; create schema crm")
        yield link


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    return Company(tmp_path, capsys)


def fill(link: psycopg.Connection, name: str, path: Path, separator: str = ",") -> None:
    """Create table crm.<name> of text columns with the rows of a CSV file."""
    con = new_engine()
    names = read_files(con, path.parent, Entry.of("given", {"path": path.name, "delimiter": separator})).columns
    columns = [sql.Identifier(one) for one in names if one not in ("_file", "_line")]
    table = sql.Identifier("crm", name)
    link.execute(
        sql.SQL("create table if not exists {} ({})").format(table, sql.SQL(", ").join(sql.SQL("{} text").format(one) for one in columns))
    )
    rows = con.execute("select * exclude (_file, _line) from raw.given order by _line").fetchall()
    with link.cursor() as cursor, cursor.copy(sql.SQL("copy {} from stdin").format(table)) as copy:
        for row in rows:
            copy.write_row(row)


def tabled(company: Company, link: psycopg.Connection) -> None:
    inbox = company.write()
    for name in ("accounts", "tickets"):
        fill(link, name, inbox / f"{name}.csv")
    company.settings["database"] = {"url_env": VARIABLE}
    company.settings["files"] = {"accounts": {"table": "crm.accounts"}, "tickets": {"table": "crm.tickets"}}


def loaded(view: str, declared: dict[str, str], link: object = None) -> list[tuple]:
    source = Source("mine", {}, {view: declared}, database={"url_env": VARIABLE})
    con = new_engine()
    with postgres.open_snapshot(source) as opened:
        assert opened is not None
        postgres.read_table(con, opened, Entry.of(view, declared))
    return con.execute(f'select * from raw."{view}" order by _line').fetchall()


def test_a_table_a_view_and_a_query_read_like_the_file(company: Company, link: psycopg.Connection) -> None:
    tabled(company, link)
    plain = company.passes()
    assert plain.count("tickets")[:2] == (8, 8)
    link.execute("create view crm.asked as select * from crm.tickets where score::int > 2")
    company.settings["files"]["tickets"] = {"table": "crm.asked"}
    assert company.passes().count("tickets")[:2] == (2, 2)
    company.settings["files"]["tickets"] = {"query": "select * from crm.tickets where score = '4';"}
    assert company.passes().count("tickets")[:2] == (1, 1)


def test_every_type_becomes_text_and_empty_becomes_null(link: psycopg.Connection) -> None:
    link.execute(
        "create table crm.kinds (id int primary key, at timestamptz, day date, n numeric(9,2), f float8, yes boolean, t text, j jsonb, a text[]);"
        "insert into crm.kinds values (10, '2024-07-01 12:00+02', '2024-02-29', 1.50, 0.1, true, E'two\\nlines, \"q\" é', '{\"a\": 1}', '{x,y}'),"
        "(9, null, null, null, 'NaN', false, '', null, null)"
    )
    assert loaded("kinds", {"table": "crm.kinds"}) == [
        ("9", None, None, None, "NaN", "false", None, None, None, "crm.kinds", 1),
        ("10", "2024-07-01 10:00:00+00", "2024-02-29", "1.50", "0.1", "true", 'two\nlines, "q" é', '{"a": 1}', "{x,y}", "crm.kinds", 2),
    ]


def test_the_order_of_rows_is_that_of_their_content(link: psycopg.Connection) -> None:
    rows = [("b", "2"), ("B", "1"), ("ä", "3"), ("a", "2"), ("a", "1")]
    found = []
    for order in (rows, rows[::-1]):
        link.execute('drop table if exists crm."odd name"; create table crm."odd name" (word text, n text)')
        with link.cursor() as cursor:
            cursor.executemany('insert into crm."odd name" values (%s, %s)', order)
        found.append(loaded("words", {"table": "crm.odd name"}))
    assert found[0] == found[1]
    assert [row[0] for row in found[0]] == ["B", "a", "a", "b", "ä"]
    assert [row[3] for row in found[0]] == [1, 2, 3, 4, 5]


def test_batches_change_nothing_and_a_row_too_long_is_set_apart(link: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    link.execute(
        "create table crm.many (id int primary key, word text); insert into crm.many select n, 'w' || n from generate_series(1, 500) n"
    )
    whole = loaded("many", {"table": "crm.many"})
    monkeypatch.setattr(stream, "BATCH", 100)
    assert loaded("many", {"table": "crm.many"}) == whole
    link.execute("update crm.many set word = repeat('x', 9000000) where id = 7")
    con = new_engine()
    declared = {"table": "crm.many"}
    with postgres.open_snapshot(Source("mine", {}, {"many": declared}, database={"url_env": VARIABLE})) as opened:
        assert opened is not None
        assert postgres.read_table(con, opened, Entry.of("many", declared)).ragged == [("crm.many", 7)]
    assert con.execute("select count(*), max(_line) from raw.many").fetchall() == [(499, 500)]


def test_an_empty_table_is_a_header(company: Company, link: psycopg.Connection) -> None:
    tabled(company, link)
    link.execute("delete from crm.tickets")
    assert company.passes().count("tickets")[:2] == (0, 0)
    link.execute("delete from crm.accounts")
    company.refused("E304", "table=customers", "first=crm.accounts:1")


def test_nothing_can_be_written_and_all_tables_are_of_one_moment(link: psycopg.Connection) -> None:
    link.execute("create table crm.one (n int); insert into crm.one values (1); create table crm.two (n int); create sequence crm.counter")
    source = Source("mine", {}, {"one": {"table": "crm.one"}}, database={"url_env": VARIABLE})
    con = new_engine()
    with postgres.open_snapshot(source) as opened:
        assert opened is not None
        postgres.read_table(con, opened, Entry.of("one", {"table": "crm.one"}))
        link.execute("insert into crm.two values (1)")
        postgres.read_table(con, opened, Entry.of("two", {"table": "crm.two"}))
        assert con.execute("select count(*) from raw.two").fetchall() == [(0,)]
    for query in (
        "with gone as (delete from crm.one returning 1) select * from gone",
        "select n from crm.one) as asked; delete from crm.one; select * from (select 1",
        "select set_config('transaction_read_only', 'off', false), nextval('crm.counter')",
    ):
        source = Source("mine", {}, {"one": {"query": query}}, database={"url_env": VARIABLE})
        with pytest.raises(PrevenanceError, match="E306 table=one"):
            loaded("one", source.files["one"])
    assert link.execute("select count(*) from crm.one").fetchall() == [(1,)]


def test_what_is_missing_is_named_and_the_fix_works(company: Company, link: psycopg.Connection) -> None:
    tabled(company, link)
    company.settings["files"]["tickets"] = {"table": "crm.tikets"}
    company.refused("E401", "table=tickets", "key=files.tickets", "no table crm.tikets", 'did you mean "crm.tickets"')
    company.settings["files"]["tickets"] = {"query": "select * from crm.nothing"}
    company.refused("E401", "table=tickets")
    company.settings["files"]["tickets"] = {"query": "select nope from crm.tickets"}
    company.refused("E306", "table=tickets", '"nope" does not exist')
    company.settings["files"]["tickets"] = {"table": 'crm.tickets"; drop table crm.tickets; --'}
    company.refused("E401", "table=tickets")
    link.execute("alter table crm.tickets rename column score to scores")
    company.settings["files"]["tickets"] = {"table": "crm.tickets"}
    run = company.refused("E301", "column=score", "first=crm.tickets:1", 'did you mean "scores"')
    company.paste(run.line.partition("write ")[2].partition(" in the source's yaml")[0])
    company.passes()
    link.execute("alter table crm.tickets rename column scores to score")
    company.settings["files"]["tickets"] = {"table": "crm.tickets"}
    company.passes()


def test_a_user_without_the_right_is_told_which_table(
    company: Company, link: psycopg.Connection, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tabled(company, link)
    link.execute(
        "drop role if exists reader; create role reader login; grant usage on schema crm to reader; grant select on crm.accounts to reader"
    )
    monkeypatch.setenv(VARIABLE, server.replace("owner:", "reader:"))
    company.refused("E401", "table=tickets", "crm.tickets may not be read", "grant select on crm.tickets to the user")
    link.execute("grant select on crm.tickets to reader")
    company.passes()
    link.execute("drop owned by reader; drop role reader")


def test_a_server_that_does_not_answer(company: Company, link: psycopg.Connection, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tabled(company, link)
    for url, words in (
        (server.replace("host=", "host=/nowhere"), "no server answers"),
        (server.replace("owner:", "nobody:"), "user or the password"),
        (server.replace("/postgres?", "/nothing?"), "no such database"),
        (f"not a url {SECRET}", "no server answers"),
    ):
        monkeypatch.setenv(VARIABLE, url)
        run = company.refused("E402", VARIABLE, words)
        assert SECRET not in run.line
        assert "nowhere" not in run.line
        assert "nobody" not in run.line
    monkeypatch.delenv(VARIABLE)
    company.refused("E402", f"{VARIABLE} is not set", f"set {VARIABLE}=")
    monkeypatch.setenv(VARIABLE, server)
    company.passes()
    company.settings["database"] = {"url_env": server}
    run = company.refused("E211", "key=source.database")
    assert SECRET not in run.line
    company.settings["database"] = {"url_env": "the url"}
    company.refused("E202", "key=source.database", "url_env: PREVENANCE_PG_URL")
    company.paste("database: {url_env: PREVENANCE_PG_URL}")
    company.passes()


def test_a_busy_server_is_asked_again_for_half_a_minute(link: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    link.execute("create table crm.one (n int)")
    source = Source("mine", {}, {"one": {"table": "crm.one"}}, database={"url_env": VARIABLE})
    connects, waited, busy = psycopg.connect, [], 3

    def connecting(*given: object, **more: object) -> psycopg.Connection:
        if len(waited) < busy:
            raise psycopg.OperationalError("FATAL: sorry, too many clients already")
        return connects(*given, **more)

    monkeypatch.setattr(psycopg, "connect", connecting)
    with postgres.open_snapshot(source, waited.append) as opened:
        assert opened is not None
    assert waited == [2.0] * 3
    waited.clear()
    busy = 99
    with pytest.raises(PrevenanceError, match="E402.*busy"), postgres.open_snapshot(source, waited.append):
        pass
    assert sum(waited) <= 30


SMALL = ["model=rule", "target=churn", "validation.replicates=20", "capacity=10", "target.horizon_days=60"]
SMALL += ["features.lookbacks=[28,90]", "validation.cutoffs=5", "validation.tests=3"]


@pytest.mark.sweep
def test_the_same_lists_as_from_the_files(tmp_path: Path, link: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    demo, made = tmp_path / "demo", {}
    write_company(demo, demo_of({"customers": 60, "months": 14, "events": 10_000}))
    shipped = yaml.safe_load((ROOT / "conf/source/demo.yaml").read_text())
    shipped.pop("defaults", None)
    shipped |= {"name": "shop"}
    for name, pattern in shipped["files"].items():
        for path in sorted(demo.glob(pattern)):
            fill(link, name, path)
    in_tables = shipped | {"files": {name: {"table": f"crm.{name}"} for name in shipped["files"]}, "database": {"url_env": VARIABLE}}
    for kind, said in (("files", shipped), ("tables", in_tables)):
        conf, out = tmp_path / kind / "source", tmp_path / f"out-{kind}"
        conf.mkdir(parents=True)
        (conf / "shop.yaml").write_text(yaml.safe_dump(said))
        shutil.copytree(ROOT / "conf/source/demo", conf / "shop", ignore=shutil.ignore_patterns("*.yaml"))
        monkeypatch.setenv(PRIVATE, str(tmp_path / kind))
        place = [f"data={demo}"] if kind == "files" else []
        assert _guarded("train", train.body, ["source=shop", *place, f"out={out}", *SMALL]) == 0
        assert _guarded("score", score.body, [f"out={out}", "target=churn"]) == 0
        latest = out / "lists" / "churn" / "latest"
        made[kind] = {name: (latest / name).read_bytes() for name in ("list.csv", "list.json", "features.parquet")}
        written = [path for path in out.rglob("*") if path.is_file()]
        assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert made["files"]["list.csv"].count(b"\n") > 20
    assert made["files"] == made["tables"]

"""Converted tables that are kept: the same rows, counts and words as if the files had been read, or else they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from amount import amount
from killed import killed

from prevenance.base import disk, memo
from prevenance.base.errors import PrevenanceError
from prevenance.consent import erased
from prevenance.history.history import cut_history
from prevenance.sources import copies as module
from prevenance.sources import intake as intakes
from prevenance.sources import kept_rows
from prevenance.sources.copies import Copies, copies_below
from prevenance.sources.declared import Source
from prevenance.sources.files import COLUMNS, new_engine
from prevenance.sources.intake import intake
from prevenance.sources.raw import view_digests
from prevenance.sources.selects import read_select
from prevenance.sources.steady import tables_read
from prevenance.sources.taken import Intake, Policy
from prevenance.tables.canonical import TABLES

USAGE = "select account as customer_id, who as user_id, kind, moment as event_at, amount as quantity, _file, _line from events"
INVOICES = "select account as customer_id, id as invoice_id, 'issued' as event, day as event_at, total as amount, _file, _line from bills where total <> ''"
CUSTOMERS = "select account as customer_id, since as event_at, called as name from people"
SELECTS = {"customers": CUSTOMERS, "usage": USAGE, "invoices": INVOICES}
FILES = {"people": "people.csv", "events": "events*.csv", "bills": {"path": "bills.csv", "decimal": ","}}
SOURCE = Source("mine", SELECTS, FILES, timezone="Europe/Paris")
MANY = {name: Policy("quarantine") for name in TABLES}
EVENTS = "account,who,kind,moment,amount\n" + "".join(
    f"a{n % 5},u{n},login,2024-03-{n % 28 + 1:02d} 0{n % 9}:30,{n}.5\n" for n in range(400)
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "people.csv").write_text("account,since,called\n" + "".join(f"a{n},2023-0{n + 1}-01,Anna {n}\n" for n in range(5)))
    # a word for nothing, a bad time, a ragged row, somebody unknown, an hour that the zone skips, a line that stands there twice
    odd = (
        "a1,u1,login,2024-03-31 02:30,NaN\na2,u1,login,31/02/2024,1\na3,u2,use\nzz,u9,use,2024-04-02 10:00,3\n"
        + 2 * "a1,u7,use,2024-04-01 10:00,3\n"
    )
    (folder / "events-1.csv").write_text(EVENTS)
    (folder / "events-2.csv").write_text(EVENTS.partition("\n")[0] + "\n" + odd)
    bills = "account,id,day,total,currency\n" + "".join(f'a{n % 5},i{n},2024-02-0{n % 9 + 1},"1.20{n % 10},50",EUR\n' for n in range(50))
    (folder / "bills.csv").write_text(bills + "a1,i99,2024-02-01,1.5.5,CHF\na1,i98,2024-02-01,,EUR\n")
    return folder


def night(
    data: Path, source: Source = SOURCE, out: Path | None = None, until: datetime | None = None, **changed: Any
) -> tuple[Intake, Copies]:
    """Return what an intake beside a memo gives, and which tables it held."""
    policies: Mapping[str, Policy] = changed.get("policies", MANY)
    held = copies_below(out or data.parent / "out", data, view_digests(data, source), changed.get("retention", {}))
    return intake(new_engine(), source, data, policies, until=until, copies=held), held


def said(taken: Intake) -> dict[str, Any]:
    """Return everything that an intake gives, rows in their order."""
    found: dict[str, Any] = {
        f"{schema}.{name}": taken.con.execute(f"from {schema}.{name}").fetchall()
        for schema in ("canonical", "quarantine")
        for name in taken.counts
    }
    types = f"select * from {COLUMNS} where place in ('canonical', 'quarantine') order by all"
    return found | {"types": taken.con.execute(types).fetchall()} | {name: one for name, one in vars(taken).items() if name != "con"}


def plain(data: Path, source: Source = SOURCE, until: datetime | None = None, policies: Mapping[str, Policy] = MANY) -> dict[str, Any]:
    return said(intake(new_engine(), source, data, policies, until=until))


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table has so many rows that it is kept as a file of the engine's own."""
    monkeypatch.setattr(kept_rows, "PACKED", 0)
    monkeypatch.setattr(Copies, "room_left", lambda *_: 10**9)


@pytest.mark.parametrize("form", ["parquet", "duckdb"])
def test_what_is_kept_is_what_the_files_give(
    data: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, form: str
) -> None:
    if form == "duckdb":
        request.getfixturevalue("packed")
    before = plain(data)
    assert before["counts"]["usage"].quarantined == {"event_at: not a timestamp": 1, "ragged_row": 1, "unknown_customer": 1}
    assert before["counts"]["usage"].warnings["clock_change"] == 1
    assert before["words"] == {("usage", "quantity"): 1}
    assert before["currencies"] == {"bills.currency": ["EUR", "CHF"]}
    first, cold = night(data)
    again, warm = night(data)
    assert (set(cold.held), set(warm.held)) == (set(), {"usage", "invoices"})  # names of customers stay in their file
    assert {path.name.split("-")[0] for path in (data.parent / "out").rglob(f"*.canonical.{form}")} == {"usage", "invoices"}
    assert said(first) == said(again) == before
    seen: list[str] = []
    real = intakes.raw_reader

    def counted(*given: Any) -> Any:
        seen.append("opened")
        return real(*given)

    monkeypatch.setattr(intakes, "raw_reader", counted)
    monkeypatch.setattr("prevenance.sources.reading.read_csv", lambda *given: pytest.fail("read") if "events" in given[3] else READ(*given))
    assert said(night(data)[0]) == before
    assert seen == ["opened"]


def test_rows_are_removed_from_a_copy_that_is_attached_and_not_from_what_is_kept(data: Path, packed: None) -> None:
    def cut(taken: Intake) -> tuple[dict[str, Any], Any]:
        made, counts = cut_history(taken, datetime(2024, 3, 26), ["a1"], erased=["a2"], keep_days={"usage": 20})
        return {name: made.con.execute(f"from canonical.{name}").fetchall() for name in counts}, counts

    expected, counts = cut(intake(new_engine(), SOURCE, data, MANY))
    assert 50 < len(expected["usage"]) < 200
    for _ in range(3):
        taken, held = night(data)
        found, told = cut(taken)
        assert (found, told) == (expected, counts)
    assert set(held.held) == {"usage", "invoices"}
    assert not list((data.parent / "out").rglob("*.wal"))


READ = __import__("prevenance.sources.reading", fromlist=["read_csv"]).read_csv


@pytest.mark.long
def test_a_copy_takes_no_more_room_than_the_files(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as large:
        large.setattr(kept_rows, "PACKED", 0)  # a file of the engine's own is larger than all of these
        assert not night(data)[1].held
        assert not list((data.parent / "out").rglob("*.duckdb*"))
    night(data)
    held = sum(path.stat().st_size for path in (data.parent / "out").rglob("*.parquet"))
    assert 0 < held <= sum(path.stat().st_size for path in data.iterdir())
    for path in data.iterdir():  # so little that a copy would be larger
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    night(data)
    assert not night(data)[1].held
    assert not list((data.parent / "out").rglob("*.parquet"))


def another_file(data: Path) -> dict[str, Any]:
    path = data / "events-1.csv"
    path.write_text(path.read_text().replace("u17,", "u18,"))
    return {}


def another_name(data: Path) -> dict[str, Any]:
    (data / "events-2.csv").rename(data / "events-3.csv")
    return {}


def of_source(**changed: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda data: {"source": replace(SOURCE, **changed)}


ALLOWED = {**MANY, "usage": Policy("quarantine", required=True, least_kept=0.5)}
CHANGES: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "a cell": ("files", another_file),
    "the name of a file": ("files", another_name),
    "the select": ("source", of_source(selects={**SELECTS, "usage": USAGE.replace("who as", "'u' || who as")})),
    "the zone": ("source", of_source(timezone="America/New_York")),
    "how times are written": ("source", of_source(timestamp_formats=("%Y-%m-%d %M:%H", "%Y-%m-%d"))),
    "how an entry's times are written": (
        "source",
        of_source(files={**FILES, "events": {"path": "events*.csv", "timestamp_formats": ["%Y-%d-%m %H:%M"]}}),
    ),
    "how numbers are written": ("source", of_source(decimal=",")),
    "the delay": ("source", of_source(delay_days={"usage": 2})),
    "a rename": ("source", of_source(files={**FILES, "events": {"path": "events*.csv", "rename": {"who": "who", "kind": "kind"}}})),
    "the policy": ("policy", lambda data: {"policies": ALLOWED}),
    "the code": ("code", lambda data: {}),
    "the contract": ("table", lambda data: {}),
}


@pytest.mark.long
@pytest.mark.parametrize("what", CHANGES)
def test_whatever_a_table_depends_on_is_in_its_key(data: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part, change = CHANGES[what]
    night(data)
    assert "usage" in night(data)[1].held

    def changed() -> dict[str, Any]:
        if what == "the code":
            monkeypatch.setattr(memo, "code_digest", lambda: "another version")
        if what == "the contract":
            monkeypatch.setitem(TABLES, "usage", replace(TABLES["usage"], once=True))
        return change(data)

    # the control first: without that part of the key the stale table would be used
    whole = memo.key_of
    with monkeypatch.context() as less:
        less.setattr(memo, "key_of", lambda parts: whole({name: one for name, one in parts.items() if name != part}))
        night(data)
        given = changed()
        stale, found = night(data, **given)
        assert "usage" in found.held
    expected = plain(data, given.get("source", SOURCE), policies=given.get("policies", MANY))
    assert what in ("the policy", "the code", "a rename") or said(stale) != expected
    now, found = night(data, **given)
    assert "usage" not in found.held
    assert said(now) == expected


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def of_another(path: Path) -> None:
    other = next(one for one in sorted(path.parent.glob(f"*{path.suffix}")) if one.name[:3] not in (path.name[:3], "vie"))
    path.write_bytes(other.read_bytes())


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


WHICH = ("usage-*canonical.parquet", "usage-*canonical.duckdb", "usage-*quarantine.parquet", "usage-*[0-9a-f]", "view-*")
HARMED = [(harm, which) for which in WHICH for harm in (flipped, shortened, of_another, a_folder, Path.unlink)]


@pytest.mark.parametrize(("harm", "which"), [HARMED[0], *(pytest.param(*one, marks=pytest.mark.long) for one in HARMED[1:])])
def test_what_is_damaged_or_gone_is_read_from_the_files(
    data: Path, request: pytest.FixtureRequest, harm: Callable[[Path], None], which: str
) -> None:
    if "duckdb" in which:
        request.getfixturevalue("packed")
    before, out = plain(data), data.parent / "out"
    night(data)
    of_rows = "parquet" in which or "duckdb" in which
    if harm is of_another and not of_rows:
        return  # a record that is whole and of another name: nothing but a person puts it there
    harmed = [one for one in (out / memo.MEMO / "tables").glob(which) if of_rows or not one.suffix]
    assert harmed
    for path in harmed:
        harm(path)
    found, held = night(data)
    assert said(found) == before
    assert ("usage" in held.held) == which.startswith("view")
    assert said(night(data)[0]) == before


@pytest.mark.long
def test_a_row_known_later_is_judged_by_every_night_itself(data: Path) -> None:
    later, early = datetime(2024, 5, 1), datetime(2024, 3, 10)
    night(data, until=early)
    assert not night(data, until=early)[1].held.get("usage")  # rows are known after it: nothing kept
    night(data, until=later)
    assert "usage" in night(data, until=later)[1].held
    found, held = night(data, until=early)
    assert "usage" not in held.held
    assert said(found) == plain(data, until=early)
    assert "usage" in night(data)[1].held


ROWS = ("*.parquet", "*.duckdb")


@pytest.mark.long
@pytest.mark.parametrize("form", ["parquet", "duckdb"])
def test_nothing_is_kept_of_an_erased_customer(data: Path, request: pytest.FixtureRequest, form: str) -> None:
    if form == "duckdb":
        request.getfixturevalue("packed")
    out = data.parent / "out"
    night(data)
    out.mkdir(exist_ok=True)
    erased.add_erased(out, "a3")
    assert list(out.rglob(f"usage-*.canonical.{form}"))
    assert not night(data)[1].held, "what was kept before is not used"
    assert not [one for which in ROWS for one in out.rglob(which)], "nor does it stay"
    assert not night(data)[1].held
    assert not [one for which in ROWS for one in out.rglob(which)]
    erased.add_erased(out, "zz")
    for path in data.glob("*.csv"):
        path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith(("a3", "zz"))))
    night(data)
    assert set(night(data)[1].held) == {"usage", "invoices"}  # gone from the source too


TICKETS = (
    "select account as customer_id, id as ticket_id, 'opened' as event, day as event_at, total as subject, 'Dear ' || id as body, "
    "length(account) as hand, _file, _line from bills where total <> ''"
)


def test_tickets_are_kept_without_what_people_wrote(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote = replace(SOURCE, selects={**SELECTS, "tickets": TICKETS})

    def read(*, whole: bool) -> tuple[dict[str, Any], set[str]]:
        held = copies_below(data.parent / "out", data, view_digests(data, wrote), {})
        return said(intake(new_engine(), wrote, data, MANY, copies=held, whole=whole)), set(held.held)

    def names(found: dict[str, Any]) -> set[tuple[Any, ...]]:
        place = [one.name for one in TABLES["tickets"].columns]
        return {tuple(row[place.index(name)] for name in ("subject", "body", "hand")) for row in found["canonical.tickets"]}

    every, without = plain(data, wrote), said(intake(new_engine(), wrote, data, MANY, whole=False))
    assert len(names(every)) > 40
    assert names(without) == {(None, None, None)}
    assert {name: one for name, one in every.items() if name != "canonical.tickets"} == {
        name: one for name, one in without.items() if name != "canonical.tickets"
    }
    assert read(whole=False) == (without, set())
    assert read(whole=False) == (without, {"usage", "invoices", "tickets"})
    [kept] = (data.parent / "out").rglob("tickets-*.canonical.parquet")
    counted = pd.read_parquet(kept).count()
    assert counted["ticket_id"] > 40
    assert not counted[["subject", "body", "hand"]].any()
    for _ in range(2):  # who reads them has them from the files, and leaves what serves the others
        assert read(whole=True) == (every, {"usage", "invoices"})
        assert list((data.parent / "out").rglob("tickets-*.canonical.parquet")) == [kept]
    assert read(whole=False) == (without, {"usage", "invoices", "tickets"})
    erased.add_erased(data.parent / "out", "a3")
    read(whole=True)
    assert not kept.exists()
    (data.parent / "out" / erased.LIST_FILE).unlink()
    # the control: without that part of the key the empty columns would be taken for all there is
    key = memo.key_of
    monkeypatch.setattr(memo, "key_of", lambda parts: key({name: one for name, one in parts.items() if name != "whole"}))
    read(whole=False)
    assert names(read(whole=True)[0]) == {(None, None, None)}


@pytest.mark.long
def test_a_table_with_a_retention_is_not_kept(data: Path) -> None:
    night(data, retention={"usage": 30, "invoices": None})
    assert set(night(data, retention={"usage": 30, "invoices": None})[1].held) == {"invoices"}


@pytest.mark.parametrize(
    "select",
    [
        f"{USAGE} where account in (select customer_id from canonical.customers)",
        f"{USAGE} where account in (select customer_id from canonical.main.customers)",
        f"pivot ({USAGE}) on 'x' using count(*)",
        f"{USAGE} where account in (select customer_id from query_table('canonical.customers'))",
        f"{USAGE} where account in (select column_name from (describe canonical.customers))",
    ],
)
def test_a_select_that_reads_more_than_its_files_is_not_kept(data: Path, select: str) -> None:
    source = replace(SOURCE, selects={**SELECTS, "usage": select})
    found = Copies(data.parent, view_digests(data, source), 10**6)
    found.open(Intake(new_engine(), {}, []), source, MANY, None, lambda entry, known: ({}, False))
    assert "usage" not in found._paths
    assert "invoices" in found._paths
    assert found.needs(source, "bills"), "which views it reads is not known"


@pytest.mark.parametrize(
    "select",
    [
        f"with firsts as (select account, min(moment) as first from raw.events group by account) select u.* from ({USAGE}) as u "
        "join firsts on account = customer_id",
        USAGE.replace("from events", "from events left join (select distinct account from events) as held using (account)"),
        USAGE.replace("from events", "from (select '' as other) as beside, lateral (select *, other as more from events) as events"),
    ],
)
def test_a_select_that_is_put_together_is_kept_as_any(data: Path, select: str) -> None:
    source = replace(SOURCE, selects={**SELECTS, "usage": select})
    fresh, later = night(data, source)[0], night(data, source)
    assert "usage" in later[1].held
    assert said(fresh) == said(later[0])


@pytest.mark.parametrize("path", sorted(Path("conf/source").glob("*/*.sql")), ids=str)
def test_what_the_selects_of_this_project_read_is_told(path: Path) -> None:
    assert tables_read(new_engine(), read_select(path))


@pytest.mark.long
def test_a_header_that_changes_elsewhere_is_still_asked(data: Path) -> None:
    selects = {**SELECTS, "usage": f"{USAGE} where current_date is not null", "customers": CUSTOMERS.replace("called", "current_date")}
    source, people = replace(SOURCE, selects=selects), data / "people.csv"
    people.write_text(people.read_text().replace("called", "current_date"))
    night(data, source)
    assert "usage" in night(data, source)[1].held
    people.write_text(people.read_text().replace("current_date", "called"))
    with pytest.raises(PrevenanceError, match="usage.sql asks for current_date"):  # a column elsewhere, and a clock where none is called so
        night(data, replace(source, selects={**selects, "customers": CUSTOMERS}))


def change_while_read(patch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Let the events change once they are read, and before all is."""
    real = intakes._look

    def late(con: Any, view: str, loaded: Any) -> None:
        real(con, view, loaded)
        if view == "events":
            change()

    patch.setattr(intakes, "_look", late)


@pytest.mark.long
def test_files_that_change_while_they_are_read_leave_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_while_read(monkeypatch, partial(another_file, data))
    night(data)
    assert not list((data.parent / "out").rglob("*.parquet"))


@pytest.mark.long
def test_what_nobody_asked_for_goes_and_without_a_folder_nothing_is_kept(data: Path) -> None:
    night(data)
    folder = data.parent / "out" / memo.MEMO / "tables"
    (folder / f"{disk.TEMPORARY}usage-0123").write_bytes(b"of a run that was killed")
    before = {path.name for path in folder.glob("usage*")}
    another_file(data)
    night(data)
    assert not before & {path.name for path in folder.iterdir()}
    assert not list(folder.glob(f"{disk.TEMPORARY}*"))
    intake(new_engine(), SOURCE, data, MANY, copies=Copies())
    assert {path.name for path in data.parent.iterdir()} == {"data", "out"}


def test_where_ids_are_hidden_what_was_kept_goes(tmp_path: Path) -> None:
    memo.keep(tmp_path / memo.MEMO / "chances" / "churn" / "of-a-monday", b"names a customer")
    assert copies_below(tmp_path, tmp_path, {}, {}, wanted=False).out is None
    assert (tmp_path / memo.MEMO).is_dir()
    assert copies_below(tmp_path, tmp_path, {}, {}, hidden=True).out is None
    assert not (tmp_path / memo.MEMO).exists()


@pytest.mark.long
def test_a_full_disk_keeps_nothing_and_ends_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "keep_table", lambda *given: (_ for _ in ()).throw(OSError("no space left")))
    assert said(night(data)[0]) == plain(data)
    assert not night(data)[1].held


@pytest.mark.long
@pytest.mark.parametrize("form", ["parquet", "duckdb"])
def test_a_kill_at_any_call_leaves_nothing_that_is_not_whole(data: Path, request: pytest.FixtureRequest, form: str) -> None:
    if form == "duckdb":
        request.getfixturevalue("packed")
    source = replace(SOURCE, selects={"customers": CUSTOMERS, "usage": USAGE}, files={name: FILES[name] for name in ("people", "events")})
    before = plain(data, source)

    number = 0
    while killed(partial(night, data, source, out := data.parent / str(number)), number):
        assert said(night(data, source, out)[0]) == before, number
        assert set(night(data, source, out)[1].held) == {"usage"}
        number += amount(3, 1)
    assert number > 20

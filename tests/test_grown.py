"""Files that only grow: what is new of them is read, and the tables, counts and words are those of reading everything."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from amount import amount, some
from killed import killed
from test_copies import change_while_read, said

from prevenance.consent import erased
from prevenance.sources import grown as module
from prevenance.sources import reading
from prevenance.sources.copies import Copies, copies_below
from prevenance.sources.declared import Source
from prevenance.sources.files import new_engine
from prevenance.sources.intake import intake, intake_beside
from prevenance.sources.raw import view_digests
from prevenance.sources.steady import treats_rows_alone
from prevenance.sources.taken import Policy
from prevenance.tables.canonical import TABLES

HEAD = "id,account,who,kind,moment,amount,note\n"
USAGE = "select account as customer_id, who as user_id, kind, moment as event_at, amount as quantity, id as _id, _file, _line from events"
CUSTOMERS = "select account as customer_id, since as event_at from people"
SOURCE = Source(
    "mine",
    {"customers": CUSTOMERS, "usage": USAGE},
    {"people": "people.csv", "events": {"path": "events*.csv", "append": True}},
    timezone="Europe/Paris",
)
MANY = {name: Policy("quarantine") for name in TABLES}


def rows(first: int, last: int) -> str:
    return "".join(
        f"{n},a{n % 5},u{n % 7},{'login' if n % 3 else 'use'},2024-03-{n % 28 + 1:02d} 0{n % 9}:30,{n}.5,x\n" for n in range(first, last)
    )


ODD = (
    "900,a1,u1,login,2024-03-31 02:30,NaN,an hour that the zone skips\n901,a2,u1,login,31/02/2024,1,x\n902,a3,u2,use\n"
    "903,zz,u9,use,2024-04-02 10:00,3,nobody's\n904,a1,u7,use,2024-04-01 10:00,3,x\n904,a1,u7,use,2024-04-01 10:00,3,twice\n"
    '905,a1,-,use,2024-04-01 10:00,3,"two\nlines"\n906,,u1,use,2024-04-01 10:00,4,x\n907,a1,u1,jump,2024-04-01 10:00,4,x\n908,a1,u1,use,9999-12-31,4,x\n'
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "people.csv").write_text("account,since\n" + "".join(f"a{n},2023-0{n + 1}-01\n" for n in range(5)))
    (folder / "events.csv").write_text(HEAD + ODD + rows(0, 60) + rows(1000, 6000))
    return folder


class Read(list[tuple[str, int]]):
    """How many lines of which file were read, night by night."""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    seen, real = Read(), reading.read_csv

    def counted(con: Any, path: Path, *rest: Any) -> Any:
        if path.name != "people.csv":
            seen.append((path.name, path.read_bytes().count(b"\n")))
        return real(con, path, *rest)

    monkeypatch.setattr(reading, "read_csv", counted)
    return seen


def night(data: Path, source: Source = SOURCE) -> dict[str, Any]:
    def kept(**how: Any) -> Copies:
        return copies_below(data.parent / "out", data, view_digests(data, source), {}, **how)

    return told(intake_beside(kept, source, data, MANY))


def plain(data: Path, source: Source = SOURCE) -> dict[str, Any]:
    return told(intake(new_engine(), source, data, MANY))


def told(taken: Any) -> dict[str, Any]:
    return {name: one for name, one in said(taken).items() if name != "partial"}


def more(data: Path, text: str, name: str = "events.csv") -> None:
    path = data / name
    path.write_text((path.read_text() if path.exists() else HEAD) + text)


GROWN: dict[str, Callable[[Path], object]] = {
    "rows": lambda data: more(data, rows(60, 70)),
    "odd rows": lambda data: more(data, ODD.replace("90", "91")),
    "rows that are there already": lambda data: more(data, rows(10, 20)),
    "odd rows that are there already": lambda data: more(data, ODD),
    "another row of an id": lambda data: more(data, "5,a1,u1,use,2024-03-09 10:00,8,x\n"),
    "the other half of a row": lambda data: more(data, "905,a1,u8,use,2024-04-01 10:00,3,x\n"),
    "a quoted line end": lambda data: more(data, '980,a1,u1,use,2024-04-03 10:00,8,"a\nb"\n981,a1,u1\n982,a1,u1,use,2024-04-32,8,x\n'),
    "a file more": lambda data: more(data, rows(60, 64) + ODD.replace("90", "92"), "events2.csv"),
    "rows and a file more": lambda data: [more(data, rows(60, 66)), more(data, rows(66, 67), "events2.csv")],
    "a customer more": lambda data: more(data, "zz,2023-01-01\n", "people.csv"),
    "a date for none": lambda data: more(data, "970,a1,u1,use,9999-12-31,3,x\n" + "971,a1,u1,use,9999-12-31,3,x\n"),
    "nothing": lambda data: None,
}


@pytest.mark.parametrize("grows", some(GROWN, 0))  # one after the other below
def test_only_what_is_new_is_read_and_the_tables_are_those_of_everything(data: Path, read: Read, grows: str) -> None:
    assert night(data) == plain(data)
    size = (data / "events.csv").read_bytes().count(b"\n")
    read.clear()
    GROWN[grows](data)
    found = night(data)
    new = sum(path.read_bytes().count(b"\n") - 1 for path in data.glob("events*.csv")) - size + 1
    assert sum(lines - 1 for _, lines in read) == new
    read.clear()
    assert found == plain(data)
    # again, and once more after it grew again
    read.clear()
    assert night(data) == found
    assert not read
    more(data, rows(200, 203), max(path.name for path in data.glob("events*.csv")))
    found = night(data)
    assert sum(lines - 1 for _, lines in read) == 3
    assert found == plain(data)


@pytest.mark.long
def test_packed_files_grow_by_a_file_more(data: Path, read: Read) -> None:
    for number in range(2):
        (data / f"events{number}.csv.gz").write_bytes(gzip.compress((HEAD + rows(7000 + 2000 * number, 9000 + 2000 * number)).encode()))
    source = Source(
        "mine", SOURCE.selects, {"people": "people.csv", "events": {"path": "events*.csv*", "append": True}}, timezone="Europe/Paris"
    )
    assert night(data, source) == plain(data, source)
    read.clear()
    (data / "events2.csv.gz").write_bytes(gzip.compress((HEAD + rows(60, 66)).encode()))
    found = night(data, source)
    assert [name for name, _ in read] == ["events2.csv.gz"]
    assert found == plain(data, source)
    (data / "events2.csv.gz").write_bytes(gzip.compress((HEAD + rows(60, 67)).encode()))
    assert night(data, source) == plain(data, source)


def rewrite(data: Path, change: Callable[[str], str], name: str = "events.csv") -> None:
    (data / name).write_text(change((data / name).read_text()))


OTHERWISE: dict[str, Callable[[Path], object]] = {
    "an old row was changed": lambda data: rewrite(data, lambda text: text.replace("59,a4", "59,a3") + rows(60, 70)),
    "an old row is gone": lambda data: rewrite(data, lambda text: text.replace(rows(30, 31), "") + rows(60, 70)),
    "shorter": lambda data: rewrite(data, lambda text: text[: text.index(rows(5000, 5001))]),
    "new rows first": lambda data: rewrite(data, lambda text: text.replace(HEAD, HEAD + rows(60, 70))),
    "another header": lambda data: rewrite(data, lambda text: text.replace("note", "remark") + rows(60, 70)),
    "a file before": lambda data: more(data, rows(60, 70), "events-0.csv"),
    "the header again": lambda data: more(data, HEAD + rows(60, 70)),
    "a total": lambda data: more(data, rows(60, 70) + "Total,,,,,77,\n"),
    "other columns": lambda data: (
        (data / "events2.csv").write_text("id,account,who,kind,moment,amount\n99,a1,u1,use,2024-03-09 10:00,8\n") and None
    ),
    "gone": lambda data: (data / "events.csv").rename(data / "events9.csv") and None,
}


@pytest.mark.long
@pytest.mark.parametrize("changes", some(OTHERWISE, 0, 3, 4, 5))
def test_what_did_not_only_grow_is_read_as_a_whole(data: Path, read: Read, changes: str) -> None:
    night(data)
    OTHERWISE[changes](data)
    assert night(data) == plain(data)
    more(data, rows(300, 302), max(path.name for path in data.glob("events*.csv")))
    assert night(data) == plain(data)


WITHOUT_IDS = USAGE.replace("id as _id, ", "")
NOT_ALONE = {
    "a window": USAGE + " qualify row_number() over (partition by id order by _line) = 1",
    "a group": "select account as customer_id, min(moment) as event_at, kind, count(*)::text as quantity from events group by all",
    "a join": USAGE.replace("account as", "e.account as").replace(
        "_file, _line from events", "e._file, e._line from events e join people p on p.account = e.account"
    ),
    "a look at all": USAGE + " where amount <> (select max(amount) from events)",
    "distinct": USAGE.replace("select", "select distinct"),
    "twice": f"{USAGE} union all by name {USAGE.replace('kind,', chr(39) + 'use' + chr(39) + ' as kind,').replace('id as _id', 'id || chr(39) as _id')}",
    "the first": USAGE + " limit 20",
}


@pytest.mark.parametrize("select", [USAGE, f"{USAGE} where amount <> '7.5'", USAGE.replace("who", "upper(trim(coalesce(who, '')))")])
def test_a_select_that_takes_each_row_by_itself_is_known(select: str) -> None:
    assert treats_rows_alone(new_engine(), select)


@pytest.mark.parametrize("select", NOT_ALONE.values(), ids=[*NOT_ALONE])
def test_so_is_one_that_does_not(select: str) -> None:
    assert not treats_rows_alone(new_engine(), select)


@pytest.mark.long
@pytest.mark.parametrize("way", some(NOT_ALONE, 0, 2))
def test_a_select_that_does_not_take_each_row_by_itself_gets_all_rows(data: Path, read: Read, way: str) -> None:
    source = Source("mine", SOURCE.selects | {"usage": NOT_ALONE[way]}, SOURCE.files, timezone="Europe/Paris")
    night(data, source)
    more(data, rows(60, 70))
    read.clear()
    found = night(data, source)
    assert sum(lines for _, lines in read) > 5000
    whole = plain(data, source)
    assert found["counts"] == whole["counts"]
    said = "events: append: true has no effect: only a select that takes each row of this one entry by itself makes use of it"
    assert said in found["messages"]
    assert found["messages"] == whole["messages"]


@pytest.mark.long
@pytest.mark.parametrize("select", [WITHOUT_IDS, USAGE + " where amount <> '7.5'"])
def test_equal_rows_of_a_table_without_ids_are_found_among_old_and_new(data: Path, select: str) -> None:
    source = Source("mine", SOURCE.selects | {"usage": select}, SOURCE.files, timezone="Europe/Paris")
    assert night(data, source) == plain(data, source)
    for text in (rows(60, 70), rows(61, 63), ODD, rows(0, 60)):
        more(data, text)
        assert night(data, source) == plain(data, source)


@pytest.mark.long
def test_whoever_is_erased_leaves_what_is_kept(data: Path) -> None:
    night(data)
    held = data.parent / "out" / "memo" / "tables"
    assert list(held.glob("usage-*.parquet"))
    erased.add_erased(data.parent / "out", "a1")
    night(data)
    assert not list(held.glob("usage-*"))


@pytest.mark.long
def test_a_name_in_the_wrong_column_is_not_kept(data: Path) -> None:
    held = data.parent / "out" / "memo" / "tables"
    more(data, "990,a1,u1,use,Anna Schmidt,3,x\n")
    night(data)
    assert not list(held.glob("usage-*"))


@pytest.mark.long
def test_growing_in_every_way_one_after_the_other(data: Path, read: Read) -> None:
    for grows in [*GROWN.values()] * amount(1, 2):
        grows(data)
        before = {path.name for path in data.glob("events*.csv")}
        assert night(data) == plain(data), before


@pytest.mark.long
def test_many_parts_become_one_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PARTS", 3)
    held = data.parent / "out" / "memo" / "tables"
    counts = []
    for number in range(7):
        more(data, rows(100 + number, 101 + number))
        assert night(data) == plain(data)
        counts.append(len(list(held.glob("usage-*.parquet"))))
    assert counts == [1, 2, 3, 1, 2, 3, 1]


@pytest.mark.long
@pytest.mark.parametrize("what", ["record", "part", "no part", "another part"])
def test_what_is_damaged_is_read_again(data: Path, what: str) -> None:
    night(data)
    more(data, rows(60, 70))
    night(data)
    held = data.parent / "out" / "memo" / "tables"
    parts = sorted(held.glob("usage-*.parquet"))
    [record] = [path for path in held.glob("usage-*") if path not in parts]
    if what == "record":
        record.write_bytes(record.read_bytes()[:-1])
    elif what == "part":
        parts[1].write_bytes(parts[1].read_bytes()[:-1])
    elif what == "no part":
        parts[1].unlink()
    else:
        parts[1].write_bytes(parts[0].read_bytes())
    more(data, rows(70, 75))
    assert night(data) == plain(data)


@pytest.mark.long
def test_a_full_disk_keeps_nothing_and_ends_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night(data)
    more(data, rows(60, 70))
    with monkeypatch.context() as full:
        full.setattr(module, "written_rows", lambda *given: (_ for _ in ()).throw(OSError("no space left")))
        assert night(data) == plain(data)
    assert night(data) == plain(data)


@pytest.mark.long
def test_files_that_change_while_they_are_read_leave_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changing:
        change_while_read(changing, partial(more, data, rows(60, 70)))
        night(data)
    assert not list((data.parent / "out" / "memo" / "tables").glob("usage-*"))
    assert night(data) == plain(data)


@pytest.mark.long
def test_a_kill_at_any_call_leaves_nothing_that_is_not_whole(data: Path) -> None:
    out = data.parent / "out"
    night(data)
    shutil.copytree(out, data.parent / "before")
    more(data, rows(60, 70) + ODD.replace("90", "91"))
    wanted, number = plain(data), 0
    while killed(partial(night, data), number):
        assert night(data) == wanted
        shutil.rmtree(out)
        shutil.copytree(data.parent / "before", out)
        number += amount(3, 1)
    assert number > 10

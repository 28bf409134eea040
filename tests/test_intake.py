"""Raw files and the intake: nothing guessed, nothing lost, every refusal names the place and the way out."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.history.history import cut_history, newest_known_at
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import new_engine
from prevenance.sources.intake import intake
from prevenance.sources.reading import read_files
from prevenance.sources.taken import Intake, Policy

TICKETS = "select customer as customer_id, id as ticket_id, 'opened' as event, day as event_at, score, _file, _line, id as _id from tickets"


def take(folder: Path, text: str | bytes, select: str = TICKETS, policy: Policy | None = None, **settings: object) -> Intake:
    (folder / "tickets.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    options: dict = {"timezone": "UTC"} | settings
    source = Source("mine", {"tickets": select}, {"tickets": "tickets.csv"}, **options)
    return intake(new_engine(), source, folder, {"tickets": policy or Policy("quarantine")})


def rows(taken: Intake, query: str) -> list:
    return taken.con.execute(query).fetchall()


def test_ids_stay_text(tmp_path: Path) -> None:
    ids = ["00123", str(2**53 + 1), "1e5", "NA", "nano", "a b", "É", "E\u0301"]
    text = "customer,id,day,score\n" + "".join(f"{one},t{n},2024-01-0{n + 1},1\n" for n, one in enumerate(ids))
    taken = take(tmp_path, text)
    assert {row[0] for row in rows(taken, "select customer_id from canonical.tickets")} == set(ids)
    assert taken.counts["tickets"].used == 0
    _, counts = cut_history(taken, newest_known_at(taken))
    assert counts["tickets"].used == len(ids)


def test_bad_rows_are_quarantined_with_file_line_and_reason(tmp_path: Path) -> None:
    text = (
        'customer,id,day,score\na,1,2024-01-01,5\na,2,31/02/2026,5\n,3,2024-01-01,5\na,4,2024-01-01,"five\nsix"\na,5,1970-01-01,5\n'
        "a,6,2024-01-01,1e308\na,7,2024-01-02,NaN\na,8,2024-01-02,#REF!\nb,9,2024-01-02,3,extra\n"
    )
    taken = take(tmp_path, text)
    found = rows(taken, "select _file, _line, reason from quarantine.tickets order by _line")
    assert found == [
        ("tickets.csv", 3, "event_at: not a timestamp"),
        ("tickets.csv", 4, "customer_id: blank"),
        ("tickets.csv", 5, "score: not a number"),
        ("tickets.csv", 7, "event_at: outside 1990..2100"),
        ("tickets.csv", 8, "score: outside -100..100"),
        ("tickets.csv", 11, "ragged_row"),
    ]
    _, counts = cut_history(taken, newest_known_at(taken))
    tickets = counts["tickets"]
    assert (tickets.read, tickets.used) == (9, 3)
    assert tickets.read == tickets.used + sum(tickets.excluded.values()) + sum(tickets.quarantined.values())
    assert any("2 values such as NaN" in message for message in taken.messages)


def test_above_the_limit_the_run_refuses_and_the_fix_works(tmp_path: Path) -> None:
    text = "customer,id,day,score\na,1,2024-01-01,5\na,2,31/02/2026,5\n"
    with pytest.raises(
        PrevenanceError, match=r'tickets column=event_at rows=1 first=tickets.csv:3 — not a timestamp \("31/02/2026"\)'
    ) as refused:
        take(tmp_path, text, policy=Policy())
    assert refused.value.exit_status == 3
    assert "tables.tickets.on_bad_row=quarantine" in refused.value.fix
    assert take(tmp_path, text, policy=Policy("quarantine")).counts["tickets"].quarantined == {"event_at: not a timestamp": 1}


def test_a_personal_value_is_never_printed(tmp_path: Path) -> None:
    select = "select id as customer_id, day as event_at, name, _file, _line from tickets"
    (tmp_path / "tickets.csv").write_text("id,day,name\na,soon,Jane Doe\n", encoding="utf-8")
    source = Source("mine", {"customers": select}, {"tickets": "tickets.csv"}, timezone="UTC")
    with pytest.raises(PrevenanceError, match="not a timestamp|no customer") as refused:
        intake(new_engine(), source, tmp_path, {})
    assert "Jane" not in refused.value.line()


def test_duplicates_count_once_and_conflicts_are_set_apart(tmp_path: Path) -> None:
    text = "customer,id,day,score\na,1,2024-01-01,5\na,1,2024-01-01,5\na,2,2024-01-01,5\na,2,2024-01-01,6\n"
    taken = take(tmp_path, text)
    assert taken.counts["tickets"].excluded == {"duplicate": 1}
    assert taken.counts["tickets"].quarantined == {"conflicting_key": 2}
    assert rows(taken, "select ticket_id from canonical.tickets") == [("1",)]


def test_repeated_purchases_without_an_id_all_count(tmp_path: Path) -> None:
    select = "select customer as customer_id, day as event_at, score as amount, _file, _line from tickets"
    (tmp_path / "tickets.csv").write_text("customer,day,score\na,2024-01-01,5\na,2024-01-01,5\n", encoding="utf-8")
    taken = intake(new_engine(), Source("mine", {"purchases": select}, {"tickets": "tickets.csv"}, timezone="UTC"), tmp_path, {})
    assert taken.counts["purchases"].read == 2
    assert taken.counts["purchases"].excluded == {}


def test_orphans_are_quarantined(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("id,day\na,2024-01-01\n", encoding="utf-8")
    (tmp_path / "tickets.csv").write_text("customer,id,day,score\na,1,2024-01-01,5\nzz,2,2024-01-01,5\n", encoding="utf-8")
    selects = {"customers": "select id as customer_id, day as event_at, _file, _line from accounts", "tickets": TICKETS}
    source = Source("mine", selects, {"tickets": "tickets.csv", "accounts": "accounts.csv"}, timezone="UTC")
    taken = intake(new_engine(), source, tmp_path, {"tickets": Policy("quarantine")})
    assert taken.counts["tickets"].quarantined == {"unknown_customer": 1}
    assert rows(taken, "select _line, customer_id from quarantine.tickets") == [(3, "zz")]


def test_daylight_saving_and_offsets(tmp_path: Path) -> None:
    text = (
        "customer,id,day,score\na,1,2011-07-01 12:00:00,\na,2,2011-01-01 12:00:00,\na,3,2011-03-27 02:30:00,\na,4,2011-10-30 02:30:00,\n"
        "a,5,2011-07-01T12:00:00+05:00,\na,6,2011-07-01T12:00:00Z,\n"
    )
    taken = take(tmp_path, text, timezone="Europe/Rome")
    found = [str(row[0]) for row in rows(taken, "select event_at from canonical.tickets order by ticket_id")]
    assert found == [
        "2011-07-01 10:00:00",
        "2011-01-01 11:00:00",
        "2011-03-27 01:30:00",
        "2011-10-30 01:30:00",
        "2011-07-01 07:00:00",
        "2011-07-01 12:00:00",
    ]


def test_known_at_rules(tmp_path: Path) -> None:
    select = (
        "select customer as customer_id, id as ticket_id, 'opened' as event, day as event_at, known as known_at, _file, _line from tickets"
    )
    text = (
        "customer,id,day,known\na,1,2024-01-01 12:00,2024-01-03\na,2,2024-01-01 12:00,2024-01-01 11:58\na,3,2024-01-01 12:00,2024-01-01 10:00\n"
        "a,4,2024-01-01 12:00,\n"
    )
    taken = take(tmp_path, text, select)
    assert [tuple(map(str, row)) for row in rows(taken, "select ticket_id, known_at from canonical.tickets order by 1")] == [
        ("1", "2024-01-04 00:00:00"),
        ("2", "2024-01-01 12:00:00"),
    ]
    assert taken.counts["tickets"].quarantined == {"known_at: before event_at": 1}
    assert taken.counts["tickets"].excluded == {"no_known_at": 1}


def test_a_declared_delay_becomes_the_second_clock(tmp_path: Path) -> None:
    taken = take(tmp_path, "customer,id,day,score\na,1,2024-01-01,5\n", delay_days={"tickets": 1.5})
    assert str(rows(taken, "select known_at from canonical.tickets")[0][0]) == "2024-01-02 12:00:00"


HEADS = {
    "a line that names the separator": ("sep=;\ncustomer;id;day;score\n", ";", 3),
    "quoted, for a tab": ('"sep=\t"\r\ncustomer\tid\tday\tscore\r\n', "\t", 3),
    "a nameless column": ("customer,id,day,score,\n", ",", 2),
    "a line break in a name": ('customer,id,day,score,"more\nof it"\n', ",", 3),
    "both": ('sep=,\ncustomer,id,day,score,"more\nof it",\n', ",", 4),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_as_spreadsheets_write_them(tmp_path: Path, name: str) -> None:
    head, sign, line = HEADS[name]
    end, width = ("\r\n" if "\r" in head else "\n"), head.splitlines()[-1].count(sign) + (4 if "of it" in head else 0)
    cells = [["a", "1", "2024-01-01", "5"], ["b", "2"], ["c", "3", "soon", "5"], ["d", "4", "2024-01-02", "5"]]
    text = head + end.join(sign.join(row + [""] * (width + 1 - len(row)) if len(row) == 4 else row) for row in cells) + end
    taken = take(tmp_path, text)
    found = rows(taken, "select _line, reason from quarantine.tickets order by 1")
    assert found == [(line + 1, "ragged_row"), (line + 2, "event_at: not a timestamp")]
    assert rows(taken, "select customer_id from canonical.tickets order by 1") == [("a",), ("d",)]


def test_a_name_is_read_whatever_its_capitals_and_signs(tmp_path: Path) -> None:
    select = 'select "Customer_ID", "Ticket_Id" as ticket_id, \'opened\' as event, "Start (UTC)" as "Event_At", "Score %" as SCORE, _file, _line from tickets'
    taken = take(tmp_path, "Customer_ID,Ticket_Id,Start (UTC),Score %,Left €\na,1,2024-01-01,5,6\n", select)
    assert rows(taken, "select customer_id, ticket_id, score from canonical.tickets") == [("a", "1", 5)]
    assert [one for one in taken.messages if "no select reads" in one] == ["1 column that no select reads: tickets (Left €)"]


@pytest.mark.parametrize("policy", [Policy(), Policy("quarantine")])
def test_with_nobody_left_the_rows_say_why(tmp_path: Path, policy: Policy) -> None:
    with pytest.raises(PrevenanceError, match=r'E302 table=tickets column=event_at rows=2 .*not a timestamp \("soon"\)') as refused:
        take(tmp_path, "customer,id,day,score\na,1,soon,5\nb,2,later,5\n", policy=policy)
    assert "quarantine" not in refused.value.fix


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "E303.*empty"),
        (b"customer;id;day;score\na;1;2024-01-01;5\n", r'E303.*"delimiter": ";"'),
        (b"customer\tid\tday\tscore\na\t1\t2024-01-01\t5\n", r'E303.*"delimiter": "\\t"'),
        (b"customer,id,day,score\na,1,2024-01-01,\xff\n", "E303.*not UTF-8 at byte 37"),
        (b'customer,id,day,score\na,1,"2024-01-01,5\nb,2,2024-01-01,5\n', "E303.*tickets.csv:2.*never closed"),
        (b"customer,id,when,score\na,1,2024-01-01,5\n", 'E301.*no column "day"'),
        (b"customer,id,Day_,day,day\na,1,2024-01-01,5,6\n", 'E301.*names "day" twice'),
    ],
)
def test_files_that_are_not_as_declared(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(PrevenanceError, match=message):
        take(tmp_path, content)


def test_bom_crlf_and_gzip_are_accepted(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbfcustomer,id,day,score\r\na,1,2024-01-01,5\r\n"
    assert rows(take(tmp_path, text), "select customer_id from canonical.tickets") == [("a",)]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text))
    con = new_engine()
    read_files(con, tmp_path, Entry.of("t", "t.csv.gz"))
    assert con.execute("select count(*) from raw.t").fetchall() == [(1,)]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text * 2000)[:-20])
    with pytest.raises(PrevenanceError, match="E303.*t.csv.gz"):
        read_files(con, tmp_path, Entry.of("t", "t.csv.gz"))


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.csv", "a/../../secret.csv"])
def test_paths_stay_inside_the_data_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(PrevenanceError, match="E209"):
        read_files(new_engine(), tmp_path, Entry.of("t", path))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "t.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(PrevenanceError, match="E209.*link"):
        read_files(new_engine(), tmp_path / "data", Entry.of("t", "t.csv"))


def test_missing_file_unknown_zone_and_no_zone(tmp_path: Path) -> None:
    with pytest.raises(PrevenanceError, match=r"E401.*key=files.t.*no file at .*nothing.csv"):
        read_files(new_engine(), tmp_path, Entry.of("t", "nothing.csv"))
    with pytest.raises(PrevenanceError, match='E207.*"Europe/Rom".*did you mean "Europe/Rome"'):
        take(tmp_path, "customer,id,day,score\na,1,2024-01-01,5\n", timezone="Europe/Rom")
    with pytest.raises(PrevenanceError, match="E206.*timezone:"):
        take(tmp_path, "customer,id,day,score\na,1,2024-01-01,5\n", timezone="")
    taken = take(tmp_path, "customer,id,day,score\na,1,2024-01-01T00:00:00Z,5\n", timezone="")
    assert taken.counts["tickets"].read == 1


def test_a_renamed_column_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PrevenanceError, match='did you mean "Score_"'):
        take(tmp_path, "customer,id,day,Score_\na,1,2024-01-01,5\n")


def test_row_order_changes_no_digest(tmp_path: Path) -> None:
    from prevenance.history.digests import history_digest

    lines = [f"c{n % 7},{n},2024-01-{n % 28 + 1:02d},{n % 5}" for n in range(50)]
    digests = []
    for order in (lines, lines[::-1]):
        taken = take(tmp_path, "customer,id,day,score\n" + "\n".join(order) + "\n")
        history, _ = cut_history(taken, newest_known_at(taken))
        digests.append(history_digest(history, history.until))
    assert digests[0] == digests[1]


def test_what_is_spilled_lies_in_the_temporary_folder_not_in_the_callers() -> None:
    place = new_engine().execute("select current_setting('temp_directory')").fetchall()[0][0]
    assert Path(place).is_relative_to(tempfile.gettempdir())
    assert not Path(place).is_relative_to(Path.cwd())

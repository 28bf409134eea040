"""What people have is read: Excel workbooks, zip archives, JSON lines; with their own lines and quarantine, and nothing that harms."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Source
from prevenance.sources.files import new_engine
from prevenance.sources.intake import intake
from prevenance.sources.taken import Intake, Policy

USE = "select id as customer_id, day as event_at, 'use' as kind, amount as quantity, _file, _line from use"


def read(folder: Path, entry: Any, policy: Policy | None = None, select: str = USE, **settings: Any) -> Intake:
    source = Source("mine", {"usage": select}, {"use": entry}, **{"timezone": "UTC"} | settings)
    return intake(new_engine(), source, folder, {"usage": policy or Policy("quarantine")})


def refused(folder: Path, entry: Any, *words: str, **settings: Any) -> str:
    with pytest.raises(PrevenanceError) as found:
        read(folder, entry, Policy(), **settings)
    line = found.value.line()
    for word in words:
        assert word in line, line
    return line


def used(taken: Intake) -> list:
    return taken.con.execute("select customer_id, event_at::varchar, quantity::double from canonical.usage order by all").fetchall()


def book(path: Path, *rows: list[Any], more: dict[str, list[list[Any]]] | None = None) -> Path:
    made = openpyxl.Workbook()
    made.active.title = "Use"
    for row in rows:
        made.active.append(row)
    for name, sheet in (more or {}).items():
        page = made.create_sheet(name)
        for row in sheet:
            page.append(row)
    made.save(path)
    return path


def test_a_sheet_is_read_by_what_its_cells_hold(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "use.xlsx"))
    page = made.add_worksheet("Use")
    day, hour = made.add_format({"num_format": "dd.mm.yyyy"}), made.add_format({"num_format": "d/m/yy hh:mm"})
    page.write_row(0, 0, ["id", "day", "amount", "note"])
    page.write_row(1, 0, ["00123"])
    page.write_datetime(1, 1, datetime(2024, 3, 4), day)
    page.write_number(1, 2, 12.5)
    page.write_number(2, 0, 4711)
    page.write_datetime(2, 1, datetime(2024, 3, 4), hour)
    page.write_formula(2, 2, "=1+1", None, 2)
    page.write_row(3, 0, ["b", "31/02/2024", 1])
    page.write_row(6, 0, ["c", "2024-03-05 10:00:00", "#N/A"])
    page.write_blank(40, 3, None, day)
    made.close()
    taken = read(tmp_path, "use.xlsx")
    assert used(taken) == [("00123", "2024-03-04 00:00:00", 12.5), ("4711", "2024-03-04 00:00:00", 2.0), ("c", "2024-03-05 10:00:00", None)]
    known = taken.con.execute("select customer_id, known_at::varchar from canonical.usage order by 1 limit 2").fetchall()
    assert known == [("00123", "2024-03-05 00:00:00"), ("4711", "2024-03-04 00:00:00")], "a date alone is known when its day is over"
    assert taken.con.execute("select _file, _line, reason from quarantine.usage").fetchall() == [
        ("use.xlsx", 4, "event_at: not a timestamp")
    ]
    assert taken.counts["usage"].read == 4


def test_numbers_of_days_in_a_sheet_get_the_line_to_write(tmp_path: Path) -> None:
    book(tmp_path / "use.xlsx", ["id", "day", "amount"], ["a", 45000, 1], ["a", 45000.25, 1])
    line = refused(tmp_path, "use.xlsx", 'not a timestamp ("45000")', "FIX: write strftime(timestamp '1899-12-30'")
    select = USE.replace("day as", line.partition("FIX: write ")[2].partition(" as event_at")[0] + " as")
    assert [row[1] for row in used(read(tmp_path, "use.xlsx", select=select))] == ["2023-03-15 00:00:00", "2023-03-15 06:00:00"]


def test_a_sheet_among_several_is_named(tmp_path: Path) -> None:
    rows = [["id", "day", "amount"], ["a", "2024-03-04", 1], ["a", "x", 1]]
    book(tmp_path / "crm.xlsx", *rows, more={"Accounts": [["id"], ["z"]], "Empty": []})
    refused(
        tmp_path, "crm.xlsx", "crm.xlsx has several sheets: Use, Accounts", 'FIX: write files.use: {"path": "crm.xlsx", "sheet": "Use"}'
    )
    taken = read(tmp_path, {"path": "crm.xlsx", "sheet": "Use"})
    assert taken.con.execute("select _file, _line from quarantine.usage").fetchall() == [("crm.xlsx/Use", 3)]
    refused(tmp_path, {"path": "crm.xlsx", "sheet": "Usage"}, 'has no sheet "Usage"; it has Use, Accounts, Empty', '"sheet": "Use"')
    refused(tmp_path, {"path": "crm.xlsx", "sheet": "Empty"}, "the sheet Empty of crm.xlsx is empty")


def test_a_title_above_the_header_is_skipped_where_that_is_said(tmp_path: Path) -> None:
    rows = [["Report"], [], ["id", "day", "amount"], ["a", "2024-03-04", 1], ["id", "day", "amount"], ["Total", None, 1]]
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.active.merge_cells("A1:C1")
    made.save(tmp_path / "use.xlsx")
    (tmp_path / "use.csv").write_text("Report\n\nid,day,amount\na,2024-03-04,1\nid,day,amount\nTotal,,1\n", encoding="utf-8")
    for name in ("use.xlsx", "use.csv"):
        refused(tmp_path, name, f"first={name}:1", "named in line 3", f'FIX: write files.use: {{"path": "{name}", "skip": 2}}')
        taken = read(tmp_path, {"path": name, "skip": 2}, Policy())
        assert used(taken) == [("a", "2024-03-04 00:00:00", 1.0)]
        assert taken.counts["usage"].excluded == {"no_row": 2}


@pytest.mark.parametrize("skip", [-1, "two", True, 1001])
def test_skip_is_a_number_of_lines(tmp_path: Path, skip: object) -> None:
    (tmp_path / "use.csv").write_text("id,day,amount\n", encoding="utf-8")
    refused(tmp_path, {"path": "use.csv", "skip": skip}, "ERROR E202", "FIX: write files.use")


def test_formulas_that_nobody_worked_out_are_no_blanks(tmp_path: Path) -> None:
    book(tmp_path / "use.xlsx", ["id", "day", "amount"], ["a", "2024-03-04", "=1+1"])
    refused(tmp_path, "use.xlsx", "holds formulas that nobody has worked out", "FIX: open it in a spreadsheet and save it")


def test_rows_wider_than_the_header_are_set_apart_and_names_may_be_missing(tmp_path: Path) -> None:
    book(tmp_path / "use.xlsx", ["id", "day", "", "amount"], ["a", "2024-03-04", "x", 1], ["a", "2024-03-04", "x", 1, "more"])
    taken = read(tmp_path, "use.xlsx")
    assert taken.con.execute("select _file, _line, reason from quarantine.usage").fetchall() == [("use.xlsx", 3, "ragged_row")]
    assert any("nameless_3" in one for one in taken.messages)


@pytest.mark.parametrize("how", ["cut", "no zip", "old", "no sheet", "broken xml", "name"])
def test_workbooks_that_do_not_open(tmp_path: Path, how: str) -> None:
    path = book(tmp_path / "use.xlsx", ["id", "day", "amount"], *[["a", "2024-03-04", n] for n in range(50)])
    whole = path.read_bytes()
    if how == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "no zip":
        path.write_bytes(b"hello\n")
    elif how == "old":
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
        refused(tmp_path, "use.xlsx", "ERROR E303", "an old Excel file (.xls) or one with a password", "save it as .xlsx")
        return
    else:
        changed = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(changed, "w") as new:
            for name in old.namelist():
                text = old.read(name)
                if how == "no sheet" and name.startswith("xl/worksheets"):
                    continue
                new.writestr(name, text[: len(text) // 2] if how == "broken xml" and "sheet1" in name else text)
        path.write_bytes(changed.getvalue())
        if how == "name":  # called otherwise, and still read
            path.rename(tmp_path / "use.csv")
            taken = read(tmp_path, "use.csv")
            assert taken.counts["usage"].read == 50
            assert "use: use.csv is an Excel workbook, and is read as such" in taken.messages
            return
    what = "use.xlsx has no sheet with a row" if how == "no sheet" else "use.xlsx is cut off or damaged"
    refused(tmp_path, "use.xlsx", "ERROR E303", what, "FIX: export the ")


def pack(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return path


JANUARY, FEBRUARY = "id,day,amount\na,2024-01-04,1\na,x,1\n", "id,day,amount\nb,2024-02-04,2\n"


def test_members_of_an_archive_are_one_table(tmp_path: Path) -> None:
    pack(
        tmp_path / "use.zip", {"out/jan.csv": JANUARY, "out/feb.csv": FEBRUARY, "__MACOSX/out/._jan.csv": b"\x00", "out/.DS_Store": b"\x00"}
    )
    taken = read(tmp_path, "use.zip")
    assert [row[0] for row in used(taken)] == ["a", "b"]
    assert taken.con.execute("select _file, _line from quarantine.usage").fetchall() == [("use.zip/out/jan.csv", 3)]
    assert [row[0] for row in used(read(tmp_path, {"path": "use.zip", "member": "feb.csv"}))] == ["b"]
    pack(tmp_path / "use.zip", {"jan.csv": JANUARY, "feb.jsonl": '{"id": "b"}\n'})
    refused(tmp_path, "use.zip", "holds files of several kinds (feb.jsonl, jan.csv)", '"member": "feb.jsonl"')
    refused(tmp_path, {"path": "use.zip", "member": "mar*"}, 'use.zip has no member "mar*" (feb.jsonl, jan.csv)', '"member": "feb.jsonl"')
    book(tmp_path / "use.xlsx", ["id", "day", "amount"], ["x", "2024-03-04", 1])
    pack(tmp_path / "use.zip", {"use.xlsx": (tmp_path / "use.xlsx").read_bytes()})
    assert [row[0] for row in used(read(tmp_path, "use.zip"))] == ["x"]


@pytest.mark.parametrize("how", ["cut", "empty", "password", "leaves", "root", "bomb", "flipped", "nested", "picture", "zero"])
def test_archives_that_cannot_be_trusted(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, words = pack(tmp_path / "use.zip", {"jan.csv": JANUARY * 40}), ["ERROR E303", "FIX: "]
    whole = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(whole[:-30])
        words += ["use.zip is cut off or damaged"]
    elif how == "empty":
        pack(path, {})
        words += ["an archive without a file"]
    elif how == "password":
        for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            whole[whole.index(mark) + place] |= 1
        path.write_bytes(whole)
        words += ["use.zip has a password", "unpack it"]
    elif how in ("leaves", "root"):
        pack(path, {"../../etc/jan.csv" if how == "leaves" else "/etc/jan.csv": JANUARY})
        words += ["holds a file that leaves the archive"]
    elif how == "bomb":
        monkeypatch.setattr("prevenance.sources.archives.UNPACKED", 10_000)
        pack(path, {"jan.csv": JANUARY + "a,2024-01-01,1\n" * 100_000})
        words += ["would unpack to 1,500,0", "no table packs so small"]
    elif how == "flipped":
        place = whole.index(b"jan.csv") + 20
        whole[place] ^= 0xFF
        path.write_bytes(whole)
        words += ["use.zip/jan.csv is cut off or damaged"]
    elif how == "nested":
        pack(path, {"inner.zip": bytes(whole)})
        words += ["holds no table (inner.zip)"]
    elif how == "picture":
        pack(path, {"logo.png": b"\x89PNG"})
        words += ["holds no table (logo.png)", "export the table as CSV"]
    else:
        pack(path, {"jan.csv": b""})
        words += ["jan.csv is empty (0 bytes)"]
    refused(tmp_path, "use.zip", *words)
    assert not [one for one in tmp_path.rglob("*") if one.name not in ("use.zip",)]


@pytest.mark.parametrize("name", ["use.jsonl", "use.ndjson", "use.csv", "use.json"])
def test_one_object_a_line(tmp_path: Path, name: str) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "00123", "day": "2024-03-04", "amount": 1.5, "who": {"name": 'Ö "x"', "tags": ["a", 1]}},
        {"day": "2024-03-05T10:00:00Z", "id": 500034000000000001, "amount": None, "late/key~": True},
        {"id": "b", "day": "31/02/2024", "amount": 1},
    ]
    lines = [json.dumps(one, ensure_ascii=False) for one in rows]
    (tmp_path / name).write_text("\n".join([*lines[:2], "", lines[2], '{"id": "cut', "[1]"]) + "\n", encoding="utf-8")
    select = USE.replace("from use", """from use where "late/key~" is distinct from 'x' and coalesce(who ->> '$.tags[0]', 'a') = 'a'""")
    taken = read(tmp_path, name, select=select)
    assert used(taken) == [("00123", "2024-03-04 00:00:00", 1.5), ("500034000000000001", "2024-03-05 10:00:00", None)]
    found = taken.con.execute("select _file, _line, reason from quarantine.usage order by 2").fetchall()
    assert found == [(name, 4, "event_at: not a timestamp"), (name, 5, "ragged_row"), (name, 6, "ragged_row")]


def test_json_in_other_forms(tmp_path: Path) -> None:
    rows = [{"id": "a", "day": "2024-03-04", "amount": n} for n in (1, 2)]
    (tmp_path / "use.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    taken = read(tmp_path, "use.json")
    assert [row[2] for row in used(taken)] == [1.0, 2.0]
    (tmp_path / "use.json").write_text(json.dumps({"data": rows}, indent=1), encoding="utf-8")
    refused(tmp_path, "use.json", "ERROR E303", "one JSON object over several lines", "jq -c '.[]' use.json > use.jsonl")
    (tmp_path / "use.jsonl").write_text("{}\n{}\n", encoding="utf-8")
    refused(tmp_path, "use.jsonl", "holds no JSON object with a key")
    (tmp_path / "use.db").write_bytes(b"SQLite format 3\x00" + bytes(100))
    refused(tmp_path, "use.db", "is a SQLite database", 'FIX: write files.use: {"sqlite": "use.db"')


def test_files_of_one_entry_may_write_in_their_own_way(tmp_path: Path) -> None:
    (tmp_path / "de.csv").write_text('id,day,amount\na,04.03.2024 10:00,"1.250,5"\n', encoding="utf-8")
    (tmp_path / "us.csv").write_text("id,day,amount\nb,2024-03-04 10:00:00,1250.5\n", encoding="utf-8")
    select = f"{USE} union all by name {USE.replace('from use', 'from us')}"

    def taken(**own: Any) -> Intake:
        files = {"use": {"path": "de.csv"} | own, "us": "us.csv"}
        source = Source("mine", {"usage": select}, files, timezone="Europe/Berlin", static=True)
        return intake(new_engine(), source, tmp_path, {"usage": Policy()})

    both = used(taken(decimal=",", timestamp_formats=["%d.%m.%Y %H:%M"]))
    assert both == [("a", "2024-03-04 09:00:00", 1250.5), ("b", "2024-03-04 09:00:00", 1250.5)]
    utc = used(taken(decimal=",", timestamp_formats=["%d.%m.%Y %H:%M UTC", "%d.%m.%Y %H:%M"]))
    assert utc == both
    select = select.replace(", _file, _line", "")
    with pytest.raises(PrevenanceError, match=r"usage.sql gives no _file, and de.csv is written in a way of its own.*add _file, _line"):
        taken(decimal=",")


@pytest.mark.parametrize(
    ("written", "told"),
    [("%d.%m.%Q", "cannot be read"), ("%d.%m.%Y %Z", "names of zones"), ("DD.MM.YYYY", "reads no time"), ("%", "reads no time")],
)
@pytest.mark.parametrize("where", ["source", "entry"])
def test_a_format_that_reads_nothing_is_refused(tmp_path: Path, written: str, told: str, where: str) -> None:
    (tmp_path / "use.csv").write_text(JANUARY, encoding="utf-8")
    if where == "source":
        refused(tmp_path, "use.csv", "ERROR E202 key=source.timestamp_formats", told, "FIX: write it as in", timestamp_formats=(written,))
    else:
        refused(tmp_path, {"path": "use.csv", "timestamp_formats": [written]}, "ERROR E202 key=files.use.timestamp_formats", told)


def test_words_below_a_table_are_left_out_and_a_cut_file_is_not_taken_for_them(tmp_path: Path) -> None:
    path = tmp_path / "use.csv"
    path.write_text('id,day,amount\na,2024-01-04,1\n"Copyright, 2024"\nGenerated by: bot\n', encoding="utf-8")
    taken = read(tmp_path, "use.csv", Policy())
    assert taken.counts["usage"].excluded == {"no_row": 2}
    assert "use: 2 lines of words below the table are left out (first use.csv:3)" in taken.messages
    path.write_text("id,day,amount\na,2024-01-04,1\na,2024-01-05,1\n20", encoding="utf-8")
    assert read(tmp_path, "use.csv").counts["usage"].quarantined == {"ragged_row": 1}
    path.write_text("id,day,amount\nTotal,2024-01-04,1\nTotal,2024-01-05,1\n", encoding="utf-8")
    assert read(tmp_path, "use.csv").counts["usage"].excluded == {}, "a customer may be called so"


@pytest.mark.parametrize(
    "line", ["Anzahl Kunden: 250,,", "Nombre de clients : 250,,", "Rows: 2,,", "Exported 2025-12-31,,", "Número de filas: 2,,"]
)
def test_a_line_that_says_how_many_there_are_is_no_row(tmp_path: Path, line: str) -> None:
    path = tmp_path / "use.csv"
    path.write_text(f"id,day,amount\na,2024-01-04,1\nb,2024-01-05,1\n{line}\n", encoding="utf-8")
    counts = read(tmp_path, "use.csv", Policy()).counts["usage"]
    assert (counts.excluded, counts.quarantined) == ({"no_row": 1}, {})
    path.write_text("id,day,amount\na,2024-01-04,1\nCount Basie,2024-01-05,1\n", encoding="utf-8")
    assert read(tmp_path, "use.csv").counts["usage"].excluded == {}, "a customer may be called so"


def test_files_of_one_entry_with_other_columns_are_told(tmp_path: Path) -> None:
    (tmp_path / "use-1.csv").write_text("id,day,amount\na,2024-01-04,1\n", encoding="utf-8")
    (tmp_path / "use-2.csv").write_text("id,day,amount_eur\na,2024-02-04,1\n", encoding="utf-8")
    told = read(tmp_path, "use-*.csv").messages
    assert (
        "use: use-2.csv has no amount, which other files have, and alone has amount_eur: renamed? rename: in an entry of its own mends that"
        in told
    )
    (tmp_path / "use-2.csv").write_text(
        'id,day,amount\na,2024-02-04,1\n\n\n"Grand total","60 records"\n"with ""owner"""\n', encoding="utf-8"
    )
    assert read(tmp_path, "use-*.csv", Policy()).counts["usage"].excluded == {"no_row": 2}

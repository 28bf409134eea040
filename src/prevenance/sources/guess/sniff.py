"""Which tables lie in a folder of exports, and how each is written: separator, encoding, lines above the header, sheets, members of archives."""

import codecs
import csv
import glob
import io
import re
import unicodedata
from collections import Counter
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from prevenance.base.errors import PrevenanceError
from prevenance.sources.alphabets import file_encoding, open_unpacked
from prevenance.sources.archives import members, unpacked
from prevenance.sources.declared import Entry
from prevenance.sources.kinds import CSV, SHEET, SUFFIXES, ZIP, file_kind

LOOKED_AT, MOST_FILES = 200_000, 200
"""Bytes of a file that tell how it is written, and files of a folder that are looked at."""

READABLE = tuple(end for some in SUFFIXES.values() for end in some)


def exported_files(data: Path) -> list[str]:
    """Return the files of a folder that may be tables, as paths below it."""
    names = [path.relative_to(data).as_posix() for path in sorted(data.rglob("*")) if path.is_file()]
    kept = [one for one in names if one.lower().removesuffix(".gz").endswith(READABLE)]
    return [one for one in kept if not any(part.startswith((".", "~$", "__MACOSX")) for part in one.split("/"))][:MOST_FILES]


def written_entries(data: Path, name: str) -> list[dict[str, Any]]:
    """Return an entry of ``files`` for each table in a file.

    Raises:
        PrevenanceError: E303 for a file that cannot be read, with what to do.
    """
    path, own = data / name, {"path": glob.escape(name)}
    entry = Entry("file", own)
    kind = file_kind(path, entry, [])
    if kind == SHEET:
        return [own | more for more in _sheets(path)]
    if kind != ZIP:
        return [own | (_csv_keys(path, entry) if kind == CSV else {})]
    # members are packed tables: each by its own, because an archive of a whole account holds several
    with_names = Entry("file", own | {"member": "*.*"})
    found = []
    for member in members(path, with_names):
        with unpacked(path, member, with_names) as copy:
            inner = file_kind(copy, entry, [])
            keys = _sheets(copy) if inner == SHEET else [_csv_keys(copy, entry) if inner == CSV else {}]
        found += [own | {"member": glob.escape(PurePosixPath(member).name)} | more for more in keys]
    return found


def _csv_keys(path: Path, entry: Entry) -> dict[str, Any]:
    """Return ``encoding``, ``delimiter`` and ``skip`` of a CSV file, where they are not the usual ones."""
    with open_unpacked(path) as stream:
        start = stream.read(LOOKED_AT)
    keys: dict[str, Any] = {}
    coding = file_encoding(path, entry) or "utf-8-sig"
    try:
        text = codecs.getincrementaldecoder(coding)().decode(start)  # the last letter may be cut
    except UnicodeDecodeError:
        text = start.decode("cp1252", errors="replace")
        keys["encoding"] = "cp1252"
    if re.match(r"sep=.\s*\n", text):
        return keys
    shapes = {sign: _shape(text, sign) for sign in ",;\t|"}
    # the sign that gives most lines the same number of cells, and of those the one with most cells
    sign = max(shapes, key=lambda one: (shapes[one][0] > 1, round(shapes[one][1], 1), shapes[one][0]))
    keys |= {"delimiter": "\\t" if sign == "\t" else sign} if sign != "," and shapes[sign][0] > 1 else {}
    return keys | ({"skip": shapes[sign][2]} if shapes[sign][2] else {})


def _shape(text: str, sign: str) -> tuple[int, float, int]:
    """Return the usual number of cells of a line, the share of lines that have it, and how many lines stand above the first of those."""
    reader, seen, before = csv.reader(io.StringIO(text, newline=""), delimiter=sign), [], 0
    try:
        for cells in reader:
            seen.append((len(cells), before, sum(map(bool, map(str.strip, cells)))))
            before = reader.line_num
            if len(seen) == 200:
                break
    except csv.Error:
        pass
    filled = [one for one in seen if one[0]]
    if not filled:
        return 0, 0.0, 0
    width = Counter(cells for cells, *_ in filled[:-1] or filled).most_common(1)[0][0]
    wide = [(line, held) for cells, line, held in filled if cells == width]
    # a spreadsheet fills up the title above a table with blank cells
    head = next((line for line, held in wide if 2 * held > width), wide[0][0])
    return width, len(wide) / len(filled), head


def _sheets(path: Path) -> list[dict[str, Any]]:
    """Return ``sheet`` and ``skip`` of each visible sheet that holds a table."""
    import openpyxl

    found, filled = [], 0
    with path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)) as book:
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = [[cell for cell in cells if cell is not None] for cells in sheet.iter_rows(max_row=40, values_only=True)]
            widths = Counter(len(one) for one in rows if len(one) > 1)
            filled += sheet.sheet_state == "visible" and any(rows)
            if sheet.sheet_state == "visible" and sum(widths.values()) > 1:
                # the header is the first row that is about as wide as the rows below it
                wide = widths.most_common(1)[0][0]
                found.append({"sheet": sheet.title, "skip": next(place for place, one in enumerate(rows) if len(one) >= wide)})
    alone = filled == 1  # the reader asks which, where several hold something
    return [{key: value for key, value in one.items() if (key == "sheet" and not alone) or (key == "skip" and value)} for one in found]


def view_name(title: str, taken: set[str]) -> str:
    """Return a name for a table in selects, made of its file's, that no other has."""
    name = re.sub(r"\W+", "_", _latin(title), flags=re.ASCII).strip("_")[:40] or "file"
    name = f"t_{name}" if name[0].isdigit() else name
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"})


def _latin(text: str) -> str:
    """Return a text in small letters without accents, with umlauts as they are written without dots.

    >>> _latin("Verträge"), _latin("Données"), _latin("Año"), _latin("Vertra\u0308ge")
    ('vertraege', 'donnees', 'ano', 'vertraege')
    """
    spelt = unicodedata.normalize("NFC", text.lower()).translate(LETTERS)
    return "".join(one for one in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(one))


def title_of(given: dict[str, Any]) -> str:
    """Return what a table is called by people: its sheet, its member, else its file, without the end."""
    path = str(given.get("member") or given["path"])
    stem = re.sub(r"(\.gz)?$", "", re.sub(r"\[(.)\]", r"\1", PurePosixPath(path).name)).rpartition(".")[0]
    # a sheet called Sheet1 says nothing, its workbook does
    return str(given["sheet"]) if "sheet" in given and not re.match(r"(?i)(sheet|tabelle|feuil|hoja)\w*\s?\d*$", given["sheet"]) else stem


def joined_pattern(names: list[str], others: list[str]) -> str | None:
    """Return one pattern that names these files and none of the others, or ``None``."""
    head = re.sub(r"\d+$", "", _common(names))
    rest = [one[len(head) :][::-1] for one in names]
    tail = re.sub(r"^\d+", "", _common(rest)[::-1])
    said = re.compile(f"{re.escape(head)}[^/]*{re.escape(tail)}")
    return f"{glob.escape(head)}*{glob.escape(tail)}" if all(map(said.fullmatch, names)) and not any(map(said.fullmatch, others)) else None


def _common(names: list[str]) -> str:
    """Return the letters that all names begin with."""
    low, high = min(names), max(names)
    return low[: next((place for place, (one, two) in enumerate(zip(low, high, strict=False)) if one != two), len(low))]


def refusal_text(name: str, problem: PrevenanceError) -> tuple[str, str]:
    """Return that a file was not read, and what to do."""
    return f"{name} was not read: {problem.what}.", f"{problem.fix[:1].upper()}{problem.fix[1:]}, or leave it out."

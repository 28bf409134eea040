"""One customer taken out of one file, by its kind: rows by their field, never by a part of a text; then every mention of them."""

import csv
import gzip
import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prevenance.base.formats import json_lines_bytes, neutral_text, table_bytes
from prevenance.publish.block import _ESCAPES
from prevenance.publish.digest import markdown_text
from prevenance.sources.record import CUSTOMER_COLUMNS, customer_places

NOBODY = "…"
"""What stands where somebody was named."""


@dataclass(frozen=True)
class Person:
    """Who is to go: the id, texts that name nobody else (name, e-mail), ids of things that were theirs alone (contracts, tickets), pseudonym."""

    customer: str
    named: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()
    pseudonym: str = ""

    @cached_property
    def marks(self) -> list[str]:
        """Return the texts that give the person away wherever they stand: the names, and the id unless it could be any number."""
        length, zero = len(self.customer), self.customer.startswith("0")
        # "4711" is a price as well; "C-47", "04711" and "47114711" are hardly ever anything but this id
        telling = length >= 8 or (length >= 4 and zero) or (length >= 3 and re.search(r"[^\d.]", self.customer))
        told = ({self.customer} if telling else set()) | self.named | ({self.pseudonym} - {""})
        return sorted(told, key=lambda one: (-len(one), one))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return what finds a mark as a whole word, in text, HTML, JSON or Markdown; without marks it finds nothing."""
        spelt = {
            form
            for one in self.marks
            for form in (one, html.escape(one), html.escape(one, quote=False), json.dumps(one)[1:-1], markdown_text(one))
        }
        # the longest first: of two names that begin alike the whole one must go
        words = "|".join(re.escape(one) for one in sorted(spelt, key=len, reverse=True))
        return re.compile(rf"(?<![\w.-])(?:{words})(?![\w]|-\d)" if words else r"(?!)")

    def is_it(self, cell: object) -> bool:
        """Return whether a cell is the id, as it stands or made safe for a spreadsheet, or its pseudonym."""
        return cell not in (None, "") and str(cell) in (self.customer, neutral_text(self.customer), "'" + self.customer, self.pseudonym)

    def scrubbed(self, text: str) -> str:
        """Return a text that mentions the person no more."""
        return self.pattern.sub(NOBODY, text)


Removed = tuple[bytes, int]
"""What a file holds now, and how many rows went."""


def without_person(name: str, content: bytes, person: Person) -> Removed:
    """Return a file without a person; content of an unknown kind that is no text stays as it is."""
    ending = name.lower().rpartition("/")[2].partition(".")[2]
    for last, remove in _KINDS.items():
        if ending.endswith(last):
            return remove(content, person)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content, 0
    return person.scrubbed(text).encode(), 0


def csv_rows(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig", errors="replace"), newline="")))


def _csv(content: bytes, person: Person) -> Removed:
    text = content.decode("utf-8-sig", errors="replace")
    header, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    keys, ids = customer_places(header), [place for place, name in enumerate(header) if name.endswith("_id")]

    def is_theirs(row: list[str]) -> bool:
        if keys:
            return any(person.is_it(row[key]) for key in keys if key < len(row))
        # a table without a column of customers holds things that were theirs alone, such as the changes of a contract
        return any(row[place] in person.linked for place in ids if place < len(row))

    kept = [
        ["" if person.is_it(cell) and place in ids else person.scrubbed(cell) for place, cell in enumerate(row)]
        for row in rows
        if not is_theirs(row)
    ]
    if kept == rows:
        return content, 0
    written = io.StringIO()
    ending, quoted = "\r\n" if "\r\n" in text else "\n", text.startswith('"')
    writer = csv.writer(written, lineterminator=ending, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([header, *kept])
    return written.getvalue().encode(), len(rows) - len(kept)


def _gzip(content: bytes, person: Person) -> Removed:
    held = gzip.decompress(content)
    found, rows = _csv(held, person)
    return (content, 0) if found == held else (gzip.compress(found, mtime=0), rows)


def _parquet(content: bytes, person: Person) -> Removed:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    key = next((one for one in CUSTOMER_COLUMNS if one in table.column_names), None)
    if key is None:
        return content, 0
    theirs = pc.is_in(table[key].cast(pa.string()), pa.array([person.customer, *({person.pseudonym} - {""})]))
    kept = table.filter(pc.invert(theirs))
    gone = table.num_rows - kept.num_rows
    return (table_bytes(kept), gone) if gone else (content, 0)


def _json(content: bytes, person: Person) -> Removed:
    try:
        held = json.loads(content)
    except (ValueError, RecursionError):
        # what calls itself JSON and is none is text that may name somebody
        return person.scrubbed(content.decode(errors="replace")).encode(), 0
    count = [0]
    found = _without(held, person, count)
    if found == held:
        return content, 0
    # written again as it was: by the line where it was by the line
    if isinstance(found, list) and content.startswith(b"[\n{"):
        return json_lines_bytes(json.dumps(row, ensure_ascii=False) for row in found), count[0]
    return (json.dumps(found, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode(), count[0]


def _without(value: Any, person: Person, count: list[int]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, person, count) for key, each in value.items() if not person.is_it(key)}
    if isinstance(value, list):
        kept = [one for one in value if not (isinstance(one, dict) and any(person.is_it(one.get(key)) for key in CUSTOMER_COLUMNS))]
        count[0] += len(value) - len(kept)
        return [_without(one, person, count) for one in kept if not (isinstance(one, str) and person.is_it(one))]
    return person.scrubbed(value) if isinstance(value, str) else value


def _xlsx(content: bytes, person: Person) -> Removed:
    from openpyxl import load_workbook

    book, count, changed = load_workbook(io.BytesIO(content)), 0, False
    for sheet in book.worksheets:
        heads = [cell.value for cell in sheet[1]] if sheet.max_row else []
        key = next((heads.index(one) + 1 for one in CUSTOMER_COLUMNS if one in heads), None)
        gone = [row for row in range(2, sheet.max_row + 1) if key and person.is_it(sheet.cell(row, key).value)]
        # from below: a deleted row moves those under it
        for row in reversed(gone):
            sheet.delete_rows(row)
        for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)):
            if (text := person.scrubbed(str(cell.value))) != cell.value:
                cell.value, changed = text, True
        if gone and sheet.auto_filter.ref:
            sheet.auto_filter.ref = sheet.dimensions
        count += len(gone)
    if not count and not changed:
        return content, 0
    written = io.BytesIO()
    book.save(written)
    return written.getvalue(), count


_BLOCK = re.compile(r'(?<=<script type="application/json" id="block">)(.*?)(?=</script>)', re.DOTALL)
_ROW = re.compile(r"<tbody.*?(?=<tbody|</table>)", re.DOTALL)


def _html(content: bytes, person: Person) -> Removed:
    text, count = content.decode(errors="replace"), 0
    if (held := _BLOCK.search(text)) and held.group(1).strip():
        block = json.loads(held.group(1))
        customers = block["columns"]["customer_id"]
        whose = [customers["of"][at] if at >= 0 else None for at in customers["at"]] if isinstance(customers, dict) else customers
        if gone := {place for place, one in enumerate(whose) if person.is_it(one)}:
            rows = list(_ROW.finditer(text))
            # the plain table stands beside the block in the same order; a page without it has only the block
            for place in sorted(gone, reverse=True) if len(rows) == len(whose) else ():
                text = text[: rows[place].start()] + text[rows[place].end() :]
            told = json.dumps(_unblocked(block, gone), ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
            text, count = _BLOCK.sub(lambda _: told, text), len(gone)
    lines = text.split("\n")
    kept = [line for line in lines if not (line.lstrip().startswith("<tr") and "<script" not in line and person.pattern.search(line))]
    return person.scrubbed("\n".join(kept)).encode(), count + len(lines) - len(kept)


def _unblocked(block: dict[str, Any], gone: set[int]) -> dict[str, Any]:
    """Return the block of a page without some rows; texts that nobody else needs are empty."""
    for name, column in block["columns"].items():
        cells = column["at"] if isinstance(column, dict) else column
        kept = [cell for place, cell in enumerate(cells) if place not in gone]
        if isinstance(column, dict):
            used = {at for at in kept if at >= 0}
            block["columns"][name] = {"of": [one if at in used else "" for at, one in enumerate(column["of"])], "at": kept}
        else:
            block["columns"][name] = kept
    block["stories"] = [story for place, story in enumerate(block["stories"]) if place not in gone]
    # a text that only their story used would still stand in the page
    needed = set(_numbers(block["stories"]))
    block["texts"] = [text if number in needed else "" for number, text in enumerate(block["texts"])]
    return block


def _numbers(content: Any) -> list[int]:
    return [number for one in content for number in _numbers(one)] if isinstance(content, list) else [content]


def _digest(content: bytes, person: Person) -> Removed:
    # In a mail what to do about a customer stands on a line below.
    rows = re.findall(r"(?m)^\d+\. .*\n?(?:^ +→ .*\n?)?|^.*\n?", content.decode(errors="replace"))
    kept = [row for row in rows if not (re.match(r"\d+\. ", row) and person.pattern.search(row))]
    return person.scrubbed("".join(kept)).encode(), len(rows) - len(kept)


_KINDS: dict[str, Callable[[bytes, Person], Removed]] = {
    "csv.gz": _gzip,
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "xlsx": _xlsx,
    "html": _html,
    "md": _digest,
    "txt": _digest,
}
"""Ending of a name -> how a person leaves such a file."""

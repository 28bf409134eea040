"""A finished list is read back from the disk before anybody sees it: each of its four forms opens, and all hold the same customers."""

import csv
import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prevenance.base import disk
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import neutral_text
from prevenance.publish.workbook import cell_text


def check_list_folder(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Read a finished folder back and compare it with its manifest.

    Raises:
        PrevenanceError: E603 naming the file that cannot be opened, is not what was written, or counts other customers; E801 if the disk
            does not give it back.
    """
    held = disk.contents(folder)
    for name, digest in manifest["files"].items():
        if hashlib.sha256(held.get(name, b"")).hexdigest() != digest:
            raise _refused(name, "is not what was written")
    # No list should have come this far with a failed gate; the last one to look makes sure.
    for gate, outcome in manifest["gates"].items():
        if outcome == "fail":
            raise _refused("manifest.json", f"the gate {gate} failed")
    ids = _read("list.json", held, lambda content: [str(row["customer_id"]) for row in json.loads(content)])
    if len(ids) != manifest["counts"]["listed"]:
        raise _refused("list.json", f"holds {len(ids)} rows, the manifest counts {manifest['counts']['listed']}")
    asked: dict[str, tuple[Callable[[bytes], list[str]], Callable[[str], str]]] = {
        "list.csv": (_csv, neutral_text),
        "list.xlsx": (_workbook, cell_text),
        "list.html": (_page, str),
    }
    for name, (reader, shown) in asked.items():
        found, wanted = _read(name, held, reader), [shown(one) for one in ids]
        # of a long list people are shown a part; the page shows its rows by group, so there the order is another
        count, left = len(ids) if name == "list.csv" else manifest["counts"].get("shown", len(ids)), iter(wanted)
        fits = Counter(found) <= Counter(wanted) if name == "list.html" else all(one in left for one in found)
        if len(found) != count or not fits:
            raise _refused(name, f"holds {len(found)} customers that are not {count} of the {len(ids)} of list.json in their order")


def check_report_folder(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Read a finished report back: every file is what was written, tables and pages open, and paths, where it has some, are those of all tickets.

    Raises:
        PrevenanceError: E603 naming the file; E801 if the disk does not give it back.
    """
    held = disk.contents(folder)
    for name, digest in manifest["files"].items():
        if hashlib.sha256(held.get(name, b"")).hexdigest() != digest:
            raise _refused(name, "is not what was written")
    if "paths.parquet" in manifest["files"]:
        _check_paths(held, manifest)
    for name in (name for name in manifest["files"] if name.endswith((".csv", ".html", ".svg"))):
        _read(name, held, _opened)


def _check_paths(held: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    tickets = _read("paths.parquet", held, lambda content: ["" for _ in range(_parquet_rows(content))])
    if len(tickets) != manifest["counts"]["tickets"]:
        raise _refused("paths.parquet", f"holds {len(tickets)} tickets, the manifest counts {manifest['counts']['tickets']}")


def _opened(content: bytes) -> list[str]:
    """Return the lines of a file that is whole; a table has as many cells in each row, a page and a picture come to their end."""
    told = content.decode("utf-8")
    if told.startswith("<"):
        if told and not told.rstrip().endswith(("</html>", "</svg>")):
            raise ValueError("cut off")
        return []
    rows = list(csv.reader(io.StringIO(told, newline="")))
    if len({len(row) for row in rows}) > 1:
        raise ValueError("cut off")
    return [row[0] for row in rows]


def _parquet_rows(content: bytes) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_table(io.BytesIO(content)).num_rows)
    except pa.ArrowException as problem:
        raise ValueError("cut off") from problem


def _read(name: str, held: Mapping[str, bytes], reader: Callable[[bytes], list[str]]) -> list[str]:
    try:
        return reader(held[name])
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, csv.Error, zipfile.BadZipFile) as problem:
        raise _refused(name, f"cannot be opened ({type(problem).__name__})") from problem


def _csv(content: bytes) -> list[str]:
    # A note may be longer than the 128 KiB that csv takes for a mistake.
    csv.field_size_limit(2**31 - 1)
    return [row["customer_id"] for row in csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))]


def _workbook(content: bytes) -> list[str]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True)
    read, told = (_customers(book.worksheets[place]) for place in (0, 1))
    # The two sheets are one list: a row of the first that the second has elsewhere is none of it.
    return told if read == told else []


def _customers(sheet: Any) -> list[str]:
    rows = sheet.iter_rows(values_only=True)
    place = list(next(rows)).index("customer_id")
    return [str(row[place]) for row in rows if any(cell is not None for cell in row)]


def _page(content: bytes) -> list[str]:
    told = content.decode("utf-8")
    found = re.search(r'<script type="application/json" id="block">(.*?)</script>', told, re.DOTALL)
    if found is None or not told.rstrip().endswith("</html>"):
        raise ValueError("cut off")
    column = json.loads(found.group(1))["columns"]["customer_id"]
    return [str(column["of"][place]) for place in column["at"]] if isinstance(column, dict) else list(map(str, column))


def _refused(name: str, what: str) -> PrevenanceError:
    fix = "run again; the list before stays. If it comes back, this is our bug: run with PREVENANCE_DEBUG=1 and report it"
    return PrevenanceError("E603", f"{name} {what}", fix=fix, first=name)

"""What stands at the head of a file: its separator, its encoding and its column names, read as they are and never guessed."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError

SEPARATORS = {",": "','", ";": "';'", "\t": "'\\t'", "|": "'|'"}


def entry_pattern(declared: str | Mapping[str, Any]) -> str:
    """Return the path, pattern or table of a ``files`` entry."""
    if isinstance(declared, str):
        return declared
    return str(next((declared[key] for key in ("path", "sqlite", "table") if key in declared), ""))


def entry_separator(view: str, declared: str | Mapping[str, Any]) -> str:
    """Return the declared separator; a tab may be written as backslash and t.

    Raises:
        PrevenanceError: E202 for more or less than one character.
    """
    given = "," if isinstance(declared, str) else str(declared.get("delimiter", ","))
    found = {"\\t": "\t"}.get(given, given)
    if len(found) != 1:
        raise PrevenanceError(
            "E202",
            f'the delimiter "{given[:20]}" is not one character',
            key=f"files.{view}",
            fix=f"write {entry_line(view, declared, delimiter=';')} in the source's yaml",
        )
    return found


def entry_line(view: str, declared: str | Mapping[str, Any], **more: object) -> str:
    """Return a line to paste into the source's yaml: the ``files`` entry as it is, with ``more``."""
    given = {"path": declared} if isinstance(declared, str) else dict(declared)
    return f"files.{view}: {json.dumps(given | more, ensure_ascii=False)}"


def open_unpacked(path: Path) -> io.BufferedIOBase:
    """Return the file's bytes, unpacked."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def check_packed(path: Path) -> None:
    """Read a packed file to its end, as the engine does not look at its check sum; ``OSError``, ``EOFError`` or ``zlib.error`` if it is damaged."""
    if path.suffix == ".gz":
        with open_unpacked(path) as stream:
            while stream.read(1_000_000):
                pass


def header_names(path: Path, view: str, declared: str | Mapping[str, Any]) -> tuple[list[str], set[str]]:
    """Return the column names of a CSV file and those that stand there twice.

    A name that stands twice becomes ``name__1``, ``name__2``: a select that uses it must say which.

    Raises:
        PrevenanceError: E303 for an empty file, bad UTF-8 or another separator than the declared one.
    """
    separator = entry_separator(view, declared)
    with open_unpacked(path) as stream:
        first = stream.read(1_000_000)
    if not first:
        raise PrevenanceError(
            "E303", f"{path.name} is empty (0 bytes)", table=view, fix="export the file again; a table without rows has a header"
        )
    try:
        text = first.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        if problem.start < len(problem.object) - 4:
            raise bad_utf8_error(path, view, first_bad_byte(path)) from problem
        text = first.decode("utf-8-sig", errors="ignore")
    line = next(iter(text.splitlines()), "")
    names = next(csv.reader([line], delimiter=separator), [])
    if len(names) == 1:
        for other, written in SEPARATORS.items():
            if other != separator and len(next(csv.reader([line], delimiter=other), [])) > 1:
                raise PrevenanceError(
                    "E303",
                    f"{path.name} has one column when split at {SEPARATORS.get(separator, separator)}; its header holds {written}",
                    table=view,
                    first=f"{path.name}:1",
                    fix=f"write {entry_line(view, declared, delimiter=other)} in the source's yaml",
                )
    counts = Counter(name.lower() for name in names)  # in a select, Score and score are one name
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name.lower()] += 1
        unique.append(name if counts[name.lower()] == 1 else f"{name}__{seen[name.lower()]}")
    return unique, {name for name in names if counts[name.lower()] > 1}


def first_bad_byte(path: Path) -> int:
    """Return the offset of the first byte that is no UTF-8, or the length of the file."""
    offset = 0
    with open_unpacked(path) as stream:
        for line in stream:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as problem:
                return offset + problem.start
            offset += len(line)
    return offset


def first_other_end(path: Path) -> int | None:
    """Return the first line that ends otherwise than the first (CRLF or LF), or ``None``."""
    with open_unpacked(path) as stream:
        ends = (line.endswith(b"\r\n") for line in stream if line.endswith(b"\n"))
        first = next(ends, None)
        return next((number for number, end in enumerate(ends, 2) if end != first), None)


def mixed_ends_error(path: Path, view: str, line: int) -> PrevenanceError:
    """Return the error for a file whose lines end in two ways."""
    what = "the lines of the file end in two ways, with CRLF and with LF"
    fix = "give every line the same end (sed -i 's/\\r$//', or dos2unix)"
    return PrevenanceError("E303", what, table=view, first=f"{path.name}:{line}", fix=fix)


def bad_utf8_error(path: Path, view: str, offset: int) -> PrevenanceError:
    """Return the error for a file that is not UTF-8 at ``offset``."""
    with open_unpacked(path) as stream:
        start = stream.read(2)
    coded = "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "latin1"
    return PrevenanceError(
        "E303", f"{path.name} is not UTF-8 at byte {offset}", table=view, fix=f"export it as UTF-8 (iconv -f {coded} -t utf-8)"
    )

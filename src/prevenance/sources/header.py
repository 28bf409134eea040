"""What stands at the head of a file: its encoding and its column names, read as they are and never guessed."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from prevenance.base.errors import PrevenanceError
from prevenance.sources.alphabets import is_packed, open_unpacked
from prevenance.sources.declared import PLACE, Entry

SEPARATORS = {",": "','", ";": "';'", "\t": "'\\t'", "|": "'|'"}


UNPACKED, RATIO = 2_000_000_000, 200
"""A packed file that holds more bytes than this, and this many times its size, is made to fill a disk."""


def check_packed(path: Path, entry: Entry) -> None:
    """Read a packed file to its end, as the engine does not look at its check sum; ``OSError``, ``EOFError`` or ``zlib.error`` if it is damaged.

    Raises:
        PrevenanceError: E303 for one that unpacks to far more than a table does.
    """
    if is_packed(path):
        held, most = 0, max(UNPACKED, RATIO * path.stat().st_size)
        with open_unpacked(path) as stream:
            while block := stream.read(1_000_000):
                held += len(block)
                if held > most:
                    raise entry.error(
                        "E303", f"{path.name} unpacks to more than {most:,} bytes", "export the table again; no table packs so small"
                    )
    elif path.suffix == ".gz":
        raise OSError("no packed file")


@dataclass(frozen=True)
class Head:
    """How a CSV file begins: its column names, those that stand there twice, its separator, lines before the header, lines of the header."""

    names: list[str]
    twice: set[str]
    separator: str
    before: int
    lines: int


def file_head(path: Path, readable: Path, entry: Entry) -> Head:
    """Return how a CSV file begins; ``readable`` holds its text in UTF-8.

    A name that stands twice becomes ``name__1``, ``name__2``: a select that uses it must say which. A nameless column becomes
    ``nameless_<place>``; a line break in a name is LF. A first line ``sep=;`` says the separator, as spreadsheets do.

    Raises:
        PrevenanceError: E303 for an empty file, bad UTF-8 or another separator than the declared one.
    """
    separator = entry.separator
    with open_unpacked(readable) as stream:
        first = stream.read(1_000_000)
    if not first:
        raise empty_error(path, entry)
    try:
        # a byte order mark is no part of the first column's name
        text = first.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # a block may end inside a letter: only what breaks before its last bytes is bad
        if problem.start < len(problem.object) - 4:
            raise bad_utf8_error(path, entry) from problem
        text = first.decode("utf-8-sig", errors="ignore")
    said = re.match(r'"?sep=(.)"?\r?\n', text)
    if said:
        separator, text = said[1], text[said.end() :]
    for _ in range(entry.skip):
        text = re.sub(r"^[^\r\n]*(?:\r\n|\r|\n)", "", text, count=1)
    names, record = _first_record(text, separator)
    if len(names) == 1:
        _refuse_one_column(path, text, separator, entry)
    if any(re.fullmatch(r"\s*[^\s@]+@[^\s@]+\.\w+\s*", name) for name in names):
        what = f"the first line of {path.name} is a row (it holds an address of mail), and names no columns"
        raise entry.error("E303", what, "export it with a line that names its columns", first=f"{path.name}:1")
    unique, twice = column_heads(names)
    return Head(unique, twice, separator, int(bool(said)) + entry.skip, record)


def _refuse_one_column(path: Path, text: str, separator: str, entry: Entry) -> None:
    """Raise E303 where a header of one column is one of several under another separator, or a title above it."""
    for other, written in SEPARATORS.items():
        if other != separator and len(_first_record(text, other)[0]) > 1:
            raise _separator_error(path, separator, other, written, entry)
    lines = text.splitlines()[:20] or [""]
    for number, line in enumerate(lines[1:], 1):
        cells = _first_record(line, separator)[0]
        if len(cells) > 1 and all(len(_first_record(one, separator)[0]) >= len(cells) for one in lines[number : number + 3] if one):
            raise title_error(f"{path.name}:{entry.skip + 1}", entry.skip + number, entry)
    # a sign that separates nothing else stands in the rows as often as in the header
    for other in re.findall(r"[^\w\s\"'.,;()%€$@/-]", lines[0]):
        if len(lines) > 1 and all(line.count(other) == lines[0].count(other) for line in lines[1:4] if line):
            raise _separator_error(path, separator, other, f"'{other}'", entry)
    if re.search(r"\S\s{2,}\S", lines[0]):
        what = f"the columns of {path.name} are parted by blanks alone"
        raise entry.error("E303", what, "export it with a separator, as CSV UTF-8", first=f"{path.name}:1")


def _separator_error(path: Path, separator: str, other: str, written: str, entry: Entry) -> PrevenanceError:
    what = f"{path.name} has one column when split at {SEPARATORS.get(separator, separator)}; its header holds {written}"
    return entry.error("E303", what, f"write {entry.line(delimiter=other)} in the source's yaml", first=f"{path.name}:1")


def title_error(first: str, skip: int, entry: Entry) -> PrevenanceError:
    """Return the error for a file whose columns are named in the line after ``skip`` lines of something else."""
    what = f"a line of words stands where the columns are named; they are named in line {skip + 1}"
    return entry.error("E303", what, f"write {entry.line(skip=skip)} in the source's yaml", first=first)


def column_heads(names: list[str]) -> tuple[list[str], set[str]]:
    """Return the columns' names as selects know them, and those that stand there twice (see ``file_head``)."""
    names = [re.sub(r"\r\n?", "\n", name) or f"nameless_{place}" for place, name in enumerate(names, 1)]
    counts = Counter(name.lower() for name in names)  # in a select, Score and score are one name
    counts.update({name: 2 for name in PLACE if name in counts})  # where a row stands is called so
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name.lower()] += 1
        unique.append(name if counts[name.lower()] == 1 else f"{name}__{seen[name.lower()]}")
    return unique, {name for name in names if counts[name.lower()] > 1 and name.lower() not in PLACE}


def _first_record(text: str, separator: str) -> tuple[list[str], int]:
    """Return the cells of the first record, and how many lines it takes."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return next(reader, []), max(1, reader.line_num)
    except csv.Error:  # a quote that never closes: the engine tells where
        return next(csv.reader([text.partition("\n")[0][:100_000]], delimiter=separator), []), 1


def empty_error(path: Path, entry: Entry) -> PrevenanceError:
    """Return the error for a file without a byte."""
    return entry.error("E303", f"{path.name} is empty (0 bytes)", "export the file again; a table without rows has a header")


def _first_bad_byte(path: Path) -> int:
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


def mixed_ends_error(path: Path, entry: Entry, line: int) -> PrevenanceError:
    """Return the error for a file whose lines end in two ways."""
    what = "the lines of the file end in two ways, with CRLF and with LF"
    fix = "give every line the same end (sed -i 's/\\r$//', or dos2unix)"
    return entry.error("E303", what, fix, first=f"{path.name}:{line}")


def bad_utf8_error(path: Path, entry: Entry) -> PrevenanceError:
    """Return the error for a file that is not UTF-8, with its first bad byte."""
    what = f"{path.name} is not UTF-8 at byte {_first_bad_byte(path)}"
    # what Windows writes in the West; it is declared, not guessed, because every byte means something in the other alphabets too
    return entry.error("E303", what, f"write {entry.line(encoding='cp1252')} in the source's yaml, or export it as UTF-8")

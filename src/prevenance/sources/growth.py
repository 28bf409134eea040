"""What was read of files that only grow, how it is seen that they did nothing else, and the new part of a file by itself."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prevenance.sources.alphabets import file_encoding, is_packed, open_unpacked, workplace
from prevenance.sources.declared import Entry
from prevenance.sources.files import entry_files
from prevenance.sources.header import file_head
from prevenance.sources.kinds import CSV, file_kind


@dataclass(frozen=True)
class Known:
    """What was read of a file before: its bytes, their SHA-256, and how many lines they hold (0: it may not grow, such as a packed one).

    Of a table of a server ``lines`` are its rows, ``top`` is the largest value of the column that only grows, and ``digest`` says what the rows
    up to it are.
    """

    size: int
    digest: str
    lines: int
    top: str = ""


def only_grew(data: Path, entry: Entry, known: Mapping[str, Known], files: Mapping[str, str]) -> bool:
    """Return whether the files are as they were, but for what comes after all that was there."""
    names = [path.relative_to(data).as_posix() for path in entry_files(data, entry)]
    last = len(known) - 1
    if [*known] != names[: len(known)]:
        return False
    for place, (name, before) in enumerate(known.items()):
        path = data / name
        if files.get(name) == before.digest:
            continue
        if place < last or not before.lines or path.stat().st_size <= before.size or begin_digest(path, before.size) != before.digest:
            return False
    return True


def known_now(data: Path, entry: Entry, known: Mapping[str, Known], digests: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return path -> what is known of each file once all of it is read."""
    found = {}
    for path in entry_files(data, entry):
        name = path.relative_to(data).as_posix()
        before = known.get(name)
        if before is not None and before.digest == digests[name]:
            found[name] = asdict(before)
            continue
        lines = 0 if is_packed(path) or file_kind(path, entry, []) != CSV or file_encoding(path, entry) else _lines(path)
        found[name] = {"size": path.stat().st_size, "digest": digests[name], "lines": lines}
    return found


@contextmanager
def new_part(path: Path, before: Known | None, entry: Entry) -> Iterator[tuple[Path, int]]:
    """Give a file with what is new of a file under its header, and how many lines further down it stands there; the file itself if all is new."""
    if before is None:
        yield path, 0
        return
    head = file_head(path, path, entry)
    with workplace() as folder, path.open("rb") as file:
        copy = folder / path.name
        with copy.open("wb") as written:
            written.writelines(file.readline() for _ in range(head.before + head.lines))
            file.seek(before.size)
            while block := file.read(1 << 20):
                written.write(block)
        yield copy, before.lines - head.before - head.lines


def begin_digest(path: Path, size: int | None = None) -> str:
    """Return the SHA-256 of a file, or of its first ``size`` bytes; nothing if it cannot be read."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20 if size is None else min(1 << 20, size - file.tell())):
                found.update(block)
    except OSError:
        return ""
    return found.hexdigest()


def _lines(path: Path) -> int:
    """Return how many lines a text has; 0 if the last one has no end."""
    lines, last = 0, b""
    with open_unpacked(path) as file:
        while block := file.read(1 << 20):
            lines, last = lines + block.count(b"\n"), block[-1:]
    return lines if last == b"\n" else 0

"""Files in another alphabet than UTF-8: recognised or declared, and read through a private copy."""

import codecs
import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Entry

BLOCK = 1_000_000
"""Bytes of a file in another alphabet that are held at once."""


def is_packed(path: Path) -> bool:
    """Return whether a file is packed with gzip, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_unpacked(path: Path) -> io.BufferedIOBase:
    """Return the file's bytes, unpacked."""
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")


def file_encoding(path: Path, entry: Entry) -> str:
    """Return the declared encoding, UTF-16 or UTF-32 where the first bytes show it, or nothing for UTF-8.

    Raises:
        PrevenanceError: E202 for an encoding that there is not.
    """
    if declared := str(entry.given.get("encoding") or ""):
        try:
            "a".encode(declared).decode(declared)
        except (LookupError, UnicodeError, ValueError) as problem:
            fix = f"write {entry.line(encoding='cp1252')} in the source's yaml, or utf-16, or leave it out for UTF-8"
            raise PrevenanceError("E202", f'there is no encoding "{declared[:20]}"', key=entry.key, fix=fix) from problem
        return "" if codecs.lookup(declared).name in ("utf-8", "utf-8-sig") else declared
    with open_unpacked(path) as stream:
        start = stream.read(1000)
    if start[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return "utf-32"
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    # letters of the West have one empty byte each, before or after; a text in UTF-8 has none
    before, after = start[0::2].count(0), start[1::2].count(0)
    return "" if max(before, after) * 4 < len(start) else "utf-16-be" if before > after else "utf-16-le"


@contextmanager
def workplace() -> Iterator[Path]:
    """Make a private folder where the engine keeps its own work in progress: what a killed run leaves there is swept by the next one."""
    folder = Path(tempfile.gettempdir()) / f"prevenance-{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        yield Path(inner)
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def in_utf8(path: Path, entry: Entry, said: list[str]) -> Iterator[Path]:
    """Give a file that holds the text of ``path`` in UTF-8: itself, or a private copy, written a block at a time, where it has another alphabet.

    Raises:
        PrevenanceError: E202 for an encoding that there is not, E303 for a text that is not in it.
    """
    coding = file_encoding(path, entry)
    if not coding:
        yield path
        return
    if "encoding" not in entry.given:
        said.append(f"{entry.view}: {path.name} is read as {coding}")
    with workplace() as folder:
        copy, done = folder / "text.csv", 0
        decoder = codecs.getincrementaldecoder(coding)()
        with open_unpacked(path) as stream, copy.open("wb") as written:
            try:
                # a mark of UTF-8 before another alphabet is a slip of the export, and no letter
                mark = stream.read(len(codecs.BOM_UTF8))
                written.write(decoder.decode(b"" if mark == codecs.BOM_UTF8 else mark).encode())
                while block := stream.read(BLOCK):
                    written.write(decoder.decode(block).encode())
                    done += len(block)
                written.write(decoder.decode(b"", final=True).encode())
            except UnicodeError as problem:
                what = f"{path.name} is not {coding} after byte {done}"
                fix = f"write {entry.line(encoding='latin-1')} in the source's yaml, or the encoding that it was exported in"
                raise entry.error("E303", what, fix) from problem
        yield copy

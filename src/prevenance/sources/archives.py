"""Members of a zip archive: chosen, checked before they are unpacked, and unpacked one at a time into a private copy."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from prevenance.sources.alphabets import BLOCK, workplace
from prevenance.sources.declared import Entry
from prevenance.sources.kinds import SUFFIXES, damaged_error

UNPACKED, RATIO = 500_000_000, 200
"""A member larger than so many bytes, and than so many times its packed size, is made to fill a disk; text packs 5 to 50 times."""


def members(path: Path, entry: Entry) -> list[str]:
    """Return the names of the members to read, in order: those that the entry's ``member`` names, else all, which are to be of one kind.

    Raises:
        PrevenanceError: E303 for an archive that cannot be trusted or read, holds nothing, or holds files of several kinds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [one for one in archive.infolist() if not one.is_dir() and not _is_hidden(one.filename)]
    except (zipfile.BadZipFile, OSError, ValueError) as problem:
        raise damaged_error(path.name, entry) from problem
    check_infos(path.name, path.stat().st_size, infos, entry)
    names, wanted = sorted(one.filename for one in infos), str(entry.given.get("member") or "*")
    found = [one for one in names if fnmatch(one, wanted) or fnmatch(PurePosixPath(one).name, wanted)]
    if not found:
        what = f'{path.name} has no member "{wanted}"' if names and wanted != "*" else f"{path.name} is an archive without a file"
        fix = f"write {entry.line(member=names[0])} in the source's yaml" if names else "export the file again"
        raise entry.error("E303", f"{what}{_listed(names)}", fix)
    kinds = {next((kind for kind, some in SUFFIXES.items() if _suffix(one) in some), "another kind") for one in found}
    if len(kinds) > 1 or "another kind" in kinds or "a zip archive" in kinds:
        readable = [one for one in found if any(_suffix(one) in some for kind, some in SUFFIXES.items() if kind != "a zip archive")]
        what = f"{path.name} holds files of several kinds{_listed(names)}" if readable else f"{path.name} holds no table{_listed(names)}"
        fix = (
            f"write {entry.line(member=readable[0])} in the source's yaml, or another of its files"
            if readable
            else "export the table as CSV"
        )
        raise entry.error("E303", what, fix)
    return found


def check_infos(name: str, size: int, infos: list[zipfile.ZipInfo], entry: Entry) -> None:
    """Raise E303 for members with a password, with a path that leaves the archive, or that unpack to far more than they hold."""
    for one in infos:
        if one.flag_bits & 1:
            fix = f"unpack it with its password, and name the file in it: {entry.line(path=PurePosixPath(one.filename).name)}"
            raise entry.error("E303", f"{name} has a password", fix)
        if PurePosixPath(one.filename).is_absolute() or ".." in PurePosixPath(one.filename.replace("\\", "/")).parts:
            raise entry.error(
                "E303", f"{name} holds a file that leaves the archive, {one.filename[:80]}", "pack the table again, by its name alone"
            )
        if one.file_size > UNPACKED and one.file_size > RATIO * max(1, one.compress_size):
            what = f"{name} would unpack to {one.file_size:,} bytes, {one.file_size // max(1, one.compress_size):,} times its size"
            raise entry.error("E303", what, "export the table again; no table packs so small")
    if sum(one.compress_size for one in infos) > size:
        raise entry.error("E303", f"{name} holds files that lie over each other", "export the table again; no table is packed so")


@contextmanager
def unpacked(path: Path, member: str, entry: Entry) -> Iterator[Path]:
    """Give a private copy of a member, written a block at a time.

    Raises:
        PrevenanceError: E303 for a member that is damaged, or longer than the archive says.
    """
    with workplace() as folder:
        copy, done = folder / (PurePosixPath(member).name[-100:] or "member"), 0
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member) as stream, copy.open("wb") as written:
                size = archive.getinfo(member).file_size
                while block := stream.read(BLOCK):
                    done += len(block)
                    if done > size:
                        raise zipfile.BadZipFile("longer than it says")
                    written.write(block)
        except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as problem:
            if isinstance(problem, NotImplementedError):
                what = f"{path.name} is packed in a way that only few programs read ({str(problem)[:60]})"
                raise entry.error("E303", what, "pack it again, with deflate (zip without options)") from problem
            raise damaged_error(f"{path.name}/{member}", entry) from problem
        yield copy


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_hidden(name: str) -> bool:
    # what a Mac puts beside the files
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith((".", "~$"))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f" ({', '.join(one[:60] for one in names[:5])}{more})" if names else ""

"""Files that are old or new, never half: written beside their place, synced, then flipped in one step.

Files are readable by their owner only (0600, folders 0700). Every trouble with the disk is ``E801``, naming the path.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from prevenance.base.errors import PrevenanceError

TEMPORARY = ".tmp-"
"""What the name of everything unfinished begins with; see ``beside``."""


def beside(path: Path) -> Path:
    """Return a name in the folder of ``path`` that nobody has: for what is not finished."""
    return path.parent / f"{TEMPORARY}{path.name}-{uuid.uuid4().hex[:8]}"


@contextmanager
def writing(path: Path, size: int | None = None) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into ``E801`` for ``path``; ``size`` is the number of bytes it needs."""
    try:
        yield
    except OSError as error:
        need = "" if size is None else f", needs {size} bytes"
        what = f"cannot write ({error.strerror or type(error).__name__}{need})"
        raise PrevenanceError("E801", what, fix=_fix(error, path), path=path) from error


def _fix(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free space on the disk that holds this path, or set out= to a folder on another disk, and run again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "give this user the right to write there, or set out= to a folder that can be written"
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return f"move away what stands in the way of {path}, or set out= to another folder"
    return "check the disk, or set out= to a folder on another disk, and run again"


def write(path: Path, content: bytes) -> Path:
    """Put ``content`` at ``path`` in one step; a reader sees the old file or the new one. Returns ``path``."""
    with writing(path, len(content)):
        make(path.parent)
        try:
            _replace(path, content)
        except FileNotFoundError:  # another run that began at this very instant swept what was unfinished
            _replace(path, content)
        sync(path.parent)
    return path


def _replace(path: Path, content: bytes) -> None:
    unfinished = beside(path)
    try:
        _fill(unfinished, content)
        os.replace(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink()


def write_folder(path: Path, files: Mapping[str, bytes], check: Callable[[Path], None] | None = None) -> Path:
    """Put a whole folder of ``files`` (relative name -> content) at ``path``, which must not exist yet, in one step.

    ``check`` may look at the finished folder before it gets its name, and refuse it by raising.
    On any failure the unfinished folder is removed and ``path`` stays as it was. Returns ``path``.
    """
    unfinished = beside(path)
    with writing(path, sum(map(len, files.values()))):
        try:
            make(unfinished)
            for name, content in sorted(files.items()):
                make((unfinished / name).parent)
                _fill(unfinished / name, content)
            for folder in sorted((each for each in unfinished.rglob("*") if each.is_dir()), reverse=True):
                sync(folder)
            sync(unfinished)
            if check is not None:
                check(unfinished)
            os.rename(unfinished, path)
            sync(path.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return path


def exchange_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    """Put a whole folder of ``files`` in the place of the folder ``path`` in one step; a reader sees the old one or the new one.

    Where the system cannot exchange two folders, ``path`` is away for an instant. Returns ``path``.
    """
    unfinished = beside(path)
    write_folder(unfinished, files)
    with writing(path):
        try:
            if not _exchanged(unfinished, path):
                aside = beside(path)
                os.rename(path, aside)
                os.rename(unfinished, path)
                unfinished = aside
            sync(path.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return path


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step (Linux); return whether the system could."""
    import ctypes

    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    here, exchange = -100, 2
    return rename is not None and rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def point(link: Path, name: str) -> None:
    """Make the symbolic link ``link`` point to its neighbour ``name`` in one step, whatever it pointed to."""
    unfinished = beside(link)
    with writing(link):
        try:
            os.symlink(name, unfinished)
            os.replace(unfinished, link)
            sync(link.parent)
        finally:
            with suppress(OSError):
                unfinished.unlink()


def pointed(link: Path) -> str | None:
    """Return the name that the symbolic link ``link`` points to, or ``None`` if there is no such link."""
    return os.readlink(link) if link.is_symlink() else None


def sweep(folder: Path) -> None:
    """Remove what killed runs left unfinished directly in ``folder``; whoever makes folders or links there holds the lock, ``write`` bears it."""
    for left in folder.glob(TEMPORARY + "*-" + 8 * "[0-9a-f]"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below ``folder``: relative name (with ``/``) -> content."""
    with writing(folder):
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def names(folder: Path) -> list[str]:
    """Return the names of the folders in ``folder``, none if it is not there; what is unfinished is not named."""
    return [each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith(TEMPORARY)] if folder.is_dir() else []


def sync(folder: Path) -> None:
    """Make the names inside ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make(path: Path) -> None:
    """Make a folder and its parents, for their owner only, where they are missing."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def _fill(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def need_room(folder: Path, size: int) -> None:
    """Raise E801 unless the disk that holds ``folder`` (which is there) has ``size`` bytes free."""
    with writing(folder):
        free = shutil.disk_usage(folder).free
    if free < size:
        what = f"{free:,} bytes are free on the disk, a run needs about {size:,}"
        fix = "free space on that disk, or set out= to a folder on another disk, and run again"
        raise PrevenanceError("E801", what, fix=fix, path=folder)

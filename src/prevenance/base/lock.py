"""One run of a kind at a time in an output folder. The lock is the kernel's: it goes with the process that holds it, however that ends."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from prevenance.base import disk
from prevenance.base.errors import PrevenanceError


@contextmanager
def hold_lock(out: Path, name: str) -> Iterator[None]:
    """Hold the lock ``name`` of the output folder ``out`` inside the block; nothing is waited for.

    Runs with different names may overlap. Beside ``<out>/.<name>.lock`` a note says who holds it.

    Raises:
        PrevenanceError: E701 naming the holder, E801 if the folder cannot be written.
    """
    note, path = out / f".{name}.holder", out / f".{name}.lock"
    # nothing is waited for: a scheduler that starts two nights must hear of it, not queue them
    lock = FileLock(str(path), timeout=0, mode=0o600)
    with disk.writing(path):
        disk.make(out)
        try:
            lock.acquire()
        except Timeout as taken:
            raise _taken(note, name) from taken
    try:
        who = {"pid": os.getpid(), "host": platform.node(), "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        # the note is for the person who is refused; the lock itself never depends on it
        disk.write(note, json.dumps(who).encode())
        yield
    finally:
        with suppress(OSError):
            note.unlink()
        lock.release()


def _taken(note: Path, name: str) -> PrevenanceError:
    """Return E701; the note of a holder that has only just begun may not be there yet."""
    who, wait = "another run", "when it has ended"
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        found = json.loads(note.read_text(encoding="utf-8"))
        who, wait = f"process {found['pid']} on {found['host']}, since {found['since']},", f"when process {found['pid']} has ended"
    fix = f"run again {wait}; no file is to be removed by hand"
    return PrevenanceError("E701", f"{who} holds the lock {name}", path=note.parent, fix=fix)

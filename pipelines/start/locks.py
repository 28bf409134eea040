"""What a run of each kind holds while it works in its output folder, and what it sweeps there before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prevenance.base import disk, lock

LOCKS = {
    "train": ("train",),
    "score": ("lists",),
    "backfill": ("lists",),
    "record": ("record",),
    "feedback": ("feedback",),
    "export": ("export", "feedback"),
    "replay": ("replay",),
    "explain": ("explain",),
    "erase": ("explain", "export", "feedback", "lists", "record", "replay", "train"),
}
"""What a run of each kind holds while it works: runs that share none may overlap."""

SWEPT = {"lists": ("lists/*", "spool"), "record": ("record/*",), "train": ("models/*", "train/*", "demo")}
"""Where a run that holds a lock removes what killed ones left unfinished, besides the output folder itself."""


@contextmanager
def held_by(name: str, out: Path) -> Iterator[None]:
    """Hold the locks of the pipeline ``name`` inside the block, with what killed runs left unfinished removed.

    Only training, scoring and recording make a folder that is not there.

    Raises:
        PrevenanceError: E701 naming the holder, E801 if the folder cannot be written.
    """
    with ExitStack() as locks:
        for one in LOCKS.get(name, ()) if out.is_dir() or name in ("train", "score", "record") else ():
            locks.enter_context(lock.hold_lock(out, one))
            for folder in (out, *(found for pattern in SWEPT.get(one, ()) for found in out.glob(pattern))):
                disk.sweep(folder)
        yield

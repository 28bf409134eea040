"""How a run ends when it cannot go on: without memory or disk, or by our own bug; always one line. Stops from outside stand in ``stops``."""

import errno
import os
import re
import resource
import shutil
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from prevenance.base import memory
from prevenance.base.errors import PrevenanceError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG})

LEAST_MEMORY = 3_000_000_000
"""Bytes of address space that a run of the smallest company needs (libraries, threads, the engine's buffers); below it libraries abort."""

_short: list[bool] = []


def tell_little_memory() -> bool:
    """Tell, and return, that ``ulimit -v`` leaves less than ``LEAST_MEMORY``: asked before anything heavy is imported."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit >= LEAST_MEMORY:
        return False
    what = f"the memory does not suffice (ulimit -v allows {limit:,} bytes, a run needs at least {LEAST_MEMORY:,})"
    fix = f"set ulimit -v {-(-LEAST_MEMORY // 1024)} or more, or unlimited, and run again"
    sys.stderr.write(PrevenanceError("E802", what, fix=fix).line() + "\n")
    return True


def is_short_of_memory() -> bool:
    """Return whether the run has told that memory ran out."""
    return bool(_short)


def known_failure(problem: BaseException) -> PrevenanceError | None:
    """Return what a failure of memory or disk is called, wherever it was met; ``None`` for anything else."""
    # Causes are followed to the first: libraries wrap what the system said in errors of their own.
    chain, text = problem, " ".join(str(problem).split())
    while (before := chain.__cause__ or (chain.__context__ if isinstance(chain, ImportError) else None)) is not None:
        chain = before
    kinds = {type(one).__name__ for one in (problem, chain)}
    full = next((one for one in (problem, chain) if isinstance(one, OSError) and one.errno in FULL), None)
    if full is not None:
        return _disk(f"cannot write ({full.strerror})", Path(str(full.filename or tempfile.gettempdir())))
    denied = next((one for one in (problem, chain) if isinstance(one, PermissionError)), None)
    if denied is not None:
        fix = "give this user the right to read and write there, or set out= and data= to folders of its own"
        return PrevenanceError("E801", f"this user may not go there ({denied.strerror})", fix=fix, path=denied.filename)
    if kinds & {"MemoryError", "_ArrayMemoryError", "OutOfMemoryException", "ArrowMemoryError"} or _SHORT.search(f"{text} {chain}"):
        return _memory(text or type(problem).__name__)
    if "IOException" in kinds and ("No space left" in text or "write" in text.lower()):
        return _disk(f"cannot write ({text[:160]})", Path(tempfile.gettempdir()))
    return _memory(f"{type(problem).__name__} {text}") if memory.came_near_bound() else None


def _memory(text: str) -> PrevenanceError:
    _short.append(True)
    return PrevenanceError("E802", f"the memory does not suffice ({text[:120]})", fix=memory.MEMORY_FIX)


_SHORT = re.compile(
    "cannot allocate memory|failed to map segment|can't start new thread|bad_alloc|bad allocation|unable to allocate|failed to allocate|out of memory",
    re.IGNORECASE,
)
"""What libraries say when they are short of memory."""


def _disk(what: str, path: Path) -> PrevenanceError:
    fix = "free space on the disk that holds this path (TMPDIR= sets the folder for work in progress), and run again"
    return PrevenanceError("E801", what, fix=fix, path=path)


def bug_line() -> str:
    """Return the line for a failure that is ours; with PREVENANCE_DEBUG set the trace is written too."""
    kind, value, trace = sys.exc_info()
    if os.environ.get("PREVENANCE_DEBUG"):
        traceback.print_exc()
    place = traceback.extract_tb(trace)[-1]
    what = str(value).splitlines()[0][:200] if str(value) else ""
    return (
        f"ERROR E101 — {kind.__name__ if kind else 'bug'} at {Path(place.filename).name}:{place.lineno}: {what}. "
        "FIX: this is our bug; run again with PREVENANCE_DEBUG=1 and report what it prints\n"
    )


def sweep_spilled() -> None:
    """Remove what the engine of a killed run left in the folder for work in progress: it is personal."""
    for left in Path(tempfile.gettempdir()).glob("prevenance-*"):
        number = left.name.partition("-")[2]
        if number.isdigit() and left.is_dir() and not left.is_symlink() and left.stat().st_uid == os.getuid() and not _alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(number: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
    return True

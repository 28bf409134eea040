"""What is left of the memory that a run may have: asked before each step, for libraries that meet its end break or wait for ever.

Only a bound on address space (``ulimit -v``) can be asked for; without one there is always enough.
"""

import os
import resource
from contextlib import suppress
from pathlib import Path

from prevenance.base.errors import PrevenanceError

SPARE = 256 << 20
"""Bytes of address space that must be left before a step begins: what libraries map when they are loaded, with a margin."""

MEMORY_FIX = "give the run more memory (see ulimit -v and the limits of its container), or free some, and run again"


def is_bounded() -> bool:
    """Return whether address space is bounded."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def check_memory() -> None:
    """Refuse to go on with less than ``SPARE`` bytes left.

    Raises:
        PrevenanceError: E802.
    """
    # a library that meets the end of address space dies without a word: asking before is the only chance to say why
    left = _bound() - _size("VmSize")
    if left < SPARE:
        what = f"the memory does not suffice ({max(left, 0):,} bytes of what ulimit -v allows are left, the next step needs {SPARE:,})"
        raise PrevenanceError("E802", what, fix=MEMORY_FIX)


def came_near_bound() -> bool:
    """Return whether this run has come within ``SPARE`` bytes of its bound: a failure without a name is most likely for want of memory."""
    return is_bounded() and _bound() - _size("VmPeak") < SPARE


def _bound() -> int:
    return resource.getrlimit(resource.RLIMIT_AS)[0] if is_bounded() else 1 << 62


def _size(name: str) -> int:
    """Return the bytes of address space that Linux tells under ``name``; elsewhere 0."""
    if not is_bounded():
        return 0
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii", errors="replace").splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 1024
    return 0

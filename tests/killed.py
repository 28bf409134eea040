"""Work that is killed in a process of its own at a counted call of the system, as a machine that loses power does it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

CALLS = ("open", "fsync", "replace", "unlink", "rename", "mkdir")


def killed(work: Callable[[], object], number: int) -> bool:
    """Return whether ``work`` was killed at its call ``number`` (from 0) of ``CALLS``; it was not if it makes fewer."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    left = [number]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return call(*given, **named)

        return asked

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    work()
    os._exit(0)

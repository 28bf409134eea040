"""What was done with people's records, by whom and when: ``<out>/audit.log``, one JSON line per act, each holding the digest of the one before.

A line that is changed, removed or put in between breaks the chain. Lines cut off at the end do not: note the last digest, which
``make audit-log`` prints, somewhere else from time to time. No line holds an id of a customer in clear, and no list depends on the log.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from prevenance.base import disk
from prevenance.base.errors import PrevenanceError

LOG, FIRST = "audit.log", "0" * 64
"""The file, and what the first line holds as the digest before it."""


def append_act(out: Path, at: datetime, what: str, **facts: Any) -> str:
    """Add one line at the end and return its digest; ``at`` is naive UTC, facts that are ``None`` are left out.

    ``who`` is a hash of the operating system's user: the same for the same user, and no name.

    Raises:
        PrevenanceError: E801 if the log cannot be written.
    """
    path = out / LOG
    # two acts at once would both chain to the same line
    with disk.writing(path), FileLock(str(out / ".audit.lock"), timeout=30, mode=0o600):
        told = {key: one for key, one in facts.items() if one is not None}
        _mend(path)
        line = {"at": f"{at.isoformat(timespec='seconds')}Z", "what": what, "who": user_hash(), **told, "previous": _last(path)}
        line["digest"] = line_digest(line)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as log:
            log.write((json.dumps(line, sort_keys=True) + "\n").encode())
            log.flush()
            os.fsync(log.fileno())
    return str(line["digest"])


def line_digest(line: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a line without its own digest."""
    return hashlib.sha256(json.dumps({key: one for key, one in line.items() if key != "digest"}, sort_keys=True).encode()).hexdigest()


def verified_lines(out: Path) -> list[dict[str, Any]]:
    """Return the lines of the log, oldest first; none if there is no log.

    Raises:
        PrevenanceError: E309 naming the first line that is not as it was written.
    """
    path, found, before = out / LOG, [], FIRST
    for number, text in enumerate(path.read_bytes().splitlines() if path.is_file() else (), start=1):
        try:
            line = dict(json.loads(text))
        except (ValueError, TypeError, RecursionError):
            line = {}
        if line.get("previous") != before or line.get("digest") != line_digest(line):
            fix = "restore it from a backup, or move it away and keep it for whoever asks"
            raise PrevenanceError("E309", "the audit log is not as it was written", fix=fix, first=f"{LOG}:{number}", path=path)
        before = line["digest"]
        found.append(line)
    return found


def _mend(path: Path) -> None:
    """Cut off the beginning of a line that a full disk left: its act was never acknowledged."""
    content = path.read_bytes() if path.is_file() else b""
    if content and not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def _last(path: Path) -> str:
    lines = path.read_bytes().splitlines() if path.is_file() else []
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads(lines[-1])["digest"]) if lines else FIRST
    return FIRST


def user_hash() -> str:
    """Return a hash of the operating system's user."""
    try:
        name = getpass.getuser()
    # a container may have a user without a name
    except (OSError, KeyError):
        name = str(os.getuid())
    return hashlib.sha256(f"prevenance user {name}".encode()).hexdigest()[:12]

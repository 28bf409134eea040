"""Which bytes a run stands on: a SHA-256 of every file of the source, taken before it is read and again before anything is published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError
from prevenance.sources.files import entry_files
from prevenance.sources.postgres import is_table_entry
from prevenance.sources.sqlite import is_sqlite_entry


def file_digests(root: Path, files: Mapping[str, Any]) -> dict[str, str]:
    """Return path below ``root`` -> SHA-256 of every file that the ``files`` of a source name; those that are not there are left out."""
    found: dict[str, str] = {}
    for view, declared in files.items():
        if is_table_entry(declared) or is_sqlite_entry(declared):  # a database is read as it was at one moment
            continue
        with suppress(PrevenanceError):  # the reader refuses, or does without
            for path in entry_files(root, view, declared):
                found[path.relative_to(root).as_posix()] = _print(path)
    return found


def check_unchanged(root: Path, files: Mapping[str, Any], before: Mapping[str, str]) -> None:
    """Raise E310 if a file is not as it was ``before``: what was read may be half of one export and half of another."""
    now = file_digests(root, files)
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if changed:
        what = f"{changed[0]} changed during the run" + (f", and {len(changed) - 1} more" if changed[1:] else "")
        raise PrevenanceError("E310", what, fix="run again when the export is written; nothing was published", path=root / changed[0])


def _print(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        return type(problem).__name__

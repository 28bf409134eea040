"""JSON that we wrote and read back: whole, or told to be damaged, with its path and what to do."""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prevenance.base.disk import writing
from prevenance.base.errors import PrevenanceError


def stands(path: Path) -> bool:
    """Return whether anything is there: a folder or a link that leads nowhere in the place of a file is damage, not absence."""
    return os.path.lexists(path)


def whole_json(path: Path) -> Mapping[str, Any] | None:
    """Return the JSON object in a file, or ``None`` where there is no such file or it is damaged: no JSON, no UTF-8, no object."""
    try:
        return _json_object(path)
    except OSError:
        return None


def _json_object(path: Path) -> Mapping[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def needed_json(path: Path, *keys: str, fix: str = "") -> Mapping[str, Any]:
    """Return the JSON object in a file that a run cannot do without, with all of ``keys``.

    Raises:
        PrevenanceError: E801 naming the path.
    """
    with writing(path):
        found = _json_object(path) if path.is_file() else None
    if found is None or any(key not in found for key in keys):
        raise damaged_error(path, fix)
    return found


def needed_rows(path: Path, *keys: str, fix: str = "") -> list[Mapping[str, Any]]:
    """Return the list of JSON objects, each with all of ``keys``, in a file that a run cannot do without.

    Raises:
        PrevenanceError: E801 naming the path.
    """
    with writing(path):
        content = path.read_bytes() if path.is_file() else b""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise damaged_error(path, fix) from problem
    if not isinstance(found, list) or not all(isinstance(row, dict) and row.keys() >= {*keys} for row in found):
        raise damaged_error(path, fix)
    return found


def damaged_error(path: Path, fix: str = "") -> PrevenanceError:
    """Return the error for a file of ours that is not as we wrote it; ``fix`` says what to do besides a backup."""
    again = fix or f"move it away (mv {shlex.quote(str(path))} {shlex.quote(str(path))}.damaged) and run make train again"
    return PrevenanceError("E801", "the file is damaged", fix=f"restore it from a backup, or {again}", path=path)


def removed_folder(folder: Path, then: str) -> str:
    """Return what to do about a folder whose file is damaged."""
    return f"remove its folder (rm -r {shlex.quote(str(folder))}) and {then}"

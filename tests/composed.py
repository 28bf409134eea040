"""Settings that a run of the tests composes once: a command line that differs in nothing but its folders is not composed again."""

from __future__ import annotations

import os
import re
from copy import deepcopy
from pathlib import Path

from pipelines.start import compose, library, run
from prevenance.runs.commands import PLUGGED_CONF, PRIVATE, conf_folders
from prevenance.runs.plugins import REGISTERED
from prevenance.runs.settings.schema import Settings

FOLDERS = ("out", "data")
"""Settings whose value decides nothing else: no conf refers to one."""
WHOLE = compose.settings_of
COMPOSED: dict[tuple[object, ...], Settings] = {}


def compose_once() -> None:
    """Let every command and every test of this process ask here first; what is refused is composed, and refused, each time."""
    compose.settings_of = run.settings_of = library.settings_of = settings_once


def settings_once(name: str, overrides: list[str]) -> Settings:
    """Return what the commands' own composing returns for the command line: a copy of one's own."""
    given = [(key, value) for key, equals, value in (one.partition("=") for one in overrides) if equals and key in FOLDERS]
    folders = dict(given)
    if len(folders) != len(given) or not all(re.fullmatch(r"/[\w/.-]+", value, re.ASCII) for value in folders.values()):
        return WHOLE(name, overrides)
    rest = tuple(one for one in overrides if one.partition("=")[0] not in FOLDERS)
    asked = (
        name,
        rest,
        tuple(sorted(folders)),
        os.environ.get(PRIVATE),
        tuple(PLUGGED_CONF),
        tuple(map(id, REGISTERED.values())),
        _written(),
    )
    if asked not in COMPOSED:
        found = WHOLE(name, overrides)
        if found.plugins or found.source.plugins:  # naming a plug-in does more than give settings
            return found
        COMPOSED[asked] = deepcopy(found)
    found = deepcopy(COMPOSED[asked])
    for key, value in folders.items():
        setattr(found, key, value)
    found.overrides = list(overrides)
    return found


def _written() -> tuple[tuple[str, str | bytes], ...]:
    """Return what tells one conf from another: the files of a private folder by what they say, wherever it stands, the others by when they were written."""
    private, found = os.environ.get(PRIVATE), []
    for folder in map(str, conf_folders()):
        for path in sorted(Path(folder).rglob("*.yaml")):
            told = path.stat()
            if folder == private:
                found.append((str(path.relative_to(folder)), path.read_bytes()))
            else:
                found.append((str(path), f"{told.st_size} {told.st_mtime_ns}"))
    return tuple(found)

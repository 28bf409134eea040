"""Settings that a run of the tests composes once: a command line that differs in nothing but its folders is not composed again."""

from __future__ import annotations

import os
import re
from copy import deepcopy
from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipelines.start import compose, library, run
from prevenance.runs.commands import PLUGGED_CONF, PRIVATE, conf_folders
from prevenance.runs.plugins import REGISTERED
from prevenance.runs.settings.schema import Settings

FOLDERS = {"out": r"/[\w/.-]+", "data": r"/[\w/.-]+", "as_of": r"\d{4}-\d\d-\d\d"}
"""Settings whose value decides nothing else, no conf refers to one, and what they look like when Hydra takes them to the letter."""
WHOLE, HYDRA = compose.settings_of, compose.compose
COMPOSED: dict[tuple[object, ...], Settings] = {}
MADE: dict[tuple[object, ...], DictConfig] = {}


def compose_once() -> None:
    """Let every command and every test of this process ask here first; what is refused is composed, and refused, each time."""
    compose.settings_of = run.settings_of = library.settings_of = settings_once
    compose.compose = composed_once


def settings_once(name: str, overrides: list[str]) -> Settings:
    """Return what the commands' own composing returns for the command line: a copy of one's own."""
    given = [(key, value) for key, equals, value in (one.partition("=") for one in overrides) if equals and key in FOLDERS]
    folders = dict(given)
    if len(folders) != len(given) or not all(re.fullmatch(FOLDERS[key], value, re.ASCII) for key, value in folders.items()):
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


def composed_once(name: str, overrides: list[str]) -> DictConfig:
    """Return what Hydra composes of the command line; of two private sources that say other things, it is asked once, since the file stands as it is."""
    said = _private_source(overrides)
    if said is None:
        return HYDRA(name, overrides=overrides)
    path, source = said
    asked = (name, tuple(overrides), path.name, tuple(one for one in _written() if one[0] != f"source/{path.name}"))
    if asked not in MADE:
        MADE[asked] = HYDRA(name, overrides=overrides)
        return deepcopy(MADE[asked])
    found = deepcopy(MADE[asked])
    OmegaConf.set_struct(found, False)
    found.source = source
    OmegaConf.set_struct(found, True)
    return found


def _private_source(overrides: list[str]) -> tuple[Path, DictConfig] | None:
    """Return the file of a private folder that the command line chooses as its source, and what it says, if it says plain things and nothing else does."""
    folder = os.environ.get(PRIVATE)
    chosen = [one.partition("=")[2] for one in overrides if one.lstrip("+").partition("=")[0].partition(".")[0] == "source"]
    if not folder or len(chosen) != 1 or f"source={chosen[0]}" not in overrides:
        return None
    path = Path(folder) / "source" / f"{chosen[0]}.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else "${"
    try:
        found = OmegaConf.create(text)
    except (yaml.YAMLError, OmegaConfBaseException):
        return None  # Hydra refuses it in its own words
    plain = isinstance(found, DictConfig) and "defaults" not in found and not any(one in text for one in ("${", "@", "#"))
    return (path, found) if plain else None


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

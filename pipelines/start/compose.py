"""From conf/ and a command line to settings: Hydra composes, the schema and ``checks`` refuse."""

import os
import re
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipelines.start.refusals import (
    blank_rules,
    config_error,
    refuse_code,
    refuse_kept_secrets,
    refuse_misfits,
    refuse_named_code,
    refuse_resolvers,
    refuse_secrets,
)
from pipelines.start.written import UNREAD, refuse_large, unread_error
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.base.kept import damaged_error, needed_json, stands
from prevenance.runs.commands import PLUGGED_CONF, PRIVATE, conf_folder, conf_folders
from prevenance.runs.plugins import load_named
from prevenance.runs.settings.checks import check_settings
from prevenance.runs.settings.keys import WORDS, is_text, setting_keys
from prevenance.runs.settings.night_schema import SHADOW
from prevenance.runs.settings.schema import Settings
from prevenance.words import words

PATHS = frozenset(key for words in WORDS.values() for key in words.values())

IDS = ("customer", "product")
"""What ``explain`` is asked about: ids, taken to the letter and never parsed."""

NAMED = (
    *("playbook.targets", "playbook.plays", "outreach.hours", "outreach.shares", "outreach.costs", "source.files", "source.delay_days"),
    *("support.hours", "support.dates", "support.teams", "support.team_sizes", "support.kpi_targets"),
)
"""Settings below which the user names things."""

SAID = ("target", "validation", "outreach", "support", "tables")
"""Groups of settings that a source may speak on."""


class PrivateConf(SearchPathPlugin):
    """Look in the private folder before the shipped one, so that a file there wins over ours of the same name."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepend the private folder, if there is one, and append those of plug-ins."""
        if folder := os.environ.get(PRIVATE):
            search_path.prepend("private", f"file://{folder}")
        for plugged in PLUGGED_CONF:
            search_path.append("plug-in", f"file://{plugged}")


def settings_of(name: str, overrides: list[str]) -> Settings:
    """Return the settings of ``conf/<name>.yaml`` with ``overrides`` applied.

    Raises:
        PrevenanceError: E201 to E204.
    """
    refuse_secrets(overrides, IDS if name in ("explain", "erase") else ())
    for one in overrides:
        if "=" not in one:
            raise PrevenanceError("E202", f'"{one[:60]}" is no setting', fix="write key=value, such as target=churn; see make help")
        refuse_named_code(one)
    refuse_large(conf_folders())
    # Before anything is composed: a source or target of a plug-in stands in its own folder.
    load_named(_modules(OmegaConf.from_dotlist([one for one in overrides if one.startswith("plugins=")])))
    try:
        # Hydra keeps one global state, and one process composes once for each target.
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            # Ids go round Hydra: a comma, a brace or a quote in one would mean something in its grammar.
            ids = {key: value for key, _, value in (one.partition("=") for one in overrides) if name in ("explain", "erase") and key in IDS}
            # Hydra's keys are plain; an owner's name need not be, and a day begins with a number.
            named = {
                key: value
                for key, _, value in (one.partition("=") for one in overrides)
                if is_named(key) and (re.search(r"\.\d", key) or not re.fullmatch(r"[\w.-]+", key, re.ASCII))
            }
            apart = {*ids, *named}
            composed = compose(name, overrides=[escaped_setting(one) for one in overrides if one.partition("=")[0] not in apart])
            for key, value in named.items():
                OmegaConf.update(composed, key, value or None, force_add=True)
            if load_named([*_modules(composed), *_modules(composed.get("source"))]):
                return settings_of(name, overrides)
            refuse_kept_secrets(OmegaConf.to_container(composed, resolve=False))
            refuse_resolvers(OmegaConf.to_container(composed, resolve=False))
            found = checked_settings(composed, overrides)
            found.customer, found.product = ids.get("customer", found.customer), ids.get("product", found.product)
            return found
    except UNREAD as problem:
        raise unread_error(problem, conf_folders()) from problem
    except (HydraException, OmegaConfBaseException) as problem:
        raise config_error(problem, setting_keys()) from problem


def _modules(composed: Any) -> list[str]:
    """Return the modules that ``plugins`` of a group of settings names; what is no list is left for the schema to refuse.

    Raises:
        PrevenanceError: E202 for a list of something else than names.
    """
    found = composed.get("plugins") if isinstance(composed, DictConfig) else None
    names = list(found) if isinstance(found, ListConfig) else []
    for one in names:
        if not isinstance(one, str):
            what = f"plugins names modules, and {str(one)[:40]} is none"
            raise PrevenanceError("E202", what, key="plugins", fix="write plugins=[acme_success]")
    return names


def is_named(key: str) -> bool:
    """Return whether a key stands below one whose keys the user names, once."""
    return any(key.startswith(f"{one}.") and "." not in key[len(one) + 1 :] for one in NAMED)


def escaped_setting(override: str) -> str:
    """Return a setting as Hydra takes it: texts quoted that its grammar would refuse (spaces, commas, accents, equals signs).

    Below ``NAMED`` a key may be new: an owner, a target or a table that only the user knows. A key of source or target is one even where
    the chosen file does not name it.
    """
    key, _, value = override.partition("=")
    if key.startswith((*(f"{one}." for one in NAMED), "source.", "target.")):
        override = f"++{override}"
    if (key in PATHS or is_text(key) or key.startswith("support.hours.")) and value not in ("", "null") and value[0] not in "'\"[{":
        key = override.partition("=")[0]
        return f"{key}='" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return override


def targets_of(name: str, given: Settings) -> list[Settings]:
    """Return the settings of each target to run: the chosen one, or all that the source declares.

    Raises:
        PrevenanceError: E203 when the source declares none.
    """
    if given.target.name != "all":
        return [given]
    if not given.source.targets:
        fix = "choose one, such as target=churn"
        raise PrevenanceError("E203", f"the source {given.source.name} declares no target", key="target", fix=fix)
    kept = [one for one in given.overrides if one.partition("=")[0] != "target"]
    return [settings_of(name, [*kept, f"target={target}"]) for target in given.source.targets]


def checked_settings(composed: DictConfig, overrides: list[str]) -> Settings:
    """Return checked settings: the target's file, then the source's words on it, then the command line.

    Raises:
        PrevenanceError: E201 unknown key, E202 wrong kind, E203 unknown choice or language, E204 ``_target_``.
    """
    refuse_code(OmegaConf.to_container(composed, resolve=False))
    try:
        OmegaConf.set_struct(composed, False)  # the schema refuses what it does not know; owners and targets under outreach are the user's
        blank_rules(composed)
        refuse_misfits(composed)
        merged = OmegaConf.unsafe_merge(OmegaConf.structured(Settings), composed)
        source: Any = OmegaConf.to_container(merged.source)
        merged = OmegaConf.unsafe_merge(merged, {group: _source_words(source, merged.target.name, group) for group in SAID})
        # The command line has the last word, and the source's words have just been laid over it.
        for key in (one.lstrip("+").partition("=")[0] for one in overrides):
            if key.partition(".")[0] in SAID and "." in key:
                OmegaConf.update(merged, key, OmegaConf.select(composed, key))
        result: Settings = OmegaConf.to_object(merged)  # type: ignore[assignment]
    except OmegaConfBaseException as problem:
        raise config_error(problem, setting_keys()) from problem
    check_settings(result)
    result.language = words(result.language or result.source.language or "en").language
    result.overrides = list(overrides)
    return result


def _source_words(source: Any, target: str, group: str) -> Any:
    """Return what the source says on a group: its target's words; for the other groups its own, then those under its target."""
    said = source["targets"].get(target) or {}
    for key, value in (
        (f"source.targets.{target}", said),
        (f"source.targets.{target}.{group}", said.get(group) if isinstance(said, dict) else None),
    ):
        if value is not None and not isinstance(value, dict) and (key.count(".") == 2 or group != "target"):
            what = f'a target says its settings with their values, and "{str(value)[:40]}" stands there'
            raise PrevenanceError("E202", what, key=key, fix=f"write {target}: {{horizon_days: 90}} under targets in the source's yaml")
    if group == "target":
        return {key: value for key, value in said.items() if key not in SAID[1:]}
    return OmegaConf.merge(source[group], said.get(group, {}))


def own_words(name: str, arguments: list[str]) -> list[str]:
    """Return the arguments of a command in the words of its conf.

    Raises:
        PrevenanceError: E201 for a setting that the leakage check does not have.
    """
    words = WORDS.get(name, {})
    known, found = (*words, *words.values(), "out", "seed"), []
    for one in arguments:
        key, equals, value = one.partition("=")
        if name == "leakage" and equals and key not in known and not one.startswith("-"):
            raise PrevenanceError("E201", f'there is no setting "{key}"', key=key, fix=did_you_mean(key, (*words, "out", "seed")))
        found.append(f"{words.get(key, key)}={value}" if equals and not one.startswith("-") else one)
    return found


def without_private(arguments: list[str]) -> list[str]:
    """Take ``--config-dir`` out of the arguments and hand the folder to the search path."""
    kept, folder, rest = [], None, iter(arguments)
    for one in rest:
        if one in ("--config-dir", "-cd"):
            folder = next(rest, "")
        elif one.startswith("--config-dir="):
            folder = one.partition("=")[2]
        else:
            kept.append(one)
    if folder is not None:
        path = Path(folder).resolve()
        if not path.is_dir():
            fix = "give the folder that holds source/, target/, ..."
            raise PrevenanceError("E203", f"there is no configuration folder at {path}", key="CONF", fix=fix)
        os.environ[PRIVATE] = str(path)
    return kept


def with_remembered(name: str, arguments: list[str]) -> list[str]:
    """Return the trained source, data folder and settings of ``out``, then the command line (which wins)."""
    out = Path(next((one[4:] for one in arguments if one.startswith("out=")), "out"))
    out = out / SHADOW if "shadow=true" in arguments and stands(out / SHADOW / "run.json") else out
    if name in ("train", "leakage") or not stands(out / "run.json"):
        return arguments
    stored = needed_json(out / "run.json", "overrides", "source")["overrides"]
    if not isinstance(stored, list) or not all(isinstance(one, str) for one in stored):
        raise damaged_error(out / "run.json")
    given = {one.partition("=")[0] for one in arguments}
    return [one for one in stored if one.partition("=")[0] not in given] + arguments

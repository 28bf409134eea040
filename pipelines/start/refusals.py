"""What Hydra and OmegaConf refuse, as one line for people; and settings that would run code."""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Any

from omegaconf import MISSING, DictConfig, ListConfig, OmegaConf

from pipelines.start.line import unknown_setting
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.consent.purpose import PURPOSE_EXAMPLES
from prevenance.runs.settings.keys import example_value, open_keys, setting_kinds


def _keys(node: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Return every key of a conf with its place and its value, at any depth, inside lists too."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key), f"{path}{key}", value
            yield from _keys(value, f"{path}{key}.")
    elif isinstance(node, list):
        for item in node:
            yield from _keys(item, path)


def refuse_code(node: Any) -> None:
    """Raise E204 when a setting would name code to run (``_target_`` and its like), at any depth."""
    for key, place, _ in _keys(node):
        if key in ("_target_", "_partial_", "_args_", "_recursive_", "_convert_"):
            raise runs_code(key, place)


def refuse_resolvers(node: Any) -> None:
    """Raise E202 when a value is taken from elsewhere (``${oc.env:X}`` and its like): settings stand in manifests, the environment may not."""
    for _, place, value in _keys(node):
        if any(isinstance(one, str) and re.search(r"\$\{[^{}]*:", one) for one in (value if isinstance(value, list) else [value])):
            fix = "write the value itself; what is secret stays in the environment, and settings such as database.url_env name its variable"
            raise PrevenanceError("E202", "a setting would be read from outside the settings, and is kept in manifests", key=place, fix=fix)


def refuse_named_code(argument: str) -> None:
    """Raise E204 when an override's key, or the mapping or list that it gives, names code to run."""
    key, _, value = argument.partition("=")
    named = argument if value.lstrip().startswith(("{", "[")) else key
    for word in ("_target_", "_partial_"):
        if word in named:
            raise runs_code(key if word in key else word, key)


def blank_rules(composed: DictConfig) -> None:
    """Take a purpose, legal basis or controller of null as blank: nobody recorded it, which is no value of a wrong kind."""
    for name in PURPOSE_EXAMPLES:
        if OmegaConf.select(composed, f"privacy.{name}", default="") is None:
            OmegaConf.update(composed, f"privacy.{name}", "")


def refuse_misfits(composed: DictConfig) -> None:
    """Raise E202 for a text, a number or a list that stands where a file of settings names things (``files``, ``hours``)."""
    for group in {key.partition(".")[0] for key in setting_kinds() if "." in key}:
        if isinstance(found := composed.get(group, {}), ListConfig):
            fix = f"write the file {group}/<name>.yaml as lines of key: value, without - before them"
            raise PrevenanceError("E202", f"{group} is a group of settings, and a list stands there", key=group, fix=fix)
    kinds = setting_kinds()
    for key in open_keys():
        found = OmegaConf.select(composed, key, default=DictConfig({}))
        if isinstance(found, DictConfig) or (found is None and "None" in kinds[key][0].rpartition("]")[2]):
            continue
        what = "nothing" if found is None else "a list" if isinstance(found, ListConfig) else f'"{str(found)[:60]}"'
        name, example = key.rpartition(".")[2], NAMED_THINGS.get(key, "name: value")
        raise PrevenanceError(
            "E202", f"{name} names things, each with its value, and {what} stands there", key=key, fix=f"write {name}: {{{example}}}"
        )


def runs_code(key: str, place: str) -> PrevenanceError:
    """Return E204 for a setting that names code."""
    fix = "remove it; choices are names, such as model=lightgbm"
    return PrevenanceError("E204", f'the setting "{key}" would run code', key=place, fix=fix)


def refuse_secrets(arguments: list[str], letters: Collection[str] = ()) -> None:
    """Raise E211 for a setting that holds a secret, without saying its value: it would stay in shell histories, process lists and logs.

    ``letters`` are keys whose values are taken to the letter (ids).
    """
    for one in arguments:
        key, _, value = one.partition("=")
        if key in letters or (not value.strip("\"' ") and "://" not in key):
            continue
        if _secret(key.rpartition(".")[2]):
            raise _told(key.lstrip("+~"))
        if _HIDDEN.search(one):
            raise _told(key.lstrip("+~") if re.fullmatch(r"[+~]*[\w.@/-]{1,60}", key) else None)


def refuse_kept_secrets(node: Any) -> None:
    """Raise E211 when a file of conf/ holds a secret, at any depth."""
    for key, place, value in _keys(node):
        if isinstance(value, str) and value not in ("", MISSING) and (_secret(key) or _HIDDEN.search(value)):
            raise _told(place)


_WORDS = re.compile("pass(?:word|wd|phrase)|pwd|secret|token|credentials?|dsn|(?:api|private|access|secret)key")
_HIDDEN = re.compile(
    r"(?i)[a-z][a-z0-9+.-]*://[^\s/@]*:[^\s]+@|\b(?:password|passwd|passphrase|pwd|secret|token|api_?key|access_?key|dsn)[\"']?\s*[:=]\s*[^\s,}]"
)
"""A secret inside a value: a URL with user:password@, or ``password=`` and its like in a connection text or a mapping."""


def _secret(key: str) -> bool:
    """Return whether a key asks for a secret itself; one that ends with ``_env`` or ``_file`` only says where it is."""
    parts = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
    if not parts or parts[-1] in ("env", "file"):
        return False
    # Two words in a row as one: api_key and apiKey ask for what apikey asks for.
    return parts[-1] == "key" or any(map(_WORDS.fullmatch, (*parts, *(first + second for first, second in pairwise(parts)))))


def _told(key: str | None) -> PrevenanceError:
    fix = "remove it, and give it in an environment variable only"
    return PrevenanceError("E211", "a secret stands in a setting; its value is not repeated here", key=key, fix=fix)


NAMED_THINGS = {
    "source.files": "accounts: accounts.csv",
    "source.delay_days": "tickets: 1",
    "source.database": "url_env: ACME_DATABASE",
    "source.record": "accounts: [id]",
    "source.targets": "churn: {}",
    "tables": "tickets: {on_bad_row: quarantine}",
    "outreach.hours": "default: 20",
    "support.hours": 'mon: "08:00-18:00"',
    "support.dates": '"12-24": "08:00-12:00"',
    "support.team_sizes": "first line: 12",
    "support.kpi_targets": "resolve_median: 48",
    "support.teams": "night shift: {always: true}",
}
"""Key whose values the user names -> an example of them."""


def config_error(problem: Exception, known: list[str]) -> PrevenanceError:
    """Return the one-line error for what Hydra or OmegaConf refused; ``known`` are the keys that may be set."""
    text = " ".join(str(problem).split())
    if found := re.search(r"Could not find '([^']+)' Available options in '[^']*': (.*)$", text):
        group, _, name = found.group(1).rpartition("/")
        options = found.group(2).partition("Config search path")[0].split()
        own = f"; one of your own needs CONF=<folder that holds source/{name}.yaml>" if group == "source" else ""
        return PrevenanceError("E203", f'{group} "{name}" is unknown', key=group, fix=did_you_mean(name, options) + own)
    if found := re.search(r"Could not find '([^']+)'", text):
        group, _, name = found.group(1).rpartition("/")
        what = f'{group or "setting"} "{name}" is unknown'
        return PrevenanceError("E203", what, key=group or name, fix="see make help and the folder conf/")
    if "is not a subclass of" in text:
        what = f'"{text.partition("value: ")[2].partition(" full_key")[0][:60]}" stands where a group of settings is wanted'
        return PrevenanceError("E202", what, fix="write one setting of the group, such as demo.customers=30 or outreach.holdout.share=0.1")
    if found := re.search(r"Key '?(\S+?)'? \((\w+)\) is incompatible", text):
        what = f"the key {found.group(1)[:60]} is read as {_READ.get(found.group(2), 'no text')}, and keys are texts"
        return PrevenanceError(
            "E202", what, fix=f'write "{found.group(1)[:60].lower()}" with its quotes, as in "{found.group(1)[:60].lower()}": value'
        )
    if found := re.search(r"full_key: (?!object_type)(\S+)|Could not override '([^']+)'|Key '([^']+)'", text):
        key = next(group for group in found.groups() if group)
        if "To append to your config" in text or "not in" in text:
            choices = [one for one in known if one.count(".") == key.count(".")]
            choices += ["source", "target", "model", "validation", "features", "outreach", "support", "playbook", "privacy"]
            choices += sorted({one.rpartition(".")[2] for one in known}) if "Settings" in text else []
            return unknown_setting(key, choices)
        return _wrong_kind(key, text)
    if re.search("viable alternative|LexerNoViable|mismatched input|extraneous input|token recognition", text, re.IGNORECASE):
        said = re.search(r"input '([^']*)'|Exception: (\S+)", text)
        what = f"a setting cannot be read{f': {one[:60]}' if said and (one := said.group(1) or said.group(2)) else ''}"
        fix = "close its quotes and brackets; a value with signs such as : # ( ) or quotes is quoted twice: key=\"'value'\""
        return PrevenanceError("E202", what, fix=fix)
    return PrevenanceError("E202", text[:200] or type(problem).__name__, fix="write key=value, such as target=churn; see make help")


_READ = {"int": "a number", "float": "a number", "bool": "true or false", "NoneType": "nothing"}
_KINDS = {"Integer": "no whole number", "Float": "no number", "Boolean": "not true or false", "bool": "not true or false"}


def _wrong_kind(key: str, text: str) -> PrevenanceError:
    """Return E202 for a value of another kind than the setting's, with one that it takes."""
    key = key.partition("[")[0]
    # of a mapping whose keys are the user's own, the example's value
    example = example_value(key) or (NAMED_THINGS.get(key.rpartition(".")[0], "").partition(": ")[2] or None)
    fix = (
        f"write {key}={example}, or another value of that kind"
        if example is not None
        else f"give {key} a value of the kind that conf/ shows"
    )
    if found := re.search(r"Value '(.*?)'.* could not be converted to (\w+)|Value '(.*?)' is not a valid (\w+)", text):
        value, kind = found.group(1) or found.group(3) or "", found.group(2) or found.group(4) or ""
        return PrevenanceError("E202", f'"{value[:60]}" is {_KINDS.get(kind, "of another kind")}', key=key, fix=fix)
    if found := re.search(r"Interpolation key '([^']*)' not found", text):
        return PrevenanceError("E202", f'the value refers to "{found.group(1)[:60]}", which is no setting', key=key, fix=fix)
    if "ListConfig" in text:
        return PrevenanceError("E202", "it takes a list", key=key, fix=fix)
    return PrevenanceError("E202", text.partition(" full_key")[0][:200], key=key, fix=fix)

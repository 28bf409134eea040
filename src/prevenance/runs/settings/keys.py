"""Which keys may be set, and which files are the choices of a group; no conf is composed."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from prevenance.runs.settings.schema import PolicySettings, Settings
from prevenance.tables.canonical import TABLES

WORDS = {
    "leakage": {"features": "table.file"} | {key: f"table.{key}" for key in ("label", "id", "cutoff", "fail", "permitted")},
    **{name: {"from": "nights.first", "to": "nights.last"} for name in ("backfill", "replay")},
}
"""What a command is asked in its own words -> the key of its conf: ``features=`` is a file there, elsewhere a group of choices."""


def setting_keys(schema: type = Settings, prefix: str = "") -> list[str]:
    """Return every dotted key that may be set."""
    found = []
    instance = schema()
    for one in fields(schema):
        value = getattr(instance, one.name)
        found += setting_keys(type(value), f"{prefix}{one.name}.") if is_dataclass(value) else [prefix + one.name]
    if schema is Settings:
        found += [f"tables.{table}.{one.name}" for table in TABLES for one in fields(PolicySettings)]
    return [key for key in found if key not in ("overrides", "tables")]


def setting_kinds(schema: type = Settings, prefix: str = "") -> dict[str, tuple[str, Any]]:
    """Return dotted key -> (its type as text, its default) of every setting; of ``tables.<table>.<key>`` each table has its own."""
    found: dict[str, tuple[str, Any]] = {}
    instance = schema()
    for one in fields(schema):
        value = getattr(instance, one.name)
        kind = one.type.__name__ if isinstance(one.type, type) else str(one.type)
        found |= setting_kinds(type(value), f"{prefix}{one.name}.") if is_dataclass(value) else {prefix + one.name: (kind, value)}
    if schema is Settings:
        found |= {f"tables.{table}.{key}": told for table in TABLES for key, told in setting_kinds(PolicySettings).items()}
    return found


def open_keys() -> list[str]:
    """Return the settings that hold keys of the user's own, such as ``source.files`` and ``outreach.hours``."""
    return [key for key, (kind, _) in setting_kinds().items() if kind.startswith("dict")]


def is_text(key: str) -> bool:
    """Return whether a setting is a text (or null), which is taken to the letter: a comma or an accent in it means nothing."""
    return setting_kinds().get(key, ("", None))[0].startswith("str")


def example_value(key: str) -> str | None:
    """Return a value that the setting takes, as it is typed: its default where there is one; ``None`` for a mapping or what is no setting."""
    if key == "source.timestamp_formats":
        return "['%d/%m/%Y']"
    kind, default = setting_kinds().get(key, ("dict", None))
    if "dict" in kind:
        return None
    if isinstance(default, list):
        return f"[{','.join(map(str, default)) or 'name'}]"
    if default in (None, ""):
        return next((example for word, example in _EXAMPLES.items() if word in kind), None)
    return str(default).lower() if isinstance(default, bool) else str(default)


_EXAMPLES = {"bool": "true", "int": "20", "float": "1.5", "str": "text"}


def group_choices(*folders: Path) -> dict[str, list[str]]:
    """Return group -> its choices: the files of each folder of conf folders, such as ``target`` -> ``all, churn, ...``."""
    found: dict[str, set[str]] = {}
    for path in (path for folder in folders for path in folder.glob("*/*.yaml")):
        found.setdefault(path.parent.name, set()).add(path.stem)
    return {group: sorted(names) for group, names in sorted(found.items())}


FLAGS = {
    "--help": "this page of the command", "-h": "--help", "--help-all": "every setting and choice",
    "--config-dir": "your own conf folder", "-cd": "--config-dir",
    "--multirun": "a run for each value of a,b,c", "-m": "--multirun",
    "--cfg": "show the settings and run nothing: job, hydra or all", "-c": "--cfg",
    "--resolve": "with --cfg: values in place of references", "-r": "--resolve",
}  # fmt: skip
"""Flags of every command, and what each does or stands for."""

VALUED = {"--config-dir": "conf-acme", "-cd": "conf-acme", "--cfg": "job", "-c": "job"}
"""Flags that a value follows, and an example of it."""

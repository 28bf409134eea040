"""Which keys may be set, and which files are the choices of a group; no conf is composed."""

from dataclasses import fields, is_dataclass
from pathlib import Path

from prevenance.runs.settings.schema import PolicySettings, Settings
from prevenance.tables.canonical import TABLES

WORDS = {
    "leakage": {"features": "table.file"} | {key: f"table.{key}" for key in ("label", "id", "cutoff", "fail", "permitted")},
    "backfill": {"from": "nights.first", "to": "nights.last"},
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

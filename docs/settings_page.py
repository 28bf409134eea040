"""The page of settings: every key with its default, its unit and bounds, and what conf/ or the schema says of it."""

import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from pieces import table

from prevenance.runs.settings.checks import BOUNDS, COUNTS, INFINITE
from prevenance.runs.settings.keys import group_choices
from prevenance.runs.settings.schema import PolicySettings, Settings

CONF = Path(__file__).resolve().parent.parent / "conf"
SHIPPED = (
    "validation/rolling",
    "features/all",
    "outreach/default",
    "support/default",
    "playbook/default",
    "privacy/default",
    "pilot/default",
    "model/auto",
)
"""The choices that a run takes where nothing else is asked: their values are the defaults."""

UNITS = (
    (r"_days$|\.lookbacks$|^privacy\.retention\.", "days"),
    (r"^demo\.months$", "months"),
    (r"^outreach\.hours", "hours"),
    (r"\.shares?$|\.margin$|\.band$|max_bad_share$|least_kept$", "share, 0 to 1"),
    (r"wake_points$", "percentage points"),
    (r"\.cost|max_value$", "money, in the source's currency"),
    (r"^capacity$|\.capacity$", "contacts"),
    (r"_after$", "days, or `36h`"),
)
"""What the name of a key says of its unit."""


def settings_page() -> str:
    """Return every key that may be set, group by group."""
    said, shipped = {**conf_comments(), **schema_comments(Settings())}, shipped_values()
    text = "# Settings\n\n`key=value` on a command line, or a file of the same group in your own folder (`CONF=path`). "
    text += "A misspelt key is refused and the nearest one named. `--multirun` takes `a,b,c` as values and runs once for each.\n\n"
    text += "The default is that of the shipped files; a source's yaml may say another for it (`capacity`, `outreach:`, `validation:`, `tables:`), "
    text += "and the command line has the last word.\n\n"
    text += "## Groups of choices\n\n" + table(
        ("group", "choices"),
        [(f"`{group}=`", ", ".join(f"`{one}`" for one in found)) for group, found in group_choices(CONF).items()],
    )
    by_group: dict[str, list[tuple[str, ...]]] = {}
    for key, default in setting_defaults(Settings()):
        by_group.setdefault(key.partition(".")[0] if "." in key else "", []).append(
            (f"`{key}`", shown(key, shipped.get(key, default)), unit(key), said.get(key, ""))
        )
    own = schema_comments(PolicySettings())
    by_group["tables"] = [
        (f"`tables.<table>.{one.name}`", shown("", one.default), unit(f"tables.{one.name}"), own[one.name])
        for one in fields(PolicySettings)
    ]
    for group, rows in by_group.items():
        text += f"\n## {f'Keys of {group}' if group else 'Keys of every command'}\n\n" + table(
            ("key", "default", "unit", "what it is"), rows
        )
    return text


def setting_defaults(group: Any, prefix: str = "") -> list[tuple[str, object]]:
    """Return (dotted key, default) of a group of settings."""
    found: list[tuple[str, object]] = []
    for one in fields(group):
        value = getattr(group, one.name)
        if is_dataclass(value):
            found += setting_defaults(value, f"{prefix}{one.name}.")
        elif one.name not in ("overrides", "tables") or prefix:
            found.append((prefix + one.name, value))
    return found


def shipped_values() -> dict[str, object]:
    """Return key -> the value that the shipped files give; of a target's keys, what each target says where they differ."""
    found: dict[str, object] = {}
    for name in SHIPPED:
        group = name.partition("/")[0]
        for key, value in OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml")).items():  # type: ignore[union-attr]
            inner = value.items() if group in ("outreach", "privacy") and isinstance(value, dict) else ()
            found |= {f"{group}.{key}": value, **{f"{group}.{key}.{part}": one for part, one in inner}}
    targets = {path.stem: OmegaConf.load(path) for path in sorted((CONF / "target").glob("*.yaml")) if path.stem != "all"}
    for key, default in setting_defaults(Settings().target):
        each = {name: one[key] for name, one in targets.items() if key in one and one[key] != default}
        if each and key != "name":
            found[f"target.{key}"] = "; ".join([str(default), *(f"{name} {value}" for name, value in each.items())]).removeprefix("; ")
    return found


def shown(key: str, value: object) -> str:
    """Return a default as a person writes it; what is long is named, not printed."""
    if value is None or value in ("", [], {}):
        return "–"
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{text}`" if len(text) <= 100 else f"see `conf/{key.partition('.')[0]}/`"


def unit(key: str) -> str:
    """Return the unit of a key and what it may be."""
    named = next((words for pattern, words in UNITS if re.search(pattern, key)), "")
    low, high = COUNTS[key][0] if key in COUNTS else None, INFINITE
    if key.startswith("outreach.") and key.removeprefix("outreach.") in BOUNDS:
        low, high = BOUNDS[key.removeprefix("outreach.")]
    if low is None or (named.startswith("share") and (low, high) == (0, 1)):
        return named
    bounds = f"from {low:g}" + (f" to {high:g}" if high < INFINITE else " on")
    return f"{named.partition(', 0')[0]}, {bounds}" if named else bounds


def conf_comments() -> dict[str, str]:
    """Return dotted key -> what stands beside it in conf/, below its own group alone."""
    found: dict[str, str] = {}
    paths = [*CONF.glob("*.yaml"), *(CONF / f"{name}.yaml" for name in (*SHIPPED, "source/demo/company"))]
    for path in paths:
        above = [] if path.parent == CONF or path.stem == "company" else [path.parent.name]
        places: list[tuple[int, str]] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not (read := re.match(r"( *)(\w+):(?: .*?)?(?:\s+# (.*))?$", line)):
                continue
            indent, key, comment = read.groups()
            places = [*(one for one in places if one[0] < len(indent)), (len(indent), key)]
            if comment:
                found[".".join([*above, *(one for _, one in places)])] = comment
    return found


def schema_comments(group: Any, prefix: str = "") -> dict[str, str]:
    """Return dotted key -> what stands beside its field in the schema, or on the line above it."""
    text = inspect.getsource(type(group))
    beside = re.findall(r"^    (\w+): [^#\n]*# (.*)$", text, re.MULTILINE)
    above = [(key, words) for words, key in re.findall(r"^    # (.*)\n    (\w+): ", text, re.MULTILINE)]
    found = {f"{prefix}{key}": words for key, words in (*above, *beside)}
    for one in fields(group):
        if is_dataclass(value := getattr(group, one.name)):
            found |= schema_comments(value, f"{prefix}{one.name}.")
    return found

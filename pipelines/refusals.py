"""What Hydra and OmegaConf refuse, as one line for people; and settings that would run code."""

from __future__ import annotations

import re
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from prevenance.errors import PrevenanceError, nearest


def refuse_code(node: Any, path: str = "") -> None:
    """Raise E204 when a setting would name code to run (``_target_`` and its like), at any depth."""
    if isinstance(node, DictConfig):
        for key in map(str, node):
            if key in ("_target_", "_partial_", "_args_", "_recursive_", "_convert_"):
                raise PrevenanceError(
                    "E204",
                    f'the setting "{key}" would run code',
                    key=f"{path}{key}",
                    fix="remove it; choices are names, such as model=lightgbm",
                )
            if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
                refuse_code(node[key], f"{path}{key}.")
    elif isinstance(node, ListConfig):
        for item in node:
            refuse_code(item, path)


def config_error(problem: Exception, known: list[str]) -> PrevenanceError:
    """Return the one-line error for what Hydra or OmegaConf refused; ``known`` are the keys that may be set."""
    text = " ".join(str(problem).split())
    if found := re.search(r"Could not find '([^']+)' Available options in '[^']*': (.*)$", text):
        group, _, name = found.group(1).rpartition("/")
        options = found.group(2).partition("Config search path")[0].split()
        return PrevenanceError("E203", f'{group} "{name}" is unknown', key=group, fix=nearest(name, options))
    if found := re.search(r"Could not find '([^']+)'", text):
        group, _, name = found.group(1).rpartition("/")
        return PrevenanceError(
            "E203", f'{group or "setting"} "{name}" is unknown', key=group or name, fix="see make help and the folder conf/"
        )
    if found := re.search(r"full_key: (\S+)|Could not override '([^']+)'|Key '([^']+)'", text):
        key = next(group for group in found.groups() if group)
        if "To append to your config" in text or "not in" in text:
            choices = [one for one in known if one.count(".") == key.count(".")] + [
                "source",
                "target",
                "model",
                "validation",
                "features",
                "outreach",
                "playbook",
                "privacy",
            ]
            choices += sorted({one.rpartition(".")[2] for one in known}) if "Settings" in text else []
            return PrevenanceError(
                "E201", f'there is no setting "{key}"', key=key, fix=nearest(key, choices) if len(key) < 60 else "see conf/"
            )
        return PrevenanceError(
            "E202", text.partition(" full_key")[0][:200], key=key, fix=f"give {key} a value of the kind that conf/ shows"
        )
    return PrevenanceError("E202", text[:200] or type(problem).__name__, fix="write key=value, such as target=churn; see make help")

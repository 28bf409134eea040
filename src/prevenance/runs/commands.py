"""Where the shipped conf is, and how a command is written that a person is to repeat."""

import os
import shlex
from pathlib import Path

PRIVATE = "PREVENANCE_CONF"
"""Environment variable that carries the private configuration folder to Hydra's search path."""

PLUGGED_CONF: list[Path] = []
"""Configuration folders of plug-ins, looked through after ours."""

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_root() -> Path:
    """Return the folder that holds ``conf/``: the package itself in a wheel, the root of a checkout."""
    return _PACKAGE if (_PACKAGE / "conf").is_dir() else _PACKAGE.parents[1]


def conf_folder() -> Path:
    """Return the shipped ``conf/``."""
    return shipped_root() / "conf"


def conf_folders() -> list[Path]:
    """Return every folder of configuration, the private one first and those of plug-ins last."""
    own = os.environ.get(PRIVATE)
    return [*([Path(own)] if own else []), conf_folder(), *PLUGGED_CONF]


def command(name: str, *words: str) -> str:
    """Return a command to be taken literally: make's, or the installed one where there is no Makefile; with the private folder, if any."""
    conf, asked = shlex.quote(os.environ.get(PRIVATE, "")), " ".join(words)
    if (shipped_root() / "Makefile").is_file():
        return f"make {name}" + (f" CONF={conf}" if conf != "''" else "") + (f" ARGS='{asked}'" if asked else "")
    return f"prevenance {name}" + (f" --config-dir {conf}" if conf != "''" else "") + (f" {asked}" if asked else "")

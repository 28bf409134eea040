"""What is said of each command, from ``commands.toml``: its line, what it does, its main settings, an example, what it writes, how it ends."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from prevenance.base.errors import STATUS


@dataclass(frozen=True)
class CommandWords:
    """The words of one command; ``settings`` are (key, meaning, example), ``codes`` (exit code, meaning)."""

    name: str
    line: str
    about: str = ""
    settings: list[tuple[str, str, str]] = field(default_factory=list)
    example: str = ""
    writes: list[str] = field(default_factory=list)
    codes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def module(self) -> str:
        """Return the name of its file in ``pipelines/`` and of its conf: ``audit_log`` for ``audit-log``."""
        return self.name.replace("-", "_")


@cache
def command_words() -> dict[str, CommandWords]:
    """Return name -> words of the commands that take settings, in the order of a help page."""
    told = _told()
    return {name: _words(name, said, told["settings"]) for name, said in told["commands"].items()}


@cache
def plain_lines() -> dict[str, str]:
    """Return name -> line of what ``prevenance`` does besides: no settings of ``conf/``."""
    return {name: said["line"] for name, said in _told()["plain"].items()}


@cache
def make_lines() -> dict[str, str]:
    """Return name -> line of what only a checkout has, by make."""
    return {name: said["line"] for name, said in _told()["make"].items()}


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads((files("prevenance.runs") / "commands.toml").read_text(encoding="utf-8"))


def _words(name: str, said: dict[str, Any], shared: dict[str, list[str]]) -> CommandWords:
    own = said.get("own", {})
    settings = [(key, *own.get(key, shared.get(key))) for key in said["settings"]]
    codes = [("0", said["done"]), *((str(code), STATUS[code]) for code in sorted({1, 2, *said["codes"]}))]
    stopped = [("130, 143", "stopped from outside; nothing half-made is left")]
    return CommandWords(name, said["line"], " ".join(said["about"].split()), settings, said["example"], said["writes"], codes + stopped)

"""The pipelines for callers in Python: the same commands with the same locks and files, told by values and errors instead of exit codes."""

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.core.plugins import Plugins

from pipelines.start.compose import IDS, PrivateConf, own_words, settings_of, with_remembered
from pipelines.start.ending import known_failure
from pipelines.start.refusals import refuse_secrets
from pipelines.start.run import run_held
from prevenance.base.errors import PrevenanceError
from prevenance.runs.commands import PRIVATE
from prevenance.runs.plugins import load_installed
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


@contextmanager
def private_conf(folder: Path | None) -> Iterator[None]:
    """Let the private configuration ``folder``, where one is given, come before ours inside the block."""
    before = os.environ.get(PRIVATE)
    if folder is not None:
        os.environ[PRIVATE] = str(folder.resolve())
    try:
        yield
    finally:
        if folder is not None:
            os.environ.pop(PRIVATE)
            if before is not None:
                os.environ[PRIVATE] = before


def remembered(out: str) -> list[str]:
    """Return the settings that a training below ``out`` left, none where there was no training."""
    return [one.lstrip("+") for one in with_remembered("score", [f"out={out}"]) if not one.startswith("out=")]


def settings_for(name: str, arguments: Sequence[str]) -> Settings:
    """Return the settings of a command.

    Raises:
        PrevenanceError: E201 to E204, E211.
    """
    refuse_secrets(list(arguments), IDS if name in ("explain", "erase") else ())
    Plugins.instance().register(PrivateConf)
    load_installed()
    return settings_of(name, own_words(name, list(arguments)))


def told_by(name: str, arguments: Sequence[str]) -> str:
    """Run a command in this process, with its locks and its status file, and return what it would print.

    Raises:
        PrevenanceError: what the command ends with; of several refused targets the first, once the others are done.
    """
    given = settings_for(name, arguments)
    said: list[str] = []
    steps, body = Steps(given.folder, told=said.append), importlib.import_module(f"pipelines.{name}").body
    try:
        run_held(name, body, given, steps)
    except PrevenanceError:
        raise
    except Exception as problem:
        if (found := known_failure(problem)) is None:
            raise
        raise found from problem
    if steps.refused:
        raise steps.refused[0]
    return "\n".join(said)

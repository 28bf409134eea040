"""Start a pipeline: compose the conf, refuse what is wrong in one line, run, and end with the right exit code."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before any numeric library: idle threads must not spin on shared cores

from pipelines import ending

if ending.little_memory():
    sys.exit(8)

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf.errors import OmegaConfBaseException

from pipelines.arguments import IDS, PRIVATE, escaped, own_words
from pipelines.locks import held_by
from pipelines.refusals import config_error, refuse_kept_secrets, refuse_named_code, refuse_secrets
from pipelines.settings import Settings, keys, settings
from prevenance import memory
from prevenance.errors import PrevenanceError

Body = Callable[[Settings, "Steps"], int | None]
"""A pipeline: returns the exit status if some of its work was refused and told, else nothing."""


def conf_folder() -> Path:
    """Return the shipped ``conf/``: inside the wheel, or at the repository's root."""
    return Path(__file__).resolve().parent.parent / "conf"


class PrivateConf(SearchPathPlugin):
    """Look in the private folder before the shipped one, so that a file there wins over ours of the same name."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepend the private folder, if there is one."""
        if folder := os.environ.get(PRIVATE):
            search_path.prepend("private", f"file://{folder}")


class Steps:
    """Tell what is going on: a line on a terminal, and one line per step in ``<out>/steps.log``."""

    def __init__(self, out: Path) -> None:
        """Start the clock; nothing is written until the first step."""
        self.seconds: dict[str, float] = {}
        self._log, self._last, self._started = out / "steps.log", "", time.perf_counter()

    def __call__(self, text: str, *, checked: bool = True) -> None:
        """Begin a step: the one before it is over. It is not begun with too little memory, unless it is not ``checked``."""
        if text and checked:
            memory.check()
        now = time.perf_counter()
        if self._last:
            self.seconds[self._last] = round(self.seconds.get(self._last, 0.0) + now - self._started, 2)
            if self._log.parent.is_dir():
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(f"{now - self._started:8.2f} s  {self._last}\n")
        self._last, self._started = text, now
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[2K{text}" if text else "\r\x1b[2K")
            sys.stderr.flush()


def main(name: str, body: Body, argv: Sequence[str] | None = None) -> None:
    """Run ``body`` with the settings of ``conf/<name>.yaml`` and the command line; never returns."""
    os.umask(0o077)  # what libraries write is for its owner only as well
    ending.stoppable()
    try:
        status = _guarded(name, body, list(sys.argv[1:] if argv is None else argv))
    except Exception:
        if not ending.short():
            raise
        status = 8  # without memory the interpreter could not hand on what is told already
    if ending.short() and memory.bounded():
        os._exit(status)  # libraries break when they are taken down without memory
    sys.exit(status)


def _guarded(name: str, body: Body, arguments: list[str]) -> int:
    try:
        refuse_secrets(arguments, IDS if name in ("explain", "erase") else ())
        arguments = _private(own_words(name, arguments))
        Plugins.instance().register(PrivateConf)
        if any(one.startswith("-") for one in arguments):
            return _hydra(name, body, arguments)
        composed = settings_of(name, _remembered(name, arguments))
        return _run(name, body, composed)
    except KeyboardInterrupt:
        sys.stderr.write("STOPPED — nothing half-made is left; published lists are as they were\n")
        return ending.stopped() or 130
    except Exception as problem:
        found = problem if isinstance(problem, PrevenanceError) else ending.told(problem)
        if (status := ending.stopped()) is not None:  # a library gave the stop another name
            return status
        if found is None:
            sys.stderr.write(ending.bug())
            return 1
        return _refuse(found, Path(next((one[4:] for one in arguments if one.startswith("out=")), "out")), name)


def _run(name: str, body: Body, given: Settings) -> int:
    out = Path(given.out)
    ending.sweep_spilled()
    with held_by(name, out):
        return body(given, Steps(out)) or 0


def _refuse(problem: PrevenanceError, out: Path, name: str) -> int:
    """Write the error line and, where the folder is ours to write, the status file; a second start leaves that of the first alone."""
    sys.stderr.write(problem.line() + "\n")
    if out.is_dir() and problem.code not in ("E205", "E701", "E801"):
        from prevenance.writers.publish import status

        try:
            status(out, {"pipeline": name, "outcome": "refused", "exit": problem.exit_status, "error": problem.line()})
        except PrevenanceError as second:
            sys.stderr.write(second.line() + "\n")
    return problem.exit_status


def refused(problems: Iterable[PrevenanceError]) -> int:
    """Write a line for each refusal of a run that went on, and return the exit status of the first; 0 without any."""
    status = 0
    for problem in problems:
        sys.stderr.write(problem.line() + "\n")
        status = status or problem.exit_status
    return status


def say(text: str) -> None:
    """Print to standard output; that nobody reads any more (``| head``) stops no run."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _unread()


def _unread() -> None:
    """Send what is still to be printed nowhere, so that the interpreter's end does not stumble over it either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            ids = {key: value for key, _, value in (one.partition("=") for one in overrides) if name in ("explain", "erase") and key in IDS}
            composed = compose(name, overrides=[escaped(one) for one in overrides if one.partition("=")[0] not in ids])
            refuse_kept_secrets(composed)
            found = settings(composed, overrides)
            found.customer, found.product = ids.get("customer", found.customer), ids.get("product", found.product)
            return found
    except (HydraException, OmegaConfBaseException) as problem:
        raise config_error(problem, keys()) from problem


def targets_of(name: str, given: Settings) -> list[Settings]:
    """Return the settings of each target to run: the chosen one, or all that the source declares.

    Raises:
        PrevenanceError: E203 when the source declares none.
    """
    if given.target.name != "all":
        return [given]
    if not given.source.targets:
        raise PrevenanceError(
            "E203", f"the source {given.source.name} declares no target", key="target", fix="choose one, such as target=churn"
        )
    kept = [one for one in given.overrides if one.partition("=")[0] != "target"]
    return [settings_of(name, [*kept, f"target={target}"]) for target in given.source.targets]


def _private(arguments: list[str]) -> list[str]:
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
            raise PrevenanceError(
                "E203", f"there is no configuration folder at {path}", key="CONF", fix="give the folder that holds source/, target/, ..."
            )
        os.environ[PRIVATE] = str(path)
    return kept


def _remembered(name: str, arguments: list[str]) -> list[str]:
    """Return the trained source, data folder and settings of ``out``, then the command line (which wins)."""
    out = Path(next((one[4:] for one in arguments if one.startswith("out=")), "out"))
    if name in ("train", "leakage") or not (out / "run.json").is_file():
        return arguments
    stored: list[str] = json.loads((out / "run.json").read_text(encoding="utf-8"))["overrides"]
    given = {one.partition("=")[0] for one in arguments}
    kept = [one for one in stored if one.partition("=")[0] not in given]
    # ++: without target= the target is all of them, whose file does not have the key
    return [f"++{one}" if one.startswith("target.") else one for one in kept] + arguments


def _hydra(name: str, body: Body, arguments: list[str]) -> int:
    """Hand over to Hydra for its own flags: --help, --multirun, --cfg, --info."""
    import hydra

    status = 0

    @hydra.main(config_path=str(conf_folder()), config_name=name, version_base="1.3")
    def task(composed: object) -> None:
        nonlocal status
        from hydra.core.hydra_config import HydraConfig

        overrides = list(HydraConfig.get().overrides.task)
        held = GlobalHydra.instance().hydra
        try:
            status = max(status, _guarded(name, body, overrides))
        finally:
            GlobalHydra.instance().hydra = held

    sys.argv = [f"prevenance {name}", *arguments]
    try:
        task()
    except BrokenPipeError:
        _unread()
    return status

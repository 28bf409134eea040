"""Start a pipeline: compose the conf, refuse what is wrong in one line, run, and end with the right exit code."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before any numeric library: idle threads must not spin on shared cores

from pipelines.start import ending, stops

if ending.tell_little_memory():
    sys.exit(8)

from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException

from pipelines.start.compose import IDS, PrivateConf, escaped_setting, own_words, settings_of, with_remembered, without_private
from pipelines.start.line import flags_and_settings, refuse_odd_settings
from pipelines.start.refusals import config_error, refuse_named_code, refuse_secrets
from prevenance.base import disk, lock, memory
from prevenance.base.errors import PrevenanceError
from prevenance.runs.commands import conf_folder, conf_folders
from prevenance.runs.plugins import load_installed
from prevenance.runs.settings.keys import WORDS, group_choices, setting_keys
from prevenance.runs.settings.night_schema import SHADOW
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Body, Steps

LOCKS = {
    "train": ("train",),
    "score": ("lists",),
    "backfill": ("lists",),
    "record": ("record",),
    "feedback": ("feedback",),
    "export": ("export", "feedback"),
    "replay": ("replay",),
    "support": ("support",),
    "outcomes": ("outcomes",),
    "experiment": ("experiment",),
    "watch": ("watch",),
    "explain": ("explain",),
    "erase": ("explain", "export", "feedback", "lists", "record", "replay", "support", "outcomes", "experiment", "train", "watch"),
}
"""What a run of each kind holds while it works: runs that share none may overlap."""

SWEPT = {"lists": ("lists/*", "spool"), "record": ("record/*",), "train": ("models/*", "train/*", "demo")}
"""Where a run that holds a lock removes what killed ones left unfinished, besides the output folder itself."""


def main(name: str, body: Body, argv: Sequence[str] | None = None) -> None:
    """Run ``body`` with the settings of ``conf/<name>.yaml`` and the command line; never returns."""
    os.umask(0o077)  # what libraries write is for its owner only as well
    stops.catch_stops()
    try:
        status = _guarded(name, body, list(sys.argv[1:] if argv is None else argv))
    except Exception:
        if not ending.is_short_of_memory():
            raise
        status = 8  # without memory the interpreter could not hand on what is told already
    try:
        if sys.stdout is not None:  # closed by who started us
            sys.stdout.flush()
    except BrokenPipeError:
        _unread()  # nobody reads on: the interpreter's own flush would complain of it
    if ending.is_short_of_memory() and memory.is_bounded():
        os._exit(status)  # libraries break when they are taken down without memory
    sys.exit(status)


def _guarded(name: str, body: Body, arguments: list[str]) -> int:
    try:
        # Before anything looks at them: an error of Hydra's would repeat the value.
        refuse_secrets(arguments, IDS if name in ("explain", "erase") else ())
        flags, plain = flags_and_settings(arguments)
        for one in plain:
            refuse_named_code(one)
        groups = group_choices(*conf_folders())
        refuse_odd_settings(plain, setting_keys(), groups, several=bool({"-m", "--multirun"} & set(flags)), words=WORDS.get(name, ()))
        arguments = without_private([*flags, *own_words(name, plain)])
        Plugins.instance().register(PrivateConf)
        load_installed()
        if any(one.startswith("-") for one in arguments):
            return _hydra(name, body, arguments)
        composed = settings_of(name, with_remembered(name, arguments))
        return _run(name, body, composed)
    except KeyboardInterrupt:
        stops.tell_stopped()
        return stops.stop_status() or 130
    except Exception as problem:
        if (status := stops.stop_status()) is not None:  # a library gave the stop another name
            stops.tell_stopped()
            return status
        found = problem if isinstance(problem, PrevenanceError) else ending.known_failure(problem)
        out = Path(next((one[4:] for one in arguments if one.startswith("out=")), "out"), SHADOW if "shadow=true" in arguments else "")
        if found is not None:
            return _refuse(found, out, name)
        sys.stderr.write(ending.bug_line())
        _tell_status(out, name, 1, {"outcome": "failed", "error": "ERROR E101 — our bug; what the run printed says more"})
        return 1


@contextmanager
def _held_by(name: str, out: Path) -> Iterator[None]:
    """Hold the locks of the pipeline ``name`` inside the block, with what killed runs left unfinished removed.

    Only training, scoring, recording and the report of support make a folder that is not there.

    Raises:
        PrevenanceError: E701 naming the holder, E801 if the folder cannot be written.
    """
    with ExitStack() as locks:
        for one in LOCKS.get(name, ()) if out.is_dir() or name in ("train", "score", "record", "support") else ():
            locks.enter_context(lock.hold_lock(out, one))
            for folder in (out, out / "status", *(found for pattern in SWEPT.get(one, ()) for found in out.glob(pattern))):
                disk.sweep(folder)
        yield


def _run(name: str, body: Body, given: Settings) -> int:
    steps = Steps(given.folder, _show, say)
    status = run_held(name, body, given, steps)
    sys.stderr.writelines(problem.line() + "\n" for problem in steps.refused)
    return status


def run_held(name: str, body: Body, given: Settings, steps: Steps) -> int:
    """Run a command with its locks, write its status file, and return the exit status; what it refused stands in ``steps``.

    Raises:
        PrevenanceError: what the command ends with.
    """
    ending.sweep_spilled()
    with _held_by(name, given.folder):
        try:
            told = body(given, steps)
        except BaseException:
            if (stopped := stops.stop_status()) is not None:
                _tell_status(given.folder, name, stopped, {"outcome": "stopped"})
            raise
        status = next((problem.exit_status for problem in steps.refused), 0)
        if given.folder.is_dir():
            _write_run_status(given.folder, name, status, {"outcome": "done"} if told is None else told)
        return status


def _write_run_status(out: Path, name: str, status: int, told: Mapping[str, Any]) -> None:
    from prevenance.publish.folders import write_status  # late: a wrong setting is refused before pandas is there

    write_status(out, {"pipeline": name, "exit": status, **told}, datetime.now(UTC).replace(tzinfo=None))


def _tell_status(out: Path, name: str, status: int, told: Mapping[str, Any]) -> None:
    """Write the status of a run that did not end well; that it cannot be written is one more line."""
    if out.is_dir():
        try:
            _write_run_status(out, name, status, told)
        except PrevenanceError as second:
            sys.stderr.write(second.line() + "\n")


def _show(step: str) -> None:
    """Write the present step on the last line of a terminal; an empty one clears it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{step}")
        sys.stderr.flush()


def _refuse(problem: PrevenanceError, out: Path, name: str) -> int:
    """Write the error line and, where the folder is ours to write, the status file; a second start leaves that of the first alone."""
    sys.stderr.write(problem.line() + "\n")
    # Another source's folder, another run's, or one that cannot be written: its status is not ours to replace.
    if problem.code not in ("E205", "E701", "E801"):
        _tell_status(out, name, problem.exit_status, {"outcome": "refused", "error": problem.line()})
    return problem.exit_status


def say(text: str) -> None:
    """Print to standard output; that nobody reads any more (``| head``) stops no run."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _unread()


def _unread() -> None:
    """Send what is still to be printed nowhere, so that the interpreter's end does not stumble over it either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _hydra(name: str, body: Body, arguments: list[str]) -> int:
    """Hand over to Hydra for its own flags: --help, --multirun, --cfg, --info."""
    import hydra

    status = 0

    @hydra.main(config_path=str(conf_folder()), config_name=name, version_base="1.3")
    def task(composed: object) -> None:
        nonlocal status
        from hydra.core.hydra_config import HydraConfig

        overrides = [one.removeprefix("++") for one in HydraConfig.get().overrides.task]
        # A run composes anew and clears Hydra's state, which a multirun still needs for its next job.
        held = GlobalHydra.instance().hydra
        try:
            status = max(status, _guarded(name, body, overrides))
        finally:
            GlobalHydra.instance().hydra = held
        if stops.stop_status() is not None:
            raise KeyboardInterrupt  # the other jobs are not begun

    flags = ["--help" if one == "--help-all" else one for one in arguments if one.startswith("-") or "=" not in one]
    given = [one for one in arguments if not one.startswith("-") and "=" in one]
    several = bool({"-m", "--multirun"} & set(flags))
    if {"-c", "--cfg"} & set(flags) and not several:
        settings_of(name, given)  # Hydra shows what it composes, wrong values too
    sys.argv = [f"prevenance {name}", *flags, *(one if several and "," in one else escaped_setting(one) for one in given)]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else it prints pages of its own and ends with 1
    try:
        task()
    except HydraException as problem:
        raise config_error(problem, setting_keys()) from problem
    except BrokenPipeError:
        _unread()
    return status

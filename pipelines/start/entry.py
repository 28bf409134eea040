"""The door of every command: help is told before anything heavy is imported, then the run is started."""

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.start import stops
from prevenance.runs.command_words import command_words
from prevenance.runs.help import command_text

if TYPE_CHECKING:
    from prevenance.runs.settings.schema import Settings
    from prevenance.runs.steps import Body, Steps


def command(name: str, module: str, function: str, *, by_target: bool = False) -> tuple["Body", Callable[[], None]]:
    """Return the body and the entry point of a command: it does what a function of ``prevenance.runs`` does, imported when it is asked for.

    ``by_target`` functions get what gives the settings of each target, too.
    """

    def body(given: "Settings", steps: "Steps") -> Any:
        from pipelines.start.compose import targets_of

        run = getattr(importlib.import_module(f"prevenance.runs.{module}"), function)
        return run(given, *([partial(targets_of, name)] if by_target else []), steps)

    return body, partial(start, name, body)


def start(name: str, body: "Body", argv: Sequence[str] | None = None) -> None:
    """Tell the help of ``name``, or run ``body``; never returns."""
    if {"-h", "--help"} & set(sys.argv[1:] if argv is None else argv):
        print_text(command_text(command_words()[name.replace("_", "-")]))
        sys.exit(0)
    stops.catch_stops()
    from pipelines.start.run import main

    try:
        main(name, body, argv)
    except SystemExit as end:
        stops.leave(int(str(end.code or 0)))


def print_text(text: str) -> None:
    """Print a page of help; that nobody reads it to its end is no bug."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

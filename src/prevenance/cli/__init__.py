"""The command ``prevenance``: ``prevenance train source=… target=…``, ``prevenance score``, ``prevenance init <folder>``."""

import importlib
import sys
from pathlib import Path

from prevenance import __version__
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.runs.command_words import command_words, plain_lines
from prevenance.runs.help import overview_text

PIPELINES = [words.module for words in command_words().values()]


def main() -> None:
    """Run the pipeline named by the first argument."""
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    module = name.replace("-", "_")
    if module in PIPELINES:
        here = Path(__file__).parents[1]  # the wheel carries pipelines/ inside the package, a checkout beside src/
        sys.path.insert(0, str(here if (here / "pipelines").is_dir() else here.parents[1]))
        sys.argv = [f"prevenance {name}", *arguments]
        importlib.import_module(f"pipelines.{module}").main()
    try:
        sys.exit(_plain(name, arguments))
    except PrevenanceError as problem:
        sys.stderr.write(problem.line() + "\n")
        sys.exit(problem.exit_status)
    except BrokenPipeError:  # nobody reads the page to its end
        sys.stderr.close()
        sys.exit(0)


def _plain(name: str, arguments: list[str]) -> int:
    """Do what needs no settings, and return the exit status.

    Raises:
        PrevenanceError: E202 without a command, E203 for an unknown one, and what these refuse.
    """
    if name in ("-h", "--help", "help"):
        sys.stdout.write(overview_text())
    elif name in ("-V", "--version"):
        sys.stdout.write(f"prevenance {__version__}\n")
    elif name in ("init", "completion"):
        from prevenance.cli import completion, starter

        told = {"init": starter.init_command, "completion": completion.completion_command}[name](arguments)
        sys.stdout.write(told)
    elif not name:
        raise PrevenanceError("E202", "no command is named", fix="prevenance --help lists them; prevenance train is the first")
    elif "=" in name or name.startswith("-"):
        raise PrevenanceError(
            "E202", f'"{name[:60]}" stands where the command should', fix="write prevenance train before it, or see prevenance --help"
        )
    else:
        known = [*command_words(), *plain_lines()]
        raise PrevenanceError("E203", f'there is no command "{name[:60]}"', fix=did_you_mean(name, known))
    sys.stdout.flush()
    return 0

"""Write the software bill of materials of requirements.lock to ``sbom.json`` (or the path given) and count it."""

import sys
from collections.abc import Callable
from pathlib import Path

from prevenance import __version__
from prevenance.base import disk
from prevenance.base.errors import PrevenanceError
from prevenance.runs.commands import shipped_root
from prevenance.runs.libraries import bill, components

LOCK = shipped_root() / "requirements.lock"


def print_plainly(about: str | None, told: Callable[[], str]) -> None:
    """Print what a command without settings has to tell, or what it is about, or its refusal in one line."""
    try:
        print(about if {"-h", "--help"} & set(sys.argv[1:]) else told())
    except PrevenanceError as problem:
        sys.stderr.write(problem.line() + "\n")
        sys.exit(problem.exit_status)


def write_bill() -> str:
    """Write the bill and return what is told of it."""
    path, lock = Path(sys.argv[1] if len(sys.argv) > 1 else "sbom.json"), LOCK.read_text(encoding="utf-8")
    disk.write(path, bill(lock, __version__))
    return f"SBOM      {len(components(lock))} libraries, {path}"


def main() -> None:
    """Run from the command line."""
    print_plainly(__doc__, write_bill)


if __name__ == "__main__":
    main()

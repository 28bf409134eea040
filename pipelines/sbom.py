"""Write the software bill of materials of requirements.lock to ``sbom.json`` (or the path given) and count it."""

from __future__ import annotations

import sys
from pathlib import Path

from prevenance import __version__, disk
from prevenance.errors import PrevenanceError
from prevenance.sbom import bill, components

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"


def main() -> None:
    """Run from the command line."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "sbom.json")
    try:
        lock = LOCK.read_text(encoding="utf-8")
        disk.write(path, bill(lock, __version__))
        print(f"SBOM      {len(components(lock))} libraries, {path}")
    except PrevenanceError as problem:
        sys.stderr.write(problem.line() + "\n")
        sys.exit(problem.exit_status)


if __name__ == "__main__":
    main()

"""Ask the advisories about every library of requirements.lock; the one pipeline that needs the network besides ``make setup``."""

from __future__ import annotations

from pipelines.sbom import LOCK, plainly
from prevenance.runs.advisories import asked, judged, pins


def audited() -> str:
    """Return what is told of the locked libraries."""
    locked = pins(LOCK.read_text(encoding="utf-8"))
    return f"AUDIT     {judged(locked, asked(locked))} of {len(locked)} locked libraries audited, no known weakness"


def main() -> None:
    """Run from the command line."""
    plainly(__doc__, audited)


if __name__ == "__main__":
    main()

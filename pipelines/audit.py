"""Ask the advisories about every library of requirements.lock; the one pipeline that needs the network besides ``make setup``."""

from pipelines.sbom import LOCK, print_plainly
from prevenance.runs.libraries import advisory_answers, audited_count, locked_pins


def audit_text() -> str:
    """Return what is told of the locked libraries."""
    locked = locked_pins(LOCK.read_text(encoding="utf-8"))
    return f"AUDIT     {audited_count(locked, advisory_answers(locked))} of {len(locked)} locked libraries audited, no known weakness"


def main() -> None:
    """Run from the command line."""
    print_plainly(__doc__, audit_text)


if __name__ == "__main__":
    main()

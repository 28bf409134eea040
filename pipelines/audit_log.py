"""Verify the audit log of an output folder: every line is as it was written, or the first that is not is named."""

from __future__ import annotations

from functools import partial

from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.audit_log``."""
    from prevenance.runs.audit_log import verify_trail

    verify_trail(given, steps)


main = partial(run, "audit_log", body)

if __name__ == "__main__":
    main()

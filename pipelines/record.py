"""Keep what changed since the last night in the tables that a source names under ``record``."""

from __future__ import annotations

from functools import partial

from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.record``."""
    from prevenance.runs.record import record_changes

    record_changes(given, steps)


main = partial(run, "record", body)

if __name__ == "__main__":
    main()

"""Check a finished feature table for columns that know the outcome, by the same rules as in training."""

from __future__ import annotations

from functools import partial

from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.leakage``."""
    from prevenance.runs.leakage import check_table

    check_table(given, steps)


main = partial(run, "leakage", body)

if __name__ == "__main__":
    main()

"""Make up for missed nights: each gets the list that it would have had, by the champion of its time; ``latest`` never moves back."""

from __future__ import annotations

from functools import partial

from pipelines.start.compose import targets_of
from pipelines.start.run import main as run
from pipelines.start.run import refused
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> int:
    """See ``prevenance.runs.backfill``."""
    from prevenance.runs.backfill import make_up

    return refused(make_up(given, lambda one: targets_of("backfill", one), steps))


main = partial(run, "backfill", body)

if __name__ == "__main__":
    main()

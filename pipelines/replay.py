"""The list as it would have been at a past date, refitted with what had closed by then, and what became of it."""

from __future__ import annotations

from functools import partial

from pipelines.start.compose import targets_of
from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.replay``."""
    from prevenance.runs.replay import replay_each

    replay_each(given, targets_of("replay", given), steps)


main = partial(run, "replay", body)

if __name__ == "__main__":
    main()

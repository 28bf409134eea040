"""Score tonight (or ``as_of``) with the registered champion and publish the ranked lists."""

from __future__ import annotations

from functools import partial

from pipelines.start.compose import targets_of
from pipelines.start.run import main as run
from pipelines.start.run import refused
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> int:
    """See ``prevenance.runs.night``."""
    from prevenance.runs.night import score_each

    return refused(score_each(given, targets_of("score", given), steps))


main = partial(run, "score", body)

if __name__ == "__main__":
    main()

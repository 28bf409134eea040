"""Take what the team answered to the lists (``file=feedback.csv``), so that the next list honours it."""

from __future__ import annotations

from functools import partial

from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.feedback``."""
    from prevenance.runs.feedback import take_answers

    take_answers(given, steps)


main = partial(run, "feedback", body)

if __name__ == "__main__":
    main()

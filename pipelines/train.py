"""Train, evaluate, gate and register every target; print what a person reads in a minute."""

from __future__ import annotations

from functools import partial

from pipelines.start.compose import targets_of
from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.train``."""
    from prevenance.runs.train import train_each

    train_each(given, targets_of("train", given), steps)


main = partial(run, "train", body)

if __name__ == "__main__":
    main()

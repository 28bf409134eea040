"""Erase one customer from everything that the output folder owns, keep them out of later runs, and print a certificate."""

from __future__ import annotations

from functools import partial

from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.erase``."""
    from prevenance.runs.erase import erase_customer

    erase_customer(given, steps)


main = partial(run, "erase", body)

if __name__ == "__main__":
    main()

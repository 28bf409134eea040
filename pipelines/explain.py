"""Explain one customer, tonight or at a past date: the numbers of the list, their sources, and what would change them."""

from __future__ import annotations

from functools import partial

from pipelines.start.compose import targets_of
from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.explain``."""
    from prevenance.runs.explain import explain_customer

    explain_customer(given, targets_of("explain", given), steps)


main = partial(run, "explain", body)

if __name__ == "__main__":
    main()

"""Write the demo company's files, as a company would export them, and beside them what is true of it."""

from __future__ import annotations

from functools import partial

from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.demo``."""
    from prevenance.runs.demo import make_company

    make_company(given, steps)


main = partial(run, "demo", body)

if __name__ == "__main__":
    main()

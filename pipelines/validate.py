"""Run only the checks of the inputs and print what a person should know of them; no model, nothing published."""

from __future__ import annotations

from functools import partial

from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.validate``."""
    from prevenance.runs.validate import validate_inputs

    validate_inputs(given, steps)


main = partial(run, "validate", body)

if __name__ == "__main__":
    main()

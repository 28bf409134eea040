"""The actions of the newest list as a CSV for a CRM, with who decided what; nothing is sent anywhere, a person takes the file."""

from __future__ import annotations

from functools import partial

from pipelines.start.compose import targets_of
from pipelines.start.run import main as run
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def body(given: Settings, steps: Steps) -> None:
    """See ``prevenance.runs.export``."""
    from prevenance.runs.export import export_lists

    export_lists(given, targets_of("export", given), steps)


main = partial(run, "export", body)

if __name__ == "__main__":
    main()

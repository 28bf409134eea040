"""The share that a contact changes, where an experiment has measured it: what lists count with instead of the assumption."""

from datetime import datetime

from prevenance.base import kept
from prevenance.privacy.retention import cutoff_in_name
from prevenance.runs.settings.schema import Settings


def measured_share(given: Settings, target: str, moment: datetime) -> float | None:
    """Return the share that the newest statement up to ``moment`` gives a target's lists, or ``None`` where it stays assumed."""
    folders = [path for path in (given.folder / "experiment").glob("*/statement.json") if not path.parent.is_symlink()]
    dated = sorted(
        (at, path.parent.name, path) for path in folders if (at := cutoff_in_name(path.parent.name)) is not None and at <= moment
    )
    for _, _, path in reversed(dated):
        told = (kept.whole_json(path) or {}).get(target)
        if told:
            return None if told["share"]["from"] == "assumed" else float(told["share"]["value"])
    return None

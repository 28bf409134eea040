"""How long records and results are kept: rows of logs are left out when they are too old, folders of results go.

Days count back from ``as_of``. What has no number of days is kept for ever.
"""

import re
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from prevenance.base import disk
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.tables.canonical import TABLES

LOGS = ("usage", "tickets", "invoices", "feedback", "purchases", "contacts")
"""Tables whose old rows may be left out: what happened. The others say what holds until something else is said."""

ARTIFACTS = ("lists", "replay", "explain", "export", "feedback", "support", "outcomes", "experiment", "watch", "notify")
"""Results below the output folder that may be given a number of days."""

_CUTOFF = re.compile(r"(?:.*-)?(\d{4}-\d{2}-\d{2})(?:T(\d{6})Z)?(?:-[0-9a-f]{12})?(?:\.csv|\.json)?")


def check_retention(tables: Mapping[str, int | None], artifacts: Mapping[str, int | None]) -> None:
    """Raise E201 for a table or artifact that does not exist, E202 for a table that has no past to leave out and for less than a day."""
    for group, given, known in (("tables", tables, tuple(TABLES)), ("artifacts", artifacts, ARTIFACTS)):
        for name, days in given.items():
            key = f"privacy.retention.{group}.{name}"
            if name not in known:
                fix = did_you_mean(name, LOGS if group == "tables" else known)
                raise PrevenanceError("E201", f'there is no "{name}" to keep', key=key, fix=fix)
            if group == "tables" and days is not None and name not in LOGS:
                what = f"{name} says what holds until something else is said, so no row of it is too old"
                raise PrevenanceError("E202", what, key=key, fix=f"remove it; days may be set for {', '.join(LOGS)}")
            if days is not None and days < 1:
                raise PrevenanceError("E202", f"{key} is {days}", key=key, fix="give 1 or more days, or null for ever")


def prune_results(out: Path, as_of: datetime, rules: Mapping[str, int | None]) -> dict[str, int]:
    """Remove results whose cutoff lies more days before ``as_of`` than ``rules`` allow; return how many of each went.

    Whole folders of lists and reports (never the newest, nor the one ``latest`` points to), replays and explanations, files of exports and notices,
    and answers given that long ago. A folder is renamed before it is removed, so that a reader never meets half of it. The caller holds the lock.

    Raises:
        PrevenanceError: E801 if something cannot be removed.
    """
    found: dict[str, int] = {}
    for name, days in rules.items():
        if days is not None:
            before = as_of - timedelta(days=days)
            went = _answers(out, before) if name == "feedback" else sum(_removed(path) for path in _old(out / name, before, name))
            found |= {name: went} if went else {}
    return found


def _old(folder: Path, before: datetime, name: str) -> list[Path]:
    """Return the results below a folder whose cutoff is earlier than ``before``."""
    from prevenance.publish.folders import LATEST, REPORTS

    found = []
    for group in [folder] if name in ("export", "notify", *REPORTS) else sorted(folder.glob("*")):
        held = sorted(path for path in group.glob("*") if not path.is_symlink() and cutoff_in_name(path.name) is not None)
        if name in ("lists", *REPORTS):
            # the newest is what the team works on, however old
            held = [path for path in held[:-1] if path.name != disk.pointed(group / LATEST)]
        found += [path for path in held if (cutoff_in_name(path.name) or before) < before]
    return found


def cutoff_in_name(name: str) -> datetime | None:
    """Return the cutoff (naive UTC) that the name of a result tells, or ``None``.

    >>> cutoff_in_name("2026-10-01T000000Z-0123456789ab"), cutoff_in_name("churn-2026-10-01.csv"), cutoff_in_name("latest")
    (datetime.datetime(2026, 10, 1, 0, 0), datetime.datetime(2026, 10, 1, 0, 0), None)
    """
    told = _CUTOFF.fullmatch(name)
    if told is None or name.startswith("."):
        return None
    try:
        # 2026-13-40 looks like a date and is none
        return datetime.strptime(f"{told[1]} {told[2] or '000000'}", "%Y-%m-%d %H%M%S")
    except ValueError:
        return None


def _removed(path: Path) -> int:
    aside = path.with_name(f"{disk.TEMPORARY}{path.name}")
    with disk.writing(path):
        path.rename(aside)
        if aside.is_dir():
            shutil.rmtree(aside)
        else:
            aside.unlink()
    return 1


def _answers(out: Path, before: datetime) -> int:
    """Rewrite the files of answers without those given earlier than ``before``; return how many went."""
    from prevenance.decide import feedback  # with pandas: not for a check of settings

    went = 0
    for path in sorted((out / "feedback").glob("*.csv")):
        held = feedback.load_answers(out, path.stem)
        kept = [one for one in held if feedback.utc_moment(one.at) >= before]
        if len(kept) < len(held):
            feedback.write_answers(out, path.stem, kept)
            went += len(held) - len(kept)
    return went

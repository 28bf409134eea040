"""Check a finished feature table for columns that know the outcome, by the same rules as in training."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from prevenance.base import formats
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.judge.leakage import measure_features
from prevenance.publish import checked, folders
from prevenance.runs.feature_table import TAKEN, feature_table
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps

SHOWN = 5
"""Features shown beside those that are named."""


def searched_columns(columns: Sequence[str], trusted: Sequence[str], messages: list[str]) -> list[str]:
    """Return the columns that a training searches for leaks: all but those that somebody vouches for, of which ``messages`` tells once.

    Raises:
        PrevenanceError: E203 for a trusted name that is none of ``columns``.
    """
    for name in trusted:
        if name not in columns:
            raise PrevenanceError("E203", f'no feature in use is called "{name}"', key="features.trusted", fix=did_you_mean(name, columns))
    told = f"features.trusted: {', '.join(trusted)} not searched for leaks"
    if trusted and told not in messages:
        messages.append(told)
    return [name for name in columns if name not in trusted]


def check_table(given: Settings, steps: Steps) -> None:
    """Print a table of the best features and a verdict, write ``<out>/leakage/report.json``; with ``fail=true`` a named feature is E602."""
    read = feature_table(given.table)
    steps("look for leaks")
    found = measure_features(read.frame, read.features, (), given.seed, others=SHOWN)
    leaks = [one for one in found if one.why]
    customers = read.frame.groupby("label")["customer_id"].nunique()
    report: dict[str, Any] = {
        "file": given.table.file,
        "label": given.table.label,
        "customer": read.customer,
        "rows": len(read.frame),
        "unlabelled": read.unlabelled,
        "customers": int(read.frame["customer_id"].nunique()),
        "positives": int(customers.get(1.0, 0)),
        "negatives": int(customers.get(0.0, 0)),
        "features": len(read.features),
        "constant": list(read.constant),
        "enough": bool(found) or not read.features,
        "leakage": [one.feature.removeprefix(TAKEN) for one in leaks],
        "measured": [asdict(one) | {"feature": one.feature.removeprefix(TAKEN)} for one in found],
    }
    report["verdict"] = checked.leak_check_verdict(report)
    folder = folders.write_files(given.folder / "leakage", {"report.json": formats.canonical_json(report)})
    steps.tell(checked.leak_check_text(report, folder))
    if leaks and given.table.fail:
        names = ", ".join(report["leakage"])
        fix = "leave them out of the table and run again"
        raise PrevenanceError("E602", f"{len(leaks)} of {len(read.features)} features look like leaks: {names}", fix=fix)

"""Check a finished feature table for columns that know the outcome, by the same rules as in training."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.run import Steps, say
from pipelines.run import main as run
from pipelines.settings import Settings

SHOWN = 5
"""Features shown beside those that are named."""


def body(given: Settings, steps: Steps) -> None:
    """Print a table of the best features and a verdict, write ``<out>/leakage/report.json``; with ``fail=true`` a named feature is E602."""
    from pipelines.feature_table import TAKEN, feature_table
    from prevenance.errors import PrevenanceError
    from prevenance.leakage import measured
    from prevenance.writers import checked, publish, table

    read = feature_table(given.table)
    steps("look for leaks")
    found = measured(read.frame, read.features, (), given.seed, others=SHOWN)
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
    report["verdict"] = checked.verdict(report)
    folder = publish.write(Path(given.out) / "leakage", {"report.json": table.canonical(report)})
    steps("")
    say(checked.text(report, folder))
    if leaks and given.table.fail:
        names = ", ".join(report["leakage"])
        raise PrevenanceError(
            "E602",
            f"{len(leaks)} of {len(read.features)} features look like leaks: {names}",
            fix="leave them out of the table and run again",
        )


def main() -> None:
    """Run the pipeline from the command line."""
    run("leakage", body)


if __name__ == "__main__":
    main()

"""The figures of reports in the model store: one run a report, each figure a metric; never in the way of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevenance.base import memory
from prevenance.base.errors import PrevenanceError
from prevenance.track import tracking

if TYPE_CHECKING:
    import pandas as pd

Figure = tuple[str, float, datetime | None]
"""Name, value and, of one in a row of them, its moment (naive UTC): the step counts months."""


def log_figures(out: Path, experiment: str, figures: Sequence[Figure], run_id: str, manifest: Mapping[str, Any]) -> list[str]:
    """Log the figures of a report once; return a message if the store did not take them."""
    try:
        memory.check_memory()
        with tracking.open_store(out) as (_, client):
            _log(client, tracking.experiment_id(out, client, experiment), figures, run_id, manifest)
    except PrevenanceError as problem:
        return [f"the figures are not in the model store: {problem.what}"]
    return []


def _log(client: Any, number: str, figures: Sequence[Figure], run_id: str, manifest: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric

    found = client.search_runs([number], f"tags.run_id = '{run_id}'", max_results=1)
    tags = {"run_id": run_id, "cutoff": str(manifest["cutoff"]), "source": str(manifest["source"])}
    logged = found[0] if found else client.create_run(number, tags=tags, run_name=str(manifest["cutoff"])[:10])
    # A run broken off before this point is there without its metrics.
    if logged.info.status == "FINISHED":
        return
    cutoff = datetime.fromisoformat(str(manifest["cutoff"]).rstrip("Z"))
    metrics = []
    for name, value, moment in figures:
        if math.isfinite(value):
            at = (moment or cutoff).replace(tzinfo=UTC)
            metrics.append(Metric(name, value, int(at.timestamp() * 1000), at.year * 12 + at.month - 1 if moment else 0))
    for first in range(0, len(metrics), 1000):  # as many as the store takes at once
        client.log_batch(logged.info.run_id, metrics[first : first + 1000])
    client.set_terminated(logged.info.run_id)


def kpi_figures(kpis: pd.DataFrame) -> list[Figure]:
    """Return the KPIs of a report of support: ``now/<kpi>``, ``baseline/<kpi>``, and ``month/<kpi>`` with a step a month, by its first day."""
    rows = kpis[kpis["period"].isin(["now", "baseline", "month"])].to_dict("records")
    return [
        (
            f"{row['period']}/{row['kpi']}",
            float(row["value"]),
            datetime.fromisoformat(row["first_day"]) if row["period"] == "month" else None,
        )
        for row in rows
    ]

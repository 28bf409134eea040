"""The KPIs of support in the model store: one run a report, its newest period, baseline and months as metrics; never in the way of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevenance.base import memory
from prevenance.base.errors import PrevenanceError
from prevenance.track import tracking

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT = "support"


def log_kpis(out: Path, kpis: pd.DataFrame, run_id: str, manifest: Mapping[str, Any]) -> list[str]:
    """Log the KPIs of a report once; return a message if the store did not take them.

    A KPI of the newest period or the baseline is a metric ``<period>/<kpi>``, one of months ``month/<kpi>`` with a step a month, by its first day.
    """
    try:
        memory.check_memory()
        with tracking.open_store(out) as (_, client):
            _log(out, client, kpis, run_id, manifest)
    except PrevenanceError as problem:
        return [f"the KPIs are not in the model store: {problem.what}"]
    return []


def _log(out: Path, client: Any, kpis: pd.DataFrame, run_id: str, manifest: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric

    number = tracking.experiment_id(out, client, EXPERIMENT)
    found = client.search_runs([number], f"tags.run_id = '{run_id}'", max_results=1)
    tags = {"run_id": run_id, "cutoff": str(manifest["cutoff"]), "source": str(manifest["source"])}
    logged = found[0] if found else client.create_run(number, tags=tags, run_name=str(manifest["cutoff"])[:10])
    # A run broken off before this point is there without its metrics.
    if logged.info.status == "FINISHED":
        return
    rows = kpis[kpis["period"].isin(["now", "baseline", "month"])].to_dict("records")
    metrics = []
    for row in rows:
        if math.isfinite(row["value"]):
            day = datetime.fromisoformat(row["first_day"]).replace(tzinfo=UTC)
            step = day.year * 12 + day.month - 1 if row["period"] == "month" else 0
            metrics.append(Metric(f"{row['period']}/{row['kpi']}", float(row["value"]), int(day.timestamp() * 1000), step))
    for first in range(0, len(metrics), 1000):  # as many as the store takes at once
        client.log_batch(logged.info.run_id, metrics[first : first + 1000])
    client.set_terminated(logged.info.run_id)

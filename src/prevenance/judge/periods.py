"""Every candidate in every test period: the metrics that the report pools, of one period each, and what stands behind a candidate."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from prevenance.judge.bootstrap import bootstrap_weights, closed_rows, listed_rows, pooled_metrics, rows_by_model
from prevenance.models.tuning import trials_behind


def candidate_rows(
    predictions: pd.DataFrame,
    params: Mapping[str, Mapping[str, Any]],
    champion: tuple[str, Mapping[str, Any]] | None,
    *,
    capacity: int,
    trials: int,
) -> list[dict[str, Any]]:
    """Return one row per model of ``predictions`` (see ``evaluation``), by name: model, kind, params (flat), trials and its ``periods``.

    A period, oldest first: cutoff, snapshots, outcomes, contacts, hits and every metric of ``METRICS``, undefined ones None.

    Args:
        predictions: with ranks, see ``shipped.with_ranks``; without, the ``capacity`` highest ranking values are the list.
        params: of each kind what was tuned.
        champion: kind and settings of the champion's recipe, if there is one.
        capacity: contacts per period.
        trials: how many settings of LightGBM are tried where it is tuned.
    """
    rows, _ = closed_rows(predictions)
    found = []
    for model, part in rows_by_model(rows).items():
        kind, own = champion if model == "champion" and champion else (model, params.get(model, {}))
        behind = 0 if model == "champion" else trials_behind(kind, own, trials)
        periods = [_period(cutoff, one, capacity) for cutoff, one in part.groupby("cutoff", sort=True)]
        found.append({"model": model, "kind": kind, "params": _flat(own), "trials": behind, "periods": periods})
    return found


def _period(cutoff: Any, rows: pd.DataFrame, capacity: int) -> dict[str, Any]:
    weights = bootstrap_weights(len(rows), 0, 0)
    measured = {name: float(values[0]) for name, values in pooled_metrics(rows, np.arange(len(rows)), weights, capacity).items()}
    listed = listed_rows(rows)
    contacts = float(min(capacity, len(rows)) if listed is None else listed.sum())
    return {
        "cutoff": pd.Timestamp(cutoff).isoformat(),
        "snapshots": len(rows),
        "outcomes": int(rows["label"].sum()),
        "contacts": int(contacts),
        "hits": round(measured["precision_at_capacity"] * contacts, 9) if contacts else 0.0,
        **{name: value if np.isfinite(value) else None for name, value in measured.items()},
    }


def _flat(params: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested settings with dots in their names: those of a blend are its parts'."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        found |= _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return found

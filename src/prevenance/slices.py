"""Slices: whether a model that wins overall fails a group of customers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prevenance.bootstrap import closed
from prevenance.metrics import average_precision

COLLAPSE_POSITIVES = 30
"""A slice with at least so many positive snapshots must not be ranked worse than by the rule."""


def slices(
    predictions: pd.DataFrame, frame: pd.DataFrame, columns: Sequence[str], model: str, rule: str = "rule", *, capacity: int | None = None
) -> list[dict[str, object]]:
    """Return one dict per value of each column of ``frame`` (null is "unknown"): how the model ranks inside that slice.

    Keys: column, value, customers, snapshots, positives, average_precision, rule (its average precision there), collapse (at least
    ``COLLAPSE_POSITIVES`` positives and ranked worse than by the rule); with ``capacity`` also outcome_share and contact_share: does a
    group get the attention its losses deserve? Average precision is the mean over periods weighted by positives, None where a
    slice has one class only. Columns that ``frame`` does not have are left out.
    """
    keys = [key for key in ("cutoff", "customer_id", "product_id") if key in predictions and key in frame]
    columns = [column for column in columns if column in frame and column not in keys]
    rows, _ = closed(predictions[predictions["model"].isin([model, rule])])
    rows = rows.drop(columns=columns, errors="ignore").merge(frame[[*keys, *columns]], on=keys, how="left", validate="many_to_one")
    rows[columns] = rows[columns].astype(object).where(rows[columns].notna(), "unknown").astype(str)
    if capacity:
        rows["contacted"] = contacted(rows, capacity)
    return [_slice(part, column, str(value), rows, model, rule) for column in columns for value, part in rows.groupby(column, sort=True)]


def contacted(rows: pd.DataFrame, capacity: int) -> pd.Series:
    """Return for each row whether it is among the ``capacity`` best of its model and period; ties go to the smaller customer_id."""
    best = rows.assign(minus=-rows["raw"]).sort_values(["minus", "customer_id"], kind="stable")
    return (best.groupby(["model", "cutoff"]).cumcount() < capacity).reindex(rows.index)


def _slice(part: pd.DataFrame, column: str, value: str, rows: pd.DataFrame, model: str, rule: str) -> dict[str, object]:
    mine, every = part[part["model"] == model], rows[rows["model"] == model]
    positives = int(mine["label"].sum())
    ours, theirs = _precision(mine), _precision(part[part["model"] == rule])
    shares = {}
    if "contacted" in rows:
        shares = {
            "outcome_share": _share(positives, every["label"].sum()),
            "contact_share": _share(mine["contacted"].sum(), every["contacted"].sum()),
        }
    return {
        "column": column,
        "value": value,
        "customers": int(mine["customer_id"].nunique()),
        "snapshots": len(mine),
        "positives": positives,
        "average_precision": ours,
        "rule": theirs,
        "collapse": bool(positives >= COLLAPSE_POSITIVES and ours is not None and theirs is not None and ours < theirs),
        **shares,
    }


def _precision(rows: pd.DataFrame) -> float | None:
    """Return the average precision, mean over periods weighted by positives; None where no period has both classes."""
    parts = [(average_precision(part["label"], part["raw"]), float(part["label"].sum())) for _, part in rows.groupby("cutoff", sort=True)]
    defined = [(value, weight) for value, weight in parts if np.isfinite(value)]
    return float(np.average([value for value, _ in defined], weights=[weight for _, weight in defined])) if defined else None


def _share(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole else None

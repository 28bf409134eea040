"""Lead time: how many days before the outcome a list first named the customer.

``predictions`` are those of ``evaluation``.
"""

import numpy as np
import pandas as pd

from prevenance.judge.bootstrap import closed_rows
from prevenance.judge.slices import is_contacted


def lead_time(predictions: pd.DataFrame, model: str, capacity: int, lead_days: int) -> dict[str, float | int | None]:
    """Return how early the lists of a model warned: median_days, too_late (less than ``lead_days``), outcomes (caught by a list at all).

    Days run from a customer's first place among the ``capacity`` best, with that outcome ahead, to the outcome; an outcome on
    two lists counts once. ``median_days`` is None where nothing was caught.
    """
    days = _warned(predictions, model, capacity)
    return {"median_days": float(days.median()) if len(days) else None, "too_late": int((days < lead_days).sum()), "outcomes": len(days)}


def lead_weeks(predictions: pd.DataFrame, model: str, capacity: int, lead_days: int) -> list[dict[str, int]]:
    """Return the same outcomes by weeks of warning: week (0 is below 7 days), outcomes, too_late (less than ``lead_days``)."""
    days = _warned(predictions, model, capacity)
    weeks = np.floor(days / 7).astype(int)
    last = int(weeks.max()) + 1 if len(weeks) else 0
    return [
        {"week": week, "outcomes": int((weeks == week).sum()), "too_late": int(((weeks == week) & (days < lead_days)).sum())}
        for week in range(last)
    ]


def _warned(predictions: pd.DataFrame, model: str, capacity: int) -> pd.Series:
    """Return for each outcome that a list caught the days from its customer's first place on one."""
    rows, _ = closed_rows(predictions[predictions["model"] == model])
    caught = rows[is_contacted(rows, capacity) & (rows["label"] > 0) & rows["outcome_at"].notna()]
    first = caught.groupby(["customer_id", "outcome_at"], sort=True)["cutoff"].min().reset_index()
    return (pd.to_datetime(first["outcome_at"]) - pd.to_datetime(first["cutoff"])) / pd.Timedelta(days=1)

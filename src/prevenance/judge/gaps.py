"""Power by growing gap: how well a model, and each feature, tells those whose outcome is days, weeks or months away.

A feature that works in the last week only is no warning: it is the outcome's own footprint, and a list made from it comes too late. The
leak search leaves out those that all but know the outcome; this names weaker ones of the same kind, which may stay in use.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prevenance.judge import clustered
from prevenance.judge.clustered import Clustered, Floats, Places
from prevenance.models.folds import at_risk, sampling_units
from prevenance.models.units import unit_evidence

EDGES = (0.0, 7.0, 28.0, 56.0, np.inf)
NAMES = ("1–7", "8–28", "29–56", "57+")
"""Days from the cutoff to the outcome, half-open from below."""

ENOUGH = 20
"""Distinct customers (groups, where accounts have one parent) with the outcome that a gap needs; with fewer, its AUC is not told."""

NEAR, FAR, SURE = 0.70, 0.55, 0.01
"""A footprint has at least this AUC within 7 days and at most this later, and so by chance in 1 of 100 searches at most."""


@dataclass(frozen=True)
class Power:
    """The AUC of one score against everybody without the outcome, by gap: ``aucs`` {days, auc, low, high, customers}; None if too few."""

    name: str
    aucs: tuple[dict[str, object], ...]
    footprint: bool


@dataclass(frozen=True)
class _Rows:
    """Snapshots with a closed label: days to the outcome (nan without), codes of customer (group) and cutoff, and ``enough`` of both for an interval."""

    label: Floats
    days: Floats
    customer: Places
    period: Places
    customers: int
    enough: bool


def power_by_gap(frame: pd.DataFrame, columns: Sequence[str], marked: Sequence[str] = ()) -> list[Power]:
    """Return the power by gap of each numeric column (a feature, or a model's ``raw``), in their order; [] where outcomes have no date.

    ``frame`` has customer_id, cutoff, label and outcome_at; open labels and other states than at_risk are left out. A column is
    turned so that high means likelier; an unknown value counts as the median. ``marked`` are those already known as footprints.
    """
    rows, used = _rows(frame)
    if not np.isfinite(rows.days).any():
        return []
    return [Power(name, tuple(_told(rows, _turned(rows, used[name]))), name in marked) for name in columns]


def late_footprints(frame: pd.DataFrame, features: Sequence[str]) -> list[str]:
    """Return the numeric features that tell the outcome in its last week and not before, in their order.

    Both sides need ``ENOUGH`` customers with the outcome; the difference must hold against chance in all features looked at.
    """
    rows, used = _rows(frame)
    names = [name for name in features if name in used and pd.api.types.is_numeric_dtype(used[name])]
    soon, later = rows.days <= EDGES[1], rows.days > EDGES[1]
    if not rows.enough or min(_customers(rows, soon), _customers(rows, later)) < ENOUGH:
        return []
    return [name for name in names if _only_near(rows, _filled(used[name]), soon, later, SURE / len(names))]


def _only_near(rows: _Rows, values: Floats, soon: np.ndarray, later: np.ndarray, chance: float) -> bool:
    near = _against(rows, values, soon)
    # Turned by the near side: that is where a footprint is strong.
    if near.value < 0.5:
        values, near = -values, _against(rows, -values, soon)
    if not near.value >= NEAR:
        return False
    far = _against(rows, values, later)
    return far.value <= FAR and clustered.clustered_difference(far, near).below(0.0) < chance


def _rows(frame: pd.DataFrame) -> tuple[_Rows, pd.DataFrame]:
    used = frame[at_risk(frame)].sort_values(["cutoff", "customer_id"], kind="stable")
    outcome = pd.to_datetime(used["outcome_at"]) if "outcome_at" in used else pd.Series(pd.NaT, used.index, dtype="datetime64[us]")
    days = ((outcome - used["cutoff"]) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    label = used["label"].to_numpy(dtype=float)
    customer, names = pd.factorize(sampling_units(used))
    days, period = np.where(label > 0, days, np.nan), pd.factorize(used["cutoff"])[0]
    return _Rows(label, days, customer, period, len(names), unit_evidence(used).enough), used


def _told(rows: _Rows, values: Floats) -> list[dict[str, object]]:
    return [
        _auc(rows, values, (rows.days > low) & (rows.days <= high), name) for low, high, name in zip(EDGES, EDGES[1:], NAMES, strict=False)
    ]


def _auc(rows: _Rows, values: Floats, chosen: np.ndarray, name: str) -> dict[str, object]:
    customers = _customers(rows, chosen)
    if customers < ENOUGH:
        return {"days": name, "auc": None, "low": None, "high": None, "customers": customers}
    found = _against(rows, values, chosen)
    low, high = found.interval() if rows.enough else (None, None)
    return {"days": name, "auc": found.value if np.isfinite(found.value) else None, "low": low, "high": high, "customers": customers}


def _against(rows: _Rows, values: Floats, chosen: np.ndarray) -> Clustered:
    """Return the AUC of some of the positives against all negatives of their cutoff."""
    part = chosen | (rows.label == 0)
    return clustered.clustered_auc(rows.label[part], values[part], rows.period[part], rows.customer[part], rows.customers)


def _turned(rows: _Rows, column: pd.Series) -> Floats:
    values = _filled(column)
    return -values if _against(rows, values, rows.label > 0).value < 0.5 else values


def _filled(column: pd.Series) -> Floats:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    known = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, np.median(known) if len(known) else 0.0)


def _customers(rows: _Rows, chosen: np.ndarray) -> int:
    return len(np.unique(rows.customer[chosen]))

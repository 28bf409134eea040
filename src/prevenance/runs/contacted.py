"""Whom we contacted while a label's window ran: how outcomes differ from those of all others, and how to learn without them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from prevenance.history.history import History
from prevenance.order.suppression import newest_contacts
from prevenance.proof.effect import arm_of, difference_span, wilson_span
from prevenance.runs.settings.schema import ValidationSettings
from prevenance.targets.target import Target


def contacted_within(history: History, target: Target, rows: pd.DataFrame) -> pd.Series:
    """Return whom somebody of ours contacted in person in (cutoff, cutoff + horizon], with the index of ``rows``."""
    found = pd.Series(False, index=rows.index)
    for cutoff, part in rows.groupby("cutoff", sort=True):
        end = cutoff.to_pydatetime() + timedelta(days=target.horizon_days)
        found.loc[part.index] = part["customer_id"].isin(newest_contacts(history, [end], target.horizon_days)[end].index)
    return found


def learned_rows(rules: ValidationSettings, history: History, target: Target, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the snapshots that are learned from and tested on, and a message on those that are not: all, or those of customers left alone."""
    if rules.contacted == "keep" or rows.empty:
        return rows, []
    alone = rows[~contacted_within(history, target, rows)].reset_index(drop=True)
    what = f"{target.name}: {len(rows) - len(alone):,} of {len(rows):,} snapshots are neither learned from nor tested on"
    return alone, [f"{what}: we contacted the customer within the window (validation.contacted=leave_out)"]


def contacted_counts(history: History, target: Target, rows: pd.DataFrame, *, left_out: bool) -> dict[str, Any]:
    """Return, of closed snapshots, those with and without a contact: snapshots, customers, outcomes, rate with its 95 % interval; and the difference.

    A customer with several snapshots is one cluster. Nothing where no contacts are known.
    """
    if "contacts" not in history.tables or rows.empty:
        return {}
    met = contacted_within(history, target, rows).to_numpy()
    came, units = rows["label"].to_numpy(dtype=float), np.asarray(pd.factorize(rows["customer_id"])[0])
    arms = {name: arm_of(came[one], units[one]) for name, one in (("contacted", met), ("alone", ~met))}
    told: dict[str, Any] = {
        name: {
            **{"snapshots": arm.customers, "customers": arm.units, "outcomes": int(arm.outcomes), "rate": arm.rate},
            **dict(zip(("low", "high"), wilson_span(arm), strict=True)),
        }
        for name, arm in arms.items()
    }
    low, high = difference_span(arms["alone"], arms["contacted"])
    difference = {"value": arms["contacted"].rate - arms["alone"].rate, "low": -high, "high": -low}
    return told | {"difference": difference, "left_out": left_out}

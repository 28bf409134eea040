"""A challenger against a rival on the periods they share, and the figures that each gate looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.judge.bootstrap import (
    Estimate,
    Floats,
    Weights,
    bootstrap_interval,
    customer_index,
    listed_rows,
    pooled_metrics,
)
from prevenance.models.units import unit_evidence

SURE = 2.58
"""Standard errors that an AUC must lie above 0.5 (99 %, two-sided) before a model may be promoted at all."""


@dataclass(frozen=True)
class Duel:
    """Two models on the periods they share: pooled metrics (value first, then replicates), and contacts in all.

    ``lack`` says why there is no interval around a difference, where too few customers or groups stand behind it.
    """

    rival: str
    periods: int
    ours: dict[str, Floats]
    theirs: dict[str, Floats]
    contacts: int
    lack: str

    def difference(self, metric: str) -> Estimate:
        """Return ours less theirs with its paired interval, none where too few stand behind it."""
        gap = self.ours[metric] - self.theirs[metric]
        return bootstrap_interval(gap[:1] if self.lack else gap)


def duel_of(mine: pd.DataFrame, other: pd.DataFrame, rival: str, customers: NDArray[np.object_], weights: Weights, capacity: int) -> Duel:
    """Return the comparison of two models' rows on the periods that both were tested in."""
    # Periods that only one of them was tested in would compare their luck with the season.
    both = set(mine["cutoff"]) & set(other["cutoff"])
    mine, other = mine[mine["cutoff"].isin(both)], other[other["cutoff"].isin(both)]
    ours, theirs = (pooled_metrics(part, customer_index(part, customers), weights, capacity) for part in (mine, other))
    usable = int((mine.groupby("cutoff")["label"].nunique() > 1).sum())
    contacts = sum(contacts_of(part, capacity) for _, part in mine.groupby("cutoff"))
    return Duel(rival, usable, ours, theirs, contacts, unit_evidence(mine).lack)


def contacts_of(rows: pd.DataFrame, capacity: int) -> int:
    """Return how many customers of one period the list holds: as shipped, else those that fit."""
    listed = listed_rows(rows)
    return min(capacity, len(rows)) if listed is None else int(listed.sum())


def gate_figures(
    duel: Duel, sliced: Sequence[Mapping[str, Any]], severities: Mapping[str, str], min_periods: int
) -> dict[str, dict[str, Any]]:
    """Return what each gate looked at: the two sides and their paired difference, counts, or names; undefined numbers are None.

    ``severities`` is the result of each check by its code.
    """
    against = {
        gate: {
            "rival": duel.rival,
            "ours": _known(duel.ours[metric][0]),
            "theirs": _known(duel.theirs[metric][0]),
            **duel.difference(metric),
        }
        for gate, metric in (("beats_rivals", "average_precision"), ("precision_at_capacity", "precision_at_capacity"), ("brier", "brier"))
    }
    named = {word: [f"{one['column']} {one['value']}" for one in sliced if one.get(key)] for word, key in _SLICES.items()}
    return against | {
        "periods": {"periods": duel.periods, "needed": min_periods},
        "signal": {"auc": _known(duel.ours["roc_auc"][0]), "least": None if duel.lack else _known(sure_above(duel.ours["roc_auc"]))},
        "slices": {"judged": sum(1 for one in sliced if one.get("enough", True)), **named},
        "checks": {"done": len(severities)} | {word: sorted(c for c, s in severities.items() if s == word) for word in ("fail", "warn")},
    }


_SLICES = {"collapsed": "collapse", "starved": "starved", "worse": "worse"}


def sure_above(values: Floats) -> float:
    """Return the value (the first) less ``SURE`` standard errors of the replicates behind it."""
    return float(values[0]) - SURE * (float(np.nanstd(values[1:])) if len(values) > 1 else 0.0)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

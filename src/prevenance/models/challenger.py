"""Which kind of model may challenge the rule: the simplest that no other surely beats, on customers that nothing was tuned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from prevenance.models.folds import units


def tuned_on(rows: pd.DataFrame) -> pd.Series:
    """Return of which customers the settings are tuned: bool, about half of them, drawn by the hash of their id (of their group, where accounts have one parent).

    The others are for comparing kinds: on the rows it was tuned on, a kind with more settings to try looks better than it is.
    """
    return pd.Series(pd.util.hash_array(units(rows).to_numpy(dtype=object)) % 2 == 0, index=rows.index)


def losses(scores: np.ndarray, rows: pd.DataFrame) -> tuple[float, ...]:
    """Return the mean log loss of each customer (or group), by its id; ``scores`` are the chances of ``rows`` (customer_id, label)."""
    label, near = rows["label"].to_numpy(), np.clip(scores, 1e-9, 1 - 1e-9)
    found = pd.Series(-np.where(label > 0, np.log(near), np.log1p(-near)), index=rows.index)
    return tuple(found.groupby(units(rows)).mean().sort_index())


def choose(by_kind: Mapping[str, Sequence[float]], kinds: Sequence[str]) -> str | None:
    """Return the challenger: the simplest kind that no later one of ``kinds`` beats by more than a standard error; None if none was tried.

    Compared is the log loss customer by customer (the one-standard-error rule of Breiman et al., 1984), where every label had closed before
    the first test period, so the gate may still judge the choice on all of them.
    """
    tried = [kind for kind in kinds if kind in by_kind]
    if not tried:
        return None
    best = tried[0]
    for kind in tried[1:]:
        gain = np.array(by_kind[best]) - np.array(by_kind[kind])
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
        if len(gain) and gain.mean() > error:
            best = kind
    return best

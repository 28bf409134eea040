"""What customers are told by models that had not learned from them: a calibrator needs it, and no label has to be older for it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from prevenance.models import health_score
from prevenance.models.bundle import Fitted, log_odds
from prevenance.models.encode import fit_encoder
from prevenance.models.folds import sampling_units
from prevenance.models.learn import learned_parameters

PARTS = 2
"""Of how many parts of the customers each is told by the others. Measured on past periods, three and five calibrate no better, and cost more."""

ALONE = ("base_rate", "customer_rules", "health_score")
"""Kinds that learn nothing from the rows: nobody has to be kept apart to calibrate them."""


def learned_model(kind: str, learn: pd.DataFrame, features: Sequence[str], seed: int, params: dict[str, Any], threads: int) -> Fitted:
    """Return the model that learned from some rows, not calibrated yet."""
    encoder = health_score.score_encoder(params, features) if kind == "health_score" else fit_encoder(learn, features)
    return Fitted(kind, encoder, learned_parameters(kind, encoder, learn, seed=seed, params=params, threads=threads), (0.0, 0.0))


def _part_of(rows: pd.DataFrame) -> np.ndarray:
    """Return the part of each row's customer (or group), 0 to ``PARTS`` - 1, by the hash of its id; not that which halves them for tuning."""
    return pd.util.hash_array(sampling_units(rows).to_numpy(dtype=object)) // 2 % PARTS


def can_be_parted(rows: pd.DataFrame) -> bool:
    """Return whether every part leaves both classes to learn from and has both to be calibrated on."""
    counts = rows["label"].groupby(_part_of(rows)).agg(["sum", "size"])
    return len(counts) == PARTS and bool(((counts["sum"] > 0) & (counts["sum"] < counts["size"])).all())


def out_of_fold_values(
    kind: str, learn: pd.DataFrame, features: Sequence[str], seed: int, params: dict[str, Any], threads: int
) -> np.ndarray:
    """Return the ranking value of each row by a model that learned from the customers of the other parts, shape (n,)."""
    part, found = _part_of(learn), np.zeros(len(learn))
    for one in range(PARTS):
        ours = part == one
        found[ours] = log_odds(learned_model(kind, learn[~ours], features, seed, params, threads), learn[ours])
    return found

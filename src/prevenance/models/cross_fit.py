"""What customers are told by models that had not learned from them: a calibrator needs it, and no label has to be older for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.models import health_score
from prevenance.models.bundle import Fitted, ranking_values
from prevenance.models.encode import Encoder, fit_encoder
from prevenance.models.folds import Fold, sampling_units
from prevenance.models.learn import learned_parameters

PARTS = 2
"""Of how many parts of the customers each is told by the others. Measured on past periods, three and five calibrate no better, and cost more."""

ALONE = ("base_rate", "customer_rules", "health_score")
"""Kinds that learn nothing from the rows: nobody has to be kept apart to calibrate them."""


@dataclass(frozen=True)
class Encoded:
    """Rows (n) and the encoder that most models of them read by: its matrix is made once for all of them."""

    rows: pd.DataFrame
    encoder: Encoder

    @cached_property
    def matrix(self) -> np.ndarray:
        """Return the matrix of the rows, see ``Encoder.matrix``."""
        return self.encoder.matrix(self.rows)

    def values(self, fitted: Fitted) -> np.ndarray:
        """Return the ranking value of each row, see ``bundle.log_odds``."""
        return ranking_values(fitted, self.matrix if fitted.encoder is self.encoder else fitted.encoder.matrix(self.rows))


@dataclass(frozen=True)
class LearningRows:
    """Rows to learn from with what every kind of model makes of them, made once for all kinds: encoders and matrices, of all and by halves."""

    rows: pd.DataFrame
    features: Sequence[str]

    @cached_property
    def whole(self) -> Encoded:
        """Return all rows with the encoder learned from them."""
        return Encoded(self.rows, fit_encoder(self.rows, self.features))

    @cached_property
    def halves(self) -> list[tuple[np.ndarray, Encoded, Encoded]]:
        """Return for each part of the customers: which rows are theirs (bool of shape (n,)), the rows of the others, and theirs as those encode them."""
        part, found = _part_of(self.rows), []
        for one in range(PARTS):
            others = self.rows[part != one]
            encoder = fit_encoder(others, self.features)
            found.append((part == one, Encoded(others, encoder), Encoded(self.rows[part == one], encoder)))
        return found

    @cached_property
    def can_be_parted(self) -> bool:
        """Return whether every part leaves both classes to learn from and has both to be calibrated on."""
        counts = self.rows["label"].groupby(_part_of(self.rows)).agg(["sum", "size"])
        return len(counts) == PARTS and bool(((counts["sum"] > 0) & (counts["sum"] < counts["size"])).all())


def learning_rows(rows: pd.DataFrame, fold: Fold, features: Sequence[str]) -> LearningRows:
    """Return the rows of one fold to learn from; E601 where there are none."""
    learn = rows[rows["cutoff"].isin(fold.learned)]
    if learn.empty:
        fix = "give a longer history or a shorter horizon_days"
        raise PrevenanceError("E601", f"no closed label among {len(fold.learned)} cutoffs to learn from", fix=fix)
    return LearningRows(learn, features)


def learned_model(kind: str, learn: Encoded, features: Sequence[str], seed: int, params: dict[str, Any], threads: int) -> Fitted:
    """Return the model that learned from some rows, not calibrated yet."""
    if kind == "health_score":
        learn = Encoded(learn.rows, health_score.score_encoder(params, features))
    found = learned_parameters(kind, learn.encoder, learn.rows, seed=seed, params=params, threads=threads, matrix=learn.matrix)
    return Fitted(kind, learn.encoder, found, (0.0, 0.0))


def out_of_fold_values(kind: str, learn: LearningRows, seed: int, params: dict[str, Any], threads: int) -> np.ndarray:
    """Return the ranking value of each row by a model that learned from the customers of the other parts, shape (n,)."""
    found = np.zeros(len(learn.rows))
    for ours, others, told in learn.halves:
        found[ours] = told.values(learned_model(kind, others, learn.features, seed, params, threads))
    return found


def _part_of(rows: pd.DataFrame) -> np.ndarray:
    """Return the part of each row's customer (or group), 0 to ``PARTS`` - 1, by the hash of its id; not that which halves them for tuning."""
    return pd.util.hash_array(sampling_units(rows).to_numpy(dtype=object)) // 2 % PARTS

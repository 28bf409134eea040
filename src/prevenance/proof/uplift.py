"""Whom not to contact: who gains more than others, from an experiment with a known draw; said only if it holds on rows that no model has seen.

Scores are doubly robust with the known probability of the draw (Robins, Rotnitzky and Zhao, 1994, JASA 89), by cross-fitted learners (Kunzel and others, 2019,
"Metalearners", PNAS 116); whether an order by the estimate gains anything is RATE's area (Yadlowsky and others, 2025, JASA 120, "AUTOC") with its z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FOLDS, REPLICATES = 5, 200
SURE = 2.0
"""z from which anybody is ordered by what contacts change."""
GROUPS = 5


@dataclass(frozen=True)
class Uplift:
    """Of one learner: the gain predicted for each row by models that have not seen it, its ``scores``, RATE with its error and z; and the groups.

    ``groups`` has a row a fifth, the least gain first: rows, gain, low, high (95 %).
    """

    learner: str
    predicted: Floats
    scores: Floats
    rate: float
    error: float
    groups: tuple[tuple[int, float, float, float], ...]

    @property
    def z(self) -> float:
        """Return how many errors RATE lies above nought."""
        return self.rate / self.error if self.error > 0 else 0.0

    @property
    def harmed(self) -> bool:
        """Return whether the fifth with the least predicted gain surely loses by a contact; never said where the order itself is not sure."""
        return self.z >= SURE and self.groups[0][3] < 0


def uplift_by(learner: str, features: Floats, arm: Floats, outcome: Floats, chance: Floats, units: NDArray[np.intp], seed: int) -> Uplift:
    """Return the uplift by an ``S`` learner (one model that sees the arm) or a ``T`` learner (one for each arm).

    Args:
        learner: S or T.
        features: (n, k), known before the draw; NaN is unknown.
        arm: 1.0 drawn to be contacted, 0.0 left alone.
        outcome: 1.0 or 0.0, turned so that more is better.
        chance: probability of being drawn to be contacted, in (0, 1).
        units: what each row was drawn with; a unit lies in one fold.
        seed: of folds and models.
    """
    fold = np.random.default_rng(seed).integers(0, FOLDS, int(units.max()) + 1)[units]
    with_contact, without = np.zeros(len(outcome)), np.zeros(len(outcome))
    for number in range(FOLDS):
        seen, apart = fold != number, fold == number
        with_contact[apart], without[apart] = _both(learner, features[seen], arm[seen], outcome[seen], features[apart], seed)
    own = np.where(arm == 1, (outcome - with_contact) / chance, -(outcome - without) / (1 - chance))
    predicted, scores = with_contact - without, with_contact - without + own
    rate, error = rate_of(predicted, scores, units, seed)
    return Uplift(learner, predicted, scores, rate, error, _groups(predicted, scores, units))


def _both(learner: str, features: Floats, arm: Floats, outcome: Floats, asked: Floats, seed: int) -> tuple[Floats, Floats]:
    """Return the predicted chance of the rows asked about with and without a contact."""

    def fitted(rows: Floats, came: Floats) -> LGBMRegressor:
        return LGBMRegressor(
            n_estimators=80, learning_rate=0.05, num_leaves=8, min_child_samples=100, random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbosity=-1
        ).fit(rows, came)  # fmt: skip

    from lightgbm import LGBMRegressor

    if learner == "S":
        model = fitted(np.column_stack([features, arm]), outcome)
        return tuple(
            np.asarray(model.booster_.predict(np.column_stack([asked, np.full(len(asked), one)]), num_threads=1)) for one in (1.0, 0.0)
        )  # type: ignore[return-value]
    models = [fitted(features[arm == one], outcome[arm == one]) for one in (1.0, 0.0)]
    return tuple(np.asarray(model.booster_.predict(asked, num_threads=1)) for model in models)  # type: ignore[return-value]


def rate_of(predicted: Floats, scores: Floats, units: NDArray[np.intp], seed: int, replicates: int = REPLICATES) -> tuple[float, float]:
    """Return RATE (AUTOC: the mean over all shares, best first, of how much more these gain than everybody) and its bootstrap error by unit."""
    # equal predictions are taken as they come, in an order that knows nothing
    order = np.lexsort((np.random.default_rng(seed).permutation(len(predicted)), -predicted))
    ordered, owner = scores[order], units[order]
    draws = np.random.default_rng(seed + 1)
    found = [_autoc(ordered, draws.poisson(1.0, int(units.max()) + 1)[owner].astype(float)) for _ in range(replicates)]
    return _autoc(ordered, np.ones(len(ordered))), float(np.std(found, ddof=1))


def _autoc(ordered: Floats, weight: Floats) -> float:
    reached = np.cumsum(weight)
    means = np.cumsum(weight * ordered) / np.where(reached > 0, reached, 1.0)
    return float((weight * (means - means[-1])).sum() / reached[-1])


def _groups(predicted: Floats, scores: Floats, units: NDArray[np.intp]) -> tuple[tuple[int, float, float, float], ...]:
    """Return rows, gain and its 95 % interval by unit for each fifth of the predicted gain, the least first."""
    from scipy.stats import norm

    found = []
    for part in np.array_split(np.argsort(predicted, kind="stable"), GROUPS):
        gain, count = float(scores[part].mean()), len(part)
        pulls = np.bincount(units[part], scores[part] - gain)
        reach = float(norm.ppf(0.975)) * float(np.sqrt((pulls**2).sum())) / count
        found.append((count, gain, gain - reach, gain + reach))
    return tuple(found)

"""Estimates whose error counts customers, not rows, without drawing anything: how far each customer pulls the value.

A customer's snapshots are one piece of evidence. The value is written as a sum over customers, and their pulls give its standard error: for
the AUC this is Obuchowski's (1997, "Nonparametric analysis of clustered ROC curve data", Biometrics 53) extension of DeLong's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Clustered:
    """A value (nan where undefined), ``pull`` (customers,) = how far each customer moves it, and ``behind``: customers with an outcome."""

    value: float
    pull: Floats
    behind: int

    @property
    def error(self) -> float:
        """Return the standard error; nan with fewer than two customers."""
        # Who pulls nowhere is no evidence; n / (n - 1), because few customers know their own spread badly.
        count = int((self.pull != 0).sum())
        return float(np.sqrt((self.pull**2).sum() * count / (count - 1))) if count > 1 else float("nan")

    def interval(self, confidence: float = 0.90) -> tuple[float | None, float | None]:
        """Return the two-sided interval by Student's t over the customers with an outcome; None where undefined."""
        from scipy.stats import t

        if not np.isfinite(self.value) or not np.isfinite(self.error) or self.behind < 2:
            return None, None
        reach = float(t.ppf(0.5 + confidence / 2, self.behind - 1)) * self.error
        return self.value - reach, self.value + reach

    def below(self, level: float) -> float:
        """Return the one-sided p-value of lying below ``level`` by chance alone; 1 where undefined."""
        from scipy.stats import t

        if not np.isfinite(self.value) or not self.error > 0 or self.behind < 2:
            return 1.0
        return float(t.cdf((self.value - level) / self.error, self.behind - 1))


def clustered_auc(label: Floats, raw: Floats, period: Places, customer: Places, customers: int) -> Clustered:
    """Return the AUC within periods, weighted by outcomes; ``customer`` are codes below ``customers``."""
    positive = label > 0
    placement, weight = np.zeros(len(label)), np.zeros(len(label))
    for part in (np.flatnonzero(period == one) for one in np.unique(period)):
        ours, others = part[positive[part]], part[~positive[part]]
        if not len(ours) or not len(others):
            continue
        placement[ours] = _below(raw[ours], raw[others])
        placement[others] = 1 - _below(raw[others], raw[ours])
        weight[ours] = 1.0
        weight[others] = len(ours) / len(others)
        # Each period has a level of its own, which is no error of the ranking.
        placement[others] -= placement[ours].mean()
    used = positive & (weight > 0)
    if not used.any():
        return Clustered(float("nan"), np.zeros(customers), 0)
    value, total = float(placement[used].mean()), int(used.sum())
    off = np.where(positive, placement - value, placement) * weight / total
    return Clustered(value, _summed(customer, off, customers), len(np.unique(customer[used])))


def clustered_share(hit: Floats, among: Floats, customer: Places, customers: int) -> Clustered:
    """Return the sum of ``hit`` over the sum of ``among`` (both per row)."""
    total = float(among.sum())
    if not total:
        return Clustered(float("nan"), np.zeros(customers), 0)
    value = float(hit.sum()) / total
    return Clustered(value, _summed(customer, (hit - value * among) / total, customers), len(np.unique(customer[among > 0])))


def clustered_difference(one: Clustered, other: Clustered) -> Clustered:
    """Return ``one - other``; a customer in both pulls both."""
    return Clustered(one.value - other.value, one.pull - other.pull, min(one.behind, other.behind))


def _below(values: Floats, others: Floats) -> Floats:
    """Return for each value the share of ``others`` that lie below it; ties count half."""
    ordered = np.sort(others)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2 * len(others))


def _summed(customer: Places, values: Floats, customers: int) -> Floats:
    return np.bincount(customer, values, customers).astype(float)

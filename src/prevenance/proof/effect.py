"""What contacts change, worked out of two arms: pure functions, each with the source of its method.

An arm is counts (``Arm``): units that count as independent draws, the rate of the outcome, and as how many independent customers they are worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Span = tuple[float, float]

LEAST_UNITS = 10
"""Units that each arm must have for an interval: of fewer nobody knows how much they differ."""


@dataclass(frozen=True)
class Arm:
    """``units`` drawn, ``customers`` of them with ``outcomes``; ``worth`` is as how many independent customers they count.

    ``freedom`` is for Student's t where the spread between units was estimated; ``None`` where each customer is a unit of its own.
    """

    units: int
    customers: int
    outcomes: float
    worth: float
    freedom: int | None = None

    @property
    def rate(self) -> float:
        """Return the share with the outcome; NaN without customers."""
        return self.outcomes / self.customers if self.customers else nan


def arm_of(outcomes: Floats, units: NDArray[np.intp]) -> Arm:
    """Return an arm from its customers: 1.0 or 0.0 each, and the number of the unit that each was drawn with.

    Where units hold several customers, the variance between units replaces the binomial one, and the arm counts as the customers it is worth by it
    (design effect: Kish, 1965, "Survey Sampling"; by linearisation as in Donner and Klar, 2000, "Cluster Randomization Trials").
    """
    count, codes = len(outcomes), np.unique(units, return_inverse=True)[1]
    groups = int(codes.max()) + 1 if count else 0
    total = float(outcomes.sum())
    if groups == count:
        return Arm(groups, count, total, float(count))
    rate = total / count
    pulls = np.bincount(codes, outcomes - rate, groups)
    error = groups / max(groups - 1, 1) * float((pulls**2).sum()) / count**2
    worth = rate * (1 - rate) / error if error > 0 and 0 < rate < 1 else float(groups)
    return Arm(groups, count, total, min(worth, float(count)), max(groups - 1, 1))


def _reach(z: float, freedom: int | None) -> float:
    """Return the quantile of Student's t that leaves out as much as ``z`` does of the normal distribution."""
    from scipy.stats import norm, t

    return z if freedom is None else float(t.isf(norm.sf(z), freedom))


def wilson_span(arm: Arm, z: float = 1.959964) -> Span:
    """Return the interval of a rate (Wilson, 1927, "Probable inference", JASA 22)."""
    if not arm.worth > 0:
        return nan, nan
    rate, square = arm.rate, _reach(z, arm.freedom) ** 2
    middle = (rate + square / (2 * arm.worth)) / (1 + square / arm.worth)
    half = sqrt(square * (rate * (1 - rate) / arm.worth + square / (4 * arm.worth**2))) / (1 + square / arm.worth)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def has_enough(held: Arm, contact: Arm) -> bool:
    """Return whether both arms have the units that an interval needs."""
    return min(held.units, contact.units) >= LEAST_UNITS


def difference_span(held: Arm, contact: Arm, z: float = 1.959964) -> Span:
    """Return the interval of rate held out - rate contacted (Newcombe, 1998, "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17, method 10): positive is what contacts prevent. NaN with too few units.
    """
    if not has_enough(held, contact):
        return nan, nan
    (low_h, high_h), (low_c, high_c) = wilson_span(held, z), wilson_span(contact, z)
    found = held.rate - contact.rate
    low = found - sqrt((held.rate - low_h) ** 2 + (high_c - contact.rate) ** 2)
    return low, found + sqrt((high_h - held.rate) ** 2 + (contact.rate - low_c) ** 2)


def share_span(held: Arm, contact: Arm, z: float = 1.959964) -> tuple[float, float, float]:
    """Return the share 1 - rate contacted / rate held out with its interval, by MOVER from the two Wilson limits (Donner and Zou, 2012, "Closed-form
    confidence intervals for functions of the normal mean and standard deviation", Stat. Methods Med. Res. 21); NaN without outcomes among those held out.
    """
    if held.outcomes == 0 or not contact.customers:
        return nan, nan, nan
    over, under = contact.rate, held.rate
    value = 1 - over / under
    if not has_enough(held, contact):
        return value, nan, nan
    (low_h, high_h), (low_c, high_c) = wilson_span(held, z), wilson_span(contact, z)
    product = over * under
    low = (product - sqrt(max(product**2 - low_c * high_h * (2 * over - low_c) * (2 * under - high_h), 0.0))) / (
        high_h * (2 * under - high_h)
    )
    if high_h >= 2 * under:  # the formula has its pole there, and the least ratio is that of the limits
        low = low_c / high_h
    bottom = low_h * (2 * under - low_h)
    high = (
        (product + sqrt(max(product**2 - high_c * low_h * (2 * over - high_c) * (2 * under - low_h), 0.0))) / bottom
        if bottom > 0
        else np.inf
    )
    return value, 1 - high, 1 - max(low, 0.0)


def contact_span(
    outcomes: Floats, contacted: Floats, held: NDArray[np.bool_], units: NDArray[np.intp], z: float = 1.959964
) -> tuple[float, float, float]:
    """Return the effect of a contact itself on those whom the draw made be contacted: the difference as drawn over the difference in contact rates
    (Wald, 1940; Angrist, Imbens and Rubin, 1996, JASA 91), with its interval by Fieller (1954, JRSS B 16); NaN where contacts do not differ for sure.

    Args:
        outcomes: 1.0 or 0.0 of each customer.
        contacted: 1.0 where a contact happened.
        held: drawn to be left alone.
        units: what each was drawn with; a customer of several epochs is one.
        z: quantile of the interval.
    """
    weight = np.where(held, 1 / max(held.sum(), 1), -1 / max((~held).sum(), 1))
    above, below = float((weight * outcomes).sum()), -float((weight * contacted).sum())
    codes = np.unique(units, return_inverse=True)[1]
    groups = int(codes.max()) + 1 if len(codes) else 0
    means = [
        np.where(held, one[held].mean() if held.any() else 0.0, one[~held].mean() if (~held).any() else 0.0)
        for one in (outcomes, contacted)
    ]
    pulls = [
        np.bincount(codes, sign * weight * (one - mean), groups)
        for one, mean, sign in zip((outcomes, contacted), means, (1, -1), strict=True)
    ]
    scale = groups / max(groups - 1, 1)
    (aa, bb), ab = [scale * float((one**2).sum()) for one in pulls], scale * float((pulls[0] * pulls[1]).sum())
    square = z**2
    first = below**2 - square * bb
    if below == 0 or first <= 0 or min(len(np.unique(codes[held])), len(np.unique(codes[~held]))) < LEAST_UNITS:
        return (above / below if below else nan), nan, nan
    second = above * below - square * ab
    root = sqrt(max(second**2 - first * (above**2 - square * aa), 0.0))
    return above / below, (second - root) / first, (second + root) / first


def shrunk_share(value: float, low: float, high: float, usual: float, z: float = 1.959964) -> float:
    """Return a share drawn towards 0 as far as it is uncertain (James and Stein, 1961; normal prior around 0 as wide as the share that was assumed)."""
    error = (high - low) / (2 * z)
    return value * usual**2 / (usual**2 + error**2) if np.isfinite(error) and usual > 0 else 0.0

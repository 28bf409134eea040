"""Planned looks: when an experiment may be judged, by how sure a boundary, how many customers it needs, and how long that takes."""

from __future__ import annotations

from functools import cache
from math import ceil, sqrt

import numpy as np

GRID = 96


@cache
def look_bounds(looks: int, level: float = 0.05) -> tuple[float, ...]:
    """Return z of each of equally spaced looks: O'Brien and Fleming (1979, "A multiple testing procedure for clinical trials", Biometrics 35), wide at first.

    The constant is found by integrating over the looks (Armitage, McPherson and Rowe, 1969, JRSS A 132), so that all of them together call an
    effect where there is none with ``level``. An interval at a look with its z is that of Jennison and Turnbull (1989, JRSS B 51).

    >>> [round(one, 2) for one in look_bounds(5)]
    [4.56, 3.23, 2.63, 2.28, 2.04]
    """
    from scipy.optimize import brentq

    least = brentq(lambda constant: _crossed(tuple(constant * sqrt(looks / k) for k in range(1, looks + 1))) - level, 1.5, 4.0, xtol=1e-6)
    return tuple(float(least) * sqrt(looks / k) for k in range(1, looks + 1))


def _crossed(bounds: tuple[float, ...]) -> float:
    """Return how likely a sum without drift leaves its bounds at any of equally spaced looks: at look k it is z times the root of k."""
    from scipy.stats import norm

    nodes, weights = np.polynomial.legendre.leggauss(GRID)
    inside = 1 - 2 * norm.sf(bounds[0])
    edge = bounds[0]
    points, density = nodes * edge, norm.pdf(nodes * edge)
    for k, bound in enumerate(bounds[1:], 2):
        mass, edge_now = density * weights * edge, bound * sqrt(k)
        inside = float((mass * (norm.cdf(edge_now - points) - norm.cdf(-edge_now - points))).sum())
        new = nodes * edge_now
        density = (norm.pdf(new[:, None] - points[None, :]) * mass[None, :]).sum(axis=1)
        points, edge = new, edge_now
    return 1 - float(inside)


def arm_sizes(rate: float, share: float, held: float = 0.5, power: float = 0.8, z: float = 1.959964) -> tuple[int, int]:
    """Return how many customers to hold out and to contact so that a contact saving ``share`` of a ``rate`` is seen with ``power``.

    ``held`` is the share that is held out (Fleiss, Levin and Paik, 2003, "Statistical Methods for Rates and Proportions", without continuity correction).

    >>> arm_sizes(0.05, 0.2)
    (6745, 6745)
    """
    from scipy.stats import norm

    less, ratio, sure = rate * (1 - share), (1 - held) / held, float(norm.ppf(power))
    middle = (rate + ratio * less) / (1 + ratio)
    own = sqrt(rate * (1 - rate) + less * (1 - less) / ratio)
    # With arms of unlike sizes the pooled spread flatters: the larger of both counts.
    spread = max(z * sqrt(middle * (1 - middle) * (1 + 1 / ratio)) + sure * own, (z + sure) * own)
    number = (spread / (rate - less)) ** 2
    return ceil(number - 0.5), ceil(number * ratio - 0.5)


def weeks_needed(needed: tuple[int, int], drawn_a_week: float, held: float, window_weeks: float) -> float:
    """Return the weeks from the first draw until both arms are as large as needed and the window of the last is closed; infinite without draws."""
    slowest = min(drawn_a_week * held / needed[0], drawn_a_week * (1 - held) / needed[1])
    return 1 / slowest + window_weeks if slowest > 0 else float("inf")


def reached_power(held: int, contact: int, rate: float, share: float, z: float = 1.959964) -> float:
    """Return how likely the customers there are would show that a contact saves ``share`` of a ``rate``; 0 with an empty arm."""
    from scipy.stats import norm

    if not held or not contact or not 0 < rate < 1:
        return 0.0
    less = rate * (1 - share)
    middle = (rate * held + less * contact) / (held + contact)
    usual = z * sqrt(middle * (1 - middle) * (1 / held + 1 / contact))
    return float(norm.cdf((rate - less - usual) / sqrt(rate * (1 - rate) / held + less * (1 - less) / contact)))

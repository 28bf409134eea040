"""What the whole demo company shares: its settings, its calendar, its catalogue and its random numbers.

Customers are simulated in blocks of ``BLOCK``, each with random numbers of its own, so that a block is the same whatever
else is made, and a large company needs no more memory than a few blocks. Times are local (Europe/Paris).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from prevenance.demo.switches import Demo

END = np.datetime64("2026-10-01T00:00:00", "s")
DAY = np.timedelta64(86_400, "s")
HOUR = np.timedelta64(3_600, "s")
WEEK = 7 * DAY
NEVER = np.datetime64("NaT", "s")
MONTH_DAYS = 30.4375

BLOCK = 4_000
MONTHLY_CHURN = 0.025
DRIFT_WEEKS = 26
"""The drift, where there is one, holds for the last so many weeks."""

PLANS = pd.DataFrame(
    {
        "plan": ["starter", "team", "business"],
        "product_id": ["P-10", "P-20", "P-30"],
        "price": [19.0, 32.0, 49.0],
        "seats_up_to": [8, 30, 100_000],
        "usage_limit": [50, 60, 150],
    }
)
"""``price`` a month and seat; ``usage_limit`` in 28 days and seat."""

ADDONS = pd.DataFrame(
    {
        "product_id": ["P-41", "P-42", "P-43", "P-44", "P-45"],
        "name": ["insights", "capacity pack", "training hours", "priority support", "security pack"],
        "family": ["analytics", "capacity", "services", "services", "security"],
        "price": [90.0, 60.0, 45.0, 120.0, 75.0],
        "usage_limit": [None, 5_000, None, None, None],
    }
)
INDUSTRIES = ("logistics", "retail", "software", "manufacturing", "health services", "education", "finance", "energy")


@dataclass(frozen=True)
class World:
    """What every block needs to know. W weeks, T customers ever.

    ``weeks``: (W,) first second of each week. ``bugs``: (W,) error factor of the releases. ``base``: (W,) leaving a week of
    a customer of weight 1, and ``scale`` times that in this company. ``ids``: (T,) account numbers. ``thin``: one product event in so many is logged.
    """

    given: Demo
    weeks: np.ndarray
    releases: pd.DataFrame
    bugs: np.ndarray
    base: np.ndarray
    scale: float
    ids: np.ndarray
    thin: int

    @property
    def strength(self) -> float:
        """Return the signal where more than plausible would be too much."""
        return min(self.given.signal, 1.0)

    @property
    def drifted(self) -> np.ndarray:
        """Return for each week whether the drift holds, (W,)."""
        return np.asarray(self.given.drift & (np.arange(len(self.weeks)) >= len(self.weeks) - DRIFT_WEEKS))


def random_stream(seed: int, part: str, block: int = 0) -> np.random.Generator:
    """Return the random numbers of one part of one block, so that a change in one part leaves the others as they are."""
    # a stream for each part: what is added to one part moves no number of another
    return np.random.default_rng([seed, block, *part.encode()])


def weeks_of(months: int) -> np.ndarray:
    """Return the first second of each week of the history."""
    number = max(8, int(np.ceil(months * MONTH_DAYS / 7)))
    return END - np.arange(number, 0, -1) * WEEK


def customer_totals(given: Demo) -> tuple[int, int]:
    """Return how many customers there ever are, and how many of them when the history begins."""
    there = max(1, round(0.9 * given.customers))
    joined = round(given.customers * (0.05 + 0.75 * MONTHLY_CHURN * given.months))
    total = there + joined if given.churners is None else max(1, given.customers + given.churners)
    return total, min(there, total)


def releases_of(weeks: np.ndarray, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the releases (one product each, about every five weeks) and the error factor of each week."""
    rng = random_stream(seed, "releases")
    at = np.arange(2, len(weeks), 5)
    bad = rng.random(len(at)) < 0.3
    bugs = np.ones(len(weeks))
    for start, factor in zip(at, np.where(bad, 2.6, 1.15), strict=True):
        bugs[start : start + 2] *= factor
    product = PLANS["product_id"].to_numpy()[np.arange(len(at)) % len(PLANS)]
    version = [f"{4 + number // 12}.{number % 12}" for number in range(len(at))]
    return pd.DataFrame({"product_id": product, "version": version, "released_at": weeks[at] + 5 * DAY + 6 * HOUR}), bugs


def account_numbers(total: int, seed: int) -> np.ndarray:
    """Return a number for each customer ever, in no order that tells anything."""
    # numbers with gaps and in no order: an id that told the age of a customer would be a leak
    drawn = random_stream(seed, "ids").permutation(3 * total)[:total]
    return np.array([f"{100 + number:05d}" for number in drawn], dtype=object)


def column_moments(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of times as seconds; NaT where there is none."""
    return frame[column].to_numpy().astype("datetime64[s]")


def shares_within(weeks: np.ndarray, begin: Any, end: Any) -> np.ndarray:
    """Return the share of each week that lies in [begin, end); the three broadcast."""
    return np.asarray(np.clip((np.minimum(weeks + WEEK, end) - np.maximum(weeks, begin)) / WEEK, 0, 1))


def midnight(moment: Any) -> Any:
    """Return the day of each moment (one or many), at 00:00."""
    return moment.astype("datetime64[D]").astype("datetime64[s]")


def seconds(days: np.ndarray) -> np.ndarray:
    """Return days as a duration in whole seconds."""
    return (days * 86_400).astype("timedelta64[s]")

"""Nights of a simulated company for the watch: customers who change a little each day, outcomes at a rate, and what may break."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.proof.watch import tonight
from prevenance.proof.watch.records import Warned

START, NIGHTS, HORIZON = datetime(2025, 1, 1), 100, 28
FIRST = 420
"""Days of history before the first night."""
FEATURES = ["logins", "errors", "seats", "late", "plan", "nps", "trend", "tickets"]


@dataclass(frozen=True)
class Company:
    """Inputs by day and customer, the chance that the model gives, and the days on which an outcome came."""

    inputs: np.ndarray
    came: np.ndarray
    rate: float

    def frame(self, day: int, labels: bool = False) -> pd.DataFrame:
        """Return the snapshots of a day: the inputs, the score of the model and, where the window is asked for, the label."""
        rows = pd.DataFrame(self.inputs[day], columns=FEATURES)
        rows["plan"] = np.where(rows["plan"] > 0.5, "pro", "basic")
        odds = np.log(self.rate / (1 - self.rate)) - 0.2 - 0.9 * self.inputs[day][:, 0] + 0.3 * self.inputs[day][:, 1]
        rows = rows.assign(customer_id=[f"{n:04}" for n in range(len(rows))], cutoff=pd.Timestamp(START + timedelta(days=day)))
        rows = rows.assign(score=1 / (1 + np.exp(-odds)), state="at_risk")
        return rows.assign(label=self.came[day + 1 : day + HORIZON + 1].any(axis=0).astype(float)) if labels else rows


def company(seed: int, *, customers: int = 300, rate: float = 0.08, shifted: int = 0, doubled: int = 0, factor: float = 2.0) -> Company:
    """Return a company; from night ``shifted`` on its main input is one standard deviation lower, from ``doubled`` on the rate is ``factor`` times itself."""
    dice = np.random.default_rng(seed)
    days = FIRST + NIGHTS + HORIZON + 1
    usual, now = dice.normal(size=(customers, len(FEATURES))) * 0.8, dice.normal(size=(customers, len(FEATURES))) * 0.6
    inputs = np.empty((days, customers, len(FEATURES)))
    for day in range(days):
        now = 0.95 * now + 0.6 * np.sqrt(1 - 0.95**2) * dice.normal(size=now.shape)
        # The firm as a whole has better and worse weeks.
        inputs[day] = usual + now + 0.05 * np.sin(2 * np.pi * day / 91)
    if shifted:
        inputs[FIRST + shifted :, :, 0] -= 1.0
    hazard = np.full((days, 1), -np.log(1 - rate) / HORIZON)
    if doubled:
        hazard[FIRST + doubled :] *= factor
    return Company(inputs, dice.random((days, customers)) < hazard, rate)


def nights(made: Company, first: int = 0, last: int = NIGHTS, step: int = 1) -> dict[int, list[Warned]]:
    """Return night -> its warnings, by the watch's own functions."""
    learned = pd.concat([made.frame(FIRST - HORIZON - 28 * n, labels=True) for n in range(12)], ignore_index=True)
    rates, found = tonight.outcome_rates(learned), {}
    for night in range(first, last, step):
        day = FIRST + night
        now = made.frame(day)
        monday = day - (START + timedelta(days=day)).weekday()
        past = pd.concat([made.frame(monday - 7 * n)[["customer_id", "cutoff", "score"]] for n in range(1, 13)], ignore_index=True)
        newest = tonight.outcome_rates(made.frame(day - HORIZON, labels=True))
        found[night] = [
            *tonight.chance_warnings("churn", past, now[["customer_id", "cutoff", "score"]]),
            *tonight.input_warnings("churn", learned, now, FEATURES),
            *tonight.rate_warnings("churn", rates, newest, HORIZON),
        ]
    return found

"""What the demo company's customers buy on top: add-ons, more seats, a higher plan; each with causes that can be seen.

Near the limit of the plan: a higher plan, or the capacity pack, that also when the busy season comes. Seats nearly used up:
more seats. A team that grows: training hours. Many tickets: priority support. A larger plan: the security pack. What others of the industry own,
too. All of it a little more often in good health.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prevenance.demo.company import Block
from prevenance.demo.world import ADDONS, DAY, END, HOUR, INDUSTRIES, PLANS, WEEK, World, column_moments, midnight, random_stream, seconds

OFFERS = (*ADDONS["product_id"], "more-seats", "higher-plan")
SEATS, PLAN = len(ADDONS), len(ADDONS) + 1
A_WEEK = np.array([0.0011, 0.0009, 0.0011, 0.0011, 0.0011, 0.0030, 0.0016])
"""How often each offer is taken in a week by a customer with no cause to."""
MOOD_OF_USE = 0.77
"""A point of health multiplies the quantity used by e to the power of this."""
NEAR = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.6])
BY_HEALTH = 0.25 + NEAR * MOOD_OF_USE
"""By the log of use over its limit, and by health itself, for each offer."""
FEWER_SEATS_A_WEEK = 0.0012
FIRST_DAYS = 60
QUANTITY_28D = 346.0
"""Expected quantity in 28 days of a customer of size 1."""
AHEAD = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0], dtype=bool)
"""Months before the busy season, January first."""


@dataclass(frozen=True)
class Growth:
    """``seats``, ``plan``: (N, W) as a week begins. ``changes``: who, at, seats, plan (as they are from then on). ``orders``: who, addon, at."""

    seats: np.ndarray
    plan: np.ndarray
    changes: pd.DataFrame
    orders: pd.DataFrame


def size_of(people: pd.DataFrame, team: np.ndarray) -> np.ndarray:
    """Return how much a customer does against others, about 1, of the shape of ``team``: by the people in the team and their appetite."""
    appetite = people["appetite"].to_numpy().reshape(-1, *[1] * (team.ndim - 1))
    return np.asarray((team / 0.72) ** 0.6 / 4.08 * appetite**0.6)


def affinity_scores() -> np.ndarray:
    """Return by how much more (log) each industry buys each add-on, (industries, add-ons): two of the five each."""
    number = np.arange(len(INDUSTRIES))[:, None]
    return np.where((np.arange(len(ADDONS))[None, :] + number) % 5 < 2, 0.9, -0.3)


def offer_rates(
    world: World, people: pd.DataFrame, team: np.ndarray, seats: np.ndarray, plan: np.ndarray, week: np.datetime64
) -> np.ndarray:
    """Return how often a week each customer takes each offer, (N, offers), health and ownership left out. All but the week are (N,)."""
    month = int(week.astype("datetime64[M]").astype(int) % 12)
    limit = PLANS["usage_limit"].to_numpy()[plan] * seats
    near = np.clip(np.log(QUANTITY_28D * size_of(people, team) / limit) - np.log(0.5), -2.0, 1.2)
    cause = near[:, None] * NEAR
    cause[:, :SEATS] += affinity_scores()[people["industry"].to_numpy()]
    cause[:, 1] += 1.2 * (world.given.season and AHEAD[month])
    cause[:, 2] += 1.5 * people["growth"].to_numpy()
    cause[:, 3] += 0.5 * np.log(people["trouble"].to_numpy() + 0.2)
    cause[:, 4] += 0.6 * (plan >= 1)
    cause[:, SEATS] += 3.0 * (np.minimum(team / seats, 1.3) - 0.75)
    rate = A_WEEK * np.exp(world.strength * cause)
    rate[:, PLAN] *= plan < len(PLANS) - 1
    return np.asarray(rate)


def growth_of(world: World, block: Block) -> Growth:
    """Return what the customers of a block buy, from ``FIRST_DAYS`` after their signup until the week in which they decide to leave."""
    rng, people, weeks = random_stream(world.given.seed, "growth", block.number), block.people, world.weeks
    seats, plan = people["seats"].to_numpy().copy(), people["plan_no"].to_numpy().copy()
    owned = np.zeros((len(people), len(ADDONS)), dtype=bool)
    turned, signup = column_moments(people, "turned"), column_moments(people, "signup")
    seats_then, plan_then, changes, orders = [], [], [], []
    for number, begin in enumerate(weeks):
        seats_then.append(seats.copy())
        plan_then.append(plan.copy())
        health = world.strength * block.health[:, number]
        rate = offer_rates(world, people, block.team[:, number], seats, plan, begin) * np.exp(BY_HEALTH * health[:, None])
        rate[:, :SEATS] *= ~owned
        open_ = (begin >= signup + FIRST_DAYS * DAY) & ~(turned < begin + WEEK)
        takes = (rng.random(rate.shape) < -np.expm1(-rate)) & open_[:, None]
        # nobody takes more and fewer seats in one week
        fewer = (rng.random(len(people)) < FEWER_SEATS_A_WEEK * np.exp(-0.8 * health)) & open_ & ~takes[:, SEATS] & (seats > 1)
        day = midnight(begin + seconds(rng.uniform(0, 7, rate.shape)))
        step = np.maximum(1, np.round(seats * rng.uniform(0.1, 0.35, len(people)))).astype(int)
        higher = takes[:, PLAN]
        sign = np.where(takes[:, SEATS], 1, np.where(fewer, -1, 0)) * ~higher
        seats, plan = np.maximum(seats + sign * step, 1), plan + higher
        moved = np.flatnonzero(higher | (sign != 0))
        at = np.where(higher, day[:, PLAN], day[:, SEATS])[moved] + 9 * HOUR
        changes.append(pd.DataFrame({"who": moved, "at": at, "seats": seats[moved], "plan": plan[moved]}))
        who, addon = np.nonzero(takes[:, :SEATS])
        owned |= takes[:, :SEATS]
        orders.append(pd.DataFrame({"who": who, "addon": addon, "at": day[who, addon]}))
    parts = [pd.concat(found, ignore_index=True) for found in (changes, orders)]
    return Growth(np.column_stack(seats_then), np.column_stack(plan_then), *(part[part["at"] < END] for part in parts))

"""The hidden truth of a block of customers: how each fares, week by week, and what was done about it.

Health is hidden. It drifts, takes shocks and recovers; what a company sees (logins, errors, tickets, late payments,
answers) follows it with noise, and notice follows weeks later.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prevenance.demo.switches import CONTACT_KINDS, Demo
from prevenance.demo.world import BLOCK, DAY, END, INDUSTRIES, MONTH_DAYS, PLANS, World, customer_totals, random_stream, seconds

HEALTH_MEMORY, HEALTH_STEP = 0.97, 0.2
SHOCKS_A_WEEK, SHOCK_SHAPE, SHOCK_SCALE = 0.008, 3.0, 0.75
CHAMPION_LEAVES_SHARE = 0.35
CONTACTS_A_WEEK = 0.05
CONTACT_OUTCOMES = {"reached": 0.55, "no answer": 0.15, "follow-up": 0.12, "": 0.18}
OUTBOUND = 0.75
WORKING_CONTACT = OUTBOUND * CONTACT_OUTCOMES["reached"] * (1 - CONTACT_KINDS["email"])
"""The share of contacts that change anything: we asked, not by e-mail, and reached somebody."""
CONTACT_WEEKS, SAVED, BETTER_ALONE = 8, 0.55, 1.6
"""For so many weeks such a contact multiplies the chance of leaving by ``SAVED``, or ``BETTER_ALONE`` of those better left alone."""


@dataclass(frozen=True)
class Block:
    """Customers ``first`` to ``first + N``. ``people``: one row each. ``health``: (N, W), about N(0, 1.2), it falls before anything else.

    ``now``: (N, W) the part of health that changes. ``team``: (N, W) people who would use the product. ``made``: (N, W) whether a contact that
    changes anything was made, and ``touched`` whether an earlier one still works.
    ``visible``: (N,) how much of health can be seen. ``contacts``: every contact, also those after an end.
    """

    number: int
    people: pd.DataFrame
    health: np.ndarray
    now: np.ndarray
    team: np.ndarray
    made: np.ndarray
    touched: np.ndarray
    visible: np.ndarray
    contacts: pd.DataFrame

    @property
    def first(self) -> int:
        """Return the number of the first customer."""
        return self.number * BLOCK


def block_of(world: World, number: int) -> Block:
    """Return a block of customers, nobody of whom has left yet."""
    given, weeks = world.given, world.weeks
    people, fit = _people(given, number)
    people, now = _health(people, len(weeks), given.seed, number)
    health = now + fit[:, None]
    contacts, made = _contacts(world, people, health, number)
    since = np.maximum(people["signup"].to_numpy().astype("datetime64[s]"), weeks[0])
    years = np.maximum((weeks[None, :] - since[:, None]) / DAY, 0) / 365
    team = (people["seats"] * people["rollout"]).to_numpy()[:, None] * np.exp(people["growth"].to_numpy()[:, None] * years)
    blind = given.bias & (people["segment"] == "mid").to_numpy()
    visible = np.where(blind, 0.0, given.signal)
    return Block(number, people.assign(fit=fit, blind=blind), health, now, team, made, still_working(made) > 0, visible, contacts)


def count_of(given: Demo, number: int) -> int:
    """Return how many customers a block has."""
    return max(0, min(BLOCK, customer_totals(given)[0] - number * BLOCK))


def _people(given: Demo, number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return customers and how well the product fits them: most are there when the history begins, others come all the time."""
    rng, total = random_stream(given.seed, "signups", number), count_of(given, number)
    old = np.arange(total) + number * BLOCK < customer_totals(given)[1]
    span = given.months * MONTH_DAYS
    begin = END - round(span) * DAY
    days = np.where(old, -np.clip(rng.exponential(500, total), 20, 1800), rng.uniform(0, span - 1, total))
    signup = begin + np.floor(days).astype(int) * DAY + rng.integers(8 * 3600, 18 * 3600, total).astype("timedelta64[s]")
    seats = np.clip(np.round(rng.lognormal(2.1, 0.9, total)), 2, 400).astype(int)
    plan = np.searchsorted(PLANS["seats_up_to"].to_numpy(), np.clip(seats * rng.lognormal(0, 0.35, total), 1, 99_999))
    frame = pd.DataFrame(
        {
            "signup": signup,
            "seats": seats,
            "segment": np.array(["small", "mid", "enterprise"], dtype=object)[np.searchsorted([10, 40], seats, side="right")],
            "industry": rng.integers(0, len(INDUSTRIES), total),
            "plan_no": plan,
            "monthly": rng.random(total) < 0.45,
            "appetite": rng.gamma(3.0, 1 / 3.0, total),
            "trouble": rng.gamma(1.3, 1 / 1.3, total),
            "adopted": rng.integers(2, 9, total),
            "rollout": rng.uniform(0.45, 1.0, total),
            "growth": rng.normal(0.1, 0.3, total),
        }
    )
    # small monthly customers are reminded by a call that they could leave: the uplift is negative by design
    return frame.assign(better_alone=frame["monthly"] & (seats < 8)), rng.normal(0.1, 0.45, total)


def _health(people: pd.DataFrame, weeks: int, seed: int, number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the customers with the week their champion left (or -1) and the changing part of their health in each week."""
    rng = random_stream(seed, "health", number)
    # thirty weeks to forget how everybody began
    total, warm = len(people), 30
    now, rows = rng.normal(0, 0.8, total), []
    champion = np.full(total, -1)
    for week in range(-warm, weeks):
        now, shock = health_step(now, rng)
        leaves = shock & (rng.random(total) < CHAMPION_LEAVES_SHARE)
        champion = np.where(leaves & (champion < 0) & (week >= 0), week, champion)
        rows.append(now)
    return people.assign(champion_left=champion), np.column_stack(rows[warm:])


def health_step(now: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the changing part of health a week later, and who took a shock."""
    shock = rng.random(now.shape) < SHOCKS_A_WEEK
    size = rng.gamma(SHOCK_SHAPE, SHOCK_SCALE, now.shape)
    return HEALTH_MEMORY * now + rng.normal(0, HEALTH_STEP, now.shape) - np.where(shock, size, 0.0), shock


def contact_rate(people: pd.DataFrame, health: np.ndarray, signal: float) -> np.ndarray:
    """Return the chance of a contact in a week: a little more for large customers and for those who fare badly."""
    size = (people["seats"].to_numpy()[:, None] / 12) ** 0.3
    return np.minimum(CONTACTS_A_WEEK * size * np.exp(-0.1 * signal * health), 0.5)


def _contacts(world: World, people: pd.DataFrame, health: np.ndarray, number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the contacts and in which weeks one was made that changes anything."""
    rng = random_stream(world.given.seed, "contacts", number)
    rate = contact_rate(people, health, world.given.signal)
    who, week = np.nonzero(rng.random(rate.shape) < rate)
    size = len(who)
    at = world.weeks[week] + rng.integers(1, 6, size) * DAY + (rng.uniform(9, 17, size) * 3600).astype("timedelta64[s]")
    frame = pd.DataFrame(
        {
            "who": who,
            "contacted_at": at,
            "direction": np.where(rng.random(size) < OUTBOUND, "out", "in"),
            "kind": rng.choice(list(CONTACT_KINDS), size, p=list(CONTACT_KINDS.values())),
            "outcome": rng.choice(list(CONTACT_OUTCOMES), size, p=list(CONTACT_OUTCOMES.values())),
            "logged_at": at + seconds(rng.uniform(300, 90_000, size) / 86_400),
        }
    )
    frame = frame[at >= people["signup"].to_numpy().astype("datetime64[s]")[who]].reset_index(drop=True)
    works = (frame["direction"] == "out") & (frame["outcome"] == "reached") & (frame["kind"] != "email")
    made = np.zeros(rate.shape, dtype=bool)
    held = frame[works]
    made[held["who"], np.searchsorted(world.weeks, held["contacted_at"].to_numpy().astype("datetime64[s]"), side="right") - 1] = True
    # the switch takes the effect away and leaves every contact where it was
    return frame, made & world.given.save_effect


def still_working(made: np.ndarray) -> np.ndarray:
    """Return for each week the sum of the ``CONTACT_WEEKS`` before it, (N, W)."""
    so_far = np.cumsum(np.pad(made, ((0, 0), (CONTACT_WEEKS + 1, 0))), axis=1)
    return np.asarray(so_far[:, CONTACT_WEEKS:-1] - so_far[:, : -CONTACT_WEEKS - 1])

"""What the simulated customers do in the product: logins, uses and errors, weeks at a time, all customers of a block at once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prevenance.demo.company import Block
from prevenance.demo.growth import Growth, size_of
from prevenance.demo.world import DAY, END, WEEK, World, column_moments, random_stream, shares_within

FEATURES = ("dashboards", "imports", "reports", "exports", "alerts", "api", "automation", "forecasts", "sso", "audit log")
PAID_FEATURES = (5, 8, 10)
"""How many of ``FEATURES`` each plan pays for."""

WEEKDAYS = np.array([1.0, 1.05, 1.0, 1.0, 0.85, 0.12, 0.1])
YEARLY = np.array([0.97, 1.02, 1.04, 1.0, 0.98, 0.97, 0.84, 0.68, 1.06, 1.07, 1.04, 0.8])
"""Use by calendar month, January first: August and the end of the year are quiet."""

LOGINS_A_WEEK, USES_A_WEEK, ERRORS_A_WEEK = 3.7, 2.6, 0.3
UNIT = 10
LATE_SHARE = 0.024
LOGGED_OF_BLIND = 0.3
DRIFT_LOGINS = 0.55


@dataclass(frozen=True)
class Events:
    """The product's log as codes, one entry per event: who, week, kind (index of ``EVENT_KINDS``), at, loaded, user, feature (-1: none), quantity, plan.

    ``errors``: (N, W), those that happened, logged or not.
    """

    who: np.ndarray
    kind: np.ndarray
    at: np.ndarray
    loaded: np.ndarray
    user: np.ndarray
    feature: np.ndarray
    quantity: np.ndarray
    plan: np.ndarray
    errors: np.ndarray


EVENT_KINDS = ("login", "use", "error")


def season_factors(moment: np.ndarray, world: World) -> np.ndarray:
    """Return the factor of the calendar month of each moment."""
    months = np.asarray(moment).astype("datetime64[M]").astype(int) % 12
    return YEARLY[months] if world.given.season else np.ones(months.shape)


def week_share(offset: np.ndarray) -> np.ndarray:
    """Return which share of a week's moments lies in its first ``offset`` days (0 to 7); weeks begin on the weekday of ``END``."""
    share = np.append(0.0, np.cumsum(_days()))
    return np.interp(offset, np.arange(8), share)


def _days() -> np.ndarray:
    first = (END.astype("datetime64[D]").astype(int) + 3) % 7
    share = np.roll(WEEKDAYS, -int(first))
    return np.asarray(share / share.sum())


def busy_moments(rng: np.random.Generator, weeks: np.ndarray) -> np.ndarray:
    """Return a moment in each of the given weeks: mostly working days and hours, a few at night."""
    number = len(weeks)
    day = np.searchsorted(np.cumsum(_days()), rng.random(number), side="right").clip(0, 6)
    hours = np.where(rng.random(number) < 0.96, rng.triangular(7.5, 10.5, 19.0, number), rng.uniform(0, 24, number))
    return weeks + day * DAY + (hours * 3600).astype("timedelta64[s]")


def error_rates(people: pd.DataFrame, size: np.ndarray, bugs: np.ndarray, felt: np.ndarray) -> np.ndarray:
    """Return the expected errors of a week; all but ``people`` broadcast to (N, W)."""
    return np.asarray(ERRORS_A_WEEK * size * bugs * np.exp(-0.22 * np.clip(felt, -4, 3)))


def presence_shares(world: World, people: pd.DataFrame) -> np.ndarray:
    """Return the share of each week in which each was a customer, (N, W)."""
    signup, ended = (column_moments(people, name)[:, None] for name in ("signup", "ended"))
    return shares_within(world.weeks[None, :], signup, np.fmin(ended, END))


def weekly_rates(world: World, block: Block) -> list[np.ndarray]:
    """Return expected logins, uses and errors of each customer in each week, (N, W) each, before chance."""
    rng, people = random_stream(world.given.seed, "intensity", block.number), block.people
    felt = block.visible[:, None] * block.health
    strength = np.minimum(block.visible, 1.0)[:, None]
    size = size_of(people, block.team)
    since = (world.weeks[None, :] - column_moments(people, "turned")[:, None]) / WEEK
    leaving = np.where(since > 0, np.maximum(0.15, 0.75 - 0.06 * np.nan_to_num(since)), 1.0) ** strength
    left = people["champion_left"].to_numpy()[:, None]
    orphaned = np.where((left >= 0) & (np.arange(len(world.weeks))[None, :] >= left), 0.6, 1.0) ** strength
    chance = rng.gamma(6.0, 1 / 6.0, block.health.shape)
    there = presence_shares(world, people)
    base = (
        size
        * season_factors(world.weeks + 3 * DAY, world)[None, :]
        * np.exp(np.clip(0.65 * felt, -3.0, 1.2))
        * leaving
        * orphaned
        * chance
        * there
    )
    drift = np.where(world.drifted, DRIFT_LOGINS, 1.0)
    uses = USES_A_WEEK * base * np.exp(np.clip(0.12 * felt, -1, 0.5))
    return [LOGINS_A_WEEK * base * drift, uses, error_rates(people, size, world.bugs[None, :], felt) * there]


def product_events(world: World, block: Block, grown: Growth) -> Events:
    """Return the product's log of a block, ordered by when it was loaded, cut off at the end of the history."""
    rng, people = random_stream(world.given.seed, "events", block.number), block.people
    counts = [rng.poisson(rate) for rate in weekly_rates(world, block)]
    whos, weeks = zip(*(np.nonzero(count) for count in counts), strict=True)
    times = [count[who, week] for count, who, week in zip(counts, whos, weeks, strict=True)]
    who, week = (np.concatenate([np.repeat(place, time) for place, time in zip(places, times, strict=True)]) for places in (whos, weeks))
    kind = np.repeat(np.arange(3, dtype=np.int8), [int(time.sum()) for time in times])
    ours = _logged(world, block, who)
    who, week, kind = who[ours], week[ours], kind[ours]
    at = busy_moments(rng, world.weeks[week])
    user, feature, plan = _details(rng, world, block, grown, who, week)
    quantity = np.where(kind == 1, rng.geometric(0.3, len(who)) * UNIT * world.thin, 1)
    loaded = at + _delays(world, block, len(at))
    shown = (at >= column_moments(people, "signup")[who]) & ~(at >= column_moments(people, "ended")[who]) & (loaded < END)
    order = np.flatnonzero(shown)
    order = order[np.argsort(loaded[order], kind="stable")]
    feature = np.where(kind == 0, -1, feature)
    columns = (values[order] for values in (who, kind, at, loaded, user, feature, quantity, plan))
    return Events(*columns, counts[2])  # type: ignore[call-arg]


def _logged(world: World, block: Block, who: np.ndarray) -> np.ndarray:
    """Return the positions of the events that are logged at all."""
    if world.thin == 1 and not world.given.bias:
        return np.arange(len(who))
    share = np.where(block.people["blind"].to_numpy(), LOGGED_OF_BLIND, 1.0)[who] / world.thin
    return np.flatnonzero(random_stream(world.given.seed, "logged", block.number).random(len(who)) < share)


def _delays(world: World, block: Block, number: int) -> np.ndarray:
    """Return how long after it happened each event is loaded: within 90 minutes, a few of them days."""
    rng = random_stream(world.given.seed, "delays", block.number)
    delay, late, days = rng.uniform(120, 5400, number), rng.random(number) < LATE_SHARE, rng.uniform(1, 9, number)
    # drawn for all, late or not, so that the switch changes these rows only
    return np.where(late & world.given.late, days * 86_400, delay).astype("timedelta64[s]")


def _details(
    rng: np.random.Generator, world: World, block: Block, grown: Growth, who: np.ndarray, week: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of each event the user's number, the feature and the plan."""
    people, number = block.people, len(who)
    felt = block.visible[who] * block.health[who, week]
    team = np.minimum(block.team[who, week], grown.seats[who, week])
    active = np.maximum(1, np.ceil(team / (1 + np.exp(-0.5 - 0.8 * felt))))
    user = np.floor(active * rng.random(number) ** 1.7).astype(int)
    left = people["champion_left"].to_numpy()[who]
    # the first user is the champion: once that one has left, nobody logs in as user 0
    user += (left >= 0) & (week >= left) & (user == 0) & (block.visible[who] > 0)
    plan = grown.plan[who, week]
    paid = np.array(PAID_FEATURES)[plan]
    reach = np.minimum(people["adopted"].to_numpy()[who] * np.exp(np.clip(0.15 * felt, -0.7, 0.3)), paid)
    feature = (np.floor(reach * rng.random(number) ** 1.4).astype(int) * 3 + who + block.first) % paid
    return user, feature, plan

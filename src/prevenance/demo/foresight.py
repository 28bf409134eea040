"""What can be foreseen of a customer of the demo company at a cutoff, by one who knows its health but not the future."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from prevenance.demo.company import CONTACT_WEEKS, HEALTH_MEMORY, WORKING_CONTACT, Block, contact_rate, health_step, still_working
from prevenance.demo.leaving import FELT_WEEKS, LEAVING_BY_HEALTH, base_rate, circumstance_factor, contact_factor
from prevenance.demo.world import World, column_moments, midnight, random_stream

WAYS = 65_536


@dataclass(frozen=True)
class Ahead:
    """K weeks from a cutoff on, the first being number ``week``, for n customers.

    ``det``: (n, K) the health foreseen, ``noise``: (K, paths) what may come on top, the same for all, and ``likely``: (paths,) how likely each
    path is; ``felt`` and ``felt_noise``: of the health that decisions to leave follow.
    """

    week: int
    weeks: np.ndarray
    det: np.ndarray
    felt: np.ndarray
    noise: np.ndarray
    felt_noise: np.ndarray
    likely: np.ndarray


@lru_cache
def paths_ahead(weeks: int, paths: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ways in which health may go on from a week on, (weeks, paths), and how likely each is, (paths,).

    They stand for ``WAYS`` that are drawn: sorted by the hazard they add up to, taken at even steps of their number and of the root of their
    hazard. A shock is rare and changes a chance by a factor, so a few hundred drawn at random are off by a tenth, for every company alike.
    """
    # seed 0 always: the oracle's luck must not depend on the company's
    rng, now = random_stream(0, "ahead"), np.zeros(WAYS)
    drawn = [now]
    for _ in range(1, weeks):
        now, _ = health_step(now, rng)
        drawn.append(now)
    path = np.array(drawn)
    hazard = np.exp(-LEAVING_BY_HEALTH * path).sum(axis=0)
    order = np.argsort(hazard, kind="stable")
    root = np.sqrt(hazard[order])
    density = 0.5 / WAYS + 0.5 * root / root.sum()
    taken = np.searchsorted(np.cumsum(density), (np.arange(paths) + 0.5) / paths)
    likely = 1 / density[taken]
    return path[:, order[taken]], likely / likely.sum()


def foresee_health(world: World, block: Block, rows: np.ndarray, cutoff: np.datetime64, days: int, paths: int) -> Ahead:
    """Return what can be foreseen of the health of some customers from a cutoff on."""
    week = int(np.searchsorted(world.weeks, cutoff, side="right")) - 1
    number = min(days // 7 + 2, len(world.weeks) - week)
    path, likely = paths_ahead(number, paths)
    to_come = np.arange(number)
    det = block.people["fit"].to_numpy()[rows, None] + block.now[rows, week, None] * HEALTH_MEMORY**to_come
    first, last = FELT_WEEKS
    known = np.pad(block.health[rows], ((0, 0), (first, 0)), mode="edge")[:, week : week + first]
    whole, moved = np.hstack([known, det]), np.vstack([np.zeros((first, paths)), path])
    backs = range(first - last + 1)
    felt = np.mean([whole[:, back : back + number] for back in backs], axis=0)
    felt_noise = np.mean([moved[back : back + number] for back in backs], axis=0)
    return Ahead(week, world.weeks[week : week + number], det, felt, path, felt_noise, likely)


def customers_at_risk(block: Block, cutoff: np.datetime64) -> np.ndarray:
    """Return the customers with a contract that is neither over nor under notice."""
    people = block.people
    begun = midnight(column_moments(people, "signup")) <= cutoff
    return np.flatnonzero(begun & ~(column_moments(people, "notice") <= cutoff) & ~(column_moments(people, "ended") <= cutoff))


def leaving_rates(world: World, block: Block, rows: np.ndarray, view: Ahead, contact: bool | None = None) -> np.ndarray:
    """Return the foreseen hazard of leaving, (n, K), at no further noise of health.

    Contacts made and to come count by their chance; or, asked what one does (``contact``), there is none but one in the cutoff's week, or none.
    """
    people = block.people.iloc[rows]
    number = len(view.weeks)
    base = base_rate(world)[view.week : view.week + number]
    factor = contact_factor(people)
    if contact is not None:
        lasting, save = np.arange(number)[None, :] * contact > 0, 0.0
        lasting &= np.arange(number) <= CONTACT_WEEKS
    else:
        lasting, save = _still_touched(block, rows, view.week, number), float(world.given.save_effect)
    rate = contact_rate(people, view.det, world.given.signal) * WORKING_CONTACT * save
    coming = 1 - np.exp(-still_working(rate))
    expected = np.where(lasting, factor, 1 + coming * (factor - 1))
    by_health = np.exp(-LEAVING_BY_HEALTH * world.strength * view.felt)
    return np.asarray(base * circumstance_factor(people, view.weeks, world.strength) * expected * by_health)


def leaving_noise(world: World, view: Ahead) -> np.ndarray:
    """Return by how much what may come multiplies the hazard of leaving, (K, paths)."""
    return np.asarray(np.exp(-LEAVING_BY_HEALTH * world.strength * view.felt_noise))


def _still_touched(block: Block, rows: np.ndarray, week: int, number: int) -> np.ndarray:
    """Return in which weeks to come a contact made before the cutoff's week still works: it stops where ``touched`` of the past runs out."""
    past = block.made[rows, max(0, week - CONTACT_WEEKS) : week]
    # the newest contact counts, as it works the longest
    age = np.where(past.any(axis=1), np.argmax(past[:, ::-1], axis=1) + 1, CONTACT_WEEKS + 1)
    return np.asarray(age[:, None] + np.arange(number) <= CONTACT_WEEKS)

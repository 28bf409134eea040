"""Who leaves the demo company, and when: a hazard that follows health, and one draw per customer.

A customer decides when the hazard added up over its weeks reaches a number drawn for it. So the chance of every outcome is
known exactly, and one factor on the hazard makes as many leave as asked.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.demo.company import BETTER_ALONE, SAVED, Block, block_of
from prevenance.demo.switches import Demo
from prevenance.demo.world import DAY, END, MONTH_DAYS, MONTHLY_CHURN, NEVER, WEEK, World, column_moments, midnight, random_stream, seconds

LEAVING_BY_HEALTH = 1.5
FELT_WEEKS = (7, 3)
"""A decision follows the mean health from so many to so many weeks before, so that use falls first."""
RENEWAL_WINDOW_DAYS, IN_WINDOW, OUTSIDE = (25, 100), 3.2, 0.3
FIRST_DAYS = 45
SILENT_SHARE, SILENT_DAYS = 0.12, (14, 45)
DRIFT_LEAVING = 1.4


def renewal_after(signup: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Return the first yearly renewal (365 days) of a contract begun at ``signup`` that lies after ``moment``."""
    years = np.maximum((moment - signup) // (365 * DAY) + 1, 1)
    return signup + years * 365 * DAY


def felt_health(health: np.ndarray) -> np.ndarray:
    """Return the health that a decision in each week follows, (N, W)."""
    first, last = FELT_WEEKS
    padded = np.pad(health, ((0, 0), (first, 0)), mode="edge")
    return np.mean([padded[:, back : back + health.shape[1]] for back in range(first - last + 1)], axis=0)


def circumstance_factor(people: pd.DataFrame, weeks: np.ndarray, strength: float) -> np.ndarray:
    """Return what else than health raises or lowers the hazard and can be foreseen: the renewal, and the first weeks; (N, W)."""
    signup = column_moments(people, "signup")[:, None]
    to_renewal = (renewal_after(signup, weeks[None, :]) - weeks[None, :]) / DAY
    near = (to_renewal >= RENEWAL_WINDOW_DAYS[0]) & (to_renewal <= RENEWAL_WINDOW_DAYS[1])
    season = np.where(people["monthly"].to_numpy()[:, None], 1.0, np.where(near, IN_WINDOW, OUTSIDE)) ** strength
    return season * (weeks[None, :] >= signup + FIRST_DAYS * DAY)


def contact_factor(people: pd.DataFrame) -> np.ndarray:
    """Return by how much a contact multiplies the hazard, (N, 1)."""
    return np.where(people["better_alone"], BETTER_ALONE, SAVED)[:, None]


def base_rate(world: World) -> np.ndarray:
    """Return the hazard of weight 1 in each week of this company, (W,), drift included."""
    return np.asarray(world.scale * world.base * np.where(world.drifted, DRIFT_LEAVING, 1.0))


def hazard(world: World, block: Block) -> np.ndarray:
    """Return the hazard of each customer in each week, (N, W); a week without base has none."""
    by_health = np.exp(-LEAVING_BY_HEALTH * world.strength * felt_health(block.health))
    contacts = np.where(block.touched, contact_factor(block.people), 1.0)
    return base_rate(world) * by_health * contacts * circumstance_factor(block.people, world.weeks, world.strength)


def base_hazard(world: World) -> np.ndarray:
    """Return the hazard of weight 1 in each week, (W,), so that about ``MONTHLY_CHURN`` leave a month.

    Counted on an undisturbed company of a fixed size and seed, weighing everybody by the chance still to be there, because those
    are the healthier ones. So the truth depends on nobody's luck.
    """
    given = Demo(customers=2_500, months=world.given.months, seed=0, signal=world.given.signal, save_effect=False)
    pilot = replace(world, given=given, base=np.ones(len(world.weeks)), scale=1.0)
    weight = hazard(pilot, block_of(pilot, 0))
    there, base = np.ones(len(weight)), np.zeros(len(world.weeks))
    for week in range(len(base)):
        open_ = there * (weight[:, week] > 0)
        if open_.sum() > 0:
            base[week] = MONTHLY_CHURN * 7 / MONTH_DAYS * open_.sum() / (open_ * weight[:, week]).sum()
        there = there * np.exp(-base[week] * weight[:, week])
    return base


def _draws(world: World, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what each customer's added-up hazard must reach, who would leave without a word, and how many days after deciding."""
    rng, size = random_stream(world.given.seed, "leaving", block.number), len(block.people)
    return rng.exponential(1.0, size), rng.random(size) < SILENT_SHARE, rng.integers(*SILENT_DAYS, size)


def with_leaving(world: World, block: Block, rates: np.ndarray | None = None) -> Block:
    """Return the block with ``turned`` (decided), ``notice`` (told us), ``leaves_on`` (planned end) and ``ended``; NaT where not.

    ``rates``: the hazard, (N, W), where it is another one than the block's own.
    """
    people, rates = block.people, hazard(world, block) if rates is None else rates
    needed, silent, delay = _draws(world, block)
    so_far = np.cumsum(rates, axis=1)
    decides = so_far[:, -1] >= needed
    week = np.where(decides, np.argmax(so_far >= needed[:, None], axis=1), 0)
    row = np.arange(len(people))
    share = 1 - (so_far[row, week] - needed) / np.where(decides, rates[row, week], 1.0)
    moment = np.where(decides, world.weeks[week] + seconds(np.clip(np.where(decides, share, 0), 0, 0.999_99) * 7), NEVER)
    yearly_end = renewal_after(column_moments(people, "signup"), np.where(decides, moment, column_moments(people, "signup")))
    leaves = midnight(np.where(silent | people["monthly"].to_numpy(), moment + delay * DAY, yearly_end))
    # who leaves in silence after the end of the history has not left yet, and nobody could know
    leaves = np.where(~decides | (silent & (leaves >= END)), NEVER, leaves)
    ended = np.where(leaves < END, leaves, NEVER)
    people = people.assign(turned=moment, silent=silent, notice=np.where(silent, NEVER, moment), leaves_on=leaves, ended=ended)
    return replace(block, people=people)


def outcome_moments(people: pd.DataFrame) -> np.ndarray:
    """Return when each leaver's outcome came (notice, or the end of those who gave none); NaT for all others."""
    notice = column_moments(people, "notice")
    return np.where(np.isnat(notice), column_moments(people, "ended"), notice)


def leavers(people: pd.DataFrame) -> np.ndarray:
    """Return who gave notice, or ended without a word, within the history."""
    return ~np.isnat(outcome_moments(people))


def hazard_scale(world: World, blocks: int) -> float:
    """Return the factor on the hazard with which exactly ``churners`` leave (1.0 where none is asked for).

    Raises:
        PrevenanceError: E202 when fewer customers than that are there long enough.
    """
    wanted = world.given.churners
    if wanted is None:
        return 1.0
    # a smaller factor on the hazard makes fewer reach their number: sorted, the wanted count is a place between two
    needed = []
    for number in range(blocks):
        block = block_of(world, number)
        draws, silent, delay = _draws(world, block)
        so_far = np.pad(np.cumsum(hazard(world, block), axis=1), ((0, 0), (1, 0)))
        seen_until = END - np.where(silent, delay, 0) * DAY
        place = np.clip((seen_until - world.weeks[0]) / WEEK, 0, len(world.weeks))
        low = np.minimum(place.astype(int), len(world.weeks) - 1)
        row = np.arange(len(draws))
        reached = so_far[row, low] + (so_far[row, low + 1] - so_far[row, low]) * (place - low)
        needed.append(np.where(reached > 0, draws / np.where(reached > 0, reached, 1.0), np.inf))
    ratios = np.sort(np.concatenate(needed))
    possible = int(np.isfinite(ratios).sum())
    if wanted > possible:
        what, fix = f"{wanted} cannot leave, {possible} are there long enough", f"give at most {possible}, or more demo.months"
        raise PrevenanceError("E202", what, key="demo.churners", fix=fix)
    low = ratios[wanted - 1] if wanted else 0.0
    high = ratios[wanted] if wanted < possible else 3 * low
    return float(low + high) / 2 if possible else 1.0

"""A simulated company whose causes are known: how its customers fare, week by week, and when they leave.

Health is hidden. It drifts, takes shocks and recovers; what a company sees (logins, errors, tickets, late payments,
answers) follows it with noise, and notice follows weeks later. ``signal`` scales everything that could be learned:
1 is a plausible company, 0 one in which nothing that is seen tells who leaves. Times here are local (Europe/Paris).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

END = np.datetime64("2026-10-01T00:00:00", "s")
DAY = np.timedelta64(86_400, "s")
HOUR = np.timedelta64(3_600, "s")
NEVER = np.datetime64("NaT", "s")
MONTH_DAYS = 30.4375

MONTHLY_CHURN = 0.025
HEALTH_MEMORY = 0.97
SHOCKS_A_WEEK = 0.008
LEAVING_BY_HEALTH = 1.5
RENEWAL_WINDOW_DAYS = (25, 100)
CHAMPION_LEAVES_SHARE = 0.35
SILENT_EXIT_SHARE = 0.12

PLANS = pd.DataFrame(
    {
        "plan": ["starter", "team", "business"],
        "product_id": ["P-10", "P-20", "P-30"],
        "price": [19.0, 32.0, 49.0],
        "seats_up_to": [8, 30, 100_000],
    }
)


@dataclass(frozen=True)
class Company:
    """The hidden truth. N customers, W weeks.

    ``weeks``: (W,) first second of each week. ``customers``: one row each: signup, seats, plan_no, monthly, notice,
    leaves_on, ended, champion_left (week or -1), upgraded, seats_changed, seats_later, addon_from, appetite, ....
    ``health``: (N, W), about N(0, 1.2), it falls before anything else.
    ``present``: (N, W) share of the week in which the customer was one. ``bugs``: (W,) error factor of the releases.
    """

    weeks: np.ndarray
    customers: pd.DataFrame
    health: np.ndarray
    present: np.ndarray
    bugs: np.ndarray
    releases: pd.DataFrame
    signal: float


def stream(seed: int, part: str) -> np.random.Generator:
    """Return the random numbers of one part, so that a change in one file leaves the others as they are."""
    return np.random.default_rng([seed, *part.encode()])


def simulate(customers: int, months: int, seed: int, signal: float) -> Company:
    """Return a company of about ``customers`` at any time over ``months`` up to ``END``."""
    weeks = _weeks(months)
    people = _signups(customers, months, seed)
    people, health = _health(people, len(weeks), seed)
    releases, bugs = _releases(weeks, seed)
    people = _leaving(people, health, weeks, seed, signal)
    people = _growth(people, health, weeks, seed, signal)
    gone = people["ended"].fillna(END).to_numpy().astype("datetime64[s]")
    opens = np.maximum(weeks[None, :], people["signup"].to_numpy().astype("datetime64[s]")[:, None])
    closes = np.minimum((weeks + 7 * DAY)[None, :], gone[:, None])
    present = np.clip((closes - opens) / (7 * DAY), 0, 1)
    return Company(weeks, people, health, present, bugs, releases, signal)


def _weeks(months: int) -> np.ndarray:
    number = max(8, int(np.ceil(months * MONTH_DAYS / 7)))
    return END - np.arange(number, 0, -1) * 7 * DAY


def _signups(customers: int, months: int, seed: int) -> pd.DataFrame:
    """Return the customers in order of their signup: most are there when the history begins, others come all the time."""
    rng = stream(seed, "signups")
    there = max(1, round(0.9 * customers))
    total = there + round(customers * (0.05 + 0.75 * MONTHLY_CHURN * months))
    span = months * MONTH_DAYS
    before = -np.clip(rng.exponential(500, there), 20, 1800)
    days = np.sort(np.concatenate([before, rng.uniform(0, span - 1, total - there)]))
    begin = END - round(span) * DAY
    signup = begin + np.floor(days).astype(int) * DAY + rng.integers(8 * 3600, 18 * 3600, total).astype("timedelta64[s]")
    seats = np.clip(np.round(rng.lognormal(2.1, 0.9, total)), 2, 400).astype(int)
    plan = np.searchsorted(PLANS["seats_up_to"].to_numpy(), np.clip(seats * rng.lognormal(0, 0.35, total), 1, 99_999))
    return pd.DataFrame(
        {
            "signup": signup,
            "seats": seats,
            "plan_no": plan,
            "monthly": rng.random(total) < 0.45,
            "appetite": rng.gamma(3.0, 1 / 3.0, total),
            "trouble": rng.gamma(1.3, 1 / 1.3, total),
            "adopted": rng.integers(2, 9, total),
            "rollout": rng.uniform(0.45, 1.0, total),
        }
    )


def _health(people: pd.DataFrame, weeks: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the customers with the week their champion left (or -1) and the health of each in each week."""
    rng = stream(seed, "health")
    total, warm = len(people), 30
    fit = rng.normal(0.1, 0.45, total)
    now, rows = rng.normal(0, 0.8, total), []
    champion = np.full(total, -1)
    for week in range(-warm, weeks):
        shock = rng.random(total) < SHOCKS_A_WEEK
        size = rng.gamma(3.0, 0.75, total)
        leaves = shock & (rng.random(total) < CHAMPION_LEAVES_SHARE)
        champion = np.where(leaves & (champion < 0) & (week >= 0), week, champion)
        now = HEALTH_MEMORY * now + rng.normal(0, 0.2, total) - np.where(shock, size, 0.0)
        rows.append(now + fit)
    return people.assign(champion_left=champion), np.column_stack(rows[warm:])


def _releases(weeks: np.ndarray, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the releases (one product each, about every five weeks) and the error factor of each week."""
    rng = stream(seed, "releases")
    at = np.arange(2, len(weeks), 5)
    bad = rng.random(len(at)) < 0.3
    bugs = np.ones(len(weeks))
    for start, factor in zip(at, np.where(bad, 2.6, 1.15), strict=True):
        bugs[start : start + 2] *= factor
    product = PLANS["product_id"].to_numpy()[np.arange(len(at)) % len(PLANS)]
    version = [f"{4 + number // 12}.{number % 12}" for number in range(len(at))]
    return pd.DataFrame({"product_id": product, "version": version, "released_at": weeks[at] + 5 * DAY + 6 * HOUR}), bugs


def renewal_after(signup: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Return the first yearly renewal (365 days) of a contract begun at ``signup`` that lies after ``moment``."""
    years = np.maximum((moment - signup) // (365 * DAY) + 1, 1)
    return signup + years * 365 * DAY


def _leaving(people: pd.DataFrame, health: np.ndarray, weeks: np.ndarray, seed: int, signal: float) -> pd.DataFrame:
    """Return the customers with ``notice`` (told us), ``leaves_on`` (planned end) and ``ended``; NaT where not.

    The weekly chance follows the health of about two months before, so that use falls first; yearly contracts are
    mostly given up in the weeks before their renewal.
    """
    rng = stream(seed, "leaving")
    signup = people["signup"].to_numpy().astype("datetime64[s]")
    padded = np.pad(health, ((0, 0), (7, 0)), mode="edge")
    felt = np.mean([padded[:, back : back + health.shape[1]] for back in range(5)], axis=0)
    to_renewal = (renewal_after(signup[:, None], weeks[None, :]) - weeks[None, :]) / DAY
    near = (to_renewal >= RENEWAL_WINDOW_DAYS[0]) & (to_renewal <= RENEWAL_WINDOW_DAYS[1])
    season = np.where(people["monthly"].to_numpy()[:, None], 1.0, np.where(near, 3.2, 0.3)) ** min(signal, 1.0)
    weight = np.exp(-LEAVING_BY_HEALTH * felt) * season
    week = _first_leaving(weight, weeks[None, :] >= signup[:, None] + 45 * DAY, rng)
    moment = np.where(week >= 0, weeks[week] + rng.integers(0, 5 * 86_400, len(people)).astype("timedelta64[s]"), NEVER)
    silent = rng.random(len(people)) < SILENT_EXIT_SHARE
    yearly_end = renewal_after(signup, np.where(np.isnat(moment), signup, moment))
    soon = moment + (rng.integers(14, 45, len(people)) * DAY)
    leaves = np.where(silent | people["monthly"].to_numpy(), soon, yearly_end).astype("datetime64[D]").astype("datetime64[s]")
    leaves = np.where(np.isnat(moment) | (silent & (leaves >= END)), NEVER, leaves)
    notice = np.where(silent | (moment >= END), NEVER, moment)
    return people.assign(notice=notice, leaves_on=leaves, ended=np.where(leaves < END, leaves, NEVER), turned=moment)


def _first_leaving(weight: np.ndarray, customer: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the week in which each customer decides to leave, or -1.

    ``weight``: (N, W) relative chance; ``customer``: (N, W). Scaled among those still there, because they are the
    healthier ones: so the company loses about ``MONTHLY_CHURN`` a month whatever the seed.
    """
    week = np.full(len(weight), -1)
    draws = rng.random(weight.shape)
    for number in range(weight.shape[1]):
        there = customer[:, number] & (week < 0)
        if there.any():
            chance = weight[:, number] / weight[there, number].mean() * MONTHLY_CHURN * 7 / MONTH_DAYS
            week[there & (draws[:, number] < np.minimum(chance, 0.25))] = number
    return week


def _growth(people: pd.DataFrame, health: np.ndarray, weeks: np.ndarray, seed: int, signal: float) -> pd.DataFrame:
    """Return the customers with at most one change each in the time seen: a higher plan or other seats; and an add-on."""
    rng = stream(seed, "growth")
    total = len(people)
    signup = people["signup"].to_numpy().astype("datetime64[s]")
    last = np.minimum(people["turned"].fillna(END).to_numpy().astype("datetime64[s]"), END) - 10 * DAY
    first = np.maximum(signup + 60 * DAY, weeks[0])
    room = np.maximum((last - first) / DAY, 0)
    moment = first + (rng.random(total) * room * 86_400).astype("timedelta64[s]")
    week = np.clip(np.searchsorted(weeks, moment, side="right") - 1, 0, len(weeks) - 1)
    felt = signal * health[np.arange(total), week]
    upgrades = (room > 0) & (people["plan_no"].to_numpy() < 2) & (rng.random(total) < 0.11 * np.exp(0.4 * np.clip(felt, -2, 2)))
    changes = (room > 0) & ~upgrades & (rng.random(total) < 0.4)
    seats = people["seats"].to_numpy()
    step = np.where(felt + rng.normal(0, 1, total) > -0.4, 1, -1) * np.maximum(1, np.round(seats * rng.uniform(0.1, 0.35, total)))
    midnight = moment.astype("datetime64[D]").astype("datetime64[s]")
    addon = signup + (rng.uniform(60, 700, total) * 86_400).astype("timedelta64[s]")
    buys = (addon < last) & (rng.random(total) < 0.3 * np.exp(0.3 * np.clip(felt, -2, 2)))
    return people.assign(
        upgraded=np.where(upgrades, midnight, NEVER),
        seats_changed=np.where(changes, midnight + 9 * HOUR, NEVER),
        seats_later=np.where(changes, np.maximum(seats + step, 1), seats).astype(int),
        addon_from=np.where(buys, addon.astype("datetime64[D]").astype("datetime64[s]"), NEVER),
    )

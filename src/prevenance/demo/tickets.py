"""The demo company's help desk: what customers ask, and the way of each ticket through queues, hand-offs, questions back and reopenings.

Agents work from 8 to 18 on working days, so every wait is one of working hours. Tickets start in the queue of their channel and category;
what needs more goes on to the second line or to engineering, which is the bottleneck where one is planted.
"""

import numpy as np
import pandas as pd

from prevenance.demo.activity import busy_moments, season_factors
from prevenance.demo.company import Block
from prevenance.demo.desk import after_working_hours, agents, desk_moments
from prevenance.demo.plants import LOST, planted_moments, trouble_openings
from prevenance.demo.world import DAY, END, NEVER, PLANS, World, column_moments, random_stream

TROUBLE, OWN_STREAM = "trouble", 1_000_000
TICKETS_A_WEEK = 0.055
BY_HEALTH, BY_ERROR, WHEN_YOUNG, YOUNG_DAYS = 0.3, 0.5, 1.2, 60
BOTTLENECK, BOTTLENECK_FACTOR = "engineering", 6.0
SUBJECTS = {
    "account": ("Cannot {}", ("sign in", "reset a password", "change a role", "find a colleague"), "first line", 0.2),
    "billing": ("Question about {}", ("an invoice", "the number of seats", "the payment date", "a credit note"), "billing", 0.18),
    "bug": ("Error when I {}", ("import a file", "open a dashboard", "save a report", "call the api"), "first line", 0.1),
    "how-to": ("How do I {}?", ("share a report", "invite a colleague", "schedule an export", "set an alert"), "first line", 0.34),
    "integration": ("Connection to {} fails", ("the CRM", "the data warehouse", "single sign-on", "the mail server"), "second line", 0.18),
}
CATEGORIES = tuple(SUBJECTS)
NEXT_QUEUE = {
    "bug": ("engineering", 0.65),
    "integration": ("engineering", 0.4),
    "account": ("second line", 0.2),
    "how-to": ("second line", 0.1),
}
"""Where a ticket is handed on to, and how often."""


def ticket_rate(
    people: pd.DataFrame, size: np.ndarray, felt: np.ndarray, signal: np.ndarray, young: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tickets expected in a week without errors, and those that each error adds; of the shape of ``felt``."""
    trouble = people["trouble"].to_numpy()[:, None] ** np.minimum(signal, 1.0)
    rate = TICKETS_A_WEEK * size * trouble * np.exp(-BY_HEALTH * np.clip(felt, -3.5, 3))
    return rate * (1 + signal * WHEN_YOUNG * young), rate * signal * BY_ERROR


def ticket_size(people: pd.DataFrame) -> np.ndarray:
    """Return how many tickets a customer of so many seats opens against others, (N, 1)."""
    return (people["seats"].to_numpy()[:, None] / 12.2) ** 0.35


def young_in(people: pd.DataFrame, weeks: np.ndarray) -> np.ndarray:
    """Return who is new in which week, (N, W)."""
    return np.asarray((weeks[None, :] - column_moments(people, "signup")[:, None]) / DAY < YOUNG_DAYS)


def ticket_rows(world: World, block: Block, errors: np.ndarray, present: np.ndarray) -> pd.DataFrame:
    """Return one row per ticket of a block: who, what it is about and when each change came, cut off at the end of the history."""
    rng, people = random_stream(world.given.seed, "tickets", block.number), block.people
    signal = block.visible[:, None]
    felt = signal * block.health
    recent = 0.5 * errors + np.pad(errors, ((0, 0), (1, 0)))[:, :-1]
    plain, by_error = ticket_rate(people, ticket_size(people), felt, signal, young_in(people, world.weeks))
    counts = rng.poisson((plain + by_error * recent) * present * np.sqrt(season_factors(world.weeks, world))[None, :])
    who, week = np.nonzero(counts)
    times = counts[who, week]
    who, week = np.repeat(who, times), np.repeat(week, times)
    opened = busy_moments(rng, world.weeks[week])
    inside = (opened >= column_moments(people, "signup")[who]) & ~(opened >= column_moments(people, "ended")[who])
    who, week, opened = who[inside], week[inside], opened[inside]
    young = young_in(people, world.weeks)[who, week]
    category = np.where(rng.random(len(who)) < np.where(recent[who, week] > 0, 0.5, 0.1), CATEGORIES.index("bug"), -1)
    category = np.where((category < 0) & young & (rng.random(len(who)) < 0.7), CATEGORIES.index("how-to"), category)
    drawn = rng.choice(len(CATEGORIES), len(who), p=[words[3] for words in SUBJECTS.values()])
    category = np.where(category < 0, drawn, category)
    frame = _lifecycle(world, block.number, opened, felt[who, week], category)
    frame.insert(0, "who", who)
    frame["product_id"] = PLANS["product_id"].to_numpy()[people["plan_no"].to_numpy()[who]]
    if TROUBLE in world.given.plants:
        frame = pd.concat([frame, _trouble_rows(world, block, felt)], ignore_index=True)
    return frame[frame["logged_at"] < END].sort_values(["opened_at", "who"], kind="stable", ignore_index=True)


def _trouble_rows(world: World, block: Block, felt: np.ndarray) -> pd.DataFrame:
    """Return the tickets of the newest release's trouble, as ``ticket_rows`` does."""
    who, opened = trouble_openings(world, block)
    # a number that no block has: their random numbers are their own
    rows = _lifecycle(world, block.number + OWN_STREAM, opened, felt[who, -1], np.full(len(who), CATEGORIES.index("bug")))
    rows.insert(0, "who", who)
    product = PLANS["product_id"].to_numpy()[block.people["plan_no"].to_numpy()[who]]
    return rows.assign(product_id=product, **{f"{LOST}{TROUBLE}": 0.0})


def _lifecycle(world: World, number: int, opened: np.ndarray, felt: np.ndarray, category: np.ndarray) -> pd.DataFrame:
    """Return what happens to each ticket after it is opened; what lies after the end of history has not happened yet."""
    rng, size = random_stream(world.given.seed, "lifecycle", number), len(opened)
    channel = rng.choice(["portal", "email", "phone", "chat"], size, p=[0.42, 0.33, 0.15, 0.1])
    severe = rng.normal(0, 1, size) - 0.3 * felt
    logged = opened + np.where(channel == "phone", rng.uniform(600, 60_000, size), rng.uniform(5, 240, size)).astype("timedelta64[s]")
    path = _path(rng, world, logged, felt, severe, category)
    queue = np.array([words[2] for words in SUBJECTS.values()], dtype=object)[category]
    lost = planted_moments(world, number, path, np.array(CATEGORIES, dtype=object)[category], queue)
    approvals = {name: path.pop(name) for name in ("approval_asked_at", "approval_given_at") if name in path}
    rated = path["closed_at"] + (20 * 3600 * rng.lognormal(0, 0.9, size)).astype("timedelta64[s]")
    path["rated_at"] = np.where(rng.random(size) < 0.42, rated, NEVER)
    csat = np.clip(np.round(3.9 + 0.45 * felt - 0.4 * ~np.isnat(path["reopened_at"]) + rng.normal(0, 0.9, size)), 1, 5)
    texts = np.array([[form.format(word) for word in words] for form, words, _, _ in SUBJECTS.values()], dtype=object)
    frame = pd.DataFrame({"opened_at": opened, "logged_at": logged, **path})
    frame = frame.where(frame < END)
    frame["csat"] = pd.Series(csat).where(frame["rated_at"].notna()).astype("Int64")
    frame["category"] = np.array(CATEGORIES, dtype=object)[category]
    frame["priority"] = np.array(["low", "normal", "high", "urgent"], dtype=object)[np.searchsorted([-0.7, 0.7, 1.6], severe)]
    frame["channel"] = channel
    frame["queue"] = queue
    frame["transferred_to"] = pd.Series(_next_queues(category)[0].astype(object)).where(frame["transferred_at"].notna(), None)
    frame["subject"] = texts[category, rng.integers(0, 4, size)]
    desk = pd.DataFrame(desk_moments(world, number, path | approvals, frame["category"].to_numpy()))
    frame = pd.concat([frame, desk.where(desk < END), pd.DataFrame(lost)], axis=1)
    return pd.concat([frame, agents(world, number, frame)], axis=1)


def _next_queues(category: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each ticket the queue that it may be handed on to, and how often it is."""
    queues, shares = zip(*(NEXT_QUEUE.get(name, ("", 0.0)) for name in CATEGORIES), strict=True)
    return np.array(queues)[category], np.array(shares)[category]


def _path(
    rng: np.random.Generator, world: World, logged: np.ndarray, felt: np.ndarray, severe: np.ndarray, category: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the moment of each change, NaT where it never comes: every share is drawn for all tickets, so that one switch moves no other."""
    size = len(logged)

    def after(start: np.ndarray, hours: float | np.ndarray, share: float | np.ndarray = 1.0, spread: float = 0.9) -> np.ndarray:
        wait, happens = hours * rng.lognormal(0, spread, size), (rng.random(size) < share) & ~np.isnat(start)
        return np.where(happens, after_working_hours(np.where(happens, start, END), wait), NEVER)

    def latest(*changes: str) -> np.ndarray:
        return np.fmax.reduce([at[change] for change in changes])

    queue, handed_on = _next_queues(category)
    slow = np.where((queue == BOTTLENECK) & world.given.bottleneck, BOTTLENECK_FACTOR, 1.0)
    at = {"assigned_at": after(logged, 1.0)}
    at["first_reply_at"] = after(at["assigned_at"], 2.0)
    at["waiting_since"] = after(at["first_reply_at"], 0.5, 0.35)
    at["answered_at"] = after(at["waiting_since"], 6.0)
    at["waiting_again_since"] = after(at["answered_at"], 1.0, 0.3)
    at["answered_again_at"] = after(at["waiting_again_since"], 6.0)
    last_answer = latest("first_reply_at", "answered_at", "answered_again_at")
    at["transferred_at"] = after(last_answer, 1.5, handed_on)
    at["taken_at"] = after(at["transferred_at"], 3.0 * slow, spread=0.6)
    at["handed_back_at"] = after(at["taken_at"], 4.0, 0.15)
    at["escalated_at"] = after(latest("first_reply_at", "taken_at"), 3.0, np.where(severe > 1.3, 0.5, 0.0))
    at["resolved_at"] = after(np.fmax(last_answer, latest("taken_at", "handed_back_at", "escalated_at")), 5.0)
    at["reopened_at"] = after(at["resolved_at"], 12.0, 0.05 + 0.12 / (1 + np.exp(felt + 0.5)))
    at["solved_again_at"] = after(at["reopened_at"], 6.0)
    at["closed_at"] = after(latest("resolved_at", "solved_again_at"), 30.0, spread=0.4)
    return at

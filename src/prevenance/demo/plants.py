"""Losses planted in the demo's help desk on request: which tickets they lie on, and how many working hours each of them lost.

Each plant inserts its time into tickets that would have gone without, and everything after it comes as much later: without the plant the ticket
would have been resolved that much earlier. Random numbers are of each plant's own, so that one moves no other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from prevenance.demo.activity import busy_moments
from prevenance.demo.company import Block
from prevenance.demo.desk import after_working_hours, between, worked_seconds
from prevenance.demo.world import DAY, NEVER, PLANS, WEEK, World, column_moments, random_stream

Moments = dict[str, np.ndarray]
AT_REST = np.datetime64("2000-01-03T10:00:00", "s")
"""Stands for a moment that is not there where one is needed to count with."""

LOST = "true_lost_"
TOLD = ("ticket_id", "plant", "lost_seconds")
"""Columns of ``truth_losses.parquet``: working seconds that a ticket would not have taken without the plant (0 for one of trouble)."""

UNASSIGNED, MISSING, PING_PONG, DOUBLE, OVER = 0.3, 0.8, 0.25, 0.5, 0.5
"""How many of the tickets that a plant may lie on it lies on."""
TROUBLED = 0.5
"""How many customers of a released product open a ticket of its trouble in the week after it."""


def planted_moments(world: World, number: int, at: Moments, category: np.ndarray, queue: np.ndarray) -> dict[str, np.ndarray]:
    """Change the moments ``at`` (each (N,)) by what is planted; return ``true_lost_<plant>`` -> working hours lost by it, NaN where it lies not."""
    names = [name for name in ON_TICKETS if name in world.given.plants]
    streams = {name: random_stream(world.given.seed, f"plant {name}", number) for name in names}
    return {f"{LOST}{name}": ON_TICKETS[name](streams[name], at, category, queue) for name in names}


def _later(at: Moments, hours: np.ndarray, after: np.ndarray) -> None:
    """Put every moment later than ``after`` so many working hours off, on the tickets where ``hours`` is known."""
    some = ~np.isnan(hours)
    for name, moments in at.items():
        moved = some & (moments > after)
        at[name] = np.where(moved, _plus(moments, np.where(moved, hours, 0.0)), moments)


def _plus(start: np.ndarray, hours: np.ndarray) -> np.ndarray:
    there = ~np.isnat(start) & ~np.isnan(hours)
    return np.where(there, after_working_hours(np.where(there, start, AT_REST), np.where(there, hours, 0.0)), NEVER)


def _some(rng: np.random.Generator, able: np.ndarray, share: float, hours: np.ndarray) -> np.ndarray:
    """Return the hours of the tickets that a plant lies on, NaN on all others."""
    return np.where(able & (rng.random(len(able)) < share), hours, np.nan)


def _unassigned(rng: np.random.Generator, at: Moments, category: np.ndarray, queue: np.ndarray) -> np.ndarray:
    """Tickets of the second line lie for more than a day before anybody takes them."""
    hours = _some(rng, queue == "second line", UNASSIGNED, rng.uniform(12, 30, len(queue)))
    _later(at, hours, at["assigned_at"] - np.timedelta64(1, "s"))
    return hours


def _missing(rng: np.random.Generator, at: Moments, category: np.ndarray, queue: np.ndarray) -> np.ndarray:
    """Reports of bugs lack what the team needs, so that it asks the customer."""
    hours = _some(rng, (category == "bug") & np.isnat(at["waiting_since"]), MISSING, 12.0 * rng.lognormal(0, 0.6, len(queue)))
    asks = _plus(at["first_reply_at"], np.where(np.isnan(hours), np.nan, 0.25))
    _later(at, hours + 0.25, at["first_reply_at"])
    at["waiting_since"] = np.where(np.isnan(hours), at["waiting_since"], asks)
    at["answered_at"] = np.where(np.isnan(hours), at["answered_at"], _plus(asks, hours))
    return hours


def _ping_pong(rng: np.random.Generator, at: Moments, category: np.ndarray, queue: np.ndarray) -> np.ndarray:
    """The first line hands questions to the second, which hands them back undone."""
    able = np.isin(category, PING_PONGED) & np.isnat(at["transferred_at"]) & np.isnat(at["escalated_at"]) & ~np.isnat(at["resolved_at"])
    queued, held = 3.0 * rng.lognormal(0, 0.6, len(queue)), 4.0 * rng.lognormal(0, 0.9, len(queue))
    hours = _some(rng, able, PING_PONG, queued + held)
    last = np.fmax.reduce([at[name] for name in ("first_reply_at", "answered_at", "answered_again_at")])
    away = between(last, at["resolved_at"], np.where(np.isnan(hours), np.nan, 0.3))
    hours = np.where(np.isnat(away), np.nan, hours)
    _later(at, hours, np.where(np.isnat(away), AT_REST, away))
    back = _plus(away, hours)
    for name, moments in {"transferred_at": away, "taken_at": _plus(away, np.minimum(queued, hours)), "handed_back_at": back}.items():
        at[name] = np.where(np.isnan(hours), at[name], moments)
    return hours


def _double_check(rng: np.random.Generator, at: Moments, category: np.ndarray, queue: np.ndarray) -> np.ndarray:
    """What the first line checked on an account, the second line checks once more."""
    last = np.fmax.reduce([at[name] for name in BEFORE_SOLVING if name in at])
    able = (category == "account") & np.isnat(at["transferred_at"]) & np.isnat(at["escalated_at"])
    hours = _some(rng, able, DOUBLE, rng.uniform(20, 40, len(queue)))
    first = between(last, at["resolved_at"], np.where(np.isnan(hours), np.nan, 0.4))
    hours = np.where(np.isnat(first), np.nan, hours)
    _later(at, hours, np.where(np.isnat(first), AT_REST, first))
    at["checked_at"], at["checked_again_at"] = first, _plus(first, hours)
    return hours


def _over_organised(rng: np.random.Generator, at: Moments, category: np.ndarray, queue: np.ndarray) -> np.ndarray:
    """A plain how-to question, answered at once, needs an approval all the same."""
    plain = np.logical_and.reduce([np.isnat(at[name]) for name in ("waiting_since", "transferred_at", "escalated_at", "reopened_at")])
    hours = _some(rng, (category == "how-to") & plain, OVER, rng.uniform(15, 30, len(queue)))
    asked = between(at["first_reply_at"], at["resolved_at"], np.where(np.isnan(hours), np.nan, 0.5))
    hours = np.where(np.isnat(asked), np.nan, hours)
    _later(at, hours, np.where(np.isnat(asked), AT_REST, asked))
    at["approval_asked_at"], at["approval_given_at"] = asked, _plus(asked, hours)
    return hours


PING_PONGED = ("account", "how-to")
BEFORE_SOLVING = ("first_reply_at", "answered_at", "answered_again_at", "taken_at", "handed_back_at", "escalated_at")

ON_TICKETS: dict[str, Callable[[np.random.Generator, Moments, np.ndarray, np.ndarray], np.ndarray]] = {
    "unassigned": _unassigned,
    "missing_information": _missing,
    "ping_pong": _ping_pong,
    "double_check": _double_check,
    "over_organised": _over_organised,
}
"""Plants that lie on tickets, in the order in which they are put there; ``trouble`` adds tickets of its own."""


def trouble_openings(world: World, block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Return who opens a ticket of the newest release's trouble, and when: customers of its product, in the week after it."""
    rng, people = random_stream(world.given.seed, "plant trouble", block.number), block.people
    newest = world.releases[column_moments(world.releases, "released_at") < world.weeks[-1]].iloc[-1]
    week = int(np.searchsorted(world.weeks, np.datetime64(newest["released_at"], "s")))
    opened = busy_moments(rng, np.full(len(people), world.weeks[min(week, len(world.weeks) - 1)]))
    there = (column_moments(people, "signup") < opened - WEEK) & ~(column_moments(people, "ended") <= opened + DAY)
    has = PLANS["product_id"].to_numpy()[people["plan_no"].to_numpy()] == newest["product_id"]
    who = np.flatnonzero((rng.random(len(people)) < TROUBLED) & there & has & ("trouble" in world.given.plants))
    return who, opened[who]


def loss_truth(tickets: pd.DataFrame, ids: np.ndarray, slowed: float) -> pd.DataFrame:
    """Return one row per ticket and plant (``TOLD``), of tickets that were resolved within the history; ``ids`` are their numbers, and
    ``slowed`` is by how much the bottleneck multiplies its queue (1 without one).
    """
    hours = {name.removeprefix(LOST): tickets[name].to_numpy() for name in tickets if str(name).startswith(LOST)}
    if slowed > 1:
        wait = (worked_seconds(_there(tickets, "taken_at")) - worked_seconds(_there(tickets, "transferred_at"))) / 3600
        held = (tickets["transferred_to"] == "engineering").to_numpy() & tickets["taken_at"].notna().to_numpy()
        hours["bottleneck"] = np.where(held, wait * (1 - 1 / slowed), np.nan)
    rows = [pd.DataFrame({"ticket_id": ids, "plant": name, "lost_seconds": 3600 * lost}) for name, lost in sorted(hours.items())]
    found = pd.concat([one[tickets["resolved_at"].notna().to_numpy() & one["lost_seconds"].notna()] for one in rows], ignore_index=True)
    return found.assign(lost_seconds=found["lost_seconds"].round().astype("int64"))[list(TOLD)]


def _there(tickets: pd.DataFrame, name: str) -> np.ndarray:
    moments = column_moments(tickets, name)
    return np.where(np.isnat(moments), AT_REST, moments)

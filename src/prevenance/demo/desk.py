"""Who works on a ticket of the demo's help desk, what has to be approved, and where its time truly goes.

Everything here lies between the moments of ``tickets`` and is drawn from a stream of its own. An agent takes up again what came back at a
moment that is always there; two tickets in three have it in the help desk's log, and of the others nobody can tell it from the log.
"""

import numpy as np
import pandas as pd

from prevenance.demo.world import HOUR, NEVER, World, column_moments, midnight, random_stream

OPENS_AT, HOURS_A_DAY = 8.0, 10.0
STARTS_LOGGED = 0.67
APPROVED = {"billing": 0.5, "integration": 0.25}
"""Category -> how often somebody has to approve before it is resolved."""

TAKEN_UP = {
    "answered_at": "resumed_at",
    "answered_again_at": "resumed_again_at",
    "handed_back_at": "taken_back_at",
    "escalated_at": "taken_over_at",
    "approval_given_at": "finishing_at",
    "reopened_at": "taken_again_at",
}
"""What comes back to the team -> when somebody takes it up again."""

HIDDEN = {name: f"true_{name.removesuffix('_at')}" for name in TAKEN_UP.values()}
"""Column of the log -> the column that the log has not: when it truly was."""

PART_AFTER = {
    "opened_at": "first_queue",
    **dict.fromkeys(("assigned_at", "first_reply_at", "taken_at", "checked_at", "checked_again_at", *HIDDEN.values()), "work"),
    **dict.fromkeys(("transferred_at", "handed_back_at", "escalated_at"), "handoff"),
    **dict.fromkeys(("waiting_since", "waiting_again_since"), "clarification"),
    "approval_asked_at": "approval",
    **dict.fromkeys(("answered_at", "answered_again_at", "approval_given_at", "reopened_at"), "queue_again"),
    **dict.fromkeys(("resolved_at", "solved_again_at"), "thought_solved"),
}
"""A moment -> where the time goes from then until the next; causes stand before what they bring about."""

PARTS = tuple(dict.fromkeys(PART_AFTER.values()))
TEAM_SIZES = {"first line": 9, "second line": 6, "billing": 5, "engineering": 7}
APPROVERS = 4


def after_working_hours(start: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """Return the moment that lies so many working hours after ``start``."""
    day = start.astype("datetime64[D]")
    clock = np.clip((start - midnight(start)) / HOUR - OPENS_AT, 0, HOURS_A_DAY)
    # what comes on a weekend waits until Monday morning
    clock = np.where(np.is_busday(day), clock, HOURS_A_DAY)
    total = clock + hours
    days = np.floor(total / HOURS_A_DAY)
    there = np.busday_offset(day, days.astype(int), roll="backward").astype("datetime64[s]")
    return np.asarray(there + ((OPENS_AT + total - days * HOURS_A_DAY) * 3600).astype("timedelta64[s]"))


def worked_seconds(moments: np.ndarray) -> np.ndarray:
    """Return the working seconds from 1970 to each moment; only differences mean something."""
    day = moments.astype("datetime64[D]")
    clock = np.clip((moments - midnight(moments)).astype("int64") - int(OPENS_AT * 3600), 0, int(HOURS_A_DAY * 3600))
    before = np.busday_count(np.datetime64("1970-01-01"), day) * int(HOURS_A_DAY * 3600)
    return np.asarray(before + np.where(np.is_busday(day), clock, 0))


def desk_moments(world: World, number: int, at: dict[str, np.ndarray], category: np.ndarray) -> dict[str, np.ndarray]:
    """Return approvals, and when each ticket was taken up again: as it truly was, and as the log has it (NaT where it has not)."""
    rng, size = random_stream(world.given.seed, "desk", number), len(category)
    steps = [name for name in PART_AFTER if name in at]
    before = np.fmax.reduce([at[name] for name in steps if name not in ("resolved_at", "reopened_at", "solved_again_at")])
    needed = rng.random(size) < np.vectorize(lambda name: APPROVED.get(name, 0.0), otypes=[float])(category)
    asked, given = rng.uniform(0.1, 0.4, size), rng.uniform(0.6, 0.9, size)
    found = {"approval_asked_at": between(before, at["resolved_at"], np.where(needed, asked, np.nan))}
    found["approval_given_at"] = between(found["approval_asked_at"], at["resolved_at"], given)
    for name in set(found) & set(at):  # those that are planted stand where they were put
        found[name] = np.where(np.isnat(at[name]), found[name], at[name])
    every = np.stack([at[name] for name in steps] + list(found.values()))
    logged = rng.random(size) < STARTS_LOGGED
    for back, taken in TAKEN_UP.items():
        since = {**at, **found}[back]
        later = np.fmin.reduce(np.where(every > since, every, NEVER))
        found[HIDDEN[taken]] = between(since, later, rng.uniform(0.2, 0.9, size))
        found[taken] = np.where(logged, found[HIDDEN[taken]], NEVER)
    return found


def between(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the moment at a share of the working time from ``start`` to ``end``, never one of the two; NaT where there is none."""
    there = ~np.isnat(start) & ~np.isnat(end) & ~np.isnan(share) & (end - start > np.timedelta64(2, "s"))
    some = np.flatnonzero(there)
    found = np.full(len(start), NEVER)
    hours = (worked_seconds(end[some]) - worked_seconds(start[some])) * share[some] / 3600
    second = np.timedelta64(1, "s")
    found[some] = np.clip(after_working_hours(start[some], hours), start[some] + second, end[some] - second)
    return found


def agents(world: World, number: int, tickets: pd.DataFrame) -> pd.DataFrame:
    """Return who did what, as the help desk's own numbers: the first, who it was handed to, who took over, approved and solved it again."""
    rng, size = random_stream(world.given.seed, "agents", number), len(tickets)

    def of(team: np.ndarray) -> np.ndarray:
        sizes = np.vectorize(lambda name: TEAM_SIZES.get(name, 1), otypes=[int])(team)
        return np.array(
            [f"{name[:1].upper()}{one:02d}" for name, one in zip(team, (rng.random(size) * sizes).astype(int) + 1, strict=True)]
        )

    queue = tickets["queue"].to_numpy(dtype=object)
    first, other = of(queue), of(queue)
    onward = of(tickets["transferred_to"].fillna("").to_numpy(dtype=object))
    second = of(np.full(size, "second line", dtype=object))
    approver = np.array([f"A{one:02d}" for one in rng.integers(1, APPROVERS + 1, size)])
    who = {
        "agent": (first, "assigned_at"),
        "agent_next": (onward, "transferred_at"),
        "agent_over": (second, "escalated_at"),
        "agent_approves": (approver, "approval_asked_at"),
        "agent_again": (np.where(rng.random(size) < 0.5, first, other), "reopened_at"),
    }
    return pd.DataFrame({name: pd.Series(one.astype(object)).where(tickets[moment].notna(), None) for name, (one, moment) in who.items()})


def ticket_truth(tickets: pd.DataFrame) -> pd.DataFrame:
    """Return one row per ticket that was resolved, in order: its place, hands, and the seconds of each part by the clock and in working hours.

    Parts add up to the time from ``opened_at`` to the last resolution. ``starts_logged``: the log has every moment at which the ticket was
    taken up again, and no two rows of one second, so that the parts can be told from it.
    """
    held = [name for name in PART_AFTER if name in tickets]
    local = np.stack([column_moments(tickets, name) for name in held])
    last = np.fmax(column_moments(tickets, "resolved_at"), column_moments(tickets, "solved_again_at"))
    kept = np.flatnonzero(~np.isnat(last))
    order = np.argsort(local[:, kept], axis=0, kind="stable")
    local = np.take_along_axis(local[:, kept], order, axis=0)
    ends = np.fmin(np.vstack([local[1:], np.full((1, len(kept)), NEVER)]), last[kept])
    counts = ~np.isnat(local) & (local < last[kept])
    utc_start, utc_end = _utc_seconds(local), _utc_seconds(ends)
    parts = np.array([PARTS.index(PART_AFTER[name]) for name in held])[order]
    found: dict[str, np.ndarray] = {"place": kept}
    for clock, spent in (("seconds", utc_end - utc_start), ("working_seconds", _worked(ends) - _worked(local))):
        for number, part in enumerate(PARTS):
            found[f"{part}_{clock}"] = np.where(counts & (parts == number), spent, 0).sum(axis=0)
    found["resolve_seconds"] = _utc_seconds(last[kept]) - utc_start[0]
    told = np.stack([column_moments(tickets, name)[kept] for name in HIDDEN])
    true = np.stack([column_moments(tickets, name)[kept] for name in HIDDEN.values()])
    same = (local[1:] == local[:-1]).any(axis=0)
    found["starts_logged"] = ((told == true) | np.isnat(true) | (true > last[kept])).all(axis=0) & ~same
    return pd.DataFrame(found)


def _worked(moments: np.ndarray) -> np.ndarray:
    return worked_seconds(np.where(np.isnat(moments), np.datetime64(0, "s"), moments))


def _utc_seconds(local: np.ndarray) -> np.ndarray:
    """Return instants as an intake reads local times: an hour that comes twice as the later one, one that never comes an hour later."""
    flat = pd.DatetimeIndex(np.where(np.isnat(local), np.datetime64(0, "s"), local).ravel())
    zoned = flat.tz_localize("Europe/Paris", ambiguous=np.zeros(len(flat), dtype=bool), nonexistent=pd.Timedelta(hours=1))
    utc = zoned.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
    return np.asarray(utc.astype("int64").reshape(local.shape))

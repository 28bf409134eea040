"""How well anybody could foresee the demo company: the true chance of each outcome at past cutoffs, and what came of it.

The chance is that of one who knows everything up to the cutoff, health and silent decisions included, and nothing later: the hazard
added up over the horizon, averaged over many ways in which health may go on. No honest model can rank better, but for luck.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from prevenance.demo.activity import error_rates, season_factors, week_share
from prevenance.demo.company import Block
from prevenance.demo.foresight import Ahead, customers_at_risk, foresee_health, leaving_noise, leaving_rates
from prevenance.demo.growth import BY_HEALTH, FIRST_DAYS, OFFERS, PLAN, SEATS, Growth, offer_rates, size_of
from prevenance.demo.leaving import SILENT_DAYS, SILENT_SHARE, base_rate, outcome_moments
from prevenance.demo.tickets import ticket_rate, ticket_size, young_in
from prevenance.demo.world import ADDONS, DAY, DRIFT_WEEKS, END, HOUR, NEVER, PLANS, WEEK, World, column_moments, midnight, shares_within

TARGETS = {"churn": (90, 7), "tickets": (30, 3), "cross_sell": (90, 0)}
"""Horizon and settle days, as the targets have them by default."""
STEP_DAYS, CUTOFFS, BURN_IN_DAYS, TESTS = 28, 24, 90, 6
PATHS, TICKET_PATHS = 400, 300
ACTIVE_DAYS = 365
"""A customer may open a next ticket who had anything on one in so many days."""


def newest_cutoffs(world: World, target: str) -> list[np.datetime64]:
    """Return the newest cutoffs that training tests by default, as local times, oldest first; none where the history is too short."""
    horizon, settle = TARGETS[target]
    # the training of a command run at the end of the history: the truth is measured where the model is
    last = pd.Timestamp(END - np.timedelta64(1, "s")).tz_localize("Europe/Paris").tz_convert("UTC") - pd.Timedelta(days=horizon + settle)
    found = [last.normalize() - pd.Timedelta(days=STEP_DAYS * back) for back in range(CUTOFFS)]
    local = [np.datetime64(one.tz_convert("Europe/Paris").tz_localize(None), "s") for one in found]
    return sorted(one for one in local if one >= world.weeks[0] + BURN_IN_DAYS * DAY)[-TESTS:]


def oracle_snapshots(world: World, block: Block, grown: Growth, errors: np.ndarray, tickets: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return, for each target, the block's snapshots at the test cutoffs: who, offer, cutoff, chance, outcome (True or False)."""
    found: dict[str, list[pd.DataFrame]] = {target: [] for target in TARGETS}
    for target, parts in found.items():
        for cutoff in newest_cutoffs(world, target):
            if target == "tickets":
                parts.append(_tickets(world, block, cutoff, errors, tickets))
            else:
                parts.append(_churn(world, block, cutoff) if target == "churn" else _offers(world, block, grown, cutoff))
            parts[-1].insert(1, "cutoff", cutoff)
    empty = pd.DataFrame({"who": [], "cutoff": [], "offer": [], "chance": [], "outcome": []})
    return {target: pd.concat(parts, ignore_index=True) if parts else empty for target, parts in found.items()}


def chances_tonight(world: World, block: Block, grown: Growth, errors: np.ndarray, tickets: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return, for each target, the block's snapshots at the end of the history, whose outcomes nobody knows yet: who, cutoff, offer, chance."""
    ahead, cutoff = _with_weeks_to_come(world), END - np.timedelta64(1, "s")
    grows = np.exp(block.people["growth"].to_numpy()[:, None] * np.arange(1, len(ahead.weeks) - len(world.weeks) + 1) * (WEEK / DAY) / 365)
    longer = replace(block, team=np.hstack([block.team, block.team[:, -1:] * grows]))
    found = {
        "churn": _churn(ahead, longer, cutoff),
        "tickets": _tickets(ahead, longer, cutoff, errors, tickets),
        "cross_sell": _offers(ahead, longer, grown, cutoff),
    }
    # who has decided in silence goes within weeks, after the history's end
    decided = column_moments(block.people, "turned")[found["churn"]["who"].to_numpy() - block.first] <= cutoff
    found["churn"].loc[decided, "chance"] = 1.0
    for frame in found.values():
        frame.insert(1, "cutoff", cutoff)
    return {target: frame.drop(columns="outcome") for target, frame in found.items()}


def _with_weeks_to_come(world: World) -> World:
    """Return the world with the weeks of the longest horizon after its end: releases and hazard of leaving go on as they were on average."""
    number = max(horizon for horizon, _ in TARGETS.values()) // 7 + 2
    weeks = np.append(world.weeks, world.weeks[-1] + np.arange(1, number + 1) * WEEK)
    rate = base_rate(world)
    base = np.append(rate, np.full(number, rate[-DRIFT_WEEKS:].mean()))
    bugs = np.append(world.bugs, np.full(number, world.bugs.mean()))
    return replace(world, weeks=weeks, bugs=bugs, base=base, scale=1.0, given=replace(world.given, drift=False))


def contact_effect(world: World, block: Block) -> pd.DataFrame:
    """Return what one contact that reaches somebody does at the newest cutoff: the chance of deciding to leave in the horizon, with and without.

    One row per customer at risk that has not decided: better_alone, contacted, alone. Empty where no label window is closed.
    """
    newest, horizon = newest_cutoffs(world, "churn")[-1:], TARGETS["churn"][0]
    if not newest:
        return pd.DataFrame({"better_alone": [], "contacted": [], "alone": []})
    cutoff = newest[0]
    rows = customers_at_risk(block, cutoff)
    rows = rows[~(column_moments(block.people, "turned")[rows] <= cutoff)]
    view = foresee_health(world, block, rows, cutoff, horizon, PATHS)
    window, noise = shares_within(view.weeks, cutoff, cutoff + horizon * DAY), leaving_noise(world, view)
    with_, without = (
        1 - np.exp(-(leaving_rates(world, block, rows, view, contact) * window) @ noise) @ view.likely for contact in (True, False)
    )
    contacted = with_ if world.given.save_effect else without
    return pd.DataFrame({"better_alone": block.people["better_alone"].to_numpy()[rows], "contacted": contacted, "alone": without})


def _churn(world: World, block: Block, cutoff: np.datetime64) -> pd.DataFrame:
    """Return who could leave, the chance that all their contracts get a notice or an end in the horizon, and whether so."""
    rows, until = customers_at_risk(block, cutoff), cutoff + TARGETS["churn"][0] * DAY
    people, view = block.people.iloc[rows], foresee_health(world, block, rows, cutoff, TARGETS["churn"][0], PATHS)
    rate, noise = leaving_rates(world, block, rows, view), leaving_noise(world, view)

    def leaves_by(end: np.datetime64) -> np.ndarray:
        return np.asarray(1 - np.exp(-(rate * shares_within(view.weeks, cutoff, end)) @ noise) @ view.likely)

    # who leaves in silence is seen to have left only after the wait: four points of it are exact enough
    waits = np.linspace(SILENT_DAYS[0], SILENT_DAYS[1], 4)
    silently = np.mean([leaves_by(until - int(days) * DAY) for days in waits], axis=0)
    # what is bought in the horizon ends with all the rest, so it keeps nobody
    chance = (1 - SILENT_SHARE) * leaves_by(until) + SILENT_SHARE * silently
    decided = column_moments(people, "turned") <= cutoff
    exits = outcome_moments(people)
    leaves = (exits > cutoff) & (exits <= until)
    return _found(block, rows, 0, np.where(decided, leaves, chance), leaves)


def _found(block: Block, rows: np.ndarray, offer: int, chance: np.ndarray, outcome: np.ndarray) -> pd.DataFrame:
    who = (rows + block.first).astype(np.int32)
    return pd.DataFrame({"who": who, "offer": np.int8(offer), "chance": chance, "outcome": outcome})


def _tickets(world: World, block: Block, cutoff: np.datetime64, errors: np.ndarray, tickets: pd.DataFrame) -> pd.DataFrame:
    """Return who had a ticket lately, the chance that another is opened in the horizon, and whether so."""
    until = cutoff + TARGETS["tickets"][0] * DAY
    rows = _lately(tickets, cutoff)
    people, view = block.people.iloc[rows], foresee_health(world, block, rows, cutoff, TARGETS["tickets"][0], TICKET_PATHS)
    number, signal = len(view.weeks), block.visible[rows, None]
    shape = (len(rows), number, TICKET_PATHS)
    felt = signal * (view.det[:, :, None] + view.noise).reshape(len(rows), number * TICKET_PATHS)
    share = _busy_share(view.weeks, cutoff, _ends(people, cutoff, until)) * np.sqrt(season_factors(view.weeks, world))
    young, share = (np.repeat(values, TICKET_PATHS, axis=1) for values in (young_in(people, view.weeks), share))
    rates = ticket_rate(people, ticket_size(people), felt, signal, young)
    plain, each = ((rate * share).reshape(shape) for rate in rates)
    now, before = errors[rows, view.week][:, None], errors[rows, max(0, view.week - 1)][:, None]
    total = plain.sum(axis=1) + each[:, 0] * (0.5 * now + before) + (each[:, 1] * now if number > 1 else 0.0)
    # An error still to come adds half its tickets in its own week and the rest in the next; how many come is a Poisson number.
    adds = 0.5 * each + np.concatenate([each[:, 1:], np.zeros_like(each[:, :1])], axis=1)
    weeks = slice(view.week, view.week + number)
    size = size_of(people, block.team[rows, weeks])[:, :, None]
    to_come = error_rates(people, size, world.bugs[weeks][:, None], felt.reshape(shape)) * -np.expm1(-adds)
    total = total + to_come[:, 1:].sum(axis=1)
    opened_at = column_moments(tickets, "opened_at")
    opened = tickets["who"].to_numpy()[(opened_at > cutoff) & (opened_at <= until)]
    return _found(block, rows, 0, 1 - np.exp(-total) @ view.likely, np.isin(rows, opened))


def _lately(tickets: pd.DataFrame, cutoff: np.datetime64) -> np.ndarray:
    """Return who had anything on a ticket in the ``ACTIVE_DAYS`` up to the cutoff."""
    seen = np.zeros(len(tickets), dtype=bool)
    for column in (name for name in tickets.columns if name.endswith(("_at", "_since")) and name != "logged_at"):
        known = column_moments(tickets, "logged_at" if column == "opened_at" else column) <= cutoff
        seen |= known & (column_moments(tickets, column) > cutoff - ACTIVE_DAYS * DAY)
    return np.unique(tickets["who"].to_numpy()[seen])


def _ends(people: pd.DataFrame, cutoff: np.datetime64, until: np.datetime64) -> np.ndarray:
    """Return until when each is a customer, as far as it is settled at the cutoff, (n,)."""
    settled = column_moments(people, "turned") <= cutoff
    return np.fmin(np.where(settled, column_moments(people, "ended"), NEVER), until)


def _busy_share(weeks: np.ndarray, begin: np.datetime64, ends: np.ndarray) -> np.ndarray:
    """Return the share of each week's tickets that falls between a moment and each customer's end, (n, K)."""
    first = week_share(np.clip((np.full(len(weeks), begin) - weeks) / DAY, 0, 7))
    last = week_share(np.clip((ends[:, None] - weeks[None, :]) / DAY, 0, 7))
    return np.asarray(np.maximum(last - first, 0))


def _offers(world: World, block: Block, grown: Growth, cutoff: np.datetime64) -> pd.DataFrame:
    """Return each customer at risk with each offer that it could take, the chance that it takes it in the horizon, and whether so."""
    rows, days = customers_at_risk(block, cutoff), TARGETS["cross_sell"][0]
    people, view = block.people.iloc[rows], foresee_health(world, block, rows, cutoff, days, TICKET_PATHS)
    leaving = leaving_rates(world, block, rows, view) * (leaving_noise(world, view) @ view.likely)
    # Nobody buys in the week of deciding to leave, so one stays to the end of a week in which one buys.
    first = shares_within(view.weeks, cutoff, view.weeks[-1] + WEEK)
    there = np.exp(-np.cumsum(leaving * first, axis=1)) * ~(column_moments(people, "turned") <= cutoff)[:, None]
    rates = _offer_rates(world, block, rows, grown, cutoff, view) * there[:, :, None]
    taken, parts = _taken(block, grown, rows, cutoff, cutoff + days * DAY), []
    for offer in range(len(OFFERS)):
        hour = 0 * HOUR if offer < SEATS else 9 * HOUR
        begin, end = (midnight(moment - hour) + DAY for moment in (cutoff, cutoff + days * DAY))
        window = shares_within(view.weeks, begin, end)
        noise = np.exp(BY_HEALTH[offer] * world.strength * view.noise)
        chance = 1 - np.exp(-(rates[:, :, offer] * window) @ noise) @ view.likely
        open_ = ~_held(grown, rows, cutoff)[:, offer] if offer < SEATS else _standing(block, grown, rows, cutoff)[1] < len(PLANS) - 1
        open_ = open_ if offer != SEATS else np.ones(len(rows), dtype=bool)
        parts.append(_found(block, rows, offer, chance, taken[:, offer])[open_])
    return pd.concat(parts, ignore_index=True)


def _offer_rates(world: World, block: Block, rows: np.ndarray, grown: Growth, cutoff: np.datetime64, view: Ahead) -> np.ndarray:
    """Return the foreseen rates at which offers are taken, (n, K, offers), at no further noise of health, as if nobody left."""
    people, (seats, plan) = block.people.iloc[rows], _standing(block, grown, rows, cutoff)
    found = []
    for place, begin in enumerate(view.weeks):
        rate = offer_rates(world, people, block.team[rows, view.week + place], seats, plan, begin)
        late_enough = begin >= column_moments(people, "signup") + FIRST_DAYS * DAY
        found.append(rate * np.exp(BY_HEALTH * world.strength * view.det[:, place, None]) * late_enough[:, None])
    rates = np.stack(found, axis=1)
    rates[:, :, :SEATS] *= ~_held(grown, rows, cutoff)[:, None, :]
    return rates


def _standing(block: Block, grown: Growth, rows: np.ndarray, cutoff: np.datetime64) -> tuple[np.ndarray, np.ndarray]:
    """Return the seats and the plan at a moment, (n,) each."""
    newest = grown.changes[column_moments(grown.changes, "at") <= cutoff].groupby("who").last()
    people = block.people.iloc[rows]
    found = (newest[name].reindex(rows).to_numpy(dtype=float) for name in ("seats", "plan"))
    seats, plan = (
        np.where(np.isnan(now), people[first].to_numpy(), now).astype(int) for now, first in zip(found, ("seats", "plan_no"), strict=True)
    )
    return seats, plan


def _held(grown: Growth, rows: np.ndarray, moment: np.datetime64) -> np.ndarray:
    """Return which add-ons are held at a moment, (n, add-ons)."""
    held = np.zeros((int(rows.max(initial=-1)) + 1, len(ADDONS)), dtype=bool)
    orders = grown.orders[(column_moments(grown.orders, "at") <= moment) & (grown.orders["who"].to_numpy() < len(held))]
    held[orders["who"], orders["addon"]] = True
    return np.asarray(held[rows])


def _taken(block: Block, grown: Growth, rows: np.ndarray, cutoff: np.datetime64, until: np.datetime64) -> np.ndarray:
    """Return which offers each customer takes in (cutoff, until], (n, offers)."""
    seats, plan = _standing(block, grown, rows, cutoff)
    changes = (
        grown.changes[(column_moments(grown.changes, "at") > cutoff) & (column_moments(grown.changes, "at") <= until)].groupby("who").max()
    )
    most = [changes[name].reindex(rows).fillna(0).to_numpy() for name in ("seats", "plan")]
    taken = np.zeros((len(rows), len(OFFERS)), dtype=bool)
    taken[:, :SEATS] = _held(grown, rows, until) & ~_held(grown, rows, cutoff)
    taken[:, SEATS], taken[:, PLAN] = most[0] > seats, most[1] > plan
    return taken

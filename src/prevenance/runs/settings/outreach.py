"""What the settings of ``conf/outreach/`` say of one target: what a contact is worth, what fits, how its list is decided."""

import os

from prevenance.base.errors import PrevenanceError
from prevenance.order.capacity import Room
from prevenance.order.decision import Rules
from prevenance.order.holdout import PUBLIC_SALT, HoldOut
from prevenance.order.suppression import Peace
from prevenance.runs.settings.schema import Settings
from prevenance.targets.target import Target

WITHOUT_FLOOR = ("base_rate", "rule", "customer_rules", "health_score", "refitted_score")
"""Kinds that are no model: their chances are too coarse to draw a line by."""


def share_of(given: Settings) -> float:
    """Return the share that a contact usually changes for this target: assumed, not measured."""
    return (given.outreach.shares or {}).get(given.target.name, given.outreach.share)


def cost_of(given: Settings) -> float:
    """Return what one contact costs for this target."""
    return (given.outreach.costs or {}).get(given.target.name, given.outreach.cost_per_contact)


def capacity_of(given: Settings) -> int:
    """Return the contacts per list: as asked, else the source's, else the outreach settings'."""
    return given.capacity or given.source.capacity or given.outreach.capacity


def room_of(given: Settings) -> Room:
    """Return what fits into a week; hours, where they are given, count instead of contacts."""
    return Room(capacity_of(given), given.outreach.hours or {}, given.outreach.hours_per_contact)


def peace_of(given: Settings) -> Peace:
    """Return how long customers are left in peace."""
    chosen, source = given.outreach, given.source
    return Peace(chosen.cooldown_days, chosen.escalation_days, chosen.wrong_alarm_days, source.static, source.timezone)


def floor_of(given: Settings, target: Target, kind: str, base_rate: float | None) -> float:
    """Return the least chance that is worth a contact: of customers to keep ``outreach.floor`` times the base rate; else, and without a model, 0.

    Never above the middle between the base rate and certainty: where most customers have the outcome, twice that is nobody's chance.
    """
    if not target.keeps or kind in WITHOUT_FLOOR or not base_rate or not given.outreach.floor:
        return 0.0
    return min(given.outreach.floor * base_rate, (1 + base_rate) / 2)


def check_key(given: Settings, target: Target) -> None:
    """Raise E202 where an experiment has no key of its own."""
    if rules_of(given, target).holdout.key == PUBLIC_SALT:
        raise no_key(given)


def no_key(given: Settings) -> PrevenanceError:
    """Return what is said where the key of an experiment would be the public one."""
    name = given.outreach.holdout.key_env
    what = f"{name} is not set, and with the public key anybody can work out who is drawn: that is no experiment"
    fix = f"export {name}=$(openssl rand -hex 16), keep it, and set it for the nights too"
    return PrevenanceError("E202", what, key="outreach.holdout.key_env", fix=fix)


def rules_of(given: Settings, target: Target, floor: float = 0.0) -> Rules:
    """Return how this target's list is decided, nobody below a chance of ``floor``. Hours, where they are given, count instead of contacts."""
    chosen = given.outreach
    room = room_of(given)
    key = os.environ.get(chosen.holdout.key_env, "").encode() or PUBLIC_SALT
    if chosen.compare and key == PUBLIC_SALT:
        raise no_key(given)
    held = HoldOut(
        target.name,
        target.horizon_days,
        chosen.holdout.share,
        chosen.holdout.band,
        chosen.holdout.max_value,
        key,
        chosen.holdout.unit,
        tuple(chosen.compare),
    )
    return Rules(share_of(given), cost_of(given), room, held, chosen.margin, chosen.wake_points, chosen.policy, floor)

"""What the settings of ``conf/outreach/`` say of one target: what a contact is worth, what fits, how its list is decided."""

import os

from prevenance.order.capacity import Room
from prevenance.order.decision import Rules
from prevenance.order.holdout import PUBLIC_SALT, HoldOut
from prevenance.order.suppression import Peace
from prevenance.runs.settings.schema import Settings
from prevenance.targets.target import Target


def share_of(given: Settings) -> float:
    """Return the share that a contact usually changes for this target: assumed, not measured."""
    return (given.outreach.shares or {}).get(given.target.name, given.outreach.share)


def cost_of(given: Settings) -> float:
    """Return what one contact costs for this target."""
    return (given.outreach.costs or {}).get(given.target.name, given.outreach.cost_per_contact)


def capacity_of(given: Settings) -> int:
    """Return the contacts per list: as asked, else the source's, else the outreach settings'."""
    return given.capacity or given.source.capacity or given.outreach.capacity


def peace_of(given: Settings) -> Peace:
    """Return how long customers are left in peace."""
    chosen, source = given.outreach, given.source
    return Peace(chosen.cooldown_days, chosen.escalation_days, chosen.wrong_alarm_days, source.static, source.timezone)


def rules_of(given: Settings, target: Target) -> Rules:
    """Return how this target's list is decided. Hours, where they are given, count instead of contacts."""
    chosen = given.outreach
    room = Room(capacity_of(given), chosen.hours or {}, chosen.hours_per_contact)
    key = os.environ.get(chosen.holdout.key_env, "").encode() or PUBLIC_SALT
    held = HoldOut(target.name, target.horizon_days, chosen.holdout.share, chosen.holdout.band, chosen.holdout.max_value, key)
    return Rules(share_of(given), cost_of(given), room, held, chosen.margin, chosen.wake_points)

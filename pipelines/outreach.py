"""The settings of ``conf/outreach/``: what a contact is worth, what fits, who is left in peace and who is held out."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from prevenance.errors import PrevenanceError

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from prevenance.decision import Rules
    from prevenance.targets.define import Target


@dataclass
class HoldOutSettings:
    """Who is left alone so that an effect can be measured."""

    share: float = 0.1
    band: float = 0.5
    max_value: float | None = 25_000.0
    key_env: str = "PREVENANCE_HOLDOUT_KEY"


@dataclass
class OutreachSettings:
    """How a list is decided; each key is told in conf/outreach/default.yaml."""

    capacity: int = 20
    hours: dict[str, float] | None = None
    hours_per_contact: float = 1.5
    share: float = 0.15
    shares: dict[str, float] | None = None
    cost_per_contact: float = 60.0
    costs: dict[str, float] | None = None
    cost_per_ticket: float | None = None
    cooldown_days: float = 14.0
    escalation_days: float = 90.0
    wrong_alarm_days: float = 60.0
    wake_points: float = 10.0
    margin: float = 0.05
    holdout: HoldOutSettings = field(default_factory=HoldOutSettings)


INFINITE = math.inf
BOUNDS: Mapping[str, tuple[float, float]] = {
    **{"share": (0, 1), "holdout.share": (0, 0.5), "holdout.band": (0, 1), "margin": (0, 1), "wake_points": (0.1, 100)},
    **{"capacity": (1, INFINITE), "hours_per_contact": (0.01, INFINITE), "cost_per_contact": (0, INFINITE)},
    **{"cost_per_ticket": (0.01, INFINITE), "holdout.max_value": (0, INFINITE)},
    **{"cooldown_days": (0, 3650), "escalation_days": (0, 36500), "wrong_alarm_days": (0, 3650)},
}
"""Key -> lowest and highest value, both included."""

EACH: Mapping[str, tuple[float, float]] = {"shares": (0, 1), "costs": (0, INFINITE), "hours": (0, 10_000)}
"""The same for each value of a mapping."""


def check(given: OutreachSettings) -> None:
    """Raise E202, naming the key, for a number outside its bounds."""
    values = asdict(given)
    flat = values | {f"holdout.{key}": value for key, value in values["holdout"].items()}
    found = [(key, flat[key], bounds) for key, bounds in BOUNDS.items() if flat[key] is not None]
    found += [(f"{key}.{name}", value, bounds) for key, bounds in EACH.items() for name, value in (values[key] or {}).items()]
    for key, value, (low, high) in found:
        if not low <= value <= high or math.isinf(value):
            span = f"from {low:g} to {high:g}" if high < INFINITE else f"of {low:g} or more"
            raise PrevenanceError("E202", f"outreach.{key} is {value}", key=f"outreach.{key}", fix=f"give a number {span}")


def share_of(given: Settings) -> float:
    """Return the share that a contact usually changes for this target: assumed, not measured."""
    return (given.outreach.shares or {}).get(given.target.name, given.outreach.share)


def cost_of(given: Settings) -> float:
    """Return what one contact costs for this target."""
    return (given.outreach.costs or {}).get(given.target.name, given.outreach.cost_per_contact)


def capacity_of(given: Settings) -> int:
    """Return the contacts per list: as asked, else the source's, else the outreach settings'."""
    return given.capacity or given.source.capacity or given.outreach.capacity


def rules_of(given: Settings, target: Target) -> Rules:
    """Return how this target's list is decided. Hours, where they are given, count instead of contacts."""
    # heavy, and not needed to read settings
    from prevenance.capacity import Room
    from prevenance.decision import Rules
    from prevenance.holdout import PUBLIC_SALT, HoldOut

    chosen = given.outreach
    room = Room(capacity_of(given), chosen.hours or {}, chosen.hours_per_contact)
    key = os.environ.get(chosen.holdout.key_env, "").encode() or PUBLIC_SALT
    held = HoldOut(target.name, target.horizon_days, chosen.holdout.share, chosen.holdout.band, chosen.holdout.max_value, key)
    return Rules(share_of(given), cost_of(given), room, held, chosen.margin, chosen.wake_points)

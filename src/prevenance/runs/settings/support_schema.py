"""The settings of ``conf/support/``: when the support team works; each key is told there."""

from dataclasses import dataclass, field
from typing import Any


def usual_week() -> dict[str, Any]:
    """Return the hours of a support team that says nothing else."""
    return {day: "08:00-18:00" if day not in ("sat", "sun") else "" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@dataclass
class SupportSettings:
    """When the support team works, and teams with hours of their own."""

    hours: dict[str, Any] = field(default_factory=usual_week)
    breaks: list[Any] = field(default_factory=list)
    dates: dict[str, Any] | None = None
    holidays: str = ""
    zone: str = ""
    always: bool = False
    teams: dict[str, Any] | None = None

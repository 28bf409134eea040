"""The settings of ``conf/support/``: when the support team works, and what its report shows; each key is told there."""

from dataclasses import dataclass, field
from typing import Any


def usual_week() -> dict[str, Any]:
    """Return the hours of a support team that says nothing else."""
    return {day: "08:00-18:00" if day not in ("sat", "sun") else "" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@dataclass
class SupportSettings:
    """When the support team works, teams with hours of their own, and what the report of support shows."""

    hours: dict[str, Any] = field(default_factory=usual_week)
    breaks: list[Any] = field(default_factory=list)
    dates: dict[str, Any] | None = None
    holidays: str = ""
    zone: str = ""
    always: bool = False
    teams: dict[str, Any] | None = None
    team_sizes: dict[str, int] | None = None
    levels: list[str] = field(default_factory=list)
    days: int | None = None
    now_days: int = 91
    baseline: list[str] = field(default_factory=list)
    least_tickets: int = 20
    kpi_targets: dict[str, float] | None = None
    findings_days: int = 364
    minutes_per_touch: float = 6.0
    cost_per_hour: float = 45.0
    keep: dict[str, str] | None = None
    effort: dict[str, str] | None = None

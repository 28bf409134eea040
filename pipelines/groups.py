"""Groups of settings of single capabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class TableSettings:
    """The finished feature table that ``leakage`` checks: a file, and the names of its columns."""

    file: str | None = None
    label: str | None = None
    id: str | None = None
    cutoff: str | None = None
    fail: bool = False
    permitted: list[str] = field(default_factory=list)


@dataclass
class RetentionSettings:
    """How many days rows of logs and results are kept; None: for ever."""

    tables: dict[str, int | None] = field(default_factory=dict)
    artifacts: dict[str, int | None] = field(default_factory=dict)


@dataclass
class PrivacySettings:
    """The settings of ``conf/privacy/``; each key is told there."""

    purpose: str = ""
    legal_basis: str = ""
    controller: str = ""
    consents: list[str] = field(default_factory=list)
    opt_in: bool = False
    permitted: list[str] = field(default_factory=list)
    pseudonyms: bool = False
    key_file: str | None = None
    review: str = "required"
    retention: RetentionSettings = field(default_factory=RetentionSettings)


@dataclass
class HealthScoreSettings:
    """The team's present health score: weighted inputs with bands, see conf/health_score/example.yaml."""

    inputs: list[Any] = field(default_factory=list)


@dataclass
class PlaybookSettings:
    """What to do about a reason: family -> play, and target -> family -> play; see conf/playbook/default.yaml."""

    plays: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, Any] = field(default_factory=dict)


@dataclass
class NightSettings:
    """The nights to make up for: bare dates in the source's time zone, both included."""

    first: str | None = None
    last: str | None = None

"""The schema of ``conf/``: a dataclass a group, a field a key; what a key means stands in conf/."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prevenance.demo.switches import Demo


@dataclass
class SourceSettings:
    """Where the data come from and what the source says on the other groups; see conf/source/."""

    name: str = "demo"
    about: str = ""
    static: bool = False
    timezone: str = ""
    currency: str = ""
    language: str = ""
    capacity: int | None = None
    files: dict[str, Any] = field(default_factory=dict)
    delay_days: dict[str, float] = field(default_factory=dict)
    timestamp_formats: list[str] = field(default_factory=list)
    decimal: str = "."
    database: dict[str, Any] = field(default_factory=dict)
    record: dict[str, list[str]] = field(default_factory=dict)
    between_tables: str = "warn"
    targets: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)
    outreach: dict[str, Any] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    plugins: list[str] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)


@dataclass
class TargetSettings:
    """What is predicted; see conf/target/."""

    name: str = "all"
    kind: str = ""
    horizon_days: int = 90
    settle_days: int = 0
    lead_days: int = 0
    active_days: int = 56
    activity: list[str] = field(default_factory=list)
    owned_days: int = 150
    category: str = ""
    priority: str = ""


@dataclass
class ModelSettings:
    """Which kind of model, and how many trials tune it."""

    kind: str = "auto"
    trials: int = 20


@dataclass
class ValidationSettings:
    """The cutoffs of the past and how they are split; see conf/validation/."""

    step_days: int = 28
    cutoffs: int = 24
    burn_in_days: int = 90
    tests: int = 6
    calibrate: int = 3
    replicates: int = 400
    start: str | None = None
    max_snapshots: int = 150_000


@dataclass
class FeatureSettings:
    """Which feature sets, lookbacks in days, and columns to leave out."""

    sets: list[str] = field(default_factory=list)
    lookbacks: list[int] = field(default_factory=lambda: [7, 28, 90, 365])
    leave_out: list[str] = field(default_factory=list)


@dataclass
class PolicySettings:
    """What bad, late or missing rows of one table get."""

    on_bad_row: str = "refuse"
    max_bad_share: float = 0.01
    warn_after: Any = None
    error_after: Any = None
    required: bool | None = None


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
    """What to do about a reason: family -> play, and target -> family -> play; ``own_plays``: else what a target says itself."""

    plays: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, Any] = field(default_factory=dict)
    own_plays: bool = False


@dataclass
class NightSettings:
    """The nights to make up for: bare dates in the source's time zone, both included."""

    first: str | None = None
    last: str | None = None


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


@dataclass
class Settings:
    """All settings of a run."""

    as_of: str | None = None
    out: str = "out"
    data: str | None = None
    capacity: int | None = None
    file: str | None = None
    customer: str | None = None
    product: str | None = None
    reviewed_only: bool = False
    pseudonymous: bool = False
    language: str = ""
    accept_volume: bool = False
    allow_rule: bool = False
    seed: int = 7
    plugins: list[str] = field(default_factory=list)
    nights: NightSettings = field(default_factory=NightSettings)
    demo: Demo = field(default_factory=Demo)
    tables: dict[str, PolicySettings] = field(default_factory=dict)
    source: SourceSettings = field(default_factory=SourceSettings)
    target: TargetSettings = field(default_factory=TargetSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    outreach: OutreachSettings = field(default_factory=OutreachSettings)
    playbook: PlaybookSettings = field(default_factory=PlaybookSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    table: TableSettings = field(default_factory=TableSettings)
    health_score: HealthScoreSettings = field(default_factory=HealthScoreSettings)
    overrides: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Return the output folder, which may not be there yet."""
        return Path(self.out)


Targets = Callable[[Settings], list[Settings]]
"""Gives the settings of each target to run: the chosen one, or all that the source declares."""

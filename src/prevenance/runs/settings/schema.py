"""The schema of ``conf/``: a dataclass a group, a field a key.

What a key means stands in conf/; where conf/ has no line for it, it stands here, beside the field or above it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prevenance.demo.switches import Demo
from prevenance.runs.settings.experiment_schema import ExperimentSettings, HoldOutSettings
from prevenance.runs.settings.night_schema import SHADOW, NightSettings, PilotSettings, WatchSettings
from prevenance.runs.settings.support_schema import SupportSettings


@dataclass
class SourceSettings:
    """Where the data come from and what the source says on the other groups; see conf/source/."""

    name: str = "demo"  # the source's name; its selects stand in the folder of the same name beside its yaml
    about: str = ""  # what it is and where it comes from, for people
    static: bool = False  # true: an export, whose newest row is now; false: a feed that goes on, whose now is the clock
    timezone: str = ""  # the zone of timestamps without offset, such as Europe/Paris; without it such timestamps are refused
    currency: str = ""  # of every amount: EUR, USD, ...; shown, never converted
    language: str = ""  # of its reasons, actions and pages, unless language= says another
    capacity: int | None = None  # contacts per list, unless capacity= says another
    # view -> file(s) below data=, or {path:, sheet:, member:, skip:, encoding:, delimiter:, decimal:, timestamp_formats:, rename:, append:,
    # table:, query:, sqlite:}; a select reads it
    files: dict[str, Any] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)  # ready sources: view -> {names:, columns:} by which the export's file is known
    # table -> days from event_at to known_at, where its select gives no known_at; a bare date of another table is known when its day is over
    delay_days: dict[str, float] = field(default_factory=dict)
    timestamp_formats: list[str] = field(default_factory=list)  # how its timestamps are written, such as '%d/%m/%Y'; empty: ISO 8601
    decimal: str = "."  # the sign before decimals: . or ,
    # {url_env: VARIABLE}: the environment variable that holds the address of a PostgreSQL database
    database: dict[str, Any] = field(default_factory=dict)
    # files entry -> its key columns: tables that are edited in place, kept by `make record`
    record: dict[str, list[str]] = field(default_factory=dict)
    # customer or ticket -> where it is looked up, such as customer: "https://crm.example/{customer_id}"; names on pages, spreadsheet and digest lead there
    links: dict[str, str] = field(default_factory=dict)
    between_tables: str = "warn"  # read by nothing; taken so that older files stay as they are
    # target -> its settings here, with outreach:, validation:, tables: of its own; all run unless target= asks
    targets: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)  # keys of validation for this source
    outreach: dict[str, Any] = field(default_factory=dict)  # keys of outreach for this source
    support: dict[str, Any] = field(default_factory=dict)  # keys of support for this source
    features: list[str] = field(default_factory=list)  # feature sets for this source; empty: all
    plugins: list[str] = field(default_factory=list)  # modules with features, targets, models or writers of your own that this source needs
    tables: dict[str, Any] = field(default_factory=dict)  # keys of tables.<table> for this source


@dataclass
class TargetSettings:
    """What is predicted; see conf/target/."""

    name: str = "all"  # the target's name: of its folder, its model and its list; all: each that the source declares
    kind: str = ""  # what is asked: contract, event or silence (churn), contraction, ticket, offer or family (cross_sell)
    horizon_days: int = 90  # how many days ahead the question looks: (cutoff, cutoff + horizon]
    settle_days: int = 0  # outcomes are recorded up to this late; a label closes at cutoff + horizon + settle
    lead_days: int = 0  # an outcome inside (cutoff, cutoff + lead] is too late to act on
    # who is known for less is neither learned from, tested nor listed; 28 is the shortest window that a trend compares; 0: everybody
    min_known_days: int = 28
    active_days: int = 56  # silence, ticket and family: who was active in (cutoff - active_days, cutoff] is asked about
    activity: list[str] = field(default_factory=list)  # silence, ticket and family: the tables whose rows count as activity
    owned_days: int = 150  # family only: what was bought in (cutoff - owned_days, cutoff] is owned
    category: str = ""  # ticket only: tickets of this category alone; empty: any
    priority: str = ""  # ticket only: tickets of this priority alone; empty: any


@dataclass
class ModelSettings:
    """Which kind of model, and how many trials tune it."""

    kind: str = "auto"  # the kind of model that challenges the rule; auto: the number of outcomes decides
    trials: int = 20  # how many settings of a model are tried when it is tuned


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
    contacted: str = "keep"


@dataclass
class FeatureSettings:
    """Which feature sets, lookbacks in days, columns to leave out, and those that somebody vouches for."""

    sets: list[str] = field(default_factory=list)
    lookbacks: list[int] = field(default_factory=lambda: [7, 28, 90, 365])
    leave_out: list[str] = field(default_factory=list)
    trusted: list[str] = field(default_factory=list)


@dataclass
class PolicySettings:
    """What bad, late or missing rows of one table get."""

    on_bad_row: str = "refuse"  # refuse: a run with too many bad rows ends with 3; quarantine: they are set apart and it goes on
    max_bad_share: float = 0.01  # the share of rows that may break the contract before on_bad_row refuses
    # the share of a file's rows that its select must keep; none kept is refused at any share, unless required=false
    least_kept: float = 0.0
    warn_after: Any = None  # an older newest known_at is told, measured at as_of
    error_after: Any = None  # an older newest known_at is refused (4), measured at as_of
    # true: must have rows; null: its files must be there; false: it may be missing or late, and the list is made without it
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

    inputs: list[Any] = field(default_factory=list)  # features with weights and bands; see conf/health_score/example.yaml


@dataclass
class PlaybookSettings:
    """What to do about a reason: family -> play, and target -> family -> play; ``own_plays``: else what a target says itself."""

    plays: dict[str, Any] = field(default_factory=dict)
    # target -> family (or any) -> play; goes before plays and before what a target says itself
    targets: dict[str, Any] = field(default_factory=dict)
    own_plays: bool = False
    # name -> play with its conditions; they go before all others
    cases: dict[str, Any] = field(default_factory=dict)


@dataclass
class OutreachSettings:
    """How a list is decided; each key is told in conf/outreach/default.yaml."""

    capacity: int = 20
    policy: str = "value_above_floor"
    floor: float = 2.0
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
    compare: list[str] = field(default_factory=list)


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
    shadow: bool = False
    memo: bool = True
    force: bool = False  # erase: also an id that nothing below out names
    seed: int = 7
    plugins: list[str] = field(default_factory=list)
    nights: NightSettings = field(default_factory=NightSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    pilot: PilotSettings = field(default_factory=PilotSettings)
    demo: Demo = field(default_factory=Demo)
    tables: dict[str, PolicySettings] = field(default_factory=dict)
    source: SourceSettings = field(default_factory=SourceSettings)
    target: TargetSettings = field(default_factory=TargetSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    outreach: OutreachSettings = field(default_factory=OutreachSettings)
    experiment: ExperimentSettings = field(default_factory=ExperimentSettings)
    support: SupportSettings = field(default_factory=SupportSettings)
    playbook: PlaybookSettings = field(default_factory=PlaybookSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    table: TableSettings = field(default_factory=TableSettings)
    health_score: HealthScoreSettings = field(default_factory=HealthScoreSettings)
    overrides: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Return the output folder, which may not be there yet; that of a shadow lies below the champion's."""
        return Path(self.out, SHADOW) if self.shadow else Path(self.out)


Targets = Callable[[Settings], list[Settings]]
"""Gives the settings of each target to run: the chosen one, or all that the source declares."""

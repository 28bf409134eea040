"""The schema of ``conf/``: a misspelt key or a value of the wrong kind is refused, naming the nearest key."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipelines.groups import HealthScoreSettings, NightSettings, PlaybookSettings, PrivacySettings, TableSettings
from pipelines.outreach import OutreachSettings
from pipelines.outreach import check as check_outreach
from pipelines.refusals import blank_rules, config_error, refuse_code
from prevenance.errors import PrevenanceError, nearest
from prevenance.gates import age
from prevenance.playbook import playbook_of
from prevenance.retention import check as check_retention
from prevenance.sources.demo_switches import LEAKS
from prevenance.tables import TABLES
from prevenance.words import words


@dataclass
class SourceSettings:
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
    tables: dict[str, Any] = field(default_factory=dict)


@dataclass
class TargetSettings:
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
    kind: str = "auto"
    trials: int = 20


@dataclass
class ValidationSettings:
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
    sets: list[str] = field(default_factory=list)
    lookbacks: list[int] = field(default_factory=lambda: [7, 28, 90, 365])
    leave_out: list[str] = field(default_factory=list)


@dataclass
class DemoSettings:
    customers: int = 600
    months: int = 26
    seed: int = 7
    signal: float = 1.0
    churners: int | None = None
    events: int = 50_000_000
    late: bool = True
    duplicates: bool = True
    orphans: bool = True
    bad_cells: bool = True
    opt_outs: bool = True
    bottleneck: bool = True
    season: bool = True
    save_effect: bool = True
    hostile_names: bool = False
    bias: bool = False
    drift: bool = False
    leaks: Any = field(default_factory=list)


@dataclass
class PolicySettings:
    on_bad_row: str = "refuse"
    max_bad_share: float = 0.01
    warn_after: Any = None
    error_after: Any = None
    required: bool | None = None


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
    nights: NightSettings = field(default_factory=NightSettings)
    demo: DemoSettings = field(default_factory=DemoSettings)
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


def keys(schema: type = Settings, prefix: str = "") -> list[str]:
    """Return every dotted key that may be set."""
    found = []
    instance = schema()
    for one in fields(schema):
        value = getattr(instance, one.name)
        found += keys(type(value), f"{prefix}{one.name}.") if is_dataclass(value) else [prefix + one.name]
    if schema is Settings:
        found += [f"tables.{table}.{one.name}" for table in TABLES for one in fields(PolicySettings)]
    return [key for key in found if key not in ("overrides", "tables")]


def settings(composed: DictConfig, overrides: list[str]) -> Settings:
    """Return checked settings: the target's file, then the source's words on it, then the command line.

    Raises:
        PrevenanceError: E201 unknown key, E202 wrong kind, E203 unknown choice or language, E204 ``_target_``.
    """
    refuse_code(composed)
    try:
        OmegaConf.set_struct(composed, False)  # the schema refuses what it does not know; owners and targets under outreach are the user's
        blank_rules(composed)
        merged = OmegaConf.merge(OmegaConf.structured(Settings), composed)
        for group in ("target", "validation", "outreach", "tables"):
            merged = OmegaConf.merge(merged, {group: _source_words(merged, group)})
            for key in (one.lstrip("+").partition("=")[0] for one in overrides):
                if key.startswith(f"{group}."):
                    OmegaConf.update(merged, key, OmegaConf.select(composed, key))
        result: Settings = OmegaConf.to_object(merged)  # type: ignore[assignment]
    except OmegaConfBaseException as problem:
        raise config_error(problem, keys()) from problem
    for table, policy in result.tables.items():
        for key in ("warn_after", "error_after"):
            age(getattr(policy, key), f"tables.{table}.{key}")
        if table not in TABLES:
            raise PrevenanceError("E201", f'tables names "{table}"', key=f"tables.{table}", fix=nearest(table, TABLES))
        if policy.on_bad_row not in ("refuse", "quarantine"):
            raise PrevenanceError(
                "E202", f'"{policy.on_bad_row}" is neither', key=f"tables.{table}.on_bad_row", fix="write refuse or quarantine"
            )
    _positive(result)
    _demo(result.demo)
    check_outreach(result.outreach)
    check_retention(result.privacy.retention.tables, result.privacy.retention.artifacts)
    if result.privacy.review not in ("required", "optional"):
        what = f'"{result.privacy.review}" is neither'
        raise PrevenanceError("E202", what, key="privacy.review", fix="write required or optional")
    if result.playbook.plays:
        playbook_of(result.playbook.plays, result.playbook.targets)
    result.language = words(result.language or result.source.language or "en").language
    result.overrides = list(overrides)
    return result


def _source_words(merged: Any, group: str) -> Any:
    """Return what the source says on a group: its target's words; for the other groups its own, then those under its target."""
    source: Any = OmegaConf.to_container(merged.source)
    said = source["targets"].get(merged.target.name) or {}
    if group == "target":
        return {key: value for key, value in said.items() if key not in ("validation", "outreach", "tables")}
    return OmegaConf.merge(source[group], said.get(group, {}))


def _positive(given: Settings) -> None:
    target, validation = given.target, given.validation
    checked = {
        "target.horizon_days": target.horizon_days,
        "target.active_days": target.active_days,
        "target.owned_days": target.owned_days,
        "validation.step_days": validation.step_days,
        "validation.cutoffs": validation.cutoffs,
        "validation.tests": validation.tests,
        "validation.calibrate": validation.calibrate,
        "validation.max_snapshots": validation.max_snapshots,
        "capacity": 1 if given.capacity is None else given.capacity,
        "model.trials": given.model.trials,
        "demo.customers": given.demo.customers,
    }
    checked |= {"features.lookbacks": min(given.features.lookbacks, default=1)}
    for key, value in checked.items():
        if value < 1:
            raise PrevenanceError("E202", f"{key} is {value}", key=key, fix=f"give a number from 1 on, such as {key}=28")
    for key, value in {"target.settle_days": target.settle_days, "target.lead_days": target.lead_days}.items():
        if value < 0:
            raise PrevenanceError("E202", f"{key} is {value}", key=key, fix="give 0 or more days")


def _demo(given: DemoSettings) -> None:
    for key, value in {"months": given.months, "events": given.events}.items():
        if value < 1:
            raise PrevenanceError(
                "E202", f"demo.{key} is {value}", key=f"demo.{key}", fix=f"give a number from 1 on, such as demo.{key}=24"
            )
    for key, number in {"seed": given.seed, "signal": given.signal, "churners": given.churners or 0}.items():
        if not 0 <= number < float("inf"):
            raise PrevenanceError("E202", f"demo.{key} is {number}", key=f"demo.{key}", fix="give 0 or more")
    names = [given.leaks] if isinstance(given.leaks, str) else given.leaks or []
    for name in names if isinstance(names, list) else [names]:
        if name not in (*LEAKS, "all"):
            raise PrevenanceError("E203", f'no leak is called "{name}"', key="demo.leaks", fix=nearest(str(name), [*LEAKS, "all"]))

"""The settings of experiments: who is held out, when ``make experiment`` looks, and the columns of one that was run elsewhere."""

from dataclasses import dataclass, field


@dataclass
class HoldOutSettings:
    """Who is left alone so that an effect can be measured."""

    share: float = 0.1
    band: float = 0.5
    max_value: float | None = 25_000.0
    key_env: str = "PREVENANCE_HOLDOUT_KEY"
    unit: str = "customer"


@dataclass
class ExperimentSettings:
    """When an experiment is looked at, and the columns of one that was run elsewhere (``file``)."""

    looks: int = 8  # planned looks; others are shown as not planned and decide nothing
    look_weeks: int = 13  # weeks between planned looks
    power: float = 0.8  # how likely an effect as large as assumed is to be seen in the end
    start: str | None = None  # the first day whose draws count; default: the first draw
    unit: str | None = None  # of a file: the column of what was drawn; default: each row is one
    arm: str | None = None  # of a file: the column that says who was to be contacted (1, yes, treatment) and who was not
    outcome: str | None = None  # of a file: the column of the outcome, 0 or 1
    probability: str | None = None  # of a file: how likely a row was to be contacted, a number or a column; default: the share of the arm
    features: list[str] = field(default_factory=list)  # of a file: what was known before; default: every other column of numbers
    avoid: bool = False  # of a file: true: the outcome is to be avoided, as leaving is; false: it is wished for

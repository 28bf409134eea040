"""The record of a ranked list with what it stands on."""

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from prevenance.explain.reasons import RowReasons
from prevenance.features.held import HeldInputs
from prevenance.order.capacity import Room

NO_MODEL = {"rule": "ranked by the simple rule: rules, no model", "health_score": "ranked by your present health score, no model"}
"""What a list says of itself when no model made it."""


@dataclass(frozen=True)
class Floor:
    """The least ``chance`` that is worth a contact (0: none), and the ``base`` rate of the labels that the model learned from."""

    chance: float = 0.0
    base: float | None = None


@dataclass(frozen=True)
class Listed:
    """A ranked list with what it stands on.

    ``ranked`` holds the rows of list.csv, ``decided`` the same rows with the private columns of ``ranking.PRIVATE``; ``inputs`` (what
    features.parquet holds) are those of the whole ``cohort`` (keys, cutoff, state, value_at_stake), row by row. ``weeks`` has a row for
    each customer (the target's keys, week_0 oldest to week_11 now), its moments are ``line``. ``room`` is what fits, ``absent`` how many
    are left out, by reason, ``cooling`` who was contacted lately, ``extra`` further files, ``told`` the reasons by customer_id, ``floor``
    below which nobody is ranked; ``recorded`` whether anything says what was done: contacts, or answers; ``used`` whose contact used up
    this week's capacity, with the owner; ``past`` the chances of everybody at the moments before.
    """

    ranked: pd.DataFrame
    decided: pd.DataFrame
    cohort: pd.DataFrame
    inputs: HeldInputs
    weeks: pd.DataFrame
    line: list[datetime]
    room: Room
    absent: dict[str, int]
    cooling: frozenset[str]
    extra: dict[str, bytes]
    run_id: str
    until: datetime
    notes: list[str]
    told: dict[str, RowReasons]
    floor: Floor = Floor()
    recorded: bool = True
    used: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["customer_id", "owner"]))
    past: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["customer_id", "cutoff", "state0", "score"]))

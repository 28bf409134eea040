"""What a source means, as records: from when to when, how much, who joins; and what looks wrong in meaning though every cell is right."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rows = Callable[[str], list[Any]]
"""Asks the engine; UNTIL in the question stands for: happened until as_of."""


@dataclass(frozen=True)
class TableMeaning:
    """A table's first and last day (of events until as_of), and how many customers, and which share of all, have a row of it."""

    table: str
    first: str
    last: str
    customers: int
    share: float


@dataclass(frozen=True)
class Oddity:
    """Something that looks wrong in meaning: ``what`` and ``fix`` are sayings, ``code`` its kind. No value of a personal column is in it."""

    code: str
    table: str
    what: str
    fix: str


@dataclass(frozen=True)
class Meaning:
    """What the tables mean together; ``tickets_a_month`` of the last twelve months, ``contracts_running`` at as_of; ``None`` without such a table."""

    tables: tuple[TableMeaning, ...]
    tickets_a_month: float | None
    contracts_running: int | None
    oddities: tuple[Oddity, ...]

"""What reading and an intake give: the engine with canonical tables, what became of every row, and what bad rows get."""

from dataclasses import dataclass, field

import duckdb

NO_ROW = "no_row"
"""Reason of a line in a file that is no row of its table: its header again, a total, words around it."""


MONEY = r".*(currency|währung|waehrung|devise|monnaie|moneda|divisa)\W*(code|iso)?"
"""Names of columns that say in which money an amount is."""


class ReadWhole(Exception):
    """What is kept of files that only grow does not tell all that reading them would: they are to be read as a whole."""


@dataclass
class Loaded:
    """What reading a ``files`` entry gave: columns of ``raw.<view>``, (file, line) of rows that do not fit, header names that stand there twice.

    ``no_rows`` are (file, line) of lines that are no rows at all. ``special`` says which columns were dropped because nobody may use them,
    ``gone`` why there is nothing at all, ``said`` what was recognised and nobody declared. ``files`` are what ``_file`` says, ``currencies``
    the money words of a column that has several, ``size`` the bytes of the rows of a database.
    """

    columns: list[str]
    ragged: list[tuple[str, int]] = field(default_factory=list)
    twice: set[str] = field(default_factory=set)
    no_rows: list[tuple[str, int]] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    gone: str = ""
    said: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    currencies: dict[str, list[str]] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True)
class Policy:
    """What bad rows of one table get: above ``max_bad_share`` the run refuses, unless ``on_bad_row`` is ``quarantine``.

    A table with ``required=True`` must have rows, one with ``False`` may be missing; undecided, it must be there and may be empty (never
    that of customers). A select that keeps no row of a file, or a smaller share than ``least_kept``, is refused unless ``required=False``.
    """

    on_bad_row: str = "refuse"
    max_bad_share: float = 0.01
    required: bool | None = None
    least_kept: float = 0.0


@dataclass(frozen=True)
class FileRows:
    """What became of a file's rows in the select of one table: ``raw`` = ``reached`` + ``dropped``; both are ``None`` where it cannot be traced.

    A select that gives no ``_file``, ``_line``, or only looks something up in the file, cannot be traced.
    """

    raw: int
    reached: int | None = None
    dropped: int | None = None

    @property
    def balanced(self) -> bool:
        """Return whether no row was lost on the way."""
        return self.reached is None or self.dropped is None or (self.dropped >= 0 and self.raw == self.reached + self.dropped)


@dataclass
class Counts:
    """What became of the rows of one table, and before of the rows of each file that its select reads."""

    read: int = 0
    used: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    newest_known_at: str = ""
    warnings: dict[str, int] = field(default_factory=dict)
    files: dict[str, FileRows] = field(default_factory=dict)


@dataclass
class Intake:
    """Canonical tables in the engine (``canonical.*``, ``quarantine.*``), with their counts and what was noticed.

    ``currencies`` are the money words of a raw ``view.column`` that has several and that no select reads. ``columns`` are those that a
    table's select gives; ``met`` says of a (table, reason) where its first row is (file:line) and how many customers have one; ``words``
    how many cells of a (table, column) hold a word for "no number"; ``whole`` are (table, reason) that take every value of a column. Of the
    views in ``partial`` the engine has only the rows that are new.
    """

    con: duckdb.DuckDBPyConnection
    counts: dict[str, Counts]
    messages: list[str]
    derived_customers: bool = False
    samples: dict[tuple[str, str], str] = field(default_factory=dict)
    hints: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    met: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    words: dict[tuple[str, str], int] = field(default_factory=dict)
    whole: set[tuple[str, str]] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)
    currencies: dict[str, list[str]] = field(default_factory=dict)

"""What was found in a folder of exports: files with their columns, and what could not be decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DATE, HOUR, NUMBER, MONEY, FLAG, TEXT, BLANK = "date", "hour", "number", "money", "yes or no", "text", "blank"
"""What the values of a column are; MONEY is a number with signs, blanks or separators of thousands around."""


MOST = 0.95
"""The share of rows from which on nearly all have it."""


@dataclass(frozen=True)
class Column:
    """A column as its values show it: ``values`` are the commonest of a bounded sample, commonest first; ``formats`` read its dates.

    ``unique``: no value stands there twice. ``timed``: dates with an hour and no offset. ``either``: day and month may stand in either order.
    ``comma``: numbers with a decimal comma. ``read`` is SQL that gives its value, X for the column. ``hour`` is the column that holds the
    hour of its days, ``hour_read`` SQL that gives it.
    """

    name: str
    kind: str
    filled: float
    distinct: int
    unique: bool
    values: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    timed: bool = False
    either: bool = False
    comma: bool = False
    read: str = "X"
    hour: str = ""
    hour_read: str = "X"

    @property
    def is_category(self) -> bool:
        """Return whether it has few values, which repeat."""
        return self.kind in (TEXT, FLAG) and 0 < self.distinct <= 60 and not self.unique

    def names_rows(self, rows: int) -> bool:
        """Return whether nearly every one of ``rows`` has a value of its own; a few that come twice are found by the contract, and told."""
        return self.filled >= MOST and self.distinct >= MOST * self.filled * rows

    @property
    def is_key(self) -> bool:
        """Return whether its values may name somebody or something."""
        return self.kind in (TEXT, NUMBER) and self.distinct > 1


@dataclass
class Found:
    """A table in the folder: its view, its entry of ``files``, how its file is called, its columns and rows."""

    view: str
    given: dict[str, Any]
    title: str
    columns: list[Column]
    rows: int

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(one for one in self.columns if one.name == name)


@dataclass(frozen=True)
class Link:
    """How a file says whose row it is: its column, and the other file's columns where it is looked up there (``view`` empty: it says it itself).

    ``form`` is SQL for the form in which the ids of both are one, X for the cell; empty as they stand.
    """

    column: str
    view: str = ""
    other: str = ""
    customer: str = ""
    share: float = 1.0
    form: str = ""


@dataclass
class Part:
    """A file that is taken for a canonical table: which column has which role, whose row it is, and how its steps are told apart (SQL, for a log).

    Of use: ``each`` are roles whose numbers become so many rows, ``counts`` columns that become use with a quantity, ``people`` numbers of people.
    ``only`` is SQL for the rows that count, where some never were; ``backs`` are event, SQL for its rows, and column of the invoice
    that they take back. Of tickets: ``closed`` is SQL for those that have a closing row though its time is blank, so that it is set apart and told.
    ``form`` is SQL for the form that ids of customers have in every select, X for the id; empty as they stand.
    """

    table: str
    file: Found
    roles: dict[str, str]
    link: Link | None = None
    why: str = ""
    steps: str = ""
    each: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    closed: str = ""
    only: str = ""
    backs: tuple[tuple[str, str, str], ...] = ()
    form: str = ""

    @property
    def rows_from(self) -> str:
        """Return what its select reads: its view, or what is made of it above."""
        return "steps" if self.steps else "looked_up" if self.link and self.link.view else self.file.view


@dataclass
class Guess:
    """A guessed source: its yaml's keys, selects with their comments by table, questions in order, and what is told of the files.

    ``columns`` are those of each file, ``ids`` the customers that each ready source knows.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    selects: dict[str, str] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)

    def ask(self, what: str, fix: str) -> None:
        """Add a question, and what to do about it."""
        self.questions.append(f"{what}\n   {fix}")

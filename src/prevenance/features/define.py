"""What a feature is: data, without a clock.

A definition names a table, a value and a lookback; it never sees a cutoff, so its author cannot look ahead. Windows
are ``(cutoff - days, cutoff]``; the builder alone knows the cutoff. A phrase is what a customer-success manager reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from prevenance.base.working import TeamHours

Worse = Literal["more", "less", "unsaid"] | None
"""Which way is bad for the relation: more of it, less of it, or neither (None: context, never a risk). Who says nothing means None."""


@dataclass(frozen=True)
class Count:
    """Number of rows in the window; 0 where there is none."""


@dataclass(frozen=True)
class OfColumn:
    """A value that is read from one column of the table."""

    column: str


class Sum(OfColumn):
    """Sum of a number column in the window; 0 where there is no row. Exact (DECIMAL), never a float sum."""


class Mean(OfColumn):
    """Sum over number of rows that have a value; null where none has."""


class Min(OfColumn):
    """Smallest value in the window; null where none."""


class Max(OfColumn):
    """Largest value in the window; null where none."""


class Last(OfColumn):
    """Value of the last row that has one, in the window; ties by (event_at, known_at, value). Null where none."""


class Distinct(OfColumn):
    """Number of different non-null values of a column in the window (``day`` counts the UTC days with a row)."""


@dataclass(frozen=True)
class DaysSince:
    """Days (with fractions) from the last row in the window to the cutoff; null where none."""


Value = Count | Sum | Mean | Min | Max | Last | Distinct | DaysSince


@dataclass(frozen=True)
class Feature:
    """A value over the rows of ``table`` that satisfy ``where`` in ``(cutoff - days, cutoff]``.

    ``days=None`` looks back to the beginning. ``where`` is a portable SQL condition over the table's columns.
    ``phrase`` formats ``{value}``; ``changeable`` says whether a customer-success manager can move it, ``worse`` which way is bad.
    A sum that follows the calendar (monthly invoices in 90 days) says ``each``: the phrase of its mean row, which alone can be compared from
    window to window.
    """

    name: str
    table: str
    value: Value
    phrase: str
    where: str = ""
    days: int | None = None
    changeable: bool = True
    worse: Worse = "unsaid"
    each: str = ""


@dataclass(frozen=True)
class Trend:
    """A feature's window now against the window of equal length just before it.

    ``(now - before) / (now + before)``: -1 gone, 0 steady, +1 from nothing; null where both are 0. ``of`` names a
    Count, Sum or Distinct feature with ``days``; its window before is ``(cutoff - 2*days, cutoff - days]``. The builder also gives the column
    ``<name>_before``. ``phrase`` formats ``{now}``, ``{before}`` and ``{value}``. Which way is bad is what its feature says.
    """

    name: str
    of: str
    phrase: str
    changeable: bool = True


@dataclass(frozen=True)
class Ratio:
    """One finished column over another; null where the second is 0 or null. ``phrase`` formats ``{value}``, ``{top}``, ``{bottom}``."""

    name: str
    top: str
    bottom: str
    phrase: str
    changeable: bool = True
    worse: Worse = "unsaid"


@dataclass(frozen=True)
class State:
    """Columns that are no window: one SQL over rows already known at the cutoff.

    In ``sql`` each name of ``tables`` is a view of that canonical table's rows visible at the cutoff (all its columns,
    ``age_days`` = days from event_at to the cutoff, and ``cutoff``), limited to customers of the snapshots and, where ``days`` is set, to
    ``(cutoff - days, cutoff]``; ``snapshots`` has customer_id and cutoff. The select returns ``customer_id`` and one
    column per key of ``columns`` (column name -> phrase with ``{value}``); a customer without a row gets nulls.
    Ages and spans are fractions of days: use ``epoch_us(a - b)``-style integers, no float sums over rows.
    With ``pair`` the row is a customer, a product and a cutoff: ``snapshots`` and the select have ``product_id`` too, and the views hold
    every customer, because what others own says what fits.
    ``categories`` are the columns that hold text. ``background`` names columns that nobody can change (industry, age).
    ``worse`` says of each column which way is bad; those it leaves out are like those of a feature that says nothing.
    ``alone`` says that the SQL treats each customer alone: everywhere it groups, joins and partitions by customer_id, or, for tables
    without customers, by ``cutoff``, and asks of ids nothing but whether two are equal. Several cutoffs are then asked in one statement
    (a customer's id, and a parent's, is another one at each), which gives the same and costs less.
    With ``hours`` the SQL may count working time (``working_seconds_sql``): ``open_hours`` are the open intervals of every calendar over all
    rows of ``tables`` up to the cutoff, ``team_hours`` says which teams have a calendar of their own.
    ``needs`` says of a column which row (a condition over the first of ``tables``) some customer must have had: where no such row was known
    yet, the source does not record what the column is about, and it is null.
    """

    name: str
    tables: tuple[str, ...]
    sql: str
    columns: dict[str, str] = field(hash=False)
    days: int | None = None
    categories: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    pair: bool = False
    alone: bool = False
    worse: Mapping[str, Worse] = field(default_factory=dict, hash=False)
    hours: TeamHours | None = None
    needs: Mapping[str, str] = field(default_factory=dict, hash=False)


Definition = Feature | Trend | Ratio | State


def columns_of(definition: Definition) -> tuple[str, ...]:
    """Return the names of the columns that a definition gives."""
    if isinstance(definition, State):
        return tuple(definition.columns)
    return (definition.name, f"{definition.name}_before") if isinstance(definition, Trend) else (definition.name,)


def worse_of(definitions: Sequence[Definition]) -> dict[str, Worse]:
    """Return column -> which way is bad for the relation, "unsaid" where a definition does not say; a trend is as bad as what it is of."""
    found: dict[str, Worse] = {}
    for one in definitions:
        if isinstance(one, State):
            found |= {column: one.worse.get(column, "unsaid") for column in one.columns}
        elif isinstance(one, Trend):
            found |= dict.fromkeys(columns_of(one), found.get(one.of, "unsaid"))
        else:
            found[one.name] = one.worse
    return found


def parts_of(definition: Definition) -> tuple[str, ...]:
    """Return the columns of other definitions that one is made from; none for what is read from tables."""
    if isinstance(definition, Ratio):
        return definition.top, definition.bottom
    return (definition.of,) if isinstance(definition, Trend) else ()

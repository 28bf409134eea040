"""Several cutoffs in one statement, for SQL that treats each customer alone: a customer's id is another one at each cutoff.

The engine spends milliseconds on planning a statement, whatever it reads: asked cutoff by cutoff, a small company costs almost nothing else.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from prevenance.history.history import OWN_COLUMNS, History, upcoming_each_sql, visible_each_sql
from prevenance.tables.canonical import TABLES

ROWS = 4_000_000
"""Rows of a table, counted once for each cutoff, that one statement may see; a larger table is asked for fewer cutoffs at once."""


def cutoffs_at_once(history: History, rows: Iterable[str], cutoffs: Sequence[datetime], *, alone: bool) -> list[list[datetime]]:
    """Return ``cutoffs`` in the parts in which they are asked of ``rows`` (SQL, a table each): each by itself unless the SQL treats customers ``alone``."""
    size = 1
    if alone:
        largest = max((history.con.execute(f"select count(*) from {one}").fetchall()[0][0] for one in rows), default=0)
        size = max(1, ROWS // max(1, largest))
    return [list(cutoffs[first : first + size]) for first in range(0, len(cutoffs), size)]


def own_id_sql(name: str, cutoffs: Sequence[datetime]) -> str:
    """Return SQL for the id in the column ``name`` as it is at the row's cutoff, one of ``cutoffs``, alone: short, as the engine counts by it."""
    return _own_id(name, f"list_position({_list(cutoffs)}, cutoff)")


def true_id_sql(name: str) -> str:
    """Return SQL for the customer's id in what ``own_id_sql`` gave."""
    return f"regexp_replace({name}, '\\x1f[0-9]+$', '')"


def own_cutoff_sql(name: str, cutoffs: Sequence[datetime]) -> str:
    """Return SQL for the cutoff in what ``own_id_sql`` gave."""
    return f"({_list(cutoffs)})[cast(string_split({name}, chr(31))[-1] as bigint)]"


def own_rows_sql(table: str, cutoffs: Sequence[datetime], rows: str = "") -> str:
    """Return SQL for the rows of ``table`` (of ``rows``, where given) visible at each of ``cutoffs``, with ids of its own at each."""
    return visible_each_sql(table, cutoffs, rows=rows, columns=_own_ids(table))


def own_upcoming_sql(table: str, cutoffs: Sequence[datetime], horizon_days: float, settle_days: float) -> str:
    """Return SQL for what came after each of ``cutoffs``, as ``history.upcoming_sql``, with ids of its own at each; only labels may ask this."""
    return upcoming_each_sql(table, cutoffs, horizon_days, settle_days, columns=_own_ids(table))


def _own_ids(table: str) -> str:
    ids = [f"{_own_id(name, 'cutoff_number')} as {name}" for name in ("customer_id", "parent_id") if name in TABLES[table].names]
    return f"{OWN_COLUMNS} replace ({', '.join(ids)})" if ids else OWN_COLUMNS


def _own_id(name: str, number: str) -> str:
    return f"{name} || chr(31) || {number}"


def _list(cutoffs: Sequence[datetime]) -> str:
    moments = (f"timestamp '{cutoff}'" for cutoff in sorted(set(cutoffs)))
    return f"[{', '.join(moments)}]"

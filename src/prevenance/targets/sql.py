"""What the SQL of targets is put together from; loads nothing heavy, because settings ask which targets there are."""

import re
from collections.abc import Sequence

from prevenance.base.errors import PrevenanceError
from prevenance.tables.canonical import TABLES

_ACTING = {"purchases": " where coalesce(amount, 0) >= 0 and coalesce(quantity, 0) >= 0"}
"""Table -> which of its rows show that the customer does something, where not all do."""


def acting_rows(table: str, days: int) -> str:
    """Return SQL for the ``customer_id`` of the rows of ``table`` in ``(cutoff - days, cutoff]`` that are activity."""
    return f"select customer_id from {table}{_ACTING.get(table, ' where true')} and age_days < {days}"


def activity_rows(tables: Sequence[str], prefix: str = "") -> str:
    """Return SQL for ``customer_id, event_at`` of any row of ``tables``; what comes back (a return, a refund) is no activity.

    Raises:
        PrevenanceError: E203 for a name that is no table of customers.
    """
    for table in tables:
        if table not in TABLES or not TABLES[table].per_customer:
            fix = "use usage, tickets, purchases, contacts or feedback"
            raise PrevenanceError("E203", f'activity names "{table}", which is no table of customers', key="target.activity", fix=fix)
    return " union all ".join(f"select customer_id, event_at from {prefix}{table}{_ACTING.get(table, '')}" for table in tables)


def plain_name(text: str) -> str:
    """Return a choice from a setting, refused unless it is plain text (it goes into SQL as a string).

    Raises:
        PrevenanceError: E209.
    """
    if not re.fullmatch(r"[\w .,/&-]{1,80}", text):
        raise PrevenanceError("E209", f'"{text[:40]}" is no plain name', key="target", fix="use letters, digits and spaces")
    return text.replace("'", "''")

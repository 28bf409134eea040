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


def standing_sql(rows: str = "subscriptions", keys: str = "customer_id") -> str:
    """Return SQL for one row per subscription (and ``keys``): how it stands after the last of ``rows``.

    It runs unless its newest event besides notices, ``last_event``, is ``ended``; a notice holds (``noticed``) until a later start or
    renewal. ``mrr``, ``seats`` and ``ends_on`` are the last values known, or null.
    """
    return f"""
    select {keys}, subscription_id, mrr, seats, last_event, noticed, ends_on from (
        select {keys}, subscription_id,
            max({{'at': event_at, 'known': known_at, 'rank': case event when 'ended' then 2 when 'started' then 0 else 1 end, 'event': event}})
                filter (where event <> 'notice') as newest,
            max({{'at': event_at, 'known': known_at, 'mrr': mrr}}) filter (where mrr is not null) as paid,
            max({{'at': event_at, 'known': known_at, 'seats': seats}}) filter (where seats is not null) as used,
            max({{'at': event_at, 'known': known_at, 'ends_on': ends_on}}) filter (where event <> 'notice' or ends_on is not null) as planned,
            max(event_at) filter (where event = 'notice') as notice_at,
            max(event_at) filter (where event in ('started', 'renewed')) as began_at
        from {rows} group by {keys}, subscription_id)
    cross join lateral (select (newest).event as last_event, (paid).mrr as mrr, (used).seats as seats, (planned).ends_on as ends_on,
        coalesce(notice_at >= began_at or (began_at is null and notice_at is not null), false) as noticed)
    """

"""Who is not to be contacted, as far as the tables say it: each question asked as of a moment, by both clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from prevenance.features.tickets import URGENT
from prevenance.history.history import History, rows_sql, visible_each_sql
from prevenance.history.once import asked_once
from prevenance.tables.contracts import standing_sql
from prevenance.targets.churn import MONEY, running_sql


@dataclass(frozen=True)
class Peace:
    """How long a customer is left in peace, in days: after a contact, while nothing is heard of an escalation, after a wrong alarm.

    An answer counts from its list's cutoff in a ``static`` source, else from the day on which it was given, in the time ``zone``.
    """

    cooldown_days: float
    escalation_days: float
    wrong_alarm_days: float
    static: bool
    zone: str


PERSONAL = ("call", "email", "meeting", "training")
"""Kinds of contact after which a customer is left in peace; a campaign is none."""


@asked_once
def newest_contacts(
    history: History, moments: Sequence[datetime], days: float, kinds: Sequence[str] = PERSONAL
) -> dict[datetime, pd.Series]:
    """Return, for each moment, when one whom somebody of ours contacted in person in ``(moment - days, moment]``, by one of ``kinds``, was so last.

    A series has customer_id as its index, naive UTC.
    """
    if "contacts" not in history.tables or days <= 0 or not moments:
        return {moment: pd.Series([], index=pd.Index([], dtype="str"), dtype="datetime64[us]") for moment in moments}
    named = ", ".join(f"'{kind}'" for kind in kinds)
    asked = f"""
        select cutoff, customer_id, max(event_at) as told from {visible_each_sql("contacts", moments, f"direction = 'out' and kind in ({named})")}
        where age_days < {float(days)} group by all"""
    return _by_moment(history, moments, asked)


def open_escalations(history: History, moments: Sequence[datetime], days: float) -> dict[datetime, set[str]]:
    """Return, for each moment, the customers with an open escalation: a ticket escalated, and neither resolved nor closed.

    A ticket of which nothing was heard in ``(moment - days, moment]`` was forgotten and no longer counts.
    """
    return _open_tickets(history, moments, days, "event = 'escalated'")


def open_urgent_tickets(history: History, moments: Sequence[datetime], days: float) -> dict[datetime, set[str]]:
    """Return, for each moment, the customers with a ticket that was opened as urgent and is open; forgotten as ``open_escalations`` are."""
    return _open_tickets(history, moments, days, URGENT)


@asked_once
def _open_tickets(history: History, moments: Sequence[datetime], days: float, which: str) -> dict[datetime, set[str]]:
    found: dict[datetime, set[str]] = {moment: set() for moment in moments}
    # No tickets known is no open escalation; a source without them would silence everybody.
    if "tickets" not in history.tables or not found:
        return found
    # Few tickets are ever such, fewer of late: of the others nothing is asked.
    late = f"event_at > timestamp '{min(moments)}' - to_seconds({float(days) * 86_400})"
    lately = f"ticket_id in (select ticket_id from canonical.tickets where {which}) and ticket_id in (select ticket_id from canonical.tickets where {late})"
    asked = f"""
        select distinct cutoff, customer_id from (
            select cutoff, customer_id, bool_or({which}) as is_such, min(age_days) as silent_days,
                arg_max(event, (event_at, known_at, case when event in ('resolved', 'closed') then 1 else 0 end))
                    filter (where event in ('opened', 'escalated', 'reopened', 'resolved', 'closed')) as standing
            from {visible_each_sql("tickets", moments, lately)}
            group by cutoff, customer_id, ticket_id)
        where is_such and standing not in ('resolved', 'closed') and silent_days < {float(days)}"""
    for moment, customer in history.con.execute(asked).fetchall():
        found[moment].add(customer)
    return found


def yearly_revenue(history: History, moments: Sequence[datetime]) -> dict[datetime, pd.Series]:
    """Return, for each moment, customer_id -> what each customer with running contracts pays a year; empty where no contracts are known."""
    known = history.answers.setdefault(yearly_revenue, {})
    # lists of several targets look back on moments of which most are the same
    if asked := sorted(set(moments) - known.keys()):
        known |= _yearly_revenue(history, asked)
    return {moment: known[moment] for moment in moments}


def _yearly_revenue(history: History, moments: Sequence[datetime]) -> dict[datetime, pd.Series]:
    if "subscriptions" not in history.tables:
        return {moment: pd.Series([], index=pd.Index([], dtype="str"), dtype="float64") for moment in moments}
    first, last = min(moments), max(moments)
    # what a customer pays changes with a row: of those without one in between the first moment says it for all
    seen = "greatest(event_at, known_at)"
    moved = f"select customer_id from {rows_sql('subscriptions')} where {seen} > timestamp '{first}' and {seen} <= timestamp '{last}'"

    def paid(cutoffs: Sequence[datetime], who: str) -> str:
        rows = visible_each_sql("subscriptions", cutoffs, f"customer_id {who} ({moved})")
        return f"select cutoff, customer_id, {MONEY} as told from ({running_sql(standing_sql(rows, 'cutoff, customer_id'))}) group by all having told is not null"

    at_all = ", ".join(f"(timestamp '{moment}')" for moment in moments)
    steady = f"select asked.cutoff, customer_id, told from ({paid([first], 'not in')}) as paid, (values {at_all}) as asked(cutoff)"
    return _by_moment(history, moments, f"from ({steady} union all {paid(moments, 'in')})")


def _by_moment(history: History, moments: Sequence[datetime], query: str) -> dict[datetime, pd.Series]:
    """Return, for each moment, customer_id -> what a query that gives cutoff, customer_id and told says of it."""
    rows = history.con.execute(f"{query} order by cutoff, customer_id").df()
    parts = {moment: rows[rows["cutoff"] == pd.Timestamp(moment)] for moment in moments}
    return {moment: part["told"].set_axis(pd.Index(part["customer_id"], dtype="str")) for moment, part in parts.items()}

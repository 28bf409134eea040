"""Who is not to be contacted, as far as the tables say it: each question asked as of a moment, by both clocks."""

from dataclasses import dataclass
from datetime import datetime

from prevenance.history.history import History, visible_sql
from prevenance.targets.churn import ACTIVE, MONEY


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


def contacted_customers(history: History, moment: datetime, days: float) -> set[str]:
    """Return the customers whom somebody of ours contacted in person in ``(moment - days, moment]``."""
    if "contacts" not in history.tables or days <= 0:
        return set()
    kinds = ", ".join(f"'{kind}'" for kind in PERSONAL)
    asked = f"select distinct customer_id from {visible_sql('contacts', moment, days)} where direction = 'out' and kind in ({kinds})"
    return {row[0] for row in history.con.execute(asked).fetchall()}


def escalated_customers(history: History, moment: datetime, days: float) -> set[str]:
    """Return the customers with an open escalation: a ticket escalated, and at ``moment`` neither resolved nor closed.

    A ticket of which nothing was heard in ``(moment - days, moment]`` was forgotten and no longer counts.
    """
    # No tickets known is no open escalation; a source without them would silence everybody.
    if "tickets" not in history.tables:
        return set()
    asked = f"""
        select distinct customer_id from (
            select customer_id, bool_or(event = 'escalated') as was_escalated, min(age_days) as silent_days,
                arg_max(event, (event_at, known_at, case when event in ('resolved', 'closed') then 1 else 0 end))
                    filter (where event in ('opened', 'escalated', 'reopened', 'resolved', 'closed')) as standing
            from {visible_sql("tickets", moment)} group by customer_id, ticket_id)
        where was_escalated and standing not in ('resolved', 'closed') and silent_days < {float(days)}"""
    return {row[0] for row in history.con.execute(asked).fetchall()}


def yearly_revenue(history: History, moment: datetime) -> dict[str, float]:
    """Return what each customer with running contracts pays a year; empty where no contracts are known."""
    if "subscriptions" not in history.tables:
        return {}
    asked = (
        f"with subscriptions as (select * from {visible_sql('subscriptions', moment)}) "
        f"select customer_id, {MONEY} as yearly from ({ACTIVE}) group by customer_id"
    )
    return {customer: value for customer, value in history.con.execute(asked).fetchall() if value is not None}

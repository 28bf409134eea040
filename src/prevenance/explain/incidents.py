"""What happened to a customer lately, as rows of one shape, and the words for them.

A row has customer_id, event_at, kind (ticket, contact, invoice, contract, feedback), what, detail (text), amount and before (numbers).
"""

from collections.abc import Callable
from datetime import datetime

from prevenance.explain.note import contact_name
from prevenance.features.invoices import SETTLED_SQL
from prevenance.history.history import History, visible_sql
from prevenance.words import Words

YEAR = 365
"""Days that a timeline reaches back."""


def incidents_sql(history: History, cutoff: datetime) -> str:
    """Return SQL for everything told of, in ``(cutoff - 365 days, cutoff]``, of the customers in the temp table ``asked``; "" where no table tells anything."""
    parts = [part(cutoff) for name, part in PARTS.items() if name in history.tables]
    return " union all ".join(f"({part})" for part in parts)


def incident_text(say: Words, kind: str, what: str, detail: str | None, amount: float | None, before: float | None) -> str:
    """Return one row in words; an unknown ``what`` is told by its kind alone."""
    if kind == "ticket":
        return _ticket(say, what, detail, amount)
    if kind == "contact":
        return _contact(say, what, detail)
    if kind == "invoice":
        return _invoice(say, what, int(amount or 0))
    if kind == "feedback":
        words = {"nps": "NPS", "csat": "CSAT", "ces": "CES"}.get(what) or say("Review")
        return words if amount is None else say("{kind}: {score}", kind=words, score=_number(say, amount))
    return _contract(say, what, detail, amount, before)


def _visible(table: str, cutoff: datetime, days: float | None = None) -> str:
    return f"(select * from {visible_sql(table, cutoff, days)} where customer_id in (select customer_id from asked))"


def _tickets(cutoff: datetime) -> str:
    return (
        "select customer_id, event_at, 'ticket' as kind, event as what, case when event = 'opened' then lower(priority) end as detail, "
        f"cast(score as double) as amount, null::double as before from {_visible('tickets', cutoff, YEAR)} "
        "where event in ('opened', 'reopened', 'resolved', 'escalated', 'rated')"
    )


def _contacts(cutoff: datetime) -> str:
    return (
        "select customer_id, event_at, 'contact' as kind, kind as what, direction as detail, null::double as amount, null::double as before "
        f"from {_visible('contacts', cutoff, YEAR)} where kind <> 'campaign'"
    )


def _feedback(cutoff: datetime) -> str:
    return (
        "select customer_id, event_at, 'feedback' as kind, kind as what, null as detail, cast(score as double) as amount, "
        f"null::double as before from {_visible('feedback', cutoff, YEAR)}"
    )


def _invoices(cutoff: datetime) -> str:
    """Return the SQL of late invoices: on the day they were paid, or on the day they fell due if they still are not."""
    return f"""
        select customer_id, coalesce(paid_at, due_on) as event_at, 'invoice' as kind,
          case when paid_at is null then 'overdue' else 'paid late' end as what, null as detail,
          floor(epoch_us(coalesce(paid_at, cutoff) - due_on) / 86400000000.0) as amount, null::double as before
        from (with invoices as (select * from {_visible("invoices", cutoff)}), {SETTLED_SQL} select * from bills)
        where epoch_us(coalesce(paid_at, cutoff) - due_on) >= 86400000000
          and (paid_at is not null or (settled_at is null and not voided and coalesce(amount, 1) > 0))
          and coalesce(paid_at, due_on) > cutoff - interval '{YEAR}' day"""


def _subscriptions(cutoff: datetime) -> str:
    """Return the SQL of contract events, with what changed in seats or plan since the row before."""
    return f"""
        select customer_id, event_at, 'contract' as kind,
          case when event <> 'changed' then event when seats <> seats_before then 'seats' when plan <> plan_before then 'plan'
            else event end as what,
          case when event = 'changed' and not coalesce(seats <> seats_before, false) and plan <> plan_before
            then plan_before || ' → ' || plan end as detail,
          cast(case when event = 'changed' then seats end as double) as amount,
          cast(case when event = 'changed' then seats_before end as double) as before
        from (
          select *, lag(seats ignore nulls) over past as seats_before, lag(plan ignore nulls) over past as plan_before
          from {_visible("subscriptions", cutoff)}
          window past as (partition by customer_id, subscription_id order by event_at, known_at, event)
        ) where age_days < {YEAR}"""


PARTS: dict[str, Callable[[datetime], str]] = {
    "tickets": _tickets,
    "contacts": _contacts,
    "feedback": _feedback,
    "invoices": _invoices,
    "subscriptions": _subscriptions,
}
"""Table -> the SQL of what it tells."""


def _ticket(say: Words, what: str, priority: str | None, score: float | None) -> str:
    if what == "opened":
        return say("Ticket opened ({priority})", priority=priority) if priority else say("Ticket opened")
    if what == "rated":
        return say("Ticket rated {score}", score=_number(say, score)) if score is not None else say("Ticket rated")
    if what == "reopened":
        return say("Ticket reopened")
    return say("Ticket resolved") if what == "resolved" else say("Ticket escalated")


def _contact(say: Words, kind: str, direction: str | None) -> str:
    named = contact_name(say, kind)
    return say("{contact}, by the customer", contact=named) if direction == "in" else named


def _invoice(say: Words, what: str, days: int) -> str:
    if what == "overdue":
        return say.many("Invoice due and not paid for {n} day", "Invoice due and not paid for {n} days", days)
    return say.many("Invoice paid {n} day late", "Invoice paid {n} days late", days)


def _contract(say: Words, what: str, detail: str | None, amount: float | None, before: float | None) -> str:
    if what == "seats" and amount is not None and before is not None:
        return say("Seats {before} → {now}", before=say.number(before, 0), now=say.number(amount, 0))
    if what == "plan" and detail:
        return say("Plan {change}", change=detail)
    words = {
        "started": say("Contract started"),
        "renewed": say("Contract renewed"),
        "notice": say("Notice given"),
        "ended": say("Contract ended"),
    }
    return words.get(what, say("Contract changed"))


def _number(say: Words, value: float) -> str:
    return say.number(value, 0 if float(value).is_integer() else 1)

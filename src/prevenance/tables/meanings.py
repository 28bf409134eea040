"""What each canonical table and column means, for who writes a select: the documentation's page of tables is made of it."""

TABLE_MEANS = {
    "customers": "who the customer is, and what changed: one row a state from one moment on",
    "subscriptions": "contracts: one row a step in the life of one",
    "usage": "what people do in the product",
    "tickets": "requests to support: one row a step in the life of one",
    "invoices": "bills: issued, paid, reminded, credited, voided",
    "feedback": "scores that customers gave",
    "purchases": "lines of orders; a return has a negative amount or quantity, and is no purchase and no activity",
    "contacts": "when we and the customer talked or wrote",
    "consents": "who may be contacted for what; a no that cannot be read counts as a no",
    "products": "what can be sold: one row a version of a product from one moment on",
    "releases": "new versions of products",
}
"""Table -> what one of its rows is."""

COLUMN_MEANS = {
    "customer_id": "whose row it is; text, taken to the letter",
    "event_at": "when it happened",
    "known_at": "when we knew it; where the select gives none, `delay_days` after `event_at`, or when the day of a bare date is over",
    "product_id": "which product; the same ids in every table",
    "name": "what people call it",
    "plan": "the plan, as the source calls it",
    "family": "the family that the product belongs to",
    "quantity": "how much of it",
    "amount": "money, in the source's currency",
    "channel": "by which way: e-mail, phone, chat, ...",
    "score": "the number that the customer gave",
    "customers.segment": "the group that the customer counts as, such as small or large",
    "customers.industry": "what the customer does",
    "customers.country": "where the customer is",
    "customers.language": "what the customer speaks",
    "customers.owner": "who of ours looks after the customer; hours are counted by owner",
    "customers.parent_id": "the customer_id of the company that it belongs to; accounts of one parent count as one",
    "subscriptions.subscription_id": "which contract",
    "subscriptions.event": "started, changed, renewed, notice (who leaves said so) or ended",
    "subscriptions.seats": "seats paid for from this step on; empty: as before",
    "subscriptions.mrr": "revenue a month from this step on; empty: as before",
    "subscriptions.renews_on": "when it renews next",
    "subscriptions.ends_on": "when it ends, where that is agreed",
    "usage.user_id": "which person of the customer",
    "usage.kind": "login, use (of a feature) or error",
    "usage.feature": "which feature was used; the names in `products.features`",
    "tickets.ticket_id": "which ticket",
    "tickets.event": "opened, assigned, replied, transferred, escalated, reopened, resolved, closed, rated; "
    "asked (the customer) and answered; approval_asked and approval_given; waiting: for whom is not said; note: a remark of the team's own; "
    "other: no step of these",
    "tickets.activity": "what the source calls the step",
    "tickets.group": "which team has it",
    "tickets.category": "what it is about",
    "tickets.priority": "how urgent; urgent, critical, highest, blocker, p1 and 1 count as urgent",
    "tickets.score": "the rating, with the event rated",
    "tickets.hand": "who of the team, as a number within this ticket alone: 1 for the first who touched it, 2 for the next, "
    "1 again where the first comes back; made in the select, never a name or a key; only the process of the tickets reads it",
    "tickets.subject": "its first line",
    "tickets.body": "its text",
    "invoices.invoice_id": "which invoice",
    "invoices.event": "issued, paid (in parts too: they are added up), reminded, credited (a note that takes from it) or voided",
    "invoices.due_on": "until when it is to be paid, to the evening of that day",
    "feedback.kind": "nps (would recommend), csat (satisfied), ces (effort) or review",
    "feedback.text": "what was written beside it",
    "purchases.order_id": "which order the line is of",
    "contacts.direction": "in (from the customer) or out (from us)",
    "contacts.kind": "call, email, meeting, training or campaign; a campaign is no contact that gives a customer rest",
    "contacts.campaign": "which campaign",
    "contacts.arm": "which arm of an experiment",
    "contacts.outcome": "what came of it",
    "consents.purpose": "what for; empty: for everything. A no counts whatever it is for, unless `privacy.consents` names what does",
    "consents.allowed": "yes or no",
    "products.price": "what it costs a month, in the source's currency",
    "products.usage_limit": "use in 28 days that the price includes, for each seat",
    "products.service_days": "days from one service of it to the next",
    "products.features": "the features that it has, with ; between them",
    "releases.version": "what the version is called",
}
"""Column, or ``table.column`` where it means something of its own there -> what it means."""


def column_meaning(table: str, column: str) -> str:
    """Return what a column of a table means; ``KeyError`` where nobody has said it."""
    return COLUMN_MEANS[name] if (name := f"{table}.{column}") in COLUMN_MEANS else COLUMN_MEANS[column]

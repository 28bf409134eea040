"""The next ticket: any, or of a category or priority."""

from collections.abc import Sequence

from prevenance.targets.sql import acting_rows, activity_rows, plain_name
from prevenance.targets.target import Target, TargetWords
from prevenance.words.saying import saying

WORDS = TargetWords(
    title="Tickets to prevent",
    question="Chance of a ticket in {n} days",
    stake="Cost → expected",
    expected="About {number} of them are expected to open a ticket within {n} days.",
    expected_money="About {number} of them are expected to open a ticket within {n} days: {amount} in all.",
    hits="{where}, {hits} of the {n} customers on the list opened a ticket.",
    missed="{missed} of the {n} that opened one were not on it.",
    similar="Of {n} similar customers of the past, {outcome} opened a ticket.",
    above="The next row has the higher chance; {here} is at stake here, {there} there",
    verb="open a ticket",
    past="opened a ticket",
)
"""The money at stake is the cost of the tickets to come, not a sum a year."""

PLAYS = {
    "tickets": {
        "action": "Look for what the last tickets have in common and settle it",
        "days": 4,
        "owner": "support lead",
        "draft": "Hello, several of your recent requests seem to belong together. We would like to settle them for good and keep you posted. "
        "May our support team call you for 15 minutes?",
    },
    "usage": {
        "action": "Look at how they use the product and answer before they have to ask",
        "days": 5,
        "owner": "support lead",
        "draft": "Hello, we would like to make sure that everything in the product runs smoothly for you. Is there a step where your team would "
        "like help? We are glad to look at it together.",
    },
}


def next_ticket(
    *,
    horizon_days: int = 30,
    settle_days: int = 3,
    lead_days: int = 0,
    active_days: int = 365,
    activity_in: Sequence[str] = ("tickets",),
    category: str = "",
    priority: str = "",
    cost_per_ticket: float | None = None,
    name: str = "tickets",
) -> Target:
    """Return the target: customers active in ``(cutoff - active_days, cutoff]``, and which of them open a ticket in the window.

    ``category`` and ``priority`` narrow the tickets that count. With ``cost_per_ticket`` the value at stake is that cost times the
    tickets to expect if any comes, from the customer's own pace in ``(cutoff - 365 days, cutoff]``: n / (1 - exp(-n)) for a mean of n
    within the horizon (Poisson), so that chance times value is the cost to expect. Without it no value is known.
    """
    tables = tuple(dict.fromkeys((*activity_in, "tickets")))
    recent = " union all ".join(acting_rows(table, active_days) for table in activity_in)
    cohort = f"select distinct customer_id, 'at_risk' as state, null::double as value_at_stake from ({recent})"
    narrow = "".join(
        f" and {column} = '{plain_name(value)}'" for column, value in (("category", category), ("priority", priority)) if value
    )
    if cost_per_ticket is not None:
        pace = f"""select customer_id, count(*) * {int(horizon_days)} / 365.0 as n from tickets
            where event = 'opened'{narrow} and age_days < 365 group by customer_id"""
        worth = f"round({float(cost_per_ticket)} * coalesce(n / (1 - exp(-n)), 1), 2)::double"
        cohort = f"select customer_id, state, {worth} as value_at_stake from ({cohort}) left join ({pace}) using (customer_id)"
    outcome = f"select customer_id, min(event_at) as outcome_at from next_tickets where event = 'opened'{narrow} group by customer_id"
    activity_rows(activity_in)
    kind = " ".join(part for part in (priority, category) if part)
    return Target(
        name,
        tables,
        cohort,
        outcome,
        horizon_days,
        settle_days,
        lead_days,
        alone=True,
        says=saying("opened a ticket ({kind}) within {n} days of the cutoff", kind=kind, n=horizon_days)
        if kind
        else saying("opened a ticket within {n} days of the cutoff", n=horizon_days),
        words=WORDS,
        told_by="chance",
        plays=PLAYS,
    )


KINDS = {"ticket": next_ticket}

"""The next ticket: any, or of a category or priority."""

from __future__ import annotations

from collections.abc import Sequence

from prevenance.targets.define import Target, activity, words


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
    recent = " union all ".join(f"select customer_id from {table} where age_days < {active_days}" for table in activity_in)
    cohort = f"select distinct customer_id, 'at_risk' as state, null::double as value_at_stake from ({recent})"
    narrow = "".join(f" and {column} = '{words(value)}'" for column, value in (("category", category), ("priority", priority)) if value)
    if cost_per_ticket is not None:
        pace = f"""select customer_id, count(*) * {int(horizon_days)} / 365.0 as n from tickets
            where event = 'opened'{narrow} and age_days < 365 group by customer_id"""
        worth = f"round({float(cost_per_ticket)} * coalesce(n / (1 - exp(-n)), 1), 2)::double"
        cohort = f"select customer_id, state, {worth} as value_at_stake from ({cohort}) left join ({pace}) using (customer_id)"
    outcome = f"select customer_id, min(event_at) as outcome_at from next_tickets where event = 'opened'{narrow} group by customer_id"
    activity(activity_in)
    kind = " ".join(part for part in (priority, category) if part)
    return Target(
        name,
        tables,
        cohort,
        outcome,
        horizon_days,
        settle_days,
        lead_days,
        says=f"opened a {kind + ' ' if kind else ''}ticket within {horizon_days} days of the cutoff",
    )

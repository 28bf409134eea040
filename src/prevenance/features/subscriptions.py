"""Contract features: seats, monthly revenue, renewal, age and what changed."""

from __future__ import annotations

from collections.abc import Sequence

from prevenance.features.define import Count, DaysSince, Definition, Feature, Ratio, State
from prevenance.tables.contracts import CATALOGUE_SQL, HELD_SQL

DAY = "86400000000.0"
"""Microseconds in a day."""

CONTRACT = State(
    "contract",
    ("subscriptions",),
    f"""
with {HELD_SQL}
select customer_id,
  count(*) filter (where event <> 'ended') as contracts_running,
  count(distinct product_id) filter (where event <> 'ended') as products_held,
  case when count(*) filter (where event <> 'ended') = 0 then 0 else sum(seats) filter (where event <> 'ended') end as seats,
  case when count(*) filter (where event <> 'ended') = 0 then 0 else sum(mrr) filter (where event <> 'ended') end as mrr,
  arg_max(plan, (coalesce(mrr, -1), subscription_id)) filter (where event <> 'ended' and plan is not null) as contract_plan,
  (epoch_us(min(renews_on) filter (where event <> 'ended' and renews_on > cutoff)) - epoch_us(cutoff)) / {DAY} as days_to_renewal,
  (epoch_us(min(ends_on) filter (where event <> 'ended' and ends_on > cutoff)) - epoch_us(cutoff)) / {DAY} as days_to_end,
  (epoch_us(cutoff) - epoch_us(min(started_at) filter (where event <> 'ended'))) / {DAY} as contract_age_days
from held group by customer_id, cutoff
""",
    {
        "contracts_running": "Contracts running: {value:.0f}",
        "products_held": "Products under contract: {value:.0f}",
        "seats": "Seats paid for: {value:.0f}",
        "mrr": "Revenue a month: {value:,.0f}",
        "contract_plan": "Plan under contract: {value}",
        "days_to_renewal": "Renewal in {value:.0f} {value:day|days}",
        "days_to_end": "Contract ends in {value:.0f} {value:day|days}",
        "contract_age_days": "Oldest contract running for {value:.0f} {value:day|days}",
    },
    categories=("contract_plan",),
    background=("contract_age_days", "mrr", "contract_plan", "days_to_renewal", "days_to_end"),
)

BEFORE = State(
    "contract_change",
    ("subscriptions",),
    f"""
with {HELD_SQL},
earlier as (
  select customer_id, subscription_id,
    arg_max(event, (event_at, known_at, step)) as event,
    arg_max(seats, (event_at, known_at, step, seats)) filter (where seats is not null) as seats,
    arg_max(mrr, (event_at, known_at, step, mrr)) filter (where mrr is not null) as mrr
  from steps where event_at <= cutoff - interval '90' day group by customer_id, subscription_id
),
was as (
  select customer_id, sum(seats) as seats, sum(mrr) as mrr from earlier where event <> 'ended' group by customer_id
),
now_ as (
  select customer_id,
    case when count(*) filter (where event <> 'ended') = 0 then 0 else sum(seats) filter (where event <> 'ended') end as seats,
    case when count(*) filter (where event <> 'ended') = 0 then 0 else sum(mrr) filter (where event <> 'ended') end as mrr
  from held group by customer_id
)
select now_.customer_id, now_.seats - was.seats as seats_change_90d, now_.mrr - was.mrr as mrr_change_90d
from now_ join was on was.customer_id = now_.customer_id
""",
    {
        "seats_change_90d": "Seats {value:+.0f} against 90 days before",
        "mrr_change_90d": "Revenue a month {value:+,.0f} against 90 days before",
    },
)

SERVICE = State(
    "contract_service",
    ("subscriptions", "products"),
    f"""
with {HELD_SQL}, {CATALOGUE_SQL},
cycles as (
  select r.customer_id, epoch_us(r.cutoff) - epoch_us(r.started_at) as age,
    cast(c.service_days * 86400000000 as bigint) as cycle
  from running as r join catalogue as c on c.product_id = r.product_id where c.service_days > 0
)
select customer_id, min(cycle - age % cycle) / {DAY} as contract_service_due_days
from cycles where cycle > 0 group by customer_id
""",
    {"contract_service_due_days": "Next service of a product under contract in {value:.0f} {value:day|days}"},
    background=("contract_service_due_days",),
)


def _events(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    long = max(*lookbacks, 90)
    return tuple(
        Feature(f"{name}_{long}d", "subscriptions", Count(), f"{words} in {{days}} days: {{value:.0f}}", f"event = '{event}'", long)
        for name, words, event in (
            ("contracts_started", "Contracts started", "started"),
            ("contract_changes", "Contract changes", "changed"),
            ("contracts_ended", "Contracts ended", "ended"),
        )
    )


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of subscriptions; event counts use the longest lookback (days)."""
    return (
        CONTRACT,
        BEFORE,
        SERVICE,
        *_events(lookbacks),
        Feature("renewals", "subscriptions", Count(), "Renewals so far: {value:.0f}", "event = 'renewed'", changeable=False),
        Feature(
            "days_since_contract_change",
            "subscriptions",
            DaysSince(),
            "Last contract change {value:.0f} {value:day|days} ago",
            "event = 'changed'",
        ),
        Ratio(
            "active_users_per_seat_28d",
            "active_users_28d",
            "seats",
            "Active users in 28 days: {top:.0f} for {bottom:.0f} {bottom:seat|seats}",
        ),
        Ratio(
            "seats_used_share_90d", "active_users_90d", "seats", "Active users in 90 days: {top:.0f} for {bottom:.0f} {bottom:seat|seats}"
        ),
        Ratio("tickets_per_seat_90d", "tickets_90d", "seats", "Tickets in 90 days: {top:.0f} for {bottom:.0f} {bottom:seat|seats}"),
    )

"""Contract features: seats, monthly revenue, renewal, age and what changed."""

from collections.abc import Sequence

from prevenance.features.define import Count, Definition, Feature, Ratio, State
from prevenance.features.spans import lookback_features, silence_feature
from prevenance.tables.contracts import CATALOGUE_SQL, HELD_SQL, standing_sql

DAY = "86400000000.0"
"""Microseconds in a day."""

CONTRACT = State(
    "contract",
    ("subscriptions",),
    f"""
with {HELD_SQL}
select customer_id,
  count(*) filter (where runs) as contracts_running,
  count(distinct product_id) filter (where runs) as products_held,
  case when count(*) filter (where runs) = 0 then 0 else sum(seats) filter (where runs) end as seats,
  case when count(*) filter (where runs) = 0 then 0 else sum(mrr) filter (where runs) end as mrr,
  arg_max(plan, (coalesce(mrr, -1), subscription_id)) filter (where runs and plan is not null) as contract_plan,
  (epoch_us(min(renews_on) filter (where runs and renews_on > cutoff)) - epoch_us(cutoff)) / {DAY} as days_to_renewal,
  (epoch_us(min(ends_on) filter (where runs and ends_on > cutoff)) - epoch_us(cutoff)) / {DAY} as days_to_end,
  (epoch_us(cutoff) - epoch_us(min(started_at) filter (where runs))) / {DAY} as contract_age_days
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
    alone=True,
    worse={
        **dict.fromkeys(("contracts_running", "seats", "mrr", "contract_plan", "days_to_renewal", "days_to_end", "contract_age_days")),
        "products_held": "less",
    },
)

BEFORE = State(
    "contract_change",
    ("subscriptions",),
    f"""
with {HELD_SQL},
before as (select * from subscriptions where event_at <= cutoff - interval '90' day),
earlier as ({standing_sql("before", "customer_id, cutoff")}),
was as (
  select customer_id, sum(seats) as seats, sum(mrr) as mrr from earlier where runs group by customer_id
),
now_ as (
  select customer_id,
    case when count(*) filter (where runs) = 0 then 0 else sum(seats) filter (where runs) end as seats,
    case when count(*) filter (where runs) = 0 then 0 else sum(mrr) filter (where runs) end as mrr
  from held group by customer_id
)
select now_.customer_id, now_.seats - was.seats as seats_change_90d, now_.mrr - was.mrr as mrr_change_90d
from now_ join was on was.customer_id = now_.customer_id
""",
    {
        "seats_change_90d": "Seats {value:+.0f} against 90 days before",
        "mrr_change_90d": "Revenue a month {value:+,.0f} against 90 days before",
    },
    alone=True,
    worse={"seats_change_90d": "less", "mrr_change_90d": "less"},
)

SERVICE = State(
    "contract_service",
    ("subscriptions", "products"),
    f"""
with {HELD_SQL}, {CATALOGUE_SQL},
cycles as (
  select r.customer_id, epoch_us(r.cutoff) - epoch_us(r.started_at) as age,
    cast(c.service_days * 86400000000 as bigint) as cycle
  from running as r join catalogue as c on c.product_id = r.product_id and c.cutoff = r.cutoff where c.service_days > 0
)
select customer_id, min(cycle - age % cycle) / {DAY} as contract_service_due_days
from cycles where cycle > 0 group by customer_id
""",
    {"contract_service_due_days": "Next service of a product under contract in {value:.0f} {value:day|days}"},
    background=("contract_service_due_days",),
    alone=True,
    worse={"contract_service_due_days": None},
)


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of subscriptions; event counts use the longest lookback (days)."""
    long = [max(*lookbacks, 90)]
    return (
        CONTRACT,
        BEFORE,
        SERVICE,
        *lookback_features("subscriptions", "contracts_started", "Contracts started", long, "event = 'started'", worse=None),
        *lookback_features("subscriptions", "contract_changes", "Contract changes", long, "event = 'changed'", worse=None),
        *lookback_features("subscriptions", "contracts_ended", "Contracts ended", long, "event = 'ended'", worse="more"),
        Feature("renewals", "subscriptions", Count(), "Renewals so far: {value:.0f}", "event = 'renewed'", changeable=False, worse=None),
        silence_feature("subscriptions", "contract_change", "contract change", "event = 'changed'", worse=None),
        Ratio("active_users_per_seat_28d", "active_users_28d", "seats", "Seats in use in 28 days: {value:.0%}", worse="less"),
        Ratio("seats_used_share_90d", "active_users_90d", "seats", "Seats in use in 90 days: {value:.0%}", worse="less"),
        Ratio("tickets_per_seat_90d", "tickets_90d", "seats", "Tickets per seat in 90 days: {value:.2f}", worse="more"),
    )

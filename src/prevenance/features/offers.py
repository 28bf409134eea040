"""Features of a customer and an offer: how popular it is, who else has it, and what the customer has of it already.

Co-occurrence follows item-based collaborative filtering (Sarwar et al., 2001): the share of the owners of what the customer
has who also have the offer. Shares are summed as whole millionths, so that no result depends on the order of rows.
"""

from collections.abc import Sequence

from prevenance.features.define import Definition, State
from prevenance.features.purchases import BOUGHT
from prevenance.features.subscriptions import DAY
from prevenance.tables.contracts import CATALOGUE_SQL, GROUNDS_SQL, HELD_SQL, HIGHER_PLAN, MORE_SEATS

NAME = State(
    "offer", (), "select customer_id, product_id, product_id as offer from snapshots", {"offer": "Offer: {value}"}, categories=("offer",),
    background=("offer",), pair=True, worse={"offer": None},
)  # fmt: skip

FIT = """
owners as (select item, count(*) as n from has group by item),
both_ as (
  select a.item as item, b.item as other, count(*) as n from has as a join has as b using (customer_id) where a.item <> b.item group by all
),
fit as (
  select s.customer_id, s.product_id, max(cast(b.n as double) / o.n) as best,
    cast(sum(b.n * 1000000 // o.n) as double) / 1000000 / count(*) as mean
  from snapshots as s join has as h on h.customer_id = s.customer_id and h.item <> s.product_id
  join owners as o on o.item = h.item left join both_ as b on b.item = h.item and b.other = s.product_id
  group by s.customer_id, s.product_id
)
"""
"""Continues a ``with`` that gives ``has`` (customer_id, item; once each): the share of owners of the customer's items who have the offer."""

TAKEN = f"""
with {HELD_SQL}, {CATALOGUE_SQL}, {GROUNDS_SQL},
moves as (
  select s.customer_id, s.event_at, s.seats, c.price,
    max(s.seats) over earlier as seats_before, max(c.price) over earlier as price_before
  from steps as s join catalogue as c on c.product_id = s.product_id
  where s.event in ('started', 'changed', 'renewed') and c.family in (select family from plan_families)
  window earlier as (partition by s.customer_id, c.family order by s.event_at, s.known_at, s.step, s.seats, c.price
    rows between unbounded preceding and 1 preceding)
),
taken as (
  select customer_id, product_id as item, min(event_at) as at_ from steps
  where product_id is not null and event in ('started', 'changed', 'renewed') group by all
  union all select customer_id, '{MORE_SEATS}', max(event_at) from moves where seats > seats_before group by 1
  union all select customer_id, '{HIGHER_PLAN}', max(event_at) from moves where price > price_before group by 1
),
has as (select customer_id, item from taken),
{FIT},
counted as (
  select item, count(*) as owners, count(*) filter (where at_ > (select max(cutoff) from snapshots) - interval '90' day) as lately
  from taken group by item
)
select s.customer_id, s.product_id,
  cast(coalesce(n.lately, 0) as double) / (select count(distinct customer_id) from steps) as popularity_90d,
  cast(coalesce(n.owners, 0) as double) / (select count(distinct customer_id) from steps) as offer_owners_share,
  fit.best as offer_fit_best, coalesce(fit.mean, 0) as offer_fit_mean,
  (epoch_us(s.cutoff) - epoch_us(t.at_)) / {DAY} as days_since_offer_taken,
  cast(c.price as double) / nullif(cast(b.mrr as double), 0) as offer_price_share
from snapshots as s
left join counted as n on n.item = s.product_id
left join fit on fit.customer_id = s.customer_id and fit.product_id = s.product_id
left join taken as t on t.customer_id = s.customer_id and t.item = s.product_id
left join catalogue as c on c.product_id = s.product_id
left join base as b on b.customer_id = s.customer_id
"""

CONTRACT_OFFER = State(
    "contract_offer",
    ("subscriptions", "products"),
    TAKEN,
    {
        "popularity_90d": "Customers that took it in 90 days: {value:.1%}",
        "offer_owners_share": "All customers: {value:.0%} have it",
        "offer_fit_best": "Customers with a shared product: {value:.0%} have it",
        "offer_fit_mean": "Customers with the same products: {value:.0%} have it",
        "days_since_offer_taken": "Taken before, {value:.0f} {value:day|days} ago",
        "offer_price_share": "Price: {value:.0%} of what the customer pays",
    },
    background=("popularity_90d", "offer_owners_share", "offer_price_share"),
    pair=True,
    worse=dict.fromkeys(
        (
            *("popularity_90d", "offer_owners_share", "offer_fit_best", "offer_fit_mean"),
            *("days_since_offer_taken", "offer_price_share"),
        )
    ),
)

BASKET = f"""
with bought as (select customer_id, family as item, event_at, age_days from purchases where family is not null and {BOUGHT}),
seen as (
  select customer_id, item, min(age_days) as last_days, count(distinct cast(event_at as date)) as days,
    min(age_days) filter (where age_days >= 28) as before_days
  from bought group by all
),
has as (select customer_id, item from seen where last_days < 150),
{FIT},
active as (select count(distinct customer_id) as n from bought where age_days < 28),
counted as (
  select item, count(*) filter (where last_days < 28) as buyers,
    count(*) filter (where last_days < 28 and coalesce(before_days, 1000) >= 150) as new_buyers
  from seen group by item
)
select s.customer_id, s.product_id,
  cast(coalesce(n.buyers, 0) as double) / nullif(active.n, 0) as popularity_28d,
  cast(coalesce(n.new_buyers, 0) as double) / nullif(active.n - coalesce(n.buyers, 0) + coalesce(n.new_buyers, 0), 0) as popularity_new_28d,
  fit.best as family_fit_best, coalesce(fit.mean, 0) as family_fit_mean,
  seen.last_days as days_since_family, coalesce(seen.days, 0) as family_days_bought
from snapshots as s cross join active
left join counted as n on n.item = s.product_id
left join fit on fit.customer_id = s.customer_id and fit.product_id = s.product_id
left join seen on seen.customer_id = s.customer_id and seen.item = s.product_id
"""

BASKET_OFFER = State(
    "basket_offer",
    ("purchases",),
    BASKET,
    {
        "popularity_28d": "Active customers that bought it in 28 days: {value:.0%}",
        "popularity_new_28d": "Customers without it that began with it in 28 days: {value:.1%}",
        "family_fit_best": "Customers with one of the same habits that buy it: {value:.0%}",
        "family_fit_mean": "Similar customers that buy it: {value:.0%}",
        "days_since_family": "Bought before, last {value:.0f} {value:day|days} ago",
        "family_days_bought": "Days on which it was bought before: {value:.0f}",
    },
    background=("popularity_28d", "popularity_new_28d"),
    pair=True,
    worse=dict.fromkeys(
        (
            *("popularity_28d", "popularity_new_28d", "family_fit_best", "family_fit_mean"),
            *("days_since_family", "family_days_bought"),
        )
    ),
)


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of a customer and an offer; their spans are fixed."""
    return NAME, CONTRACT_OFFER, BASKET_OFFER

"""Contracts as they stand at a cutoff, and what could be offered on top: the SQL that features and targets share.

Each text is the start of a ``with``: it reads the views ``subscriptions`` and ``products``, rows visible at the cutoff
with a column ``cutoff``.
"""

HELD_SQL = """
steps as (
  select *, case event when 'ended' then 4 when 'notice' then 3 when 'renewed' then 2 when 'changed' then 1 else 0 end as step,
    max(case when event = 'ended' then event_at end) over (partition by customer_id, subscription_id) as ended_at
  from subscriptions
),
held as (
  select customer_id, subscription_id, cutoff, min(event_at) filter (where event <> 'ended' and (ended_at is null or event_at >= ended_at)) as started_at,
    arg_max(event, (event_at, known_at, step)) as event,
    arg_max(product_id, (event_at, known_at, step, product_id)) filter (where product_id is not null) as product_id,
    arg_max(plan, (event_at, known_at, step, plan)) filter (where plan is not null) as plan,
    arg_max(seats, (event_at, known_at, step, seats)) filter (where seats is not null) as seats,
    arg_max(mrr, (event_at, known_at, step, mrr)) filter (where mrr is not null) as mrr,
    arg_max(renews_on, (event_at, known_at, step, renews_on)) filter (where renews_on is not null) as renews_on,
    arg_max(ends_on, (event_at, known_at, step, ends_on)) filter (where ends_on is not null) as ends_on
  from steps group by customer_id, subscription_id, cutoff
),
running as (select * from held where event <> 'ended')
"""
"""Contracts at the cutoff, one row each: the last event and the last known value of every column (ties: known_at, then
the order started, changed, renewed, notice, ended, then the value).
``started_at`` is the first event since the last end: who came back is new. ``running`` are those whose last event is not ``ended``."""

CATALOGUE_SQL = """
catalogue as (
  select * from (
    select *, row_number() over (partition by product_id, cutoff order by event_at desc, known_at desc) as place from products
  ) as versions where place = 1
)
"""
"""Products at the cutoff: the newest visible version of each. A state that is ``alone`` joins them by the cutoff too."""

MORE_SEATS, HIGHER_PLAN = "more-seats", "higher-plan"
"""The two offers that are no product."""

MORE_SEATS_SHARE = 0.1
"""Seats added by one such offer, as a share of those paid for: assumed, for the value at stake only."""

GROUNDS_SQL = """
plan_families as (
  select distinct family from catalogue
  where family is not null and product_id in (select product_id from steps where plan is not null and product_id is not null)
),
firm as (
  select r.*, c.family, c.price, c.family in (select family from plan_families) as is_plan
  from running as r left join catalogue as c on c.product_id = r.product_id where r.event <> 'notice'
),
base as (
  select customer_id, max(seats) filter (where is_plan) as seats, sum(mrr) as mrr,
    arg_max(family, (price, family)) filter (where is_plan and price is not null) as family, max(price) filter (where is_plan) as price
  from firm group by customer_id
)
"""
"""Continues ``HELD_SQL`` and ``CATALOGUE_SQL``: ``base`` has one row per customer with a running contract that is not under notice. Products of
a family that carries plans are plans: they are never sold beside another, only instead of it."""

OFFERS_SQL = f"""
offers as (
  select b.customer_id, c.product_id, c.price * 12 as value_at_stake
  from base as b cross join catalogue as c
  where (c.family is null or c.family not in (select family from plan_families)) and c.product_id is not null
    and not exists (select 1 from running as r where r.customer_id = b.customer_id and r.product_id = c.product_id)
  union all
  select customer_id, '{MORE_SEATS}', mrr * 12 * {MORE_SEATS_SHARE} from base where seats is not null
  union all
  select b.customer_id, '{HIGHER_PLAN}', max(b.mrr) * 12 * (cast(min(c.price) as double) / nullif(max(b.price), 0) - 1)
  from base as b join catalogue as c on c.family = b.family and c.price > b.price group by b.customer_id
)
"""
"""Continues ``GROUNDS_SQL``: what each customer could take and does not have; ``value_at_stake`` is money a year."""

"""Contracts as they stand at a cutoff, and what could be offered on top: the SQL that features and targets share.

Each text is the start of a ``with``: it reads the views ``subscriptions`` and ``products``, rows visible at the cutoff
with a column ``cutoff``.
"""

STEP = "case event when 'ended' then 4 when 'notice' then 3 when 'renewed' then 2 when 'changed' then 1 else 0 end"
"""The place of an event among those of one instant, where only the last value known of a column is asked for."""

VALUES = ("product_id", "plan", "seats", "mrr", "renews_on")


def instants_sql(rows: str = "subscriptions", keys: str = "customer_id") -> str:
    """Return SQL for one row per contract (``keys``, ``subscription_id``) and instant at which something of it happened.

    ``runs`` and ``noticed`` say how it stands from then on, as far as the instant decides it (else null: as before). An end stops it; a
    start, renewal or change makes it run; an end with a start or renewal at the same instant leaves it as it was, so what ran begins anew
    and what did not has begun and ended. A notice holds until a later start, renewal or end, or a later change without ``ends_on``.
    """
    # What an ended contract was worth is no value of the one that begins at the same instant.
    newest = ", ".join(
        f"arg_max({one}, (event <> 'ended', known_at, step, {one})) filter (where {one} is not null) as {one}" for one in VALUES
    )
    return f"""
    select *,
        case when ends and begins then null when ends then false when begins or changes then true end as runs,
        case when ends then false when notices then true when begins or withdraws then false end as noticed
    from (
        select {keys}, subscription_id, event_at, {newest},
            bool_or(event = 'ended') as ends, bool_or(event in ('started', 'renewed')) as begins, bool_or(event = 'changed') as changes,
            bool_or(event = 'notice') as notices, bool_or(event = 'changed' and ends_on is null) as withdraws,
            max({{'step': case event when 'ended' then 0 when 'notice' then 2 else 1 end, 'known': known_at, 'there': ends_on is not null,
                'ends_on': ends_on}}) filter (where event <> 'notice' or ends_on is not null) as plans,
            max({{'known': known_at, 'there': ends_on is not null, 'ends_on': ends_on}}) filter (where event in ('started', 'renewed')) as anew
        from (select *, {STEP} as step from {rows}) group by {keys}, subscription_id, event_at)
    """


def standing_sql(rows: str = "subscriptions", keys: str = "customer_id") -> str:
    """Return SQL for one row per contract (and ``keys``): how it stands after the last of ``rows``.

    ``runs`` and ``noticed`` as ``instants_sql``; ``ends_on`` is the planned end, which a later event that names none withdraws; the other
    columns are the last values known, or null. ``started_at`` is the first event since the last end: who came back is new.
    """
    newest = ", ".join(f"arg_max({one}, event_at) filter (where {one} is not null) as {one}" for one in VALUES)
    return f"""
    select {keys}, subscription_id, {newest},
        coalesce(arg_max(runs, event_at) filter (where runs is not null), false) as runs,
        coalesce(arg_max(noticed, event_at) filter (where noticed is not null), false) as noticed,
        (max({{'at': event_at, 'ends_on': case when ends and begins then anew.ends_on else plans.ends_on end}}) filter (where plans is not null)).ends_on as ends_on,
        min(event_at) filter (where (begins or changes and not ends) and (ended_at is null or event_at >= ended_at)) as started_at
    from (
        select *, max(case when ends then event_at end) over (partition by {keys}, subscription_id) as ended_at from ({instants_sql(rows, keys)}))
    group by {keys}, subscription_id
    """


HELD_SQL = f"""
steps as (select *, {STEP} as step from subscriptions),
held as ({standing_sql("subscriptions", "customer_id, cutoff")}),
running as (select * from held where runs)
"""
"""Contracts at the cutoff, one row each, as ``standing_sql``; ``running`` are those that run."""

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
  from running as r left join catalogue as c on c.product_id = r.product_id where not r.noticed
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

"""Usage features: logins, use, errors, who is active, what is paid for and idle, and how near the limit."""

from collections.abc import Sequence

from prevenance.features.define import Count, Definition, Distinct, Feature, Ratio, State, Sum, Value, Worse
from prevenance.features.spans import lookback_features, silence_feature, trend_features
from prevenance.tables.contracts import CATALOGUE_SQL, HELD_SQL

NIGHT = "kind = 'login' and (extract(hour from event_at) >= 22 or extract(hour from event_at) < 6)"
"""Logins at unusual hours, [22:00, 06:00) UTC. For customers far from UTC only the trend says something."""

MAIN_USER = State(
    "main_user",
    ("usage",),
    """
with counted as (
  select customer_id, user_id, count(*) as events, min(age_days) as silent
  from usage where user_id is not null group by customer_id, user_id
),
placed as (
  select *, row_number() over (partition by customer_id order by events desc, user_id) as place,
    sum(events) over (partition by customer_id) as total
  from counted
)
select customer_id, silent as main_user_silent_days, cast(events as double) / cast(total as double) as main_user_share_90d
from placed where place = 1
""",
    {
        "main_user_silent_days": "The main user of the last 90 days was last seen {value:.0f} {value:day|days} ago",
        "main_user_share_90d": "The main user's share of activity in 90 days: {value:.0%}",
    },
    days=90,
    alone=True,
    worse={"main_user_silent_days": "more", "main_user_share_90d": "more"},
)

PAID = State(
    "paid_features",
    ("subscriptions", "products", "usage"),
    f"""
with {HELD_SQL}, {CATALOGUE_SQL},
paid as (
  select distinct p.customer_id, trim(part.feature) as feature
  from (
    select r.customer_id, c.features from running as r join catalogue as c on c.product_id = r.product_id and c.cutoff = r.cutoff
    where c.features is not null
  ) as p, unnest(string_split(p.features, ';')) as part(feature)
  where trim(part.feature) <> ''
),
used as (
  select distinct customer_id, feature from usage where kind = 'use' and feature is not null and event_at > cutoff - interval '90' day
)
select paid.customer_id,
  count(*) filter (where used.feature is null) as paid_features_unused,
  cast(count(used.feature) as double) / cast(count(*) as double) as paid_features_used_share_90d
from paid left join used on used.customer_id = paid.customer_id and used.feature = paid.feature
group by paid.customer_id
""",
    {
        "paid_features_unused": "Paid features not used in 90 days: {value:.0f}",
        "paid_features_used_share_90d": "Paid features used in 90 days: {value:.0%}",
    },
    alone=True,
    worse={"paid_features_unused": "more", "paid_features_used_share_90d": "less"},
)

LIMIT = State(
    "usage_limit",
    ("subscriptions", "products", "usage"),
    f"""
with {HELD_SQL}, {CATALOGUE_SQL},
limits as (
  select r.customer_id, r.product_id, cast(max(c.usage_limit) as double) * cast(sum(coalesce(r.seats, 1)) as double) as allowed,
    count(*) over (partition by r.customer_id) as limited
  from running as r join catalogue as c on c.product_id = r.product_id and c.cutoff = r.cutoff
  where c.usage_limit > 0 group by r.customer_id, r.product_id
),
used as (
  select customer_id, product_id, sum(coalesce(quantity, 1)) as quantity
  from usage where kind = 'use' and event_at > cutoff - interval '28' day group by customer_id, product_id
),
shares as (
  select l.customer_id, l.product_id, cast(coalesce(sum(u.quantity), 0) as double) / nullif(l.allowed, 0) as share
  from limits as l left join used as u
    on u.customer_id = l.customer_id and (u.product_id = l.product_id or (u.product_id is null and l.limited = 1))
  group by l.customer_id, l.product_id, l.allowed
)
select customer_id, max(share) as usage_near_limit_share from shares group by customer_id
""",
    {"usage_near_limit_share": "Use in 28 days: {value:.0%} of the limit"},
    alone=True,
    worse={"usage_near_limit_share": "less"},
)

FIRST = State(
    "first_use",
    ("customers", "usage"),
    """
with starts as (
  select customer_id, min(event_at) as started_at from customers group by customer_id having max(age_days) >= 90
)
select s.customer_id, count(distinct cast(u.event_at as date)) as first_90d_active_days
from starts as s left join usage as u
  on u.customer_id = s.customer_id and u.kind in ('login', 'use')
  and u.event_at >= s.started_at and u.event_at < s.started_at + interval '90' day
group by s.customer_id
""",
    {"first_90d_active_days": "Days with activity in the first 90 days: {value:.0f}"},
    background=("first_90d_active_days",),
    alone=True,
    worse={"first_90d_active_days": "less"},
)

SERIES: tuple[tuple[str, Value, str, str, Worse], ...] = (
    ("logins", Count(), "Logins", "kind = 'login'", "less"),
    ("uses", Count(), "Feature uses", "kind = 'use'", "less"),
    ("quantity", Sum("quantity"), "Quantity used", "kind = 'use'", "less"),
    ("errors", Count(), "Errors met", "kind = 'error'", "more"),
    ("active_users", Distinct("user_id"), "Active users", "kind in ('login', 'use')", "less"),
    ("active_days", Distinct("day"), "Days with activity", "kind in ('login', 'use')", "less"),
    ("features_used", Distinct("feature"), "Different features used", "kind = 'use'", "less"),
)
"""Column stem, value, words, condition of what is measured in every lookback, and which way is bad."""

TRENDS = (
    ("logins", "Logins", (7, 28, 90)),
    ("uses", "Feature uses", (28, 90)),
    ("quantity", "Quantity used", (28,)),
    ("errors", "Errors met", (7, 28)),
    ("active_users", "Active users", (28, 90)),
    ("active_days", "Days with activity", (28,)),
    ("features_used", "Different features used", (90,)),
    ("unusual_hour_logins", "Logins between 22:00 and 06:00 UTC", (28,)),
)


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of usage: every series over each lookback (days; 7, 28 and 90 always), trends, silences and states."""
    return (
        *(
            feature
            for days in sorted({*lookbacks, 7, 28, 90})
            for name, value, words, where, worse in SERIES
            for feature in lookback_features("usage", name, words, [days], where, value, ",.0f", worse=worse)
        ),
        Feature(
            "unusual_hour_logins_28d", "usage", Count(), "Logins between 22:00 and 06:00 UTC in 28 days: {value:.0f}", NIGHT, 28, worse=None
        ),
        *(trend for name, words, spans in TRENDS for trend in trend_features(name, words, spans, ",.0f")),
        *(silence_feature("usage", kind, kind, f"kind = '{kind}'", worse="more") for kind in ("login", "use")),
        silence_feature("usage", "error", "error", "kind = 'error'", worse=None),
        Ratio(
            "unusual_hour_share_28d",
            "unusual_hour_logins_28d",
            "logins_28d",
            "Share of logins between 22:00 and 06:00 UTC in 28 days: {value:.0%}",
            worse=None,
        ),
        Ratio(
            "errors_per_use_28d",
            "errors_28d",
            "uses_28d",
            "Errors per feature use in 28 days: {value:.1f}",
            worse="more",
        ),
        Ratio("logins_per_user_28d", "logins_28d", "active_users_28d", "Logins per active user in 28 days: {value:.1f}", worse="less"),
        MAIN_USER,
        PAID,
        LIMIT,
        FIRST,
    )

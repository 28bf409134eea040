"""Calendar features: the month, the season that comes by last year's own activity, and releases.

A season is the customer's own: the rows of ``(cutoff - 365, cutoff - 337]`` against the average 28 days of
``(cutoff - 365, cutoff]``. It is null where nothing is known from before that year, because silence then is no season.
"""

from collections.abc import Sequence

from prevenance.features.define import Definition, State

MONTH = State(
    "month",
    (),
    """
select customer_id,
  round(sin(extract(month from cutoff) * pi() / 6), 6) as month_sin,
  round(cos(extract(month from cutoff) * pi() / 6), 6) as month_cos
from snapshots
""",
    {"month_sin": "Time of year", "month_cos": "Time of year"},
    background=("month_sin", "month_cos"),
    alone=True,
    worse={"month_sin": None, "month_cos": None},
)

SEASON = """
with counted as (
  select customer_id,
    count(*) filter (where event_at <= cutoff - interval '365' day) as earlier,
    count(*) filter (where event_at > cutoff - interval '365' day and event_at <= cutoff - interval '337' day) as ahead,
    count(*) filter (where event_at > cutoff - interval '365' day) as year
  from {table} where {where} group by customer_id
)
select customer_id, cast(ahead * 365 as double) / (year * 28) as {name} from counted where earlier > 0 and year > 0
"""

RELEASES = State(
    "release",
    ("releases",),
    """
select s.customer_id, min(r.age_days) as days_since_release from snapshots as s join releases as r on r.cutoff = s.cutoff
group by s.customer_id
""",
    {"days_since_release": "Last release {value:.0f} {value:day|days} ago"},
    background=("days_since_release",),
    alone=True,
    worse={"days_since_release": None},
)

USED_RELEASES = State(
    "used_release",
    ("releases", "usage"),
    """
with used as (
  select distinct customer_id, product_id, cutoff from usage where product_id is not null and event_at > cutoff - interval '90' day
)
select u.customer_id, min(r.age_days) as days_since_used_release,
  count(*) filter (where r.event_at > r.cutoff - interval '28' day) as used_releases_28d
from used as u join releases as r on r.product_id = u.product_id and r.cutoff = u.cutoff group by u.customer_id
""",
    {
        "days_since_used_release": "Last release of a product in use {value:.0f} {value:day|days} ago",
        "used_releases_28d": "Releases of products in use in 28 days: {value:.0f}",
    },
    background=("days_since_used_release", "used_releases_28d"),
    alone=True,
    worse={"days_since_used_release": None, "used_releases_28d": None},
)


def _season(name: str, table: str, where: str, words: str) -> State:
    return State(
        name,
        (table,),
        SEASON.format(table=table, where=where, name=name),
        {name: f"{words} in the coming 4 weeks a year ago: {{value:.1f}} times the average"},
        days=393,
        background=(name,),
        alone=True,
        worse={name: None},
    )


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of the calendar; their spans are a year and do not follow the lookbacks."""
    return (
        MONTH,
        _season("use_season_ahead", "usage", "kind in ('login', 'use')", "Activity"),
        _season("ticket_season_ahead", "tickets", "event = 'opened'", "Tickets"),
        _season("purchase_season_ahead", "purchases", "coalesce(amount, 1) > 0", "Purchases"),
        RELEASES,
        USED_RELEASES,
    )

"""Purchase features: recency, frequency, money, breadth, the customer's own rhythm, and service that falls due."""

from collections.abc import Sequence

from prevenance.features.define import Definition, Distinct, State, Sum
from prevenance.features.spans import lookback_features, silence_feature, trend_features
from prevenance.features.subscriptions import DAY
from prevenance.tables.contracts import CATALOGUE_SQL

BOUGHT = "coalesce(amount, 1) > 0 and coalesce(quantity, 1) > 0"
"""Lines that are no return."""

RHYTHM = State(
    "purchase_rhythm",
    ("purchases",),
    f"""
with spans as (
  select customer_id, cutoff, min(event_at) as first_at, max(event_at) as last_at, count(distinct cast(event_at as date)) as days
  from purchases where {BOUGHT} group by customer_id, cutoff
),
gaps as (
  select *, cast(epoch_us(last_at) - epoch_us(first_at) as double) / (days - 1) as gap from spans where days > 1
)
select customer_id, gap / {DAY} as purchase_gap_days,
  cast(epoch_us(cutoff) - epoch_us(last_at) as double) / nullif(gap, 0) as purchase_gaps_silent
from gaps
""",
    {
        "purchase_gap_days": "Days between purchases on average: {value:.0f}",
        "purchase_gaps_silent": "Silent for {value:.1f} times the usual gap between purchases",
    },
    alone=True,
    worse={"purchase_gap_days": "more", "purchase_gaps_silent": "more"},
)

SERVICE = State(
    "purchase_service",
    ("purchases", "products"),
    f"""
with {CATALOGUE_SQL},
owned as (
  select p.customer_id, greatest(0, coalesce(p.quantity, 1)) as quantity, epoch_us(p.cutoff) - epoch_us(p.event_at) as age,
    cast(c.service_days * 86400000000 as bigint) as cycle
  from purchases as p join catalogue as c on c.product_id = p.product_id and c.cutoff = p.cutoff
  where c.service_days > 0 and coalesce(p.amount, 1) > 0 and coalesce(p.quantity, 1) > 0
)
select customer_id,
  min(cycle - age % cycle) / {DAY} as service_due_days,
  max(cast(age as double) / cycle) as service_cycles_passed,
  coalesce(sum(quantity) filter (where cycle - age % cycle <= 28 * 86400000000), 0) as service_due_units_28d
from owned where cycle > 0 group by customer_id
""",
    {
        "service_due_days": "Next service of a bought product in {value:.0f} {value:day|days}",
        "service_cycles_passed": "Service cycles since the oldest purchase: {value:.1f}",
        "service_due_units_28d": "Units whose service falls due within 28 days: {value:.0f}",
    },
    background=("service_due_days", "service_cycles_passed", "service_due_units_28d"),
    alone=True,
    worse=dict.fromkeys(("service_due_days", "service_cycles_passed", "service_due_units_28d")),
)


def _windows(days: int) -> tuple[Definition, ...]:
    return (
        *lookback_features("purchases", "purchases", "Lines bought", [days], BOUGHT, worse="less"),
        *lookback_features("purchases", "spend", "Spent", [days], "amount > 0", Sum("amount"), ",.0f", worse="less"),
    )


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of purchases: lines and money over each lookback (days; 28 and 90 always), orders, breadth, rhythm, service."""
    long = max(*lookbacks, 90)
    return (
        *(definition for days in sorted({*lookbacks, 28, 90}) for definition in _windows(days)),
        *lookback_features("purchases", "orders", "Orders", sorted({28, 90, long}), BOUGHT, Distinct("order_id"), worse="less"),
        *lookback_features(
            "purchases", "families", "Different product families bought", sorted({90, long}), BOUGHT, Distinct("family"), worse="less"
        ),
        *lookback_features(
            "purchases", "products_bought", "Different products bought", [long], BOUGHT, Distinct("product_id"), worse="less"
        ),
        *trend_features("purchases", "Lines bought", (28, 90), ",.0f"),
        *trend_features("spend", "Spent", (28, 90), ",.0f"),
        *lookback_features("purchases", "returns", "Lines returned", [long], "amount < 0 or quantity < 0", worse="more"),
        silence_feature("purchases", "purchase", "purchase", BOUGHT, worse="more"),
        RHYTHM,
        SERVICE,
    )

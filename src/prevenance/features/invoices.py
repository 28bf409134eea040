"""Invoice features: what is due, what was paid late, and reminders.

An invoice is late from one day after ``due_on`` (a due date lasts until its evening); its first ``paid`` row settles it.
"""

from collections.abc import Sequence

from prevenance.features.define import Definition, Feature, State, Sum, Trend
from prevenance.features.spans import lookback_features, silence_feature

PAYMENT = State(
    "payment",
    ("invoices",),
    """
with bills as (
  select customer_id, invoice_id, cutoff,
    arg_max(due_on, (event_at, known_at, due_on)) filter (where due_on is not null) as due_on,
    arg_max(amount, (event_at, known_at, amount)) filter (where event = 'issued' and amount is not null) as amount,
    min(event_at) filter (where event = 'paid') as paid_at
  from invoices group by customer_id, invoice_id, cutoff
),
judged as (
  select *, epoch_us(paid_at) - epoch_us(due_on) as delay,
    paid_at is null and coalesce(amount, 1) > 0 and due_on + interval '1' day <= cutoff as overdue,
    paid_at >= due_on + interval '1' day and paid_at > cutoff - interval '365' day as late,
    due_on is not null and paid_at > cutoff - interval '365' day as settled
  from bills
)
select customer_id,
  count(*) filter (where overdue) as invoices_overdue,
  (epoch_us(cutoff) - epoch_us(min(due_on) filter (where overdue))) / 86400000000.0 as oldest_overdue_days,
  coalesce(sum(amount) filter (where overdue), 0) as amount_overdue,
  count(*) filter (where late) as late_payments_365d,
  cast(count(*) filter (where late) as double) / nullif(count(*) filter (where settled), 0) as late_share_365d,
  cast(sum(delay) filter (where late) as double) / nullif(count(*) filter (where late), 0) / 86400000000.0 as late_by_days_365d
from judged group by customer_id, cutoff
""",
    {
        "invoices_overdue": "Invoices overdue now: {value:.0f}",
        "oldest_overdue_days": "Oldest unpaid invoice {value:.0f} {value:day|days} after its due date",
        "amount_overdue": "Amount overdue now: {value:,.0f}",
        "late_payments_365d": "Invoices paid late in 365 days: {value:.0f}",
        "late_share_365d": "Invoices paid late in 365 days: {value:.0%}",
        "late_by_days_365d": "Late invoices of 365 days were paid {value:.0f} {value:day|days} late on average",
    },
    alone=True,
)


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of invoices; reminders also over the longest lookback (days)."""
    long = max(*lookbacks, 90)
    return (
        Feature("invoiced_90d", "invoices", Sum("amount"), "Invoiced in 90 days: {value:,.0f}", "event = 'issued' and amount > 0", 90),
        Trend("invoiced_90d_trend", "invoiced_90d", "Invoiced {before:,.0f} → {now:,.0f} in 90 days"),
        *lookback_features("invoices", "invoices_reminded", "Payment reminders", sorted({90, long}), "event = 'reminded'"),
        silence_feature("invoices", "payment", "payment", "event = 'paid'"),
        PAYMENT,
    )

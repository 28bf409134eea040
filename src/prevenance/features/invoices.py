"""Invoice features: what is due, what was paid late, and reminders.

An invoice is late from one day after ``due_on`` (a due date lasts until its evening). It is settled when its ``paid`` and ``credited`` rows
add up to its amount (a row without an amount settles the rest), and gone when it is ``voided``, unless it is issued or settled again later.
"""

from collections.abc import Sequence

from prevenance.features.define import Definition, Feature, State, Sum, Trend
from prevenance.features.spans import lookback_features, silence_feature

SETTLED_SQL = """
moved as (
  select *, case event when 'paid' then coalesce(amount, 99999999999999) when 'credited' then coalesce(abs(amount), 99999999999999) else 0 end as moved
  from invoices
),
counted as materialized (
  select customer_id, invoice_id, cutoff, min(due_on) as due_on, min(amount) filter (where event = 'issued') as amount, sum(moved) as received,
    min(event_at) filter (where event in ('paid', 'credited')) as settled_at, bool_or(event = 'paid') as by_payment,
    count(*) filter (where event in ('paid', 'credited')) <= 1 and not bool_or(event = 'voided') and min(due_on) is not distinct from max(due_on)
      and min(amount) filter (where event = 'issued') is not distinct from max(amount) filter (where event = 'issued') as plain
  from moved group by customer_id, invoice_id, cutoff
),
others as materialized (
  select r.* from moved as r join counted as c on c.customer_id = r.customer_id and c.invoice_id = r.invoice_id and c.cutoff = r.cutoff where not c.plain
),
issued as (
  select customer_id, invoice_id, cutoff,
    arg_max(due_on, (event_at, known_at, due_on)) filter (where due_on is not null) as due_on,
    arg_max(amount, (event_at, known_at, amount)) filter (where event = 'issued' and amount is not null) as amount,
    max((event_at, known_at)) filter (where event = 'voided') as voided_at,
    max((event_at, known_at)) filter (where event = 'issued') as issued_at,
    sum(moved) as received
  from others group by customer_id, invoice_id, cutoff
),
paid as (
  select customer_id, invoice_id, cutoff, event, event_at, known_at,
    sum(moved) over (partition by customer_id, invoice_id, cutoff order by event_at, known_at) as so_far
  from others where event in ('paid', 'credited')
),
settlements as (
  select p.customer_id, p.invoice_id, p.cutoff, min(event_at) as settled_at, bool_or(event = 'paid') as by_payment, max((event_at, known_at)) as last_at
  from paid as p join issued as i on i.customer_id = p.customer_id and i.invoice_id = p.invoice_id and i.cutoff = p.cutoff
  where so_far + 0.005 >= coalesce(i.amount, 0) group by p.customer_id, p.invoice_id, p.cutoff
),
bills as (
  select customer_id, invoice_id, cutoff, due_on, amount, received, case when received + 0.005 >= coalesce(amount, 0) then settled_at end as settled_at,
    false as voided, case when by_payment and received + 0.005 >= coalesce(amount, 0) then settled_at end as paid_at
  from counted where plain
  union all
  select i.customer_id, i.invoice_id, i.cutoff, i.due_on, i.amount, received, s.settled_at,
    voided_at is not null and voided_at >= coalesce(greatest(issued_at, last_at), voided_at) as voided,
    case when s.by_payment and not voided then s.settled_at end
  from issued as i left join settlements as s on s.customer_id = i.customer_id and s.invoice_id = i.invoice_id and s.cutoff = i.cutoff
)
"""
"""Invoices at the cutoff, one row each: what is due when, ``received`` so far, ``settled_at`` (paid or credited whole) and ``paid_at`` (settled by a payment).

Nearly all are plain: issued in one way, paid at once or not at all. Which row came last is asked of the others alone.
"""

PAYMENT = State(
    "payment",
    ("invoices",),
    f"""
with {SETTLED_SQL},
judged as (
  select *, epoch_us(paid_at) - epoch_us(due_on) as delay,
    settled_at is null and not voided and coalesce(amount, 1) > 0 and due_on + interval '1' day <= cutoff as overdue,
    paid_at >= due_on + interval '1' day and paid_at > cutoff - interval '365' day as late,
    due_on is not null and paid_at > cutoff - interval '365' day as settled
  from bills
)
select customer_id,
  count(*) filter (where overdue) as invoices_overdue,
  (epoch_us(cutoff) - epoch_us(min(due_on) filter (where overdue))) / 86400000000.0 as oldest_overdue_days,
  coalesce(sum(amount - received) filter (where overdue), 0) as amount_overdue,
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
    worse=dict.fromkeys(
        ("invoices_overdue", "oldest_overdue_days", "amount_overdue", "late_payments_365d", "late_share_365d", "late_by_days_365d"), "more"
    ),
)


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of invoices; reminders also over the longest lookback (days)."""
    long = max(*lookbacks, 90)
    return (
        Feature(
            "invoiced_90d",
            "invoices",
            Sum("amount"),
            "Invoiced in 90 days: {value:,.0f}",
            "event = 'issued' and amount > 0",
            90,
            worse="less",
            each="Average invoice in {days} days: {value:,.0f}",
        ),
        Trend("invoiced_90d_trend", "invoiced_90d", "Invoiced {before:,.0f} → {now:,.0f} in 90 days"),
        *lookback_features("invoices", "invoices_reminded", "Payment reminders", sorted({90, long}), "event = 'reminded'", worse="more"),
        silence_feature("invoices", "payment", "payment", "event = 'paid'", worse=None),
        PAYMENT,
    )

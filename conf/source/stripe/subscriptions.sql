-- From Dashboard > Billing > Subscriptions > Export, with status All (canceled ones too): one row a subscription as it stands today.
-- Plan, quantity and amount are today's (of what ended, the last): without history, taken as so from the start. Who changes them often keeps
-- copies, record: {stripe_subscriptions: [id]} and make record every night.
-- Amount is the price of one unit for one interval in whole currency (not cents), before discounts: compare one with its invoice; where it is
-- the sum of all units already, take "* Quantity" out. The export does not say that an interval is 3 months: divide such plans here by their name.
-- One currency is assumed: with several, convert here.
with sold as (
  select *,
    -- a trial is no contract yet: what is sold begins when it is over
    case when "Trial End (UTC)" > "Start Date (UTC)" then "Trial End (UTC)" else "Start Date (UTC)" end as begins,
    try_cast(Amount as decimal(18, 4)) * coalesce(try_cast(Quantity as decimal(18, 4)), 1)
      * case Interval when 'year' then 1.0 / 12 when 'week' then 52.0 / 12 when 'day' then 365.0 / 12 else 1 end as monthly
  from stripe_subscriptions
  -- incomplete: the first payment failed, it never began; trialing: not yet; paused: a trial that nobody paid for after it
  where coalesce(lower(Status), '') not in ('incomplete', 'incomplete_expired', 'trialing', 'paused')
    -- a trial that ended with its last day, or before, never was a contract
    and coalesce("Ended At (UTC)" > "Trial End (UTC)", true)
)
select "Customer ID" as customer_id, begins || 'Z' as event_at, id as subscription_id, 'started' as event, Plan as product_id, Plan as plan,
  Quantity as seats, round(monthly, 4) as mrr, id || ':started' as _id, _file, _line
from sold
union all by name
-- Canceled At is when the cancellation was asked for, Ended At when it took effect: apart, the first is a notice. A cancellation that was
-- taken back leaves no trace. It runs to the end of the period that was paid
select "Customer ID" as customer_id, "Canceled At (UTC)" || 'Z' as event_at, id as subscription_id, 'notice' as event, Plan as product_id, Plan as plan,
  coalesce("Ended At (UTC)", "Current Period End (UTC)") || 'Z' as ends_on, id || ':notice' as _id, _file, _line
from sold
where "Canceled At (UTC)" <> '' and coalesce("Ended At (UTC)" > "Canceled At (UTC)", true)
union all by name
-- ended at once, at the end of its period, or by Stripe after payments that failed
select "Customer ID" as customer_id, "Ended At (UTC)" || 'Z' as event_at, id as subscription_id, 'ended' as event, Plan as product_id, Plan as plan,
  id || ':ended' as _id, _file, _line
from sold
where "Ended At (UTC)" <> ''
-- past_due and unpaid go on running: nobody has left yet, and the invoices say what is owed. A pause of collection does not show in the export.
-- Renewals are not told: the row holds its current period alone, and of a subscription that ended the last one, which would give the end away

-- A wide row becomes 'started' and 'ended', each on its own day; plan, seats and mrr are declared to hold from the start on.
-- The end date, upgrade, downgrade and churn flags are written after the fact: 'started' does not carry them.
-- The account's churn events are its word that it leaves: event 'notice', with the churn event's id as subscription_id, because
-- the export does not say which subscription it means.
select account_id as customer_id, start_date as event_at, subscription_id, 'started' as event, plan_tier as product_id,
  plan_tier as plan, seats, mrr_amount as mrr, subscription_id || ':started' as _id, _file, _line
from subscriptions
union all by name
select account_id as customer_id, end_date as event_at, subscription_id, 'ended' as event, plan_tier as product_id,
  plan_tier as plan, subscription_id || ':ended' as _id, _file, _line
from subscriptions
where end_date <> ''
union all by name
select account_id as customer_id, churn_date as event_at, churn_event_id as subscription_id, 'notice' as event,
  churn_event_id || ':notice' as _id, _file, _line
from churn_events

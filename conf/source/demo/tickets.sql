-- A wide row, edited in place, becomes one row per change, each with its own clock. A ticket is known once it is logged
-- (calls are logged later), the other changes are written down as they are made.
with changes as (
  select 'opened' as event, opened_at as event_at, logged_at as known_at, null as score, * from tickets
  union all select 'assigned', assigned_at, assigned_at, null, * from tickets where assigned_at <> ''
  union all select 'replied', first_reply_at, first_reply_at, null, * from tickets where first_reply_at <> ''
  union all select 'waiting', waiting_since, waiting_since, null, * from tickets where waiting_since <> ''
  union all select 'escalated', escalated_at, escalated_at, null, * from tickets where escalated_at <> ''
  union all select 'resolved', resolved_at, resolved_at, null, * from tickets where resolved_at <> ''
  union all select 'reopened', reopened_at, reopened_at, null, * from tickets where reopened_at <> ''
  union all select 'closed', closed_at, closed_at, null, * from tickets where closed_at <> ''
  union all select 'rated', rated_at, rated_at, csat, * from tickets where rated_at <> ''
)
select account_id as customer_id, event_at, known_at, ticket_id, event, queue as "group", category, priority, channel, product_id,
  score, subject, ticket_id || ':' || event as _id, _file, _line
from changes

-- A wide row, edited in place, becomes one row per change, each with its own clock. A ticket is known once it is logged
-- (calls are logged later), the other changes are written down as they are made. It starts in its queue; handed on, it is in the next one.
with changes as (
  select 'opened' as event, 'opened' as activity, opened_at as event_at, logged_at as known_at, queue as "group", null as score, * from tickets
  union all select 'assigned', 'assigned', assigned_at, assigned_at, queue, null, * from tickets where assigned_at <> ''
  union all select 'replied', 'first reply', first_reply_at, first_reply_at, queue, null, * from tickets where first_reply_at <> ''
  union all select 'waiting', 'asked back', waiting_since, waiting_since, queue, null, * from tickets where waiting_since <> ''
  union all select 'other', 'customer answered', answered_at, answered_at, queue, null, * from tickets where answered_at <> ''
  union all select 'waiting', 'asked back again', waiting_again_since, waiting_again_since, queue, null, * from tickets
    where waiting_again_since <> ''
  union all select 'other', 'customer answered again', answered_again_at, answered_again_at, queue, null, * from tickets
    where answered_again_at <> ''
  union all select 'transferred', 'handed on', transferred_at, transferred_at, transferred_to, null, * from tickets where transferred_at <> ''
  union all select 'assigned', 'taken', taken_at, taken_at, transferred_to, null, * from tickets where taken_at <> ''
  union all select 'transferred', 'handed back', handed_back_at, handed_back_at, queue, null, * from tickets where handed_back_at <> ''
  union all select 'escalated', 'escalated', escalated_at, escalated_at, queue, null, * from tickets where escalated_at <> ''
  union all select 'resolved', 'resolved', resolved_at, resolved_at, queue, null, * from tickets where resolved_at <> ''
  union all select 'reopened', 'reopened', reopened_at, reopened_at, queue, null, * from tickets where reopened_at <> ''
  union all select 'resolved', 'resolved again', solved_again_at, solved_again_at, queue, null, * from tickets where solved_again_at <> ''
  union all select 'closed', 'closed', closed_at, closed_at, queue, null, * from tickets where closed_at <> ''
  union all select 'rated', 'rated', rated_at, rated_at, queue, csat, * from tickets where rated_at <> ''
)
select account_id as customer_id, event_at, known_at, ticket_id, event, activity, "group", category, priority, channel, product_id,
  score, subject, ticket_id || ':' || activity as _id, _file, _line
from changes

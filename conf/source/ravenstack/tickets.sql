-- A wide row becomes one row per change, each with its own clock. Tickets carry the day they were submitted, minutes to the
-- first reply from there. Escalation and rating carry no time of their own: the close is when they are known for certain.
-- An unreadable time goes through as it stands, to be set apart with its line.
with timed as (
  select *, coalesce(strftime(try_strptime(closed_at, '%Y-%m-%d %H:%M'), '%Y-%m-%d %H:%M:%S'), closed_at) as done_at,
    coalesce(cast(try_cast(submitted_at as timestamp) + to_minutes(try_cast(first_response_time_minutes as integer)) as varchar), submitted_at) as replied_at
  from tickets
),
changes as (
  select 'opened' as event, submitted_at as event_at, null as score, * from timed
  union all select 'replied', replied_at, null, * from timed where first_response_time_minutes <> ''
  union all select 'escalated', done_at, null, * from timed where upper(escalation_flag) = 'TRUE'
  union all select 'resolved', done_at, null, * from timed where closed_at <> ''
  union all select 'rated', done_at, satisfaction_score, * from timed where satisfaction_score <> '' and closed_at <> ''
)
select account_id as customer_id, event_at, ticket_id, event, priority, score, ticket_id || ':' || event as _id, _file, _line
from changes

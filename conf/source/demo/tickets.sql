-- A wide row, edited in place, becomes one row per change, each with its own clock. A ticket is known once it is logged
-- (calls are logged later), the other changes are written down as they are made. It starts in its queue; handed on, it is in the next one
-- until it is handed back; no row says more than was so by then. Who did it becomes a number within the ticket alone (1 for the first who touched it, 2 for the next, 1 again
-- where the first comes back): the help desk's own numbers go no further than this select.
with held as (
  select *, coalesce(handed_back_at, '') <> '' as is_back, transferred_to <> '' and (not is_back or handed_back_at > escalated_at) as onward,
    case when onward then transferred_to else queue end as over_queue, case when onward then agent_next else agent end as over_agent,
    case when transferred_to <> '' and not is_back then transferred_to else queue end as last_queue,
    case when agent_over <> '' then agent_over when agent_next <> '' and not is_back then agent_next else agent end as last_agent
  -- the checks are there only where they are planted: a column that the file lacks is the empty one of beside
  from (select '' as checked_at, '' as checked_again_at) as beside,
    lateral (select *, checked_at as first_check, checked_again_at as second_check from tickets) as tickets
),
changes as (
  select 'opened' as event, 'opened' as activity, opened_at as event_at, logged_at as known_at, queue as "group", '' as who, null as score, *
    from held
  union all select 'assigned', 'assigned', assigned_at, assigned_at, queue, agent, null, * from held where assigned_at <> ''
  union all select 'replied', 'first reply', first_reply_at, first_reply_at, queue, agent, null, * from held where first_reply_at <> ''
  union all select 'asked', 'asked back', waiting_since, waiting_since, queue, agent, null, * from held where waiting_since <> ''
  union all select 'answered', 'customer answered', answered_at, answered_at, queue, '', null, * from held where answered_at <> ''
  union all select 'note', 'resumed', resumed_at, resumed_at, queue, agent, null, * from held where resumed_at <> ''
  union all select 'asked', 'asked back again', waiting_again_since, waiting_again_since, queue, agent, null, * from held
    where waiting_again_since <> ''
  union all select 'answered', 'customer answered again', answered_again_at, answered_again_at, queue, '', null, * from held
    where answered_again_at <> ''
  union all select 'note', 'resumed again', resumed_again_at, resumed_again_at, queue, agent, null, * from held where resumed_again_at <> ''
  union all select 'transferred', 'handed on', transferred_at, transferred_at, transferred_to, agent, null, * from held
    where transferred_at <> ''
  union all select 'assigned', 'taken', taken_at, taken_at, transferred_to, agent_next, null, * from held where taken_at <> ''
  union all select 'transferred', 'handed back', handed_back_at, handed_back_at, queue, agent_next, null, * from held where handed_back_at <> ''
  union all select 'assigned', 'taken back', taken_back_at, taken_back_at, queue, agent, null, * from held where taken_back_at <> ''
  union all select 'escalated', 'escalated', escalated_at, escalated_at, over_queue, over_agent, null, * from held where escalated_at <> ''
  union all select 'assigned', 'taken over', taken_over_at, taken_over_at, over_queue, agent_over, null, * from held where taken_over_at <> ''
  union all select 'approval_asked', 'asked for approval', approval_asked_at, approval_asked_at, last_queue, last_agent, null, * from held
    where approval_asked_at <> ''
  union all select 'approval_given', 'approved', approval_given_at, approval_given_at, last_queue, agent_approves, null, * from held
    where approval_given_at <> ''
  union all select 'note', 'account checked', first_check, first_check, queue, '', null, * from held where first_check <> ''
  union all select 'note', 'account checked', second_check, second_check, 'second line', '', null, * from held where second_check <> ''
  union all select 'note', 'finishing', finishing_at, finishing_at, last_queue, last_agent, null, * from held where finishing_at <> ''
  union all select 'resolved', 'resolved', resolved_at, resolved_at, last_queue, last_agent, null, * from held where resolved_at <> ''
  union all select 'reopened', 'reopened', reopened_at, reopened_at, last_queue, '', null, * from held where reopened_at <> ''
  union all select 'assigned', 'taken again', taken_again_at, taken_again_at, last_queue, agent_again, null, * from held
    where taken_again_at <> ''
  union all select 'resolved', 'resolved again', solved_again_at, solved_again_at, last_queue, agent_again, null, * from held
    where solved_again_at <> ''
  union all select 'closed', 'closed', closed_at, closed_at, last_queue, '', null, * from held where closed_at <> ''
  union all select 'rated', 'rated', rated_at, rated_at, last_queue, '', csat, * from held where rated_at <> ''
),
hands as (
  select ticket_id, who, row_number() over (partition by ticket_id order by min(event_at), who) as hand from changes where who <> '' group by ticket_id, who
)
select account_id as customer_id, event_at, known_at, ticket_id, event, activity, "group", category, priority, channel, product_id,
  score, subject, hand,
  ticket_id || ':' || activity || case when "group" = 'second line' and activity = 'account checked' then ' again' else '' end as _id, _file, _line
from changes left join hands using (ticket_id, who)

-- From Reports > a report on Conversations > Export CSV, all attributes: one row a conversation as it stands today. The zone stands in the names of the
-- columns of times, such as "Conversation started at (Europe/Paris)": any is read here, and timezone in the yaml has to say the same.
-- Customers are companies, by their id; conversations of people without one are left out, told as such.
with kept as (
  select *, columns('^Conversation started at') as started, columns('^Conversation first replied at') as replied,
    columns('^First assignment at') as first_assigned, columns('^Last assignment at') as last_assigned,
    columns('^Conversation first closed at') as first_closed, columns('^Conversation last closed at') as last_closed,
    columns('^Conversation updated at') as updated, lower("Current conversation state") = 'closed' as is_closed
  from intercom_conversations
  -- what we began ourselves (a campaign, a message) is no request
  where "Company ID" <> '' and coalesce(lower("Started by"), '') not in ('teammate', 'admin', 'operator', 'workflow', 'bot')
),
changes as (
  select 'opened' as event, 'started' as activity, started as event_at, null as score, * from kept
  union all select 'assigned', 'first assigned', first_assigned, null, * from kept where first_assigned <> ''
  -- those between the first and the last are counted, without a time
  union all select 'transferred', 'last assigned', last_assigned, null, * from kept where last_assigned > first_assigned
  union all select 'replied', 'first reply', replied, null, * from kept where replied <> ''
  -- closed is solved in Intercom, by somebody, by Fin or by a workflow after days without an answer: "Last closed by" tells them apart if you must
  union all select 'resolved', 'first closed', first_closed, null, * from kept where first_closed <> ''
  -- it came back at the latest when it was closed again, or, still open, when it was last touched: once, however often
  union all select 'reopened', 'came back', case when is_closed then last_closed else updated end, null, * from kept
    where last_closed > first_closed or (first_closed <> '' and not is_closed)
  union all select 'resolved', 'last closed', last_closed, null, * from kept where is_closed and last_closed > first_closed
  -- when it was given is not said: at the latest at the last change. Ratings of Fin are another column and stay out
  union all select 'rated', 'rated', updated, "Last teammate rating", * from kept where "Last teammate rating" <> ''
)
-- Snoozed is a state without a time: waiting stays out. Names, addresses and remarks are not read
select "Company ID" as customer_id, event_at, "Conversation ID" as ticket_id, event, activity, Topics as category, "Conversation priority" as priority,
  Channel as channel, score, "Conversation ID" || ':' || activity as _id, _file, _line
from changes

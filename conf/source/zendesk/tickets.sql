-- From the CSV export of Admin Center > Account > Tools > Reports > Export: one row a ticket as it stands today, edited in place, with the times of
-- some of its changes. Each time becomes a row of its own. Times are in the account's zone, without offset: set timezone in the yaml.
-- Customer: the requester's organisation, by its name (a renamed one is a new customer). Tickets of people without one belong to no customer
-- and are left out, told as such; so are deleted and suspended tickets (spam, or somebody who asked to be forgotten).
-- Priority, type and channel have no history: they are taken as set when the ticket was opened, which they are for most.
-- The subject names people and is not read; for what tickets say, add it: Subject as subject.
with kept as (
  select *, lower(Status) as state,
    try_cast("Created at" as timestamp) as made,
    -- tags stand in one cell, with blanks or commas between them; Zendesk gives this one to what was merged into another ticket
    regexp_matches(coalesce(Tags, ''), '(^|[ ,])closed_by_merge([ ,]|$)') as merged,
    -- how often it was solved and opened again; the export says when it was solved first and last, not when it came back
    coalesce(try_cast(Reopens as integer), 0) > 0 as came_back
  from zendesk_tickets
  where Organization <> '' and lower(Status) not in ('deleted', 'suspended')
),
changes as (
  -- a merged ticket was a request as well on its day, and nobody knew yet that it would be merged
  select 'opened' as event, 'created' as activity, "Created at" as event_at, null as "group", null as score, * from kept
  -- the first and the last assignment have a time; where they are one, its group is the ticket's. Those between are counted
  -- ("Assignee stations") without a time, and stay out
  union all select 'assigned', 'first assigned', "Initially assigned at",
    case when "Assigned at" = "Initially assigned at" then "Group" end, null, * from kept where "Initially assigned at" <> ''
  union all select 'transferred', 'last assigned', "Assigned at", "Group", null, * from kept where "Assigned at" > "Initially assigned at"
  -- minutes of the calendar, not of business hours
  union all select 'replied', 'first reply', strftime(made + to_minutes(try_cast("First reply time in minutes" as integer)), '%Y-%m-%d %H:%M'),
    null, null, * from kept where "First reply time in minutes" <> ''
  union all select 'resolved', 'first solved', strftime(made + to_minutes(try_cast("First resolution time in minutes" as integer)), '%Y-%m-%d %H:%M'),
    null, null, * from kept where came_back and "First resolution time in minutes" <> ''
  -- it came back at the latest when it was solved again, or, still open, when it was last touched: never said too early, and once
  -- for a ticket that came back three times
  union all select 'reopened', 'came back', case when state in ('solved', 'closed') then coalesce("Solved at", "Updated at") else "Updated at" end,
    null, null, * from kept where came_back
  union all select 'resolved', 'last solved', "Solved at", null, null, * from kept
    where state in ('solved', 'closed') and "Solved at" <> '' and not merged
  -- Zendesk closes what is solved by itself, days later, and the export has no time for it: it moves nothing and stays out.
  -- What was merged, or closed without having been solved, ended when it was last touched
  union all select 'closed', case when merged then 'merged' else 'closed' end, coalesce("Solved at", "Updated at"), null, null, * from kept
    where merged or (state = 'closed' and "Solved at" is null)
  -- Good and Bad are 1 and 0; Offered and Not Offered are no answer. When it was given is not said: at the latest at the last change
  union all select 'rated', lower("Satisfaction Score"), "Updated at", null,
    case lower("Satisfaction Score") when 'good' then '1' else '0' end, * from kept where lower("Satisfaction Score") in ('good', 'bad')
)
-- pending and on hold are sums of minutes without a time: waiting cannot be told and stays out
select Organization as customer_id, event_at, Id as ticket_id, event, activity, "group", "Ticket type" as category, Priority as priority, Via as channel,
  score, Id || ':' || activity as _id, _file, _line
from changes

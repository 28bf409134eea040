-- From Tickets > Export, all fields of the ticket and, of the company, its name: one row a ticket as it stands today. Customers are the companies, by
-- name (a renamed one is a new customer); tickets of people without one are left out, told as such. Spam and deleted tickets are not exported.
with kept as (
  select *, case lower("Survey results")
      when 'extremely happy' then 3 when 'very happy' then 2 when 'happy' then 1 when 'neutral' then 0
      when 'unhappy' then -1 when 'very unhappy' then -2 when 'extremely unhappy' then -3 end as stars
  from freshdesk_tickets
  where "Company Name" <> ''
),
changes as (
  select 'opened' as event, "Created time" as event_at, null as score, * from kept
  union all select 'replied', "Initial response time", null, * from kept where "Initial response time" <> ''
  union all select 'resolved', "Resolved time", null, * from kept where "Resolved time" <> ''
  -- Freshdesk closes what is resolved by itself, days later: after a solution it moves nothing. Closed at once, it ends here
  union all select 'closed', "Closed time", null, * from kept where "Closed time" <> ''
  -- when it was given is not said: at the latest when the ticket was last touched
  union all select 'rated', "Last update time", cast(stars as varchar), * from kept where stars is not null
)
-- Freshdesk empties both times when a ticket comes back, and does not say that it did: reopened stays out. So do hand-offs and waiting; hours of work
-- stand there as sums. A ticket that was merged into another is closed, and not told from others: both were requests. Type, priority and source are
-- today's, taken as set at the opening. The subject names people and is not read
select "Company Name" as customer_id, event_at, "Ticket ID" as ticket_id, event, Type as category, Priority as priority, Source as channel, score,
  "Ticket ID" || ':' || event as _id, _file, _line
from changes

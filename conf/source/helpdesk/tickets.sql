-- One row per activity, plus rows for what an activity implies and the log does not say itself: the first row of a ticket
-- opens it, work after "Resolve ticket" reopens it. Implied rows carry no activity. Only earlier rows of the same ticket
-- are looked at, so a later row changes nothing.
-- Seriousness, service type and workgroup stand on every row of a ticket, equal on all of them in all but five tickets:
-- they are taken as known when the row was written.
-- Who did it becomes a number within the ticket alone: 1 for the first who touched it, 2 for the next, 1 again where the first comes
-- back. Implied rows have none. Nobody's name goes further than this select.
-- The log has no row id: rows equal in ticket, activity, second and hand are one row exported twice.
with ordered as (
  select *,
    replace("Complete Timestamp", '/', '-') as happened,
    row_number() over log as place,
    max(Activity in ('Resolve ticket', 'RESOLVED', 'Closed')) over (log rows between 1 preceding and 1 preceding) as was_done,
    last_value(case when Activity = 'Take in charge ticket' then Resource end ignore nulls)
      over (log rows between unbounded preceding and 1 preceding) as taken_by
  from events
  window log as (partition by "Case ID" order by "Complete Timestamp", Activity, Resource, customer, _file, _line)
),
met as (
  select *, case when Resource is not null then min(place) over (partition by "Case ID", Resource) end as met_at from ordered
),
said as (
  select *, Activity as word,
    case when met_at is not null then dense_rank() over (partition by "Case ID" order by met_at nulls last) end as hand, case
    when Activity = 'Insert ticket' and place = 1 then 'opened'
    when Activity = 'Take in charge ticket' and taken_by <> Resource then 'transferred'
    when Activity = 'Take in charge ticket' then 'assigned'
    when Activity = 'Wait' then 'waiting'
    when Activity = 'Create SW anomaly' then 'escalated'
    when Activity in ('Resolve ticket', 'RESOLVED') then 'resolved'
    when Activity = 'Closed' then 'closed'
    else 'other' end as event
  from met
),
implied as (
  select * replace (null as word, case when place = 1 then 'opened' else 'reopened' end as event)
  from said
  where (place = 1 and Activity <> 'Insert ticket')
    or (was_done and Activity in ('Take in charge ticket', 'Wait', 'Assign seriousness', 'Create SW anomaly', 'Schedule intervention'))
)
select customer as customer_id, happened as event_at, "Case ID" as ticket_id, event, word as activity, workgroup as "group",
  service_type as category, seriousness_2 as priority, product as product_id, case when word is not null then hand end as hand,
  concat_ws('|', "Case ID", "Complete Timestamp", coalesce(word, '(implied)'), hand, event) as _id, _file, _line
from (from said union all by name from implied)

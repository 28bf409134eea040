-- From CRM > Tickets > Export, all properties, with the ids of associated companies: one row a ticket as it stands today.
-- An older export calls its id "Ticket ID": files: {hubspot_tickets: {path: ..., rename: {"Ticket ID": "Record ID"}}}
with merged as (
  select trim(unnest(string_split("Merged Company IDs", ';'))) as old_id, "Record ID" as new_id from hubspot_companies where "Merged Company IDs" <> ''
),
kept as (
  -- of several companies the first counts; tickets of people without a company are left out, told as such
  select t.*, coalesce(m.new_id, trim(split_part(t."Associated Company IDs", ';', 1))) as company,
    -- closing date emptied, last closing kept: it came back
    t."Close date" is null and t."Last Closed Date" <> '' as came_back
  from hubspot_tickets t
  left join merged m on m.old_id = trim(split_part(t."Associated Company IDs", ';', 1))
  where t."Associated Company IDs" <> ''
),
changes as (
  select 'opened' as event, "Create date" as event_at, * from kept
  -- the last owner's date; who had it before is not told
  union all select 'assigned', "Owner assigned date", * from kept where "Owner assigned date" <> ''
  union all select 'replied', "First agent email response date", * from kept where "First agent email response date" <> ''
  union all select 'resolved', coalesce("Close date", "Last Closed Date"), * from kept where "Close date" <> '' or "Last Closed Date" <> ''
  -- when it came back is not said: at the latest when it was last changed
  union all select 'reopened', "Last modified date", * from kept where came_back
)
-- The stages between have columns that are called after the pipeline. To count waiting, add to changes the line
--   union all select 'waiting', "Date entered ""Waiting on contact (Support Pipeline)""", * from kept where "Date entered ""Waiting on contact (Support Pipeline)""" <> ''
-- Priority, category and source are today's, taken as set at the opening. Merged and deleted tickets are not exported. Answers to surveys are an
-- export of their own (Service > Customer feedback) and stay out.
select company as customer_id, event_at, "Record ID" as ticket_id, event, Pipeline as "group", Category as category, Priority as priority, Source as channel,
  "Record ID" || ':' || event as _id, _file, _line
from changes

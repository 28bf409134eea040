-- From CRM > Deals > Export, all properties, with the ids of associated companies. HubSpot has no contracts: a won deal with "Recurring revenue amount"
-- (a month, the property of its revenue analytics) is one from its close date until "Recurring revenue inactive date". Deals without it are
-- single sales and left out, told as such: where you do not fill these properties, this table says nothing, and leaving must come from elsewhere.
-- An upgrade or renewal is a deal of its own, its forerunner becomes inactive: who has another running contract has not left.
with merged as (
  select trim(unnest(string_split("Merged Company IDs", ';'))) as old_id, "Record ID" as new_id from hubspot_companies where "Merged Company IDs" <> ''
),
sold as (
  -- a deal may name several companies, with ; between them: the first counts
  select d.*, coalesce(m.new_id, trim(split_part(d."Associated Company IDs", ';', 1))) as company
  from hubspot_deals d
  left join merged m on m.old_id = trim(split_part(d."Associated Company IDs", ';', 1))
  where lower(d."Is Closed Won") in ('true', 'yes', '1') and d."Recurring revenue amount" <> '' and d."Associated Company IDs" <> ''
)
-- the amount is today's: who corrects it in place changes what was known
select company as customer_id, "Close Date" as event_at, "Record ID" as subscription_id, 'started' as event, "Recurring revenue amount" as mrr,
  "Record ID" || ':started' as _id, _file, _line
from sold
union all by name
-- a date to come is a planned end: nobody has left before it. Notice has no date in HubSpot
select company as customer_id, "Recurring revenue inactive date" as event_at, "Record ID" as subscription_id, 'ended' as event,
  "Record ID" || ':ended' as _id, _file, _line
from sold
where "Recurring revenue inactive date" <> ''

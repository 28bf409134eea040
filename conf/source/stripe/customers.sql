-- From Dashboard > Customers > Export. Times are UTC and say so in the column's name, not in the cell: hence the Z.
-- Delinquent, plan, spend and balance are today's, without history: they stay out.
select id as customer_id, "Created (UTC)" || 'Z' as event_at, coalesce(Name, Description) as name, _file, _line
from stripe_customers
union all by name
-- A deleted customer is gone from that export, the subscriptions that ended with it are not: without this part only survivors would be learned from
select s."Customer ID" as customer_id, min(s."Created (UTC)") || 'Z' as event_at, min(s._file) as _file,
  arg_min(s._line, (s."Created (UTC)", s._file, s._line)) as _line
from stripe_subscriptions s
anti join stripe_customers c on c.id = s."Customer ID"
where s."Customer ID" <> ''
group by s."Customer ID"

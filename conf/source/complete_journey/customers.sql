-- Every household with a basket is a customer from its first one on; 801 of them answered for the demographics.
-- The demographics have no history: household composition is declared static. Age, income, home and marriage are not
-- needed and stay out.
select t.household_id as customer_id, t.event_at, nullif(d.household_comp, 'NaN') as segment,
  coalesce(d._file, t._file) as _file, coalesce(d._line, t._line) as _line
from (
  select household_id, min(transaction_timestamp) as event_at, min(_file) as _file, arg_min(_line, (transaction_timestamp, _line)) as _line
  from transactions
  group by household_id
) t
left join demographics d on d.household_id = t.household_id

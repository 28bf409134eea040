-- The account row is edited in place; its change log tells what stood there before. Every change becomes a row that holds
-- from then on: a field has the newest new value up to that moment, or the old value of its next change, or (never changed)
-- what stands there today. The other columns have no history and are declared static.
-- A change of an account that is not in the export names no customer and is set apart, an account whose rows contradict each other too.
with moments as (
  select account_id, created_at as event_at, null as field, null as old_value, null as new_value, _file, _line from accounts
  union all by name
  select account_id, changed_at as event_at, field, old_value, new_value, _file, _line from account_changes
),
filled as (
  select *,
    coalesce(
      last_value(case when field = 'owner' then new_value end ignore nulls) over earlier,
      first_value(case when field = 'owner' then old_value end ignore nulls) over later) as owner_then,
    coalesce(
      last_value(case when field = 'plan' then new_value end ignore nulls) over earlier,
      first_value(case when field = 'plan' then old_value end ignore nulls) over later) as plan_then
  from moments
  window
    earlier as (partition by account_id order by event_at range between unbounded preceding and current row),
    later as (partition by account_id order by event_at rows between 1 following and unbounded following)
)
select a.account_id as customer_id, m.event_at, a.name, a.segment, a.industry, a.country, a.language, a.parent_id,
  coalesce(m.owner_then, a.owner) as owner, coalesce(m.plan_then, a.plan) as plan, m._file, m._line
from filled m
left join (select distinct * exclude (_file, _line) from accounts) a on a.account_id = m.account_id

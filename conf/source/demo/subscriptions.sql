-- The contract row is edited in place: seats, mrr and renews_on are today's. What it began with is the old value of its
-- first change. Renewals and changes (of seats and plan) come from the change log, notice and end carry their own dates.
-- The planned end is known with the notice, not before. An add-on is a contract without a plan.
with first_change as (
  select distinct on (subscription_id) subscription_id, old_product_id, old_plan, old_seats, old_mrr, old_renews_on
  from contract_changes
  order by subscription_id, changed_at, what
),
owned as (
  select distinct on (subscription_id) subscription_id, account_id
  from contracts
  order by subscription_id, _file, _line
)
select c.account_id as customer_id, c.started_on as event_at, c.subscription_id, 'started' as event,
  coalesce(f.old_product_id, c.product_id) as product_id, nullif(coalesce(f.old_plan, c.plan), '') as plan,
  coalesce(f.old_seats, c.seats) as seats, coalesce(f.old_mrr, c.mrr) as mrr, coalesce(f.old_renews_on, c.renews_on) as renews_on,
  null as ends_on, c._file, c._line
from contracts c
left join first_change f on f.subscription_id = c.subscription_id
union all by name
select o.account_id as customer_id, l.changed_at as event_at, l.subscription_id, l.what as event, l.new_product_id as product_id, l.new_plan as plan,
  l.new_seats as seats, l.new_mrr as mrr, l.new_renews_on as renews_on, l._file, l._line
from contract_changes l
left join owned o on o.subscription_id = l.subscription_id
union all by name
select account_id as customer_id, notice_on as event_at, subscription_id, 'notice' as event, product_id, nullif(plan, '') as plan, ends_on, _file, _line
from contracts
where notice_on <> ''
union all by name
select account_id as customer_id, ended_on as event_at, subscription_id, 'ended' as event, product_id, nullif(plan, '') as plan, ends_on, _file, _line
from contracts
where ended_on <> ''

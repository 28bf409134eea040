-- Usage names a subscription, the account is looked up. A row that counts errors too gives a second row, kind 'error'.
-- Twenty-one usage ids stand on two different rows: both are set apart, because nobody can say which one is meant.
select s.account_id as customer_id, u.usage_date as event_at, 'use' as kind, u.feature_name as feature,
  u.usage_count as quantity, s.plan_tier as product_id, u.usage_id || ':use' as _id, u._file, u._line
from usage u
left join subscriptions s on s.subscription_id = u.subscription_id
union all by name
select s.account_id as customer_id, u.usage_date as event_at, 'error' as kind, u.feature_name as feature,
  u.error_count as quantity, s.plan_tier as product_id, u.usage_id || ':error' as _id, u._file, u._line
from usage u
left join subscriptions s on s.subscription_id = u.subscription_id
where u.error_count <> '0'

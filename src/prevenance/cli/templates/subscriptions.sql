select account_id as customer_id, id as subscription_id, 'started' as event, start_date as event_at, mrr, seats, _file, _line from subscriptions
union all by name
select account_id as customer_id, id as subscription_id, 'ended' as event, end_date as event_at, _file, _line from subscriptions
where end_date <> ''

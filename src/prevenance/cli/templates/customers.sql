select account_id as customer_id, signup_date as event_at, name, segment, _file, _line from accounts

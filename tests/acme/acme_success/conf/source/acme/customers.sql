select account as customer_id, since as event_at, label as name, size as segment, _file, _line from accounts

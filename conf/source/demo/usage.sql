select account_id as customer_id, occurred_at as event_at, loaded_at as known_at, user_id, event as kind, feature, quantity, product_id,
  event_id as _id, _file, _line
from product_events

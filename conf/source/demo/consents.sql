select account_id as customer_id, changed_at as event_at, purpose, allowed, _file, _line
from consents

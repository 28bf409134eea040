-- A contact is known when it is logged.
select account_id as customer_id, contacted_at as event_at, logged_at as known_at, direction, kind,
  case kind when 'call' then 'phone' when 'email' then 'email' end as channel, outcome, contact_id as _id, _file, _line
from contacts

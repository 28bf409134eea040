-- The export of tickets names organisations: one is a customer from its first ticket on. Deleted tickets count for nothing here either.
select Organization as customer_id, min("Created at") as event_at, Organization as name, min(_file) as _file, arg_min(_line, ("Created at", _file, _line)) as _line
from zendesk_tickets
where Organization <> '' and lower(Status) not in ('deleted', 'suspended')
group by Organization

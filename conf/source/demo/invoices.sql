-- A payment is known when it is booked, days after it was made.
select account_id as customer_id, issued_on as event_at, issued_on as known_at, invoice_id, 'issued' as event, amount, due_on,
  invoice_id || ':issued' as _id, _file, _line
from invoices
union all by name
select account_id as customer_id, reminded_on as event_at, reminded_on as known_at, invoice_id, 'reminded' as event, amount, due_on,
  invoice_id || ':reminded' as _id, _file, _line
from invoices
where reminded_on <> ''
union all by name
select account_id as customer_id, paid_on as event_at, booked_on as known_at, invoice_id, 'paid' as event, amount, due_on,
  invoice_id || ':paid' as _id, _file, _line
from invoices
where paid_on <> ''

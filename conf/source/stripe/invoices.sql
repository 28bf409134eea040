-- From Dashboard > Billing > Invoices > Export, all statuses: one row an invoice as it stands today, with the times of its changes.
with bills as (
  select *, coalesce("Finalized At (UTC)", "Date (UTC)") as issued,
    -- one that is charged at once has no due date: it is due on the day it is issued, so a card that fails is a bill that is late
    coalesce("Due Date (UTC)", "Finalized At (UTC)", "Date (UTC)") as due,
    coalesce(try_cast("Amount Due" as decimal(18, 4)), 0) - coalesce(try_cast("Amount Paid" as decimal(18, 4)), 0) as unpaid
  from stripe_invoices
  -- a draft was never sent, and a bill of nothing (a trial's) is none
  where coalesce(lower(Status), '') <> 'draft' and coalesce(try_cast(Total as decimal(18, 4)), 1) <> 0
)
-- what is asked for: after discounts and what stood to the customer's credit
select Customer as customer_id, issued || 'Z' as event_at, id as invoice_id, 'issued' as event, "Amount Due" as amount, due || 'Z' as due_on,
  id || ':issued' as _id, _file, _line
from bills
union all by name
select Customer as customer_id, "Paid At (UTC)" || 'Z' as event_at, id as invoice_id, 'paid' as event, "Amount Paid" as amount, due || 'Z' as due_on,
  id || ':paid' as _id, _file, _line
from bills
where "Paid At (UTC)" <> '' and coalesce(try_cast("Amount Paid" as decimal(18, 4)), 0) > 0
union all by name
-- paid with less than was asked for: a credit note took the rest. One against an invoice that is still open is not told
select Customer as customer_id, "Paid At (UTC)" || 'Z' as event_at, id as invoice_id, 'credited' as event, unpaid as amount, due || 'Z' as due_on,
  id || ':credited' as _id, _file, _line
from bills
where "Paid At (UTC)" <> '' and unpaid > 0
union all by name
select Customer as customer_id, "Voided At (UTC)" || 'Z' as event_at, id as invoice_id, 'voided' as event, null as amount, due || 'Z' as due_on,
  id || ':voided' as _id, _file, _line
from bills
where "Voided At (UTC)" <> ''
-- uncollectible: we gave up, the customer still owes: overdue it stays. A refund stands in the Payments export: it gives back what was paid, and the
-- invoice stays settled. Reminders are not told

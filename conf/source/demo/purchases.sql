-- An order names an account: one that is not in the export names no customer and is set apart.
select account_id as customer_id, ordered_on as event_at, order_id, product_id, family, quantity, amount, order_id as _id, _file, _line
from purchases

-- One row per line of a basket. Equal lines are two purchases, so there is no _id. Returns and corrections come as lines of 0.
-- The department of a product has no history and is declared static.
select t.household_id as customer_id, t.transaction_timestamp as event_at, t.basket_id as order_id, t.product_id,
  nullif(p.department, 'NaN') as family, t.quantity, t.sales_value as amount, t._file, t._line
from transactions t
left join products p on p.product_id = t.product_id

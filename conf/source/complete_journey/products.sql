-- The catalogue carries no date; it is declared known from the first day of the log.
select (select min(transaction_timestamp) from transactions) as event_at, product_id, nullif(product_type, 'NaN') as name,
  nullif(department, 'NaN') as family, product_id as _id, _file, _line
from products

select listed_on as event_at, product_id, name, family, price, usage_limit, features, _file, _line
from products

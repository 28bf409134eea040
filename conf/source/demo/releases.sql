select released_at as event_at, product_id, version, _file, _line
from releases

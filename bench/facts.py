"""The benchmark's input: usage facts in a parquet file, and what is asked of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

LOOKBACKS = (7, 28, 90, 365)
CUTOFFS = tuple(datetime(2024, month, 1) for month in range(1, 13))
COUNTS = {
    "logins": "kind = 'login'",
    "uses": "kind = 'use'",
    "errors": "kind = 'error'",
    "night_logins": "kind = 'login' and extract(hour from event_at) < 6",
}
"""Counted in every lookback; all but the last with a trend."""

WITH_TREND = ("logins", "uses", "errors", "quantity", "users")
RATIOS = {"night_share": ("night_logins", "logins"), "errors_per_use": ("errors", "uses"), "logins_per_user": ("logins", "users")}


def write(path: Path, events: int, customers: int) -> None:
    """Write ``events`` usage facts of 2022 to 2024 in order of event_at: some customers busier than others, 2 % known 1 to 45 days late."""
    import duckdb

    con = duckdb.connect()
    con.execute("set threads = 2; set memory_limit = '2GB'; set enable_progress_bar = false")
    con.execute(
        f"""
copy (
  with drawn as (
    select i, floor({customers} * pow((hash(i, 1) % 1000000) / 1000000.0, 1.5))::bigint as c, (hash(i, 2) % 94694400)::bigint as second,
      (hash(i, 3) % 10)::bigint as u, hash(i, 4) % 20 as kind, (hash(i, 5) % 10000000)::bigint as quantity, hash(i, 6) % 50 = 0 as is_late,
      (86400 + hash(i, 7) % 3801600)::bigint as lag
    from range({events}) as r(i)
  )
  select 'C' || lpad(c::varchar, 7, '0') as customer_id, timestamp '2022-01-01' + to_seconds(second) as event_at,
    event_at + to_seconds(case when is_late then lag else 0 end) as known_at, 'U' || c || '-' || u as user_id,
    case when kind < 9 then 'login' when kind < 18 then 'use' else 'error' end as kind,
    case when kind between 9 and 17 then (quantity / 10000)::decimal(18, 4) end as quantity
  from drawn order by second, i
) to '{path}' (format parquet, row_group_size 250000)
"""
    )


def customer_ids(customers: int) -> list[str]:
    """Return all customers, whether or not they have a fact."""
    return [f"C{number:07d}" for number in range(customers)]

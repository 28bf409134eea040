"""Journey and money: how often customers leave after each kind of ticket, beside customers of like value and tenure whose tickets went straight through."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.history.history import History, visible_sql
from prevenance.support.contrast import LEAST_GROUPS

AFTER_DAYS, SETTLE_DAYS = 90, 7
"""Leaving is looked for in so many days after the solution; tickets whose days are not over, and settled, are left out."""
YOUNG_DAYS = 180
WAYS = ("reopened", "handed_on", "asked", "direct")
"""Ways of a ticket, the first that fits."""

JOURNEYS = """
with contracts as (
  select customer_id, min(event_at) as since, max(mrr) as mrr, min(event_at) filter (where event in ('notice', 'ended')) as left_at
  from {subscriptions} group by 1),
valued as (select *, ntile(3) over (order by mrr, customer_id) as value from contracts),
rows as (
  select d.customer_id, case when reopenings > 0 then 'reopened' when handoffs > 0 then 'handed_on' when asks > 0 then 'asked' else 'direct' end as way,
    make_timestamp(1000000 * resolved) as solved_at, c.since, c.value, c.left_at
  from judged as d join valued as c using (customer_id) where resolved <= {until} and (left_at is null or left_at > make_timestamp(1000000 * resolved)))
select customer_id, way, value, solved_at - since < interval {young} day as young,
  coalesce(left_at <= solved_at + interval {after} day, false) as leaves from rows order by customer_id, solved_at, way
"""


def journey_rows(history: History, cutoff: datetime) -> pd.DataFrame:
    """Return one row a way: way, tickets, customers, share that leaves, ``like`` (the share of direct tickets of customers of like value and tenure),
    and the difference with its 95 % interval by customer; empty without contracts, or too few customers.
    """
    columns = ["way", "tickets", "customers", "share", "like", "difference", "low", "high"]
    if "subscriptions" not in history.tables:
        return pd.DataFrame(columns=columns)
    until = int((cutoff - timedelta(days=AFTER_DAYS + SETTLE_DAYS) - datetime(1970, 1, 1)).total_seconds())
    sql = JOURNEYS.format(subscriptions=visible_sql("subscriptions", cutoff), until=until, young=YOUNG_DAYS, after=AFTER_DAYS)
    frame = history.con.execute(sql).df()
    stratum = frame["value"].astype(str) + frame["young"].astype(str)
    direct = frame["way"] == "direct"
    found = []
    for way in WAYS[:-1]:
        mine = frame["way"] == way
        shared = sorted(set(stratum[mine]) & set(stratum[direct]))
        if min(frame.loc[mine, "customer_id"].nunique(), frame.loc[direct, "customer_id"].nunique()) < LEAST_GROUPS or not shared:
            continue
        some = mine & stratum.isin(shared)
        found.append((way, *_difference(frame, stratum, some, direct, shared)))
    return pd.DataFrame(found, columns=columns)


def _difference(frame: pd.DataFrame, stratum: pd.Series, mine: pd.Series, direct: pd.Series, shared: list[str]) -> tuple[float, ...]:
    """Return tickets, customers, share, like, difference, low and high; strata weigh as the way's own tickets do."""
    leaves = frame["leaves"].to_numpy(dtype=float)
    total = int(mine.sum())
    told, like = np.zeros(len(frame)), 0.0
    share = float(leaves[mine.to_numpy()].mean())
    told[mine.to_numpy()] += (leaves[mine.to_numpy()] - share) / total
    for name in shared:
        here = (direct & (stratum == name)).to_numpy()
        weight, mean = float((mine & (stratum == name)).sum()) / total, float(leaves[here].mean())
        like += weight * mean
        told[here] -= weight * (leaves[here] - mean) / here.sum()
    error = float(np.sqrt(np.square(pd.Series(told).groupby(frame["customer_id"].to_numpy()).sum()).sum()))
    value = share - like
    return total, frame.loc[mine, "customer_id"].nunique(), share, like, value, value - 1.96 * error, value + 1.96 * error

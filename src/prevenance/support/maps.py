"""The process map: steps and what follows them, the different ways of tickets, and where the time is spent between two steps."""

from __future__ import annotations

import pandas as pd

from prevenance.history.history import History
from prevenance.support.intervals import mean_interval

EDGES = """
select step as source, next_step as target, count(*) as times, cast(sum(next_second - second) as bigint) as seconds,
  quantile_cont(next_second - second, 0.5) as median_seconds
from steps where next_step is not null group by all order by times desc, source, target
"""
"""One row for each pair of steps that follow each other: how often, and how long it took in all and in the middle."""

NODES = """
select step, count(*) as times, count(*) filter (where place = 1) as starts, count(*) filter (where next_step is null) as ends,
  avg(place) as usual_place
from steps group by all order by times desc, step
"""
"""One row a step: how often it comes, begins a ticket or is its last row so far, and at which place it usually stands."""

VARIANTS = """
create or replace temp table ways as
with words as (select step, row_number() over (order by step)::usmallint as code from (select distinct step from steps)),
codes as (
  select ticket_id, list(code order by place) as way from steps join words using (step) group by ticket_id)
select ticket_id, way from codes
"""
"""One row a ticket: its steps in order, as numbers of words (equal numbers are equal words)."""

PLACED = """
create or replace temp table variants as
with counted as (
  select way, count(*) as tickets, median(resolve_seconds) as median_seconds, avg(csat) as csat from ways join tickets using (ticket_id) group by way)
select row_number() over (order by tickets desc, len(way), way) as variant, * from counted
"""
"""One row a variant, the commonest first: its steps, how many tickets took this way, their median time to resolve and their mean rating."""

SPELT = """
with words as (select step, row_number() over (order by step)::usmallint as code from (select distinct step from steps)),
shown as (select variant, unnest(way) as code, generate_subscripts(way, 1) as nth from variants where variant <= {most}),
spelt as (select variant, list(step order by nth) as steps from shown join words using (code) group by variant)
select variant, steps, tickets, median_seconds, csat from variants join spelt using (variant) order by variant
"""
"""The commonest variants with their steps as words."""

COVERED = """
select variant, sum(tickets) over (order by variant)::bigint as covered, sum(tickets) over ()::bigint as tickets from variants order by variant
"""
"""How many tickets take one of the ways up to each."""

WAITS = """
select step as source, next_step as target, customer_id, count(*) as times, cast(sum(seconds) as bigint) as seconds
from spans join (select ticket_id, customer_id from tickets where whole) using (ticket_id) group by all order by all
"""
"""For each pair of steps within the time to resolve and each customer: how often, and how many seconds in all."""

MIDDLES = """
select step as source, next_step as target, median(seconds) as median_seconds, any_value(part) as part,
  cast(sum(working_seconds) as bigint) as working_seconds
from spans join (select ticket_id from tickets where whole) using (ticket_id) group by all
"""
"""For each pair of steps the middle of its seconds, its part, and its seconds in working hours."""


def edges(history: History) -> pd.DataFrame:
    """Return what follows what, the commonest first: source, target, times, seconds (in all), median_seconds."""
    return history.con.execute(EDGES).df()


def nodes(history: History) -> pd.DataFrame:
    """Return the steps, the commonest first: step, times, starts, ends, usual_place."""
    return history.con.execute(NODES).df()


def variants(history: History, most: int) -> tuple[pd.DataFrame, int, int]:
    """Make the tables ``ways`` and ``variants``; return the first ``most``, how many there are, and how many of them cover 80 % of the tickets.

    Columns: variant (from 1, the commonest), steps (a list), tickets, median_seconds, csat, covered (share up to and with this one).
    """
    con = history.con
    con.execute(VARIANTS)
    con.execute(PLACED)
    covered = con.execute(COVERED).df()
    found = con.execute(SPELT.format(most=most)).df()
    found["covered"] = (covered["covered"] / covered["tickets"]).iloc[: len(found)].to_numpy()
    # in whole numbers: 0.8 is no number that a share could be equal to
    enough = 10 * covered["covered"] >= 8 * covered["tickets"]
    return found, len(covered), int((~enough).sum()) + bool(len(covered))


def bottlenecks(history: History, least: int) -> pd.DataFrame:
    """Return the pairs of steps between which resolved tickets spent their time, the most of it first.

    Columns: source, target, part, times, customers, seconds (in all), working_seconds (in all), share (of all time to resolve), mean_seconds
    with low and high (95 %, by customer), median_seconds. Pairs met fewer than ``least`` times are left out.
    """
    each = history.con.execute(WAITS).df()
    middles = history.con.execute(MIDDLES).df()
    rows, total = [], max(float(each["seconds"].sum()), 1.0)
    for (source, target), part in each.groupby(["source", "target"], sort=True):
        times = part["times"].to_numpy()
        if times.sum() >= least:
            mean, low, high = mean_interval(part["seconds"].to_numpy(), times)
            seconds = int(part["seconds"].sum())
            rows.append((source, target, int(times.sum()), len(part), seconds, seconds / total, mean, low, high))
    names = ["source", "target", "times", "customers", "seconds", "share", "mean_seconds", "low", "high"]
    found = pd.DataFrame(rows, columns=names).merge(middles, on=["source", "target"], how="left")
    return found.sort_values(["seconds", "source", "target"], ascending=[False, True, True], ignore_index=True)

"""The process map: steps and what follows them, the different ways of tickets, and where the time is spent between two steps."""

from __future__ import annotations

import pandas as pd

from prevenance.history.history import History
from prevenance.support.intervals import mean_interval

EDGES = """
with pairs as (
  select a.word as source, b.word as target, count(*) as times, sum(next_second - second)::bigint as seconds,
    quantile_cont(next_second - second, 0.5) as median_seconds
  from steps as s join kinds as a using (kind) join kinds as b on b.kind = s.next_kind group by all),
words as (select distinct word, step from kinds)
select s.step as source, t.step as target, times, seconds, median_seconds
from pairs join words as s on s.word = source join words as t on t.word = target order by times desc, s.step, t.step
"""
"""One row for each pair of steps that follow each other: how often, and how long it took in all and in the middle."""

NODES = """
select step, count(*) as times, count(*) filter (where place = 1) as starts, count(*) filter (where next_kind is null) as ends,
  avg(place) as usual_place
from steps join kinds using (kind) group by all order by times desc, step
"""
"""One row a step: how often it comes, begins a ticket or is its last row so far, and at which place it usually stands."""

VARIANTS = """
create or replace temp table variants as
with counted as (
  select way, steps, count(*) as tickets, median(case when whole then resolve_seconds end) as median_seconds, avg(csat) as csat,
    min(ticket_id) as example
  from paths group by all)
select row_number() over (order by tickets desc, steps, example) as variant, * from counted
"""
"""One row a variant, the commonest first, then the shortest: how many steps it has, how many tickets took this way, their median time to
resolve and their mean rating, and one of them."""

SPELT = """
with spelt as (
  select ticket_id, list(step order by place) as way from numbers join steps using (number) join kinds using (kind)
  where ticket_id in (select example from variants where variant <= {most}) group by 1)
select variant, spelt.way as steps, tickets, median_seconds, csat from variants join spelt on ticket_id = example where variant <= {most} order by variant
"""
"""The commonest variants with their steps as words."""

COVERED = """
select variant, sum(tickets) over (order by variant)::bigint as covered, sum(tickets) over ()::bigint as tickets from variants order by variant
"""
"""How many tickets take one of the ways up to each."""

WAITS = """
select a.step as source, b.step as target, customer_id, count(*) as times, cast(sum(seconds) as bigint) as seconds
from spans as s join (select number, customer_id from tickets where whole) using (number)
join kinds as a using (kind) join kinds as b on b.kind = s.next_kind group by all order by all
"""
"""For each pair of steps within the time to resolve and each customer: how often, and how many seconds in all."""

MIDDLES = """
select a.step as source, b.step as target, median(seconds) as median_seconds, any_value(s.part) as part,
  cast(sum(working_seconds) as bigint) as working_seconds
from spans as s join (select number from tickets where whole) using (number)
join kinds as a using (kind) join kinds as b on b.kind = s.next_kind group by all
"""
"""For each pair of steps the middle of its seconds, its part, and its seconds in working hours."""


def edges(history: History) -> pd.DataFrame:
    """Return what follows what, the commonest first: source, target, times, seconds (in all), median_seconds."""
    return history.con.execute(EDGES).df()


def nodes(history: History) -> pd.DataFrame:
    """Return the steps, the commonest first: step, times, starts, ends, usual_place."""
    return history.con.execute(NODES).df()


def variants(history: History, most: int) -> tuple[pd.DataFrame, int, int]:
    """Make the table ``variants`` of ``paths``; return the first ``most``, how many there are, and how many of them cover 80 % of the tickets.

    Columns: variant (from 1, the commonest), steps (a list), tickets, median_seconds, csat, covered (share up to and with this one).
    """
    con = history.con
    con.execute(VARIANTS)
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

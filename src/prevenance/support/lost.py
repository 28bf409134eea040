"""Where time is lost: one SQL file a loss (``losses/``), each with the words that a support lead reads, run over the tables of a report.

A row is a chance to lose time: a ticket, or a hand-off. ``met`` says whether the loss was there, [begin, end) when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prevenance.base.working import working_seconds_sql
from prevenance.history.history import History, visible_sql
from prevenance.support.records import Asked


@dataclass(frozen=True)
class Loss:
    """A kind of loss: ``name`` is that of its SQL file.

    ``of`` is what a chance is, ticket or hand-off; ``beside`` what it is compared with: ``others`` (teams, pairs of them, categories) or ``fast``, the
    fast third of the same category. ``waits``: every chance waits, and the question is how long; ``queues``: it is how often that is too long.
    ``touches``: rows that the team wrote for each loss besides. ``needs``: kinds of row of which the log must have one.
    """

    name: str
    of: str
    beside: str
    touches: int
    needs: tuple[str, ...]
    waits: bool = False
    queues: bool = False


LOSSES = (
    Loss("hand_off", "hand-off", "others", 0, ("transferred", "escalated"), waits=True),
    Loss("unassigned", "ticket", "others", 0, ("assigned",), queues=True),
    Loss("missing_information", "ticket", "others", 1, ("asked",)),
    Loss("ping_pong", "hand-off", "others", 2, ("transferred", "escalated")),
    Loss("double_check", "ticket", "fast", 1, ("note", "other")),
    Loss("over_organised", "ticket", "fast", 1, ("approval_asked",)),
    Loss("extra_step", "ticket", "fast", 1, ("note", "other")),
    Loss("media_break", "ticket", "others", 1, ()),
)
"""The losses, in the order of a ticket's life; none counts a wait as work."""

QUARTER, DAY = 91, 86_400
"""Days of a quarter of a year, so that its weeks are whole; and seconds of a day."""

JUDGED = """
create or replace temp table judged as
with thirds as (
  select category, quantile_cont(working_resolve_seconds, 1 / 3) as fast,
    quantile_cont(working_resolve_seconds, 1 / 3) filter (where handoffs = 0 and reopenings = 0 and asks = 0) as fast_standard
  from dated where resolved > {since} and category is not null group by 1)
select d.*, handoffs = 0 and reopenings = 0 and asks = 0 as standard, working_resolve_seconds <= t.fast as fast,
  working_resolve_seconds <= t.fast_standard as fast_standard, (resolved - {since}) // 604800 as week, ({until} - resolved) // {quarter} as quarter
from dated as d left join thirds as t using (category) where resolved > {since}
"""
"""The tickets that were resolved in the days that findings look at, with the fast third of each category, of all tickets and of standard cases;
``quarter`` counts back from the cutoff, from 0."""

CHANNELS = """
create or replace temp table channelled as
select number, channel, second, lag(channel) over life as was, lag(second) over life as before from (
  select n.number, t.channel, epoch_us(t.event_at) // 1000000 as second, t.known_at
  from {visible} as t join numbers as n using (ticket_id) where t.channel is not null)
window life as (partition by number order by second, known_at, channel)
"""
"""One row a row of a ticket that says its channel, with the one before."""

LOST = """
create or replace temp table found_losses as {every}
"""
"""One row a place where a loss was or could have been, of all losses."""

CLOCKED = """
create or replace temp table lost as
select * exclude (team_calendar) from {worked}
"""

GROUPED = """
create or replace temp table chances as
select loss, unit, number, case when loss in ({single}) then "begin" end as place, any_value(fast) as fast, bool_or(met) as met,
  coalesce(sum(working_seconds) filter (where met), 0)::bigint as working_seconds, coalesce(sum(working_seconds), 0)::bigint as waited_seconds
from lost group by all
"""
"""One row a chance: a ticket, or a hand-off of it, with what was lost there, and what was waited whether lost or not."""

UNION = """
with ordered as (
  select number, "begin", "end", max("end") over (partition by number order by "begin", "end" rows between unbounded preceding and 1 preceding) as before
  from (select distinct number, "begin", "end" from lost join judged using (number) where met and ({where}))),
islands as (
  select number, "begin", "end", sum(case when before is null or "begin" > before then 1 else 0 end) over (
    partition by number order by "begin", "end" rows unbounded preceding) as island from ordered)
select number, min("begin") as "begin", max("end") as "end" from islands group by number, island
"""
"""Where any of the losses was: stretches of a ticket that lie over each other count once."""


def loss_sql(loss: Loss) -> str:
    """Return the SQL of a loss, with what it says of itself."""
    return (Path(__file__).with_name("losses") / f"{loss.name}.sql").read_text(encoding="utf-8")


def told_losses(history: History) -> tuple[Loss, ...]:
    """Return the losses that the log can tell: it has a row of the kinds that each needs."""
    held = {row[0] for row in history.con.execute("select distinct event from kinds").fetchall()}
    return tuple(loss for loss in LOSSES if not loss.needs or held & set(loss.needs))


def make_lost(history: History, asked: Asked) -> tuple[Loss, ...]:
    """Make the tables ``judged``, ``lost`` and ``chances`` of those of a report's facts; return the losses that the log can tell."""
    con, told = history.con, told_losses(history)
    until = int((asked.cutoff - datetime(1970, 1, 1)).total_seconds())
    con.execute(JUDGED.format(since=until - asked.findings_days * DAY, until=until, quarter=QUARTER * DAY))
    con.execute(CHANNELS.format(visible=visible_sql("tickets", asked.cutoff, apart=True)))
    columns = 'number, unit, met, "begin", "end", fast, team, kind'
    every = " union all ".join(f"select '{loss.name}' as loss, {columns} from ({loss_sql(loss)})" for loss in told)
    con.execute(LOST.format(every=every))
    rows = "(select f.*, coalesce(c.calendar, 0) as team_calendar from found_losses as f left join team_calendars as c using (team))"
    moments = [f'make_timestamp(1000000 * "{name}")' for name in ("begin", "end")]
    con.execute(CLOCKED.format(worked=working_seconds_sql(rows, moments[0], moments[1], calendar="team_calendar")))
    con.execute(GROUPED.format(single=", ".join(f"'{loss.name}'" for loss in told if loss.of == "hand-off")))
    return told


def hours_once(history: History, where: str) -> float:
    """Return the working hours of the losses ``where`` something holds, each stretch of a ticket once, by the usual hours of the team."""
    moments = [f'make_timestamp(1000000 * "{name}")' for name in ("begin", "end")]
    worked = working_seconds_sql(f"({UNION.format(where=where)})", moments[0], moments[1])
    return float(history.con.execute(f"select coalesce(sum(working_seconds), 0)::bigint from {worked}").fetchall()[0][0]) / 3600

"""Parts of the time to resolve: each interval between two rows of a ticket belongs to one part, so the parts add up to the second."""

from __future__ import annotations

from datetime import timedelta

from prevenance.base.working import working_seconds_sql
from prevenance.history.history import History
from prevenance.sources.files import sql_text
from prevenance.support.log import PART_AFTER
from prevenance.support.records import Asked

PARTS = tuple(dict.fromkeys(PART_AFTER.values()))
"""The parts, in the order in which a bar shows them."""

QUEUES = ("first_queue", "handoff", "queue_again")
"""Parts that end when somebody takes the ticket up; where the log does not say when, they hold the work that followed."""

TOUCHES = ("assigned", "transferred", "escalated", "note", "other", "replied", "asked", "approval_asked", "waiting", "resolved")
"""Rows that somebody of the team wrote."""

INTERVALS = """(
  select s.number, s.kind, s.next_kind, k.part, s.next_second - s.second as seconds, s.second, s.next_second, k.team,
    s.next_kind in (select kind from kinds where event in ('assigned', 'note')) as taken_up
  from steps as s join resolutions as r using (number) join kinds as k using (kind)
  where s.second < r.resolved and s.next_kind is not null)
"""
"""Rows of one second take no time, so whatever their order: an interval that begins before the last ``resolved`` ends at it or before."""

SPANS = """
create or replace temp table spans as
select * exclude (team_calendar) from {clocked}
"""
"""One row an interval of a ticket up to its last ``resolved``: its part, calendar seconds and working seconds by the hours of its team."""

CALENDARS = "(select s.*, coalesce(c.calendar, 0) as team_calendar from {rows} as s left join team_calendars as c on c.team = s.{team})"

RESOLVED = """
create or replace temp table resolutions as
select number, max(second) as resolved from steps where kind in (select kind from kinds where event = 'resolved') group by 1
"""
"""When each ticket was resolved for the last time: whatever comes after it, the closing too, is nobody's wait."""

PATHS = """
create or replace temp table paths as
with lives as (
  select number, arg_min(customer_id, place) as customer_id, min(second) as began, max(second) as ended,
    any_value(resolved) as resolved,
    min(second) filter (where event = 'opened') as opened,
    min(second) filter (where event = 'resolved') as first_resolved,
    max(second) filter (where event = 'closed') as closed,
    min(second) filter (where event = 'replied') as first_reply,
    arg_min(event, place) as first_event,
    arg_min(team, place) as first_team,
    arg_max(team, place) filter (where second <= coalesce(resolved, second)) as team,
    arg_max(category, place) as category, arg_max(priority, place) as priority,
    arg_max(score, place) filter (where event = 'rated') as csat,
    bit_xor(hash(word::bigint << 32 | place)) as way, count(*) as steps,
    count(*) filter (where event in ({touches})) as touches,
    count(*) filter (where event = 'replied') as replies,
    count(*) filter (where event in ('asked', 'waiting')) as asks,
    count(*) filter (where event in ('transferred', 'escalated')) as handoffs,
    count(*) filter (where event = 'reopened') as reopenings,
    count(*) filter (where event = 'resolved') as solutions,
    max(hand) as hands,
    coalesce(bool_or(team = {last_level}), false) as last_level,
    {parts}
  from steps join kinds using (kind) left join resolutions using (number) group by number
)
select ticket_id, lives.*, resolved is not null and not coalesce(first_event = 'resolved' and opened > began, false) as whole,
  resolved - began as resolve_seconds, first_resolved - began as first_resolve_seconds,
  first_reply - began as first_reply_seconds, greatest(closed - resolved, 0) as closing_seconds
from lives join numbers using (number)
"""
"""One row a ticket: from its first row to its last ``resolved``; closing comes after and apart. One that was resolved before it was opened is
not ``whole``, and neither is one that was not resolved yet: neither has a time to resolve. A ticket is of the team that resolved it last, and
of the customer of its first row. ``way`` is the same for tickets of the same steps in the same order, and else differs."""

WORKED = """
create or replace temp table worked as select number, {parts} from spans group by number
"""
"""One row a ticket with time between its rows: the working seconds of each part."""

TICKETS = """
create or replace temp table tickets as
select p.* replace ({values}), {worked},
  {total} as working_resolve_seconds
from {replied} as p left join worked as w using (number)
"""
"""``paths`` with the parts; a ticket that was resolved in the second in which it came has noughts, one without a time to resolve has nulls."""


def make_parts(history: History, asked: Asked) -> None:
    """Make the tables ``resolutions`` and ``paths`` (with the parts, by the calendar) of the tables of ``make_steps``; see their SQL."""
    con = history.con
    last_level = sql_text(asked.levels[-1]) if asked.levels else "null"
    con.execute(RESOLVED)
    parts = _sums("seconds", "next_second - second", " and second < resolved")
    con.execute(PATHS.format(touches=", ".join(map(sql_text, TOUCHES)), last_level=last_level, parts=parts))


def make_tickets(history: History, asked: Asked) -> None:
    """Make the tables ``spans`` and ``tickets``, with working hours, of those of ``make_parts``; see their SQL."""
    con = history.con
    _make_clock(history, asked)
    clocked = working_seconds_sql(
        CALENDARS.format(rows=INTERVALS, team="team"), *_moments("second", "next_second"), calendar="team_calendar"
    )
    con.execute(SPANS.format(clocked=clocked))
    con.execute(WORKED.format(parts=_sums("working_seconds", "working_seconds")))
    whole = ("resolve_seconds", "first_resolve_seconds", "closing_seconds", *(f"{part}_seconds" for part in PARTS))
    values = ", ".join(f"case when whole then {name} end as {name}" for name in whole)
    names = [f"{part}_working_seconds" for part in PARTS]
    held = ", ".join(f"case when whole then coalesce({name}, 0) end as {name}" for name in names)
    total = " + ".join(f"coalesce({name}, 0)" for name in names)
    replied = working_seconds_sql(
        CALENDARS.format(rows="paths", team="first_team"), *_moments("began", "first_reply"), calendar="team_calendar",
        named="working_first_reply_seconds",
    )  # fmt: skip
    con.execute(TICKETS.format(values=values, worked=held, total=f"case when whole then {total} end", replied=replied))


def _sums(name: str, seconds: str, where: str = "") -> str:
    return ", ".join(f"coalesce(sum({seconds}) filter (where part = '{part}'{where}), 0)::bigint as {part}_{name}" for part in PARTS)


def _moments(*seconds: str) -> list[str]:
    return [f"make_timestamp(1000000 * {one})" for one in seconds]


def _make_clock(history: History, asked: Asked) -> None:
    """Make the tables ``open_hours`` and ``team_calendars``, from the first row of the log to its last."""
    con = history.con
    first, last = con.execute("select epoch_ms(1000 * min(began)), epoch_ms(1000 * max(ended)) from paths").fetchall()[0]
    since, until = (first, last + timedelta(days=1)) if first else (asked.cutoff, asked.cutoff)
    for name, frame in (("open_hours", asked.hours.open_hours(since, until)), ("team_calendars", asked.hours.team_calendars())):
        con.register("given", frame)
        con.execute(f"create or replace temp table {name} as from given")
        con.unregister("given")

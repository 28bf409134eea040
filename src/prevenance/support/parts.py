"""Parts of the time to resolve: each interval between two rows of a ticket belongs to one part, so the parts add up to the second."""

from __future__ import annotations

from datetime import timedelta

from prevenance.base.working import working_seconds_sql
from prevenance.history.history import History
from prevenance.sources.files import sql_text
from prevenance.support.records import Asked

PART_AFTER = {
    "opened": "first_queue",
    **dict.fromkeys(("assigned", "replied", "note", "other"), "work"),
    **dict.fromkeys(("transferred", "escalated"), "handoff"),
    "asked": "clarification",
    "approval_asked": "approval",
    "waiting": "other_wait",
    **dict.fromkeys(("answered", "approval_given", "reopened"), "queue_again"),
    **dict.fromkeys(("resolved", "closed", "rated"), "thought_solved"),
}
"""Event -> the part that the interval after it belongs to."""

PARTS = tuple(dict.fromkeys(PART_AFTER.values()))
"""The parts, in the order in which a bar shows them."""

QUEUES = ("first_queue", "handoff", "queue_again")
"""Parts that end when somebody takes the ticket up; where the log does not say when, they hold the work that followed."""

TOUCHES = ("assigned", "transferred", "escalated", "note", "other", "replied", "asked", "approval_asked", "waiting", "resolved")
"""Rows that somebody of the team wrote."""

SPANS = """
create or replace temp table spans as
select * exclude (team_calendar) from {clocked}
"""
"""One row an interval of a ticket up to its last ``resolved``: its part, calendar seconds and working seconds by the hours of its team."""

INTERVALS = """(
  select s.ticket_id, s.step, s.next_step, case event {parts} end as part, next_second - second as seconds,
    make_timestamp(1000000 * second) as began_at, make_timestamp(1000000 * next_second) as ended_at,
    coalesce(c.calendar, 0) as team_calendar, next_event in ('assigned', 'note') as taken_up
  from steps as s left join team_calendars as c on c.team = s.team
  where second < resolved_second)
"""
"""Rows of one second take no time, so whatever their order: an interval that begins before the last ``resolved`` ends at it or before."""

PATHS = """
create or replace temp table paths as
with lives as (
  select ticket_id, arg_min(customer_id, place) as customer_id, min(second) as began, max(second) as ended, min(resolved_second) as resolved,
    min(second) filter (where event = 'opened') as opened,
    min(second) filter (where event = 'resolved') as first_resolved,
    max(second) filter (where event = 'closed') as closed,
    min(second) filter (where event = 'replied') as first_reply,
    arg_min(event, place) as first_event,
    arg_min(team, place) as first_team,
    arg_max(team, place) filter (where second <= coalesce(resolved_second, second)) as team,
    arg_max(category, place) as category, arg_max(priority, place) as priority,
    arg_max(score, place) filter (where event = 'rated') as csat,
    count(*) as steps,
    count(*) filter (where event in ({touches})) as touches,
    count(*) filter (where event = 'replied') as replies,
    count(*) filter (where event in ('asked', 'waiting')) as asks,
    count(*) filter (where event in ('transferred', 'escalated')) as handoffs,
    count(*) filter (where event = 'reopened') as reopenings,
    count(*) filter (where event = 'resolved') as solutions,
    max(hand) as hands,
    coalesce(bool_or(team = {last_level}), false) as last_level
  from steps group by ticket_id
)
select *, resolved is not null and not coalesce(first_event = 'resolved' and opened > began, false) as whole,
  resolved - began as resolve_seconds, first_resolved - began as first_resolve_seconds,
  first_reply - began as first_reply_seconds, greatest(closed - resolved, 0) as closing_seconds
from lives
"""
"""One row a ticket: from its first row to its last ``resolved``; closing comes after and apart. One that was resolved before it was opened is
not ``whole``, and neither is one that was not resolved yet: neither has a time to resolve. A ticket is of the team that resolved it last, and
of the customer of its first row."""

PARTED = """
create or replace temp table parted as
select ticket_id, {sums}
from spans group by ticket_id
"""
"""One row a ticket with time between its rows: the seconds of each part, by the calendar and in working hours."""

TICKETS = """
create or replace temp table tickets as
select p.* replace ({values}), {parts},
  {total} as working_resolve_seconds
from {replied} as p left join parted as t using (ticket_id)
"""
"""``paths`` with the parts; a ticket that was resolved in the second in which it came has noughts, one without a time to resolve has nulls."""


def make_tickets(history: History, asked: Asked) -> None:
    """Make the tables ``spans``, ``paths`` and ``tickets`` of the table ``steps``; see their SQL."""
    con = history.con
    parts = " ".join(f"when {sql_text(event)} then {sql_text(part)}" for event, part in PART_AFTER.items())
    last_level = sql_text(asked.levels[-1]) if asked.levels else "null"
    touches = ", ".join(map(sql_text, TOUCHES))
    con.execute(PATHS.format(touches=touches, last_level=last_level))
    _make_clock(history, asked)
    clocked = working_seconds_sql(INTERVALS.format(parts=parts), "began_at", "ended_at", calendar="team_calendar")
    con.execute(SPANS.format(clocked=clocked))
    sums = ", ".join(
        f"coalesce(sum({column}) filter (where part = '{part}'), 0)::bigint as {part}{ending}"
        for part in PARTS
        for column, ending in (("seconds", "_seconds"), ("working_seconds", "_working_seconds"))
    )
    con.execute(PARTED.format(sums=sums))
    names = [f"{part}{ending}" for part in PARTS for ending in ("_seconds", "_working_seconds")]
    values = ", ".join(
        f"case when whole then {name} end as {name}" for name in ("resolve_seconds", "first_resolve_seconds", "closing_seconds")
    )
    held = ", ".join(f"case when whole then coalesce({name}, 0) end as {name}" for name in names)
    total = " + ".join(f"coalesce({part}_working_seconds, 0)" for part in PARTS)
    replied = working_seconds_sql(
        "(select p.*, coalesce(c.calendar, 0) as team_calendar from paths as p left join team_calendars as c on c.team = p.first_team)",
        "make_timestamp(1000000 * began)",
        "make_timestamp(1000000 * first_reply)",
        calendar="team_calendar",
        named="working_first_reply_seconds",
    )
    con.execute(TICKETS.format(values=values, parts=held, total=f"case when whole then {total} end", replied=replied))


def _make_clock(history: History, asked: Asked) -> None:
    """Make the tables ``open_hours`` and ``team_calendars``, from the first row of the log to its last."""
    con = history.con
    first, last = con.execute("select epoch_ms(1000 * min(began)), epoch_ms(1000 * max(ended)) from paths").fetchall()[0]
    since, until = (first, last + timedelta(days=1)) if first else (asked.cutoff, asked.cutoff)
    for name, frame in (("open_hours", asked.hours.open_hours(since, until)), ("team_calendars", asked.hours.team_calendars())):
        con.register("given", frame)
        con.execute(f"create or replace temp table {name} as from given")
        con.unregister("given")

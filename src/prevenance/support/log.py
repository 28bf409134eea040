"""The tickets visible at a cutoff as an event log: one row a step, in a stable order, with the step that follows."""

from __future__ import annotations

from datetime import timedelta

from prevenance.history.history import History, visible_sql
from prevenance.sources.files import sql_text
from prevenance.support.records import Asked, Counts

LIFE = (
    *("opened", "reopened", "assigned", "transferred", "escalated", "note", "other", "replied", "asked", "answered"),
    *("approval_asked", "approval_given", "waiting", "resolved", "closed", "rated"),
)
"""Events in the order in which they stand where they came at the same instant."""

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

MOST_WORDS = 100
"""Different words for steps that a map can show; a log with more is shown by the kinds of its rows."""

WORDS = """
select count(distinct activity) from {visible}
"""
"""How many words the source has for its steps."""

NUMBERS = """
create or replace temp table numbers as
select ticket_id, row_number() over ()::integer as number from (select distinct ticket_id from {visible})
"""
"""A number for each ticket, for this report alone: numbers are grouped and sorted in a fraction of the time of texts."""

KINDS = """
create or replace temp table kinds as
select row_number() over (order by life, step, team, category, priority)::integer as kind, dense_rank() over (order by step)::integer as word, *
from (select distinct event, case event {life} end as life, case event {parts} end as part, {word} as step, "group" as team, category, priority
  from {visible})
"""
"""One row for each different kind of row: its event, the part that begins after it, the source's own word (and that word's place among the
words), team, category and priority. Kinds are numbered in the order in which rows of one instant stand."""

STEPS = """
create or replace temp table steps as
select number, kind, second, hand, score, customer_id,
  row_number() over life as place, lead(second) over life as next_second, lead(kind) over life as next_kind
from (
  select n.number, k.kind, epoch_us(t.event_at) as moment, epoch_us(t.event_at) // 1000000 as second, t.known_at, t.hand, t.score, t.customer_id
  from {visible} as t join numbers as n using (ticket_id)
  join kinds as k on k.event = t.event and k.step = {word_of_t} and k.team is not distinct from t."group"
    and k.category is not distinct from t.category and k.priority is not distinct from t.priority)
window life as (partition by number order by moment, kind, known_at, hand, score, customer_id)
"""
"""One row a step of a ticket. Rows of one instant stand in the order of a ticket's life (``LIFE``), then by the source's own word, team,
category, priority, then as they became known; what is left is alike. Instants are read at their whole second, so that intervals that meet
add up."""

COUNTS = """
select count(*), count(*) filter (where first_event = 'resolved' and opened > began), count(*) filter (where opened is null),
  count(*) filter (where resolved is null), count(*) filter (where whole), epoch_ms(1000 * min(began)), epoch_ms(1000 * max(ended)), sum(steps)
from paths
"""
"""How many tickets there are, how many end before they start, lack an opening or were never resolved, and from when to when the log goes."""


def make_steps(history: History, asked: Asked) -> int:
    """Make the tables ``numbers``, ``kinds`` and ``steps`` of what is visible at the cutoff and return how many words the source has for its steps."""
    con = history.con
    visible = visible_sql("tickets", asked.cutoff, apart=True)
    if asked.days is not None:
        since = f"timestamp '{asked.cutoff - timedelta(days=asked.days)}'"
        visible = f"(from {visible} qualify min(event_at) over (partition by ticket_id) > {since})"
    found: int = con.execute(WORDS.format(visible=visible)).fetchall()[0][0]
    word = "coalesce({0}activity, {0}event)" if found <= MOST_WORDS else "{0}event"
    life = " ".join(f"when {sql_text(event)} then {place}" for place, event in enumerate(LIFE))
    parts = " ".join(f"when {sql_text(event)} then {sql_text(part)}" for event, part in PART_AFTER.items())
    con.execute(NUMBERS.format(visible=visible))
    con.execute(KINDS.format(visible=visible, word=word.format(""), life=life, parts=parts))
    con.execute(STEPS.format(visible=visible, word_of_t=word.format("t.")))
    return found


def log_counts(history: History, words: int) -> Counts:
    """Return how much the log holds, of the tables ``steps`` and ``paths``."""
    con = history.con
    events = dict(con.execute("select event, count(*) from steps join kinds using (kind) group by 1 order by 1").fetchall())
    tickets, early, unopened, unresolved, resolved, first, last, rows = con.execute(COUNTS).fetchall()[0]
    return Counts(int(rows or 0), tickets, resolved, unresolved, early, unopened, first, last, events, words)

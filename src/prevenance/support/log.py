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

MOST_WORDS = 100
"""Different words for steps that a map can show; a log with more is shown by the kinds of its rows."""

WORDS = """
select count(distinct activity) from {visible}
"""
"""How many words the source has for its steps."""

STEPS = """
create or replace temp table steps as
select ticket_id, customer_id, event, {word} as step, "group" as team, hand, category, priority, score,
  epoch_us(event_at) // 1000000 as second,
  row_number() over life as place,
  lead(epoch_us(event_at) // 1000000) over life as next_second,
  lead({word}) over life as next_step,
  lead(event) over life as next_event,
  max(epoch_us(event_at) // 1000000) filter (where event = 'resolved') over (partition by ticket_id) as resolved_second
from {visible}
window life as (
  partition by ticket_id
  order by event_at, case event {life} end, known_at, activity, "group", hand, category, priority, score, customer_id)
"""
"""One row a step of a ticket. Rows of one instant stand in the order of a ticket's life (``LIFE``), then as they became known, then by the
source's own word; what is left is alike. Instants are read at their whole second, so that intervals that meet add up. ``resolved_second`` is
the last time that the ticket was resolved: whatever comes after it, the closing too, is nobody's wait."""

COUNTS = """
select count(*), count(*) filter (where first_event = 'resolved' and opened > began), count(*) filter (where opened is null),
  count(*) filter (where resolved is null), count(*) filter (where whole), epoch_ms(1000 * min(began)), epoch_ms(1000 * max(ended)), sum(steps)
from paths
"""
"""How many tickets there are, how many end before they start, lack an opening or were never resolved, and from when to when the log goes."""


def make_steps(history: History, asked: Asked) -> int:
    """Make the table ``steps`` of what is visible at the cutoff and return how many words the source has for its steps."""
    con = history.con
    visible = visible_sql("tickets", asked.cutoff, apart=True)
    if asked.days is not None:
        since = f"timestamp '{asked.cutoff - timedelta(days=asked.days)}'"
        visible = f"(from {visible} qualify min(event_at) over (partition by ticket_id) > {since})"
    found: int = con.execute(WORDS.format(visible=visible)).fetchall()[0][0]
    word = "coalesce(activity, event)" if found <= MOST_WORDS else "event"
    life = " ".join(f"when {sql_text(event)} then {place}" for place, event in enumerate(LIFE))
    con.execute(STEPS.format(visible=visible, word=word, life=life))
    return found


def log_counts(history: History, words: int) -> Counts:
    """Return how much the log holds, of the tables ``steps`` and ``paths``."""
    con = history.con
    events = dict(con.execute("select event, count(*) from steps group by 1 order by 1").fetchall())
    tickets, early, unopened, unresolved, resolved, first, last, rows = con.execute(COUNTS).fetchall()[0]
    return Counts(int(rows or 0), tickets, resolved, unresolved, early, unopened, first, last, events, words)

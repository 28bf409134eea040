"""What a customer's tickets waited for, in working hours: a line or two of its row, as far as the log tells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import pandas as pd

from prevenance.base.working import TeamHours, working_seconds_sql
from prevenance.features.build import build
from prevenance.features.define import Definition, State
from prevenance.history.history import History
from prevenance.words import Words

DAYS, LEAST_SHARE, LEAST_HOURS, SHOWN = 90, 0.2, 4.0, 2
"""Tickets solved in so many days; a wait is told from this share of all their time, and these working hours, on."""

WAITS = {
    "handoff": ("transferred", "escalated"),
    "first_queue": ("opened",),
    "clarification": ("asked",),
    "approval": ("approval_asked",),
    "other_wait": ("waiting",),
    "queue_again": ("answered", "approval_given", "reopened"),
}
"""What is waited for -> the rows after which it is."""

SPELLS = """(
  select o.customer_id, o.ticket_id, o.event, o.event_at as since_at, o.next_at as until_at, coalesce(h.calendar, 0) as calendar
  from (
    select *, lead(event_at) over (partition by customer_id, ticket_id order by event_at, known_at, event) as next_at,
      max(event_at) filter (where event = 'resolved') over (partition by customer_id, ticket_id) as solved_at
    from tickets) as o
  left join team_hours as h on h.team = o."group"
  where o.solved_at > o.cutoff - interval '90' day and o.event_at < o.solved_at and o.next_at <= o.solved_at
)"""
"""From row to row of the tickets that were solved in (cutoff - 90 days, cutoff], up to their last solution."""

SUMS = ", ".join(
    f"sum(working_seconds) filter (where event in ({', '.join(map(repr, events))})) / 3600.0 as {name}_hours"
    for name, events in WAITS.items()
)

OWN = State(
    "own_waits",
    ("tickets",),
    f"select customer_id, count(distinct ticket_id) as solved, sum(working_seconds) / 3600.0 as all_hours, {SUMS} "
    f"from {working_seconds_sql(SPELLS, 'since_at', 'until_at', calendar='calendar')} group by customer_id",
    dict.fromkeys(("solved", "all_hours", *(f"{name}_hours" for name in WAITS)), ""),
    alone=True,
    hours=TeamHours(),
)


def input_hours(definitions: Iterable[Definition]) -> TeamHours:
    """Return the working hours that a list's inputs are counted by."""
    return next((one.hours for one in definitions if isinstance(one, State) and one.hours), TeamHours())


def waits_by_customer(history: History, cutoff: datetime, customers: Sequence[str], hours: TeamHours, say: Words) -> dict[str, list[str]]:
    """Return customer_id -> what its solved tickets waited for most, the longest first; who waited for nothing much is absent."""
    if "tickets" not in history.tables or not customers:
        return {}
    keys = pd.DataFrame({"customer_id": list(dict.fromkeys(customers)), "cutoff": pd.Timestamp(cutoff).as_unit("us")})
    rows = build(history, keys, (replace(OWN, hours=hours),)).fillna(0.0).to_dict("records")
    found = {}
    for customer, row in zip(keys["customer_id"], rows, strict=True):
        waits = sorted(((float(row[f"{name}_hours"]), name) for name in WAITS), reverse=True)[:SHOWN]
        told = [
            say(
                "{what}: {waited} of {all} working hours", what=_name(say, name), waited=say.number(value), all=say.number(row["all_hours"])
            )
            for value, name in waits
            if value >= LEAST_HOURS and value >= LEAST_SHARE * row["all_hours"]
        ]
        if told:
            found[customer] = told
    return found


def waited_things(history: History, cutoff: datetime, customers: Sequence[str], hours: TeamHours, say: Words) -> dict[str, dict[str, str]]:
    """Return customer_id -> ``waited``, what its solved tickets waited for most, as plays name it."""
    return {name: {"waited": told[0]} for name, told in waits_by_customer(history, cutoff, customers, hours, say).items()}


def _name(say: Words, name: str) -> str:
    names = {
        "handoff": say("Hand-off queue"),
        "first_queue": say("Queue before the first hand"),
        "clarification": say("Waiting for the customer"),
        "approval": say("Waiting for approval"),
        "other_wait": say("Other wait"),
        "queue_again": say("Queue again"),
    }
    return names[name]

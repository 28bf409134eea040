"""The slow second implementation of tickets as a process: plain loops over plain rows, written from the table of parts and not from the SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

import pandas as pd

Row = dict[str, Any]

AFTER = {
    "queue before the first hand": ["opened"],
    "work, at most": ["assigned", "replied", "note", "other"],
    "hand-off queue": ["transferred", "escalated"],
    "clarification": ["asked"],
    "approval": ["approval_asked"],
    "other wait": ["waiting"],
    "queue again": ["answered", "approval_given", "reopened"],
    "thought solved": ["resolved", "closed", "rated"],
}
NAMES = ("first_queue", "work", "handoff", "clarification", "approval", "other_wait", "queue_again", "thought_solved")
PART = {event: name for name, events in zip(NAMES, AFTER.values(), strict=True) for event in events}
SAME_INSTANT = (
    "opened reopened assigned transferred escalated note other replied asked answered approval_asked approval_given waiting resolved closed rated"
).split()


def second(moment: datetime) -> int:
    return int((moment.replace(microsecond=0) - datetime(1970, 1, 1)).total_seconds())


def tickets(frame: pd.DataFrame, cutoff: datetime) -> dict[str, list[Row]]:
    """Return ticket -> its visible rows in order."""
    found: dict[str, list[Row]] = defaultdict(list)
    for given in frame.to_dict("records"):
        row = {str(key): None if pd.isna(value) else value for key, value in given.items()}
        if row["event_at"] <= cutoff and row["known_at"] <= cutoff:
            found[row["ticket_id"]].append(row)

    def order(row: Row) -> tuple[Any, ...]:
        ties = (row.get(name) for name in ("activity", "group", "hand", "category", "priority", "score", "customer_id"))
        return (row["event_at"], SAME_INSTANT.index(row["event"]), row["known_at"], *((value is None, value or 0) for value in ties))

    return {ticket: sorted(rows, key=order) for ticket, rows in sorted(found.items())}


def parts(rows: Sequence[Row]) -> dict[str, int] | None:
    """Return the seconds of each part, ``None`` for a ticket without a time to resolve."""
    solved = [place for place, row in enumerate(rows) if row["event"] == "resolved"]
    opened = [second(row["event_at"]) for row in rows if row["event"] == "opened"]
    if not solved or (rows[0]["event"] == "resolved" and opened and min(opened) > second(rows[0]["event_at"])):
        return None
    found = dict.fromkeys(NAMES, 0)
    for place in range(solved[-1]):
        found[PART[rows[place]["event"]]] += second(rows[place + 1]["event_at"]) - second(rows[place]["event_at"])
    return found


def way(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row.get("activity") or row["event"] for row in rows)


def edges(every: dict[str, list[Row]]) -> dict[tuple[str, str], tuple[int, int, float]]:
    """Return (source, target) -> how often, seconds in all, the middle of the seconds."""
    held: dict[tuple[str, str], list[int]] = defaultdict(list)
    for rows in every.values():
        words = way(rows)
        for place in range(len(rows) - 1):
            held[words[place], words[place + 1]].append(second(rows[place + 1]["event_at"]) - second(rows[place]["event_at"]))
    return {arrow: (len(found), sum(found), float(median(found))) for arrow, found in held.items()}


def variants(every: dict[str, list[Row]]) -> Counter[tuple[str, ...]]:
    return Counter(way(rows) for rows in every.values())

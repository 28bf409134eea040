"""Losses by slow, obvious loops over the rows of each ticket: the second implementation that the SQL is held against."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import pandas as pd

Row = Mapping[str, Any]
Stretch = tuple[str, str | None, bool, int | None, int | None]
"""Ticket, place, whether the loss was there, begin and end (seconds)."""

STAYS = ("assigned", "note")


def until_solved(rows: list[Row]) -> list[Row]:
    last = max(number for number, row in enumerate(rows) if row["event"] == "resolved")
    return rows[: last + 1]


def pairs(rows: list[Row], *events: str) -> list[tuple[Row, Row]]:
    kept = until_solved(rows)
    return [(one, then) for one, then in itertools.pairwise(kept) if one["event"] in events]


def hand_off(ticket: str, rows: list[Row]) -> list[Stretch]:
    found = pairs(rows, "transferred", "escalated")
    return [(ticket, one["group"], True, one["second"], then["second"]) for one, then in found if then["event"] in STAYS]


def unassigned(ticket: str, rows: list[Row]) -> list[Stretch]:
    first, then = rows[0], rows[1]
    waited = (then["second"] - first["second"]) if first["event"] == "opened" else 0
    long = waited > 86_400 and then["worked"] - first["worked"] >= 8 * 3600
    return [(ticket, first["group"], long, first["second"], first["second"] + waited)]


def missing_information(ticket: str, rows: list[Row]) -> list[Stretch]:
    found = pairs(rows, "asked")
    return [(ticket, rows[-1]["category"], True, one["second"], then["second"]) for one, then in found] or [
        (ticket, rows[-1]["category"], False, None, None)
    ]


def ping_pong(ticket: str, rows: list[Row]) -> list[Stretch]:
    solved = until_solved(rows)[-1]["second"]
    held = [row for row in rows if row["event"] not in ("note", "other")]
    moves = [(one["group"], then["group"], then["second"]) for one, then in itertools.pairwise(held) if one["group"] != then["group"]]
    found = []
    for number, (before, team, second) in enumerate(moves):
        if second >= solved or (number and moves[number - 1][0] == team):
            continue
        back = number + 1 < len(moves) and moves[number + 1][1] == before and moves[number + 1][2] <= solved
        found.append((ticket, f"{before} → {team}", back, second, moves[number + 1][2] if number + 1 < len(moves) else None))
    return found


def double_check(ticket: str, rows: list[Row]) -> list[Stretch]:
    found = []
    solved = until_solved(rows)[-1]["second"]
    for step in sorted({row["activity"] for row in rows if row["event"] in ("note", "other")}):
        checks = [(place, row) for place, row in enumerate(rows) if row["activity"] == step]
        first = checks[0]
        for place, row in checks[1:]:
            between = [one["event"] for one in rows[first[0] : place]]
            if row["group"] != first[1]["group"] and "reopened" not in between and row["second"] <= solved:
                found.append((ticket, rows[-1]["category"], True, first[1]["second"], row["second"]))
                break
    return found or [(ticket, rows[-1]["category"], False, None, None)]


def over_organised(ticket: str, rows: list[Row]) -> list[Stretch]:
    events = [row["event"] for row in rows]
    if {"transferred", "escalated", "reopened", "asked", "waiting"} & set(events):
        return []
    found = pairs(rows, "approval_asked")
    return [(ticket, rows[-1]["category"], True, one["second"], then["second"]) for one, then in found] or [
        (ticket, rows[-1]["category"], False, None, None)
    ]


def media_break(ticket: str, rows: list[Row]) -> list[Stretch]:
    solved = until_solved(rows)[-1]["second"]
    found = [
        (ticket, rows[-1]["category"], True, one["second"], then["second"])
        for one, then in itertools.pairwise(rows)
        if one["channel"] != then["channel"] and then["second"] <= solved
    ]
    return found or [(ticket, rows[-1]["category"], False, None, None)]


def extra_steps(tickets: Mapping[str, list[Row]]) -> list[Stretch]:
    """Return a row for each plain ticket and step that ten plain tickets of its category have, once each, and ten have not, if those are as fast in all the rest."""
    plain: dict[str, list[tuple[str, int, dict[str, list[tuple[Row, Row]]]]]] = {}
    for ticket, rows in tickets.items():
        if {"transferred", "escalated", "asked", "waiting"} & {row["event"] for row in rows}:
            continue
        stood: dict[str, list[tuple[Row, Row]]] = {}
        for one, then in pairs(rows, "note", "other"):
            stood.setdefault(one["activity"], []).append((one, then))
        took = until_solved(rows)[-1]["worked"] - rows[0]["worked"]
        plain.setdefault(rows[-1]["category"], []).append((ticket, took, stood))
    found: list[Stretch] = []
    for category, every in plain.items():
        for step in sorted({step for _, _, stood in every for step in stood}):
            once = [(ticket, took, stood.get(step, ())) for ticket, took, stood in every if len(stood.get(step, ())) < 2]
            rest = [took - pair[0][1]["worked"] + pair[0][0]["worked"] for _, took, pair in once if pair]
            others = [took for _, took, pair in once if not pair]
            if len(rest) >= 10 and len(others) >= 10 and median(rest) <= 1.5 * median(others):
                ends = [(pair[0][0]["second"], pair[0][1]["second"]) if pair else (None, None) for _, _, pair in once]
                found += [(one[0], f"{category} · {step}", bool(one[2]), *end) for one, end in zip(once, ends, strict=True)]
    return found


TWINS: dict[str, Callable[[str, list[Row]], list[Stretch]]] = {
    one.__name__: one for one in (hand_off, unassigned, missing_information, ping_pong, double_check, over_organised, media_break)
}


def stretches(frame: pd.DataFrame, worked: Callable[[pd.Series], list[int]]) -> dict[str, list[Stretch]]:
    """Return each loss of a log without two rows of one instant; tickets that were never resolved are left out."""
    frame = frame.sort_values(["ticket_id", "event_at"])
    frame["second"], frame["worked"] = frame["event_at"].astype("datetime64[s]").astype("int64"), worked(frame["event_at"])
    tickets = {str(ticket): part.to_dict("records") for ticket, part in frame.groupby("ticket_id")}
    solved = {ticket: rows for ticket, rows in tickets.items() if any(row["event"] == "resolved" for row in rows)}
    found = {name: [one for ticket, rows in solved.items() for one in twin(ticket, rows)] for name, twin in TWINS.items()}
    return found | {"extra_step": extra_steps(solved)}

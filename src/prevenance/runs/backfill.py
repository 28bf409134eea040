"""Make up for missed nights: each gets the list that it would have had, by the champion of its time; ``latest`` never moves back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from prevenance.base.errors import PrevenanceError
from prevenance.runs.night import publish_night
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.steps import Steps
from prevenance.runs.view import write_index

MOST = 366
"""Nights that one run makes up for."""


def make_up(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Publish the lists of every night from ``from`` to ``to``, both included, oldest first.

    A night that is refused does not stop the others, unless no other can do better: settings, lock, disk.

    Raises:
        PrevenanceError: E208 for dates that are none, the wrong way round or too many.
    """
    told: dict[str, Any] = {}
    for day in nights_of(given):
        steps.tell(f"NIGHT     {day}")
        one = replace(given, as_of=day, overrides=[*given.overrides, f"as_of={day}"])
        try:
            done = publish_night(one, targets(one), steps, at_the_time=True)
        except PrevenanceError as problem:
            steps.refused.append(problem)
            told[day] = {"outcome": "refused", "exit": problem.exit_status, "error": problem.line()}
            if problem.exit_status in (2, 7, 8):
                break
            continue
        steps.refused += done.refused.values()
        told[day] = done.record
    write_index(given)
    good = sum(one["outcome"] != "refused" for one in told.values())
    outcome = "published" if not steps.refused else "partly published" if good else "refused"
    return {"outcome": outcome, "nights": told}


def nights_of(given: Settings) -> list[str]:
    """Return the bare dates from ``nights.first`` to ``nights.last``."""
    if not given.nights.first or not given.nights.last:
        raise PrevenanceError("E208", "from or to is not set", key="from", fix="add both dates, such as from=2026-04-01 to=2026-04-05")
    first, last = (_day(key, text) for key, text in (("from", given.nights.first), ("to", given.nights.last)))
    if not 0 <= (last - first).days < MOST:
        raise PrevenanceError(
            "E208", f"from={first} to={last} is not 1 to {MOST} nights", key="to", fix="give from before to, or several runs"
        )
    return [f"{first + timedelta(days=n)}" for n in range((last - first).days + 1)]


def _day(key: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise PrevenanceError("E208", f'{key}="{text}" is not a date', key=key, fix=f"write {key}=2026-04-01") from problem

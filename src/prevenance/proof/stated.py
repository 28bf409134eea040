"""One target's experiment, all of it: what the page tells, statement.json holds and the model store gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from prevenance.proof.experiment import Look, Plan, Verdict


@dataclass(frozen=True)
class Statement:
    """Everything that is said of one target's experiment; ``drawn`` counts, ``rate`` is what the meter stands on.

    With ``compared`` it is of two ways instead: the first stands where those left alone do, the second where those contacted do.
    """

    target: str
    title: str
    plan: Plan
    verdict: Verdict
    log: pd.DataFrame
    balance: pd.DataFrame
    ways: pd.DataFrame
    meter: Mapping[str, float]
    rate: float
    drawn: Mapping[str, Any]
    left_out: Mapping[str, int]
    currency: str = ""
    compared: tuple[str, ...] = ()


def statement_facts(one: Statement) -> dict[str, Any]:
    """Return what statement.json says of one target, in the types of JSON."""
    told = one.verdict

    def look(found: Look) -> dict[str, Any]:
        arms = {name: asdict(arm) for name, arm in (("held", found.held), ("contact", found.contact))}
        spans = {name: dict(zip(("value", "low", "high"), getattr(found, name), strict=True)) for name in ("difference", "share", "itself")}
        done = {"held": found.contacted_held, "contact": found.contacted_contact}
        return {
            "number": found.number,
            "planned": found.number is not None,
            "at": found.at,
            "contacted": done,
            "found": found.found,
            **arms,
            **spans,
        }

    measured = told.by if told.share_from == "measured" else None
    facts = {
        "drawn": dict(one.drawn),
        "left_out": dict(one.left_out),
        "looks": [look(each) for each in told.looks],
        "now": look(told.now),
        "share": {"value": told.share, "from": told.share_from, "assumed": one.plan.share, "by_look": told.by.number if told.by else None},
        "next_look": told.next_look,
        "meter": dict(one.meter),
        "ways": one.ways.to_dict("records"),
        "saved": {"low": measured.saved[0], "high": measured.saved[1]} if measured else None,
    }
    # A comparison of two ways measures no share that a contact changes, and no money that it saved.
    return (
        {key: value for key, value in facts.items() if key not in ("share", "saved")} | {"ways_compared": list(one.compared)}
        if one.compared
        else facts
    )


def figures_of(each: Sequence[Statement]) -> list[tuple[str, float, datetime | None]]:
    """Return name and value of what goes to the model store."""
    found: list[tuple[str, float, datetime | None]] = []
    for one in each:
        told = f"{one.target}/compared" if one.compared else one.target
        for look in one.verdict.looks:
            found += [
                (f"{told}/{name}", value, look.at) for name, value in zip(("difference", "low", "high"), look.difference, strict=True)
            ]
        found += [(f"{told}/{name}", float(value), None) for name, value in one.meter.items()]
        found += [] if one.compared else [(f"{one.target}/share", one.verdict.share, None)]
    return found

"""``findings.json``: findings, what would change, what was promised and measured, known trouble; what is not known is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from prevenance.publish.wording import is_known
from prevenance.support.cards import effort_of
from prevenance.support.facts import Facts
from prevenance.support.findings import FALSE_SHARE
from prevenance.support.whatif import kept_reason


def findings_record(facts: Facts) -> dict[str, Any]:
    """Return what the file holds."""
    losses, asked = facts.losses, facts.asked
    found = losses.findings
    record = {
        "days": found.days,
        "tickets": found.tickets,
        "compared": found.compared,
        "false_share": FALSE_SHARE,
        "hours_once": found.hours,
        "cannot_be_told": list(found.untold),
        "assumed": {"minutes_per_touch": asked.minutes_per_touch, "cost_per_hour": asked.cost_per_hour},
        "findings": [asdict(one) | {"effort": effort_of(one, facts), "keep": kept_reason(one, asked.keep)} for one in found.found],
        "what_if": [asdict(one) for one in losses.promises],
        "measured": [asdict(one) for one in losses.measured],
        "known_trouble": [asdict(one) for one in losses.trouble],
        "candidates": losses.candidates.to_dict("records"),
        "journey": losses.journey.to_dict("records"),
    }
    return {name: _value(value) for name, value in record.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _value(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_value(one) for one in value]
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    return None if isinstance(value, float) and not is_known(value) else value

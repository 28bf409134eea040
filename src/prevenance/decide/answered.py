"""How customers stand at a moment by what the team answered until then."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from prevenance.decide.feedback import Answer, utc_moment
from prevenance.history.history import as_of_instant

UNDO = "undo"


def standing_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Return the answers that nobody has taken back: an ``undo`` takes back what was answered to its row of its list until then."""
    told = list(answers)
    undone: dict[tuple[str, ...], datetime] = {}
    for one in told:
        if one.action == UNDO:
            undone[_row(one)] = max(undone.get(_row(one), datetime.min), utc_moment(one.at))
    return [one for one in told if one.action != UNDO and (_row(one) not in undone or utc_moment(one.at) > undone[_row(one)])]


def _row(answer: Answer) -> tuple[str, ...]:
    return answer.target, answer.run_id, answer.cutoff, answer.customer_id, answer.product_id


def customer_answers(
    answers: Iterable[Answer], at: datetime, *, static: bool, zone: str, horizon_days: int, wrong_alarm_days: float
) -> pd.DataFrame:
    """Return how customers stand at a moment by what was answered until then: one row each, sorted by id.

    customer_id; contacted_at (newest contact); rests (empty, snoozed or too_late), rests_until, rests_since (naive UTC), score_then, said
    (the action). The newest of snooze, wrong alarm and too late counts: a snooze until its date (00:00 in ``zone``), a wrong alarm for
    ``wrong_alarm_days`` like a snooze, "too late" for one horizon.
    """
    found: dict[str, dict[str, Any]] = {}
    # By the key at last: equal instants must not depend on which file was taken first.
    known = sorted(((one.known_at(static=static), one.at, one.key, one) for one in answers), key=lambda each: each[:3])
    for since, _, _, answer in known:
        if since > at or answer.action == "approved":
            continue
        row = found.setdefault(answer.customer_id, {"customer_id": answer.customer_id, "rests": ""})
        if answer.action == "contacted":
            row["contacted_at"] = max(answer.contacted_at(static=static), row.get("contacted_at", datetime.min))
            continue
        days = horizon_days if answer.action == "too_late" else wrong_alarm_days
        until = as_of_instant(answer.until, zone) if answer.action == "snooze" else since + timedelta(days=days)
        row |= {"rests": "too_late" if answer.action == "too_late" else "snoozed", "said": answer.action}
        row |= {"rests_until": until, "rests_since": since, "score_then": float(answer.score) if answer.score else None}
    columns = ["customer_id", "contacted_at", "rests", "rests_until", "rests_since", "score_then", "said"]
    types = {"customer_id": "str", "rests": "str", "score_then": "float64"} | dict.fromkeys(columns[1:2] + columns[3:5], "datetime64[us]")
    return pd.DataFrame([found[one] for one in sorted(found)], columns=columns).astype(types)

"""What Acme adds: alarms that count, a target of its own, its source, and a file for its telephone system."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import prevenance as pv

HERE = Path(__file__).parent
ALARM = "event = 'opened' and lower(priority) = 'urgent'"


def alarms(lookbacks: Sequence[int]) -> tuple[pv.Feature, ...]:
    return tuple(
        pv.Feature(
            f"acme_alarms_{days}d", table="tickets", value=pv.Count(), where=ALARM, days=days, phrase="Alarms in {days} days: {value:.0f}"
        )
        for days in lookbacks
    )


WORDS = pv.TargetWords(
    title="Customers who may raise an alarm",
    question="Chance of an alarm in {n} days",
    expected="About {number} of them are expected to raise an alarm within {n} days.",
    expected_money="About {number} of them are expected to raise an alarm within {n} days: {amount} in all.",
    hits="{where}, {hits} of the {n} customers on the list raised an alarm.",
    missed="{missed} of the {n} that raised one were not on it.",
    similar="Of {n} similar customers of the past, {outcome} raised an alarm.",
    verb="raise an alarm",
    past="raised an alarm",
)
PLAYS = {
    "any": {
        "action": "Ring them up before the alarm does",
        "days": 3,
        "owner": "support lead",
        "draft": "Hello, may we have a look together?",
    }
}


def alarm(*, horizon_days: int = 28, settle_days: int = 1, active_days: int = 365, name: str = "acme_alarm") -> pv.Target:
    return pv.Target(
        name,
        ("tickets",),
        f"select distinct customer_id, 'at_risk' as state, null::double as value_at_stake from tickets where age_days < {int(active_days)}",
        f"select customer_id, min(event_at) as outcome_at from next_tickets where {ALARM} group by customer_id",
        horizon_days,
        settle_days,
        says=f"raised an alarm within {horizon_days} days of the cutoff",
        words=WORDS,
        plays=PLAYS,
    )


def telephone(rows: Any, manifest: Mapping[str, Any]) -> bytes:
    ranked = rows[rows["rank"].notna()]
    return f"{manifest['target']};{';'.join(ranked['customer_id'])}\n".encode()


plugin = pv.Plugin(
    "acme",
    features={"acme": alarms},
    targets={"acme_alarm": alarm},
    writers={"telephone.txt": telephone},
    conf=HERE / "conf",
    words=HERE / "words",
)

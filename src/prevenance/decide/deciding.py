"""From scored rows to a decision: what is known of each customer at each moment, walked from Monday to Monday up to the cutoff."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from prevenance.decide import feedback
from prevenance.decide.feedback import Answer
from prevenance.decide.weeks import Moments
from prevenance.history.history import History
from prevenance.order import suppression
from prevenance.order.decision import COOLING, STANDING, Memory, Rules, decide
from prevenance.order.suppression import Peace


def known_answers(out: Path, target: str, cutoff: datetime, *, static: bool, replaying: bool = False) -> list[Answer]:
    """Return what was answered to the lists of a target and counts at ``cutoff``; for a replay, what counted before it."""
    known = [(one, one.known_at(static=static)) for one in feedback.load(out, target)]
    return [one for one, at in known if at < cutoff or (at == cutoff and not replaying)]


def decided(peace: Peace, history: History, moments: Moments, now: pd.DataFrame, past: pd.DataFrame, answers: list[Answer]) -> pd.DataFrame:
    """Return the decision at the cutoff (index of ``now``), walked through the Mondays before it.

    ``now`` and ``past`` have customer_id, owner, state0, score, value_at_stake; ``past`` has cutoff too. Owners are those of the cutoff.
    """
    memory, rules = Memory(), moments.rules
    for moment in moments.mondays:
        if moment == moments.cutoff:
            break
        rows = past[past["cutoff"] == pd.Timestamp(moment)].reset_index(drop=True)
        rows = _with_standing(peace, history, rules, moment, rows, answers)
        _, memory = decide(rows, rules, moment, memory, draws=True)
    rows = _with_standing(peace, history, rules, moments.cutoff, now, answers)
    found, _ = decide(rows, rules, moments.cutoff, memory, draws=moments.cutoff in moments.mondays)
    return found


def _with_standing(
    peace: Peace, history: History, rules: Rules, moment: datetime, rows: pd.DataFrame, answers: list[Answer]
) -> pd.DataFrame:
    """Return ``rows`` (same index) with the columns of ``STANDING`` as they stood at ``moment``."""
    said = feedback.standing(
        answers,
        moment,
        static=peace.static,
        zone=peace.zone,
        horizon_days=rules.holdout.horizon_days,
        wrong_alarm_days=peace.wrong_alarm_days,
    ).set_index("customer_id")
    said = said.reindex(rows["customer_id"]).set_axis(rows.index)
    epoch = rules.holdout.began(moment)
    cooling = suppression.contacted(history, moment, peace.cooldown_days)
    touched = suppression.contacted(history, moment, (moment - epoch) / timedelta(days=1))
    ids = rows["customer_id"]
    return rows.assign(
        **{name: said[name] for name in ("rests_until", "rests_since", "score_then")},
        rests=said["rests"].fillna(STANDING["rests"]),
        **{COOLING: ids.isin(cooling) | (said["contacted_at"] > pd.Timestamp(moment - timedelta(days=peace.cooldown_days)))},
        touched=ids.isin(touched) | (said["contacted_at"] > pd.Timestamp(epoch)),
        escalated=ids.isin(suppression.escalated(history, moment, peace.escalation_days)),
        revenue=ids.map(suppression.revenue(history, moment)).astype("float64"),
    )

"""From scored rows to a decision: what is known of each customer at each moment, walked from Monday to Monday up to the cutoff."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from pipelines.settings import Settings
from pipelines.weeks import Moments
from prevenance import feedback, suppression
from prevenance.decision import COOLING, STANDING, Memory, Rules, decide
from prevenance.feedback import Answer
from prevenance.history import History


def answers_of(given: Settings, target: str, cutoff: datetime, *, replaying: bool) -> list[Answer]:
    """Return what was answered to the lists of a target and counts at ``cutoff``; for a replay, what counted before it."""
    known = [(one, one.known_at(static=given.source.static)) for one in feedback.load(Path(given.out), target)]
    return [one for one, at in known if at < cutoff or (at == cutoff and not replaying)]


def decided(
    given: Settings, history: History, moments: Moments, now: pd.DataFrame, past: pd.DataFrame, answers: list[Answer]
) -> pd.DataFrame:
    """Return the decision at the cutoff (index of ``now``), walked through the Mondays before it.

    ``now`` and ``past`` have customer_id, owner, state0, score, value_at_stake; ``past`` has cutoff too. Owners are those of the cutoff.
    """
    memory, rules = Memory(), moments.rules
    for moment in moments.mondays:
        if moment == moments.cutoff:
            break
        rows = past[past["cutoff"] == pd.Timestamp(moment)].reset_index(drop=True)
        rows = _with_standing(given, history, rules, moment, rows, answers)
        _, memory = decide(rows, rules, moment, memory, draws=True)
    rows = _with_standing(given, history, rules, moments.cutoff, now, answers)
    found, _ = decide(rows, rules, moments.cutoff, memory, draws=moments.cutoff in moments.mondays)
    return found


def _with_standing(
    given: Settings, history: History, rules: Rules, moment: datetime, rows: pd.DataFrame, answers: list[Answer]
) -> pd.DataFrame:
    """Return ``rows`` (same index) with the columns of ``STANDING`` as they stood at ``moment``."""
    chosen = given.outreach
    said = feedback.standing(
        answers,
        moment,
        static=given.source.static,
        zone=given.source.timezone,
        horizon_days=rules.holdout.horizon_days,
        wrong_alarm_days=chosen.wrong_alarm_days,
    ).set_index("customer_id")
    said = said.reindex(rows["customer_id"]).set_axis(rows.index)
    epoch = rules.holdout.began(moment)
    cooling = suppression.contacted(history, moment, chosen.cooldown_days)
    touched = suppression.contacted(history, moment, (moment - epoch) / timedelta(days=1))
    ids = rows["customer_id"]
    return rows.assign(
        **{name: said[name] for name in ("rests_until", "rests_since", "score_then")},
        rests=said["rests"].fillna(STANDING["rests"]),
        **{COOLING: ids.isin(cooling) | (said["contacted_at"] > pd.Timestamp(moment - timedelta(days=chosen.cooldown_days)))},
        touched=ids.isin(touched) | (said["contacted_at"] > pd.Timestamp(epoch)),
        escalated=ids.isin(suppression.escalated(history, moment, chosen.escalation_days)),
        revenue=ids.map(suppression.revenue(history, moment)).astype("float64"),
    )

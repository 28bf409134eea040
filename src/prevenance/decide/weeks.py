"""One target decided at a cutoff and at the weeks before it: walked from Monday to Monday up to the cutoff."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from prevenance.decide import answered, feedback
from prevenance.decide.feedback import Answer
from prevenance.history.history import History
from prevenance.order import suppression
from prevenance.order.capacity import NOBODY, Room
from prevenance.order.decision import COOLING, STANDING, Memory, Rules, decide, remember
from prevenance.order.holdout import last_mondays
from prevenance.order.suppression import Peace

BEFORE = timedelta(days=28)
WEEKS = 12
"""Points of the line of chances, the cutoff included."""


@dataclass(frozen=True)
class Moments:
    """When a list looks: ``cutoff``, 28 days before it, and the last Mondays 00:00 UTC, the cutoff's own included."""

    cutoff: datetime
    mondays: tuple[datetime, ...]
    rules: Rules

    @property
    def every(self) -> list[datetime]:
        """Return all moments, ascending."""
        return sorted({*self.mondays, self.cutoff - BEFORE, self.cutoff})

    @property
    def line(self) -> list[datetime]:
        """Return the moments of the line of chances, ascending: Mondays, and the cutoff as the last."""
        return [*[one for one in self.mondays if one < self.cutoff][-(WEEKS - 1) :], self.cutoff]


def moments_of(cutoff: datetime, rules: Rules) -> Moments:
    """Return the moments of a list: Mondays for the line of chances and back to the beginning of any epoch."""
    return Moments(cutoff, tuple(last_mondays(cutoff, max(WEEKS, rules.holdout.weeks))), rules)


def known_answers(out: Path, target: str, cutoff: datetime, *, static: bool, replaying: bool = False) -> list[Answer]:
    """Return what was answered to the lists of a target, counts at ``cutoff`` and is not taken back; for a replay, what counted before it."""
    known = [(one, one.known_at(static=static)) for one in feedback.load_answers(out, target)]
    return answered.standing_answers(one for one, at in known if at < cutoff or (at == cutoff and not replaying))


def decision_at_cutoff(
    peace: Peace, history: History, moments: Moments, now: pd.DataFrame, past: pd.DataFrame, answers: list[Answer]
) -> tuple[pd.DataFrame, Room, pd.DataFrame]:
    """Return the decision at the cutoff (index of ``now``), walked through the Mondays before it, the room with what this week used up, and by whom.

    ``now`` and ``past`` have customer_id, owner, state0, score, value_at_stake; ``past`` has cutoff too. Owners are those of the cutoff.
    """
    memory, rules = Memory(), moments.rules
    # A cutoff on a Monday is decided once, at last, with tonight's rows.
    mondays = [one for one in moments.mondays if one < moments.cutoff]
    standing = standing_at(peace, history, rules, [*mondays, moments.cutoff])
    for monday in mondays:
        rows = past[past["cutoff"] == pd.Timestamp(monday)].reset_index(drop=True)
        memory = remember(standing(rows, monday, answers), rules, monday, memory)
    done = contacted_this_week(peace, history, moments.cutoff, memory.inside, answers)
    used = now.loc[now["customer_id"].isin(done), ["customer_id", "owner"]].fillna({"owner": NOBODY}).sort_values("customer_id")
    by_owner = used["owner"].value_counts()
    room = replace(rules.room, used={str(owner): int(count) for owner, count in by_owner.sort_index().items()})
    rules = replace(rules, room=room)
    found, _ = decide(standing(now, moments.cutoff, answers), rules, moments.cutoff, memory, draws=moments.cutoff in moments.mondays)
    return found, room, used


def contacted_this_week(peace: Peace, history: History, cutoff: datetime, listed: Collection[str], answers: list[Answer]) -> set[str]:
    """Return whose contact used up this week's capacity: of those ``listed`` on Monday whom a contact names since, and who was answered to be contacted."""
    since = week_began(cutoff, peace.zone)
    named = suppression.newest_contacts(history, [cutoff], (cutoff - since) / timedelta(days=1))[cutoff]
    known = {
        one.customer_id
        for one in answers
        if one.action == "contacted" and since <= one.contacted_at(static=peace.static) and one.known_at(static=peace.static) <= cutoff
    }
    return known | (set(named.index) & set(listed))


def week_began(moment: datetime, zone: str) -> datetime:
    """Return the Monday 00:00 (in ``zone``) of the week of ``moment``, both naive UTC."""
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone or "UTC"))
    day = local.date() - timedelta(days=local.weekday())
    return datetime(day.year, day.month, day.day, tzinfo=local.tzinfo).astimezone(UTC).replace(tzinfo=None)


def standing_at(
    peace: Peace, history: History, rules: Rules, moments: list[datetime]
) -> Callable[[pd.DataFrame, datetime, list[Answer]], pd.DataFrame]:
    """Return what gives rows (index kept) the columns of ``STANDING`` but the owner as they stood at one of ``moments``, given the answers until then.

    The tables are asked once for all moments.
    """
    longest = max((one - rules.holdout.began(one)) / timedelta(days=1) for one in moments)
    contacts = suppression.newest_contacts(history, moments, max(peace.cooldown_days, longest))
    # Revenue is asked for the limit of the hold-out alone.
    paid = suppression.yearly_revenue(history, moments) if rules.holdout.max_value is not None else {}
    escalated = suppression.open_escalations(history, moments, peace.escalation_days)

    def with_standing(rows: pd.DataFrame, moment: datetime, answers: list[Answer]) -> pd.DataFrame:
        ids = rows["customer_id"]
        said = answered.customer_answers(
            answers,
            moment,
            static=peace.static,
            zone=peace.zone,
            horizon_days=rules.holdout.horizon_days,
            wrong_alarm_days=peace.wrong_alarm_days,
        ).set_index("customer_id")
        said = said.reindex(ids).set_axis(rows.index)
        cool = moment - timedelta(days=peace.cooldown_days)
        met = contacts[moment].reindex(ids).set_axis(rows.index)

        def contacted_after(since: datetime) -> pd.Series:
            return (met > pd.Timestamp(since)) | (said["contacted_at"] > pd.Timestamp(since))

        return rows.assign(
            **{name: said[name] for name in ("rests_until", "rests_since", "score_then")},
            rests=said["rests"].fillna(STANDING["rests"]),
            **{COOLING: contacted_after(cool)},
            touched=contacted_after(rules.holdout.began(moment)),
            escalated=ids.isin(escalated[moment]),
            revenue=paid[moment].reindex(ids).set_axis(rows.index) if paid else np.nan,
        )

    return with_standing

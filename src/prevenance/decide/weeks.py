"""One target scored and decided at a cutoff and at the weeks before it, by one model: walked from Monday to Monday up to the cutoff."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from prevenance.decide import answered, feedback
from prevenance.decide.feedback import Answer
from prevenance.decide.remembered import Remembered
from prevenance.features.build import build, definitions_giving
from prevenance.features.define import Definition
from prevenance.features.held import HeldInputs, held_inputs
from prevenance.history.history import History
from prevenance.history.roster import is_unjudged, product_names
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.models.scoring import cohort_scores
from prevenance.order import suppression
from prevenance.order.capacity import NOBODY, Room
from prevenance.order.decision import COOLING, STANDING, Memory, Rules, decide, remember
from prevenance.order.holdout import last_mondays
from prevenance.order.policies import best_offers
from prevenance.order.suppression import Peace
from prevenance.targets.labels import cohort
from prevenance.targets.target import Target
from prevenance.words import Words

BEFORE = timedelta(days=28)
WEEKS = 12
"""Points of the line of chances, the cutoff included."""
ROWS = 300_000
"""Snapshots whose inputs are built at a time: of the moments before only the chances are kept, of tonight the file that is published."""


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


@dataclass(frozen=True)
class Scored:
    """A target scored: ``rows`` as in ``scoring.cohort_scores`` with ``score_before`` (of offers the best of each customer), ``past`` the same
    rows at earlier moments.

    ``inputs`` are those of the whole ``cohort`` (keys, cutoff, state, value_at_stake), row by row, ``places`` where each of ``rows`` stands
    there; ``weeks`` the chances of twelve weeks; ``offers`` every offer, where there are offers.
    """

    rows: pd.DataFrame
    past: pd.DataFrame
    cohort: pd.DataFrame
    inputs: HeldInputs
    places: np.ndarray
    weeks: pd.DataFrame
    offers: pd.DataFrame | None


def scored_weeks(
    history: History,
    target: Target,
    fitted: Fitted,
    definitions: tuple[Definition, ...],
    moments: Moments,
    say: Words,
    steps: Callable[[str], None],
    remembered: Remembered | None = None,
) -> Scored:
    """Return one target scored at the cutoff and at every moment before it; offers without a product's name are named by ``say``.

    Of the weeks before only the chosen offers are built: every offer of every week would be dear. What is ``remembered`` of a moment is not
    worked out again. Inputs are built for ``ROWS`` snapshots at a time; whatever their number, the rows are the same.
    """
    keys, columns = target.keys, list(fitted.encoder.features)
    snapshots = _cohort(history, target, [moments.cutoff], steps)
    dark = is_unjudged(history, snapshots, target.min_known_days)
    parts: list[pd.DataFrame] = []

    def scored() -> Iterator[pd.DataFrame]:
        for part in _with_inputs(history, snapshots, definitions, columns, steps):
            unknown = dark.loc[part.index]
            if fitted.kind == "health_score":
                # The team's score needs its own inputs; that other things are known of the customer does not help it.
                unknown |= part[columns].isna().all(axis=1)
            parts.append(cohort_scores(fitted, part, unknown))
            yield part[["customer_id", "cutoff", *keys[1:], *columns]]

    inputs = held_inputs(scored())
    steps(f"{target.name}: score")
    rows, offers = pd.concat(parts), None
    if target.pairs:
        rows["product"] = product_names(history, moments.cutoff, rows["product_id"], say)
        offers, rows = rows, best_offers(rows, policy=moments.rules.policy, share=moments.rules.share, cost_per_contact=moments.rules.cost)
    places, rows = rows.index.to_numpy(), rows.reset_index(drop=True)
    narrow, then, chosen = bundle.used(fitted), moments.cutoff - BEFORE, rows if target.pairs else None

    def chances_at(batch: list[datetime], asked: pd.DataFrame | None) -> pd.DataFrame:
        snapshots = _cohort(history, target, batch, steps, asked)
        found = []
        for part in _with_inputs(history, snapshots, definitions, narrow, steps):
            every = part.reindex(columns=[*part.columns.difference(columns, sort=False), *columns])
            score = bundle.chance(fitted, every) if len(every) else np.zeros(0)
            found.append(part[["cutoff", *keys, "state", "value_at_stake"]].assign(score=score))
        return pd.concat(found, ignore_index=True).rename(columns={"state": "state0"})

    known, earlier = remembered or Remembered(None, ""), moments.every[:-1]
    known.open(history, target, definitions, narrow, earlier)
    # Twenty-eight days ago is asked for by itself, as others who look back ask for it.
    for some in ([then], [one for one in earlier if one != then]):
        for lacking, batch in known.batches(some, chosen, target, max(1, ROWS // max(1, len(rows)))):
            found = chances_at(batch, lacking)
            for moment in batch:
                known.add(moment, found[found["cutoff"] == pd.Timestamp(moment)], lacking, target)
    known.close()
    past = pd.concat([known.rows(moment, chosen, target) for moment in earlier], ignore_index=True)
    every = pd.MultiIndex.from_frame(rows[keys])
    rows["score_before"] = np.where(rows["score"].notna(), _chances_of(every, past, then, keys), np.nan)
    line = {f"week_{number}": _chances_of(every, past, one, keys) for number, one in enumerate(moments.line[:-1])}
    weeks = rows[keys].assign(**line, **{f"week_{WEEKS - 1}": rows["score"]})
    return Scored(rows, past, snapshots, inputs, places, weeks, offers)


def _cohort(
    history: History, target: Target, moments: list[datetime], steps: Callable[[str], None], chosen: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the cohort at ``moments``, see ``labels.cohort``; with ``chosen`` only its offers: every offer of every week would be dear."""
    steps(f"{target.name}: cohort")
    snapshots = cohort(history, target, moments)
    return snapshots if chosen is None else snapshots.merge(chosen[target.keys], on=target.keys)


def _with_inputs(
    history: History, snapshots: pd.DataFrame, definitions: tuple[Definition, ...], columns: list[str], steps: Callable[[str], None]
) -> Iterator[pd.DataFrame]:
    """Give the snapshots with ``columns``, ``ROWS`` at a time, with their index; at least once."""
    for first in range(0, max(1, len(snapshots)), ROWS):
        part = snapshots.iloc[first : first + ROWS]
        built = build(history, part, definitions_giving(definitions, columns), steps)[columns]
        yield pd.concat([part, built.set_axis(part.index)], axis=1)


def _chances_of(keys: pd.MultiIndex, past: pd.DataFrame, moment: datetime, names: list[str]) -> np.ndarray:
    """Return the chance at a moment of ``past`` of each of ``keys``; NaN for who was not in the cohort then."""
    rows = past[past["cutoff"] == pd.Timestamp(moment)]
    place = keys.get_indexer(pd.MultiIndex.from_frame(rows[names]))
    found = np.full(len(keys), np.nan)
    found[place[place >= 0]] = rows["score"].to_numpy(dtype=float)[place >= 0]
    return found


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
    return known | (set(named) & set(listed))


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

        def contacted_after(since: datetime) -> pd.Series:
            return ids.isin([one for one, at in contacts[moment].items() if at > since]) | (said["contacted_at"] > pd.Timestamp(since))

        return rows.assign(
            **{name: said[name] for name in ("rests_until", "rests_since", "score_then")},
            rests=said["rests"].fillna(STANDING["rests"]),
            **{COOLING: contacted_after(cool)},
            touched=contacted_after(rules.holdout.began(moment)),
            escalated=ids.isin(escalated[moment]),
            revenue=ids.map(paid.get(moment, {})).astype("float64"),
        )

    return with_standing

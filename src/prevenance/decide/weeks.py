"""One target scored and decided at a cutoff and at the weeks before it, by one model: walked from Monday to Monday up to the cutoff."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from prevenance.decide import answered, feedback
from prevenance.decide.feedback import Answer
from prevenance.decide.remembered import CHANCES, Remembered
from prevenance.features.build import build, definitions_giving
from prevenance.features.define import Definition
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
"""Snapshots whose inputs are held at a time: the moments before are scored in batches, and only their chances are kept."""


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
    """A target scored: ``rows`` as in ``scoring.cohort_scores`` (of offers the best of each customer), ``past`` the same rows at earlier moments.

    ``now`` holds the inputs of the whole cohort and ``told_from`` those of ``rows``, ``before`` theirs 28 days earlier (NaN where nothing
    was known); ``weeks`` the chances of twelve weeks; ``offers`` every offer, where there are offers.
    """

    rows: pd.DataFrame
    past: pd.DataFrame
    now: pd.DataFrame
    told_from: pd.DataFrame
    before: pd.DataFrame
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

    Of the weeks before only the chosen offers are built: every offer of every week would be dear. What is ``remembered`` of a Monday is not worked
    out again.
    """
    keys, columns = target.keys, list(fitted.encoder.features)
    now = _inputs(history, target, [moments.cutoff], definitions, columns, steps)
    steps(f"{target.name}: score")
    dark = is_unjudged(history, now, target.min_known_days)
    if fitted.kind == "health_score":
        # The team's score needs its own inputs; that other things are known of the customer does not help it.
        dark |= now[columns].isna().all(axis=1)
    rows, offers = cohort_scores(fitted, now, now.iloc[:0], now, dark), None
    if target.pairs:
        rows["product"] = product_names(history, moments.cutoff, rows["product_id"], say)
        offers, rows = rows, best_offers(rows, policy=moments.rules.policy, share=moments.rules.share, cost_per_contact=moments.rules.cost)
    told_from, rows = now.loc[rows.index].reset_index(drop=True), rows.reset_index(drop=True)
    narrow, alone, chosen = bundle.used(fitted), moments.cutoff - BEFORE, rows if target.pairs else None

    def scored_at(batch: list[datetime], wanted: list[str], asked: pd.DataFrame | None) -> pd.DataFrame:
        found = _inputs(history, target, batch, definitions, wanted, steps, asked)
        found = found.reindex(columns=[*found.columns.difference(columns, sort=False), *columns])
        chances = bundle.chance(fitted, found) if len(found) else None
        return pd.concat([found, pd.Series(chances, index=found.index, name="score", dtype="float64")], axis=1).rename(
            columns={"state": "state0"}
        )

    found = scored_at([alone], columns, chosen)
    then = rows[keys].merge(found, on=keys, how="left")
    rows["score_before"] = then["score"].where(rows["score"].notna())
    earlier = [found[[*keys, "cutoff", *CHANCES]]]
    known, mondays = remembered or Remembered(None, ""), [one for one in moments.every[:-1] if one != alone]
    known.open(history, target, definitions, narrow, mondays)
    for lacking, batch in known.batches(mondays, chosen, target, max(1, ROWS // max(1, len(rows)))):
        found = scored_at(batch, narrow, lacking)
        for monday in batch:
            known.add(monday, found[found["cutoff"] == pd.Timestamp(monday)], lacking, target)
    known.close()
    earlier += [known.rows(monday, chosen, target) for monday in mondays]
    past = pd.concat(earlier, ignore_index=True)
    return Scored(rows, past, now, told_from, then[columns], _line(rows, past, moments, keys), offers)


def _inputs(
    history: History,
    target: Target,
    moments: list[datetime],
    definitions: tuple[Definition, ...],
    columns: list[str],
    steps: Callable[[str], None],
    chosen: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return cohort and features at each of ``moments``: state, value_at_stake, cutoff, keys, ``columns``; with ``chosen`` only its offers."""
    steps(f"{target.name}: cohort")
    snapshots = cohort(history, target, moments)
    if chosen is not None:
        # Every offer of every week would be dear, and only the chosen one is drawn.
        snapshots = snapshots.merge(chosen[target.keys], on=target.keys)
    features = build(history, snapshots, definitions_giving(definitions, columns), steps)[["cutoff", *target.keys, *columns]]
    return pd.concat([snapshots[["state", "value_at_stake"]], features], axis=1)


def _line(now: pd.DataFrame, past: pd.DataFrame, moments: Moments, keys: list[str]) -> pd.DataFrame:
    """Return the chances of twelve weeks, a row for each of ``now``: the keys and week_0 (oldest) to week_11 (now); NaN outside the cohort."""
    wide = past.pivot(index=keys, columns="cutoff", values="score").reindex(columns=[pd.Timestamp(one) for one in moments.line[:-1]])
    wide.columns = pd.Index([f"week_{number}" for number in range(WEEKS - 1)])
    return now[keys].merge(wide, left_on=keys, right_index=True, how="left").assign(**{f"week_{WEEKS - 1}": now["score"]})


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

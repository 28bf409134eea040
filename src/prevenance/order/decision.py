"""Who is contacted: order, suppression, hold-out and capacity at one moment, given what was decided the weeks before.

``decide`` is asked once for each of the last Mondays and then for the cutoff itself, always of the same model. So a list is stable and a
hold-out keeps its arm without any list reading another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.order.capacity import Room
from prevenance.order.holdout import CONTACT, HOLDOUT, HoldOut
from prevenance.order.policies import DEFAULT, policy_places
from prevenance.order.value import ORDER, WORKABLE, check_share, expected_value

COOLING = "cooling_down"
BEYOND = "beyond_capacity"
BELOW = "below_floor"
APART = ("too_late", "not_enough_data", "escalated", "snoozed", HOLDOUT, BELOW)
"""Why a row stands apart, without a rank."""

STANDING: Mapping[str, object] = {
    **{"owner": None, COOLING: False, "escalated": False, "touched": False, "revenue": np.nan},
    **{"rests": "", "rests_until": pd.NaT, "rests_since": pd.NaT, "score_then": np.nan},
}
"""What is known of a customer besides the score, and what holds where nothing is: see ``decide``."""


@dataclass(frozen=True)
class Rules:
    """How a list is decided: ``share`` of the money a contact saves (assumed), its ``cost``, the room and the hold-out.

    ``margin`` is by how much (relative) a challenger must be worth more than who is inside already; ``wake_points`` the percentage points
    of chance that end a snooze. ``policy`` is the order, a key of ``policies.POLICIES``; ``floor`` the least chance that is worth a
    contact, 0 for none.
    """

    share: float
    cost: float
    room: Room
    holdout: HoldOut
    margin: float = 0.05
    wake_points: float = 10.0
    policy: str = DEFAULT
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a share outside [0, 1] (E202)."""
        check_share(self.share)


@dataclass(frozen=True)
class Memory:
    """What one moment hands to the next: who is inside; the arms and who was in the band in this epoch; which snoozes are over."""

    inside: frozenset[str] = frozenset()
    epoch: int | None = None
    arms: Mapping[str, str] = field(default_factory=dict)
    band: Mapping[str, datetime] = field(default_factory=dict)
    woken: frozenset[tuple[str, object]] = frozenset()


def decide(rows: pd.DataFrame, rules: Rules, moment: datetime, memory: Memory, *, draws: bool) -> tuple[pd.DataFrame, Memory]:
    """Return the decision on each row (its index) and what the next moment has to know.

    Columns: place (1 first, in the order of the policy, whatever stands apart), expected_value, rank (empty for who is not to be
    worked), apart (cooling_down, one of ``APART``, beyond_capacity, or empty), apart_until, woken_points, arm, in_band, drawn_at,
    hours (planned), new (ranked, and not inside on the Monday before).

    Args:
        rows: customer_id, state0 (a key of ``ORDER``), score, value_at_stake, at will product_id and the columns of ``STANDING``:
            owner; cooling_down, escalated; touched (contacted in person since the epoch began); revenue (money a year); rests (empty,
            snoozed or too_late) with rests_until and rests_since (naive UTC) and score_then.
        rules: the settings.
        moment: the cutoff of the rows, naive UTC.
        memory: what the moment before handed on.
        draws: whether hold-outs are drawn at this moment.

    Raises:
        ValueError: a workable customer has no score in [0, 1], a state is unknown or a customer comes twice.
    """
    found, after = _walked(rows, rules, moment, memory, draws=draws)
    rows, ids, apart, worked = found.rows, found.rows["customer_id"], found.apart, found.worked
    expected = expected_value(rows, rules.share, rules.cost)
    place = policy_places(rows, rules.policy, rules.share, rules.cost)
    decided = pd.DataFrame(
        {
            "customer_id": ids,
            "place": place,
            "expected_value": expected.where(apart != "too_late"),
            "rank": place.where(worked).rank().astype("Int64"),
            "apart": apart,
            "apart_until": rows["rests_until"].where(apart.isin(["snoozed"])).astype("datetime64[us]"),
            "woken_points": ((rows["score"] - rows["score_then"]) * 100).round(1).where(found.woken & found.free),
            "arm": pd.Series(np.select([apart.eq(HOLDOUT), worked], [HOLDOUT, CONTACT], ""), index=rows.index, dtype="str"),
            "in_band": ids.isin(after.band) & rows["state0"].eq(WORKABLE),
            "drawn_at": pd.to_datetime(ids.map(after.band)).astype("datetime64[us]"),
            "hours": pd.Series(rules.room.hours_per_contact if rules.room.hours else np.nan, index=rows.index).where(worked),
            "new": worked & ~ids.isin(memory.inside),
        }
    )
    return decided, after


def remember(rows: pd.DataFrame, rules: Rules, moment: datetime, memory: Memory) -> Memory:
    """Return what a Monday before the cutoff hands on, as ``decide`` with ``draws`` does; its list itself nobody reads any more."""
    return _walked(rows, rules, moment, memory, draws=True)[1]


@dataclass(frozen=True)
class _Walked:
    """``rows`` with all columns of ``STANDING``; who was woken, stood apart for no reason of their own (``free``) and is to be worked."""

    rows: pd.DataFrame
    woken: pd.Series
    free: pd.Series
    apart: pd.Series
    worked: pd.Series


def _walked(rows: pd.DataFrame, rules: Rules, moment: datetime, memory: Memory, *, draws: bool) -> tuple[_Walked, Memory]:
    _check(rows)
    rows = rows.assign(**{name: usual for name, usual in STANDING.items() if name not in rows})
    ids = rows["customer_id"]
    woken = _woken(rows, rules, memory)
    apart = _apart(rows, rules, moment, woken)
    free = apart == ""
    sticky = _sticky(rows, rules, memory.inside)
    arms, band = _drawn(rows[free], sticky, rules, moment, memory, draws)
    held = free & ids.map(arms).eq(HOLDOUT) & _may_be_held(rows, rules.holdout)
    apart = apart.mask(held, HOLDOUT)
    worked = _inside(rows[free & ~held], sticky, rules.room).reindex(rows.index, fill_value=False).astype(bool)
    apart = apart.mask((apart == "") & ~worked, BEYOND)
    listed = frozenset(ids[worked])
    if draws:
        # An arm once drawn stays for the epoch, or the comparison would be with whoever was left over.
        arms = {**dict.fromkeys(sorted(listed), CONTACT), **arms}
    gone = frozenset(zip(ids[woken], rows.loc[woken, "rests_since"], strict=True))
    return _Walked(rows, woken, free, apart, worked), Memory(listed, rules.holdout.epoch(moment), arms, band, memory.woken | gone)


def _check(rows: pd.DataFrame) -> None:
    if strange := sorted(set(rows["state0"].dropna().unique()) - set(ORDER)) or rows["state0"].isna().any():
        raise ValueError(f"unknown state0 {strange}; known are {', '.join(ORDER)}")
    wrong = (rows["state0"] == WORKABLE) & ~rows["score"].between(0, 1)
    if wrong.any():
        raise ValueError(f"{int(wrong.sum())} workable customers have no score in [0, 1], first at row {int(wrong.to_numpy().argmax())}")
    if rows["customer_id"].duplicated().any():
        raise ValueError(f"{int(rows['customer_id'].duplicated().sum())} customers come twice in one list")


def _woken(rows: pd.DataFrame, rules: Rules, memory: Memory) -> pd.Series:
    """Return whose snooze is over before its date: the chance rose enough, now or at a moment before."""
    rose = rows["rests"].eq("snoozed") & ((rows["score"] - rows["score_then"]) * 100 >= rules.wake_points - 1e-9)
    if not memory.woken:
        return rose
    before = [(one, since) in memory.woken for one, since in zip(rows["customer_id"], rows["rests_since"], strict=True)]
    return rose | (pd.Series(before, index=rows.index, dtype=bool) & rows["rests"].eq("snoozed"))


def _apart(rows: pd.DataFrame, rules: Rules, moment: datetime, woken: pd.Series) -> pd.Series:
    """Return why a row is not to be worked, or an empty text; the first of the reasons holds."""
    rests = rows["rests"].where((rows["rests_until"] > pd.Timestamp(moment)) & ~woken, "")
    reasons = {
        COOLING: rows[COOLING].astype(bool),
        "too_late": rows["state0"].eq("too_late") | rests.eq("too_late"),
        "not_enough_data": rows["state0"].eq("not_enough_data"),
        "escalated": rows["escalated"].astype(bool),
        "snoozed": rests.eq("snoozed"),
        BELOW: rows["score"] < rules.floor,
    }
    return pd.Series(np.select(list(reasons.values()), list(reasons), ""), index=rows.index, dtype="str")


def _sticky(rows: pd.DataFrame, rules: Rules, inside: frozenset[str]) -> pd.Series:
    """Return the places with everyone who is inside already lifted by the margin, on what a contact gains before its cost."""
    return policy_places(rows, rules.policy, rules.share, rules.cost, 1 + rules.margin * rows["customer_id"].isin(inside))


def _inside(rows: pd.DataFrame, place: pd.Series, room: Room) -> pd.Series:
    ordered = rows.loc[place.reindex(rows.index).sort_values(kind="stable").index]
    return room.inside(ordered["owner"])


def _may_be_held(rows: pd.DataFrame, rules: HoldOut) -> pd.Series:
    limit = np.inf if rules.max_value is None else rules.max_value
    return ~(rows["value_at_stake"] > limit) & ~(rows["revenue"].astype("float64") > limit)


def _drawn(
    rows: pd.DataFrame, place: pd.Series, rules: Rules, moment: datetime, memory: Memory, draws: bool
) -> tuple[dict[str, str], dict[str, datetime]]:
    """Return the arms and the band of the epoch, with those that this moment adds. ``rows`` are those that may be contacted."""
    epoch = rules.holdout.epoch(moment)
    arms, band = (dict(memory.arms), dict(memory.band)) if memory.epoch == epoch else ({}, {})
    if not draws:
        return arms, band
    inside = _inside(rows, place, rules.room)
    outside = inside.index[~inside & rules.room.workable(rows["owner"].reindex(inside.index))]
    chosen = inside.index[inside]
    half = int(np.ceil(len(chosen) * rules.holdout.band))
    # Not [-half:], which of none would be all.
    near = rows.loc[[*chosen[len(chosen) - half :], *outside[:half]]]
    # Who was already contacted in this epoch can no longer show what no contact does.
    near = near[_may_be_held(near, rules.holdout) & ~near["touched"].astype(bool) & ~near["customer_id"].map(arms).eq(CONTACT)]
    for customer, unit in zip(near["customer_id"], near.get("unit", near["customer_id"]), strict=True):
        band.setdefault(customer, moment)
        if rules.holdout.drawn(unit, epoch):
            arms[customer] = HOLDOUT
    return arms, band

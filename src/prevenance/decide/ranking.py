"""The ranked list: whom to contact first, what it is worth, what to do and by when.

One row is a customer of the cohort at one cutoff. Who is to be worked comes first and has a rank; then who did not fit, then who stands
apart. Only customers who are left in peace after a contact are absent, and they are counted. The decision itself is in ``decision``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.base.days import local_time
from prevenance.decide.playbook import Playbook
from prevenance.decide.plays import TICKET_IDS, Situation, chosen_play
from prevenance.order.decision import APART, COOLING
from prevenance.targets.target import ANY_OUTCOME, TargetWords
from prevenance.words import Words

COLUMNS = (
    *("rank", "customer_id", "name", "owner", "segment", "score", "score_low", "score_high", "change_28d"),
    *("value_at_stake", "expected_value", "reasons", "holds", "action", "act_by", "arm", "state"),
    *("target", "cutoff", "horizon_days", "model", "run_id", "data_until"),
)

PAIR_COLUMNS = ("product_id", "product")
"""What a list of offers has besides."""

PRIVATE = (
    *("place", "apart", "apart_until", "woken_points", "in_band", "drawn_at", "why_above"),
    *("action_family", "owner_role", "draft", "play", "left_out", "ticket_ids", "hours"),
)
"""What pages may show of a row besides the columns of the list."""

SECTIONS = {"": 0, "beyond_capacity": 1, "holdout": 2, "escalated": 3, "snoozed": 4, "too_late": 5, "not_enough_data": 6, "below_floor": 7}
"""The parts of the list, in their order: why a row stands apart -> its part."""

MOST_SHOWN = 200
"""Rows of a part beside the ranked ones that page and spreadsheet show and that reasons are told of."""


@dataclass(frozen=True)
class Stamp:
    """What every row of one list carries: where it comes from. ``cutoff`` and ``data_until`` are naive UTC."""

    target: str
    cutoff: datetime
    horizon_days: int
    model: str
    run_id: str
    data_until: datetime | None
    words: TargetWords = ANY_OUTCOME


def rank_customers(
    scored: pd.DataFrame, decided: pd.DataFrame, stamp: Stamp, playbook: Playbook, say: Words, currency: str = ""
) -> pd.DataFrame:
    """Return the ranked list, best first: the columns ``COLUMNS`` (of a list of offers ``PAIR_COLUMNS`` too), then ``PRIVATE``.

    Exactly one row for each row of ``scored`` that is not cooling down. Ranked rows come first, then the ``SECTIONS``; within one the
    order is that of the policy. No rows in gives no rows out.

    Args:
        scored: customer_id, name, owner, segment, state0, score, score_low, score_high, score_before (the same model at cutoff - 28
            days; NaN if the customer was not in the cohort then), value_at_stake, reasons, holds, family (of the first reason),
            situation (``plays.Situation`` of a row to be worked, where more than the family is known).
        decided: the decision on each row (``decision.decide``), with the same index.
        stamp: what every row carries.
        playbook: what to do about a reason of a family.
        say: the reader's language.
        currency: of the source.
    """
    rows = scored.assign(**{name: decided[name] for name in decided if name != "customer_id"})
    rows = rows[rows["apart"] != COOLING].reset_index(drop=True)
    rows["value_at_stake"] = rows["value_at_stake"].astype("float64").round(2)
    rows["change_28d"] = ((rows["score"] - rows["score_before"]) * 100).round(4) + 0.0
    # No arm is empty in a file, and not a text of no length.
    rows["arm"] = rows["arm"].where(rows["arm"] != "")
    rows["state"] = _states(rows)
    order = np.lexsort((rows["place"], rows["apart"].map(SECTIONS)))
    rows = _stamped(_with_actions(rows, stamp, playbook, say), stamp).iloc[order].reset_index(drop=True)
    rows["why_above"] = why_above(rows, say, currency, stamp.words.above)
    return rows[[*COLUMNS, *(name for name in PAIR_COLUMNS if name in rows), *PRIVATE]]


def shown_rows(rows: pd.DataFrame) -> pd.Series:
    """Return which rows of a decision or a list people are shown: all to be worked, of every part beside them the first ``MOST_SHOWN`` places.

    The others stand in list.csv and list.json, without reasons.
    """
    return rows["rank"].notna() | (rows.groupby("apart")["place"].rank(method="first") <= MOST_SHOWN)


def public_columns(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return what list.csv and list.json hold of a ranked list."""
    return ranked.drop(columns=[name for name in PRIVATE if name in ranked])


def rows_apart(ranked: pd.DataFrame) -> dict[str, int]:
    """Return how many rows of a list stand apart, by reason; reasons that nobody has are left out."""
    counts = ranked["apart"].value_counts()
    return {reason: int(counts[reason]) for reason in APART if reason in counts}


def arm_rows(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return who was near the capacity line when hold-outs were drawn, or has an arm: what measures an effect later.

    customer_id, place, in_band (could have been drawn in this epoch), arm, score, value_at_stake, drawn_at, and ``way`` where ways are drawn; in the
    order of the place.
    """
    rows = ranked[ranked["in_band"].astype(bool) | ranked["arm"].notna()]
    shown = ["customer_id", "place", "in_band", "arm", "score", "value_at_stake", "drawn_at", *(["way"] if "way" in rows else [])]
    return rows.sort_values("place")[shown].reset_index(drop=True)


def why_above(ranked: pd.DataFrame, say: Words, currency: str = "", above: str = TargetWords.above) -> pd.Series:
    """Return, for a ranked row whose chance is lower than that of the ranked row below it, why it stands above; elsewhere empty.

    >>> from prevenance.words import words
    >>> rows = pd.DataFrame({"rank": [1, 2], "score": [0.2, 0.6], "value_at_stake": [84000.0, 12000.0], "expected_value": [2460.0, 1020.0]})
    >>> why_above(rows, words("en"), "EUR").tolist()
    ['The next row has the higher chance; €84k a year is at stake here, €12k there', '']
    """
    below = ranked.shift(-1)
    lower = ranked["rank"].notna() & below["rank"].notna() & (ranked["score"] < below["score"])
    told = []
    for odd, value, other in zip(lower, ranked["value_at_stake"], below["value_at_stake"], strict=True):
        if not odd or pd.isna(value):
            told.append("")
        elif pd.isna(other):
            told.append(say("The next row has the higher chance; what is at stake there is not known"))
        else:
            told.append(say(above, here=say.money(value, currency), there=say.money(other, currency)))
    return pd.Series(told, index=ranked.index, dtype="str")


def _states(rows: pd.DataFrame) -> pd.Series:
    """Return the state of each row: who stands apart for a hold-out or an escalation is open."""
    told = rows["apart"].where(rows["apart"].isin(["snoozed", "too_late", "not_enough_data", "below_floor"]), "open")
    return told.mask(rows["new"].astype(bool), "new").astype("str")


def _with_actions(rows: pd.DataFrame, stamp: Stamp, playbook: Playbook, say: Words) -> pd.DataFrame:
    """Return the rows with action, act_by, action_family, owner_role, draft, play, left_out and ticket_ids, filled where a row is to be worked."""
    names = ["action", "owner_role", "draft", "act_by", "action_family", "play", "left_out", "ticket_ids"]
    told: list[tuple[str | None, ...]] = []
    nobody: list[None] = [None] * len(rows)
    asked = (rows["rank"].notna(), rows["family"], rows.get("situation", nobody), rows.get("product", nobody))
    for todo, family, situation, product in zip(*asked, strict=True):
        if not todo:
            told.append((None,) * len(names))
            continue
        here = situation or Situation(frozenset([stamp.target]), keeping=False, reasons=((family, "", ""),) if family else ())
        found = chosen_play(here, stamp.target, playbook)
        things = {**here.things, "product": product or ""}
        by = str(local_time(stamp.cutoff, say.zone).date() + timedelta(days=found.play.days))
        left_out = ""
        if found.left_out:
            done = say.date(here.done[found.left_out.name], beside=stamp.cutoff)
            left_out = say("Not again within 60 days: {action} (done on {date})", action=say(found.left_out.action, **things), date=done)
        told.append(
            (*found.play.told(say, things), by, found.play.family or "other", found.play.name, left_out, things.get(TICKET_IDS, ""))
        )
    return rows.assign(**{name: pd.Series([one[n] for one in told], index=rows.index, dtype="str") for n, name in enumerate(names)})


def _stamped(rows: pd.DataFrame, stamp: Stamp) -> pd.DataFrame:
    until = pd.NaT if stamp.data_until is None else pd.Timestamp(stamp.data_until)
    return rows.assign(
        target=stamp.target,
        cutoff=pd.Timestamp(stamp.cutoff).as_unit("us"),
        horizon_days=stamp.horizon_days,
        model=stamp.model,
        run_id=stamp.run_id,
        data_until=pd.Series(until, index=rows.index, dtype="datetime64[us]"),
    )

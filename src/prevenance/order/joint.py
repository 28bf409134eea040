"""The week of a team: the lists of several targets as one, a customer a row, within the contacts or the hours that all of them share.

Every row to be worked here is to be worked on its own list too; the order of a list and what it claims of itself stay its own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prevenance.order.capacity import DEFAULT, Room
from prevenance.order.decision import BEYOND

TROUBLED = "in_trouble"
"""Why an offer stands apart: the customer has other worries."""
NO_HOURS = "no_hours"
ESCALATED, LEAVING, AT_RISK, URGENT = "escalated", "leaving", "at_risk", "urgent"
"""Worries of a customer, the gravest first."""


@dataclass(frozen=True)
class Part:
    """One target's list: ``rows`` as in list.json, in their order; ``keeps`` customers, or makes them ``offers``.

    ``base`` rate and ``floor`` are those that the list was decided by (None and 0 where there are none), ``contacts`` its capacity.
    """

    target: str
    rows: pd.DataFrame
    keeps: bool = False
    offers: bool = False
    base: float | None = None
    floor: float = 0.0
    contacts: int = 20


def worries(parts: Sequence[Part], escalated: Collection[str], urgent: Collection[str]) -> dict[str, str]:
    """Return customer_id -> the gravest worry: nobody makes an offer to them now.

    Leaving is who is too late to be kept; at risk who stands above the floor of a list of customers to keep, or, where it has none, on it.
    """
    found = dict.fromkeys(urgent, URGENT)
    for part in (one for one in parts if one.keeps):
        rows = part.rows
        risky = rows["score"] >= part.floor if part.floor else rows["rank"].notna()
        found |= dict.fromkeys(rows.loc[risky & (rows["state"] != "not_enough_data"), "customer_id"], AT_RISK)
    for part in (one for one in parts if one.keeps):
        found |= dict.fromkeys(part.rows.loc[part.rows["state"] == "too_late", "customer_id"], LEAVING)
    return found | dict.fromkeys(escalated, ESCALATED)


def week_rows(parts: Sequence[Part], room: Room, worried: Mapping[str, str], resting: Collection[str] = ()) -> pd.DataFrame:
    """Return the rows of the week, best first, a customer once: the columns of the lists, then apart, why and also.

    By expected value, then rows without money by how many times the base rate their chance is. rank counts from 1 within ``room``; apart is
    empty, ``in_trouble`` (an offer to somebody ``worried``, or escalated and strong enough for its list) or ``beyond_capacity``, why the
    worry or ``no_hours``. also holds, for each row, a list of the customer's other rows (dictionaries of the same columns). Whoever is
    ``resting`` was contacted lately and is absent.
    """
    rows = pd.concat([_candidates(part, room, worried) for part in parts], ignore_index=True)
    rows = rows[~rows["customer_id"].isin(list(resting))]
    hourless = ~room.possible(rows["owner"])
    rows = rows.assign(why=np.where(rows["why"] != "", rows["why"], np.where(hourless, NO_HOURS, "")))
    money, value = rows["expected_value"].astype("float64"), rows["value_at_stake"].astype("float64")
    # Written for lexsort: the last key counts first.
    keys = [
        rows["target"],
        rows["customer_id"],
        -value.fillna(0),
        -rows["times"].fillna(0),
        -money.fillna(0),
        money.isna(),
        rows["why"] != "",
    ]
    rows = rows.iloc[np.lexsort([key.to_numpy() for key in keys])].reset_index(drop=True)
    shown = [name for name in rows if name != "times"]
    first = rows.drop_duplicates("customer_id").index
    beneath: dict[str, list[dict[str, object]]] = {}
    for row in rows.loc[rows.index.difference(first), shown].to_dict("records"):
        beneath.setdefault(str(row["customer_id"]), []).append({str(key): value for key, value in row.items()})
    rows = rows.loc[first]
    free = rows["why"] == ""
    inside = room.inside(rows.loc[free, "owner"]).reindex(rows.index, fill_value=False).astype(bool)
    apart = np.select([inside, rows["why"].isin([ESCALATED, LEAVING, AT_RISK, URGENT])], ["", TROUBLED], BEYOND)
    rows = rows.assign(
        apart=apart, rank=inside.cumsum().where(inside).astype("Int64"), also=[beneath.get(one, []) for one in rows["customer_id"]]
    )
    order = np.lexsort((np.arange(len(rows)), rows["apart"].map({"": 0, TROUBLED: 1, BEYOND: 2})))
    return rows.iloc[order][[*shown, "apart", "also"]].reset_index(drop=True)


def _candidates(part: Part, room: Room, worried: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of a list to be worked, and those as strong that stand apart for a worry or because nobody has hours; with why and times."""
    rows = part.rows
    score = rows["score"].astype("float64")
    usual = part.base or score.mean()
    times = score / usual if usual else score
    theirs = pd.Series([worried.get(one, "") for one in rows["customer_id"]], index=rows.index, dtype="str")
    worry = theirs if part.offers else pd.Series("", index=rows.index, dtype="str")
    ranked = rows["rank"].notna()
    strength = rows["expected_value"].astype("float64").fillna(times)
    strong = ~ranked & rows["state"].isin(["new", "open"]) & rows["arm"].isna() & (strength >= strength[ranked].min())
    stopped = (theirs == ESCALATED) if part.offers else pd.Series(False, index=rows.index)
    stopped |= ~room.possible(rows["owner"]) & (theirs != ESCALATED)
    return rows.assign(why=worry, times=times)[ranked | (strong & stopped)]


def room_left(room: Room, owners: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return owner -> hours available, used and left, of ``owners``, who is named in the hours and who made contacts; empty where contacts count."""
    if room.unit != "hours":
        return {}
    names = sorted({*owners, *room.hours, *room.used} - {DEFAULT})
    spent = {name: room.used.get(name, 0) * room.hours_per_contact for name in names}
    given = {name: room.available(name) or 0.0 for name in names}
    return {name: {"available": given[name], "used": spent[name], "left": max(0.0, given[name] - spent[name])} for name in names}

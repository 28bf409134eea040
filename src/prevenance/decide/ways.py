"""Two ways to work a customer, one drawn for each: two actions, or at once and later; what the list says of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pandas as pd

from prevenance.order.holdout import HoldOut
from prevenance.words import Words


def with_ways(
    rows: pd.DataFrame, ranked: pd.DataFrame, choice: pd.DataFrame, held: HoldOut, cutoff: datetime, say: Words
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the decided rows with ``way``, drawn by the unit and the epoch for who is to be worked (``None`` for others), and the list that tells it."""
    units, epoch = rows.get("unit", rows["customer_id"]), held.epoch(cutoff)
    drawn = [held.way(unit, epoch) if todo else None for unit, todo in zip(units, choice["rank"].notna(), strict=True)]
    rows = rows.assign(way=pd.Series(drawn, index=rows.index, dtype=object))
    return rows, told_ways(ranked, dict(zip(rows["customer_id"], drawn, strict=True)), say)


def told_ways(ranked: pd.DataFrame, ways: Mapping[str, str | None], say: Words) -> pd.DataFrame:
    """Return a list whose actions begin with what the draw asks for; who is to wait is not to be contacted before the wait is over."""
    actions, until = [], []
    for customer, action, by, cutoff in zip(ranked["customer_id"], ranked["action"], ranked["act_by"], ranked["cutoff"], strict=True):
        way = ways.get(customer)
        if way is None:
            actions.append(action)
            until.append(by)
            continue
        if not way.isdigit():
            actions.append(f"{say('By the draw: {way}.', way=way_text(say, way))} {action}")
            until.append(by)
            continue
        wait = timedelta(days=int(way))
        told = say("By the draw: not before {date}.", date=say.date(cutoff + wait)) if wait else say("By the draw: at once.")
        actions.append(f"{told} {action}")
        until.append((date.fromisoformat(by) + wait).isoformat())
    return ranked.assign(
        action=pd.Series(actions, index=ranked.index, dtype="str"), act_by=pd.Series(until, index=ranked.index, dtype="str")
    )


def way_text(say: Words, way: str) -> str:
    """Return what a way is called: an action, or when."""
    if way.isdigit():
        return say("after {n} {n:day|days}", n=int(way)) if int(way) else say("at once")
    return {"call": say("a call"), "email": say("an e-mail"), "meeting": say("a meeting"), "training": say("a training")}[way]

"""Two ways drawn for those on the list, two actions or two times: the log of that draw and what is said of it; all else is as with a hold-out.

In the log the first way stands where a hold-out has those left alone, the second where it has those contacted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pandas as pd

from prevenance.decide.ways import way_text
from prevenance.order.holdout import HoldOut
from prevenance.proof.experiment import OTHER_KEY
from prevenance.proof.stated import Statement
from prevenance.words import Words

COLUMNS = ("customer_id", "unit", "epoch", "drawn_at", "listed_at", "held", "place", "score", "value_at_stake", "way")


def way_log(
    arms: Sequence[tuple[datetime, pd.DataFrame]], rules: HoldOut, units_at: Callable[[datetime], pd.Series]
) -> tuple[pd.DataFrame, int]:
    """Return the log of the ways and how many draws were left out because another key, or other ways, drew them.

    A customer counts from the first list of an epoch that named it, which no way had touched yet; the way is worked out again from the key.

    Args:
        arms: the cutoff of each list and its ``arms.csv``.
        rules: the draw, with its key and its ``ways``.
        units_at: gives customer_id -> unit as known at a moment.
    """
    parts = [
        one[one["way"].notna()].assign(listed_at=pd.Timestamp(at).as_unit("us"), epoch=rules.epoch(at), told=one["way"].astype("str"))
        for at, one in sorted(arms, key=lambda each: each[0])
        if "way" in one
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if rows.empty:
        return pd.DataFrame(columns=list(COLUMNS)), 0
    rows = rows.drop_duplicates(["customer_id", "epoch"]).reset_index(drop=True)
    units = {moment: units_at(moment.to_pydatetime()) for moment in rows["listed_at"].unique()}
    rows["unit"] = [str(units[at].get(one, one)) for one, at in zip(rows["customer_id"], rows["listed_at"], strict=True)]
    rows["way"] = [rules.way(unit, int(epoch)) for unit, epoch in zip(rows["unit"], rows["epoch"], strict=True)]
    foreign = rows["told"].ne(rows["way"]).groupby(rows["epoch"]).mean()
    kept = ~rows["epoch"].isin(foreign.index[foreign > OTHER_KEY])
    rows = rows.assign(held=rows["way"].eq(rules.ways[0]), drawn_at=rows["listed_at"])
    return rows.loc[kept, list(COLUMNS)].reset_index(drop=True), int((~kept).sum())


def arm_names(say: Words, one: Statement) -> tuple[str, str]:
    """Return what the arms are called."""
    if not one.compared:
        return say("Left alone"), say("Contacted")
    first, second = (way_text(say, way) for way in one.compared)
    return say("Drawn: {way}", way=first), say("Drawn: {way}", way=second)


def compared_sentences(say: Words, one: Statement) -> list[str]:
    """Return the comparison in words: which way is shown to be better at a planned look, or that none is; the next look; the meter."""
    told, by = one.verdict, one.verdict.by
    first, second = (way_text(say, way) for way in one.compared)
    named = {"title": say(one.title), "first": first, "second": second}
    if told.share_from == "measured" and by is not None:
        value, date = say.number(abs(by.difference[0]) * 100, 1), say.date(by.at)
        more = (by.difference[0] > 0) == one.plan.gain
        which = (
            say("{title}: shown on {date}. Of 100 drawn for “{second}” {value} more had the outcome than of 100 for “{first}”.", value=value, date=date, **named)
            if more
            else say("{title}: shown on {date}. Of 100 drawn for “{second}” {value} fewer had the outcome than of 100 for “{first}”.", value=value, date=date, **named)
        )  # fmt: skip
        found = [which]
    elif told.share_from == "replaced":
        found = [
            say(
                "{title}: “{second}” is surely not better than “{first}” by the assumed {share}.",
                share=say.percent(one.plan.share),
                **named,
            )
        ]
    else:
        found = [say("{title}: not shown yet whether “{second}” works better than “{first}”.", **named)]
    had, needed = int(one.meter["had_held"]), int(one.meter["needed_held"])
    found.append(
        say("Drawn for “{first}” with a known outcome: {had} customers; {needed} are needed.", first=first, had=had, needed=needed)
    )
    found += [say("Next look: {date}.", date=say.date(told.next_look))] if told.next_look else []
    return found


def compared_notes(say: Words) -> list[str]:
    """Return what is to be known before a comparison is believed."""
    return [
        say(
            "Two ways are compared among customers who are all to be contacted: that one is better says nothing of whether a contact helps at all."
        ),
        say("Who counts for a way is who was drawn for it, whatever was done in the end; what was done is told beside it."),
    ]

"""What became of those listed: the label function of training, asked again later.

``outcomes_of_list`` adds to a ranked list what came of each row; nothing of the list itself is touched.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.days import local_day
from prevenance.history.history import History
from prevenance.targets.labels import label
from prevenance.targets.target import Target
from prevenance.words import Words, words

HAPPENED, DID_NOT, NOT_YET, TOO_LATE = "happened", "did not", "not known yet", "too late"

ENGLISH = words("en")

COLUMNS = ("outcome", "outcome_at", "days_of_warning", "missed")


def outcomes_of_list(history: History, target: Target, ranked: pd.DataFrame) -> pd.DataFrame:
    """Return ``ranked`` (same rows, same order) with the columns ``COLUMNS``.

    ``outcome``: happened; did not; not known yet (the window is open and nothing has come so far); too late (it had begun before the
    cutoff, or came in ``(cutoff, cutoff + lead_days]``). ``outcome_at`` is when it came (empty where absence is the outcome),
    ``days_of_warning`` the days from the cutoff until then, ``missed`` whether it came to a customer at risk who was not among the
    capacity. While the window is open, what has come so far counts, unless the outcome is how things stand at its end.

    Args:
        history: what is known now, further than the list's cutoff.
        target: the target of the list.
        ranked: a ranked list of one cutoff, see ``ranking``.
    """
    rows = ranked[[key for key in ("customer_id", "product_id", "cutoff") if key in ranked]].astype({"cutoff": "datetime64[us]"})
    cutoffs = rows["cutoff"].unique()
    open_until = max((target.closes(pd.Timestamp(cutoff).to_pydatetime()) for cutoff in cutoffs), default=history.until)
    still_open = open_until > history.until
    # The label function leaves open windows null; with the end moved it says what has come so far.
    found = label(replace(history, until=max(open_until, history.until)), target, rows)
    # While a window is open only one of the answers is final: activity ends a silence, silence ends nothing.
    sure = 0.0 if target.absence else 1.0
    final = found["label"].eq(sure) & (not target.at_end) if still_open else found["label"].notna()
    value = found["label"].where(final)
    risked = ranked["state"].to_numpy() != "too_late"
    warning = (found["outcome_at"] - rows["cutoff"].reset_index(drop=True)) / pd.Timedelta(days=1)
    came = (value == 1).to_numpy()
    late = ~risked | (came & (warning < target.lead_days).to_numpy())
    outcome = np.select([late, came, (value == 0).to_numpy()], [TOO_LATE, HAPPENED, DID_NOT], NOT_YET)
    told = came & risked
    return ranked.reset_index(drop=True).assign(
        outcome=pd.Series(outcome, dtype="str"),
        outcome_at=found["outcome_at"].where(told),
        days_of_warning=warning.round(1).where(told),
        missed=told & ranked["rank"].isna().to_numpy(),
    )


def outcome_counts(rows: pd.DataFrame, target: Target, until: datetime) -> dict[str, Any]:
    """Return what a judged list adds up to: capacity, at_risk, outcomes, hits, expected_by_chance, missed, too_late, base_rate, ....

    ``hits`` are outcomes among those with a rank, too late ones included; ``expected_by_chance`` is what a blind list of the same length
    would have held; ``too_late`` counts outcomes inside the lead days, ``gone_before`` customers who were leaving already at the cutoff.
    """
    gone = rows["state"] == "too_late"
    risked, listed = rows[~gone], rows["rank"].notna()
    came = rows["outcome"].isin([HAPPENED, TOO_LATE]) & ~gone
    outcomes, hits = int(came.sum()), int((came & listed).sum())
    rate = outcomes / len(risked) if len(risked) else None
    place = pd.Series(np.arange(1, len(rows) + 1), index=rows.index)
    missed, days = place[rows["missed"]], rows.loc[came & listed, "days_of_warning"].median()
    cutoff = pd.Timestamp(rows["cutoff"].iloc[0]).to_pydatetime() if len(rows) else until
    return {
        "capacity": int(listed.sum()),
        "at_risk": len(risked),
        "outcomes": outcomes,
        "hits": hits,
        "expected_by_chance": None if rate is None else round(int(listed.sum()) * rate, 2),
        "base_rate": rate,
        "missed": len(missed),
        "closest_missed": int(missed.min()) if len(missed) else None,
        "too_late": int((rows["outcome"] == TOO_LATE).sum() - gone.sum()),
        "gone_before": int(gone.sum()),
        "median_warning_days": None if pd.isna(days) else float(days),
        "still_open": target.closes(cutoff) > until,
        "closes": target.closes(cutoff),
    }


def verdict(facts: Mapping[str, Any], verb: str, say: Words = ENGLISH) -> str:
    """Return in a sentence what a list would have held: ``facts`` is from ``outcome_counts``, with ``date`` (YYYY-MM-DD) and
    ``horizon_days``, ``verb`` is the target's ``past``.

    >>> facts = {"date": "2026-04-01", "horizon_days": 90, "capacity": 20, "hits": 7, "outcomes": 31, "expected_by_chance": 1.44}
    >>> facts |= {"median_warning_days": 41.2, "missed": 24, "closest_missed": 23, "still_open": False}
    >>> print(verdict(facts, "left"))
    On 2026-04-01 the list of 20 would have held 7 of the 31 who left within 90 days (blind: 1.4); median warning 41 days; 24 were missed, the closest was number 23.
    """
    # In English a date is as a command takes it.
    shown: Callable[[str], str] = str if say.language == "en" else say.date
    days = facts["median_warning_days"]
    parts = {
        "so_far": say(" so far") if facts["still_open"] else "",
        "blind": "" if facts["expected_by_chance"] is None else say(" (blind: {n})", n=say.number(facts["expected_by_chance"], 1)),
        "warned": "" if days is None else say("; median warning {n} {n:day|days}", n=round(days)),
        "missed": say("; {n} {n:was|were} missed, the closest was number {place}", n=facts["missed"], place=facts["closest_missed"])
        if facts["missed"]
        else say("; none was missed"),
    }
    held = say(
        "On {date} the list of {capacity} would have held {hits} of the {outcomes} who {verb} within {days} days{so_far}{blind}{warned}{missed}.",
        date=shown(facts["date"]),
        verb=say(verb),
        days=facts["horizon_days"],
        **{name: facts[name] for name in ("capacity", "hits", "outcomes")},
        **parts,
    )
    if not facts["still_open"]:
        return held
    closes = local_day(facts["closes"], facts.get("timezone") or "")
    return held + " " + say("The window is still open, until {date}: more may come.", date=shown(closes))

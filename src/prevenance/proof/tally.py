"""What listings add up to: hits, misses, warning days and money, by list, month, owner, segment and policy; the team against the model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from prevenance.judge.outcomes import NOT_YET, TOO_LATE
from prevenance.support.intervals import mean_interval

GROUPS = ("month", "owner", "segment", "policy")

COLUMNS = (
    *("target", "by", "name", "listed", "customers", "outcomes", "hits", "missed", "too_late", "expected_by_chance"),
    *("proved_right", "low", "high", "median_warning_days", "at_stake_hits", "at_stake_missed"),
)
"""A row of outcomes.csv. ``hits`` are the outcomes on the list, ``too_late`` those of all outcomes inside the lead days; ``proved_right`` is the share of
the listed with the outcome, with its 95 % interval by customer (none below 10 customers)."""


def outcome_tally(rows: pd.DataFrame, once: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of one target (``COLUMNS``): of each closed list, of all of them, and of each group.

    Of a list every row counts; of everything else a customer counts once a month (``listings.once_a_month``).
    """
    closed = rows[rows["outcome"].ne(NOT_YET) & ~rows["gone"]]
    found = [_figures(part, "list", str(part["day"].iloc[0])) for _, part in closed.groupby("cutoff", sort=True)]
    found += [_figures(once, "all", "")] if len(once) else []
    found += [
        _figures(part, name, str(value))
        for name in GROUPS
        for value, part in once.assign(**{name: once[name].fillna("")}).groupby(name, sort=True)
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _figures(rows: pd.DataFrame, by: str, name: str) -> dict[str, object]:
    listed, came = rows["listed"].astype(bool), rows["came"].astype(bool)
    hits, missed = rows[listed & came], rows[~listed & came]
    rate = came.mean() if len(rows) else np.nan
    return {
        "target": rows["target"].iloc[0],
        "by": by,
        "name": name,
        "listed": int(listed.sum()),
        "customers": len(rows),
        "outcomes": int(came.sum()),
        "hits": len(hits),
        "missed": len(missed),
        "too_late": int((rows["outcome"] == TOO_LATE).sum()),
        "expected_by_chance": round(float(listed.sum() * rate), 2),
        **dict(zip(("proved_right", "low", "high"), _share(rows[listed], came[listed]), strict=True)),
        "median_warning_days": float(hits["days_of_warning"].median()) if len(hits) else np.nan,
        "at_stake_hits": _money(hits),
        "at_stake_missed": _money(missed),
    }


def _money(rows: pd.DataFrame) -> float:
    return np.nan if rows["value_at_stake"].isna().all() else round(float(rows["value_at_stake"].sum()), 2)


def _share(rows: pd.DataFrame, right: pd.Series) -> tuple[float, float, float]:
    """Return the share of ``right`` among rows and its interval, by customer."""
    codes, ids = pd.factorize(rows["customer_id"])
    sums, counts = np.bincount(codes, right.astype(float), len(ids)), np.bincount(codes, minlength=len(ids))
    value, low, high = mean_interval(sums, counts, share=True)
    return value, low, high


def team_against_model(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each way in which the team went its own way: target, question, n, right (how often it was), share, low, high.

    ``wrong_alarm`` is right where nothing happened, ``too_late`` where it did; ``own_choice`` (contacted, though not on the list) where the outcome came to them,
    beside ``left_undone`` (on the list, not contacted). A contact may itself have kept the outcome away: that is for the experiment to say.
    A customer counts once a month and question.
    """
    found = []
    for question, part, right in _ways(rows[rows["outcome"].ne(NOT_YET) & ~rows["gone"]]):
        if len(part):
            first = part.assign(right=right.reindex(part.index).astype(bool)).drop_duplicates(["customer_id", "month"])
            told = dict(zip(("share", "low", "high"), _share(first, first["right"]), strict=True))
            found.append(
                {"target": part["target"].iloc[0], "question": question, "n": len(first), "right": int(first["right"].sum()), **told}
            )
    return pd.DataFrame(found, columns=["target", "question", "n", "right", "share", "low", "high"])


def _ways(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    came = rows["came"].astype(bool)
    yield "wrong_alarm", rows[rows["said"] == "wrong_alarm"], ~came
    yield "too_late", rows[rows["said"] == "too_late"], came
    held = rows["arm"].eq("holdout")
    yield "own_choice", rows[~rows["listed"] & rows["contacted"] & ~held], came
    yield "left_undone", rows[rows["listed"] & ~rows["contacted"]], came

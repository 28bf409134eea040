"""The ledger of listings: who stood on which published list, what was done about it, and what happened, as far as it is known.

A row of ``judged_rows`` is a customer (of offers: and a product) on a list of one cutoff, on it or not; the label is that of training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.base.days import local_time
from prevenance.decide.feedback import Answer
from prevenance.history.history import History
from prevenance.judge.outcomes import HAPPENED, NOT_YET, TOO_LATE, outcomes_of_list
from prevenance.order.suppression import newest_contacts
from prevenance.targets.target import Target

KEPT = ("customer_id", "product_id", "cutoff", "owner", "segment", "rank", "arm", "score", "value_at_stake", "state")

LEDGER = (
    *("target", "run_id", "cutoff", "closes", "customer_id", "product_id", "owner", "segment", "policy", "rank", "arm", "score"),
    *("value_at_stake", "said", "contacted", "outcome", "outcome_at", "days_of_warning", "proved_right"),
)
"""The columns of ledger.csv."""


@dataclass(frozen=True)
class Shipped:
    """A list as it was published: its cutoff (naive UTC), run, policy and rows (columns ``KEPT``, those that it has)."""

    cutoff: datetime
    run_id: str
    policy: str
    rows: pd.DataFrame


def judged_rows(history: History, target: Target, lists: Sequence[Shipped], answers: Iterable[Answer]) -> pd.DataFrame:
    """Return every row of the lists with what was done and what came of it, oldest list first, each in the order of its list.

    Besides ``KEPT``: target, run_id, policy, closes, month (local), listed, gone (it had begun before the cutoff), said (the newest answer to the row that is
    no contact, else empty), contacted (an answer or the table of contacts says so, in (cutoff, cutoff + horizon]), outcome, outcome_at,
    days_of_warning, came (the outcome happened, late or not), proved_right (of a listed row whose window is closed).
    """
    parts = [_marked(target, one) for one in sorted(lists, key=lambda one: one.cutoff) if len(one.rows)]
    if not parts:
        return pd.DataFrame(columns=[*dict.fromkeys([*KEPT, *LEDGER, "month", "listed", "gone", "came"])])
    rows = pd.concat(parts, ignore_index=True)
    over = rows["closes"] <= pd.Timestamp(history.until)
    # What has come so far is no verdict: a list is judged when its window is over, all of it at once.
    found = [outcomes_of_list(history, target, rows[over]), rows[~over].assign(outcome=NOT_YET)]
    rows = pd.concat([one for one in found if len(one)], ignore_index=True)
    rows = rows.reindex(columns=[*dict.fromkeys([*rows.columns, "outcome_at", "days_of_warning"])])
    rows["gone"] = rows["state"].eq("too_late")
    rows["came"] = rows["outcome"].isin([HAPPENED, TOO_LATE]) & ~rows["gone"]
    rows["proved_right"] = rows["came"].astype("boolean").mask(~rows["listed"] | rows["outcome"].eq(NOT_YET))
    rows["said"], rows["contacted"] = _said(rows, answers), _contacted(history, target, rows)
    named = [(one.run_id, one.customer_id, one.product_id) for one in answers if one.action == "contacted"]
    rows["contacted"] |= pd.Series(_row_keys(rows), index=rows.index).isin(named)
    return rows.sort_values("cutoff", kind="stable", ignore_index=True)


def _marked(target: Target, one: Shipped) -> pd.DataFrame:
    rows = one.rows.reindex(columns=[name for name in KEPT if name in one.rows or name not in ("product_id", "cutoff")])
    closes = pd.Timestamp(target.closes(one.cutoff)).as_unit("us")
    cutoff = pd.Timestamp(one.cutoff).as_unit("us")
    rows = rows.assign(target=target.name, run_id=one.run_id, policy=one.policy, cutoff=cutoff, closes=closes, listed=rows["rank"].notna())
    return rows.reset_index(drop=True).astype({"rank": "Int64", "score": float, "value_at_stake": float})


def with_months(rows: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Return rows with ``day`` and ``month``: those of their cutoff in a time zone."""
    told = {one: f"{local_time(one.to_pydatetime(), zone):%Y-%m-%d}" for one in rows["cutoff"].unique()} if len(rows) else {}
    days = rows["cutoff"].map(told).astype("str")
    return rows.assign(day=days, month=days.str[:7])


def _row_keys(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    products = rows["product_id"].fillna("") if "product_id" in rows else [""] * len(rows)
    return list(zip(rows["run_id"], rows["customer_id"], products, strict=True))


def _said(rows: pd.DataFrame, answers: Iterable[Answer]) -> pd.Series:
    """Return the newest answer to each row that is no contact."""
    told = sorted((one for one in answers if one.action != "contacted"), key=lambda one: (one.at, one.key))
    newest: Mapping[tuple[str, str, str], str] = {(one.run_id, one.customer_id, one.product_id): one.action for one in told}
    return pd.Series([newest.get(key, "") for key in _row_keys(rows)], index=rows.index, dtype="str")


def _contacted(history: History, target: Target, rows: pd.DataFrame) -> pd.Series:
    """Return whom the table of contacts names in (cutoff, cutoff + horizon], as far as it is known."""
    found = pd.Series(False, index=rows.index)
    for cutoff, part in rows.groupby("cutoff", sort=True):
        moment = min(cutoff.to_pydatetime() + timedelta(days=target.horizon_days), history.until)
        days = (moment - cutoff.to_pydatetime()) / timedelta(days=1)
        found.loc[part.index] = part["customer_id"].isin(newest_contacts(history, [moment], days)[moment].index)
    return found


def ledger_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the ledger: every row that was listed or held out, with the columns ``LEDGER``."""
    kept = rows[rows["listed"] | rows["arm"].eq("holdout")]
    found = kept.reindex(columns=list(LEDGER)).reset_index(drop=True)
    return found.drop(columns=["product_id"]) if found["product_id"].isna().all() else found


def once_a_month(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a customer (and product) and month of the closed lists: its first listed one, else its first.

    A list is made every night, and somebody who stands on thirty of them is one customer who was named, not thirty.
    """
    keys = [name for name in ("customer_id", "product_id") if name in rows]
    closed = rows[rows["outcome"].ne(NOT_YET) & ~rows["gone"]]
    ordered = closed.assign(_after=~closed["listed"]).sort_values(["month", "_after", "cutoff"], kind="stable")
    return ordered.drop_duplicates([*keys, "month"]).drop(columns="_after").reset_index(drop=True)


def known_share(rows: pd.DataFrame, target: Target, cutoff: datetime, until: datetime) -> float:
    """Return which share of a list's outcomes can be known at ``until``: that of the closed lists' outcomes which had come so many days after theirs.

    NaN where no closed list had an outcome; an outcome that is how things stand at the end is known then alone.
    """
    if until >= target.closes(cutoff):
        return 1.0
    days = rows.loc[rows["came"], "days_of_warning"].dropna()
    if target.absence or target.at_end:
        return 0.0
    elapsed = (until - cutoff) / timedelta(days=1) - target.settle_days
    return float(np.mean(days <= elapsed)) if len(days) else float("nan")

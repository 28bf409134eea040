"""A target is a cohort, an outcome and a horizon; label, evaluation and outcome are one function at three moments.

A snapshot at ``cutoff`` is labelled by what happened in ``(cutoff, cutoff + horizon]`` and was known by
``cutoff + horizon + settle``. Before that moment the label is null, never 0; after it the label never changes.
"""

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.history.history import History, rows_sql, upcoming_sql, visible_each_sql, visible_sql
from prevenance.history.once import asked_once
from prevenance.history.together import cutoffs_at_once, own_cutoff_sql, own_rows_sql, own_upcoming_sql, true_id_sql
from prevenance.targets.target import Target


def check_tables(target: Target, tables: frozenset[str]) -> None:
    """Raise E401 when the history lacks a table that the target stands on."""
    if missing := sorted(set(target.tables) - tables):
        what = f"target {target.name} needs the table {missing[0]}, which the source does not give"
        raise PrevenanceError("E401", what, table=missing[0], fix=f"add {missing[0]}.sql to the source, or choose another target=")


def cohort(history: History, target: Target, cutoffs: Iterable[datetime]) -> pd.DataFrame:
    """Return the snapshots: customer_id, cutoff[, product_id], state, value_at_stake; sorted by cutoff, customer_id[, product_id].

    A customer whose first row in ``customers`` is not visible yet is in no cohort, whatever other tables say.
    """
    check_tables(target, history.tables)
    parts, ordered = [], sorted(set(cutoffs))
    for some in cutoffs_at_once(history, map(rows_sql, target.tables), ordered, alone=target.alone and not target.pairs):
        if len(some) > 1:
            parts.append(_cohorts(history, target, some))
            continue
        keys, views = ", ".join(target.keys), ", ".join(_views(target, some[0]))
        known = (
            f" where customer_id in (select customer_id from {visible_sql('customers', some[0])})" if "customers" in history.tables else ""
        )
        parts.append(
            history.con.execute(
                f"with {views}, result as ({target.cohort}) select {keys}, state, value_at_stake from result{known} order by {keys}"
            ).df()
        )
        parts[-1].insert(1, "cutoff", np.full(len(parts[-1]), some[0], dtype="datetime64[us]"))
    columns = ["customer_id", "cutoff", *target.keys[1:], "state", "value_at_stake"]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in columns})
    return frame.astype(dict.fromkeys(target.keys, "str") | {"cutoff": "datetime64[us]", "state": "str", "value_at_stake": float})


@asked_once
def cohort_at(history: History, target: Target, moment: datetime) -> pd.DataFrame:
    """Return the ``cohort`` of one moment that several ask about, who leave it as it is."""
    return cohort(history, target, [moment])


def drawn_cohort(history: History, target: Target, cutoffs: Iterable[datetime], most: int | None = None) -> tuple[pd.DataFrame, int, int]:
    """Return ``cohort`` for a sample of the customers, about ``most`` snapshots of it, and how many snapshots and customers there are in all.

    A customer is drawn by the hash of its id, with its whole history. No more than the sample and one part of the cutoffs is held at a time.
    """
    ordered = sorted(set(cutoffs))
    if not most or not ordered:
        found = cohort(history, target, ordered)
        return found, len(found), found["customer_id"].nunique()
    check_tables(target, history.tables)
    largest = max((history.con.execute(f"select count(*) from canonical.{one}").fetchall()[0][0] for one in target.tables), default=0)
    size = 1 if target.pairs else max(1, most // max(1, largest))
    kept, every, customers, share = cohort(history, target, []), 0, pd.Index([], dtype="str"), 1.0
    for first in range(0, len(ordered), size):
        part = cohort(history, target, ordered[first : first + size])
        every, customers = every + len(part), customers.union(pd.Index(part["customer_id"].unique()))
        # the share only shrinks: who is left out now would be left out at last
        share = min(1.0, most / every) if every else 1.0
        kept = pd.concat([_drawn(kept, share), _drawn(part, share)], ignore_index=True)
    return kept, every, len(customers)


def _drawn(snapshots: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the snapshots of the customers whose hash is below ``share``."""
    if share >= 1.0:
        return snapshots
    return snapshots[pd.util.hash_array(snapshots["customer_id"].to_numpy(dtype=object)) / 2**64 < share]


def _cohorts(history: History, target: Target, cutoffs: list[datetime]) -> pd.DataFrame:
    """Return the snapshots of several cutoffs by one statement, for a target that treats customers alone."""
    views = [f"{table} as (select * from {own_rows_sql(table, cutoffs)})" for table in target.tables]
    at, id_ = own_cutoff_sql("customer_id", cutoffs), true_id_sql("customer_id")
    views.append(f"result as (select * replace ({id_} as customer_id), {at} as cutoff from ({target.cohort}))")
    known = f"select customer_id, cutoff from {visible_each_sql('customers', cutoffs)}" if "customers" in history.tables else ""
    only = f" where (customer_id, cutoff) in ({known})" if known else ""
    return history.con.execute(
        f"with {', '.join(views)} select customer_id, cutoff, state, value_at_stake from result{only} order by cutoff, customer_id"
    ).df()


def label(history: History, target: Target, snapshots: pd.DataFrame) -> pd.DataFrame:
    """Return ``snapshots`` with ``label`` (1.0, 0.0, or NaN while the window is open) and ``outcome_at`` (NaT where none).

    A window that opens before one of the target's tables begins (see ``History.begins``) is as little known as an open one.
    """
    result = snapshots.reset_index(drop=True).assign(
        label=np.nan, outcome_at=np.full(len(snapshots), np.datetime64("NaT"), dtype="datetime64[us]")
    )
    rows = {pd.Timestamp(cutoff).to_pydatetime(): index for cutoff, index in result.groupby("cutoff", sort=True).indices.items()}
    closed = [
        moment
        for moment in rows
        if target.closes(moment) <= history.until and all(moment >= history.begins.get(one, moment) for one in target.tables)
    ]
    for some in cutoffs_at_once(history, map(rows_sql, target.tables), closed, alone=target.alone and not target.pairs):
        index = np.concatenate([rows[moment] for moment in some])
        keys = ["cutoff", *target.keys]
        came = result[keys].iloc[index].merge(_outcomes(history, target, some), on=keys, how="left", validate="one_to_one")["outcome_at"]
        result.loc[index, "label"] = (came.isna() if target.absence else came.notna()).astype(float).to_numpy()
        if not target.absence:
            result.loc[index, "outcome_at"] = came.to_numpy().astype("datetime64[us]")
    return result


def _outcomes(history: History, target: Target, cutoffs: list[datetime]) -> pd.DataFrame:
    """Return cutoff, the target's keys and outcome_at of those whose row of the outcome came; several cutoffs at once for customers alone."""
    keys, at, id_ = ", ".join(target.keys), f"timestamp '{cutoffs[0]}'", "customer_id"
    views = [*_views(target, cutoffs[0]), *_next_views(target, cutoffs[0])]
    if len(cutoffs) > 1:
        at, id_ = own_cutoff_sql("customer_id", cutoffs), true_id_sql("customer_id")
        views = [f"{table} as (select * from {own_rows_sql(table, cutoffs)})" for table in target.tables]
        views += [
            f"next_{table} as (select * from {own_upcoming_sql(table, cutoffs, target.horizon_days, target.settle_days)})"
            for table in target.tables
        ]
    views.append(f"result as (select * replace ({id_} as customer_id), {at} as cutoff from ({target.outcome}))")
    return (
        history.con.execute(f"with {', '.join(views)} select cutoff, {keys}, min(outcome_at) as outcome_at from result group by all")
        .df()
        .astype({"cutoff": "datetime64[us]"})
    )


def _views(target: Target, cutoff: datetime) -> list[str]:
    return [f"{table} as (select * from {visible_sql(table, cutoff)})" for table in target.tables]


def _next_views(target: Target, cutoff: datetime) -> list[str]:
    return [
        f"next_{table} as (select * from {upcoming_sql(table, cutoff, target.horizon_days, target.settle_days)})" for table in target.tables
    ]

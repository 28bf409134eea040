"""States: SQL of one customer as it stands, run once per cutoff (or for several at once) over the rows visible then."""

from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.base.working import TeamHours
from prevenance.features.define import State
from prevenance.history.few import own_rows
from prevenance.history.history import History, rows_sql, visible_sql
from prevenance.history.roster import customer_count
from prevenance.history.together import cutoffs_at_once, own_id_sql, own_rows_sql
from prevenance.sources.files import is_out_of_room
from prevenance.tables.canonical import TABLES


def ask_rows(history: History, rows: dict[datetime, np.ndarray], keys: pd.DataFrame) -> None:
    """Write the snapshots as ``asked_rows``: their keys, with their place and the number of their cutoff."""
    number = np.zeros(len(keys), dtype="int64")
    for at, index in enumerate(rows.values()):
        number[index] = at
    history.con.register("frame", keys.assign(cutoff=keys["cutoff"].astype("datetime64[us]"), place=np.arange(len(keys)), number=number))
    history.con.execute("create or replace temp table asked_rows as from frame")
    history.con.unregister("frame")


def state_columns(
    history: History, state: State, rows: dict[datetime, np.ndarray], keys: pd.DataFrame, customers: pd.Index
) -> dict[str, np.ndarray | pd.Series]:
    """Run a state's SQL once per cutoff, over visible rows of the snapshots' customers (of all customers, for pairs); see ``State.alone``."""
    filled: dict[str, pd.Series] = {
        name: pd.Series(None, index=keys.index, dtype="str") if name in state.categories else pd.Series(np.nan, index=keys.index)
        for name in state.columns
    }
    # Before a table begins there is no telling nothing from not recorded.
    begun = [history.begins[one] for one in state.tables if one in history.begins]
    told = {
        cutoff: number
        for number, cutoff in enumerate(rows)
        if state.days is None or not any(cutoff - timedelta(days=state.days) < one for one in begun)
    }
    # of nearly everybody: where customers are treated alone, to leave out the others costs more than to work them out
    most = state.alone and 2 * len(keys) > customer_count(history) * len(rows)
    if state.hours is not None and told:
        _open_hours(history, state, max(told))
    facts = {table: rows_sql(table) if state.pair else own_rows(history, table, customers) for table in state.tables}
    for cutoffs in cutoffs_at_once(history, facts.values(), list(told), alone=state.alone):
        asked = _asked_sql(state, facts, cutoffs, [told[one] for one in cutoffs], most=most)
        try:
            found = history.con.execute(asked).df()
        except duckdb.Error as problem:
            # A full disk is no mistake of the definition.
            if is_out_of_room(problem):
                raise
            fix = "correct its sql; it sees " + ", ".join(state.tables)
            raise PrevenanceError("E210", f"state {state.name} does not run: {str(problem).splitlines()[0][:200]}", fix=fix) from problem
        for name, column in filled.items():
            values = found[name].astype("str" if name in state.categories else float)
            column.iloc[found["place"].to_numpy()] = values.to_numpy() if name not in state.categories else values
    for name, first in needed_since(history, state).items():
        for cutoff in (one for one in rows if first is None or one < first):
            filled[name].iloc[rows[cutoff]] = np.nan
    return dict(filled)


def needed_since(history: History, state: State) -> dict[str, datetime | None]:
    """Return column -> from when on it is known, of the columns for which some customer must have had a row (``State.needs``)."""
    asked = "select min(greatest(event_at, known_at)) from canonical.{} where {}"
    return {name: history.con.execute(asked.format(state.tables[0], row)).fetchall()[0][0] for name, row in state.needs.items()}


def _open_hours(history: History, state: State, last: datetime) -> None:
    """Write the working hours that a state counts by as ``open_hours`` and ``team_hours``, up to the ``last`` cutoff."""
    hours = state.hours or TeamHours()
    query = " union all ".join(f"select min(event_at) as first from canonical.{name}" for name in state.tables)
    first = history.con.execute(f"select min(first) from ({query})").fetchall()[0][0] or last
    # the last instant of all is still within the hours that are written down
    frames = {"open_hours": hours.open_hours(min(first, last), last + timedelta(days=1)), "team_hours": hours.team_calendars()}
    for name, frame in frames.items():
        history.con.register("frame", frame)
        history.con.execute(f"create or replace temp table {name} as from frame")
        history.con.unregister("frame")


def _asked_sql(state: State, facts: dict[str, str], cutoffs: list[datetime], numbers: list[int], *, most: bool) -> str:
    """Return a state's SQL over the snapshots of the numbered cutoffs: place and its columns; of several, ids are those of ``together``.

    ``facts`` is SQL for the rows of each table; with ``most`` nobody's are left out of them.
    """
    row, several = "customer_id, product_id" if state.pair else "customer_id", len(cutoffs) > 1
    these = f"from asked_rows where number in ({', '.join(map(str, numbers))})"
    shown = f"{own_id_sql('customer_id', cutoffs)} as customer_id" if several else row
    views = [f"asked as (select {shown}, place, cutoff {these})"]
    for table, own in facts.items():
        found = own_rows_sql(table, cutoffs, own) if several else visible_sql(table, cutoffs[0], state.days, rows=own)
        only = "customer_id in (select customer_id from asked)" if TABLES[table].per_customer and not state.pair and not most else "true"
        window = f" and age_days < {state.days}" if several and state.days is not None else ""
        views.append(f"{table} as (select * from {found} where {only}{window})")
    views.append(f"snapshots as (select distinct {row}, cutoff from asked)")
    columns = ", ".join(f"result.{name}" for name in state.columns)
    return f"with {', '.join(views)}, result as ({state.sql}) select place, {columns} from asked join result using ({row}) order by place"

"""Features of snapshots: one row in, one row out, nothing that was not known at the cutoff.

Training and scoring call the same ``build``; one cutoff or many give the same bytes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import duckdb
import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.base.working import TeamHours
from prevenance.features.define import Definition, Feature, Ratio, State, Trend, columns_of, parts_of
from prevenance.features.planned import Plan
from prevenance.features.windows import Window, windowed
from prevenance.history.history import History, visible_sql
from prevenance.history.roster import customer_count
from prevenance.history.together import cutoffs_at_once, own_id_sql, own_rows_sql
from prevenance.sources.files import is_out_of_room
from prevenance.tables.canonical import TABLES


def usable_definitions(definitions: Sequence[Definition], tables: frozenset[str], pairs: bool = False) -> tuple[Definition, ...]:
    """Return the definitions whose tables are there; a missing table means its features are absent, never zero.

    Features of a customer and a product are usable only for ``pairs``.
    """

    def fits(one: Definition) -> bool:
        if isinstance(one, Feature):
            return one.table in tables
        return isinstance(one, State) and tables.issuperset(one.tables) and (pairs or not one.pair)

    kept = {one.name: one for one in definitions if fits(one)}
    there = set(feature_columns(tuple(kept.values())))
    for one in definitions:
        if parts_of(one) and there.issuperset(parts_of(one)):
            kept[one.name] = one
            there |= set(columns_of(one))
    return tuple(kept.values())


def feature_columns(definitions: Sequence[Definition]) -> list[str]:
    """Return the columns that ``build`` gives for ``definitions``, in order."""
    return [column for one in definitions for column in columns_of(one)]


def definitions_giving(definitions: Sequence[Definition], asked: Sequence[str]) -> tuple[Definition, ...]:
    """Return the definitions that the columns ``asked`` of ``build`` rest on, in their order; what they give is the same without the others."""
    wanted, before = set(asked), -1
    while before != len(wanted):
        before = len(wanted)
        for one in definitions:
            if wanted.intersection(columns_of(one)):
                wanted |= set(parts_of(one))
    return tuple(one for one in definitions if wanted.intersection(columns_of(one)))


def build(
    history: History, snapshots: pd.DataFrame, definitions: Sequence[Definition], step: Callable[[str], None] = lambda text: None
) -> pd.DataFrame:
    """Return ``snapshots`` (customer_id, cutoff; n rows) with one float64 column per definition, text for categories.

    Windows are ``(cutoff - days, cutoff]``. An empty ``snapshots`` gives no rows and all columns. Snapshots with a product_id (pairs)
    get the features of the pair as well.

    Raises:
        PrevenanceError: E210 for a definition that names what does not exist.
    """
    pairs = "product_id" in snapshots
    definitions = usable_definitions(definitions, history.tables, pairs)
    keys = snapshots[["customer_id", "cutoff", *(["product_id"] if pairs else [])]].reset_index(drop=True)
    cutoffs = [one.to_pydatetime() for one in keys["cutoff"].unique()]
    for plan in history.plans if len(keys) else ():
        if (columns := plan.columns(definitions, cutoffs)) and (
            found := _planned(history, plan, keys, definitions, columns, step)
        ) is not None:
            return found
    if len(cutoffs) > 1 and all(any(plan.columns(definitions, [one]) for plan in history.plans) for one in cutoffs):
        parts = [build(history, part, definitions, step).set_axis(part.index) for _, part in keys.groupby("cutoff")]
        return pd.concat(parts).sort_index()
    return _built(history, keys, definitions, step)


def _planned(
    history: History, plan: Plan, keys: pd.DataFrame, definitions: Sequence[Definition], columns: list[str], step: Callable[[str], None]
) -> pd.DataFrame | None:
    """Return what ``build`` gives, its ``columns`` looked up in a plan; None where the plan does not hold every snapshot."""
    places = plan.places(keys, lambda asked: _built(history, asked, usable_definitions(plan.definitions, history.tables), step))
    if places is None or plan.held is None:
        return None
    every = feature_columns(definitions)
    own = definitions_giving(definitions, [name for name in every if name not in set(columns)])
    rest = _built(history, keys, own, step) if own else keys
    known = plan.rows(places, columns).set_axis(keys.index)
    held = {name: known[name] if name in columns else rest[name] for name in every}
    return pd.concat([keys, pd.DataFrame(held, index=keys.index, copy=False)], axis=1)


def _built(history: History, keys: pd.DataFrame, definitions: Sequence[Definition], step: Callable[[str], None]) -> pd.DataFrame:
    """Return ``keys`` with the columns of usable ``definitions``, read from the tables."""
    codes, customers = pd.factorize(keys["customer_id"], sort=True)
    history.con.register("frame", pd.DataFrame({"customer_id": pd.Series(customers, dtype="str"), "code": np.arange(len(customers))}))
    history.con.execute("create or replace temp table codes as select customer_id, code::integer as code from frame")
    history.con.unregister("frame")
    groups = keys.groupby("cutoff", sort=True).indices if len(keys) else {}
    rows = {cutoff.to_pydatetime(): np.asarray(index) for cutoff, index in groups.items()}
    windows = _windows(definitions)
    filled: dict[str, np.ndarray | pd.Series] = {} if rows else {window.column: np.zeros(0) for window in windows}
    for table, group in groupby(sorted(windows, key=lambda window: window.feature.table), key=lambda window: window.feature.table):
        step(f"features of {table}")
        if rows:
            found = windowed(history, table, list(group), rows, codes, len(customers))
            filled |= _known(history, table, found, rows, windows)
    _ask(history, rows, keys)
    for one in definitions:
        if isinstance(one, State):
            step(f"state {one.name}")
            filled |= _state(history, one, rows, keys)
    _derive(filled, definitions)
    ordered = {name: filled.get(name, np.full(len(keys), np.nan)) for name in feature_columns(definitions)}
    # copy=False: the columns stay where they were filled, fresh memory is dear
    return pd.concat([keys, pd.DataFrame(ordered, index=keys.index, copy=False)], axis=1)


def _windows(definitions: Sequence[Definition]) -> list[Window]:
    features = {one.name: one for one in definitions if isinstance(one, Feature)}
    windows = [Window(name, feature) for name, feature in features.items()]
    for one in definitions:
        if isinstance(one, Trend):
            if one.of not in features or features[one.of].days is None:
                fix = did_you_mean(one.of, features)
                raise PrevenanceError("E210", f'{one.name} is the trend of "{one.of}", no feature with days', fix=fix)
            windows.append(Window(f"{one.name}_before", features[one.of], before=True))
    return windows


def _known(
    history: History, table: str, filled: dict[str, np.ndarray], rows: dict[datetime, np.ndarray], windows: Sequence[Window]
) -> dict[str, np.ndarray]:
    """Return the columns, null at every cutoff at which no row of the table is visible: it says nothing of anybody, which is not zero.

    A window that opens before the table begins (see ``History.begins``) is null as well.
    """
    lengths = {one.column: one.feature.days * (2 if one.before else 1) for one in windows if one.feature.days is not None}
    for cutoff, index in rows.items():
        for name in filled if table in history.begins else ():
            if name in lengths and cutoff - timedelta(days=lengths[name]) < history.begins[table]:
                filled[name][index] = np.nan
        # A table of which nothing was known yet is not a table full of noughts.
        if not history.con.execute(f"select exists(from {visible_sql(table, cutoff)})").fetchall()[0][0]:
            for column in filled.values():
                column[index] = np.nan
    return filled


def _ask(history: History, rows: dict[datetime, np.ndarray], keys: pd.DataFrame) -> None:
    """Write the snapshots as ``asked_rows``: their keys, with their place and the number of their cutoff."""
    number = np.zeros(len(keys), dtype="int64")
    for at, index in enumerate(rows.values()):
        number[index] = at
    history.con.register("frame", keys.assign(cutoff=keys["cutoff"].astype("datetime64[us]"), place=np.arange(len(keys)), number=number))
    history.con.execute("create or replace temp table asked_rows as from frame")
    history.con.unregister("frame")


def _state(history: History, state: State, rows: dict[datetime, np.ndarray], keys: pd.DataFrame) -> dict[str, np.ndarray | pd.Series]:
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
    for cutoffs in cutoffs_at_once(history, state.tables, list(told), alone=state.alone):
        asked = _asked_sql(state, cutoffs, [told[one] for one in cutoffs], most=most)
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


def _asked_sql(state: State, cutoffs: list[datetime], numbers: list[int], *, most: bool = False) -> str:
    """Return a state's SQL over the snapshots of the numbered cutoffs (with ``most`` over all): place and its columns; of several, ids are those of ``together``."""
    row, several = "customer_id, product_id" if state.pair else "customer_id", len(cutoffs) > 1
    these = f"from asked_rows where number in ({', '.join(map(str, numbers))})"
    shown = f"{own_id_sql('customer_id')} as customer_id" if several else row
    views = [f"asked as (select {shown}, place, cutoff {these})"]
    for table in state.tables:
        found = own_rows_sql(table, cutoffs) if several else visible_sql(table, cutoffs[0], state.days)
        only = "customer_id in (select customer_id from asked)" if TABLES[table].per_customer and not state.pair and not most else "true"
        window = f" and age_days < {state.days}" if several and state.days is not None else ""
        views.append(f"{table} as (select * from {found} where {only}{window})")
    views.append(f"snapshots as (select distinct {row}, cutoff from asked)")
    columns = ", ".join(f"result.{name}" for name in state.columns)
    return f"with {', '.join(views)}, result as ({state.sql}) select place, {columns} from asked join result using ({row}) order by place"


def _derive(filled: dict[str, np.ndarray | pd.Series], definitions: Sequence[Definition]) -> None:
    """Add trends and ratios of finished columns, in the order of their definition."""
    # In their order: a ratio may divide by a trend that was defined before it.
    for one in definitions:
        if isinstance(one, Trend):
            now, before = np.asarray(filled[one.of], dtype=float), np.asarray(filled[f"{one.name}_before"], dtype=float)
            filled[one.name] = np.divide(now - before, now + before, out=np.full(len(now), np.nan), where=(now + before) != 0)
        elif isinstance(one, Ratio):
            top, bottom = np.asarray(filled[one.top], dtype=float), np.asarray(filled[one.bottom], dtype=float)
            filled[one.name] = np.divide(top, bottom, out=np.full(len(top), np.nan), where=np.nan_to_num(bottom) != 0)

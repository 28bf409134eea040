"""Features of snapshots: one row in, one row out, nothing that was not known at the cutoff.

Training and scoring call the same ``build``; one cutoff or many give the same bytes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.features.define import Definition, Feature, Ratio, State, Trend, columns_of, parts_of
from prevenance.features.planned import Plan
from prevenance.features.states import ask_rows, state_columns
from prevenance.features.windows import Window, windowed
from prevenance.history.few import own_rows
from prevenance.history.history import History
from prevenance.history.roster import first_visible


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
    # moment by moment only where each is looked up: the tables are read once for all of them
    counts = keys["cutoff"].value_counts().to_dict() if len(cutoffs) > 1 and history.plans else {}
    if counts and all(any(plan.columns(definitions, [one]) and plan.serves(counts[one]) for plan in history.plans) for one in cutoffs):
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
            found = windowed(history, table, own_rows(history, table, customers), list(group), rows, codes, len(customers))
            filled |= _known(history, table, found, rows, windows)
    ask_rows(history, rows, keys)
    for one in definitions:
        if isinstance(one, State):
            step(f"state {one.name}")
            filled |= state_columns(history, one, rows, keys, customers)
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
        if (first := first_visible(history, table)) is None or cutoff < first:
            for column in filled.values():
                column[index] = np.nan
    return filled


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

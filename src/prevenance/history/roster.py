"""Who the customers are at a cutoff, how offers are called, and of whom too little is known."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.history.history import History, visible_each_sql, visible_sql
from prevenance.history.once import asked_once
from prevenance.tables.canonical import ACTIVITY
from prevenance.tables.contracts import HIGHER_PLAN, MORE_SEATS
from prevenance.words import Words


@asked_once
def customer_attributes(history: History, cutoff: datetime) -> pd.DataFrame:
    """Return customer_id, name, owner, segment as they stand at ``cutoff``."""
    columns = ", ".join(
        # the value itself breaks the last tie: the same row order or not, the same name
        f"arg_max({name}, (event_at, known_at, {name})) filter (where {name} is not null) as {name}"
        for name in ("name", "owner", "segment")
    )
    found = history.con.execute(f"select customer_id, {columns} from {visible_sql('customers', cutoff)} group by 1 order by 1").df()
    return found.astype("str")


@asked_once
def customer_count(history: History) -> int:
    """Return how many customers there are; 0 without a table of them."""
    if "customers" not in history.tables:
        return 0
    return int(history.con.execute("select count(distinct customer_id) from canonical.customers").fetchall()[0][0])


@asked_once
def first_visible(history: History, table: str) -> datetime | None:
    """Return from when on any row of ``table`` is visible; None if none ever is."""
    first = f"select min(greatest(event_at, known_at)) from canonical.{table} where event_at is not null and known_at is not null"
    found: datetime | None = history.con.execute(first).fetchall()[0][0]
    return found


def product_names(history: History, cutoff: datetime, product_ids: pd.Series, say: Words) -> pd.Series:
    """Return each offer in words: the product's name at ``cutoff``, else what the reader calls it, else its id."""
    known: dict[str, str] = {}
    if "products" in history.tables:
        newest = f"select product_id, arg_max(name, (event_at, known_at, name)) as name from {visible_sql('products', cutoff)} group by 1"
        known = {number: name for number, name in history.con.execute(newest).fetchall() if name}
    called = {MORE_SEATS: say("More seats"), HIGHER_PLAN: say("Higher plan")} | known
    return product_ids.map(lambda one: called.get(one, one)).astype("str")


@asked_once
def unjudged_customers(history: History, cutoffs: Sequence[datetime], min_known_days: int) -> pd.DataFrame:
    """Return cutoff, customer_id of those who cannot be judged, ``not_enough_data``: without any activity in the 365 days up to the cutoff, or
    known for less than ``min_known_days`` (their first fact of any activity or contract is younger). Nobody is learned from or listed then.
    """
    # a contract alone makes a customer known, and says nothing of whether they are there
    tables, ordered = [name for name in (*ACTIVITY, "subscriptions") if name in history.tables], sorted(set(cutoffs))
    active = [name for name in ACTIVITY if name in history.tables] or tables
    if not tables or not ordered:
        return pd.DataFrame({"cutoff": pd.Series(dtype="datetime64[us]"), "customer_id": pd.Series(dtype="str")})
    least = "365" if any(name in ACTIVITY for name in active) else "1e9"
    *others, largest = sorted(tables, key=lambda name: history.con.execute(f"select count(*) from canonical.{name}").fetchall()[0][0])

    def facts(name: str, where: str = "true") -> str:
        # at each cutoff what is known of a customer is its oldest and its newest fact
        newest = "min(age_days)" if name in active else "null"
        return f"select cutoff, customer_id, max(age_days) as first, {newest} as newest from {visible_each_sql(name, ordered, where)} group by all"

    # of the largest table only who is not judged by the others is asked for: as a rule hardly anybody
    judged = f"select customer_id from others group by cutoff, customer_id having max(first) >= {min_known_days} and min(newest) < {least}"
    clear = f"customer_id not in (select customer_id from ({judged}) group by 1 having count(*) = {len(ordered)})"
    found = history.con.execute(
        f"with others as materialized ({' union all '.join(map(facts, others)) or facts(largest, 'false')}) select cutoff, customer_id from "
        f"(from others union all {facts(largest, clear)}) group by all "
        f"having max(first) < {min_known_days} or coalesce(min(newest), 1e9) >= {least} order by all"
    ).df()
    return found.astype({"cutoff": "datetime64[us]", "customer_id": "str"})


def is_unjudged(history: History, snapshots: pd.DataFrame, min_known_days: int) -> pd.Series:
    """Return which snapshots (cutoff, customer_id) are of customers that cannot be judged, bool with their index; see ``unjudged_customers``."""
    found = unjudged_customers(history, [pd.Timestamp(one).to_pydatetime() for one in snapshots["cutoff"].unique()], min_known_days)
    asked = pd.MultiIndex.from_frame(snapshots[["cutoff", "customer_id"]])
    return pd.Series(asked.isin(pd.MultiIndex.from_frame(found)), index=snapshots.index)


def draw_units(history: History, cutoff: datetime, unit: str) -> pd.Series:
    """Return customer_id -> what it is drawn with as known at ``cutoff`` (``unit`` is parent or owner); who has none is drawn alone and is absent."""
    if unit == "parent":
        return parent_groups(history, cutoff)
    if unit == "owner":
        found = customer_attributes(history, cutoff).set_index("customer_id")["owner"]
        return found[found.notna()].astype(object)
    return pd.Series(dtype=object)


def drawn_as(history: History, cutoff: datetime, unit: str, ids: pd.Series) -> pd.Series:
    """Return what each of ``ids`` is drawn as at ``cutoff``, see ``draw_units``: who has no parent or owner as oneself."""
    found = ids.map(draw_units(history, cutoff, unit)).astype(object)
    return found.where(found.notna(), ids)


def parent_groups(history: History, cutoff: datetime) -> pd.Series:
    """Return customer_id -> group: the smallest id of all accounts that are linked by ``parent_id``, as far as it is known at ``cutoff``.

    A parent needs no row of its own; parents of parents count, and so does a chain that ends in itself.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    found = history.con.execute(
        f"select distinct customer_id, parent_id from {visible_sql('customers', cutoff)} where parent_id is not null"
    ).df()
    codes, ids = pd.factorize(pd.concat([found["customer_id"], found["parent_id"]], ignore_index=True), sort=True)
    child, parent = np.split(codes, 2)
    _, group = connected_components(coo_array((np.ones(len(child)), (child, parent)), shape=(len(ids), len(ids))), directed=False)
    first = pd.Series(ids.astype(object)).groupby(group).min()
    return pd.Series(first.reindex(group).to_numpy(), index=ids.astype(object), dtype=object)

"""Who the customers are at a cutoff, how offers are called, and of whom too little is known."""

from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.history.history import History, visible_sql
from prevenance.tables.canonical import ACTIVITY
from prevenance.tables.contracts import HIGHER_PLAN, MORE_SEATS
from prevenance.words import Words

YOUNG_DAYS = 28
"""A customer known for less than this, or without any activity for a year, cannot be judged: ``not_enough_data``."""


def customer_attributes(history: History, cutoff: datetime) -> pd.DataFrame:
    """Return customer_id, name, owner, segment as they stand at ``cutoff``."""
    columns = ", ".join(
        # the value itself breaks the last tie: the same row order or not, the same name
        f"arg_max({name}, (event_at, known_at, {name})) filter (where {name} is not null) as {name}"
        for name in ("name", "owner", "segment")
    )
    found = history.con.execute(f"select customer_id, {columns} from {visible_sql('customers', cutoff)} group by 1 order by 1").df()
    return found.astype("str")


def product_names(history: History, cutoff: datetime, product_ids: pd.Series, say: Words) -> pd.Series:
    """Return each offer in words: the product's name at ``cutoff``, else what the reader calls it, else its id."""
    known: dict[str, str] = {}
    if "products" in history.tables:
        newest = f"select product_id, arg_max(name, (event_at, known_at, name)) as name from {visible_sql('products', cutoff)} group by 1"
        known = {number: name for number, name in history.con.execute(newest).fetchall() if name}
    called = {MORE_SEATS: say("More seats"), HIGHER_PLAN: say("Higher plan")} | known
    return product_ids.map(lambda one: called.get(one, one)).astype("str")


def unjudged_customers(history: History, cutoff: datetime) -> set[str]:
    """Return the customers that cannot be judged: known too short, or without any activity in the year before ``cutoff``."""
    # a contract alone makes a customer known, and says nothing of whether they are there
    tables = [name for name in (*ACTIVITY, "subscriptions") if name in history.tables]
    if not tables:
        return set()
    facts = " union all ".join(f"select customer_id, age_days from {visible_sql(name, cutoff)}" for name in tables)
    active = [name for name in ACTIVITY if name in history.tables]
    recent = (
        " union all ".join(f"select customer_id from {visible_sql(name, cutoff, 365)}" for name in active)
        or "select customer_id from facts"
    )
    found = history.con.execute(
        f"with facts as ({facts}), recent as ({recent}) select customer_id from facts group by 1 "
        f"having max(age_days) < {YOUNG_DAYS} or customer_id not in (select customer_id from recent)"
    ).fetchall()
    return {row[0] for row in found}


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

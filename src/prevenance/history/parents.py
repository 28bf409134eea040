"""Accounts of one parent are one: they leave together, so they are drawn together and never stand on both sides of a split by customer."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.history.history import History, visible_sql


def parent_groups(history: History, cutoff: datetime) -> pd.Series:
    """Return customer_id -> group: the smallest id of all accounts that are linked by ``parent_id``, as far as it is known at ``cutoff``.

    A parent needs no row of its own; parents of parents count, and so does a chain that ends in itself.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    found = history.con.execute(
        f"select distinct customer_id, parent_id from {visible_sql('customers', cutoff)} where parent_id is not null"
    ).df()
    # sorted, so that the smallest id of a group is its name whatever the order of rows
    codes, ids = pd.factorize(pd.concat([found["customer_id"], found["parent_id"]], ignore_index=True), sort=True)
    child, parent = np.split(codes, 2)
    _, group = connected_components(coo_array((np.ones(len(child)), (child, parent)), shape=(len(ids), len(ids))), directed=False)
    first = pd.Series(ids.astype(object)).groupby(group).min()
    return pd.Series(first.reindex(group).to_numpy(), index=ids.astype(object), dtype=object)

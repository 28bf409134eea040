"""The rows of a few customers, set apart once: who asks much of few looks at those alone."""

import pandas as pd

from prevenance.history.history import History, rows_sql
from prevenance.history.roster import customer_count
from prevenance.tables.canonical import TABLES

FEW = 10
"""Of all customers fewer than one in so many are few."""


def own_rows(history: History, table: str, customers: pd.Index) -> str:
    """Return SQL for rows of ``table`` that hold all of ``customers`` (those of the temp table ``codes``): of few theirs alone.

    What was set apart stays until others than those, or some of them, are asked for.
    """
    if FEW * len(customers) > customer_count(history) or not TABLES[table].per_customer:
        return rows_sql(table)
    whose, kept = history.answers.get(own_rows, (None, set[str]()))
    if whose is None or not customers.isin(whose).all():
        for name in kept:
            history.con.execute(f"drop table if exists own_{name}")
        history.answers[own_rows] = (customers, kept := set[str]())
        history.con.execute("create or replace temp table own_customers as select customer_id from codes")
    if table not in kept:
        history.con.execute(
            f"create or replace temp table own_{table} as from {rows_sql(table)} where customer_id in (select customer_id from own_customers)"
        )
        kept.add(table)
    return f"own_{table}"

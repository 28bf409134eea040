"""What is due, settled and gone, against an implementation that follows the definition row by row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prevenance.features.invoices import SETTLED_SQL

START, CUTOFF = datetime(2024, 1, 1), datetime(2024, 3, 1)

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "event": st.sampled_from(["issued", "issued", "paid", "paid", "credited", "voided", "reminded"]),
            "day": st.integers(0, 6),
            "late": st.integers(0, 2),
            "due": st.none() | st.integers(0, 3),
            "amount": st.none() | st.sampled_from([-5.0, 0.0, 5.0, 10.0, 20.0]),
        }
    ),
    min_size=1,
    max_size=6,
)


def bill(rows: list[dict[str, Any]]) -> tuple[Any, ...]:
    """Return due_on, amount, settled_at, voided and paid_at of one invoice, by the words of the definition."""
    clock = lambda row: (START + timedelta(row["day"]), START + timedelta(row["day"] + row["late"]))  # noqa: E731
    due = max(((*clock(row), START + timedelta(row["due"])) for row in rows if row["due"] is not None), default=(None,))[-1]
    issued = [row for row in rows if row["event"] == "issued"]
    amount = max(((*clock(row), row["amount"]) for row in issued if row["amount"] is not None), default=(None,))[-1]
    money = [row for row in rows if row["event"] in ("paid", "credited")]

    def moved(row: dict[str, Any]) -> float:
        return 1e14 if row["amount"] is None else row["amount"] if row["event"] == "paid" else abs(row["amount"])

    enough = [
        row for row in money if sum(moved(one) for one in money if clock(one) <= clock(row)) + 0.005 >= (0 if amount is None else amount)
    ]
    settled = min((clock(row)[0] for row in enough), default=None)
    back = max(map(clock, [*issued, *enough]), default=None)
    gone = max((clock(row) for row in rows if row["event"] == "voided"), default=None)
    voided = gone is not None and (back is None or gone >= back)
    paid = settled if not voided and any(row["event"] == "paid" for row in enough) else None
    return due, amount, settled, voided, paid


@given(st.lists(ROWS, min_size=1, max_size=4))
@example(
    [
        [
            {"event": "issued", "day": 0, "late": 0, "due": 1, "amount": 10.0},
            {"event": "paid", "day": 1, "late": 0, "due": None, "amount": 4.0},
        ]
    ]
)
def test_what_becomes_of_a_bill(bills: list[list[dict[str, Any]]]) -> None:
    told = [
        ("a", str(number), row["event"], START + timedelta(row["day"]), START + timedelta(row["day"] + row["late"]),
         None if row["due"] is None else START + timedelta(row["due"]), row["amount"])
        for number, rows in enumerate(bills) for row in rows
    ]  # fmt: skip
    con = duckdb.connect()
    con.execute(
        f"create table invoices as select *, timestamp '{CUTOFF}' as cutoff from (select ''::varchar as customer_id, ''::varchar as invoice_id, "
        "''::varchar as event, null::timestamp as event_at, null::timestamp as known_at, null::timestamp as due_on, null::double as amount) where false"
    )
    con.executemany(f"insert into invoices values (?, ?, ?, ?, ?, ?, ?, timestamp '{CUTOFF}')", told)
    found = con.execute(f"with {SETTLED_SQL} select due_on, amount, settled_at, voided, paid_at from bills order by invoice_id").fetchall()
    assert found == [bill(rows) for rows in bills]


@pytest.mark.parametrize("column", ["due_on", "amount"])
def test_bills_that_say_two_things_are_seen(column: str) -> None:
    frame = pd.DataFrame(
        {"customer_id": "a", "invoice_id": "1", "event": "issued", "event_at": [START, CUTOFF - timedelta(9)], "amount": 5.0}
    )
    frame["known_at"], frame["due_on"], frame["cutoff"] = frame["event_at"], START, CUTOFF
    frame.loc[1, column] = {"due_on": CUTOFF, "amount": 7.0}[column]
    con = duckdb.connect()
    con.register("invoices", frame)
    [(said,)] = con.execute(f"with {SETTLED_SQL} select {column} from bills").fetchall()
    assert said == frame.loc[1, column]

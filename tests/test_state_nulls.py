"""What the table of features says of a null in a state, asked of the raw rows in another way than the builder does."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from prevenance.features.build import build
from prevenance.features.catalogue import feature_catalogue
from prevenance.features.define import State, columns_of
from prevenance.features.invoices import SETTLED_SQL
from prevenance.features.sets import definitions
from prevenance.features.state_nulls import NULL_MEANS
from prevenance.history.history import History, visible_sql
from prevenance.tables.canonical import TABLES
from prevenance.testing.worlds import CUTOFFS, PRODUCTS, together, world

COMPANIES = 40
STATES = [one for one in definitions() if isinstance(one, State)]
RUNS = """(select customer_id, subscription_id, arg_max(product_id, (event_at, event <> 'ended', known_at, event <> 'started', product_id))
  filter (product_id is not null) as product_id from (select *, bool_or(event = 'ended') over here as ends,
    bool_or(event in ('started', 'renewed')) over here as begins from subscriptions
    window here as (partition by customer_id, subscription_id, event_at)) group by 1, 2
  having max(event_at) filter (not ends and event <> 'notice') > coalesce(max(event_at) filter (ends and not begins), '-infinity'))"""
"""Contracts that run: the last instant that decides it is no end."""

VALUE = {
    "main_user_silent_days main_user_share_90d": "select customer_id from usage where user_id is not null and age_days < 90",
    "tickets_open tickets_unassigned_over_24h tickets_open_escalated tickets_open_again": "select customer_id from tickets",
    "oldest_open_ticket_days": """select customer_id from tickets group by customer_id, ticket_id having
      coalesce(max(event_at) filter (event in ('opened', 'reopened')) > max(event_at) filter (event in ('resolved', 'closed')),
      count(*) filter (event in ('resolved', 'closed')) = 0)""",
    "handoffs_per_ticket_90d clarifications_per_ticket_90d tickets_taken_after_24h_90d reopened_share_90d": """select customer_id from tickets
      group by customer_id, ticket_id having coalesce(min(event_at) filter (event = 'opened'), min(event_at)) > min(cutoff) - interval 90 day""",
    "first_reply_hours_90d first_reply_working_hours_90d": """select customer_id from tickets group by customer_id, ticket_id having count(*) filter (event = 'replied') > 0
      and coalesce(min(event_at) filter (event = 'opened'), min(event_at)) > min(cutoff) - interval 90 day""",
    "first_90d_active_days first_90d_tickets": "select customer_id from customers where age_days >= 90",
    "contracts_running products_held": "select customer_id from subscriptions",
    "contract_age_days": f"select customer_id from {RUNS}",
    "contract_plan": f"select customer_id from subscriptions join {RUNS} using (customer_id, subscription_id) where plan is not null",
    "invoices_overdue amount_overdue late_payments_365d": "select customer_id from invoices",
    "late_share_365d": f"""select customer_id from (with {SETTLED_SQL} select * from bills)
      where due_on is not null and paid_at > cutoff - interval 365 day""",
    "nps_change": "select customer_id from feedback where kind = 'nps' and score is not null group by 1 having count(*) > 1",
    "csat_change": "select customer_id from feedback where kind = 'csat' and score is not null group by 1 having count(*) > 1",
    "ces_change": "select customer_id from feedback where kind = 'ces' and score is not null group by 1 having count(*) > 1",
    "scores_falling": "select customer_id from feedback where score is not null group by customer_id, kind having count(*) > 1",
    "purchase_gap_days purchase_gaps_silent": """select customer_id from purchases where coalesce(amount, 1) > 0 and coalesce(quantity, 1) > 0
      group by 1 having min(event_at)::date < max(event_at)::date""",
    **{column: f"select customer_id from customers where {column} is not null" for column in ("segment", "industry", "country", "language", "plan")},
    "tenure_days part_of_group": "select customer_id from customers",
    "month_sin month_cos": "select customer_id from asked",
    "use_season_ahead": """select customer_id from usage where kind in ('login', 'use') group by 1 having count(*) filter (age_days < 365) > 0
      and count(*) filter (age_days >= 365 and age_days < 393) > 0""",
    "ticket_season_ahead": """select customer_id from tickets where event = 'opened' group by 1 having count(*) filter (age_days < 365) > 0
      and count(*) filter (age_days >= 365 and age_days < 393) > 0""",
    "days_since_release": "select customer_id from asked where exists (from releases)",
    "days_since_used_release used_releases_28d": """select customer_id from usage where age_days < 90 and product_id in
      (select product_id from releases)""",
}  # fmt: skip
"""Columns -> the customers that have a value, as what is said of null means."""

NEVER = [column for column, means in NULL_MEANS.items() if means.startswith("never")]


@pytest.fixture(scope="module")
def history() -> History:
    return History.from_frames(together([world(seed, rows=0.5) for seed in range(COMPANIES)]), CUTOFFS[-1])


@pytest.fixture(scope="module")
def built(history: History) -> pd.DataFrame:
    customers = history.con.execute("select distinct customer_id from canonical.customers order by 1").df()["customer_id"]
    asked = pd.DataFrame([(one, cutoff) for cutoff in CUTOFFS for one in customers], columns=["customer_id", "cutoff"])
    return build(history, asked.astype({"customer_id": "str", "cutoff": "datetime64[us]"}), [one for one in STATES if not one.pair])


def views(history: History) -> Iterator[tuple[object, str]]:
    for cutoff in CUTOFFS:
        yield cutoff, "with " + ", ".join(f"{name} as {visible_sql(name, cutoff)}" for name in TABLES) + ", "


def test_every_state_of_ours_says_what_null_means():
    assert list(NULL_MEANS) == [column for one in STATES for column in columns_of(one)]
    table = feature_catalogue().set_index("feature")
    assert {column: table.loc[column, "null_means"] for column in NULL_MEANS} == NULL_MEANS


@pytest.mark.parametrize("columns", VALUE)
def test_a_state_is_null_where_the_table_says(history: History, built: pd.DataFrame, columns: str):
    seen = set()
    for cutoff, above in views(history):
        rows = built[built["cutoff"] == cutoff].set_index("customer_id")
        asked = "asked as (select distinct customer_id from canonical.customers) "
        there = set(history.con.execute(f"{above}{asked}{VALUE[columns]}").df()["customer_id"])
        for column in columns.split():
            assert set(rows.index[rows[column].notna()]) == there & set(rows.index), column
            seen |= set(rows[column].isna())
    assert seen == {True, False} or columns.startswith(("month", "days_since_release")), "a sentence that no row tries says nothing"


def test_what_is_never_null_is_never_null(history: History, built: pd.DataFrame):
    customers = built["customer_id"].unique()[:60]
    offers = [f"{customer.partition(':')[0]}:{product}" for customer in customers for product in PRODUCTS]
    asked = pd.DataFrame({"customer_id": customers.repeat(len(PRODUCTS)), "product_id": offers, "cutoff": CUTOFFS[1]})
    pairs = build(history, asked.astype({"customer_id": "str", "product_id": "str", "cutoff": "datetime64[us]"}), STATES)
    assert pairs[NEVER].notna().all().all()
    assert pairs["offer_fit_best"].isna().any()
    assert pairs["days_since_offer_taken"].isna().any()
    assert (pairs.loc[pairs["offer_fit_best"].isna(), "offer_fit_mean"] == 0).all()
    assert (pairs.loc[pairs["family_fit_best"].isna(), "family_fit_mean"] == 0).all()

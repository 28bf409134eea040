"""Definitions: every signal the field believes in has its feature, phrases read well, SQL does what its twin in Python does."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import datetime, timedelta

import duckdb
import oracle
import pandas as pd
import pytest
import worlds
from amount import amount
from hypothesis import given, settings
from hypothesis import strategies as st

from prevenance.base.errors import PrevenanceError
from prevenance.features import LOOKBACKS, SETS, changeable_columns, definitions, phrases_by_column
from prevenance.features.build import build, definitions_giving, feature_columns, usable_definitions
from prevenance.features.define import Count, Definition, Distinct, Feature, Ratio, State, Sum, Trend, columns_of
from prevenance.history.history import History
from prevenance.tables.canonical import SQL_TYPES, TABLES
from prevenance.words import words

ALL = definitions()
NAMES = [column for one in ALL for column in columns_of(one)]
BY_NAME: dict[str, Definition] = {one.name: one for one in ALL}
OF_CUSTOMERS = usable_definitions(ALL, frozenset(TABLES))
"""Without the features of a customer and an offer, which have their own plain count."""
STATES = [one for one in ALL if isinstance(one, State)]

SIGNALS = {
    "logins -50 % in 4 weeks": ["logins_28d_trend"],
    "invoices paid late again and again": [
        "late_payments_365d",
        "late_share_365d",
        "late_by_days_365d",
        "invoices_overdue",
        "invoices_reminded_365d",
    ],
    "more than 3 tickets a month": ["tickets_28d"],
    "paid features never used": ["paid_features_unused", "paid_features_used_share_90d"],
    "feedback scores falling": ["nps_change", "csat_change", "scores_falling"],
    "few active users per seat": ["active_users_per_seat_28d"],
    "main user silent": ["main_user_silent_days"],
    "few tickets and little use in the first three months": ["first_90d_tickets", "first_90d_active_days"],
    "error events piling up": ["errors_7d", "errors_7d_trend"],
    "logins at unusual hours": ["unusual_hour_logins_28d", "unusual_hour_share_28d", "unusual_hour_logins_28d_trend"],
    "activity dropping": ["uses_28d_trend", "active_days_28d_trend"],
    "seasonal peak ahead": ["use_season_ahead", "ticket_season_ahead", "purchase_season_ahead", "month_sin", "month_cos"],
    "a release": ["days_since_release", "days_since_used_release"],
    "failure of something fixed before": ["tickets_reopened_28d", "tickets_open_again", "reopened_share_90d"],
    "products due for service": ["service_due_days", "service_cycles_passed", "service_due_units_28d", "contract_service_due_days"],
    "usage +30 %": ["uses_28d_trend", "quantity_28d_trend"],
    "team growing, seats nearly used up": ["active_users_28d_trend", "seats_change_90d", "seats_used_share_90d"],
    "project or contract phase ending": ["days_to_end", "days_to_renewal"],
    "near an account limit": ["usage_near_limit_share"],
    "waiting share of the lead time": ["waiting_share_90d"],
    "hand-offs": ["handoffs_per_ticket_90d"],
    "clarification loops": ["clarifications_per_ticket_90d"],
    "escalations": ["tickets_escalated_28d", "tickets_open_escalated"],
    "tickets unassigned > 24 h": ["tickets_unassigned_over_24h", "tickets_taken_after_24h_90d"],
    "training attended": ["trainings_365d", "days_since_training"],
    "contract value": ["mrr", "mrr_change_90d"],
}
"""Each signal and the columns that carry it."""


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_has_its_feature(signal: str) -> None:
    assert set(SIGNALS[signal]) <= set(NAMES)


def test_names_are_unique_and_their_number_is_sane() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert len({one.name for one in ALL}) == len(ALL)
    assert 150 <= len(NAMES) <= 220
    assert feature_columns(ALL) == NAMES


@pytest.mark.parametrize("lookbacks", [(7,), (30, 60), (400,), (28, 28, 1)])
def test_other_lookbacks_keep_the_named_signals_whole(lookbacks: tuple[int, ...]) -> None:
    found = definitions(lookbacks=lookbacks)
    features = {one.name: one for one in found if isinstance(one, Feature)}
    assert len({column for one in found for column in columns_of(one)}) == sum(len(columns_of(one)) for one in found)
    assert {"logins_28d_trend", "tickets_28d", "active_users_per_seat_28d", f"logins_{lookbacks[0]}d"} <= {one.name for one in found}
    for one in found:
        if isinstance(one, Trend):
            assert features[one.of].days is not None
            assert isinstance(features[one.of].value, Count | Sum | Distinct)


def test_a_window_is_named_by_its_days() -> None:
    for one in ALL:
        if isinstance(one, Feature) and one.days is not None:
            assert one.name.endswith(f"_{one.days}d")
            assert f"in {one.days} days" in one.phrase.replace("{days}", str(one.days))


def test_sets_can_be_chosen_and_ratios_go_with_their_parts() -> None:
    alone = {one.name for one in definitions(["subscriptions"])}
    assert "seats_used_share_90d" not in alone
    assert "seats_used_share_90d" in {one.name for one in definitions(["subscriptions", "usage"])}
    assert definitions(["usage", "tickets"]) == definitions(["tickets", "usage"])


def test_a_misspelt_set_names_the_nearest() -> None:
    with pytest.raises(PrevenanceError, match=r'E203.*"tikets".*did you mean "tickets"'):
        definitions(["tikets"])


@pytest.mark.parametrize("lookbacks", [(), (0, 7), (-1,)])
def test_lookbacks_are_days(lookbacks: tuple[int, ...]) -> None:
    with pytest.raises(PrevenanceError, match="E202"):
        definitions(lookbacks=lookbacks)


@pytest.mark.parametrize(("column", "phrase"), sorted(phrases_by_column(ALL).items()))
def test_phrases_read_well(column: str, phrase: str) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(phrase) if field}
    owner = next(one for one in ALL if column in columns_of(one))
    own = {Trend: {"now", "before", "value", "days"}, Ratio: {"value", "top", "bottom"}, Feature: {"value", "days"}}
    assert fields <= own.get(type(owner), {"value"})
    assert fields - {"days"} or column.startswith("month_")
    text = isinstance(owner, State) and column in owner.categories
    shown = words("en")(phrase, **dict.fromkeys(fields, "words" if text else 1234.5))
    assert not {"because", "churn", "leave", "leaving", "risk"} & set(shown.lower().split())
    assert "_" not in shown
    if isinstance(owner, Trend):
        assert {"now", "before"} <= fields


def test_every_column_but_the_windows_before_has_a_phrase() -> None:
    assert set(NAMES) - set(phrases_by_column(ALL)) == {f"{one.name}_before" for one in ALL if isinstance(one, Trend)}


def test_nobody_changes_an_industry() -> None:
    movable = changeable_columns(ALL)
    assert not {"industry", "segment", "country", "tenure_days", "month_sin", "renewals", "service_due_days"} & movable
    assert {"logins_28d_trend", "main_user_silent_days", "paid_features_unused", "tickets_open"} <= movable
    assert all({*one.background, *one.categories} <= set(one.columns) for one in STATES)


def test_no_feature_knows_an_agent_or_a_name() -> None:
    for one in ALL:
        text = one.sql if isinstance(one, State) else one.where if isinstance(one, Feature) else ""
        assert not {"owner", "subject", "body", "name"} & set(text.replace(",", " ").replace("(", " ").replace(")", " ").split())


@pytest.mark.parametrize("table", sorted({one.table for one in ALL if isinstance(one, Feature)}))
def test_conditions_and_columns_exist(table: str) -> None:
    with duckdb.connect() as con:
        kinds = ", ".join(f'"{column.name}" {SQL_TYPES[column.kind]}' for column in TABLES[table].columns)
        con.execute(f"create table {table} ({kinds})")
        for one in ALL:
            if isinstance(one, Feature) and one.table == table:
                con.execute(f"select * from {table} where {one.where or 'true'}")
                column = getattr(one.value, "column", "day")
                assert column == "day" or TABLES[table].column(column)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_states_use_nothing_whose_result_depends_on_order(state: State) -> None:
    words = ("first(", "any_value(", "avg(", "now()", "current_", "random(", "list(")
    # the least of a list is the same in every order
    asked = (
        state.sql
        if "list_min(list_filter(closes," not in state.sql
        else state.sql.replace("list(event_at) filter (where event = 'closed') as closes", "")
    )
    assert not [word for word in words if word in asked.lower()]
    assert "known_at <=" not in state.sql, "only the builder says what is visible"


def same(found: object, expected: object) -> bool:
    """Return whether two values are both missing, or equal to the last digits."""
    here, there = oracle.plain(found), oracle.plain(expected)
    if here is None or there is None:
        return here is there
    return here == there if isinstance(here, str) else float(found) == pytest.approx(float(expected), rel=1e-12, abs=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(oracle.STATES))
@given(frames=worlds.worlds())
@settings(max_examples=amount(3, 15), deadline=None, derandomize=True)
def test_states_equal_their_twins_in_python(name: str, frames: Mapping[str, pd.DataFrame]) -> None:
    state = BY_NAME[name]
    assert isinstance(state, State)
    asked = worlds.snapshots(3)
    found = {cutoff: oracle.state_rows(frames, asked, [state], cutoff.to_pydatetime())[name] for cutoff in set(asked["cutoff"])}
    for expected in oracle.twin(frames, asked, state):
        row = found[pd.Timestamp(expected["cutoff"])].get(expected["customer_id"], {})
        for column in set(state.columns) - set(state.categories):
            assert same(row.get(column), expected.get(column)), (column, expected)


@given(frames=worlds.worlds())
@settings(max_examples=amount(2, 6), deadline=None, derandomize=True)
def test_the_builder_equals_the_oracle(frames: Mapping[str, pd.DataFrame]) -> None:
    asked = worlds.snapshots(3)
    found = build(History.from_frames(frames, datetime(2026, 1, 1)), asked, ALL)
    expected = oracle.oracle(frames, asked, OF_CUSTOMERS)
    assert set(found.columns) == set(expected.columns)
    for column in feature_columns(OF_CUSTOMERS):
        for number, (here, there) in enumerate(zip(found[column], expected[column], strict=True)):
            assert same(here, there), (column, asked.iloc[number].tolist(), here, there)


@given(frames=worlds.worlds(), data=st.data())
@settings(max_examples=amount(2, 5), deadline=None, derandomize=True)
def test_columns_are_the_same_without_the_definitions_they_do_not_rest_on(frames: Mapping[str, pd.DataFrame], data: st.DataObject) -> None:
    asked, history = worlds.snapshots(3), History.from_frames(frames, datetime(2026, 1, 1))
    wanted = data.draw(st.lists(st.sampled_from(feature_columns(OF_CUSTOMERS)), min_size=1, max_size=6, unique=True))
    few = definitions_giving(OF_CUSTOMERS, wanted)
    assert len(few) < len(OF_CUSTOMERS)
    pd.testing.assert_frame_equal(build(history, asked, few)[wanted], build(history, asked, ALL)[wanted])


@given(frames=worlds.worlds(), seed=st.integers(0, 99))
@settings(max_examples=amount(2, 4), deadline=None, derandomize=True)
def test_row_order_and_threads_change_no_byte(frames: Mapping[str, pd.DataFrame], seed: int) -> None:
    asked = worlds.snapshots(3)
    shuffled = {name: frame.sample(frac=1, random_state=seed).reset_index(drop=True) for name, frame in frames.items()}
    histories = [History.from_frames(one, datetime(2026, 1, 1)) for one in (frames, shuffled)]
    histories[1].con.execute("set threads = 1")
    one, other = (build(history, asked, ALL) for history in histories)
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@given(frames=worlds.worlds())
@settings(max_examples=amount(1, 4), deadline=None, derandomize=True)
def test_one_customer_at_one_cutoff_equals_all_together(frames: Mapping[str, pd.DataFrame]) -> None:
    asked = worlds.snapshots(3)
    history = History.from_frames(frames, datetime(2026, 1, 1))
    together = build(history, asked, ALL)
    for number in (0, len(asked) - 1):
        alone = build(history, asked.iloc[[number]].reset_index(drop=True), ALL)
        pd.testing.assert_frame_equal(alone, together.iloc[[number]].reset_index(drop=True), check_exact=True)


def test_a_missing_table_takes_its_features_along() -> None:
    frames = worlds.world(3)
    found = build(
        History.from_frames({"customers": frames["customers"], "usage": frames["usage"]}, datetime(2026, 1, 1)), worlds.snapshots(4), ALL
    )
    assert {"logins_28d", "main_user_silent_days", "tenure_days", "month_sin"} <= set(found.columns)
    assert not {"tickets_28d", "paid_features_unused", "seats", "active_users_per_seat_28d", "days_since_release"} & set(found.columns)


def test_no_snapshot_no_row_all_columns() -> None:
    found = build(History.from_frames(worlds.world(3), datetime(2026, 1, 1)), worlds.snapshots(4).head(0), ALL)
    assert len(found) == 0
    assert set(found.columns) == {"customer_id", "cutoff", *feature_columns(OF_CUSTOMERS)}


# What single states mean, told on one small company ------------------------------------------------------------------

NOW = datetime(2025, 3, 1)


def table(name: str, *rows: Mapping[str, object]) -> pd.DataFrame:
    """Return a frame of rows given as ``days`` before NOW (or ``event_at``) and columns; known at once."""
    full = []
    for given_row in rows:
        row = {"customer_id": "c-1", **given_row}
        row.setdefault("event_at", NOW - timedelta(days=float(row.pop("days"))))  # type: ignore[arg-type]
        full.append({**row, "known_at": row["event_at"]})
    return pd.DataFrame(full)


def at_now(column: str, **frames: pd.DataFrame) -> object:
    """Return one column of the customer c-1 at NOW."""
    asked = pd.DataFrame({"customer_id": ["c-1"], "cutoff": [NOW]}).astype({"cutoff": "datetime64[us]", "customer_id": "str"})
    return build(History.from_frames(frames, NOW), asked, ALL)[column].iloc[0]


def test_late_from_the_day_after_the_due_date() -> None:
    def bill(name: str, paid: float) -> list[dict[str, object]]:
        due = NOW - timedelta(days=20)
        return [
            {"invoice_id": name, "event": "issued", "days": 50, "due_on": due, "amount": 10.0},
            {"invoice_id": name, "event": "paid", "days": paid},
        ]

    invoices = table("invoices", *bill("on the evening", 19.01), *bill("next day", 19), *bill("ten days", 10))
    assert at_now("late_payments_365d", invoices=invoices) == 2
    assert at_now("late_by_days_365d", invoices=invoices) == pytest.approx(5.5)
    assert at_now("late_share_365d", invoices=invoices) == pytest.approx(2 / 3)
    assert at_now("invoices_overdue", invoices=invoices) == 0
    unpaid = invoices[invoices["event"] == "issued"]
    assert at_now("invoices_overdue", invoices=unpaid) == 3
    assert at_now("amount_overdue", invoices=unpaid) == 30
    assert at_now("oldest_overdue_days", invoices=unpaid) == 20


def test_an_invoice_is_settled_by_its_parts_and_gone_when_voided() -> None:
    def bill(name: str, *rows: tuple[str, float | None], due: float = 20) -> list[dict[str, object]]:
        issued = {"invoice_id": name, "event": "issued", "days": 50, "due_on": NOW - timedelta(days=due), "amount": 100.0}
        return [issued, *({"invoice_id": name, "event": event, "days": 10 - n, "amount": amount} for n, (event, amount) in enumerate(rows))]

    def asked(*bills: list[dict[str, object]]) -> tuple[float, float, float]:
        frame = table("invoices", *(row for rows in bills for row in rows))
        return tuple(at_now(name, invoices=frame) for name in ("invoices_overdue", "amount_overdue", "late_payments_365d"))  # type: ignore[return-value]

    assert asked(bill("void", ("voided", None))) == (0, 0, 0)
    assert asked(bill("void after a part", ("paid", 10.0), ("voided", None))) == (0, 0, 0)
    assert asked(bill("paid after the void", ("voided", None), ("paid", 100.0))) == (0, 0, 1)
    assert asked(bill("a part after the void", ("voided", None), ("paid", 10.0))) == (0, 0, 0)
    assert asked(bill("paid before the void", ("paid", 100.0), ("voided", None))) == (0, 0, 0)
    assert asked(bill("issued again", ("voided", None), ("issued", 80.0))) == (1, 80, 0)
    assert asked(bill("credited", ("credited", -100.0))) == (0, 0, 0)
    assert asked(bill("credited in part", ("credited", 40.0))) == (1, 60, 0)
    assert asked(bill("paid in part", ("paid", 10.0))) == (1, 90, 0)
    assert asked(bill("paid in parts", ("paid", 10.0), ("paid", 60.0), ("paid", 30.0))) == (0, 0, 1)
    assert asked(bill("part and note", ("credited", 30.0), ("paid", 70.0))) == (0, 0, 1)
    assert asked(bill("no amount said", ("paid", None))) == (0, 0, 1)
    assert asked(bill("sent back", ("paid", 100.0), ("paid", -100.0))) == (0, 0, 1)


def test_a_close_by_the_help_desk_itself_moves_no_solution() -> None:
    def ticket(*events: tuple[str, float]) -> float:
        rows = [{"ticket_id": "t", "event": event, "days": 30 - hours / 24} for event, hours in events]
        return at_now("solution_hours_90d", tickets=table("tickets", *rows))

    assert ticket(("opened", 0), ("resolved", 1), ("closed", 97)) == pytest.approx(1)
    assert ticket(("opened", 0), ("resolved", 1), ("reopened", 20), ("resolved", 24), ("closed", 120)) == pytest.approx(24)
    assert ticket(("opened", 0), ("resolved", 1), ("reopened", 20), ("closed", 30)) == pytest.approx(30)
    assert ticket(("opened", 0), ("closed", 5)) == pytest.approx(5)
    assert ticket(("opened", 0), ("resolved", 1), ("rated", 3), ("closed", 97), ("closed", 200)) == pytest.approx(1)
    # closed by somebody, and filed away by the help desk later
    assert ticket(("opened", 0), ("closed", 5), ("closed", 200)) == pytest.approx(5)
    assert ticket(("opened", 0), ("closed", 5), ("reopened", 20), ("closed", 30), ("closed", 31)) == pytest.approx(30)
    assert ticket(("opened", 0), ("resolved", 1), ("reopened", 20), ("closed", 30), ("rated", 40), ("closed", 97)) == pytest.approx(30)


def test_a_log_that_names_no_hand_cannot_say_what_lay_unassigned() -> None:
    def lying(*others: dict[str, object]) -> list[float]:
        own = [{"ticket_id": "t", "event": "opened", "days": 5.0}, {"ticket_id": "u", "event": "opened", "days": 9.0}]
        solved = {"ticket_id": "u", "event": "resolved", "days": 7.0}
        return [
            at_now(name, tickets=table("tickets", *own, solved, *others))
            for name in ("tickets_unassigned_over_24h", "tickets_taken_after_24h_90d")
        ]

    assert pd.isna(pd.Series(lying())).all()
    elsewhere = {"ticket_id": "v", "customer_id": "c-2", "days": 3.0}
    assert pd.isna(pd.Series(lying(elsewhere | {"event": "rated"}))).all()
    for event in ("assigned", "replied", "transferred", "asked"):
        assert lying(elsewhere | {"event": event}) == [1, 2]


def test_near_the_limit_is_use_over_limit_times_seats() -> None:
    frames = {
        "subscriptions": table("subscriptions", {"subscription_id": "s", "event": "started", "product_id": "p", "seats": 4.0, "days": 100}),
        "products": table(
            "products", {"product_id": "p", "usage_limit": 10.0, "days": 300}, {"product_id": "p", "usage_limit": 5.0, "days": 200}
        ),
        "usage": table(
            "usage",
            {"kind": "use", "product_id": "p", "quantity": 12.0, "days": 1},
            {"kind": "use", "quantity": 3.0, "days": 27.9},
            {"kind": "use", "product_id": "p", "quantity": 99.0, "days": 28},
        ),
    }
    assert at_now("usage_near_limit_share", **frames) == pytest.approx(15 / 20)


def test_scores_fall_by_kind() -> None:
    scores = [("nps", 9.0, 60), ("nps", 6.0, 10), ("csat", 3.0, 60), ("csat", 4.0, 10), ("ces", 2.0, 10)]
    feedback = table("feedback", *({"kind": kind, "score": score, "days": days} for kind, score, days in scores))
    assert at_now("nps_change", feedback=feedback) == -3
    assert at_now("csat_change", feedback=feedback) == 1
    assert pd.isna(at_now("ces_change", feedback=feedback))
    assert at_now("scores_falling", feedback=feedback) == 1


def test_first_three_months_stay_open_until_they_are_over() -> None:
    usage = table("usage", *({"kind": "use", "days": days} for days in (101, 100, 98.9, 60, 10.1, 10, 5)))
    assert at_now("first_90d_active_days", usage=usage, customers=table("customers", {"days": 100})) == 4
    assert pd.isna(at_now("first_90d_active_days", usage=usage, customers=table("customers", {"days": 89})))


def test_a_season_needs_a_year_before_it() -> None:
    days = [364, 350, 340, 300, 200, 100]
    usage = table("usage", *({"kind": "use", "days": one} for one in days))
    assert pd.isna(at_now("use_season_ahead", usage=usage))
    older = table("usage", *({"kind": "use", "days": one} for one in [*days, 370]))
    assert at_now("use_season_ahead", usage=older) == pytest.approx(3 / (6 * 28 / 365))


def test_service_comes_round() -> None:
    products = table("products", {"product_id": "p", "service_days": 30.0, "days": 400})
    purchases = table("purchases", {"product_id": "p", "quantity": 2.0, "days": 100}, {"product_id": "p", "quantity": 5.0, "days": 31})
    assert at_now("service_due_days", products=products, purchases=purchases) == 20
    assert at_now("service_due_units_28d", products=products, purchases=purchases) == 2
    assert at_now("service_cycles_passed", products=products, purchases=purchases) == pytest.approx(100 / 30)


def test_seats_and_revenue_against_ninety_days_before() -> None:
    subscriptions = table(
        "subscriptions",
        {"subscription_id": "s", "event": "started", "seats": 4.0, "mrr": 100.0, "days": 200},
        {"subscription_id": "s", "event": "changed", "seats": 9.0, "days": 30},
        {"subscription_id": "gone", "event": "started", "seats": 1.0, "mrr": 50.0, "days": 300},
        {"subscription_id": "gone", "event": "ended", "days": 20},
    )
    assert at_now("seats_change_90d", subscriptions=subscriptions) == 4
    assert at_now("mrr_change_90d", subscriptions=subscriptions) == -50
    assert at_now("contracts_running", subscriptions=subscriptions) == 1


def test_the_purchase_rhythm_is_the_customers_own() -> None:
    purchases = table("purchases", *({"amount": 5.0, "quantity": 1.0, "days": days} for days in (60, 50, 40)))
    assert at_now("purchase_gap_days", purchases=purchases) == 10
    assert at_now("purchase_gaps_silent", purchases=purchases) == 4


def test_lookbacks_by_default_are_a_week_a_month_a_quarter_a_year() -> None:
    assert LOOKBACKS == (7, 28, 90, 365)
    assert {f"logins_{days}d" for days in LOOKBACKS} <= set(NAMES)
    assert all(SETS[name](LOOKBACKS) for name in SETS)

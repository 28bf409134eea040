from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from prevenance.errors import PrevenanceError
from prevenance.ranking import COLUMNS, ORDER, Play, Stamp, play_for, rank

CUTOFF = datetime(2026, 10, 1)
STAMP = Stamp("churn", CUTOFF, 90, "abcdef123456", "0123456789abcdef", datetime(2026, 9, 30, 22, 15))
PLAYBOOK = {"tickets": Play("Review the open tickets", 4, ("ticket",)), "other": Play("Make a personal call", 7)}


def scored(*rows: dict) -> pd.DataFrame:
    usual = {
        "name": "Acme",
        "owner": "Dana",
        "segment": "Mid",
        "state0": "at_risk",
        "score": 0.5,
        "score_low": 0.4,
        "score_high": 0.6,
        "score_before": np.nan,
        "value_at_stake": 1000.0,
        "reasons": "Logins 41 → 16 in 28 days",
        "holds": None,
    }
    return pd.DataFrame([usual | {"customer_id": f"c{number}"} | row for number, row in enumerate(rows)])


def ranked(frame: pd.DataFrame, **settings) -> pd.DataFrame:
    return rank(frame, STAMP, **({"capacity": 2, "share": 0.15, "cost_per_contact": 60.0, "playbook": PLAYBOOK} | settings))


def company(size: int = 60, seed: int = 3) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = scored(*({} for _ in range(size)))
    frame["score"], frame["score_before"] = draw.random(size).round(2), np.where(draw.random(size) < 0.2, np.nan, draw.random(size))
    frame["value_at_stake"] = np.where(draw.random(size) < 0.2, np.nan, draw.integers(0, 5, size) * 1000.0)
    frame["state0"] = draw.choice(list(ORDER), size, p=[0.7, 0.2, 0.1])
    frame.loc[frame["state0"] == "not_enough_data", "score"] = np.nan
    return frame


def test_the_columns_are_those_of_the_contract_and_nobody_is_lost() -> None:
    frame = company()
    found = ranked(frame, capacity=10)
    assert tuple(found.columns) == COLUMNS
    assert sorted(found["customer_id"]) == sorted(frame["customer_id"])
    assert found["rank"].dropna().tolist() == list(range(1, 11))
    assert found["rank"].notna().iloc[:10].all()
    assert found["state"].map({"new": 0, "open": 0, "too_late": 1, "not_enough_data": 2}).is_monotonic_increasing
    assert (found["arm"] == "contact").sum() == 10


def test_the_order_is_the_same_whatever_the_order_of_the_rows() -> None:
    frame = company()
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(ranked(frame, capacity=10), ranked(shuffled, capacity=10))


def test_expected_value_orders_and_not_the_chance() -> None:
    found = ranked(scored({"score": 0.9, "value_at_stake": 1000.0}, {"score": 0.3, "value_at_stake": 9000.0}))
    assert found["customer_id"].tolist() == ["c1", "c0"]
    assert found["expected_value"].tolist() == [0.3 * 9000 * 0.15 - 60, 0.9 * 1000 * 0.15 - 60]


def test_ties_go_to_the_larger_value_then_to_the_smaller_id() -> None:
    same = [{"score": 0.4, "value_at_stake": 1000.0}, {"score": 0.2, "value_at_stake": 2000.0}, {"score": 0.2, "value_at_stake": 2000.0}]
    assert ranked(scored(*same))["customer_id"].tolist() == ["c1", "c2", "c0"]
    assert ranked(scored(*same[::-1]))["customer_id"].tolist() == ["c0", "c1", "c2"]


def test_without_money_the_order_is_by_chance_and_the_money_is_empty() -> None:
    found = ranked(scored(*({"score": score, "value_at_stake": np.nan} for score in (0.1, 0.7, 0.4))))
    assert found["customer_id"].tolist() == ["c1", "c2", "c0"]
    assert found["value_at_stake"].isna().all()
    assert found["expected_value"].isna().all()


def test_an_unknown_value_comes_after_the_known_ones_by_chance() -> None:
    money = [(0.1, 1000.0), (0.6, np.nan), (0.7, np.nan), (0.2, 1000.0)]
    found = ranked(scored(*({"score": score, "value_at_stake": value} for score, value in money)))
    assert found["customer_id"].tolist() == ["c3", "c0", "c2", "c1"]


@pytest.mark.parametrize("state", ["too_late", "not_enough_data"])
def test_who_is_not_workable_follows_without_a_rank(state: str) -> None:
    found = ranked(scored({"state0": state, "score": 0.99 if state == "too_late" else np.nan, "value_at_stake": 1e6}, {"score": 0.01}))
    assert found["customer_id"].tolist() == ["c1", "c0"]
    last = found.iloc[1]
    assert last["state"] == state
    assert last[["rank", "arm", "action", "act_by", "expected_value"]].isna().all()


def test_new_is_who_would_not_have_been_on_the_list_four_weeks_ago() -> None:
    now = [{"score": 0.9, "score_before": 0.8}, {"score": 0.8, "score_before": 0.1}, {"score": 0.1, "score_before": 0.7}, {"score": 0.0}]
    found = ranked(scored(*now)).set_index("customer_id")
    assert found["state"].to_dict() == {"c0": "open", "c1": "new", "c2": "open", "c3": "open"}
    assert found["change_28d"].fillna(-1).to_dict() == pytest.approx({"c0": 10.0, "c1": 70.0, "c2": -60.0, "c3": -1.0})


def test_a_customer_who_was_not_there_four_weeks_ago_is_new() -> None:
    assert ranked(scored({}), capacity=5)["state"].tolist() == ["new"]


def test_actions_follow_the_first_reason() -> None:
    reasons = ["3 Tickets in 28 days; Logins 3 → 1", "Logins 3 → 1; Tickets: 2", "Tickets: 2"]
    found = ranked(scored(*({"reasons": text, "score": 0.9 - place / 10} for place, text in enumerate(reasons))))
    assert found["action"].fillna("").tolist() == ["Review the open tickets", "Make a personal call", ""]
    assert found["act_by"].fillna("").tolist() == ["2026-10-05", "2026-10-08", ""]


def test_a_word_must_begin_a_word_and_no_reason_gets_the_play_for_all() -> None:
    playbook = {"usage": Play("Train", 7, ("use",)), "other": Play("Call", 5)}
    assert play_for("Invoices paused: 2", playbook) == playbook["other"]
    assert play_for("Uses in 28 days: 2", playbook) == playbook["usage"]
    assert play_for(None, playbook) == play_for(np.nan, playbook) == playbook["other"]
    assert play_for("Plan: basic", {"usage": playbook["usage"]}) is None


@pytest.mark.parametrize("score", [np.nan, np.inf, 1.2, -0.1])
def test_a_workable_customer_without_a_score_is_an_error(score: float) -> None:
    with pytest.raises(ValueError, match="1 workable customers have no score"):
        ranked(scored({}, {"score": score}))


def test_a_customer_twice_or_of_an_unknown_state_is_an_error() -> None:
    with pytest.raises(ValueError, match="come twice"):
        ranked(scored({"customer_id": "x"}, {"customer_id": "x"}))
    with pytest.raises(ValueError, match="unknown state0"):
        ranked(scored({"state0": "gone"}))


@pytest.mark.parametrize(("setting", "message"), [({"capacity": 0}, "capacity is 0"), ({"share": 15}, "share a contact saves is 15")])
def test_settings_out_of_range_are_refused(setting: dict, message: str) -> None:
    with pytest.raises(PrevenanceError, match=message):
        ranked(scored({}), **setting)


def test_no_customers_give_an_empty_list_with_its_columns() -> None:
    found = ranked(company().iloc[:0])
    assert tuple(found.columns) == COLUMNS
    assert found.empty

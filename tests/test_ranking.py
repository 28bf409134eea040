from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.decide.playbook import Play, Playbook
from prevenance.decide.ranking import COLUMNS, PRIVATE, Stamp, arm_rows, public_columns, rank_customers, rows_apart, why_above
from prevenance.order.capacity import Room
from prevenance.order.decision import Memory, Rules, decide
from prevenance.order.holdout import HoldOut
from prevenance.order.value import ORDER
from prevenance.targets.tickets import next_ticket
from prevenance.words import words

CUTOFF = datetime(2026, 10, 1)
STAMP = Stamp("churn", CUTOFF, 90, "abcdef123456", "0123456789abcdef", datetime(2026, 9, 30, 22, 15))
PLAYS = {
    "tickets": Play("tickets", "Review the open tickets", 4, "manager", "May we help?"),
    "other": Play("other", "Make a personal call", 7, "manager", "How are you?"),
}
PLAYBOOK = Playbook(PLAYS)


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
        "family": "usage",
    }
    return pd.DataFrame([usual | {"customer_id": f"c{number}"} | row for number, row in enumerate(rows)])


def ranked(frame: pd.DataFrame, *, memory: Memory | None = None, **settings) -> pd.DataFrame:
    given = {"capacity": 2, "share": 0.15, "cost_per_contact": 60.0} | settings
    rules = Rules(given["share"], given["cost_per_contact"], Room(given["capacity"]), HoldOut("churn", 90, share=0.0))
    decided, _ = decide(frame, rules, CUTOFF, memory or Memory(), draws=False)
    return public_columns(rank_customers(frame, decided, STAMP, PLAYBOOK, words("en"), "EUR"))


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


def test_new_is_who_is_to_be_worked_and_was_not_inside_on_the_monday_before() -> None:
    now = [{"score": 0.9, "score_before": 0.8}, {"score": 0.8, "score_before": 0.1}, {"score": 0.1, "score_before": 0.7}, {"score": 0.0}]
    found = ranked(scored(*now), memory=Memory(frozenset({"c0", "c2"}))).set_index("customer_id")
    assert found["state"].to_dict() == {"c0": "open", "c1": "new", "c2": "open", "c3": "open"}
    assert found["change_28d"].fillna(-1).to_dict() == pytest.approx({"c0": 10.0, "c1": 70.0, "c2": -60.0, "c3": -1.0})


def test_a_first_list_is_all_new() -> None:
    assert ranked(scored({}), capacity=5)["state"].tolist() == ["new"]


def test_actions_follow_the_family_of_the_first_reason() -> None:
    found = ranked(scored(*({"family": family, "score": 0.9 - place / 10} for place, family in enumerate(["tickets", "usage", "tickets"]))))
    assert found["action"].fillna("").tolist() == ["Review the open tickets", "Make a personal call", ""]
    assert found["act_by"].fillna("").tolist() == ["2026-10-05", "2026-10-08", ""]


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


def test_what_pages_show_besides_is_no_column_of_the_list() -> None:
    frame = company()
    rules = Rules(0.15, 60.0, Room(5, {"default": 6.0}, 1.5), HoldOut("churn", 90))
    decided, _ = decide(frame, rules, CUTOFF, Memory(), draws=True)
    found = rank_customers(frame, decided, STAMP, PLAYBOOK, words("en"))
    assert tuple(found.columns) == (*COLUMNS, *PRIVATE)
    assert found["rank"].dropna().tolist() == [1, 2, 3, 4]
    assert found["hours"].dropna().tolist() == [1.5] * 4
    assert found.loc[found["rank"].notna(), "draft"].notna().all()
    assert sum(rows_apart(found).values()) == found["apart"].isin(["holdout", "too_late", "not_enough_data"]).sum()
    told = arm_rows(found)
    assert told["place"].is_monotonic_increasing
    assert set(told["customer_id"]) == set(found.loc[found["in_band"] | found["arm"].notna(), "customer_id"])


def test_a_lower_chance_above_a_higher_one_says_why() -> None:
    rows = pd.DataFrame({"rank": [1, 2, 3, None], "score": [0.2, 0.6, 0.5, 0.9], "value_at_stake": [84000.0, 12000.0, np.nan, 9.0]})
    assert why_above(rows, words("en"), "EUR").tolist() == [
        "The next row has the higher chance; €84k a year is at stake here, €12k there",
        "",
        "",
        "",
    ]
    unknown = pd.DataFrame({"rank": [1, 2], "score": [0.2, 0.6], "value_at_stake": [84000.0, np.nan]})
    assert why_above(unknown, words("en"))[0] == "The next row has the higher chance; what is at stake there is not known"
    assert (
        why_above(rows, words("en"), "EUR", next_ticket().words.above)[0]
        == "The next row has the higher chance; €84k is at stake here, €12k there"
    )


@pytest.mark.long
def test_a_play_of_another_target_makes_no_list_a_new_one(tmp_path):
    from datetime import datetime

    from pipelines.start.compose import settings_of
    from prevenance.runs.ranked import run_id_of
    from prevenance.runs.settings.outreach import rules_of
    from prevenance.runs.snapshots import target_of

    def made(*overrides: str) -> str:
        given = settings_of("score", [f"out={tmp_path}", "target=tickets", *overrides])
        return run_id_of(given, rules_of(given, target_of(given)), datetime(2026, 1, 1), "rows", "model", [], [])

    assert made() == made("playbook.targets.contraction.usage.days=3")
    assert made() != made("playbook.targets.tickets.usage.days=3")
    assert made() != made("playbook.plays.usage.days=3")

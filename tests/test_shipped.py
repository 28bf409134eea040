"""What a page claims is counted on the lists as they would have been shipped: order, floor, capacity and who was free, at every test period."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from prevenance.base.errors import PrevenanceError
from prevenance.judge.evaluation import evaluate, period_hits
from prevenance.judge.lead import lead_time
from prevenance.judge.replayed import replay_differences
from prevenance.judge.rivals import policy_estimates
from prevenance.judge.saved import compare_with_health_score
from prevenance.judge.shipped import shipped_list, shipped_record, with_ranks
from prevenance.judge.slices import slice_report
from prevenance.order.capacity import Room
from prevenance.order.decision import STANDING, Memory, Rules, decide
from prevenance.order.holdout import HoldOut
from prevenance.order.policies import POLICIES
from prevenance.publish.floors import bounds_sentence
from prevenance.runs.headline import _step, segment_rows
from prevenance.runs.settings.checks import check_settings
from prevenance.runs.settings.outreach import floor_of
from prevenance.runs.settings.schema import OutreachSettings, Settings
from prevenance.targets.target import Target
from prevenance.words import words

TESTS = [datetime(2026, 1, 5), datetime(2026, 4, 6)]
RULES = Rules(0.15, 60.0, Room(10), HoldOut("churn", 90, share=0.4, max_value=None), floor=0.2)
MODELS = ("model", "rule", "health_score")


def rules_at(model: str, cutoff: datetime) -> Rules:
    return replace(RULES, floor=RULES.floor if model == "model" else 0.0)


def world(customers: int = 120) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return predictions of three models and what was known then: money is independent of the chance, some are cooling or escalated."""
    draw = np.random.default_rng(3)
    ids, told, known = [f"c{n:03}" for n in range(customers)], [], []
    for number, cutoff in enumerate(TESTS, start=1):
        label = (draw.random(customers) < 0.15).astype(float)
        came = pd.Series(cutoff + pd.to_timedelta(draw.integers(1, 90, customers), "D")).where(label > 0)
        for name in MODELS:
            raw = draw.normal(size=customers) + (2.0 if name == "model" else 0.5) * label
            keys = {"fold": number, "cutoff": pd.Timestamp(cutoff), "customer_id": ids, "label": label, "outcome_at": came}
            told.append(pd.DataFrame({**keys, "model": name, "score": 1 / (1 + np.exp(2 - raw)), "raw": raw}))
        standing = {
            "customer_id": ids,
            "cutoff": pd.Timestamp(cutoff),
            "value_at_stake": draw.lognormal(9, 1, customers).round(2),
            **STANDING,
        }
        rows = pd.DataFrame(standing).assign(owner=draw.choice(["Ada", "Bo"], customers))
        known.append(rows.assign(cooling_down=draw.random(customers) < 0.1, escalated=draw.random(customers) < 0.05))
    return pd.concat(told, ignore_index=True), pd.concat(known, ignore_index=True)


@pytest.fixture(scope="module")
def past() -> tuple[pd.DataFrame, pd.DataFrame]:
    predictions, known = world()
    return with_ranks(predictions, known, rules_at), known


def by_tonights_function(predictions: pd.DataFrame, known: pd.DataFrame, model: str, cutoff: datetime) -> list[str]:
    """Return whom the function of tonight's list would have ranked, best first."""
    rows = predictions[(predictions["model"] == model) & (predictions["cutoff"] == pd.Timestamp(cutoff))]
    rows = rows.drop(columns="value_at_stake", errors="ignore").merge(known, on=["cutoff", "customer_id"]).assign(state0="at_risk")
    found, _ = decide(rows, rules_at(model, cutoff), cutoff, Memory(), draws=True)
    return found[found["rank"].notna()].sort_values("rank")["customer_id"].tolist()


@pytest.mark.parametrize("model", MODELS)
def test_every_claim_is_the_sum_of_the_lists_row_by_row(past: tuple[pd.DataFrame, pd.DataFrame], model: str) -> None:
    told, known = past
    lists = {cutoff: shipped_list(told, model, cutoff) for cutoff in TESTS}
    for cutoff, rows in lists.items():
        assert rows["customer_id"].tolist() == by_tonights_function(told, known, model, cutoff)
    hits, contacts = (sum(one) for one in zip(*((rows["label"].sum(), len(rows)) for rows in lists.values()), strict=True))
    record = shipped_record(told, model, rules_at)
    assert (record["hits"], record["contacts"]) == (hits, contacts)
    assert [one["hits"] for one in record["periods"]] == [rows["label"].sum() for rows in lists.values()]
    assert record["money_caught"] == pytest.approx(sum(rows.loc[rows["label"] > 0, "value_at_stake"].sum() for rows in lists.values()))
    every = told[told["model"] == model]
    measured = evaluate(told, capacity=3, replicates=0, seed=1)[model]
    assert measured["precision_at_capacity"]["value"] == pytest.approx(hits / contacts)
    assert measured["recall_at_capacity"]["value"] == pytest.approx(hits / every["label"].sum())
    assert period_hits(told, 3)[model].sum() == hits
    frame = every[["cutoff", "customer_id"]].assign(half=(every["customer_id"] < "c060").astype(str))
    sliced = slice_report(told, frame, ["half"], model, "rule", capacity=3)
    joined = pd.concat(lists.values()).merge(frame, on=["cutoff", "customer_id"])
    assert {one["value"]: one["contact_share"] for one in sliced} == joined["half"].value_counts(normalize=True).to_dict()
    assert lead_time(told, model, 3, 14)["outcomes"] == pd.concat(lists.values()).query("label > 0")["customer_id"].nunique()


def test_the_duel_counts_both_on_their_own_lists(past: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    told, _ = past
    found = compare_with_health_score(told, "model", capacity=3, share=0.15, replicates=5, seed=1)
    assert found is not None
    for key, model in (("hits_model", "model"), ("hits_score", "health_score")):
        assert found[key] == sum(shipped_list(told, model, cutoff)["label"].sum() for cutoff in TESTS)


def test_nobody_below_the_floor_or_left_in_peace_is_listed_and_the_order_is_the_policys(past: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    told, known = past
    listed = shipped_list(told, "model", TESTS[0])
    assert listed["score"].min() >= RULES.floor
    assert listed["expected_value"].is_monotonic_decreasing
    quiet = known[known["cooling_down"] | known["escalated"]]
    assert listed.merge(quiet, on=["cutoff", "customer_id"]).empty
    assert set(told.loc[told["apart"] == "below_floor", "model"]) == {"model"}


def test_who_is_drawn_by_lot_stands_on_no_list_of_a_test(past: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    told, known = past
    rows = told[told["model"] == "model"]
    alone = rows[rows["apart"] == "holdout"]
    assert len(alone) >= 4
    assert alone["rank"].isna().all()
    drawn = [
        RULES.holdout.drawn(one, RULES.holdout.epoch(cutoff)) for one, cutoff in zip(alone["customer_id"], alone["cutoff"], strict=True)
    ]
    assert all(drawn)
    everybody = with_ranks(told, known, lambda model, at: replace(rules_at(model, at), holdout=replace(RULES.holdout, share=0.0)))
    for cutoff in TESTS:
        others = shipped_list(everybody, "model", cutoff)
        near = set(others["customer_id"][5:]) | set(rows["customer_id"]) - set(others["customer_id"])
        left = [one for one in others["customer_id"] if one not in set(alone.loc[alone["cutoff"] == cutoff, "customer_id"])]
        listed = shipped_list(told, "model", cutoff)["customer_id"].tolist()
        assert listed[: len(left)] == left, "those in the list stay in their order, and others come after them"
        assert set(alone.loc[alone["cutoff"] == cutoff, "customer_id"]) <= near


def test_the_policies_are_measured_by_the_same_decision(past: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    told, known = past
    found = policy_estimates(told, known, "model", rules_at, POLICIES, replicates=50, seed=1)
    assert set(found) == {"chance", "value", "value_above_floor", "value_without_floor", "random", "rule"}
    record = shipped_record(told, "model", rules_at)
    used = found[RULES.policy]
    assert (used["hits"]["value"], used["contacts"]["value"]) == (record["hits"], record["contacts"])
    assert used["money_caught"]["value"] == pytest.approx(record["money_caught"])
    assert used["expected_net"]["value"] == pytest.approx(0.15 * record["money_caught"] - 60 * record["contacts"])
    assert used["hits_difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    again = with_ranks(told, known, lambda model, cutoff: replace(rules_at(model, cutoff), policy="chance"))
    assert found["chance"]["hits"]["value"] == sum(shipped_list(again, "model", cutoff)["label"].sum() for cutoff in TESTS)
    assert found["rule"]["hits"]["value"] == shipped_record(told, "rule", rules_at)["hits"]
    assert found["random"]["contacts"]["value"] == pytest.approx(record["contacts"])
    gap = found["chance"]["hits_difference"]
    assert gap["low"] <= gap["value"] == found["chance"]["hits"]["value"] - record["hits"] <= gap["high"]


def test_rows_in_any_order_give_the_same_lists(past: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    told, known = past
    bare = told.drop(columns=["rank", "expected_value", "apart", "value_at_stake"])
    shuffled = with_ranks(bare.sample(frac=1, random_state=5), known.sample(frac=1, random_state=6), rules_at)
    pd.testing.assert_frame_equal(shuffled.sort_index()[told.columns], told)


def test_of_offers_the_best_of_each_customer_stands_on_the_list() -> None:
    predictions, known = world(30)
    offers = pd.concat([predictions.assign(product_id=one) for one in ("p1", "p2")], ignore_index=True)
    both = pd.concat([known.assign(product_id="p1"), known.assign(product_id="p2", value_at_stake=known["value_at_stake"] * 2)])
    told = with_ranks(offers, both, rules_at)
    for cutoff in TESTS:
        listed = shipped_list(told, "model", cutoff)
        assert listed["customer_id"].is_unique
        assert set(listed["product_id"]) == {"p2"}


def test_an_order_of_ones_own_ships_the_list(past: tuple[pd.DataFrame, pd.DataFrame], monkeypatch: pytest.MonkeyPatch) -> None:
    told, known = past
    monkeypatch.setitem(POLICIES, "largest_first", lambda rows: rows["value_at_stake"])
    own = with_ranks(told, known, lambda model, cutoff: replace(rules_at(model, cutoff), policy="largest_first"))
    listed = shipped_list(own, "model", TESTS[0])
    assert listed["value_at_stake"].is_monotonic_decreasing
    assert listed["score"].min() >= RULES.floor
    assert "largest_first" in policy_estimates(told, known, "model", rules_at, POLICIES, replicates=0, seed=1)


@pytest.mark.parametrize(
    ("kind", "keeps", "times", "base", "floor"),
    [
        ("lightgbm", True, 2.0, 0.05, 0.1),
        ("logistic", True, 1.5, 0.04, 0.06),
        ("lightgbm", False, 2.0, 0.05, 0.0),
        ("rule", True, 2.0, 0.05, 0.0),
        ("health_score", True, 2.0, 0.05, 0.0),
        ("lightgbm", True, 0.0, 0.05, 0.0),
        ("lightgbm", True, 2.0, None, 0.0),
        ("lightgbm", True, 2.0, 0.6, 0.8),
    ],
)
def test_the_floor_is_of_models_of_customers_to_keep(kind: str, keeps: bool, times: float, base: float | None, floor: float) -> None:
    given = Settings(outreach=OutreachSettings(floor=times))
    assert floor_of(given, Target("any", (), "", "", 90, keeps=keeps), kind, base) == pytest.approx(floor)


@pytest.mark.parametrize(("name", "near"), [("chanse", "chance"), ("value_over_floor", "value_above_floor"), ("", "value")])
def test_an_unknown_policy_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(PrevenanceError, match=r"outreach\.policy") as refused:
        check_settings(Settings(outreach=OutreachSettings(policy=name)))
    assert refused.value.code == "E203"
    assert near in refused.value.fix


def test_what_a_replay_has_more_or_less_is_itemised_and_adds_up() -> None:
    claimed = pd.DataFrame(
        [
            ("same", 1.0, 1, ""),
            ("held", 1.0, 2, ""),
            ("cool", 1.0, 3, ""),
            ("refit", 1.0, 4, ""),
            ("late", 1.0, 5, ""),
            ("gain", 1.0, None, "beyond_capacity"),
            ("risen", 1.0, None, "below_floor"),
            ("quiet", 0.0, 6, ""),
        ],
        columns=["customer_id", "label", "rank", "apart"],
    )
    replayed = pd.DataFrame(
        [
            ("same", "happened", 1, "", "open"),
            ("held", "happened", None, "holdout", "open"),
            ("refit", "happened", None, "beyond_capacity", "open"),
            ("late", "did not", 2, "", "open"),
            ("gain", "too late", 3, "", "new"),
            ("risen", "happened", 4, "", "new"),
            ("quiet", "did not", 5, "", "new"),
        ],
        columns=["customer_id", "outcome", "rank", "apart", "state"],
    )
    found = replay_differences(claimed, replayed, frozenset({"cool"}))
    assert found["hits"] == {"claimed": 5, "replayed": 3}
    assert found["items"] == {"below_floor": 1, "cooling_down": -1, "holdout": -1, "known_later": -1}
    assert sum(found["items"].values()) == found["hits"]["replayed"] - found["hits"]["claimed"]
    assert (found["contacts"], found["same"]) == ({"claimed": 6, "replayed": 5}, 3)


@pytest.mark.parametrize(
    ("small", "step", "noted"),
    [(12, "in_step", False), (10, "in_step", False), (2, "fewer", True), (7, "fewer", False), (19, "more", False)],
)
def test_a_segment_is_in_step_only_within_luck_in_both_directions(small: int, step: str, noted: bool) -> None:
    rows = pd.DataFrame({"segment": ["small"] * 60 + ["large"] * 40, "score": 0.1, "rank": None})
    rows.loc[[*range(small), *range(60, 60 + 20 - small)], "rank"] = 1
    told = {one["segment"]: one for one in segment_rows(rows, words("en"))}["small"]
    assert (told["step"], bool(told["note"])) == (step, noted)


WEEK = {"since": "2026-09-28", "capacity": 20, "done": 6, "left": 14, "known": True}
FLOOR = {"chance": 0.1034, "base": 0.0517, "times": 2.0, "above": 9}


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({"week": WEEK, "fits": {"listed": 14}}, "14 left of 20 this week, 6 done."),
        ({"week": WEEK | {"done": 0, "left": 20}, "fits": {"listed": 20}}, ""),
        ({"week": WEEK | {"known": False}}, "What was done this week is not known: neither contacts nor answers are recorded."),
        ({"week": WEEK | {"capacity": None, "left": None, "done": 1}}, "1 contact of this week is done."),
        ({"capacity": 20, "floor": FLOOR, "fits": {"listed": 9}}, "9 customers stand above a chance of 10.3 %, 2 times the usual 5.2 %."),
        ({"week": WEEK, "floor": FLOOR, "fits": {"listed": 14}}, "14 left of 20 this week, 6 done."),
        ({"capacity": 20, "floor": FLOOR, "fits": {"listed": 20}}, ""),
        ({"capacity": 20, "floor": FLOOR, "unit": "hours", "fits": {"listed": 9}}, ""),
    ],
)
def test_the_page_says_what_is_left_of_the_week_and_how_many_stand_above_the_floor(view: dict[str, object], said: str) -> None:
    assert bounds_sentence(words("en"), view).replace("\u202f", " ").replace("\xa0", " ") == said


@pytest.mark.parametrize("listed", [1, 3, 20, 200])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.77, 1.0, 1.2])
def test_luck_is_nine_draws_in_ten(listed: int, share: float) -> None:
    low, high = binom.ppf([0.05, 0.95], listed, min(share, 1.0))
    for contacts in range(listed + 1):
        assert _step(contacts, listed, share) == ("fewer" if contacts < low else "more" if contacts > high else "in_step")
    assert _step(listed, listed, None) == _step(0, 0, share) == ""

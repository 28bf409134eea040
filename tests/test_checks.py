"""Checks name the poisoned column and leave strong, honest ones alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.judge import checks
from prevenance.judge.drift import input_drift
from prevenance.judge.footprints import not_looked_at
from prevenance.judge.gaps import late_footprints
from prevenance.judge.leakage import find_leaks
from prevenance.models.folds import Fold
from prevenance.runs.leakage import searched_columns
from prevenance.words import words
from prevenance.words.saying import said_in

pytestmark = pytest.mark.long

CUTOFFS = tuple(pd.Timestamp("2024-01-01") + pd.Timedelta(days=90 * number) for number in range(4))
FOLDS = (Fold(CUTOFFS[:2], (CUTOFFS[2],), CUTOFFS[3]),)
HONEST = ["logins_28d", "logins_90d", "tickets_28d", "seats", "score_90d", "segment"]


@pytest.fixture(scope="module")
def clean() -> pd.DataFrame:
    """600 customers at 4 cutoffs; use fades before some leave, and the last ticket's score is unknown where there was no ticket."""
    generator = np.random.default_rng(5)
    keys = pd.MultiIndex.from_product([[f"c{number:04d}" for number in range(600)], CUTOFFS], names=["customer_id", "cutoff"])
    frame = keys.to_frame(index=False)
    health = generator.normal(size=len(frame))
    frame["label"] = (generator.random(len(frame)) < 1 / (1 + np.exp(3.2 + 1.8 * health))).astype(float)
    ahead = pd.to_timedelta(generator.integers(1, 91, len(frame)), unit="D")
    frame["outcome_at"] = (frame["cutoff"] + ahead).where(frame["label"] > 0)
    frame["logins_28d"] = generator.poisson(np.exp(2 + 0.8 * health)).astype(float)
    frame["logins_90d"] = frame["logins_28d"] + generator.poisson(np.exp(2.5 + 0.8 * health))
    frame["tickets_28d"] = generator.poisson(np.exp(-0.6 * health)).astype(float)
    frame["seats"] = np.repeat(generator.integers(1, 40, 600), 4).astype(float)
    frame["score_90d"] = pd.Series(generator.normal(size=len(frame))).where(frame["tickets_28d"] > 0)
    frame["segment"] = np.repeat(generator.choice(["small", "mid", "large"], 600), 4)
    return frame.assign(state="at_risk", value_at_stake=1.0)


def named(frame: pd.DataFrame, *poisoned: str) -> list[dict[str, object]]:
    return find_leaks(frame, [*HONEST, *poisoned], FOLDS, seed=1)


# -- leakage


def test_strong_honest_features_are_not_named(clean):
    assert named(clean) == []


@pytest.mark.parametrize("seed", [2, 3])
def test_a_date_that_runs_to_the_last_event_is_named_first(clean, seed):
    end = clean["outcome_at"].fillna(CUTOFFS[-1] + pd.Timedelta(days=120))
    poisoned = clean.assign(tenure_days=(end - CUTOFFS[0]) / pd.Timedelta(days=1))
    found = find_leaks(poisoned, [*HONEST, "tenure_days"], FOLDS, seed)
    assert [one["feature"] for one in found] == ["tenure_days"]
    assert 0.05 < found[0]["flattered_by"] < 0.5
    assert "alone it reaches AUC" in found[0]["why"]


def test_a_field_filled_in_afterwards_is_named_by_its_nulls(clean):
    generator = np.random.default_rng(0)
    told = (clean["label"] > 0) & (generator.random(len(clean)) < 0.4)
    poisoned = clean.assign(cancel_reason=pd.Series(generator.choice(["price", "merger"], len(clean))).where(told))
    found = named(poisoned, "cancel_reason")
    assert [one["feature"] for one in found] == ["cancel_reason"]
    assert "known for 39 % of those with the outcome and 0.0 % of those without" in found[0]["why"]
    assert said_in(words("de"), found[0]["why"]).startswith("bekannt bei 39\u00a0% derer mit dem Ereignis")
    assert "filled in afterwards" in found[0]["why"]


def test_a_field_blanked_afterwards_is_named_too(clean):
    poisoned = clean.assign(owner_code=clean["seats"].mask((clean["label"] > 0) & (clean["tickets_28d"] < 2)))
    assert "missing for" in named(poisoned, "owner_code")[0]["why"]


def test_what_is_missing_because_nothing_happened_is_honest(clean):
    generator = np.random.default_rng(6)
    silent = generator.random(len(clean)) < np.where(clean["label"] > 0, 0.4, 0.005)
    world = clean.assign(days_since_use=pd.Series(generator.random(len(clean))).mask(silent), uses_28d=(~silent).astype(float))
    assert named(world, "days_since_use", "uses_28d") == []
    assert [one["feature"] for one in named(world, "days_since_use")] == ["days_since_use"]


def test_a_copy_does_not_hide_a_leak(clean):
    plain = clean[["customer_id", "cutoff", "state", "label", "outcome_at", "seats", "tickets_28d"]]
    leak = 1.5 * clean["label"] + np.random.default_rng(7).normal(size=len(clean))
    found = find_leaks(plain.assign(leak=leak, copy=np.exp(leak)), ["seats", "tickets_28d", "leak", "copy"], FOLDS, seed=1)
    assert {one["feature"] for one in found} == {"leak", "copy"}


def test_fault_54_an_echo_of_the_outcome_is_named(clean):
    days = (clean["outcome_at"] - clean["cutoff"]) / pd.Timedelta(days=1)
    often = pd.concat([clean, clean.assign(customer_id="d" + clean["customer_id"])], ignore_index=True)
    echo = pd.concat([days, days]).le(7).astype(float).to_numpy()
    found = named(often.assign(closing_calls=echo), "closing_calls")
    assert [one["feature"] for one in found] == ["closing_calls"]
    assert "it follows the outcome" in found[0]["why"] or "somebody edits it" in found[0]["why"]


def test_a_status_edited_when_it_happens_is_named(clean):
    generator = np.random.default_rng(1)
    status = generator.integers(0, 5, 600).repeat(4).astype(float)
    poisoned = clean.assign(health=np.where(clean["label"] > 0, (status + 1) % 5, status))
    gone = clean.groupby("customer_id")["label"].cumsum() > clean["label"]
    found = named(poisoned[~gone], "health")
    assert [one["feature"] for one in found] == ["health"]
    assert "somebody edits it when it happens" in found[0]["why"]


def test_leaks_do_not_hide_behind_each_other(clean):
    generator = np.random.default_rng(2)
    first, second = (2.4 * clean["label"] + generator.normal(size=len(clean)) for _ in range(2))
    poisoned = clean.assign(leak_one=first, copy_of_one=first * 3 + 1, leak_two=second)
    assert {one["feature"] for one in named(poisoned, "leak_one", "copy_of_one", "leak_two")} == {"leak_one", "copy_of_one", "leak_two"}


@pytest.mark.parametrize("kind", ["triple", "emptied", "emptied and overwritten", "known in part of the cutoffs"])
def test_leaks_that_come_together_or_say_so_at_all_cutoffs_are_named(clean, kind):
    dice = np.random.default_rng(11)
    label = clean["label"].to_numpy()
    ever = clean.groupby("customer_id")["label"].transform("max") > 0
    done = ever & (pd.factorize(clean["customer_id"])[0] % 5 > 0)
    country = pd.Series(np.where(pd.factorize(clean["customer_id"])[0] % 3, "FR", "DE"), clean.index)
    planted = {
        "triple": {f"leak_{number}": 1.6 * label + dice.normal(size=len(label)) for number in range(3)},
        "emptied": {"leak": country.mask(done)},
        "emptied and overwritten": {"leak": country.mask(done), "tier": country.mask(done, "Z")},
        "known in part of the cutoffs": {
            "leak": pd.Series(2 * label + dice.normal(size=len(label)), clean.index).where(clean["cutoff"] >= CUTOFFS[2])
        },
    }[kind]
    found = named(clean.drop(columns=["logins_28d", "logins_90d"]).assign(logins_28d=0.0, logins_90d=0.0, **planted), *planted)
    assert {one["feature"] for one in found} == set(planted)


def test_nothing_looked_at_is_said(clean):
    assert not_looked_at(clean, FOLDS) == ""
    assert not_looked_at(clean.assign(label=np.nan), FOLDS) == "no label is closed yet"
    assert not_looked_at(clean.assign(label=0.0), FOLDS).startswith("customers with the outcome: 0, without: ")


def test_a_leak_only_seen_together_with_another_feature_is_named(clean):
    secret = np.random.default_rng(3).integers(0, 2, len(clean)).astype(float)
    weak = clean[["customer_id", "cutoff", "state", "label", "outcome_at", "seats"]].assign(key=secret)
    weak["lock"] = np.abs(secret - clean["label"])
    found = find_leaks(weak, ["seats", "key", "lock"], FOLDS, seed=1)
    assert "a small model reaches AUC" in found[0]["why"]


def test_too_few_outcomes_name_nothing(clean):
    few = clean[clean["customer_id"] < "c0020"]
    assert named(few.assign(leak=few["label"]), "leak") == []


def test_the_order_of_rows_and_columns_plays_no_part(clean):
    poisoned = clean.assign(leak=clean["label"] * 3 + np.random.default_rng(4).normal(size=len(clean)))
    shuffled = poisoned.sample(frac=1.0, random_state=1)
    assert named(shuffled, "leak") == named(poisoned, "leak") != []


def test_only_closed_snapshots_at_risk_of_the_folds_are_looked_at(clean):
    outside = clean.assign(leak=clean["label"]).assign(state="too_late")
    assert named(outside, "leak") == []
    assert named(clean.assign(leak=clean["label"], label=np.nan), "leak") == []
    only_late = clean.assign(leak=clean["label"].where(clean["cutoff"] == CUTOFFS[3], 0.0))
    early = (Fold(CUTOFFS[:1], (CUTOFFS[1],), CUTOFFS[2]),)
    assert find_leaks(only_late, [*HONEST, "leak"], early, seed=1) == []


def test_empty_and_constant_features_are_no_leaks(clean):
    assert find_leaks(clean.assign(same=1.0, empty=np.nan), ["same", "empty"], FOLDS, seed=1) == []


# -- the other checks


def predictions(label: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    names = [f"c{number:04d}" for number in range(len(label))]
    frame = pd.DataFrame({"fold": 1, "cutoff": CUTOFFS[0], "customer_id": names, "label": label, "model": "m", "score": score})
    return frame.assign(raw=frame["score"], outcome_at=pd.NaT)


def test_leaks_in_use_fail_and_left_out_ones_warn():
    leak = {"feature": "tenure_days", "why": "alone it reaches AUC 0.93", "flattered_by": 0.2}
    used = checks.check_leaks([leak])
    assert used.severity == "fail"
    assert "in use" in used.text
    assert "tenure_days (alone it reaches AUC 0.93)" in used.text
    assert checks.check_leaks([leak], ["tenure_days"]).severity == "warn"
    assert checks.check_leaks([]).severity == "pass"


def test_what_somebody_vouches_for_is_not_searched_for_leaks_and_is_told():
    said = ["before"]
    assert searched_columns(["a", "b", "c"], [], said) == ["a", "b", "c"]
    assert said == ["before"]
    for _ in range(2):
        assert searched_columns(["a", "b", "c"], ["b"], said) == ["a", "c"]
    assert said == ["before", "features.trusted: b not searched for leaks"]
    with pytest.raises(
        PrevenanceError, match=r'E203 key=features.trusted — no feature in use is called "tenure". FIX: did you mean "?tenure_days'
    ):
        searched_columns(["a", "tenure_days"], ["tenure"], said)


@pytest.mark.parametrize(("outcomes", "severity"), [(30, "fail"), (3, "warn")])
def test_a_perfect_model_is_not_believed(outcomes, severity):
    label = np.repeat([1.0, 0.0], [outcomes, 300])
    found = checks.check_too_good(predictions(label, label * 0.9), "m")
    assert (found.code, found.severity) == ("PV002", severity)
    assert f"AUC 1.000 on {outcomes} customers" in found.text


def test_an_ordinary_model_is_believed():
    generator = np.random.default_rng(0)
    label = (generator.random(400) < 0.1).astype(float)
    assert checks.check_too_good(predictions(label, generator.random(400)), "m").severity == "pass"
    assert "not checked" in checks.check_too_good(predictions(label * 0, label), "m").text


def test_a_base_rate_that_moved_is_told(clean):
    assert checks.check_base_rate(clean, FOLDS).severity == "pass"
    tripled = clean.assign(label=clean["label"].mask((clean["cutoff"] == CUTOFFS[3]) & (clean["seats"] < 15), 1.0))
    found = checks.check_base_rate(tripled, FOLDS)
    assert found.severity == "warn"
    assert "at 2024-09-27" in found.text


@pytest.mark.parametrize(("promised", "severity"), [(0.5, "pass"), (0.42, "pass"), (0.85, "fail"), (0.15, "fail")])
def test_the_highest_tenth_may_be_off_by_luck_alone(promised, severity):
    label = np.tile([1.0, 0.0], 200)
    found = checks.check_chances(predictions(label, np.full(400, promised)), "m")
    assert found.severity == severity
    assert f"the highest tenth was given {promised * 100:.1f} %, 50.0 % came (by luck" in found.text


@pytest.mark.parametrize(("model", "other"), [("logistic", "lightgbm"), ("lightgbm", "logistic"), ("rule", "logistic")])
def test_the_way_out_of_chances_that_are_off_is_another_kind_of_model(model, other):
    rows = predictions(np.tile([1.0, 0.0], 200), np.full(400, 0.85)).assign(model=model)
    assert f"try another kind (model={other})" in checks.check_chances(rows, model).text


def test_a_handful_of_customers_is_no_evidence_against_chances():
    label = np.tile([1.0, 0.0, 0.0, 0.0], 40)
    found = checks.check_chances(predictions(label, np.full(160, 0.8)), "m")
    assert (found.severity, "too few to say more" in found.text) == ("pass", True)


def test_perfect_chances_fail_once_in_a_hundred_worlds_at_most():
    generator, failed = np.random.default_rng(0), 0
    for _ in range(60):
        score = generator.beta(1, 8, 1000)
        failed += checks.check_chances(predictions((generator.random(1000) < score).astype(float), score), "m").severity == "fail"
    assert failed <= 3


def test_features_that_say_nothing_are_listed(clean):
    found = checks.check_constant(clean.assign(same=1.0, empty=np.nan), [*HONEST, "same", "empty"])
    assert found.severity == "warn"
    assert "2 of 8 features are the same in every row: same, empty" in found.text
    assert checks.check_constant(clean, HONEST).severity == "pass"


def test_a_footprint_in_use_warns_and_a_slow_signal_does_not(clean):
    often = pd.concat([clean, clean.assign(customer_id="d" + clean["customer_id"])], ignore_index=True)
    days = (often["outcome_at"] - often["cutoff"]) / pd.Timedelta(days=1)
    echo = 1.4 * days.le(7) + np.random.default_rng(2).normal(size=len(often))
    found = checks.check_footprints(late_footprints(often.assign(echo=echo), [*HONEST, "echo"]))
    assert (found.code, found.severity) == ("PV007", "warn")
    assert found.text.endswith("earlier): echo")
    assert find_leaks(often.assign(echo=echo), [*HONEST, "echo"], FOLDS, seed=1) == []
    assert checks.check_footprints(late_footprints(often, HONEST)).severity == "pass"


def test_inputs_that_moved_warn_with_their_words(clean):
    newest = clean[clean["cutoff"] == CUTOFFS[3]]
    assert checks.check_drift(input_drift(clean, newest, HONEST)).severity == "pass"
    found = checks.check_drift(input_drift(clean, newest.assign(seats=newest["seats"] * 3), HONEST))
    assert (found.code, found.severity) == ("PV008", "warn")
    assert found.text.startswith("1 of 6 inputs moved since training: seats (median ")
    assert "not checked" in checks.check_drift(None).text


def test_every_check_is_made_and_has_its_code(clean):
    label = clean.loc[clean["cutoff"] == CUTOFFS[3], "label"].to_numpy()
    made = checks.check_findings(clean, HONEST, FOLDS, predictions(label, label * 0 + 0.1), "m")
    assert [one.code for one in made] == list(checks.TITLES)
    assert {one.severity for one in made} <= {"pass", "warn"}
    assert {one.code for one in made if one.severity == "warn"} >= {"PV006"}


def test_checks_stand_an_empty_run(clean):
    nothing = predictions(np.zeros(0), np.zeros(0))
    made = checks.check_findings(clean.head(0), HONEST, (), nothing, "m")
    assert {one.severity for one in made} == {"pass", "warn"}

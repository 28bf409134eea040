"""Training on folds: what a model may see, that order and threads do not matter, and how the challenger is picked."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.models import boosted, tuning
from prevenance.models.bundle import chance, save
from prevenance.models.folds import Fold, make_folds
from prevenance.models.levelled import LevelledLogistic
from prevenance.models.told_rule import fitted_rule, rule_text
from prevenance.models.training import (
    Backtest,
    backtest,
    fit_model,
    model_ladder,
    positive_customers,
    tune_model,
    usable_rows,
    with_interval_band,
)
from prevenance.models.tuning import choose_challenger, is_tuned_on, tuned_settings

FEATURES = ("logins_28d", "logins_28d_trend", "tickets_28d", "noise", "industry")


def world(customers: int = 120, cutoffs: int = 12, seed: int = 0) -> pd.DataFrame:
    """Return a training frame, 28 days between cutoffs, whose label depends on logins and their trend."""
    random = np.random.default_rng(seed)
    dates = pd.date_range("2025-01-06", periods=cutoffs, freq="28D")
    frame = pd.DataFrame({"customer_id": [f"c{number:03d}" for number in range(customers)] * cutoffs})
    rows = len(frame)
    frame["cutoff"] = np.repeat(dates.to_numpy().astype("datetime64[us]"), customers)
    frame = frame.assign(state="at_risk", value_at_stake=100.0, logins_28d=random.poisson(20, rows).astype("float64"))
    frame = frame.assign(
        logins_28d_trend=random.uniform(-1, 1, rows), tickets_28d=random.poisson(2, rows) * 1.0, noise=random.normal(size=rows)
    )
    frame["industry"] = pd.Series(random.choice(["bank", "shop"], rows), dtype="str")
    odds = -2.0 - 0.1 * (frame["logins_28d"] - 20) - 1.5 * frame["logins_28d_trend"]
    frame["label"] = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype("float64")
    frame["outcome_at"] = frame["cutoff"].where(frame["label"] == 1) + pd.Timedelta(days=10)
    return frame


def parted(frame: pd.DataFrame, tests: int = 3) -> tuple[Fold, ...]:
    return make_folds(frame["cutoff"].unique(), horizon_days=28, settle_days=0, tests=tests, calibrate=2)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return world()


@pytest.fixture(scope="module")
def tested(frame) -> Backtest:
    return backtest(frame, parted(frame), ("logistic", "lightgbm"), FEATURES, seed=1, trials=3, champion=("logistic", {"strength": 0.1}))


@pytest.mark.parametrize(
    ("found", "kinds"), [(0, ()), (19, ()), (20, ("logistic",)), (99, ("logistic",)), (100, ("logistic", "blend", "lightgbm"))]
)
def test_the_ladder_of_models(found, kinds):
    assert model_ladder(found) == kinds


def test_only_rows_at_risk_with_a_closed_label_are_used_in_one_order(frame):
    mixed = frame.sample(frac=1, random_state=3)
    mixed.iloc[0, mixed.columns.get_loc("label")] = np.nan
    mixed.iloc[1, mixed.columns.get_loc("state")] = "too_late"
    rows = usable_rows(mixed)
    assert len(rows) == len(frame) - 2
    pd.testing.assert_frame_equal(rows, usable_rows(mixed.iloc[::-1]))


def test_positives_are_customers_and_not_snapshots():
    rows = pd.DataFrame(
        {"customer_id": ["a", "a", "b", "c"], "cutoff": pd.to_datetime(["2025-01-01"] * 4), "label": [1.0, 1.0, 0.0, np.nan]}
    )
    assert positive_customers(rows) == 1


@pytest.mark.parametrize("kind", ["base_rate", "rule", "customer_rules", "logistic", "lightgbm"])
def test_row_order_and_threads_leave_the_bytes_alone(kind, frame, tmp_path):
    fold = parted(frame)[-1]
    orders = [frame, frame.sample(frac=1, random_state=5).reset_index(drop=True)]
    digests = {save(fit_model(rows, fold, kind, FEATURES, seed=1, threads=threads), tmp_path) for rows in orders for threads in (1, 2)}
    assert len(digests) == 1


@pytest.mark.parametrize("kind", ["rule", "logistic", "blend", "lightgbm"])
def test_rows_outside_the_fold_change_nothing(kind, frame, tmp_path):
    fold = parted(frame)[0]
    later = frame.copy()
    outside = ~later["cutoff"].isin(fold.learned)
    later.loc[outside, "label"] = 1 - later.loc[outside, "label"]
    later.loc[outside, "industry"] = "new"
    later.loc[outside, "noise"] = 1e9
    assert save(fit_model(later, fold, kind, FEATURES, seed=1), tmp_path) == save(fit_model(frame, fold, kind, FEATURES, seed=1), tmp_path)
    inside = later["cutoff"].isin(fold.fit)
    later.loc[inside, "label"] = 1 - later.loc[inside, "label"]
    assert save(fit_model(later, fold, kind, FEATURES, seed=1), tmp_path) != save(fit_model(frame, fold, kind, FEATURES, seed=1), tmp_path)


def test_what_a_model_says_of_itself(frame):
    fold = parted(frame)[0]
    about = fit_model(frame, fold, "rule", FEATURES, seed=4, about={"target": "churn"}).about
    assert about["trained_until"] == fold.test.isoformat()
    assert (about["target"], about["seed"], about["calibrated_on"], about["snapshots"]) == (
        "churn",
        4,
        "out of fold",
        120 * len(fold.learned),
    )


def test_a_model_learns_from_all_that_had_closed_and_its_chances_add_up(frame):
    fold = parted(frame)[-1]
    assert set(fold.learned) >= {*fold.fit, *fold.calibrate}
    known = frame[frame["cutoff"].isin(fold.learned)]
    fitted = fit_model(frame, fold, "logistic", FEATURES, seed=1)
    assert fitted.about["snapshots"] == len(known)
    assert chance(fitted, known).mean() == pytest.approx(known["label"].mean(), abs=0.02)


def test_chances_are_calibrated_on_customers_that_the_model_had_not_learned_from(frame):
    # Trees that learn every customer by heart: told by themselves they would be sure of each, told by others they know little.
    heart = {"num_leaves": 31, "min_data_in_leaf": 1, "n_estimators": 300, "lambda_l2": 0.0}
    fitted = fit_model(frame, parted(frame)[-1], "lightgbm", ("noise",), seed=1, params=heart)
    known = frame[frame["cutoff"].isin(parted(frame)[-1].learned)]
    assert abs(np.log(chance(fitted, known) / (1 - chance(fitted, known)))).max() < 3
    assert fitted.calibrator[0] < 0.3


def test_too_few_customers_to_part_are_calibrated_on_themselves_and_it_is_said(frame):
    some = frame[frame["customer_id"].isin(frame["customer_id"].unique()[:2])]
    assert fit_model(some, parted(frame)[0], "rule", FEATURES, seed=1).about["calibrated_on"] == "fit"


def test_a_line_takes_no_credit_for_the_calendar():
    """A clock that runs along with a rising rate says nothing of who leaves: with a level for each cutoff its weight is all but nothing."""
    generator = np.random.default_rng(0)
    month = np.repeat(np.arange(8.0), 400)
    label = (generator.random(len(month)) < 0.05 + 0.05 * month).astype(float)
    matrix = np.column_stack([month + generator.normal(0, 0.3, len(month)), generator.normal(size=len(month))])
    plain, levelled = LevelledLogistic(C=1.0).fit(matrix, label), LevelledLogistic(C=1.0).fit(matrix, label, month.astype(int))
    assert plain.coef_[0, 0] > 0.2
    assert abs(levelled.coef_[0, 0]) < 0.15
    assert levelled.coef_.shape == (1, 2)
    assert levelled.predict_proba(matrix)[:, 1].mean() == pytest.approx(label.mean(), abs=0.05)


@pytest.mark.parametrize("kind", ["base_rate", "rule", "logistic", "blend", "lightgbm"])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_teaches_nothing_but_a_rate(kind, label, frame):
    fold = parted(frame)[0]
    found = fit_model(frame.assign(label=label), fold, kind, FEATURES, seed=1)
    assert found.parameters == {}
    assert abs(chance(found, frame) - label).max() < 0.01


def test_features_that_never_differ_teach_nothing(frame):
    found = fit_model(frame.assign(noise=1.0), parted(frame)[0], "logistic", ("noise",), seed=1)
    assert (found.parameters, found.encoder.dropped) == ({}, ("noise",))


def test_one_customer_gets_a_chance(frame):
    one = frame[frame["customer_id"] == "c001"]
    found = fit_model(one, parted(frame)[-1], "rule", FEATURES, seed=1)
    assert 0 < chance(found, one).min() <= chance(found, one).max() < 1


def test_a_fold_without_closed_labels_is_refused(frame):
    with pytest.raises(PrevenanceError, match=r"E601.*no closed label among 1 cutoffs"):
        fit_model(frame, Fold((datetime(2020, 1, 1),), (), datetime(2021, 1, 1)), "rule", FEATURES, seed=1)


def test_a_backtest_has_every_model_beside_its_rivals(tested, frame):
    assert set(tested.predictions["model"]) == {"base_rate", "rule", "customer_rules", "logistic", "lightgbm", "champion"}
    tests = {pd.Timestamp(fold.test) for fold in parted(frame)}
    assert set(tested.predictions["cutoff"]) == tests
    assert list(tested.predictions) == ["fold", "cutoff", "customer_id", "label", "outcome_at", "model", "score", "raw"]
    assert len(tested.predictions) == 6 * 3 * 120
    assert tested.predictions["score"].between(0, 1).all()


def test_a_backtest_finds_the_planted_cause(tested):
    assert tested.rules == ("logins_28d_trend, smallest first",) * 3
    loss = {name: np.mean(values) for name, values in tested.early_loss.items()}
    assert max(loss["logistic"], loss["rule"]) < loss["base_rate"]


def test_customer_rules_are_left_out_where_they_cannot_be_asked(frame):
    found = backtest(frame, parted(frame, 1), (), ("noise",), seed=1)
    assert set(found.predictions["model"]) == {"base_rate", "rule"}


def test_no_folds_give_no_predictions_but_the_same_columns(frame, tested):
    found = backtest(frame, (), ("logistic",), FEATURES, seed=1)
    assert found.predictions.empty
    assert list(found.predictions) == list(tested.predictions)
    assert choose_challenger(found.early_loss, ("logistic",)) is None


def test_the_challenger_is_chosen_without_a_look_at_the_tests(frame, tested):
    flipped = frame.copy()
    last = flipped["cutoff"] >= pd.Timestamp(parted(frame)[0].test)
    flipped.loc[last, "label"] = 1 - flipped.loc[last, "label"]
    again = backtest(flipped, parted(frame), ("logistic", "lightgbm"), FEATURES, seed=1, trials=3)
    assert {kind: again.early_loss[kind] for kind in ("logistic", "lightgbm")} == {
        kind: tested.early_loss[kind] for kind in ("logistic", "lightgbm")
    }
    assert choose_challenger(tested.early_loss, ("logistic", "lightgbm")) == choose_challenger(again.early_loss, ("logistic", "lightgbm"))


@pytest.mark.long
def test_a_blend_is_the_mean_of_the_models_beside_it_and_the_same_when_fitted_alone(frame):
    kinds = ("logistic", "blend", "lightgbm")
    told = backtest(frame, parted(frame, 2), kinds, FEATURES, seed=1, trials=3)
    raw = told.predictions.pivot(index=["fold", "cutoff", "customer_id"], columns="model", values="raw")
    np.testing.assert_allclose(raw["blend"], (raw["logistic"] + raw["lightgbm"]) / 2, atol=1e-12)
    assert told.params["blend"] == {kind: told.params[kind] for kind in ("logistic", "lightgbm")}
    alone = backtest(frame, parted(frame, 2), ("blend",), FEATURES, seed=1, trials=3)
    assert alone.params["blend"] == told.params["blend"]
    mine, theirs = (one.predictions[one.predictions["model"] == "blend"].reset_index(drop=True) for one in (alone, told))
    pd.testing.assert_frame_equal(mine, theirs)


@pytest.fixture
def trials(monkeypatch):
    """Let LightGBM's settings be tried although the frame's customers are few."""
    monkeypatch.setattr(tuning, "TELLING", 1)


def test_boosting_keeps_its_defaults_where_few_customers_would_tell(frame, monkeypatch):
    fold = parted(frame)[0]
    later = frame[frame["cutoff"].isin(fold.calibrate) & is_tuned_on(frame) & (frame["label"] == 1)]["customer_id"].nunique()
    assert 1 < later < tuning.TELLING
    assert tune_model(frame, fold, FEATURES, seed=1, trials=3) == boosted.DEFAULTS
    monkeypatch.setattr(tuning, "TELLING", later)
    assert tune_model(frame, fold, FEATURES, seed=1, trials=3) != boosted.DEFAULTS


def test_kinds_are_compared_on_customers_that_nothing_was_tuned_on(frame, tested, trials):
    fold = parted(frame)[0]
    compared = ~is_tuned_on(frame)
    assert {len(losses) for losses in tested.early_loss.values()} == {frame.loc[compared, "customer_id"].nunique()}
    noisy = frame.copy()
    changed = compared & noisy["cutoff"].isin(fold.calibrate)
    noisy.loc[changed, "label"] = 1 - noisy.loc[changed, "label"]
    told = {kind: tune_model(frame, fold, FEATURES, seed=1, trials=3, kind=kind) for kind in ("logistic", "lightgbm")}
    assert told == {kind: tune_model(noisy, fold, FEATURES, seed=1, trials=3, kind=kind) for kind in ("logistic", "lightgbm")}
    noisy.loc[~compared, "label"] = 1 - noisy.loc[~compared, "label"]
    assert told != {kind: tune_model(noisy, fold, FEATURES, seed=1, trials=3, kind=kind) for kind in ("logistic", "lightgbm")}


def test_a_tie_goes_to_the_simpler_kind():
    tie = {"logistic": (1.0, 0.5), "lightgbm": (1.0, 0.5), "rule": (0.1, 0.1)}
    assert choose_challenger(tie, ("logistic", "lightgbm")) == "logistic"


def test_the_simpler_kind_stays_within_a_standard_error():
    simple = tuple(np.linspace(0.1, 1.0, 50))
    noisy = tuple(loss - 0.01 + (0.2 if number % 2 else -0.2) for number, loss in enumerate(simple))
    better = tuple(loss - 0.05 - 0.01 * (number % 2) for number, loss in enumerate(simple))
    assert choose_challenger({"logistic": simple, "lightgbm": noisy}, ("logistic", "lightgbm")) == "logistic"
    assert choose_challenger({"logistic": simple, "lightgbm": better}, ("logistic", "lightgbm")) == "lightgbm"


def test_given_settings_are_not_tuned_again(frame):
    given = {"logistic": {"strength": 0.5}}
    assert backtest(frame, parted(frame, 1), ("logistic",), FEATURES, seed=1, params=given).params == given


def test_tuning_is_the_same_on_any_order_and_threads(frame, trials):
    fold = parted(frame)[-1]
    one = tune_model(frame, fold, FEATURES, seed=2, trials=8, threads=1)
    two = tune_model(frame.sample(frac=1, random_state=1), fold, FEATURES, seed=2, trials=8, threads=2)
    assert one == two
    assert set(one) == {"learning_rate", "num_leaves", "min_data_in_leaf", "feature_fraction", "lambda_l2", "n_estimators"}


def test_tuning_never_sees_the_test(frame, trials):
    fold = parted(frame)[0]
    later = frame.copy()
    outside = ~later["cutoff"].isin(fold.learned)
    later.loc[outside, "label"] = 1 - later.loc[outside, "label"]
    for kind in ("lightgbm", "logistic"):
        assert tune_model(later, fold, FEATURES, seed=2, trials=6, kind=kind) == tune_model(
            frame, fold, FEATURES, seed=2, trials=6, kind=kind
        )


def test_without_a_later_part_settings_are_tried_on_other_customers(frame, trials):
    fold = Fold(parted(frame)[0].fit, (), parted(frame)[0].test)
    known = frame[frame["cutoff"].isin(fold.fit)].sort_values(["cutoff", "customer_id"], kind="stable", ignore_index=True)
    tried = is_tuned_on(known)
    assert 0 < known.loc[tried, "customer_id"].nunique() < known["customer_id"].nunique()
    for kind in ("lightgbm", "logistic"):
        found = tune_model(frame, fold, FEATURES, seed=1, trials=3, kind=kind)
        assert found == tuned_settings(kind, known[~tried], known[tried], FEATURES, seed=1, trials=3)


def test_nothing_is_tuned_without_two_classes(frame):
    fold = parted(frame)[0]
    assert tune_model(frame.assign(label=0.0), fold, FEATURES, seed=1) == {}
    assert tune_model(frame, fold, FEATURES, seed=1, kind="neural") == {}


def test_the_band_is_taken_from_predictions_of_later_periods(frame, tested):
    found = fit_model(frame, parted(frame)[-1], "logistic", FEATURES, seed=1)
    banded = with_interval_band(found, tested.predictions, "logistic")
    assert banded.band != found.band
    assert banded.band[-2][0] == tested.predictions.query("model == 'logistic'")["score"].max()
    assert with_interval_band(found, tested.predictions, "neural") == found


def test_the_rule_in_words(frame):
    assert rule_text(fit_model(frame, parted(frame)[-1], "rule", FEATURES, seed=1)) == "logins_28d_trend, smallest first"
    alone = fitted_rule(usable_rows(frame), parted(frame)[-1], FEATURES, seed=1)  # the same rule, without its calibration
    assert (alone.parameters, alone.encoder) == (
        (whole := fit_model(frame, parted(frame)[-1], "rule", FEATURES, seed=1)).parameters,
        whole.encoder,
    )
    assert rule_text(fit_model(frame.assign(label=0.0), parted(frame)[-1], "rule", FEATURES, seed=1)) == "none"


def test_a_pair_of_customer_and_product_keeps_its_product(frame):
    pairs = pd.concat([frame.assign(product_id="a"), frame.assign(product_id="b")])
    found = backtest(pairs, parted(frame, 1), (), FEATURES, seed=1).predictions
    assert list(found["product_id"].unique()) == ["a", "b"]


@pytest.mark.parametrize(
    ("positives", "parted", "said"),
    [
        (0, True, "no positives"),
        (7, True, "7 customers with the outcome, fewer than 20"),
        (240, False, "no test period"),
        (240, True, "no customer is left"),
    ],
)
def test_why_no_model_challenged_is_the_true_reason(positives, parted, said):
    from types import SimpleNamespace
    from typing import Any

    from prevenance.runs.no_model import no_challenger_text
    from prevenance.runs.settings.schema import Settings

    target: Any = SimpleNamespace(horizon_days=60, settle_days=10, burn_in_days=0)
    tested: Any = SimpleNamespace(positives=positives, rows=[1], parted=(1,) if parted else (), kinds=("logistic",))
    found = no_challenger_text(Settings(), target, tested)
    assert said in found
    assert ("fewer than" in found) == (0 < positives < 20)


@pytest.mark.parametrize(
    ("cutoffs", "looks_back", "said"),
    [
        (24, 0, "90 + 2 × 70 = 230 days of history make one, or a smaller target.horizon_days or validation.burn_in_days"),
        (24, 120, "120 + 2 × 70 = 260 days of history make one, or a smaller target.horizon_days or target.active_days"),
        (3, 0, "set validation.cutoffs=4 or more"),
    ],
)
def test_without_a_test_period_it_says_how_much_makes_one(cutoffs, looks_back, said):
    from types import SimpleNamespace
    from typing import Any

    from prevenance.runs.no_model import no_challenger_text
    from prevenance.runs.settings.schema import Settings, ValidationSettings

    given = Settings(validation=ValidationSettings(cutoffs=cutoffs, step_days=28))
    target: Any = SimpleNamespace(horizon_days=60, settle_days=10, burn_in_days=looks_back)
    tested: Any = SimpleNamespace(positives=2069, rows=[1], parted=(), kinds=("logistic",))
    found = no_challenger_text(given, target, tested)
    assert said in found
    assert "fewer than" not in found

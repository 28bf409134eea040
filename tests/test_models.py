"""The models: what goes in, what is kept, and that a saved model is the model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.models import MODELS, module
from prevenance.models.bands import interval_band
from prevenance.models.boosted import DEFAULTS
from prevenance.models.bundle import Fitted, calibrated, chance, interval, load, log_odds, save
from prevenance.models.calibrate import WHOLE, platt_calibrator
from prevenance.models.customer_rules import CustomerRule, usable_rules
from prevenance.models.encode import LEVELS, Encoder, fit_encoder
from prevenance.models.precedents import precedents, similar_counts
from prevenance.models.single import average_precision

KINDS = sorted(MODELS)

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


def world(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Return features with holes and a label that depends on logins and industry."""
    random = np.random.default_rng(seed)
    logins = random.poisson(20, rows).astype("float64")
    trend = random.uniform(-1, 1, rows)
    industry = random.choice(["bank", "shop", "law"], rows)
    odds = -1.5 - 0.15 * (logins - 20) - 1.5 * trend + (industry == "law")
    label = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype("float64")
    logins[random.random(rows) < 0.1] = np.nan
    frame = pd.DataFrame({"logins_28d": logins, "logins_28d_trend": trend, "tickets_28d": random.poisson(2.0, rows).astype("float64")})
    return frame.assign(noise=random.normal(size=rows), industry=pd.Series(industry, dtype="str"), label=label)


FEATURES = ("logins_28d", "logins_28d_trend", "tickets_28d", "noise", "industry")


def fitted(kind: str, frame: pd.DataFrame, threads: int = 0) -> Fitted:
    encoder = fit_encoder(frame, FEATURES)
    more = {"categorical_feature": list(encoder.categories)} if kind in ("lightgbm", "random_forest") else {}
    estimator = module(kind).estimator(encoder, seed=1, threads=threads)
    estimator.fit(encoder.matrix(frame), frame["label"].to_numpy(), **more)
    return Fitted(
        kind, encoder, module(kind).parameters(estimator), (1.2, -0.1), band=((0.1, 0.05, 0.2), (0.6, 0.4, 0.7)), about={"seed": 1}
    )


def test_codes_go_by_frequency_then_name_and_unseen_words_share_one():
    column = pd.Series(["b", "a", "c", "c", None], dtype="str")
    encoder = fit_encoder(pd.DataFrame({"plan": column, "seats": [1.0, np.inf, 3, 4, 5]}), ("plan", "seats"))
    assert encoder.vocabulary == {"plan": ("c", "a", "b")}
    later = pd.DataFrame({"seats": [-np.inf, 2.0], "plan": pd.Series(["zebra", None], dtype="str")})
    np.testing.assert_array_equal(encoder.matrix(later), [[3.0, np.nan], [np.nan, 2.0]])


def test_a_text_column_keeps_at_most_fifty_words():
    words = [f"w{number:03d}" for number in range(300)]
    encoder = fit_encoder(pd.DataFrame({"tag": words}), ("tag",))
    assert len(encoder.vocabulary["tag"]) == LEVELS
    assert encoder.matrix(pd.DataFrame({"tag": words})).max() == LEVELS


def test_constant_and_empty_columns_are_dropped_and_named():
    frame = pd.DataFrame({"same": [1.0, 1, 1], "empty": [np.nan] * 3, "half": [1.0, np.nan, 1], "good": [1.0, 2, 3]})
    encoder = fit_encoder(frame.assign(word="x"), ("same", "empty", "half", "good", "word"))
    assert encoder.features == ("half", "good")
    assert encoder.dropped == ("same", "empty", "word")


def test_an_absent_feature_is_named():
    with pytest.raises(PrevenanceError, match=r"E504.*1 of the model's 2 inputs are absent: seats"):
        Encoder(("mrr", "seats")).matrix(pd.DataFrame({"mrr": [1.0]}))


def test_an_unknown_model_is_named_with_the_nearest():
    with pytest.raises(PrevenanceError, match=r'E203.*did you mean "logistic"'):
        module("logistics")


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_scikit_learns_ties_included(seed):
    from sklearn.metrics import average_precision_score

    random = np.random.default_rng(seed)
    values, labels = random.integers(0, 6, 80).astype("float64"), random.integers(0, 2, 80)
    largest, smallest = average_precision(values, labels)
    assert largest == pytest.approx(average_precision_score(labels, values))
    assert smallest == pytest.approx(average_precision_score(labels, -values))


def test_average_precision_without_a_positive_is_zero():
    assert average_precision(np.arange(3.0), np.zeros(3)) == (0.0, 0.0)


def test_the_rule_finds_the_feature_and_its_direction():
    found = fitted("rule", world(2000))
    assert found.encoder.features[found.parameters["place"]] == "logins_28d_trend"
    assert found.parameters["direction"] == -1.0


def test_the_rule_treats_a_missing_value_as_the_median():
    model = fitted("rule", world()).parameters
    place = model["place"]
    rows = np.zeros((2, 5))
    rows[0, place], rows[1, place] = np.nan, model["middle"]
    assert list(module("rule").log_odds(model, rows)) == [0.0, 0.0]


def test_customer_rules_count_what_holds_and_skip_what_cannot_be_asked():
    encoder = Encoder(("tickets_28d", "logins_28d_trend"))
    assert [rule.name for rule in usable_rules(encoder)] == ["use halved in four weeks", "more than three tickets in four weeks"]
    rules = module("customer_rules")
    parameters = rules.parameters(rules.estimator(encoder, seed=0))
    rows = np.array([[4.0, -0.5], [3.0, -0.3], [np.nan, -1 / 3]])
    assert list(rules.log_odds(parameters, rows)) == [2.0, 0.0, 1.0]


def test_a_customers_own_rules_can_replace_ours():
    rules, encoder = module("customer_rules"), Encoder(("nps",))
    estimator = rules.estimator(encoder, seed=0, rules=(CustomerRule("detractor", (("nps", "<=", 6.0),)),))
    assert list(rules.log_odds(rules.parameters(estimator), np.array([[3.0], [9.0], [np.nan]]))) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", ["logistic", "neural"])
def test_plain_parameters_say_what_the_estimator_says(kind):
    frame = world()
    encoder = fit_encoder(frame, FEATURES)
    matrix = encoder.matrix(frame)
    estimator = module(kind).estimator(encoder, seed=1).fit(matrix, frame["label"].to_numpy())
    matrix[0, :2], matrix[1, 4] = [1e300, np.nan], np.nan
    matrix[2, 4] = 3.0
    odds = estimator.predict_proba(matrix)
    np.testing.assert_allclose(
        module(kind).log_odds(module(kind).parameters(estimator), matrix), np.log(odds[:, 1] / odds[:, 0]), atol=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_scores_the_same_alone_and_among_others(kind):
    frame = world()
    model = fitted(kind, frame)
    together = log_odds(model, frame)
    alone = np.concatenate([log_odds(model, frame.iloc[[place]]) for place in range(25)])
    np.testing.assert_array_equal(alone, together[:25])


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_add_up(kind):
    frame = world()
    model = fitted(kind, frame)
    exact = module(kind).contributions(model.parameters, model.encoder.matrix(frame))
    if kind == "neural":
        assert exact is None
        return
    base, found = exact
    assert found.shape == (len(frame), len(FEATURES))
    np.testing.assert_allclose(base + found.sum(axis=1), log_odds(model, frame), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_that_is_loaded_is_the_model_that_was_saved(kind, tmp_path):
    frame = world()
    model = fitted(kind, frame)
    digest = save(model, tmp_path / "model")
    found = load(tmp_path / "model", digest)
    assert found == model
    np.testing.assert_array_equal(chance(found, frame), chance(model, frame))


@pytest.mark.parametrize("kind", ["lightgbm", "random_forest"])
def test_trees_are_equal_bytes_on_two_runs_and_on_one_or_two_threads(kind, tmp_path):
    frame = world(1500)
    texts = {fitted(kind, frame, threads).parameters["trees"] for threads in (1, 2, 2, 0)}
    assert len(texts) == 1
    assert "num_threads" not in texts.pop()


def test_the_forest_is_a_mean_of_trees_not_a_sum():
    values = log_odds(fitted("random_forest", world()), world())
    assert np.abs(values).max() < 10


@pytest.mark.parametrize("name", ["model.json", "manifest.json", "booster.txt"])
def test_a_folder_that_lacks_a_file_is_refused(name, tmp_path):
    digest = save(fitted("lightgbm", world()), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(PrevenanceError, match=rf"E502.*{name}: cannot be read.*FIX: restore"):
        load(tmp_path, digest)


def test_a_manifest_that_was_rewritten_to_match_is_refused(tmp_path):
    model = fitted("logistic", world())
    digest = save(model, tmp_path)
    save(replace(model, calibrator=(9.0, 0.0)), tmp_path)
    with pytest.raises(PrevenanceError, match=r"E502.*manifest.json: digest differs"):
        load(tmp_path, digest)


def test_a_manifest_cannot_point_outside_the_folder(tmp_path):
    import hashlib

    manifest = json.dumps({"files": {"../model.json": "0"}}).encode()
    (tmp_path / "manifest.json").write_bytes(manifest)
    with pytest.raises(PrevenanceError, match=r"E502.*no file of a model"):
        load(tmp_path, hashlib.sha256(manifest).hexdigest())


def test_a_model_that_learned_nothing_says_the_same_of_everybody():
    model = Fitted("rule", Encoder(()), {}, (0.0, -2.0))
    assert list(log_odds(model, world(3))) == [0.0, 0.0, 0.0]
    assert len(set(chance(model, world(3)))) == 1


def test_platt_finds_the_slope_and_intercept_of_honest_log_odds():
    random = np.random.default_rng(0)
    values = random.normal(size=20000)
    labels = (random.random(20000) < 1 / (1 + np.exp(-(0.7 * values - 1.0)))).astype("float64")
    slope, intercept = platt_calibrator(values, labels)
    assert slope == pytest.approx(0.7, abs=0.05)
    assert intercept == pytest.approx(-1.0, abs=0.05)


@pytest.mark.parametrize("labels", [[0.0, 0, 0, 0], [1.0, 1, 1, 1], [1.0, 1, 0, 0]])
def test_platt_is_flat_for_one_class_and_for_an_order_upside_down(labels):
    slope, intercept = platt_calibrator(np.array([1.0, 2, 3, 4]), np.array(labels))
    rate = (sum(labels) + 0.5) / 5
    assert slope == 0.0
    assert 1 / (1 + np.exp(-intercept)) == pytest.approx(rate)


def test_platt_keeps_its_head_when_the_classes_are_parted():
    slope, intercept = platt_calibrator(np.arange(20.0), np.repeat([0.0, 1.0], 10))
    assert 0.5 < 1 / (1 + np.exp(-(slope * 19 + intercept))) < 0.999


def said(seed: int, *, off: float = 0.0, customers: int = 500, periods: int = 6) -> tuple[np.ndarray, ...]:
    """Return scores, labels, customers, periods and true chances: told by a curve of which intercept and slope were learned, the level off by luck each period."""
    random = np.random.default_rng(seed)
    who, when = np.tile(np.arange(customers), periods), np.repeat(np.arange(periods), customers)
    z = random.normal(-2, 1.2, len(who))
    truth = 1 / (1 + np.exp(-(z + off * random.normal(0, 1, periods)[when])))
    learned = (random.random(len(who)) < truth).astype("float64")
    from sklearn.linear_model import LogisticRegression

    told = LogisticRegression(C=1e6).fit(z[:customers].reshape(-1, 1), learned[:customers]).predict_proba(z.reshape(-1, 1))[:, 1]
    return tuple(values[customers:] for values in (told, (random.random(len(who)) < truth).astype("float64"), who, when, truth))


def test_the_band_holds_the_mean_true_chance_of_a_tenth_about_nine_times_in_ten_and_is_in_order():
    held: list[list[bool]] = [[], []]
    for kind, off in enumerate((0.0, 0.3)):
        for seed in range(30):
            scores, labels, who, when, truth = said(seed, off=off)
            model = Fitted("rule", Encoder(()), {}, (0.0, 0.0), band=interval_band(scores, labels, who, when))
            low, high = interval(model, np.sort(scores))
            assert (np.diff(low) >= 0).all()
            assert (np.diff(high) >= 0).all()
            low, high = interval(model, scores)
            for part in np.array_split(np.argsort(scores, kind="stable"), 10):
                held[kind].append(bool(low[part].mean() <= truth[part].mean() <= high[part].mean()))
    assert np.mean(held[0]) > 0.85
    assert np.mean(held[1]) > 0.85


def mean_width(*given: np.ndarray) -> float:
    knots, low, high = np.array(interval_band(*given)).T
    asked = np.quantile(given[0], np.linspace(0, 1, 33))
    return float((np.interp(asked, knots, high) - np.interp(asked, knots, low)).mean())


def test_the_band_is_wide_for_few_customers_for_levels_that_change_and_for_what_was_off():
    scores, labels, who, when, _ = said(1)
    narrow = mean_width(scores, labels, who, when)
    assert mean_width(scores, labels, who % 10, when) > 3 * narrow, "ten customers are no evidence, however many rows they have"
    assert mean_width(*said(1, off=0.5)[:4]) > 1.5 * narrow
    assert mean_width(scores / 2, labels, who, when) > 1.5 * narrow, "half of what came was told"
    assert narrow < 0.06


def test_customers_who_go_together_count_less():
    scores, labels, who, when, _ = said(2)
    alone = mean_width(scores, labels, who, when)
    alike = labels[np.searchsorted(np.unique(who), who)]  # each customer has at every period what it had at the first
    assert mean_width(scores, alike, who, when) > 1.3 * alone


def test_the_order_of_rows_changes_no_band():
    scores, labels, who, when, _ = said(3)
    scores = scores.round(2)
    shuffled = np.random.default_rng(0).permutation(len(scores))
    assert interval_band(scores, labels, who, when) == interval_band(*(one[shuffled] for one in (scores, labels, who, when)))


def test_nobody_seen_is_a_band_from_nothing_to_all_and_nobody_gone_may_be_none():
    empty = np.array([])
    assert interval_band(empty, empty, empty, empty) == WHOLE
    flat = np.full(200, 0.0025)
    band = interval_band(flat, np.zeros(200), np.arange(200), np.zeros(200))
    assert band[1][1] == 0.0
    assert 0.005 < band[1][2] < 0.05


def rare(seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return chances of about one in a hundred with a long tail, as offers have, and what came as told: scores, labels, units, periods."""
    random = np.random.default_rng(seed)
    scores = np.sort(np.clip(np.exp(random.normal(-4.6, 0.5, 40_000)), 0.001, 0.3))
    return scores, (random.random(len(scores)) < scores).astype("float64"), np.arange(len(scores)), np.zeros(len(scores))


def test_the_highest_of_many_small_chances_are_told_as_narrowly_as_is_known():
    scores, labels, who, when = rare()
    labels[-1] = 0.0
    model = Fitted("rule", Encoder(()), {}, (0.0, 0.0), band=interval_band(scores, labels, who, when))
    top = scores[-40:-4]  # a list of forty, without the very few of which all may come
    low, high = interval(model, top)
    assert (high - low < 0.8 * top).all(), "nobody is told to be seven times as likely as said"
    stayed = interval(model, scores[-1:])[1][0]
    assert stayed < 0.5, "who stayed at the highest chance shows that not all go"
    labels[-1] = 1.0
    gone = Fitted("rule", Encoder(()), {}, (0.0, 0.0), band=interval_band(scores, labels, who, when))
    assert interval(gone, scores[-1:])[1][0] == 1.0, "of one who went alone nobody knows that not all go"


def test_precedents_of_the_highest_chances_are_their_neighbours():
    scores, labels, who, _ = rare()
    told = {"precedents": precedents(pd.DataFrame({"customer_id": who, "label": labels, "score": scores}))}
    customers, gone = similar_counts(told, float(scores[-40]))
    assert customers == 60
    near = np.argsort(np.abs(scores - scores[-40]))[:60]
    assert abs(gone - labels[near].sum()) <= 3


def test_a_score_lies_within_its_interval_even_beyond_the_band():
    model = Fitted("rule", Encoder(()), {}, (0.0, 0.0), band=((0.1, 0.05, 0.2), (0.6, 0.4, 0.7)))
    score = np.array([0.0, 0.1, 0.35, 0.9, 1.0])
    low, high = interval(model, score)
    assert (low <= score).all()
    assert (score <= high).all()
    assert calibrated(model, np.array([0.0]))[0] == 0.5


def test_the_defaults_of_boosting_are_what_tuning_starts_from():
    from prevenance.models.tuning import SHARES, WHOLE_NUMBERS

    assert all(low <= DEFAULTS[name] <= high for name, (low, high) in (WHOLE_NUMBERS | SHARES).items())

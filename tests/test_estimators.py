"""The kinds of model as scikit-learn classifiers, and the splitter in time: scikit-learn's own checks, and the gap law under Hypothesis."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV, check_cv, cross_validate
from sklearn.utils.estimator_checks import parametrize_with_checks

import prevenance as pv
from prevenance.models import estimators
from prevenance.models.folds import make_folds
from prevenance.models.kinds import MODELS

KINDS = (estimators.Logistic, estimators.LightGBM, estimators.RandomForest, estimators.Blend, estimators.Neural, estimators.Rule)
LEFT_OUT = {"health_score": "a team writes it, nothing is learned", "customer_rules": "rules of its own over fixed columns, nothing to set"}
NOT_MET = {
    "check_classifiers_train": "30 passes over 200 rows are too few for a net to reach the 83 % that the check asks on its training rows"
}


def not_met(estimator: object) -> dict[str, str]:
    """Return scikit-learn's checks that a kind does not meet, with the reason."""
    return NOT_MET if isinstance(estimator, estimators.Neural) else {}


@parametrize_with_checks([kind() for kind in KINDS], expected_failed_checks=not_met)
@pytest.mark.filterwarnings("ignore")  # of what the checks feed on purpose
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_every_kind_is_one_of_them_or_named():
    assert {kind.kind for kind in KINDS} | set(LEFT_OUT) == set(MODELS)
    for kind in KINDS:
        assert type(getattr(pv.models, kind.kind)()) is kind


def rows(seed: int = 1, n: int = 400) -> tuple[pd.DataFrame, pd.Series]:
    dice = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"logins_28d": dice.poisson(5, n), "plan": dice.choice(["small", "großer Tarif"], n), "score": dice.normal(size=n)}
    )
    frame.loc[dice.random(n) < 0.2, "score"] = np.nan
    moments = [datetime(2025, 1, 1) + timedelta(days=30 * int(place)) for place in dice.integers(0, 10, n)]
    frame.index = pd.MultiIndex.from_arrays([[f"c{one}" for one in range(n)], pd.to_datetime(moments)], names=["customer_id", "cutoff"])
    chance = 1 / (1 + np.exp(frame["logins_28d"] - 4 - 2 * (frame["plan"] == "small")))
    return frame, pd.Series((dice.random(n) < chance).astype(float), index=frame.index)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_words_and_holes_are_learned_from_and_a_search_sets_what_may_be_set(kind):
    X, y = rows()
    model = clone(kind()).fit(X, y)
    chance = model.predict_proba(X)
    assert chance.shape == (len(X), 2)
    assert np.allclose(chance.sum(axis=1), 1)
    assert np.array_equal(clone(model).fit(X, y).predict_proba(X), chance)
    assert np.array_equal(model.predict_proba(X.iloc[::-1])[::-1], chance), "a row's chance depends on its neighbours"
    later = X.assign(plan="a word never seen")
    assert np.isfinite(model.predict_proba(later)).all()
    assert cross_validate(model, X, y, cv=pv.TemporalSplit(horizon_days=40, tests=2), scoring="roc_auc")["test_score"].shape == (2,)


def test_a_search_over_time_finds_settings():
    X, y = rows()
    cv = pv.TemporalSplit(horizon_days=40, settle_days=5, tests=3)
    search = RandomizedSearchCV(
        pv.models.lightgbm(n_estimators=5, min_data_in_leaf=5), {"num_leaves": [2, 6]}, n_iter=2, cv=cv, scoring="roc_auc", random_state=1
    )
    assert search.fit(X, y).best_params_["num_leaves"] in (2, 6)
    assert check_cv(cv) is cv
    assert search.n_splits_ == cv.get_n_splits(X) == 3


def test_a_frame_of_many_blocks_is_learned_from_without_a_warning():
    dice = np.random.default_rng(2)
    columns = {f"x{place}": dice.normal(size=80) for place in range(150)}
    frame = pd.DataFrame(columns, copy=False)
    with pytest.warns(pd.errors.PerformanceWarning, match="fragmented"):
        frame.assign(label=0.0)
    pv.models.rule().fit(frame, dice.integers(0, 2, 80))


def test_what_is_no_label_and_no_outcome_is_refused():
    X, y = rows()
    with pytest.raises(ValueError, match="leave it out of X"):
        pv.models.logistic().fit(X.assign(label=y), y)
    with pytest.raises(ValueError, match="NaN"):
        pv.models.logistic().fit(X, y.where(y == 1))
    with pytest.raises(ValueError, match="Only binary"):
        pv.models.logistic().fit(X, np.arange(len(X)) % 3)


# The splitter.

instants = st.lists(st.integers(0, 500), min_size=2, max_size=12, unique=True)


@given(days=instants, horizon=st.integers(1, 120), settle=st.integers(0, 20), tests=st.integers(1, 8), repeat=st.integers(1, 3))
def test_no_row_is_learned_from_whose_label_had_not_closed(days, horizon, settle, tests, repeat):
    cutoffs = pd.DatetimeIndex([datetime(2025, 1, 1) + timedelta(days=one) for one in days * repeat])
    frame = pd.DataFrame({"x": 0.0, "cutoff": cutoffs})
    cv = pv.TemporalSplit(horizon_days=horizon, settle_days=settle, tests=tests)
    # Written again from the law, a row at a time.
    wanted = []
    for test in sorted(set(cutoffs))[-tests:]:
        learn = [place for place, one in enumerate(cutoffs) if one + timedelta(days=horizon + settle) <= test]
        if learn:
            wanted.append((learn, [place for place, one in enumerate(cutoffs) if one == test]))
    if not wanted:
        with pytest.raises(pv.PrevenanceError, match="E202"):
            list(cv.split(frame))
        return
    found = [(learn.tolist(), test.tolist()) for learn, test in cv.split(frame)]
    assert found == wanted
    assert cv.get_n_splits(frame) == len(wanted)
    same = [(learn.tolist(), test.tolist()) for learn, test in cv.split(frame.drop(columns="cutoff"), groups=cutoffs)]
    assert same == wanted
    parted = make_folds(cutoffs, horizon_days=horizon, settle_days=settle, tests=tests, calibrate=1)
    assert {fold.test for fold in parted} <= {cutoffs[test[0]].to_pydatetime() for _, test in wanted}


def test_a_frame_that_says_nothing_of_cutoffs_is_refused_with_what_to_do():
    with pytest.raises(pv.PrevenanceError, match="groups="):
        next(pv.TemporalSplit(horizon_days=30).split(pd.DataFrame({"x": [1, 2]})))
    for wrong in ({"horizon_days": 0}, {"horizon_days": 30, "settle_days": -1}, {"horizon_days": 30, "tests": 0}):
        with pytest.raises(pv.PrevenanceError, match="E202"):
            pv.TemporalSplit(**wrong)

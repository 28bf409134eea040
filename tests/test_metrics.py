"""Metrics equal their definitions, and never depend on how a list happened to break ties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from prevenance.judge.metrics import (
    METRICS,
    average_precision,
    brier,
    hits_at_capacity,
    lift_at_capacity,
    observed_over_expected,
    precision_at_capacity,
    recall_at_capacity,
    roc_auc,
    tie_range,
)

rankings = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=6)


@given(rankings, st.integers(0, 8))
def test_hits_are_the_mean_and_the_range_over_every_way_to_break_ties(rows, capacity):
    y, score = np.array(rows, dtype=float).T
    lists = {order for order in itertools.permutations(range(len(y))) if all(score[a] >= score[b] for a, b in itertools.pairwise(order))}
    hits = [sum(y[place] for place in order[:capacity]) for order in lists]
    assert hits_at_capacity(y, score, capacity) == pytest.approx(np.mean(hits))
    assert tie_range(y, score, capacity) == (min(hits), max(hits))


def test_points_agree_with_sklearn():
    generator = np.random.default_rng(3)
    y, score = (generator.random(200) < 0.2).astype(float), generator.random(200).round(1)
    assert average_precision(y, score) == average_precision_score(y, score)
    assert roc_auc(y, score) == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert brier(y, score) == pytest.approx(brier_score_loss(y, score))


def test_at_capacity_by_hand():
    y, score = [1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.2, 0.1]
    assert precision_at_capacity(y, score, 2) == 0.5
    assert recall_at_capacity(y, score, 2) == 0.5
    assert lift_at_capacity(y, score, 2) == pytest.approx(0.5 / 0.4)
    assert precision_at_capacity(y, score, 99) == pytest.approx(0.4)
    assert observed_over_expected(y, score) == pytest.approx(2 / 2.7)


def test_a_list_in_lucky_order_earns_nothing():
    y = [1, 1, 0, 0, 0, 0, 0, 0]
    assert hits_at_capacity(y, [0.5] * 8, 2) == 0.5
    assert tie_range(y, [0.5] * 8, 2) == (0.0, 2.0)


@pytest.mark.parametrize("y", [[0, 0], [1, 1]])
def test_ranking_one_class_is_undefined(y):
    assert math.isnan(average_precision(y, [0.1, 0.2]))
    assert math.isnan(roc_auc(y, [0.1, 0.2]))


def test_nothing_to_divide_by_is_undefined():
    assert math.isnan(recall_at_capacity([0, 0], [0.1, 0.2], 1))
    assert math.isnan(lift_at_capacity([0, 0], [0.1, 0.2], 1))
    assert math.isnan(observed_over_expected([0, 0], [0, 0]))
    assert all(math.isnan(metric([], [], 5)) for metric in METRICS.values())


def test_a_null_score_is_an_error_not_a_rank():
    with pytest.raises(ValueError, match="1 null scores"):
        roc_auc([1, 0], [0.5, float("nan")])
    with pytest.raises(ValueError, match="labels but"):
        brier([1, 0], [0.5])

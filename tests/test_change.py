"""What changed since the last list adds up, and blames nobody wrongly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_explain import COLUMNS, DEFINITIONS, world

from prevenance.explain.change import change_facts, change_parts
from prevenance.models.bundle import chance
from prevenance.models.training import fit_model
from prevenance.words import words

KINDS = ["rule", "logistic", "blend", "lightgbm", "random_forest", "neural"]
FRAME, FOLD = world()
FITTED = {kind: fit_model(FRAME, FOLD, kind, (*COLUMNS, "industry"), seed=1) for kind in KINDS}
ROWS = FRAME.set_index("customer_id")


@pytest.mark.parametrize("kind", KINDS)
@given(draw=st.randoms(use_true_random=False), slope=st.floats(0.1, 3), intercept=st.floats(-3, 3))
@settings(max_examples=5, deadline=None)
def test_the_parts_sum_to_the_difference_of_the_scores(kind, draw, slope, intercept):
    names = draw.sample(list(ROWS.index), 12)
    now, before = ROWS.loc[names], ROWS.loc[draw.sample(list(ROWS.index), 12)].set_axis(draw.sample(names, 12))
    other = replace(FITTED["logistic"], calibrator=(slope, intercept))
    found = change_parts(FITTED[kind], now, other, before)
    then = pd.Series(chance(other, before), index=before.index).reindex(now.index)
    np.testing.assert_allclose(found["points"], 100 * (chance(FITTED[kind], now) - then), atol=1e-9)
    np.testing.assert_allclose(found[["data", "model", "calibration"]].sum(axis=1), found["points"], atol=1e-9)


def test_each_part_is_nought_where_nothing_of_it_changed():
    model, rows = FITTED["lightgbm"], ROWS.iloc[:20]
    assert (change_parts(model, rows, model, rows) == 0).all(axis=None)
    newer = change_parts(model, rows, model, ROWS.iloc[20:40].set_axis(rows.index))
    assert (newer[["model", "calibration"]] == 0).all(axis=None)
    assert (newer["data"] == newer["points"]).all()
    assert newer["data"].abs().max() > 1
    shifted = change_parts(replace(model, calibrator=(1.0, 0.5)), rows, model, rows)
    assert (shifted[["data", "model"]] == 0).all(axis=None)
    learned = change_parts(replace(FITTED["logistic"], calibrator=model.calibrator), rows, model, rows)
    assert (learned[["data", "calibration"]] == 0).all(axis=None)


def test_who_was_on_no_earlier_list_has_no_change():
    rows = ROWS.iloc[:3]
    found = change_parts(FITTED["logistic"], rows, FITTED["logistic"], rows.iloc[[1]])
    assert found.index.equals(rows.index)
    assert found["points"].isna().tolist() == [True, False, True]
    assert change_facts(FITTED["logistic"], rows, rows.iloc[[1]], DEFINITIONS, words("en")) == [[], [], []]
    assert change_parts(FITTED["logistic"], rows.iloc[:0], FITTED["logistic"], rows).empty
    assert change_facts(FITTED["logistic"], rows.iloc[:0], rows, DEFINITIONS, words("en")) == []


def test_the_facts_that_moved_are_told_with_their_number_then():
    before = ROWS.iloc[:4].assign(nps=9.0, tickets_28d=5.0)
    now = before.assign(nps=[1.0, 9.0, 1.0, 9.0], tickets_28d=[5.0, 12.0, 12.0, 5.0])
    found = change_facts(FITTED["logistic"], now, before, DEFINITIONS, words("en"))
    texts = [[fact.text for fact in facts] for facts in found]
    assert texts[0] == ["NPS: 1 (last list: 9)"]
    assert texts[1] == ["12 tickets in 28 days"]
    assert sorted(texts[2]) == ["12 tickets in 28 days", "NPS: 1 (last list: 9)"]
    assert texts[3] == []
    assert change_facts(FITTED["logistic"], now, before, DEFINITIONS, words("de"))[0][0].text == "NPS: 1 (letzte Liste: 9)"


@pytest.mark.parametrize("kind", KINDS)
def test_the_points_of_what_moved_sum_to_the_part_of_the_new_facts(kind):
    before = ROWS.iloc[:6]
    now = ROWS.iloc[6:12].set_axis(before.index)
    facts = change_facts(FITTED[kind], now, before, DEFINITIONS, words("en"), k=99)
    data = change_parts(FITTED[kind], now, FITTED[kind], before)["data"]
    told = np.array([sum(fact.points for fact in each) for each in facts])
    # Facts below the least weight are not told; the rest is all there is.
    np.testing.assert_allclose(told, data, atol=100 * 0.25 * 0.02 * len(COLUMNS))

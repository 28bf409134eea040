"""Folds never let a label be learnt before it was known."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prevenance.base.errors import PrevenanceError
from prevenance.models.folds import Fold, closed_cutoffs, final_fold, fold_summary, folds_svg, folds_text, make_folds

START = datetime(2024, 1, 1)
MONTHS = [START + timedelta(days=30 * month) for month in range(18)]
days = st.lists(st.integers(0, 900), max_size=40)


def keeps_gap(fold: Fold, gap: timedelta) -> bool:
    """Return whether every cutoff closed before the part that follows it; without a part to try settings on, only the test follows."""
    return (not fold.calibrate or max(fold.fit) + gap <= min(fold.calibrate)) and max((*fold.calibrate, *fold.learned)) + gap <= fold.test


@given(days, st.integers(1, 200), st.integers(0, 60), st.integers(1, 8), st.integers(1, 5), st.integers(1, 4))
@example([0, 60, 120], 60, 0, 1, 1, 1)
def test_gap_law_holds_for_any_cutoffs(offsets, horizon, settle, tests, calibrate, min_fit):
    cutoffs = [START + timedelta(days=offset) for offset in offsets]
    gap = timedelta(days=horizon + settle)
    made = make_folds(cutoffs, horizon_days=horizon, settle_days=settle, tests=tests, calibrate=calibrate, min_fit=min_fit)
    assert len(made) <= tests
    assert [fold.test for fold in made] == sorted(fold.test for fold in made)
    for fold in made:
        assert keeps_gap(fold, gap)
        assert len(fold.calibrate) <= calibrate
        assert len(fold.fit) >= min_fit
        assert fold.learned == tuple(sorted({cutoff for cutoff in cutoffs if cutoff + gap <= fold.test})), (
            "a label is older than it need be"
        )
        assert fold.calibrate or fold.fit == fold.learned
        assert set(fold.fit) | set(fold.calibrate) | {fold.test} <= set(cutoffs)


@given(days, st.integers(1, 200), st.integers(0, 60), st.integers(1, 5))
def test_gap_law_holds_for_the_final_fold(offsets, horizon, settle, calibrate):
    cutoffs = [START + timedelta(days=offset) for offset in offsets]
    as_of, gap = START + timedelta(days=700), timedelta(days=horizon + settle)
    if not closed_cutoffs(cutoffs, as_of, horizon_days=horizon, settle_days=settle):
        with pytest.raises(PrevenanceError, match=r"E601.*no label window"):
            final_fold(cutoffs, as_of, horizon_days=horizon, settle_days=settle, calibrate=calibrate)
        return
    fold = final_fold(cutoffs, as_of, horizon_days=horizon, settle_days=settle, calibrate=calibrate)
    assert fold.test == as_of
    assert fold.fit
    assert all(cutoff + gap <= as_of for cutoff in (*fold.fit, *fold.calibrate, *fold.learned))
    assert not fold.calibrate or keeps_gap(fold, gap)


def test_a_fold_that_touches_the_gap_is_allowed_and_one_day_less_is_not():
    touching = make_folds([START, START + timedelta(days=60), START + timedelta(days=120)], horizon_days=50, settle_days=10, tests=1)
    assert touching == (Fold((START,), (START + timedelta(days=60),), START + timedelta(days=120), (START, START + timedelta(days=60))),)
    one_less = make_folds([START, START + timedelta(days=60), START + timedelta(days=119)], horizon_days=50, settle_days=10, tests=1)
    assert one_less == (Fold((START,), (), START + timedelta(days=119), (START,)),)
    assert make_folds([START, START + timedelta(days=59)], horizon_days=50, settle_days=10, tests=1) == ()


def test_the_newest_cutoffs_are_tested_and_the_fit_part_expands():
    made = make_folds(MONTHS, horizon_days=90, settle_days=0)
    assert [fold.test for fold in made] == MONTHS[-6:]
    assert [len(fold.fit) for fold in made] == [5, 6, 7, 8, 9, 10]
    assert all(len(fold.calibrate) == 3 for fold in made)


def test_calibrate_shrinks_before_a_fold_is_lost():
    made = make_folds(MONTHS[:9], horizon_days=90, settle_days=0, calibrate=3)
    assert [(len(fold.fit), len(fold.calibrate)) for fold in made] == [(1, 1), (1, 2), (1, 3)]


def test_a_year_of_history_is_tested_too_with_settings_tried_on_other_customers():
    """Fewer than three tests could be parted twice in time, so the others come back: a shop of one year and a silence of 90 days had none."""
    made = make_folds(MONTHS[:7], horizon_days=90, settle_days=0, calibrate=3)
    assert [(len(fold.fit), len(fold.calibrate)) for fold in made] == [(1, 0), (2, 0), (3, 0), (1, 1)]
    assert [fold.test for fold in made] == MONTHS[3:7]
    assert all(keeps_gap(fold, timedelta(days=90)) for fold in made)


def test_order_and_repetition_of_cutoffs_change_nothing():
    assert make_folds([*MONTHS[::-1], *pd.to_datetime(MONTHS)], horizon_days=90, settle_days=7) == make_folds(
        MONTHS, horizon_days=90, settle_days=7
    )


def test_final_without_room_to_calibrate_fits_on_all_that_closed():
    fold = final_fold(MONTHS[:2], MONTHS[6], horizon_days=90, settle_days=0)
    assert fold == Fold(tuple(MONTHS[:2]), (), MONTHS[6], tuple(MONTHS[:2]))


def test_final_says_what_to_do_when_nothing_closed():
    with pytest.raises(PrevenanceError, match=r"has closed by 2024-01-31\. FIX: set as_of=2024-04-01 or later") as caught:
        final_fold(MONTHS, MONTHS[1], horizon_days=90, settle_days=0)
    assert caught.value.exit_status == 6
    assert final_fold(MONTHS, datetime(2024, 4, 1), horizon_days=90, settle_days=0).fit == (START,)
    with pytest.raises(PrevenanceError, match="FIX: give a longer history"):
        final_fold([], START, horizon_days=90, settle_days=0)


@pytest.mark.parametrize("setting", [{"tests": 0}, {"calibrate": 0}, {"min_fit": 0}, {"horizon_days": 0}, {"settle_days": -1}])
def test_numbers_that_are_too_small_are_refused(setting):
    with pytest.raises(PrevenanceError, match=next(iter(setting))):
        make_folds(MONTHS, **{"horizon_days": 90, "settle_days": 0, **setting})


def test_summary_counts_only_closed_labels_at_risk():
    fold = Fold((MONTHS[0],), (MONTHS[4],), MONTHS[8])
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b", "a", "a", "b", "c"],
            "cutoff": [MONTHS[0], MONTHS[0], MONTHS[4], MONTHS[8], MONTHS[8], MONTHS[8]],
            "state": ["at_risk"] * 5 + ["too_late"],
            "label": [1.0, 0.0, float("nan"), 0.0, 0.0, 1.0],
        }
    )
    table = fold_summary([fold], frame)
    assert table["part"].tolist() == ["learned", "test"]
    assert table["positives"].tolist() == [1, 0]
    assert table["snapshots"].tolist() == [2, 2]
    assert table["base_rate"].iloc[0] == 0.5


def test_pictures_show_each_part():
    made = make_folds(MONTHS, horizon_days=90, settle_days=0, tests=2)
    first = folds_text(made).splitlines()[0]
    assert first.count("L") == 14
    assert first.count("T") == 1
    assert folds_svg(made).startswith("<svg")
    assert folds_svg(made).count(">L<") == 29
    assert folds_text(()).startswith("no folds")
    assert folds_svg(()).endswith("</svg>")

"""The laws first: for every feature and every target, those to come included, each with a positive control.

Each of the first three holds for 200 random companies, twenty of them in one database at a time, each with an edit of its own. A law is only worth something if breaking
the code turns it red; the controls below break it on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import CUTOFFS, TOGETHER, companies, several, snapshots, together, world

import prevenance.features.distinct as by_value
import prevenance.features.intervals as cells
import prevenance.features.states as builder
import prevenance.history.together as at_once
import prevenance.targets.labels as target_module
from prevenance.features import definitions
from prevenance.features.build import build, feature_columns, usable_definitions
from prevenance.features.define import State
from prevenance.history.history import History, visible_sql
from prevenance.targets.churn import by_contract, by_event, by_silence
from prevenance.targets.contraction import contraction
from prevenance.targets.cross_sell import next_family, next_offer
from prevenance.targets.labels import cohort, label
from prevenance.targets.target import Target
from prevenance.targets.tickets import next_ticket
from prevenance.testing import EDITS, edited

DEFINITIONS = definitions()
END = CUTOFFS[-1] + timedelta(days=60)
TARGETS: tuple[Target, ...] = (
    by_contract(horizon_days=28, settle_days=3),
    by_event(horizon_days=28, settle_days=3),
    by_silence(activity_in=("usage", "purchases"), horizon_days=28, active_days=56, settle_days=3),
    next_ticket(horizon_days=14, settle_days=3),
    next_ticket(horizon_days=14, settle_days=3, priority="urgent"),
    next_offer(horizon_days=28, settle_days=3),
    next_family(horizon_days=28, settle_days=3, active_days=200, owned_days=60),
    contraction(horizon_days=28, settle_days=3),
)
PAIRS = tuple(target for target in TARGETS if target.pairs)
OFFERS = tuple(one for one in DEFINITIONS if isinstance(one, State) and one.pair)
Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Future:
    """Companies in one database, and another future of each by its own edit."""

    each: list[Frames]
    edits: list[str]
    seed: int

    @cached_property
    def frames(self) -> Frames:
        return together(self.each)

    def after(self, moment: datetime) -> Frames:
        told = enumerate(zip(self.each, self.edits, strict=True))
        return together([edited(one, moment, edit, self.seed + number) for number, (one, edit) in told])


FUTURES = st.builds(Future, several(), st.lists(st.sampled_from(EDITS), min_size=TOGETHER, max_size=TOGETHER), st.integers(0, 10_000))


def features_of(frames: Frames, cutoffs: tuple[datetime, ...], of: Frames | None = None, history: History | None = None) -> pd.DataFrame:
    customers = sorted(set((of or frames)["customers"]["customer_id"]))
    asked = pd.DataFrame([(one, moment) for moment in sorted(cutoffs) for one in customers], columns=["customer_id", "cutoff"])
    return build(history or History.from_frames(frames, END), asked.astype({"customer_id": "str", "cutoff": "datetime64[us]"}), DEFINITIONS)


def pairs_of(frames: Frames, cutoffs: tuple[datetime, ...]) -> list[pd.DataFrame]:
    """Return the features of every offer of every cohort, target by target; the customer's own are the same code as elsewhere."""
    history = History.from_frames(frames, END)
    return [build(history, cohort(history, target, cutoffs), OFFERS) for target in PAIRS]


def both(cutoff: datetime) -> tuple[datetime, datetime]:
    """Return a cutoff with one before it: two are asked by one statement, as a training and a list ask."""
    return cutoff - timedelta(days=35.25), cutoff


def cohorts_of(frames: Frames, *cutoffs: datetime) -> list[pd.DataFrame]:
    history = History.from_frames(frames, END)
    return [cohort(history, target, cutoffs) for target in TARGETS]


def labels_of(frames: Frames, *cutoffs: datetime, until: datetime = END, of: tuple[Target, ...] = TARGETS) -> list[pd.DataFrame]:
    history = History.from_frames(frames, until)
    able = [target if history.tables.issuperset(target.tables) else TARGETS[3] for target in of]
    return [label(history, target, cohort(history, target, cutoffs)) for target in able]


def same(one: list[pd.DataFrame], other: list[pd.DataFrame]) -> bool:
    return all(left.equals(right) for left, right in zip(one, other, strict=True))


@settings(max_examples=200 // TOGETHER, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(future=FUTURES, cutoff=st.sampled_from(CUTOFFS))
def test_the_future_changes_no_feature_and_no_cohort(future: Future, cutoff: datetime) -> None:
    frames, after = future.frames, future.after(cutoff)
    one, other = (History.from_frames(world, END) for world in (frames, after))
    pd.testing.assert_frame_equal(
        features_of(frames, both(cutoff), frames, one), features_of(after, both(cutoff), frames, other), check_exact=True
    )
    assert same(*([cohort(history, target, both(cutoff)) for target in TARGETS] for history in (one, other)))


@settings(max_examples=200 // TOGETHER, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(future=FUTURES, cutoff=st.sampled_from(CUTOFFS))
def test_the_future_changes_no_feature_of_an_offer(future: Future, cutoff: datetime) -> None:
    assert same(pairs_of(future.frames, (cutoff,)), pairs_of(future.after(cutoff), (cutoff,)))


@settings(max_examples=200 // TOGETHER, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(future=FUTURES, cutoff=st.sampled_from(CUTOFFS))
def test_a_closed_label_never_changes(future: Future, cutoff: datetime) -> None:
    for moment in sorted({target.closes(cutoff) for target in TARGETS}):
        closed = tuple(target for target in TARGETS if target.closes(cutoff) == moment)
        assert same(labels_of(future.frames, *both(cutoff), of=closed), labels_of(future.after(moment), *both(cutoff), of=closed))


@settings(max_examples=60 // TOGETHER, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(frames=companies())
def test_one_cutoff_equals_many_and_training_equals_scoring(frames: Frames) -> None:
    every = labels_of(frames, *CUTOFFS)
    for cutoff in CUTOFFS:
        rows = [one[one["cutoff"] == pd.Timestamp(cutoff)].reset_index(drop=True) for one in every]
        assert same(labels_of(frames, cutoff), rows)
    many = features_of(frames, CUTOFFS)
    for cutoff in CUTOFFS:
        rows = many[many["cutoff"] == pd.Timestamp(cutoff)].reset_index(drop=True)
        pd.testing.assert_frame_equal(features_of(frames, (cutoff,)), rows, check_exact=True)
    all_pairs = pairs_of(frames, CUTOFFS)
    for cutoff in CUTOFFS:
        for alone, every in zip(pairs_of(frames, (cutoff,)), all_pairs, strict=True):
            rows = every[every["cutoff"] == pd.Timestamp(cutoff)].reset_index(drop=True)
            pd.testing.assert_frame_equal(alone, rows, check_exact=True)


@settings(max_examples=160 // TOGETHER, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(frames=companies(), days=st.lists(st.integers(0, 40), min_size=2, max_size=2))
def test_an_open_window_has_no_label_and_a_closed_one_has(frames: Frames, days: list[int]) -> None:
    cutoff = CUTOFFS[1]
    for until in (cutoff + timedelta(days=one) for one in days):
        for target, found in zip(TARGETS, labels_of(frames, cutoff, until=until), strict=True):
            if target.closes(cutoff) <= until:
                assert found["label"].notna().all()
            else:
                assert found["label"].isna().all()
                assert found["outcome_at"].isna().all()


# The positive controls: the law must see a leak.


def _law_breaks(
    check: Callable[[Frames, Frames, datetime], bool], moment: Callable[[datetime], datetime] = lambda cutoff: cutoff, rows: float = 1.0
) -> bool:
    return any(
        not check(frames, edited(frames, moment(cutoff), edit, seed), cutoff)
        for seed in range(6)
        for frames in [world(seed, customers=8, rows=rows)]
        for cutoff in CUTOFFS
        for edit in ("delete", "change")
    )


def _features_hold(frames: Frames, after: Frames, cutoff: datetime) -> bool:
    return features_of(frames, (cutoff,)).equals(features_of(after, (cutoff,), frames))


def _several_hold(frames: Frames, after: Frames, cutoff: datetime) -> bool:
    return features_of(frames, both(cutoff)).equals(features_of(after, both(cutoff), frames))


def test_control_several_cutoffs_without_the_second_clock_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    each = at_once.visible_each_sql
    monkeypatch.setattr(at_once, "visible_each_sql", lambda *asked, **more: each(*asked, **more).replace("and known_at <= cutoff", ""))
    assert _law_breaks(_several_hold)
    monkeypatch.setattr(
        at_once, "visible_each_sql", lambda *asked, **more: each(*asked, **more).replace("<= cutoff", "<= cutoff + interval 20 day")
    )
    assert _law_breaks(lambda *asked: same(*(cohorts_of(frames, *both(asked[2])) for frames in asked[:2])))


def test_control_ids_that_are_the_same_at_several_cutoffs_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once, "_own_id", lambda name, number: f"{name} || chr(31) || '1'")
    frames, (first, second) = world(3, customers=8, rows=4.0), both(CUTOFFS[1])
    many = features_of(frames, (first, second))
    alone = pd.concat([features_of(frames, (one,)) for one in (first, second)], ignore_index=True)
    assert len(many) == len(alone)
    assert not many.equals(alone)


def test_control_states_without_the_second_clock_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        builder,
        "visible_sql",
        lambda table, cutoff, days=None, **more: visible_sql(table, cutoff, days, **more).replace(
            f"and known_at <= timestamp '{cutoff}'", ""
        ),
    )
    assert _law_breaks(_features_hold)
    assert _law_breaks(lambda frames, after, cutoff: same(pairs_of(frames, (cutoff,)), pairs_of(after, (cutoff,))))


@pytest.mark.parametrize("module", [cells, by_value], ids=["sums", "distinct"])
def test_control_windows_without_the_second_clock_are_seen(monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    true_sql = cells.keyed

    def leaking(*arguments: object) -> str:
        return true_sql(*arguments).replace("known_at <= next_cutoff", "true").replace("known_at <= timestamp", "event_at <= timestamp")

    monkeypatch.setattr(module, "keyed", leaking)
    assert _law_breaks(_features_hold)


def test_control_a_cohort_that_looks_ahead_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        target_module, "visible_sql", lambda table, cutoff, days=None: visible_sql(table, cutoff + timedelta(days=20), days)
    )
    assert _law_breaks(lambda frames, after, cutoff: same(cohorts_of(frames, cutoff), cohorts_of(after, cutoff)))


def test_control_labels_that_take_in_what_was_known_later_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    true_sql, target, cutoff = target_module.upcoming_sql, TARGETS[3], CUTOFFS[0]
    frames = _one_ticket(cutoff + timedelta(days=3), known_at=target.closes(cutoff) + timedelta(days=2))
    after = edited(frames, target.closes(cutoff), "delete", seed=4)
    assert len(after["tickets"]) < len(frames["tickets"]), "the edit changed nothing: this control proves nothing"
    assert same(labels_of(frames, cutoff)[3:4], labels_of(after, cutoff)[3:4])
    monkeypatch.setattr(target_module, "upcoming_sql", lambda table, cutoff, horizon, settle: true_sql(table, cutoff, horizon, settle + 30))
    assert not same(labels_of(frames, cutoff)[3:4], labels_of(after, cutoff)[3:4])


# The boundary, to the microsecond.


def _one_ticket(event_at: datetime, known_at: datetime | None = None) -> Frames:
    facts = [
        ("a", event_at, known_at or event_at, "t1", "opened"),
        ("a", CUTOFFS[0] - timedelta(days=30), CUTOFFS[0] - timedelta(days=30), "t0", "opened"),
    ]
    tickets = pd.DataFrame(facts, columns=["customer_id", "event_at", "known_at", "ticket_id", "event"])
    customers = pd.DataFrame({"customer_id": ["a"], "event_at": [datetime(2024, 1, 1)], "known_at": [datetime(2024, 1, 1)]})
    return {"tickets": tickets, "customers": customers}


@pytest.mark.parametrize(("microseconds", "seen", "labelled"), [(0, 1.0, 0.0), (1, 0.0, 1.0), (-1, 1.0, 0.0)])
def test_a_fact_at_the_cutoff_is_a_feature_and_one_after_it_a_label(microseconds: int, seen: float, labelled: float) -> None:
    cutoff = CUTOFFS[0]
    frames = _one_ticket(cutoff + timedelta(microseconds=microseconds))
    assert features_of(frames, (cutoff,))["tickets_7d"].tolist() == [seen]
    history = History.from_frames(frames, END)
    target = next_ticket(horizon_days=14)
    assert label(history, target, cohort(history, target, [cutoff]))["label"].tolist() == [labelled]


@pytest.mark.parametrize(("offset", "labelled"), [(timedelta(0), 1.0), (timedelta(microseconds=1), 0.0)])
def test_the_label_window_is_closed_at_its_end(offset: timedelta, labelled: float) -> None:
    history = History.from_frames(_one_ticket(CUTOFFS[0] + timedelta(days=14) + offset), END)
    target = next_ticket(horizon_days=14, settle_days=3)
    assert label(history, target, cohort(history, target, [CUTOFFS[0]]))["label"].tolist() == [labelled]


@pytest.mark.parametrize(("offset", "seen"), [(timedelta(0), 0.0), (timedelta(microseconds=1), 1.0)])
def test_the_feature_window_is_open_at_its_start(offset: timedelta, seen: float) -> None:
    cutoff = CUTOFFS[0]
    assert features_of(_one_ticket(cutoff - timedelta(days=7) + offset), (cutoff,))["tickets_7d"].tolist() == [seen]


@pytest.mark.parametrize(("known_after", "seen"), [(timedelta(0), 1.0), (timedelta(microseconds=1), 0.0)])
def test_a_late_fact_is_seen_from_when_it_was_known(known_after: timedelta, seen: float) -> None:
    cutoff = CUTOFFS[1]
    frames = _one_ticket(cutoff - timedelta(days=3), cutoff + known_after)
    assert features_of(frames, CUTOFFS).set_index("cutoff").loc[pd.Timestamp(cutoff), "tickets_28d"] == seen


def test_an_outcome_recorded_after_settling_does_not_count() -> None:
    cutoff, target = CUTOFFS[0], next_ticket(horizon_days=14, settle_days=3)
    for days, labelled in ((17, 1.0), (18, 0.0)):
        history = History.from_frames(_one_ticket(cutoff + timedelta(days=5), cutoff + timedelta(days=days)), END)
        assert label(history, target, cohort(history, target, [cutoff]))["label"].tolist() == [labelled]


def test_a_missing_table_means_absent_features_never_zero() -> None:
    frames = _one_ticket(CUTOFFS[0])
    found = features_of(frames, (CUTOFFS[0],))
    assert "logins_28d" not in found.columns
    assert set(feature_columns(usable_definitions(DEFINITIONS, frozenset(frames)))) == set(found.columns) - {"customer_id", "cutoff"}


def test_opted_out_customers_are_absent_also_for_past_cutoffs() -> None:
    frames = _one_ticket(CUTOFFS[0])
    late = datetime(2025, 5, 20)
    frames["consents"] = pd.DataFrame(
        {"customer_id": ["a"], "event_at": [late], "known_at": [late], "purpose": ["outreach"], "allowed": [False]}
    )
    history = History.from_frames(frames, END)
    assert cohort(history, next_ticket(), [CUTOFFS[0]]).empty


def test_every_world_has_snapshots_to_speak_of() -> None:
    found = build(History.from_frames(world(1, customers=4), END), snapshots(4), DEFINITIONS)
    filled = found.notna().mean()
    assert (filled > 0).mean() > 0.9, "the random worlds leave too many features empty to prove anything"
    frames = together([world(seed, customers=3) for seed in range(10)])
    offers = [len(every) for every in pairs_of(frames, CUTOFFS)]
    assert min(offers) > 20, "the random worlds have too few offers to prove anything"

"""Inputs held as a file: the same rows, columns and bytes as the frame that they were, however they came and in whatever order they are asked."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from amount import some
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shelves import TONIGHT, loaded
from test_week_laws import DEFINITIONS, PEACE, TARGETS

from prevenance.base import formats, memo
from prevenance.consent.pseudonyms import Pseudonyms
from prevenance.decide import scored as scoring
from prevenance.decide.remembered import Remembered
from prevenance.decide.scored import Scored, scored_weeks
from prevenance.decide.weeks import BEFORE, decision_at_cutoff, moments_of
from prevenance.features import definitions, planned
from prevenance.features.build import feature_columns, usable_definitions
from prevenance.features.define import Definition, State
from prevenance.features.held import HeldInputs, held_inputs, hidden_content, opened_inputs, rows_of
from prevenance.features.planned import Plan, shared_definitions
from prevenance.history.digests import digests_at
from prevenance.models.bundle import Fitted
from prevenance.models.encode import Encoder
from prevenance.order.capacity import Room
from prevenance.order.decision import Rules
from prevenance.order.holdout import HoldOut, last_mondays
from prevenance.runs.inputs import Inputs
from prevenance.targets.labels import cohort
from prevenance.words import words

COUNT = 23
HIDDEN = Pseudonyms(b"k" * 32)


def frame() -> pd.DataFrame:
    draw = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "customer_id": pd.Series([f"c{number // 2:02}" for number in range(COUNT)], dtype="str"),
            "cutoff": np.full(COUNT, np.datetime64("2026-03-02T00:00:00", "us")),
            "product_id": pd.Series([f"p{number % 2}" for number in range(COUNT)], dtype="str"),
            "logins": np.where(draw.random(COUNT) < 0.3, np.nan, draw.normal(size=COUNT)),
            "nothing": np.full(COUNT, np.nan),
            "plan": pd.Series(np.where(draw.random(COUNT) < 0.3, None, "team"), dtype="str"),
        }
    )


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "GROUP", 5)


def held(size: int) -> HeldInputs:
    return held_inputs(frame().iloc[first : first + size] for first in range(0, COUNT, size))


@pytest.mark.parametrize("size", [1, 4, 5, 7, COUNT])
def test_the_parts_in_which_rows_come_do_not_show_in_the_bytes(size: int) -> None:
    assert held(size).content == formats.parquet_bytes(frame())


def test_no_rows_are_a_file_with_all_columns() -> None:
    found = held_inputs([frame().iloc[:0]])
    assert (len(found), found.columns, len(found.take(np.array([], dtype=int)))) == (0, list(frame()), 0)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, COUNT - 1), max_size=30), st.lists(st.booleans(), min_size=COUNT, max_size=COUNT))
def test_what_is_asked_is_what_the_frame_would_give(places: list[int], chosen: list[bool]) -> None:
    more = np.arange(COUNT) / 2.0
    whole, found, asked = frame().assign(more=more), held(7).assign(more=more), np.array(places, dtype=int)
    pd.testing.assert_frame_equal(found.take(asked), whole.take(asked).reset_index(drop=True))
    part, mask = whole[np.array(chosen)].reset_index(drop=True), np.array(chosen)
    some = found.only(mask)
    assert (len(some), some.columns) == (len(part), list(part))
    for name in part:
        pd.testing.assert_series_equal(some[name], part[name])
    pd.testing.assert_frame_equal(some[["more", "plan", "customer_id"]], part[["more", "plan", "customer_id"]])
    within = asked[asked < len(part)]
    pd.testing.assert_frame_equal(some.take(within), part.take(within).reset_index(drop=True))


def test_a_column_that_is_not_there_is_a_key_error() -> None:
    assert "seats" not in held(COUNT)
    with pytest.raises(KeyError, match="seats"):
        held(COUNT)["seats"]


def test_rows_are_found_by_their_keys() -> None:
    keys = ["customer_id", "product_id"]
    asked = pd.DataFrame({"customer_id": ["c05", "nobody", "c00"], "product_id": ["p1", "p0", "p0"]}).astype("str")
    expected = asked[keys].merge(frame(), on=keys)[list(frame())]
    pd.testing.assert_frame_equal(rows_of(held(4), asked, keys), expected)


def test_pseudonyms_hide_the_ids_and_the_key_gives_them_back() -> None:
    content = hidden_content(held(7), HIDDEN)
    assert content == formats.parquet_bytes(HIDDEN.hidden(frame()))
    assert not frame()["customer_id"].isin(pd.read_parquet(io.BytesIO(content))["customer_id"]).any()
    found = opened_inputs(content, lambda keys: HIDDEN.shown(keys, frame()["customer_id"].unique()))
    pd.testing.assert_frame_equal(found.take(np.arange(COUNT)), frame())
    pd.testing.assert_frame_equal(found[list(frame())], frame())


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    out = tmp_path_factory.mktemp("held")
    return loaded(out, TONIGHT, "demo.customers=40")[1]


def scored(
    inputs: Inputs, place: int, definitions: tuple[Definition, ...], remembered: Remembered | None = None
) -> tuple[Scored, pd.DataFrame]:
    target, cutoff = TARGETS[place], inputs.as_of
    rules = Rules(0.3, 10.0, Room(4), HoldOut(target.name, target.horizon_days), policy="value")
    moments, columns = moments_of(cutoff, rules), tuple(feature_columns(definitions))
    texts = {name: ("basic",) for one in definitions if isinstance(one, State) for name in one.categories}
    fitted = Fitted("rule", Encoder(columns, texts), {"place": 0, "direction": 1.0, "middle": 1.0, "scale": 1.0}, (1.0, -1.0))
    found = scored_weeks(inputs.history, target, fitted, definitions, moments, words("en"), lambda text: None, remembered)
    rows, past = (one.assign(owner="") for one in (found.rows, found.past))
    return found, decision_at_cutoff(PEACE, inputs.history, moments, rows, past, [])[0]


@pytest.mark.parametrize("place", some(range(len(TARGETS)), 0, 2))
@pytest.mark.parametrize(
    ("sizes", "every"), [pytest.param((19, 1_000), True, marks=pytest.mark.long), pytest.param((1, 7), False, marks=pytest.mark.sweep)]
)
def test_a_list_is_the_same_however_many_snapshots_are_built_at_a_time(
    company: Inputs, place: int, sizes: tuple[int, ...], every: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one at a time with two features, some at a time with all that there are, states too
    usable = usable_definitions(definitions(), company.history.tables, TARGETS[place].pairs) if every else DEFINITIONS
    whole, decided = scored(company, place, usable)
    assert len(whole.cohort) > 7
    history, target = company.history, TARGETS[place]
    for size in (*sizes, 0):
        monkeypatch.setattr(scoring, "ROWS", size or 30)
        if not size:  # each moment in a file
            monkeypatch.setattr(planned, "MOST", 1_000)
            moments = {*last_mondays(company.as_of, 30), company.as_of, company.as_of - BEFORE}
            asked = {one: cohort(history, target, [one])[["customer_id", "cutoff"]].drop_duplicates(ignore_index=True) for one in moments}
            history.plans.extend(Plan(frozenset([one]), shared_definitions(usable), partial(asked.get, one), filed=True) for one in moments)
        found, choice = scored(company, place, usable)
        assert found.inputs.content == whole.inputs.content
        for one in ("rows", "past", "cohort", "weeks"):
            pd.testing.assert_frame_equal(getattr(found, one), getattr(whole, one), check_exact=True)
        assert found.places.tolist() == whole.places.tolist()
        pd.testing.assert_frame_equal(choice, decided, check_exact=True)
    asked_of = [plan for plan in history.plans if isinstance(plan.held, HeldInputs)]
    history.plans.clear()
    assert len(asked_of) > 10


GONE = (
    "delete from canonical.{table} where customer_id = '{one}'",
    "delete from canonical.{table} where customer_id = '{one}' and event_at > timestamp '2026-03-01'",
    "update canonical.{table} set known_at = known_at + interval 30 day where customer_id in ('{one}', '{two}')",
)


@pytest.mark.long
@pytest.mark.parametrize("place", [0, 1])
def test_where_some_customers_changed_the_past_is_that_without_a_memo(
    place: int, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    inputs = loaded(tmp_path_factory.mktemp("memo"), TONIGHT, "demo.customers=40")[1]
    usable = usable_definitions(definitions(), inputs.history.tables, False)
    mondays = last_mondays(inputs.as_of, 30)

    def remembered() -> Remembered:
        return Remembered(tmp_path, "m", digests=digests_at(inputs.history, mondays))

    ids = scored(inputs, place, usable, remembered())[0].cohort["customer_id"].unique()
    for number, change in enumerate(GONE):
        for table in sorted(inputs.history.tables - {"products", "releases"}):
            inputs.history.con.execute(change.format(table=table, one=ids[3 * number], two=ids[3 * number + 1]))
        inputs.history.answers.clear()
        known = remembered()
        found, _ = scored(inputs, place, usable, known)
        whole, _ = scored(inputs, place, usable)
        pd.testing.assert_frame_equal(found.past, whole.past, check_exact=True)
        pd.testing.assert_frame_equal(found.weeks, whole.weeks, check_exact=True)
        assert {int(one.sum()) for one in known.changed.values()} in ({1}, {0, 1}, {1, 2}, {2}), "the others are not worked out again"
        contents = [(memo.kept_bytes(path) or b"").partition(b"\n")[2] for path in tmp_path.iterdir()]
        kept = pd.concat([pd.read_parquet(io.BytesIO(one)) for one in contents])
        assert ids[0] not in set(kept["customer_id"]), "who is gone is not kept"

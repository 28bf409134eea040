"""The memo: what is kept is used where everything it depends on is as it was, and nothing else ever is."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from killed import killed

from prevenance.base import memo
from prevenance.decide import remembered
from prevenance.decide.remembered import CHANCES, OUTSIDE, Remembered
from prevenance.features import planned
from prevenance.features.build import build, feature_columns
from prevenance.features.define import Count, Feature, Mean, State, Sum
from prevenance.features.held import HeldInputs
from prevenance.features.planned import Plan, shared_definitions
from prevenance.features.sets import definitions as all_definitions
from prevenance.history.digests import GROUPS, Seen, customer_groups, digests_at
from prevenance.history.history import History, visible_sql
from prevenance.runs import plugins, together
from prevenance.runs.settings.schema import Settings
from prevenance.runs.together import remembered_of
from prevenance.targets.target import Target
from prevenance.testing.worlds import CUTOFFS, snapshots, world

LATER = CUTOFFS[-1] + timedelta(days=400)
LOGINS = Feature("logins", "usage", Count(), "Logins: {value}", "kind = 'login'", 28)
TARGET = Target("churn", ("customers",), "select 1", "select 1", 30)
OFFERS = replace(TARGET, name="offers", pairs=True)
MONDAYS = [datetime(2025, 3, 3), datetime(2025, 3, 10)]
DIGESTS = dict.fromkeys(MONDAYS, Seen("rows", ("rows",) * GROUPS, "beside"))


def history(frames: dict[str, pd.DataFrame]) -> History:
    return History.from_frames(frames, LATER)


@cache
def nobody() -> History:
    return history({})


def rows(monday: datetime, *, scores: tuple[float, ...] = (0.25, 0.5, 0.125)) -> pd.DataFrame:
    ids = pd.Series([f"c{number}" for number in range(len(scores))], dtype="str")
    state = pd.Series(["at_risk", "too_late", "at_risk"][: len(scores)], dtype="str")
    return pd.DataFrame(
        {
            "customer_id": ids,
            "cutoff": np.datetime64(monday, "us"),
            "state0": state,
            "value_at_stake": [1.5, np.nan, 0.1][: len(scores)],
            "score": scores,
        }
    )


def opened(folder: Path, **changed: Any) -> Remembered:
    """Return the memo as a night would open it, some of what it depends on changed."""
    target, columns = changed.pop("target", TARGET), changed.pop("columns", ["logins"])
    definitions, begins = changed.pop("definitions", (LOGINS,)), changed.pop("begins", {})
    found = Remembered(folder, **({"model": "m", "digests": DIGESTS} | changed))
    found.open(replace(nobody(), begins=begins), target, definitions, columns, MONDAYS)
    return found


def kept(folder: Path) -> None:
    night = opened(folder)
    for monday in MONDAYS:
        night.add(monday, rows(monday), None, TARGET)


CHANGES: dict[str, dict[str, Any]] = {
    "rows": {"digests": dict.fromkeys(MONDAYS, Seen("others", ("rows",) * GROUPS, "beside"))},
    "model": {"model": "another"},
    "target": {"target": replace(TARGET, cohort="select 2")},
    "definitions": {"definitions": (replace(LOGINS, where="kind = 'use'"),)},
    "columns": {"columns": ["logins", "more"]},
    "begins": {"begins": {"usage": CUTOFFS[0]}},
    "plugged": {"plugged": "other code"},
    "code": {},
}


@pytest.mark.parametrize("part", CHANGES)
def test_whatever_a_chance_depends_on_is_in_its_key(tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path)
    assert set(opened(tmp_path).held) == set(MONDAYS)
    if part == "code":
        monkeypatch.setattr(memo, "code_digest", lambda: "another version")
    assert not opened(tmp_path, **CHANGES[part]).held
    # the control: without that part of the key the stale rows would be used
    whole = memo.key_of
    monkeypatch.setattr(memo, "key_of", lambda parts: whole({name: one for name, one in parts.items() if name != part}))
    kept(tmp_path)
    assert set(opened(tmp_path, **CHANGES[part]).held) == set(MONDAYS)


def test_another_monday_is_another_key(tmp_path: Path) -> None:
    kept(tmp_path)
    first, second = opened(tmp_path).keys.values()
    assert first != second


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    kept(tmp_path)
    for monday in MONDAYS:
        found = opened(tmp_path).rows(monday, None, TARGET)
        pd.testing.assert_frame_equal(found, rows(monday)[["customer_id", "cutoff", *CHANCES]].astype({"cutoff": "datetime64[us]"}))
    assert not list(opened(tmp_path).batches(MONDAYS, None, TARGET, 10))


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def no_table(path: Path) -> None:
    path.unlink()
    memo.keep(path, b"whole, and no table")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [shortened, flipped, emptied, no_table, a_folder, Path.unlink])
def test_what_is_damaged_or_gone_is_made_anew(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    kept(tmp_path)
    harm(min(tmp_path.iterdir()))
    night = opened(tmp_path)
    assert list(night.held) == MONDAYS[1:]
    assert list(night.batches(MONDAYS, None, TARGET, 10)) == [(None, MONDAYS[:1])]
    night.add(MONDAYS[0], rows(MONDAYS[0]), None, TARGET)
    assert night.rows(MONDAYS[0], None, TARGET)["score"].tolist() == [0.25, 0.5, 0.125]


def test_what_nobody_asked_for_tonight_goes(tmp_path: Path) -> None:
    kept(tmp_path)
    (tmp_path / "of-another-model").write_bytes(b"old")
    opened(tmp_path).close()
    assert len(list(tmp_path.iterdir())) == len(MONDAYS)


def test_a_memo_that_cannot_be_written_ends_no_night(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    kept(tmp_path / "file" / "chances")
    assert not opened(tmp_path / "file" / "chances").held


def test_only_offers_that_are_not_kept_are_asked_for(tmp_path: Path) -> None:
    def offers(*pairs: tuple[str, str]) -> pd.DataFrame:
        return pd.DataFrame(pairs, columns=["customer_id", "product_id"], dtype="str")

    def scored(frame: pd.DataFrame, monday: datetime) -> pd.DataFrame:
        return frame.assign(cutoff=np.datetime64(monday, "us"), state0="at_risk", value_at_stake=1.0, score=0.5)

    asked, monday = offers(("a", "x"), ("b", "x")), MONDAYS[0]
    night = opened(tmp_path, target=OFFERS)
    ((lacking, batch),) = night.batches(MONDAYS, asked, OFFERS, 10)
    assert batch == MONDAYS
    assert lacking is not None
    assert lacking.equals(asked)
    for one in MONDAYS:  # b was not there yet
        night.add(one, scored(asked.iloc[:1], one), lacking, OFFERS)
    assert night.rows(monday, asked, OFFERS)["customer_id"].tolist() == ["a"]
    assert night.held[monday]["state0"].tolist() == ["at_risk", OUTSIDE]
    more, night = offers(("b", "x"), ("a", "y"), ("a", "x")), opened(tmp_path, target=OFFERS)
    ((lacking, batch),) = night.batches(MONDAYS, more, OFFERS, 10)
    assert batch == MONDAYS
    assert lacking is not None
    assert lacking.to_numpy().tolist() == [["a", "y"]]
    night.add(monday, scored(lacking, monday), lacking, OFFERS)
    found = night.rows(monday, more, OFFERS)
    assert found[["customer_id", "product_id"]].to_numpy().tolist() == [["a", "x"], ["a", "y"]]
    assert not list(opened(tmp_path, target=OFFERS).batches([monday], more, OFFERS, 10))


@pytest.mark.parametrize("kind", [Sum("quantity"), Mean("quantity")])
def test_a_key_tells_records_of_equal_fields_apart(kind: Any) -> None:
    assert memo.key_of({"one": kind}) == memo.key_of({"one": type(kind)("quantity")})
    assert memo.key_of({"one": kind}) != memo.key_of({"one": Count()})
    assert memo.key_of({"one": Sum("quantity")}) != memo.key_of({"one": Mean("quantity")})
    assert memo.key_of({"one": 1}) != memo.key_of({"one": "1"}) != memo.key_of({"one": 1.0}) != memo.key_of({"one": True})


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_equal_digests_are_equal_visible_rows(seed: int) -> None:
    frames = world(seed)
    before, moments = history(frames), [*CUTOFFS, CUTOFFS[0] + timedelta(days=20)]
    told = digests_at(before, moments)
    assert told == {moment: digests_at(before, [moment])[moment] for moment in moments}
    assert digests_at(before, []) == {}
    shuffled = history({name: frame.sample(frac=1, random_state=seed) for name, frame in frames.items()})
    assert digests_at(shuffled, moments) == told
    for name, frame in frames.items():
        visible = {
            moment: {row[0] for row in before.con.execute(f"select known_at from {visible_sql(name, moment)}").fetchall()}
            for moment in moments
        }
        gone = frame["known_at"].max()
        fewer = digests_at(history({**frames, name: frame[frame["known_at"] != gone]}), moments)
        for moment in moments:
            assert (fewer[moment] != told[moment]) == (pd.Timestamp(gone).to_pydatetime() in visible[moment]), (name, moment)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_customer_who_goes_changes_the_hash_of_their_group_alone(seed: int) -> None:
    frames = world(seed, customers=6)
    before = history(frames)
    told, groups = digests_at(before, CUTOFFS), customer_groups(before)
    gone = str(frames["subscriptions"]["customer_id"].iloc[0])
    left = {name: frame[frame["customer_id"] != gone] if "customer_id" in frame else frame for name, frame in frames.items()}
    found = digests_at(history(left), CUTOFFS)
    for moment in CUTOFFS:
        moved = {number for number in range(GROUPS) if found[moment].groups[number] != told[moment].groups[number]}
        assert moved <= {groups[gone]}
        assert bool(moved) == (found[moment].whole != told[moment].whole)
        # what is of no customer moves nobody's group
        without = digests_at(history(frames | {"releases": frames["releases"].iloc[:0]}), [moment])[moment]
        assert without.groups == told[moment].groups
    assert digests_at(history(left | {"usage": left["usage"].iloc[:0]}), CUTOFFS)[CUTOFFS[-1]].beside != told[CUTOFFS[-1]].beside


ALONE = replace(TARGET, alone=True)
SINCE = State("waits", ("tickets",), "select 1", {"waiting": "Waits: {value}"}, alone=True, needs={"waiting": "event = 'assigned'"})


def with_customers() -> History:
    frames = world(4, customers=6)
    return history({name: frames[name] for name in ("customers", "tickets")})


def opened_alone(folder: Path, here: History, seen: Seen, definitions: tuple[Any, ...] = (LOGINS,)) -> Remembered:
    found = Remembered(folder, "m", digests=dict.fromkeys(MONDAYS, seen))
    found.open(here, ALONE, definitions, ["logins", "waiting"], MONDAYS)
    return found


def test_only_the_group_of_customers_that_changed_is_asked_for(tmp_path: Path) -> None:
    here, seen = with_customers(), Seen("whole", ("rows",) * GROUPS, "beside")
    groups = customer_groups(here)
    everybody = pd.DataFrame({"customer_id": groups.index.astype("str"), "state0": "at_risk", "value_at_stake": 1.0, "score": 0.5})
    night = opened_alone(tmp_path, here, seen)
    for monday in MONDAYS:
        night.add(monday, everybody, None, ALONE)
    assert not list(opened_alone(tmp_path, here, seen).batches(MONDAYS, None, ALONE, 10))
    one = groups.index[0]
    other = replace(seen, whole="other", groups=tuple("new" if number == groups[one] else "rows" for number in range(GROUPS)))
    later = opened_alone(tmp_path, here, other)
    [(asked, batch)] = later.batches(MONDAYS, None, ALONE, 10)
    assert asked is not None
    assert (asked["customer_id"].tolist(), batch) == (groups.index[groups == groups[one]].tolist(), MONDAYS)
    for monday in MONDAYS:
        later.add(monday, everybody[everybody["customer_id"] == one].assign(score=0.9), asked, ALONE)
    kept = opened_alone(tmp_path, here, other).rows(MONDAYS[0], None, ALONE)
    assert kept["customer_id"].tolist() == sorted(everybody["customer_id"])
    assert kept.set_index("customer_id")["score"].to_dict() == {name: 0.9 if name == one else 0.5 for name in everybody["customer_id"]}
    # the control: were the hashes of groups not looked at, what is stale would be used
    again = opened_alone(tmp_path, here, seen)
    assert not again.held[MONDAYS[0]]["customer_id"].isin([one]).any()


@pytest.mark.parametrize("part", ["beside", "unknown"])
def test_what_customers_share_is_in_the_key(tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here, seen = with_customers(), Seen("whole", ("rows",) * GROUPS, "beside")
    assigned = here.con.execute("select count(*) from canonical.tickets where event = 'assigned'").fetchall()[0][0]

    def found() -> dict[datetime, pd.DataFrame]:
        return opened_alone(tmp_path, here, replace(seen, beside="other") if part == "beside" else seen, (LOGINS, SINCE)).held

    def keep() -> None:
        night = opened_alone(tmp_path, here, seen, (LOGINS, SINCE))
        for monday in MONDAYS:
            night.add(monday, rows(monday).assign(customer_id=customer_groups(here).index[:3].astype("str")), None, ALONE)

    keep()
    assert assigned
    if part == "unknown":
        here.con.execute(
            "update canonical.tickets set event_at = timestamp '2025-12-01', known_at = timestamp '2025-12-01' where event = 'assigned'"
        )
    assert not found()
    whole = memo.key_of
    monkeypatch.setattr(memo, "key_of", lambda parts: whole({name: one for name, one in parts.items() if name != part}))
    keep()
    assert set(found()) == set(MONDAYS)


def test_what_is_planned_is_what_each_would_build(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = {name: one for name, one in world(3, customers=6).items() if name in ("customers", "tickets", "subscriptions")}
    definitions = all_definitions(["tickets", "subscriptions"], [28, 90])
    asked = snapshots(6)

    def moment(one: datetime) -> pd.DataFrame:
        return asked[asked["cutoff"] == pd.Timestamp(one)].reset_index(drop=True)

    alone = build(history(frames), asked.iloc[3:11], definitions)
    together = history(frames)
    together.plans.append(Plan(frozenset(CUTOFFS), shared_definitions(definitions), lambda: asked))
    assert build(together, asked.iloc[3:11], definitions).equals(alone)
    assert together.plans[0].held is not None
    # each moment in a file of its own, and a few snapshots at a time
    monkeypatch.setattr(planned, "MOST", 5)
    filed, shared = history(frames), shared_definitions(definitions)
    filed.plans.extend(Plan(frozenset([one]), shared, partial(moment, one), filed=True) for one in CUTOFFS)
    assert build(filed, asked.iloc[3:11], definitions).equals(alone)
    assert all(isinstance(plan.held, HeldInputs) for plan in filed.plans if set(plan.cutoffs) & set(asked["cutoff"].iloc[3:11]))
    assert build(filed, asked.iloc[[9, 3, 7]], definitions).equals(alone.iloc[[6, 0, 4]].reset_index(drop=True))
    few, without = history(frames), history(frames)
    monkeypatch.setattr(planned, "LITTLE", 1)  # few ask for themselves alone
    few.plans.extend(Plan(frozenset([one]), shared, partial(moment, one), filed=True) for one in CUTOFFS)
    assert build(few, asked.iloc[3:11], definitions).equals(alone)
    assert all(plan.held is None for plan in few.plans)
    monkeypatch.setattr(planned, "LITTLE", 20)
    monkeypatch.setattr(planned.tempfile, "TemporaryFile", lambda: (_ for _ in ()).throw(OSError("No space left on device")))
    without.plans.extend(Plan(frozenset([one]), shared, partial(moment, one), filed=True) for one in CUTOFFS)
    assert build(without, asked.iloc[3:11], definitions).equals(alone)
    assert any(plan.declined for plan in without.plans)
    some = [name for name in feature_columns(definitions) if "tickets" in name]
    found = build(together, asked.iloc[5:7], definitions)[some]
    pd.testing.assert_frame_equal(found, alone[some].iloc[2:4].reset_index(drop=True))


@pytest.mark.parametrize("each", [False, True], ids=["together", "moment by moment"])
@pytest.mark.parametrize(("most", "little"), [(300_000, 1), (5, 20), (7, 1)], ids=["few ask", "too many planned", "both"])
def test_who_is_not_served_by_a_plan_looks_at_the_tables_once(
    monkeypatch: pytest.MonkeyPatch, most: int, little: int, *, each: bool
) -> None:
    frames = {name: one for name, one in world(3, customers=6).items() if name in ("customers", "tickets")}
    definitions, asked, made = all_definitions(["tickets"], [28]), snapshots(6), history(frames)
    building = importlib.import_module("prevenance.features.build")
    built, looks = building._built, list[int]()
    monkeypatch.setattr(building, "_built", lambda history, keys, *rest: (looks.append(len(keys)), built(history, keys, *rest))[1])
    monkeypatch.setattr(planned, "MOST", most)
    monkeypatch.setattr(planned, "LITTLE", little)
    alone = build(history(frames), some := asked.iloc[3:11], definitions)
    groups, looks[:] = [[one] for one in CUTOFFS] if each else [list(CUTOFFS)], []
    for group in groups:
        planned_then = pd.concat([asked[asked["cutoff"].isin(group)]] * 3, ignore_index=True)
        made.plans.append(Plan(frozenset(group), shared_definitions(definitions), lambda planned_then=planned_then: planned_then))
    assert build(made, some, definitions).equals(alone)
    assert looks == [len(some)]
    assert len(some["cutoff"].unique()) > 1


@pytest.mark.long
def test_a_kill_at_any_call_leaves_nothing_that_is_not_whole(tmp_path: Path) -> None:
    contents = {"a": b"one" * 999, "b": b"two", "c": b"three"}

    def work(folder: Path) -> None:
        for name, content in contents.items():
            memo.keep(folder / memo.MEMO / "chances" / name, content)
        memo.forget_others(folder / memo.MEMO / "chances", {"a", "c"})
        memo.forget_all(folder)

    number = 0
    while killed(partial(work, folder := tmp_path / str(number)), number):
        for name, content in contents.items():
            assert memo.kept_bytes(folder / memo.MEMO / "chances" / name) in (None, content)
        work(folder)
        assert not (folder / memo.MEMO).exists()
        number += 1
    assert number > 20


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    night = opened(tmp_path)
    night.folder = None
    assert list(night.batches(MONDAYS, None, TARGET, 1)) == [(None, MONDAYS[:1]), (None, MONDAYS[1:])]
    night.add(MONDAYS[0], rows(MONDAYS[0]), None, TARGET)
    night.close()
    assert not list(tmp_path.iterdir())
    assert remembered.CHANCES == ("state0", "value_at_stake", "score")


def test_other_code_and_other_libraries_have_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "memo.py").write_text("")
    monkeypatch.setattr(memo, "__file__", str(tmp_path / "base" / "memo.py"))
    code, found = memo.code_digest.__wrapped__, []
    for change in (
        lambda: None,
        lambda: (tmp_path / "score.py").write_text("one = 1"),
        lambda: (tmp_path / "score.py").write_text("one = 2"),
        lambda: (tmp_path / "score.py").rename(tmp_path / "scores.py"),
        lambda: monkeypatch.setattr(memo, "version", lambda name: "of another day"),
    ):
        change()
        found.append(code())
    assert len({*found}) == len(found)


def test_other_code_of_a_plug_in_has_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (path := tmp_path / "acme_memo.py").write_text("def features(lookbacks):\n    return ()\n")
    module = importlib.import_module("acme_memo")
    before = plugins.plugged_digest()
    monkeypatch.setitem(plugins.REGISTERED, "acme_memo", plugins.Plugin("acme_memo", features={"mine": module.features}))
    there = plugins.plugged_digest()
    path.write_text("def features(lookbacks):\n    return [lookbacks]\n")
    assert len({before, there, plugins.plugged_digest()}) == 3


def test_nothing_is_kept_without_a_memo_or_with_pseudonyms(monkeypatch: pytest.MonkeyPatch) -> None:
    assert remembered_of(Settings(), "m", {}).folder == Path("out/memo/chances/all")
    assert remembered_of(Settings(memo=False), "m", {}).folder is None
    monkeypatch.setattr(together, "pseudonyms_of", lambda given: object())
    assert remembered_of(Settings(), "m", {}).folder is None

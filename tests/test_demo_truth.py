"""What the demo company says is true of it: chances that hold, labels that the real door gives too, and a ceiling."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from prevenance.demo import simulated
from prevenance.demo.company import block_of, health_step, still_working
from prevenance.demo.foresight import paths_ahead
from prevenance.demo.growth import OFFERS
from prevenance.demo.leaving import hazard
from prevenance.demo.oracle import PATHS, TARGETS, TICKET_PATHS, chances_tonight, contact_effect, newest_cutoffs, oracle_snapshots
from prevenance.demo.switches import Demo
from prevenance.demo.truth import average_precision, roc_auc
from prevenance.demo.world import ADDONS, DAY, END, PLANS, WEEK, World, column_moments, midnight, random_stream
from prevenance.history.history import History, cut_history
from prevenance.judge.bootstrap import pooled_metrics
from prevenance.sources import files
from prevenance.sources.intake import Source, intake
from prevenance.sources.taken import Policy
from prevenance.tables.canonical import TABLES
from prevenance.targets import churn, contraction, cross_sell, tickets
from prevenance.targets.labels import cohort, label

pytestmark = pytest.mark.long

CONF = Path(__file__).parent.parent / "conf" / "source"
CLEAN = {"duplicates": False, "orphans": False, "bad_cells": False, "opt_outs": False}


def seen(given: Demo) -> tuple[World, list[simulated.Life], dict[str, pd.DataFrame]]:
    world = simulated.world_of(given)
    lives = list(simulated.iterate_lives(world))
    parts = [oracle_snapshots(world, life.block, life.grown, life.events.errors, life.tickets) for life in lives]
    return world, lives, {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in TARGETS}


@pytest.fixture(scope="module")
def large() -> dict[str, pd.DataFrame]:
    return seen(Demo(customers=2_700, seed=3))[2]


@pytest.mark.parametrize("target", list(TARGETS))
def test_chances_hold_from_the_smallest_to_the_largest(large: dict[str, pd.DataFrame], target: str) -> None:
    found = large[target]
    chance, outcome = found["chance"].to_numpy(), found["outcome"].to_numpy(dtype=float)
    for part in np.array_split(np.argsort(chance, kind="stable"), 5):
        # One outcome falls into the windows of up to four cutoffs.
        error = 2 * np.sqrt((chance[part] * (1 - chance[part])).sum()) + 1
        assert abs(outcome[part].sum() - chance[part].sum()) < 3 * error, (outcome[part].sum(), chance[part].sum())
    wrong = 1 - found["chance"]
    assert roc_auc(found.assign(chance=wrong)) == pytest.approx(1 - roc_auc(found))


def test_chances_of_leaving_are_those_of_living_on_many_times() -> None:
    given = Demo(customers=250, months=14, seed=5, save_effect=True, churners=None)
    world, (life,), _ = seen(given)
    cutoff = newest_cutoffs(world, "churn")[-1]
    week = int(np.searchsorted(world.weeks, cutoff, side="right")) - 1
    # Who owns every add-on buys none, and so what ends an outcome is not in the way here.
    who, addon = (grid.ravel() for grid in np.meshgrid(np.arange(len(life.block.people)), np.arange(len(ADDONS))))
    owned = replace(life.grown, orders=pd.DataFrame({"who": who, "addon": addon, "at": world.weeks[0]}))
    rows = oracle_snapshots(world, life.block, owned, life.events.errors, life.tickets)["churn"].query("cutoff == @cutoff")
    open_ = rows[~(column_moments(life.block.people, "turned")[rows["who"]] <= cutoff)]
    again, times, rng = np.zeros(len(open_)), 600, random_stream(0, "again")
    until = np.clip((cutoff + 90 * DAY - world.weeks) / WEEK, 0, 1) - np.clip((cutoff - world.weeks) / WEEK, 0, 1)
    silently = np.clip((cutoff + 61 * DAY - world.weeks) / WEEK, 0, 1) - np.clip((cutoff - world.weeks) / WEEK, 0, 1)
    for _ in range(times):
        now, block = life.block.now.copy(), life.block
        for later in range(week + 1, now.shape[1]):
            now[:, later], _ = health_step(now[:, later - 1], rng)
        made = block.made.copy()
        made[:, week:] = block.made[rng.permutation(len(made)), week:]
        block = replace(block, now=now, health=now + block.people["fit"].to_numpy()[:, None], made=made, touched=still_working(made) > 0)
        rates = hazard(world, block)[open_["who"]]
        needed, silent = rng.exponential(1.0, len(open_)), rng.random(len(open_)) < 0.12
        again += np.where(silent, (rates @ silently) >= needed, (rates @ until) >= needed)
    share, chance = again / times, open_["chance"].to_numpy()
    error = np.sqrt(np.maximum(share * (1 - share), 0.002) / times)
    assert np.corrcoef(share, chance)[0, 1] > 0.97
    assert np.mean(np.abs(share - chance) < 4 * error + 0.03) > 0.95
    assert chance.mean() == pytest.approx(share.mean(), rel=0.05)
    assert np.mean(np.abs(share - chance[::-1]) < 4 * error + 0.03) < 0.9, "this test would accept anything"


@pytest.mark.parametrize("paths", [PATHS, TICKET_PATHS])
@pytest.mark.parametrize(("by_health", "rate", "off"), [(-1.5, 0.002, 0.03), (-1.5, 0.01, 0.02), (-0.3, 0.02, 0.01), (0.5, 0.001, 0.01)])
def test_a_few_hundred_paths_tell_what_very_many_of_another_seed_do(paths: int, by_health: float, rate: float, off: float) -> None:
    few, likely = paths_ahead(14, paths)
    rng, now = random_stream(1, "another"), np.zeros(400_000)
    many = np.zeros(len(now))
    for _ in range(14):
        many += np.exp(by_health * now)
        now, _ = health_step(now, rng)
    told = (1 - np.exp(-rate * np.exp(by_health * few).sum(axis=0))) @ likely
    assert told == pytest.approx((1 - np.exp(-rate * many)).mean(), rel=off)


def history(folder: Path) -> History:
    declared = yaml.safe_load((CONF / "demo.yaml").read_text(encoding="utf-8"))
    source = Source(
        name="demo",
        selects={path.stem: path.read_text(encoding="utf-8") for path in sorted((CONF / "demo").glob("*.sql"))},
        files=declared["files"],
        timezone=declared["timezone"],
        static=True,
        delay_days=declared["delay_days"],
    )
    taken = intake(files.new_engine(), source, folder, {table: Policy(on_bad_row="quarantine") for table in TABLES})
    until = pd.Timestamp(END).tz_localize("Europe/Paris").tz_convert("UTC").tz_localize(None)
    return cut_history(taken, until.to_pydatetime())[0]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, dict[str, pd.DataFrame], History]:
    folder = tmp_path_factory.mktemp("demo")
    given = Demo(customers=400, months=24, seed=5, events=20_000, **CLEAN)  # type: ignore[arg-type]
    simulated.write_company(folder, given)
    world, _, found = seen(given)
    return world, found, history(folder)


@pytest.mark.parametrize(
    ("name", "target"), [("churn", churn.by_contract), ("tickets", tickets.next_ticket), ("cross_sell", cross_sell.next_offer)]
)
def test_labels_of_the_real_door_are_those_of_the_generator(
    both: tuple[World, dict[str, pd.DataFrame], History], name: str, target: object
) -> None:
    world, found, past = both
    ours = found[name]
    utc = pd.DatetimeIndex(ours["cutoff"]).tz_localize("Europe/Paris").tz_convert("UTC").tz_localize(None)
    ours = ours.assign(customer_id=world.ids[ours["who"]], at=utc)
    judged = label(past, target(), cohort(past, target(), sorted({one.to_pydatetime() for one in utc})))  # type: ignore[operator]
    judged = judged[judged["state"] == "at_risk"]
    keys = ["customer_id", "at"]
    if name == "cross_sell":
        ours, keys = ours.assign(product_id=np.array(OFFERS)[ours["offer"].astype(int)]), [*keys, "product_id"]
    merged = ours.merge(judged.rename(columns={"cutoff": "at"}), on=keys, how="outer", indicator=True)
    assert set(merged["_merge"]) == {"both"}, merged[merged["_merge"] != "both"].head()
    different = merged[merged["outcome"].astype(float) != merged["label"]]
    assert different.empty, different.head()
    assert merged["label"].sum() > 20


def _utc(moments: np.ndarray) -> np.ndarray:
    local = pd.DatetimeIndex(moments).tz_localize("Europe/Paris", ambiguous=np.ones(len(moments), dtype=bool), nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")


def _held_then(life: simulated.Life, moment: np.datetime64) -> pd.DataFrame:
    """Return a row per customer of the block: whether it is one at ``moment``, and what its plan and add-ons come to then, as they were simulated."""
    people, changes, orders = life.block.people, life.grown.changes, life.grown.orders
    begin, ended = _utc(midnight(column_moments(people, "signup"))), _utc(column_moments(people, "ended"))
    newest = changes[_utc(column_moments(changes, "at")) <= moment].groupby("who").last().reindex(people.index)
    seats, plan = (newest[new].fillna(people[old]).to_numpy(dtype=int) for new, old in (("seats", "seats"), ("plan", "plan_no")))
    bought = orders[_utc(column_moments(orders, "at")) <= moment]
    addons = np.bincount(bought["who"], minlength=len(people))
    extra = np.bincount(bought["who"], ADDONS["price"].to_numpy()[bought["addon"]], len(people))
    money = np.round(seats * PLANS["price"].to_numpy()[plan] + extra, 2)
    return pd.DataFrame({"there": (begin <= moment) & ~(ended <= moment), "seats": seats + addons, "mrr": money}, index=people.index)


def test_contractions_are_the_reductions_that_were_simulated(both: tuple[World, dict[str, pd.DataFrame], History]) -> None:
    world, _, past = both
    target = contraction.contraction()
    (life,) = simulated.iterate_lives(world)
    cutoffs = [past.until - timedelta(days=days) for days in range(97, 97 + 28 * 18, 28)]
    judged = label(past, target, cohort(past, target, cutoffs)).set_index(["cutoff", "customer_id"])
    shrunk, left = 0, 0
    for cutoff in cutoffs:
        now, then = (_held_then(life, np.datetime64(one, "s")) for one in (cutoff, cutoff + timedelta(days=90)))
        low = (5 * then["seats"] <= 4 * now["seats"]) | (np.round(5 * then["mrr"], 2) <= np.round(4 * now["mrr"], 2))
        asked = now["there"].to_numpy()
        wanted = pd.Series((low & then["there"])[asked].to_numpy(dtype=float), index=world.ids[life.block.first + np.flatnonzero(asked)])
        pd.testing.assert_series_equal(
            judged.loc[cutoff, "label"].sort_index(), wanted.sort_index(), check_names=False, check_index_type=False
        )
        shrunk, left = shrunk + int(wanted.sum()), left + int((asked & ~then["there"]).sum())
    assert shrunk > 20, "too few reductions to prove anything"
    assert left > 20, "too few left altogether to prove that they are told apart"


def test_figures_are_pooled_as_a_training_report_pools_them(large: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    found = large["churn"]
    rows = found.assign(label=found["outcome"].astype(float), raw=found["chance"], score=found["chance"])
    theirs = pooled_metrics(rows, np.zeros(len(rows), dtype=np.intp), np.ones((1, 1), dtype=np.uint16), 20)
    parts = [part for _, part in found.groupby("cutoff")]
    weight = [part["outcome"].sum() for part in parts]
    for name, ours in (("roc_auc", roc_auc), ("average_precision", average_precision)):
        assert np.average([ours(part) for part in parts], weights=weight) == pytest.approx(theirs[name][0])


def test_truth_is_written_beside_the_files(tmp_path: Path) -> None:
    facts = simulated.write_company(tmp_path, Demo(customers=150, months=14, leaks=("edited",)))
    known = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert known == json.loads(json.dumps(facts["truth"]))
    for target in TARGETS:
        assert 0.5 < known[target]["roc_auc"] < 1
        assert 0 < known[target]["average_precision"] <= 1
        assert known[target]["snapshots"] > known[target]["positives"] > 0
        assert len(known[target]["how"]) > 80
    assert {leak["name"]: leak["on"] for leak in known["leaks"]} == {"filled_after": False, "poisoned": False, "edited": True}
    assert {"leaks", "effects", "biases", "drift", "season", "settings"} <= set(known)


def test_true_chances_stand_beside_the_files_and_not_among_them(
    both: tuple[World, dict[str, pd.DataFrame], History], tmp_path: Path
) -> None:
    world, found, past = both
    simulated.write_company(tmp_path / "demo", world.given)
    assert [path.name for path in (tmp_path / "demo").glob("*chances*")] == []
    assert (tmp_path / "demo-truth" / "truth.json").read_bytes() == (tmp_path / "demo" / "truth.json").read_bytes()
    told = pd.read_parquet(tmp_path / "demo-truth" / "truth_chances.parquet")
    assert list(told.columns) == ["target", "customer_id", "product_id", "cutoff", "chance"]
    tonight = told["cutoff"] == told["cutoff"].max()
    assert told["cutoff"].max() == pd.Timestamp(past.con.execute("select max(known_at) from canonical.usage").fetchall()[0][0])
    for target, ours in found.items():
        mine, now = (told[(told["target"] == target) & which].set_index(["customer_id", "product_id"]) for which in (~tonight, tonight))
        assert sorted(mine["chance"]) == pytest.approx(sorted(ours["chance"]))
        assert now.index.is_unique
        assert now["chance"].between(0, 1).all()
        # what goes on as it was: the same customers are as likely, about
        before = mine[(mine["cutoff"] == mine["cutoff"].max()) & (mine["chance"] < 1)]["chance"]
        both_times = pd.concat([before.rename("before"), now["chance"].rename("now")], axis=1, join="inner")
        assert now["chance"].mean() == pytest.approx(mine["chance"].mean(), rel=0.35)
        assert both_times.corr(method="spearman").iloc[0, 1] > 0.5


def test_who_has_decided_in_silence_is_sure_to_go() -> None:
    world = simulated.world_of(Demo(customers=2_000, months=14))
    (life,) = simulated.iterate_lives(world)
    now = chances_tonight(world, life.block, life.grown, life.events.errors, life.tickets)["churn"]
    decided = ~np.isnat(column_moments(life.block.people, "turned")[now["who"]])
    assert decided.sum() > 3
    assert (now["chance"][decided] == 1).all()
    assert (now["chance"][~decided] < 1).all()


def test_a_history_too_short_for_a_label_has_no_figures(tmp_path: Path) -> None:
    known = simulated.write_company(tmp_path, Demo(customers=5, months=2))["truth"]
    assert all(known[target]["roc_auc"] is None and known[target]["snapshots"] == 0 for target in TARGETS)


def test_without_signal_nobody_can_rank_who_leaves() -> None:
    found = seen(Demo(customers=1_500, signal=0.0))[2]["churn"]
    undecided = found[found["chance"] < 1]
    assert roc_auc(undecided) < 0.58
    assert roc_auc(seen(Demo(customers=1_500))[2]["churn"]) > 0.8


def test_nobody_ranks_better_than_the_oracle(large: dict[str, pd.DataFrame]) -> None:
    world = simulated.world_of(Demo(customers=2_700, seed=3))
    block = block_of(world, 0)
    for found in (large["churn"], large["tickets"]):
        week = np.searchsorted(world.weeks, found["cutoff"].to_numpy().astype("datetime64[s]"), side="right") - 1
        assert roc_auc(found.assign(chance=-block.health[found["who"], week])) < roc_auc(found) - 0.02


def test_a_contact_keeps_most_and_drives_some_away() -> None:
    for switch in (True, False):
        world = simulated.world_of(Demo(customers=1_500, save_effect=switch))
        (life,) = simulated.iterate_lives(world)
        found = contact_effect(world, life.block)
        gain = (found["contacted"] - found["alone"]).groupby(found["better_alone"].astype(bool)).mean()
        assert found["alone"].between(0, 1).all()
        assert (gain[False] < -0.01 and gain[True] > 0.01) if switch else gain.abs().max() == 0

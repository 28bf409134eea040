"""Losses planted in the demo's help desk: each takes the working hours that its truth says, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prevenance.demo import simulated
from prevenance.demo.desk import worked_seconds
from prevenance.demo.plants import LOST, loss_truth
from prevenance.demo.switches import PLANTS, Demo, demo_of
from prevenance.demo.world import column_moments

SMALL = {"customers": 60, "months": 8, "events": 1_000}


def desk(*plants: str) -> pd.DataFrame:
    world = simulated.world_of(demo_of({**SMALL, "plants": list(plants)}))
    return next(iter(simulated.iterate_lives(world))).tickets


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return desk()


def test_without_plants_nothing_is_told_of_them(plain: pd.DataFrame) -> None:
    assert not [name for name in plain if str(name).startswith(LOST) or str(name).startswith("checked")]
    assert Demo().plants == []
    assert demo_of({"plants": "all"}).plants == PLANTS
    assert demo_of({"plants": "trouble"}).plants == ("trouble",)


def test_each_plant_takes_the_hours_of_its_truth_and_moves_no_other_ticket(plain: pd.DataFrame) -> None:
    planted = desk(*(name for name in PLANTS if name != "trouble"))
    pd.testing.assert_frame_equal(
        planted[["who", "opened_at", "category", "channel", "priority"]], plain[["who", "opened_at", "category", "channel", "priority"]]
    )
    lost = planted[[name for name in planted if str(name).startswith(LOST)]]
    assert (lost.notna().sum() > 2).all()
    both = planted["resolved_at"].notna() & plain["resolved_at"].notna()
    moved = worked_seconds(column_moments(planted[both], "resolved_at")) - worked_seconds(column_moments(plain[both], "resolved_at"))
    # a question takes a quarter of an hour to write, which is work
    wanted = 3600 * (lost.fillna(0).sum(axis=1) + 0.25 * lost[f"{LOST}missing_information"].notna())[both]
    assert np.abs(moved - wanted).max() <= 10  # whole seconds at every step


def test_the_truth_has_the_tickets_of_each_plant_and_those_of_the_bottleneck() -> None:
    tickets = desk("trouble", "unassigned")
    ids = np.array([f"T{number}" for number in range(len(tickets))], dtype=object)
    told = loss_truth(tickets, ids, 6.0)
    assert set(told["plant"]) <= {"trouble", "unassigned", "bottleneck"}
    assert {"unassigned", "bottleneck"} <= set(told["plant"])
    assert set(loss_truth(tickets, ids, 1.0)["plant"]) == set(told["plant"]) - {"bottleneck"}
    assert (told.loc[told["plant"] == "trouble", "lost_seconds"] == 0).all()
    assert told["ticket_id"].isin(ids[tickets["resolved_at"].notna()]).all()


def test_trouble_comes_to_customers_of_the_released_product_in_the_week_after(plain: pd.DataFrame) -> None:
    tickets = desk("trouble")
    extra = tickets[tickets[f"{LOST}trouble"].notna()]
    assert len(tickets) == len(plain) + len(extra)
    assert len(extra) > 0
    assert extra["product_id"].nunique() == 1
    assert set(extra["category"]) == {"bug"}
    assert extra["who"].is_unique

"""Leaks planted on request: columns that know more than they could have known, as real exports have them.

Each looks like any other column and carries a date at which nobody could have known its value.
"""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevenance.demo.company import Block
from prevenance.demo.leaving import leavers, outcome_moments
from prevenance.demo.world import DAY, END, NEVER, World, column_moments, midnight, random_stream, seconds

PLANTED: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
"""Each leak: where it is, the features whose value it gives away, and those that it only touches."""

SURVEYED, HINDSIGHT_DAYS = 0.85, 150
WIN_BACK = "win-back"


def exit_surveys(world: World, block: Block) -> pd.DataFrame:
    """Return the exit survey of each account, (N,) rows: score and the date it is given; empty where none was made."""
    rng, size = random_stream(world.given.seed, "exit surveys", block.number), len(block.people)
    # drawn whether planted or not, as every switch of the demo
    asked = leavers(block.people) & (rng.random(size) < SURVEYED) & ("filled_after" in world.given.leaks)
    back, score = seconds(rng.uniform(20, 110, size)), rng.integers(1, 4, size)
    at = np.maximum(outcome_moments(block.people) - back, column_moments(block.people, "signup"))
    return pd.DataFrame({"score": pd.Series(score).where(asked).astype("Int64"), "at": np.where(asked, midnight(at), NEVER)})


def edited_segment(world: World, block: Block) -> np.ndarray:
    """Return the segment of each account, (N,), as somebody keeps it today."""
    planted = leavers(block.people) & ("edited" in world.given.leaks)
    return np.where(planted, WIN_BACK, block.people["segment"].to_numpy(dtype=object))


def review_grades(world: World, block: Block, who: np.ndarray, at: np.ndarray, honest: np.ndarray) -> np.ndarray:
    """Return the grades 1 to 5 of account reviews: the honest ones, or what hindsight makes of them."""
    if "poisoned" not in world.given.leaks:
        return honest
    leaves = outcome_moments(block.people)[who]
    soon = ~np.isnat(leaves) & (leaves <= END) & ((leaves - at) / DAY <= HINDSIGHT_DAYS)
    return np.where(soon, 1 + honest % 2, np.maximum(honest, 3))

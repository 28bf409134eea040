"""Strategies of small random companies, for Hypothesis to draw from."""

from __future__ import annotations

import pandas as pd
from hypothesis import strategies as st

from prevenance.testing.worlds import CUTOFFS, IDS, MICROSECOND, Dice, snapshots, together, world

__all__ = ["CUTOFFS", "IDS", "MICROSECOND", "TOGETHER", "Dice", "companies", "several", "snapshots", "together", "world", "worlds"]


def worlds(customers: int = 3) -> st.SearchStrategy[dict[str, pd.DataFrame]]:
    """Return a strategy of small random companies; the seed shrinks towards 0."""
    return st.builds(
        world,
        seed=st.integers(0, 2**32 - 1),
        customers=st.integers(1, customers),
        late=st.booleans(),
        rows=st.sampled_from((0.2, 0.5, 1.0)),
    )


TOGETHER = 20
"""How many companies an example of ``companies`` holds: a statement is planned once for all of them."""


def several() -> st.SearchStrategy[list[dict[str, pd.DataFrame]]]:
    """Return a strategy of ``TOGETHER`` small random companies, each by itself."""
    return st.lists(worlds(), min_size=TOGETHER, max_size=TOGETHER)


def companies() -> st.SearchStrategy[dict[str, pd.DataFrame]]:
    """Return a strategy of ``TOGETHER`` small random companies in one database."""
    return several().map(together)

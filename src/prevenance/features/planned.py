"""What several will ask for, said beforehand: the first who asks has it built for all of them, the others look it up."""

import tempfile
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.features.define import Definition, State, columns_of, parts_of
from prevenance.features.held import HeldInputs, InputRows, filed_inputs

MOST = 300_000
"""Snapshots that are held at once; more are built by each for itself."""

LITTLE = 20
"""Who asks for less than one in so many snapshots builds them alone, unless they are there."""


@dataclass
class Plan:
    """Snapshots and definitions that will be asked for; ``snapshots`` (customer_id, cutoff) are made when somebody asks.

    Only what treats each customer alone is shared: there it does not matter who else is asked about. What is ``filed`` is built ``MOST``
    snapshots at a time and held in a file without a name, which goes with this process; where there is no room for it each builds for itself.
    """

    cutoffs: frozenset[datetime]
    definitions: tuple[Definition, ...]
    snapshots: Callable[[], pd.DataFrame]
    filed: bool = False
    held: InputRows | None = field(default=None, repr=False)
    declined: bool = False

    def columns(self, asked: Sequence[Definition], cutoffs: Sequence[datetime]) -> list[str]:
        """Return which columns of ``asked`` this plan gives at ``cutoffs``."""
        if self.declined or not self.cutoffs.issuperset(cutoffs):
            return []
        known = {one.name: one for one in self.definitions}
        return [name for one in asked if known.get(one.name) == one for name in columns_of(one)]

    def serves(self, number: int) -> bool:
        """Return whether so many snapshots are looked up here: in what is held, or in what is worth building for them."""
        if self.held is not None or self.declined:
            return not self.declined
        asked = len(self.snapshots())
        self.declined = asked > MOST and not self.filed
        return not self.declined and number * LITTLE >= asked

    def places(self, keys: pd.DataFrame, build: Callable[[pd.DataFrame], pd.DataFrame]) -> np.ndarray | None:
        """Return where the snapshots ``keys`` stand in ``held``, which ``build`` gives the first time; None where one is not planned."""
        if self.held is None and self.serves(len(keys)):
            try:
                self.held = _filed(self.snapshots(), build) if self.filed else build(self.snapshots())
            except (PrevenanceError, OSError):  # what is wrong with a definition is told to who asks for it, and to nobody else
                self.declined = True
        if self.held is None:
            return None
        names = ["customer_id", "cutoff"]
        found = pd.MultiIndex.from_frame(self.held[names]).get_indexer(pd.MultiIndex.from_frame(keys[names]))
        return None if (found < 0).any() else found

    def rows(self, places: np.ndarray, columns: list[str]) -> pd.DataFrame:
        """Return columns of what is held, at ``places``."""
        if isinstance(self.held, HeldInputs):
            return self.held.take(places, columns)
        assert self.held is not None
        return self.held[columns].take(places)


def _filed(asked: pd.DataFrame, build: Callable[[pd.DataFrame], pd.DataFrame]) -> HeldInputs:
    parts = (build(asked.iloc[first : first + MOST]) for first in range(0, max(1, len(asked)), MOST))
    with ExitStack() as opened:
        held = filed_inputs(parts, opened.enter_context(tempfile.TemporaryFile()))
        weakref.finalize(held, opened.pop_all().close)
    return held


def shared_definitions(definitions: Sequence[Definition]) -> tuple[Definition, ...]:
    """Return the definitions that treat each customer alone, with everything that they are made from."""
    kept: list[Definition] = []
    there: set[str] = set()
    for one in definitions:
        if (not isinstance(one, State) or (one.alone and not one.pair)) and there.issuperset(parts_of(one)):
            kept.append(one)
            there |= set(columns_of(one))
    return tuple(kept)

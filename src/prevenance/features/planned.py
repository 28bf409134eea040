"""What several will ask for, said beforehand: the first who asks has it built for all of them, the others look it up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.features.define import Definition, State, columns_of, parts_of

MOST = 300_000
"""Snapshots that are held at once; more are built by each for itself."""


@dataclass
class Plan:
    """Snapshots and definitions that will be asked for; ``snapshots`` (customer_id, cutoff) are made when somebody asks.

    Only what treats each customer alone is shared: there it does not matter who else is asked about.
    """

    cutoffs: frozenset[datetime]
    definitions: tuple[Definition, ...]
    snapshots: Callable[[], pd.DataFrame]
    held: pd.DataFrame | None = field(default=None, repr=False)
    place: pd.MultiIndex | None = field(default=None, repr=False)
    declined: bool = False

    def columns(self, asked: Sequence[Definition], cutoffs: Sequence[datetime]) -> list[str]:
        """Return which columns of ``asked`` this plan gives at ``cutoffs``."""
        if self.declined or not self.cutoffs.issuperset(cutoffs):
            return []
        known = {one.name: one for one in self.definitions}
        return [name for one in asked if known.get(one.name) == one for name in columns_of(one)]

    def places(self, keys: pd.DataFrame, build: Callable[[pd.DataFrame], pd.DataFrame]) -> np.ndarray | None:
        """Return where the snapshots ``keys`` stand in ``held``, which ``build`` gives the first time; None where one is not planned."""
        if self.held is None and not self.declined:
            asked = self.snapshots()
            self.declined = len(asked) > MOST
            try:
                if not self.declined:
                    self.held, self.place = build(asked), pd.MultiIndex.from_frame(asked[["customer_id", "cutoff"]])
            except PrevenanceError:  # what is wrong with a definition is told to who asks for it, and to nobody else
                self.declined = True
        if self.place is None:
            return None
        found = self.place.get_indexer(pd.MultiIndex.from_frame(keys[["customer_id", "cutoff"]]))
        return None if (found < 0).any() else found


def shared_definitions(definitions: Sequence[Definition]) -> tuple[Definition, ...]:
    """Return the definitions that treat each customer alone, with everything that they are made from."""
    kept: list[Definition] = []
    there: set[str] = set()
    for one in definitions:
        if (not isinstance(one, State) or (one.alone and not one.pair)) and there.issuperset(parts_of(one)):
            kept.append(one)
            there |= set(columns_of(one))
    return tuple(kept)

"""What fits: a number of contacts, or the hours of each owner."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from prevenance.base.errors import PrevenanceError

DEFAULT = "default"
"""In the hours: owners who are not named."""
NOBODY = ""
"""The owner of customers without one: nobody has hours for them."""


@dataclass(frozen=True)
class Room:
    """How many customers can be worked: ``contacts`` for the whole list, or, where ``hours`` are given, those alone.

    ``hours`` is the time each owner has for this list in a week; who is not named has that of ``default``, or none, and so has nobody.
    ``used`` says how many of this week's contacts were made already, by owner.
    """

    contacts: int = 20
    hours: Mapping[str, float] = field(default_factory=dict)
    hours_per_contact: float = 1.5
    used: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no capacity (E202)."""
        if self.contacts < 1:
            fix = "set capacity=1 or more"
            raise PrevenanceError("E202", f"capacity is {self.contacts}, must be at least 1", fix=fix, setting="capacity")

    @property
    def unit(self) -> str:
        """Return ``hours`` or ``contacts``."""
        return "hours" if self.hours else "contacts"

    def available(self, owner: object) -> float | None:
        """Return the hours of an owner, or ``None`` where contacts are counted."""
        if not self.hours:
            return None
        if not isinstance(owner, str) or owner == NOBODY:
            return 0.0
        return float(self.hours.get(owner, self.hours.get(DEFAULT, 0.0)))

    @property
    def done(self) -> int:
        """Return how many of this week's contacts were made already."""
        return sum(self.used.values())

    @property
    def left(self) -> int:
        """Return the contacts that are left of this week (where contacts count)."""
        return max(0, self.contacts - self.done)

    def slots(self, owner: object) -> int:
        """Return the contacts that one owner has time left for this week (where hours count)."""
        # 4.5 hours at 1.5 each are three contacts, whatever floats make of it.
        most = int((self.available(owner) or 0.0) / self.hours_per_contact + 1e-9)
        return max(0, most - self.used.get(owner if isinstance(owner, str) else NOBODY, 0))

    def possible(self, owners: pd.Series) -> pd.Series:
        """Return whose owner has hours for one contact in a week at all, as bool with the index of ``owners``."""
        enough = [one for one in owners.dropna().unique() if (self.available(one) or 0.0) + 1e-9 >= self.hours_per_contact]
        return owners.isin(enough) | (not self.hours)

    def inside(self, owners: pd.Series) -> pd.Series:
        """Return who fits, walking down ``owners`` (one row per customer, best first), as bool with its index."""
        if not self.hours:
            return pd.Series(range(len(owners)), index=owners.index, dtype="int64") < self.left
        named = owners.astype("object").where(owners.notna(), NOBODY)
        limits = named.map({owner: self.slots(owner) for owner in named.unique()}).astype("int64")
        return named.groupby(named, sort=False).cumcount() < limits

    def workable(self, owners: pd.Series) -> pd.Series:
        """Return whose owner has any room at all, as bool with the index of ``owners``."""
        return owners.isin([one for one in owners.dropna().unique() if self.slots(one) > 0]) | (not self.hours)

"""The hold-out: some customers near the capacity line are left alone, so that what contacts change can be measured.

Once a week, on Monday 00:00 UTC, those near the line are drawn by a keyed hash of their id; who is drawn keeps the arm for one epoch,
the horizon in whole weeks. The draw depends on nothing but the key, the target, the epoch and the id: no list has to remember another.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

HOLDOUT, CONTACT = "holdout", "contact"

WEEK = timedelta(days=7)
ORIGIN = datetime(2000, 1, 3)
"""A Monday, 00:00 UTC: weeks and epochs are counted from here."""

PUBLIC_SALT = b"prevenance hold-out"
"""The key where none is given: who can read this line can compute the draw, and nobody can influence it."""

LONGEST_WEEKS = 26


@dataclass(frozen=True)
class HoldOut:
    """Who is held out: ``share`` of those in the band, never above ``max_value`` of money at stake or revenue a year (``None``: no limit).

    ``unit`` is what is drawn: each customer, all accounts of one parent, or all customers of one owner, so that nobody sees both arms at once.
    The band is the last ``band`` of those inside the capacity and as many below the line. ``ways`` are two actions, or two numbers of days to wait,
    of which one is drawn for each that is listed; without them nothing is.
    """

    target: str
    horizon_days: int
    share: float = 0.1
    band: float = 0.5
    max_value: float | None = None
    key: bytes = PUBLIC_SALT
    unit: str = "customer"
    ways: tuple[str, ...] = ()

    @property
    def weeks(self) -> int:
        """Return the length of an epoch in weeks: the horizon, rounded up, at most half a year."""
        return max(1, min(LONGEST_WEEKS, math.ceil(self.horizon_days / 7)))

    def epoch(self, moment: datetime) -> int:
        """Return the number of the epoch that ``moment`` (naive UTC) lies in."""
        return ((moment - ORIGIN) // WEEK) // self.weeks

    def began(self, moment: datetime) -> datetime:
        """Return when the epoch of ``moment`` began."""
        return ORIGIN + WEEK * (self.epoch(moment) * self.weeks)

    def drawn(self, unit: str, epoch: int) -> bool:
        """Return whether the hash of a unit (a customer's id, unless parents or owners are drawn) falls into the share; the same for a whole epoch."""
        return self._luck(self.target, str(epoch), unit) < self.share

    def way(self, unit: str, epoch: int) -> str:
        """Return which of the two ``ways`` is drawn for a unit, each for half of them; the same for a whole epoch, and nothing of the hold-out's draw."""
        return self.ways[self._luck(self.target, str(epoch), "way", unit) >= 0.5]

    def _luck(self, *told: str) -> float:
        # A sign between the parts that no name holds, or two different draws could read alike.
        text = "\x1f".join(told).encode("utf-8", errors="surrogatepass")
        code = hashlib.blake2b(text, key=hashlib.sha256(self.key).digest(), digest_size=8).digest()
        return int.from_bytes(code, "big") / 2**64

    @property
    def mark(self) -> str:
        """Return a fingerprint of the key, for the run's hash."""
        return hashlib.blake2b(b"mark", key=hashlib.sha256(self.key).digest(), digest_size=8).hexdigest()


def last_mondays(cutoff: datetime, weeks: int) -> list[datetime]:
    """Return the last ``weeks`` weekly moments up to and including ``cutoff``, ascending."""
    last = ORIGIN + WEEK * ((cutoff - ORIGIN) // WEEK)
    return [last - WEEK * n for n in reversed(range(weeks))]

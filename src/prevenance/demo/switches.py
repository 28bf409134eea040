"""Which demo company is made: its size, its seed, and what is planted in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LEAKS = ("filled_after", "poisoned", "edited")


@dataclass(frozen=True)
class Demo:
    """What company is made, and which flaws and effects are planted in it.

    ``churners``: how many leave in the whole history; None: about 2.5 % a month. ``signal``: how much of what decides
    can be seen; 1 is plausible, 0 nothing. ``events``: about how many product events at most; a larger company logs every second, third, ...
    """

    customers: int = 600
    months: int = 26
    seed: int = 7
    signal: float = 1.0
    churners: int | None = None
    events: int = 50_000_000
    late: bool = True
    duplicates: bool = True
    orphans: bool = True
    bad_cells: bool = True
    opt_outs: bool = True
    bottleneck: bool = True
    season: bool = True
    save_effect: bool = True
    hostile_names: bool = False
    bias: bool = False
    drift: bool = False
    leaks: tuple[str, ...] = ()


def demo_of(switches: dict[str, Any]) -> Demo:
    """Return the settings of a demo company; ``leaks`` may be ``all``, one name or several."""
    asked = switches.get("leaks") or ()
    names = LEAKS if asked == "all" else (asked,) if isinstance(asked, str) else tuple(asked)
    return Demo(**{**switches, "leaks": LEAKS if "all" in names else tuple(name for name in LEAKS if name in names)})

"""Which demo company is made: its size, its seed, and what is planted in it."""

from dataclasses import dataclass, field
from typing import Any

LEAKS = ("filled_after", "poisoned", "edited")
PLANTS = ("ping_pong", "double_check", "over_organised", "missing_information", "unassigned", "trouble")

CONTACT_KINDS = {"call": 0.35, "email": 0.4, "meeting": 0.17, "training": 0.08}
"""Kinds of contact, and how often each is the one."""

PROGRAMME = ("programme", "effects", "harm", "complied", "noncompliance")
"""Settings of a programme: nothing is said of them where there is none."""


# Not frozen: it is a group of the settings as well, and what merges conf/ fills its dataclasses in place.
@dataclass
class Demo:
    """What company is made, and which flaws and effects are planted in it; see conf/source/demo/company.yaml.

    ``churners``: how many leave in the whole history; None: about 2.5 % a month. ``signal``: how much of what decides
    can be seen; 1 is plausible, 0 nothing. ``events``: about how many product events at most; a larger company logs every second, third, ...
    ``leaks`` and ``plants`` (losses of the help desk) may be ``all``, one name or a list in settings; ``demo_of`` makes names of it.
    ``programme``: the company lives on by what the published
    lists said (see ``programme``), and the settings after it hold for that alone.
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
    leaks: Any = field(default_factory=list)
    plants: Any = field(default_factory=list)
    programme: bool = False
    effects: dict[str, float] = field(default_factory=lambda: {"call": 0.5, "meeting": 0.5, "training": 0.7, "email": 0.9})
    harm: float | None = None
    complied: float = 1.0
    noncompliance: float = 0.0


def demo_of(switches: dict[str, Any]) -> Demo:
    """Return the settings of a demo company; ``leaks`` and ``plants`` may be ``all``, one name or several."""
    return Demo(**{**switches, "leaks": _names(switches.get("leaks"), LEAKS), "plants": _names(switches.get("plants"), PLANTS)})


def _names(asked: Any, every: tuple[str, ...]) -> tuple[str, ...]:
    names = (asked,) if isinstance(asked, str) else tuple(asked or ())
    return every if "all" in names else tuple(name for name in every if name in names)

"""What is predicted, a file a target: its cohort, outcome and horizon, and what people read of it."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

from prevenance.targets.target import ANY_OUTCOME, Target, TargetWords

STAND_ON = ("labels", "sql", "target")
"""Modules that targets stand on and that are none; labels loads libraries that a check of settings can do without."""


def _kinds() -> dict[str, Callable[..., Target]]:
    found: dict[str, Callable[..., Target]] = {}
    for name in sorted(one.name for one in pkgutil.iter_modules(__path__) if one.name not in STAND_ON):
        found |= importlib.import_module(f"{__name__}.{name}").KINDS
    return found


KINDS: dict[str, Callable[..., Target]] = _kinds()
"""Kind of target -> the function that makes one: every module of this folder that says ``KINDS`` is one of them, and plug-ins add theirs.

A function takes what it needs of the settings by their names, and stands without any.
"""


@cache
def words_of(kind: str) -> TargetWords:
    """Return what people read of a kind of target; of an unknown one what holds of any outcome."""
    return KINDS[kind]().words if kind in KINDS else ANY_OUTCOME


def default_plays() -> dict[str, Any]:
    """Return target -> family -> play: what the targets themselves say should be done, by the name that each has where none is given."""
    made = [make() for make in KINDS.values()]
    return {one.name: one.plays for one in made if one.plays}

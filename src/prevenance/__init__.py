"""Prévenance: whom to contact, why, what to offer and what it is worth, every morning, proved afterwards.

Import it as ``pv``; what stands here is the public API, and it is imported when it is first asked for::

    import prevenance as pv

    project = pv.open("out")
    history = project.history(as_of="2026-04-01")
    X, y = history.training("churn")
"""

from typing import TYPE_CHECKING, Any

from prevenance.base.version import VERSION as __version__

if TYPE_CHECKING:
    from prevenance import models as models
    from prevenance import testing as testing
    from prevenance.api.known import KnownHistory as KnownHistory
    from prevenance.api.leaks import leakage as leakage
    from prevenance.api.project import Project as Project
    from prevenance.api.project import open_project as open  # noqa: F401
    from prevenance.api.results import RankedList as RankedList
    from prevenance.api.results import Replay as Replay
    from prevenance.api.results import Told as Told
    from prevenance.api.results import Training as Training
    from prevenance.base.errors import PrevenanceError as PrevenanceError
    from prevenance.features.catalogue import feature_catalogue as features  # noqa: F401
    from prevenance.features.define import Count as Count
    from prevenance.features.define import DaysSince as DaysSince
    from prevenance.features.define import Distinct as Distinct
    from prevenance.features.define import Feature as Feature
    from prevenance.features.define import Last as Last
    from prevenance.features.define import Max as Max
    from prevenance.features.define import Mean as Mean
    from prevenance.features.define import Min as Min
    from prevenance.features.define import Ratio as Ratio
    from prevenance.features.define import State as State
    from prevenance.features.define import Sum as Sum
    from prevenance.features.define import Trend as Trend
    from prevenance.models.split import TemporalSplit as TemporalSplit
    from prevenance.runs.plugins import Plugin as Plugin
    from prevenance.targets.target import Target as Target
    from prevenance.targets.target import TargetWords as TargetWords

_PLACES = {
    "open": ("api.project", "open_project"),
    "leakage": ("api.leaks", "leakage"),
    "Project": ("api.project", "Project"),
    "KnownHistory": ("api.known", "KnownHistory"),
    "Training": ("api.results", "Training"),
    "RankedList": ("api.results", "RankedList"),
    "Replay": ("api.results", "Replay"),
    "Told": ("api.results", "Told"),
    "TemporalSplit": ("models.split", "TemporalSplit"),
    "features": ("features", ""),
    "Plugin": ("runs.plugins", "Plugin"),
    "Target": ("targets.target", "Target"),
    "TargetWords": ("targets.target", "TargetWords"),
    "PrevenanceError": ("base.errors", "PrevenanceError"),
    **{name: ("features.define", name) for name in ("Feature", "Trend", "Ratio", "State", "Count", "Sum", "Mean", "Min", "Max", "Last")},
    **{name: ("features.define", name) for name in ("Distinct", "DaysSince")},
    "models": ("models", ""),
    "testing": ("testing", ""),
}
"""Public name -> the module that holds it and what it is called there."""

__all__ = ["__version__", *_PLACES]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``import prevenance`` costs nothing."""
    if name not in _PLACES:
        raise AttributeError(f'module "prevenance" has no attribute "{name}"')
    from importlib import import_module

    place, own = _PLACES[name]
    module = import_module(f"prevenance.{place}")
    # The subpackage of this name would come first otherwise, once something below it is imported.
    globals()[name] = found = getattr(module, own) if own else module
    return found


def __dir__() -> list[str]:
    return sorted(__all__)

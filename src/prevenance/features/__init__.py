"""Features: definitions by table, chosen by set; called, the package gives the table of them all."""

import sys
from types import ModuleType
from typing import Any

from prevenance.features.define import Definition, Feature, Ratio, State, Trend
from prevenance.features.sets import LOOKBACKS, SETS, changeable_columns, definitions, phrases_by_column


class _Table(ModuleType):
    """The package as the public API has it: a call gives the table of all features."""

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        """Return ``catalogue.feature_catalogue(...)``: one row per column."""
        from prevenance.features.catalogue import feature_catalogue

        return feature_catalogue(*arguments, **more)


# ``prevenance.features`` is this package however it was come by, so the package itself has to answer ``prevenance.features()``.
sys.modules[__name__].__class__ = _Table

__all__ = [
    "LOOKBACKS",
    "SETS",
    "Definition",
    "Feature",
    "Ratio",
    "State",
    "Trend",
    "changeable_columns",
    "definitions",
    "phrases_by_column",
]

"""How much a test tries: a part of it in `make test` and `make test-long`, all of it in `make test-all`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet

PART = [False]
"""Whether this run leaves the sweeps out; tests/conftest.py says so before any test is imported."""


def amount(part: int, whole: int) -> int:
    """Return how many examples, seeds or calls a test tries: ``whole`` where the sweeps run as well."""
    return part if PART[0] else whole


def whole() -> bool:
    """Return whether the sweeps run as well: a test may then go on to what a cheaper one shows."""
    return not PART[0]


def some(cases: Iterable[object], *stay: int) -> list[ParameterSet]:
    """Return the cases of a parametrised test: those at the places ``stay`` in every run, the others where the sweeps run."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=[] if place in stay else [pytest.mark.sweep])
        for place, case in enumerate(cases)
    ]

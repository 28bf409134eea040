"""Small exports that go wrong, where they are there (PREVENANCE_CASES names their folder): each as expected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("PREVENANCE_CASES")


@pytest.mark.sweep
@pytest.mark.skipif(not FOLDER, reason="PREVENANCE_CASES names no folder of cases")
def test_every_case_is_as_expected() -> None:
    from bench.cases import checked_cases

    found = checked_cases(Path(FOLDER or ""))
    assert found
    assert [(name, wrong) for name, _, wrong in found if wrong] == []

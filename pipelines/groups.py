"""Groups of settings of single capabilities."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TableSettings:
    """The finished feature table that ``leakage`` checks: a file, and the names of its columns."""

    file: str | None = None
    label: str | None = None
    id: str | None = None
    cutoff: str | None = None
    fail: bool = False

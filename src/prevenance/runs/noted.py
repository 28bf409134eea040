"""Acts of a run for the trail of an output folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prevenance.privacy import trail


def noted(out: Path, what: str, **facts: Any) -> None:
    """Add an act to the trail of an output folder."""
    trail.append_act(out, datetime.now(UTC).replace(tzinfo=None), what, **facts)


def noted_each(out: Path, what: str, results: dict[str, Any]) -> None:
    """Add an act to the trail for every target; a result is a run's facts, or anything else."""
    for target, facts in results.items():
        told = facts if isinstance(facts, dict) else {}
        noted(out, what, target=target, run_id=told.get("run_id"), model=str(told.get("digest") or "")[:12] or None)

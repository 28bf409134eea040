"""What a run notes in the trail of its output folder; here, where there is a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prevenance.privacy.trail import append_act


def note_act(out: Path, what: str, **facts: Any) -> None:
    """Add an act to the trail of an output folder."""
    append_act(out, datetime.now(UTC).replace(tzinfo=None), what, **facts)


def note_acts(out: Path, what: str, results: dict[str, Any]) -> None:
    """Add an act to the trail for every target; a result is a run's facts, or anything else."""
    for target, facts in results.items():
        told = facts if isinstance(facts, dict) else {}
        note_act(out, what, target=target, run_id=told.get("run_id"), model=str(told.get("digest") or "")[:12] or None)

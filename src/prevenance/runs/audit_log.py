"""Verify the audit log of an output folder: every line is as it was written, or the first that is not is named."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prevenance.privacy import trail
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def noted(given: Settings, what: str, **facts: Any) -> None:
    """Add an act to the audit log of the output folder."""
    trail.append_act(Path(given.out), datetime.now(UTC).replace(tzinfo=None), what, **facts)


def noted_each(given: Settings, what: str, results: dict[str, Any]) -> None:
    """Add an act to the audit log for every target; a result is a run's facts, or anything else."""
    for target, facts in results.items():
        told = facts if isinstance(facts, dict) else {}
        noted(given, what, target=target, run_id=told.get("run_id"), model=str(told.get("digest") or "")[:12] or None)


def verify_trail(given: Settings, steps: Steps) -> None:
    """Print how many acts of each kind the log holds and its last digest; E309 names the first broken line."""
    steps("verify the audit log")
    lines = trail.verified_lines(Path(given.out))
    steps("")
    counts = ", ".join(f"{number} {what}" for what, number in sorted(Counter(one["what"] for one in lines).items()))
    steps.tell(f"AUDIT     {len(lines)} lines, chain unbroken" + (f": {counts}" if counts else ""))
    if lines:
        steps.tell(f"HEAD      {lines[-1]['digest']}   # note it elsewhere: a log that was cut short does not have it")

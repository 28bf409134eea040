"""The trail of an output folder: what runs note in it, here, where there is a clock, and whether it is as it was written."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError
from prevenance.privacy.trail import LOG, append_act, verified_lines
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def note_act(out: Path, what: str, **facts: Any) -> None:
    """Add an act to the trail of an output folder."""
    append_act(out, datetime.now(UTC).replace(tzinfo=None), what, **facts)


def note_acts(out: Path, what: str, results: dict[str, Any]) -> None:
    """Add an act to the trail for every target; a result is a run's facts, or anything else."""
    for target, facts in results.items():
        told = facts if isinstance(facts, dict) else {}
        note_act(out, what, target=target, run_id=told.get("run_id"), model=str(told.get("digest") or "")[:12] or None)


def verify_trail(given: Settings, steps: Steps) -> None:
    """Print how many acts of each kind the log holds and its last digest; E309 names the first broken line."""
    steps("verify the audit log")
    lines = verified_lines(given.folder)
    if not lines:
        fix = "set out=<the folder that make train wrote>; where acts were noted before, restore the log from a backup"
        raise PrevenanceError("E309", "there is no act in the audit log, so there is nothing to verify", fix=fix, path=given.folder / LOG)
    counts = ", ".join(f"{number} {what}" for what, number in sorted(Counter(one["what"] for one in lines).items()))
    steps.tell(f"AUDIT     {len(lines)} lines, chain unbroken" + (f": {counts}" if counts else ""))
    steps.tell(f"HEAD      {lines[-1]['digest']}   # note it elsewhere: a log that was cut short does not have it")

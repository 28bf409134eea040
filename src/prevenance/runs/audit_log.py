"""Verify the audit log of an output folder: every line is as it was written, or the first that is not is named."""

from __future__ import annotations

from collections import Counter

from prevenance.privacy import trail
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def verify_trail(given: Settings, steps: Steps) -> None:
    """Print how many acts of each kind the log holds and its last digest; E309 names the first broken line."""
    steps("verify the audit log")
    lines = trail.verified_lines(given.folder)
    counts = ", ".join(f"{number} {what}" for what, number in sorted(Counter(one["what"] for one in lines).items()))
    steps.tell(f"AUDIT     {len(lines)} lines, chain unbroken" + (f": {counts}" if counts else ""))
    if lines:
        steps.tell(f"HEAD      {lines[-1]['digest']}   # note it elsewhere: a log that was cut short does not have it")

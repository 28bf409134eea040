"""Ask the advisories about every library of requirements.lock; the one pipeline that needs the network besides ``make setup``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from pipelines.sbom import LOCK
from prevenance.advisories import Pin, judged, pins
from prevenance.errors import PrevenanceError

SECONDS = 600


def asked(locked: set[Pin]) -> list[str]:
    """Return what pip-audit says of the libraries, as JSON: once, and again for those that are locked in several versions.

    They are asked about as names and versions, without markers: so those for other systems are audited too, and nothing is installed.

    Raises:
        PrevenanceError: E405 where it gives no answer.
    """
    turns: list[dict[str, str]] = []
    for name, version in sorted(locked):
        turn = next((one for one in turns if name not in one), None)
        if turn is None:
            turns.append(turn := {})
        turn[name] = version
    return [_answer("".join(f"{name}=={version}\n" for name, version in turn.items())) for turn in turns]


def _answer(listed: str) -> str:
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "locked.txt"
        path.write_text(listed, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pip_audit",
            "--no-deps",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "-f",
            "json",
            "-r",
            str(path),
        ]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            raise _silent(f"no answer within {SECONDS} s") from late
    if not ended.stdout.strip():
        raise _silent((ended.stderr.strip().splitlines() or ["no answer"])[-1][:200])
    return ended.stdout


def _silent(why: str) -> PrevenanceError:
    return PrevenanceError(
        "E405", f"the advisories did not answer ({why})", fix="run it again where pypi.org can be reached, after make setup"
    )


def main() -> None:
    """Run from the command line."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    try:
        locked = pins(LOCK.read_text(encoding="utf-8"))
        print(f"AUDIT     {judged(locked, asked(locked))} of {len(locked)} locked libraries audited, no known weakness")
    except PrevenanceError as problem:
        sys.stderr.write(problem.line() + "\n")
        sys.exit(problem.exit_status)


if __name__ == "__main__":
    main()

"""What advisories say of the locked libraries, as pip-audit tells it; that nothing was found counts only if everything was looked at."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from prevenance.base.errors import PrevenanceError
from prevenance.runs.sbom import components


@dataclass(frozen=True)
class Vulnerable:
    """A locked library with a known weakness, and the versions that mend it."""

    name: str
    version: str
    advisory: str
    fixed_in: tuple[str, ...]


Pin = tuple[str, str]
"""Name and version of a library."""


def locked_pins(lock: str) -> set[Pin]:
    """Return every library of a lock file, also those for other systems and other versions of Python than this one."""
    return {(one["name"], one["version"]) for one in components(lock)}


def audited_count(locked: set[Pin], answers: list[str]) -> int:
    """Return how many libraries were audited: all of them, and none has a known weakness.

    Args:
        locked: see ``locked_pins``.
        answers: what ``pip-audit -f json`` printed, each time it was asked.

    Raises:
        PrevenanceError: E405 where nothing was audited at all, E604 where a locked library was not, E605 for known weaknesses.
    """
    audited: set[Pin] = set()
    found: list[Vulnerable] = []
    for answer in answers:
        looked, weak = _read(answer)
        audited, found = audited | looked, found + weak
    if found:
        first = found[0]
        told = ", ".join(f"{one.name} {one.version} ({one.advisory})" for one in found[:5])
        known = [version for version in first.fixed_in if version]
        mend = f"lock {first.name} {known[-1]} or later with make lock" if known else f"replace {first.name}: no version mends it yet"
        raise PrevenanceError("E605", f"{len(found)} known weaknesses: {told}", fix=mend, first=f"{first.name}=={first.version}")
    if not audited:
        raise PrevenanceError("E405", "the advisories did not answer for any library", fix="run it again where pypi.org can be reached")
    if left := sorted(locked - audited):
        what = f"{len(locked) - len(left)} of {len(locked)} locked libraries were audited"
        fix = "run it again; a library that the advisories do not know is to be replaced or looked at by hand"
        raise PrevenanceError("E604", what, fix=fix, first=", ".join(f"{name}=={version}" for name, version in left[:5]))
    return len(locked)


def _read(answer: str) -> tuple[set[Pin], list[Vulnerable]]:
    """Return what was audited, and what is vulnerable, by name."""
    try:
        told = json.loads(answer)["dependencies"]
        looked = [one for one in told if "skip_reason" not in one]
        audited = {(re.sub(r"[-_.]+", "-", one["name"]).lower(), str(one["version"])) for one in looked}
        found = [
            Vulnerable(one["name"], one["version"], each["id"], tuple(each["fix_versions"])) for one in looked for each in one["vulns"]
        ]
    except (ValueError, KeyError, TypeError) as problem:
        what = "the advisories gave no answer that can be read"
        raise PrevenanceError("E405", what, fix="run it again where pypi.org can be reached") from problem
    return audited, sorted(found, key=lambda one: (one.name, one.advisory))


SECONDS = 600


def advisory_answers(locked: set[Pin]) -> list[str]:
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

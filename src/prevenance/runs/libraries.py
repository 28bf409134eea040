"""The locked libraries: the bill of materials of a lock file, and what advisories say of them, as pip-audit tells it.

The same lock gives the same bytes. That nothing was found counts only if everything was looked at.
"""

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$")
_HASH = re.compile(r"^--hash=sha256:([0-9a-f]{64})\s*\\?$")

AGAIN = "run it again where pypi.org can be reached"


def components(lock: str) -> list[dict[str, Any]]:
    """Return the libraries of a lock file in its order: name, version, purl and the SHA-256 of every file that may be installed.

    Raises:
        PrevenanceError: E210 for a line that is neither a pin nor a hash, or a pin without a hash: nothing is left out in silence.
    """
    found: list[dict[str, Any]] = []
    for number, line in enumerate((each.strip() for each in lock.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        if pin := _PIN.match(line):
            name, version = re.sub(r"[-_.]+", "-", pin.group(1)).lower(), pin.group(2)
            one: dict[str, Any] = {"type": "library", "bom-ref": f"pkg:pypi/{name}@{version}", "name": name, "version": version}
            one |= {"purl": f"pkg:pypi/{name}@{version}", "hashes": []}
            found.append(one | ({"properties": [{"name": "prevenance:marker", "value": pin.group(3)}]} if pin.group(3) else {}))
        elif found and (file := _HASH.match(line)):
            found[-1]["hashes"].append({"alg": "SHA-256", "content": file.group(1)})
        else:
            raise PrevenanceError("E210", "neither a pinned library nor a hash", first=f"requirements.lock:{number}", fix="run make lock")
    if bare := next((one["name"] for one in found if not one["hashes"]), None):
        raise PrevenanceError("E210", f"{bare} has no hash", first="requirements.lock", fix="run make lock")
    return found


def bill(lock: str, version: str) -> bytes:
    """Return the bill of a lock file as CycloneDX JSON."""
    own = {"type": "application", "name": "prevenance", "version": version, "bom-ref": f"pkg:pypi/prevenance@{version}"}
    told = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": own}, "components": components(lock)}
    return (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()


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
        raise PrevenanceError("E405", "the advisories did not answer for any library", fix=AGAIN)
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
        raise PrevenanceError("E405", "the advisories gave no answer that can be read", fix=AGAIN) from problem
    return audited, sorted(found, key=lambda one: (one.name, one.advisory))


PIP_AUDIT, SECONDS = "-m pip_audit --no-deps --disable-pip --progress-spinner off -f json -r", 600


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
        command = [sys.executable, *PIP_AUDIT.split(), str(path)]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            raise _silent(f"no answer within {SECONDS} s") from late
    if not ended.stdout.strip():
        raise _silent((ended.stderr.strip().splitlines() or ["no answer"])[-1][:200])
    return ended.stdout


def _silent(why: str) -> PrevenanceError:
    return PrevenanceError("E405", f"the advisories did not answer ({why})", fix=f"{AGAIN}, after make setup")

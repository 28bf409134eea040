"""A software bill of materials: every locked library with its hashes, as CycloneDX 1.6 JSON. The same lock gives the same bytes."""

from __future__ import annotations

import json
import re
from typing import Any

from prevenance.base.errors import PrevenanceError

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$")
_HASH = re.compile(r"^--hash=sha256:([0-9a-f]{64})\s*\\?$")


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

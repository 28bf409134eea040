"""The bill of materials lists every locked library, and a line that it cannot read is no library left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.runs.libraries import bill, components

LOCK = (Path(__file__).parent.parent / "requirements.lock").read_text(encoding="utf-8")
HASH = "    --hash=sha256:" + "a" * 64


def test_every_locked_library_and_every_hash_is_listed() -> None:
    found = json.loads(bill(LOCK, "1.0"))
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert len(found["components"]) == len(re.findall(r"(?m)^[^\s#].*==", LOCK)) > 50
    assert sum(len(one["hashes"]) for one in found["components"]) == LOCK.count("--hash=sha256:")
    assert {"duckdb", "lightgbm", "mlflow", "hydra-core"} <= {one["name"] for one in found["components"]}
    assert bill(LOCK, "1.0") == bill(LOCK, "1.0")


@pytest.mark.parametrize(
    "lock", ["duckdb>=1\n", "duckdb==1 \\\n", f"duckdb==1 \\\n{HASH}\n-e .\n", f"{HASH}\n", f"duckdb==1 \\\n    --hash=md5:{'a' * 32}\n"]
)
def test_what_is_not_pinned_and_hashed_is_refused(lock: str) -> None:
    with pytest.raises(PrevenanceError, match="E210.*requirements.lock"):
        components(lock)
    assert components(f"duckdb==1 ; python_version < '3.12' \\\n{HASH}\n")[0]["name"] == "duckdb"

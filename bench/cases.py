"""Small exports that go wrong, each with what is expected of it: `python -m bench.cases --cases FOLDER` prints case, expected and seen.

The folder holds the cases (`NAME/conf/source/*.yaml`, `NAME/data/`); what is expected stands in `tests/cases.json`, in our own words. A case
is copied before it is read, so that the folder stays as it is.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXPECTED = Path(__file__).resolve().parents[1] / "tests" / "cases.json"


@dataclass(frozen=True)
class Seen:
    """What a case gave: the line of a refusal (or nothing), what was told, the default as_of, counts and features as text."""

    line: str
    told: str
    facts: dict[str, Any]


def seen_of(case: Path, expected: dict[str, Any]) -> Seen:
    """Return what the product makes of a case: its history, or the refusal; and of the customers asked for their features."""
    import pandas as pd

    import prevenance as pv
    from prevenance.features.build import build
    from prevenance.features.sets import definitions

    source = next((case / "conf" / "source").glob("*.yaml")).stem
    settings = {"target": "churn"} | expected.get("settings", {})
    project = pv.open(out=case / "out", source=source, data=case / "data", conf=case / "conf", settings=settings)
    try:
        history = project.history()
    except pv.PrevenanceError as problem:
        return Seen(problem.line(), "", {})
    except Exception as problem:  # a bug of ours is shown in the table like any other
        return Seen(f"ERROR E101 {type(problem).__name__}: {problem}", "", {})
    facts: dict[str, Any] = {"as_of": history.as_of.isoformat()}
    facts |= {name: [one.read, one.used] for name, one in history.inputs.counts.items()}
    asked = expected.get("features", {})
    for customer, values in asked.items():
        cutoff = pd.Timestamp(expected["cutoff"])
        snapshots = pd.DataFrame({"customer_id": pd.Series([customer], dtype="str"), "cutoff": [cutoff]})
        row = build(history.history, snapshots, definitions()).iloc[0]
        facts[customer] = {name: _plain(row[name]) if name in row else "absent" for name in values}
    return Seen("", "\n".join(history.messages), facts)


def _plain(value: Any) -> Any:
    if isinstance(value, float | int):
        return None if math.isnan(value) else round(float(value), 3)
    return None if value is None or value != value else str(value)


def wrong_of(seen: Seen, expected: dict[str, Any]) -> list[str]:
    """Return what is not as expected."""
    code, wrong = expected.get("code", ""), []
    got = seen.line.split()[1] if seen.line else ""
    if got != code:
        wrong.append(f"ends with {got or 0}, not {code or 0}: {seen.line}")
    text = seen.line + seen.told
    wrong += [f"does not say {word!r}" for word in expected.get("says", []) if word not in text]
    wrong += [f"says {word!r}" for word in expected.get("lacks", []) if word in text]
    wanted = expected.get("facts", {}) | expected.get("features", {})
    wrong += [f"{key} is {seen.facts.get(key)}, not {value}" for key, value in wanted.items() if not code and seen.facts.get(key) != value]
    return wrong


def checked_cases(folder: Path, only: str = "") -> list[tuple[str, str, list[str]]]:
    """Return of each case of the folder its name, what is expected in words, and what is wrong; a case nobody expects anything of is wrong."""
    known = json.loads(EXPECTED.read_text(encoding="utf-8"))
    found = []
    for case in sorted(one for one in folder.iterdir() if (one / "conf").is_dir() and one.name.startswith(only)):
        expected = known.get(case.name)
        if expected is None:
            found.append((case.name, "?", ["nobody says what is expected"]))
            continue
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place) / "case"
            shutil.copytree(case, copy)
            found.append((case.name, expected["expected"], wrong_of(seen_of(copy, expected), expected)))
    return found


def main() -> int:
    """Print the table and return 1 if a case is not as expected."""
    asked = argparse.ArgumentParser(prog="python -m bench.cases")
    asked.add_argument("--cases", type=Path, required=True)
    asked.add_argument("--only", default="", help="names that begin so")
    given = asked.parse_args()
    rows = checked_cases(given.cases, given.only)
    for name, expected, wrong in rows:
        print(f"{name:46} {expected:100} {'as expected' if not wrong else 'WRONG: ' + '; '.join(wrong)}")
    bad = sum(bool(wrong) for _, _, wrong in rows)
    print(f"{len(rows)} cases, {bad} wrong")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())

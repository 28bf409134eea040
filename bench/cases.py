"""Small exports that go wrong, each with what is expected of it: `python -m bench.cases --cases FOLDER` prints case, expected and seen.

The folder holds the cases (`NAME/conf/source/*.yaml`, `NAME/data/`); what is expected stands in `tests/cases.json`, in our own words. A case
is copied before it is read, so that the folder stays as it is. What a case is about may lie after the reading: `later` holds commands that are
run then, with the answers to a list or the change of a file that they meet.
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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import prevenance as pv

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
    data = case / expected.get("data", "data")
    if not data.is_dir():
        shutil.copytree(case / "data", data)
    project = pv.open(out=case / "out", source=source, data=data, conf=case / "conf", settings=settings)
    try:
        history = project.history()
        later = "".join(_told_later(project, case, step) for step in expected.get("later", []))
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
    return Seen("", "\n".join([*history.messages, later]), facts)


def _told_later(project: pv.Project, case: Path, step: dict[str, Any]) -> str:
    """Run one command after the reading and return what it tells, with the messages of the list it publishes."""
    for name, (old, new) in step.get("change", {}).items():
        path = case / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    more = dict(step.get("settings", {}))
    if saved := step.get("answers"):
        more["file"] = _answers(project, case / "answers.csv", saved)
    if step["run"] == "score":
        ranked = project.score("churn", **more)
        return "\n".join([ranked.text, *ranked.manifest["messages"]])
    return str(project._told(step["run"], more))  # feedback is a command and no method


def _answers(project: pv.Project, path: Path, saved: dict[str, str]) -> Path:
    """Write an answer to the first row of the newest list as a spreadsheet would save it."""
    from prevenance.decide.feedback import COLUMNS

    ranked = project.published("churn")
    row = ranked.frame.iloc[0]
    given = {
        "target": "churn",
        "customer_id": str(row["customer_id"]).lstrip("0"),
        "run_id": ranked.manifest["run_id"],
        "cutoff": ranked.manifest["cutoff"],
    }
    given |= {"action": "contacted", "at": saved["at"], "reason": "später"}
    lines = [COLUMNS, [given.get(column, "") for column in COLUMNS]]
    path.write_bytes("".join(saved["separator"].join(line) + "\r\n" for line in lines).encode(saved["encoding"]))
    return path


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

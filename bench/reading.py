"""CPU of reading and checking in two source trees, side by side: `python -m bench.reading --before TREE --after TREE`.

Each tree reads each data set in a process of its own; the trees take turns, and the clock counts reading and checking alone, not how settings are
composed; nothing is kept for the next reading (``bench.scale`` has what that costs and spares). What is compared is the
median of the rounds, the rows themselves and what both say of them; a ratio above `--most` ends with 1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

DEMO = "demo.customers=300"
TARGETS = {"demo": "churn", "helpdesk": "tickets", "complete_journey": "churn", "ravenstack": "churn"}

CHILD = """
import json, sys, time
from dataclasses import asdict
import prevenance as pv
import prevenance.runs.inputs as inputs
source, data, out, target = sys.argv[1:]
from pathlib import Path
kept = {"memo": False} if "memo: true" in Path("conf/base.yaml").read_text() else {}
project = pv.open(out, source=source, data=data, settings={"target": target, **kept})
from pipelines.start import library
name = "intake_beside" if hasattr(inputs, "intake_beside") else "intake"
read, spent = getattr(inputs, name), []
def timed(*given, **more):
    begun = time.process_time()
    found = read(*given, **more)
    spent.append(time.process_time() - begun)
    return found
setattr(inputs, name, timed)
history = project.history()
con, counts = history.inputs.history.con, {name: asdict(one) for name, one in history.inputs.counts.items()}
for name, one in counts.items():
    one["rows"] = str(con.execute(f"select sum(hash(told)::hugeint) from canonical.{name} as told").fetchone()[0])
print(json.dumps({"seconds": spent[0], "as_of": str(history.as_of), "counts": counts, "messages": history.messages}))
"""


def read_by(tree: Path, source: str, data: Path, out: Path) -> dict[str, Any]:
    """Return what one reading of a source by a tree gave: CPU seconds, as_of, counts and messages."""
    environment = os.environ | {"PYTHONPATH": f"{tree / 'src'}:{tree}"}
    words = [sys.executable, "-c", CHILD, source, str(data), str(out), TARGETS[source]]
    said = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(said.stderr)
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what two readings do not say alike."""
    found = [f"as_of {before['as_of']} -> {after['as_of']}"] if before["as_of"] != after["as_of"] else []
    for one in after["counts"].values():  # what became of the rows of each file, which older trees do not count
        if not any("files" in other for other in before["counts"].values()):
            one.pop("files", None)
    tables = sorted({*before["counts"], *after["counts"]})
    found += [f"{name}: {was} -> {now}" for name in tables if (was := before["counts"].get(name)) != (now := after["counts"].get(name))]
    found += [f"no longer said: {one}" for one in before["messages"] if one not in after["messages"]]
    return found + [f"said now: {one}" for one in after["messages"] if one not in before["messages"]]


def main() -> int:
    """Print the medians of both trees, their ratio and what they do not say alike; 1 where a ratio is above the most allowed."""
    asked = argparse.ArgumentParser(prog="python -m bench.reading")
    asked.add_argument("--before", type=Path, required=True)
    asked.add_argument("--after", type=Path, required=True)
    asked.add_argument("--data", type=Path, default=Path(os.environ.get("PREVENANCE_DATA", "data")), help="where the real sets lie")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--only", nargs="*", default=[*TARGETS], help="these data sets alone")
    asked.add_argument("--most", type=float, default=1.05)
    given, worst = asked.parse_args(), 0.0
    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        make, tree = [sys.executable, "-m", "pipelines.demo", f"data={demo}", DEMO], given.after.resolve()
        subprocess.run(make, cwd=tree, env=os.environ | {"PYTHONPATH": f"{tree / 'src'}:{tree}"}, check=True, capture_output=True)
        for source in given.only:
            data = demo if source == "demo" else given.data / source
            read: dict[str, list[dict[str, Any]]] = {"before": [], "after": []}
            for number in range(given.rounds):
                for name, tree in (("before", given.before), ("after", given.after)):
                    read[name].append(read_by(tree.resolve(), source, data, Path(place) / name / f"{source}-{number}"))
            before, after = (statistics.median(one["seconds"] for one in read[name]) for name in ("before", "after"))
            worst = max(worst, after / before)
            print(
                f"{source:18} before {before:6.2f} s, after {after:6.2f} s of CPU, ratio {after / before:.3f} ({given.rounds} rounds)",
                flush=True,
            )
            print("".join(f"    {one}\n" for one in differences(read["before"][0], read["after"][0])), end="", flush=True)
    return int(worst > given.most)


if __name__ == "__main__":
    sys.exit(main())

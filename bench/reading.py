"""CPU of reading and checking in two source trees, side by side: `python -m bench.reading --before TREE --after TREE`.

Each tree reads each data set in a process of its own; the trees take turns, and the clock starts after the imports. What is compared is the
median of the rounds; a ratio above `--most` ends with 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

DEMO = "demo.customers=300"
TARGETS = {"demo": "churn", "helpdesk": "tickets", "complete_journey": "churn"}

CHILD = """
import sys, time
import prevenance as pv
import prevenance.runs.inputs
source, data, out, target = sys.argv[1:]
project = pv.open(out, source=source, data=data, settings={"target": target})
from pipelines.start import library
begun = time.process_time()
history = project.history()
print(time.process_time() - begun, sum(one.used for one in history.inputs.counts.values()))
"""


def cpu_of(tree: Path, source: str, data: Path, out: Path) -> tuple[float, int]:
    """Return the CPU seconds of one reading of a source by a tree, and how many rows it used."""
    environment = os.environ | {"PYTHONPATH": f"{tree / 'src'}:{tree}"}
    words = [sys.executable, "-c", CHILD, source, str(data), str(out), TARGETS[source]]
    said = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(said.stderr)
    seconds, used = said.stdout.split()[-2:]
    return float(seconds), int(used)


def main() -> int:
    """Print the medians of both trees and their ratio; 1 where one is above the most allowed."""
    asked = argparse.ArgumentParser(prog="python -m bench.reading")
    asked.add_argument("--before", type=Path, required=True)
    asked.add_argument("--after", type=Path, required=True)
    asked.add_argument(
        "--data", type=Path, default=Path(os.environ.get("PREVENANCE_DATA", "data")), help="where helpdesk and complete_journey lie"
    )
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--most", type=float, default=1.05)
    given, worst = asked.parse_args(), 0.0
    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        make = [sys.executable, "-m", "pipelines.demo", f"data={demo}", DEMO]
        subprocess.run(
            make, cwd=given.after, env=os.environ | {"PYTHONPATH": f"{given.after / 'src'}:{given.after}"}, check=True, capture_output=True
        )
        for source in TARGETS:
            data, seconds = demo if source == "demo" else given.data / source, dict[str, list[float]]()
            for _ in range(given.rounds):
                for name, tree in (("before", given.before), ("after", given.after)):
                    spent, used = cpu_of(tree.resolve(), source, data, Path(place) / name / source)
                    seconds.setdefault(name, []).append(spent)
            before, after = (statistics.median(seconds[name]) for name in ("before", "after"))
            worst = max(worst, after / before)
            print(
                f"{source:18} before {before:6.2f} s, after {after:6.2f} s of CPU, ratio {after / before:.3f} ({given.rounds} rounds, {used:,} rows used)"
            )
    return int(worst > given.most)


if __name__ == "__main__":
    sys.exit(main())

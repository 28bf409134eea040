"""The feature build against pandas and against the bare scan-and-group: ``python -m bench.features --events 20000000 --rounds 5``.

Results are compared cell by cell before any clock counts, at a smaller size and at full size; every round compares
fingerprints. Each contender runs in a child process of its own, the order turns from round to round, and what is
reported are ratios within a round, so that a busy machine slows all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

NAMES = ("ours", "pandas", "scan")
FEWER = 20
"""The first comparison has this many times fewer events and customers."""


def run(*words: str) -> dict[str, Any]:
    """Run ``python -m bench.contenders ...`` and return its report with ``rss`` (bytes, the peak of the child).

    This process stays small: a child's peak starts from its parent's memory.
    """
    paths = [str(Path(__file__).parent.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.contenders", *words],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    assert child.stdout is not None
    written = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(words[:1])} failed ({child.returncode})")
    return json.loads(written) | {"rss": usage.ru_maxrss * 1024}


def compared(folder: Path, events: int, customers: int) -> dict[str, dict[str, Any]]:
    """Build with both, compare every cell, and return the two reports; the facts stay in ``folder``."""
    folder.mkdir()
    facts = str(folder / "usage.parquet")
    run("write", facts, str(customers), str(events))
    reports = {}
    for name in ("ours", "pandas"):
        (folder / name).mkdir()
        reports[name] = run(name, facts, str(customers), str(folder / name))
    found = run("compare", str(folder), str(customers))
    print(
        f"compared cell by cell: {events:,} events, {found['rows']:,} snapshots x {found['columns']} features, {found['different']} cells differ",
        flush=True,
    )
    if found["different"]:
        raise SystemExit("the two do not agree; nothing is timed")
    return reports


def rounds(folder: Path, customers: int, number: int, digest: str) -> list[dict[str, dict[str, Any]]]:
    """Return the reports of each round; the order turns."""
    done = []
    for turn in range(number):
        order = NAMES[turn % 3 :] + NAMES[: turn % 3]
        reports = {name: run(name, str(folder / "usage.parquet"), str(customers)) for name in order}
        if {reports["ours"]["digest"], reports["pandas"]["digest"]} != {digest}:
            raise SystemExit(f"round {turn + 1}: results differ")
        shown = ", ".join(f"{name} {reports[name]['cpu']:.1f} s CPU" for name in NAMES)
        print(f"round {turn + 1} of {number}: {shown}", flush=True)
        done.append(reports)
    return done


def table(done: list[dict[str, dict[str, Any]]]) -> str:
    """Return the ratios of all rounds as a table: minimum, median and maximum."""

    def row(title: str, values: list[float], digits: int) -> str:
        return f"| {title} | {min(values):.{digits}f} | {median(values):.{digits}f} | {max(values):.{digits}f} |"

    lines = ["| per round | minimum | median | maximum |", "|---|---|---|---|"]
    for key, word in (("cpu", "CPU"), ("wall", "wall time")):
        lines.append(row(f"pandas / ours, {word}", [one["pandas"][key] / one["ours"][key] for one in done], 1))
        lines.append(row(f"ours / scan-and-group, {word}", [one["ours"][key] / one["scan"][key] for one in done], 2))
    for name in NAMES:
        lines.append(row(f"{name}, peak memory in GB", [one[name]["rss"] / 1e9 for one in done], 2))
    return "\n".join(lines)


def main() -> None:
    """Compare, time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--customers", type=int, default=None, help="default: one per 400 events")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    customers = asked.customers or max(1, asked.events // 400)
    with tempfile.TemporaryDirectory() as folder:
        compared(Path(folder) / "small", max(1, asked.events // FEWER), max(1, customers // FEWER))
        full = compared(Path(folder) / "full", asked.events, customers)
        done = rounds(Path(folder) / "full", customers, asked.rounds, full["ours"]["digest"])
    print(f"\n{asked.events:,} events, {customers:,} customers, {asked.rounds} rounds\n\n{table(done)}")


if __name__ == "__main__":
    main()

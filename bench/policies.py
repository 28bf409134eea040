"""Orders of the list side by side: ``python -m bench.policies --seeds 20 --sources helpdesk,complete_journey --into docs/decisions.md``.

Each demo company and each export is trained by the command that a user calls; what every order would have brought is read from ``policies``
of its ``report.json``. Money is in the source's own currency, so companies are added up within a source only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

METRICS = ("contacts", "hits", "money_caught", "expected_net")


def trained(source: str, seed: int, more: list[str]) -> dict[str, Any]:
    """Train one company and return what each order would have brought, by target."""
    with tempfile.TemporaryDirectory() as folder:
        words = [f"source={source}", f"out={folder}/out", *([f"demo.seed={seed}"] if source == "demo" else []), *more]
        done = subprocess.run([sys.executable, "-m", "pipelines.train", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{source}, seed {seed}: exit {done.returncode}\n{done.stderr[-2000:]}")
        reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("out/train/*/report.json"))]
    told = {
        one["target"]: {"model": one["chosen"]["model"], "used": one["shipped"]["policy"], "policies": one["policies"]} for one in reports
    }
    return {"source": source, "seed": seed, "targets": told}


def table(lines: list[dict[str, Any]]) -> str:
    """Return one row per source, target and order: sums over the companies, and in how many it surely kept more or less than the order in use."""
    heads = (
        "source",
        "target",
        "order",
        "companies",
        "contacts",
        "hits",
        "money caught",
        "kept, less costs",
        "best of",
        "surely more",
        "surely less",
    )
    said = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for source, target in sorted({(line["source"], target) for line in lines for target in line["targets"]}):
        mine = [line["targets"][target] for line in lines if line["source"] == source and target in line["targets"]]
        mine = [one for one in mine if one["policies"]]
        for name in sorted({name for one in mine for name in one["policies"]}):
            there = [one for one in mine if name in one["policies"]]
            sums = [sum(_value(one["policies"][name], metric) or 0.0 for one in there) for metric in METRICS]
            gaps = [one["policies"][name][_metric(one) + "_difference"] for one in there]
            more, less = (sum((gap[side] or 0.0) * sign > 0 for gap in gaps) for side, sign in (("low", 1), ("high", -1)))
            best = sum(name in _best(one) for one in there)
            cells = (source, target, name, str(len(there)), *(f"{one:,.0f}" for one in sums), str(best), str(more), str(less))
            said.append(f"| {' | '.join(cells)} |")
    return "\n".join(said)


def _metric(one: dict[str, Any]) -> str:
    """Return what a company's orders are compared by: money where any is known, else hits."""
    return "expected_net" if _value(next(iter(one["policies"].values())), "expected_net") is not None else "hits"


def _value(found: dict[str, Any], metric: str) -> float | None:
    value: float | None = found[metric]["value"]
    return value


def _best(one: dict[str, Any]) -> set[str]:
    """Return the orders of a model's list that brought most; several where they are equal."""
    own = {name: _value(found, _metric(one)) or 0.0 for name, found in one["policies"].items() if name not in ("random", "rule")}
    return {name for name, value in own.items() if value == max(own.values())}


def main() -> None:
    """Train, add up and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--sources", default="", help="exports besides the demo companies, such as helpdesk,complete_journey")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--lines", type=Path, default=None, help="append each company's findings to this file, and begin with those in it")
    parser.add_argument("--into", type=Path, default=None, help="a page: the table is put between its markers <!-- policies -->")
    parser.add_argument("settings", nargs="*", help="more settings of train, such as demo.customers=300 data=exports")
    asked = parser.parse_args()
    lines = [json.loads(text) for text in asked.lines.read_text().splitlines()] if asked.lines and asked.lines.exists() else []
    done = {(line["source"], line["seed"]) for line in lines}
    todo = [("demo", seed) for seed in range(asked.first, asked.first + asked.seeds)]
    todo += [(name, 0) for name in asked.sources.split(",") if name]
    with ThreadPoolExecutor(asked.at_once) as pool:
        for line in pool.map(lambda one: trained(*one, asked.settings), [one for one in todo if one not in done]):
            lines.append(line)
            if asked.lines:
                with asked.lines.open("a", encoding="utf-8") as kept:
                    kept.write(json.dumps(line) + "\n")
    print(table(lines))
    if asked.into:
        page = asked.into.read_text(encoding="utf-8")
        before, rest = page.split("<!-- policies -->\n")
        asked.into.write_text(
            f"{before}<!-- policies -->\n{table(lines)}\n<!-- /policies -->{rest.split('<!-- /policies -->')[1]}", encoding="utf-8"
        )


if __name__ == "__main__":
    main()

"""Many demo companies, each with a known truth: ``python -m bench.seeds --seeds 20``. What training claims is held against ``truth.json``.

Four companies a seed: as it is (all targets), without a signal, with every leak planted, with a planted bias. Each is trained by the command
that a user calls.
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

TARGETS = ("churn", "tickets", "cross_sell")
WORLDS = {
    "plain": ("target=all",),
    "no signal": ("target=churn", "demo.signal=0"),
    "leaks": ("target=churn", "demo.leaks=all", "model=rule"),
    "bias": ("target=churn", "demo.bias=true"),
}


def trained(seed: int, world: str, more: list[str]) -> dict[str, Any]:
    """Train one company and return {target: report} and its truth."""
    with tempfile.TemporaryDirectory() as folder:
        words = [f"demo.seed={seed}", f"out={folder}/out", *WORLDS[world], *more]
        done = subprocess.run([sys.executable, "-m", "pipelines.train", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"seed {seed}, {world}: exit {done.returncode}\n{done.stderr[-2000:]}")
        out = Path(folder) / "out"
        reports = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("train/*/report.json"))}
        return {"truth": json.loads((out / "demo" / "truth.json").read_text(encoding="utf-8")), "reports": reports}


def too_good(report: dict[str, Any], truth: dict[str, Any]) -> list[str]:
    """Return the models whose AUC lies above the oracle's by more than two standard errors (from its 90 % interval)."""
    found = []
    for name, metrics in report["models"].items():
        auc = metrics["roc_auc"]
        if auc["value"] is None or auc["high"] is None:
            continue
        error = (auc["high"] - auc["low"]) / (2 * 1.645)
        if auc["value"] > truth["roc_auc"] + 2 * error:
            found.append(f"{name} {auc['value']:.3f} against {truth['roc_auc']:.3f}")
    return found


def leaks(report: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """Return which planted leaks were named (by any of their features), and which clean features were."""
    named = {one["feature"] for one in report["leakage"]}
    planted = {one["name"]: set(one["features"]) for one in truth["leaks"] if one["on"]}
    touched = {name for one in truth["leaks"] if one["on"] for name in (*one["features"], *one.get("also_touched", []))}
    return {
        "planted": {name: bool(features & named) for name, features in planted.items()},
        "clean_named": sorted(named - touched),
        "clean": report["features"] + len(named) - len(touched),
    }


def judged(seed: int, world: str, more: list[str]) -> dict[str, Any]:
    """Return what one company says about the claims."""
    found = trained(seed, world, more)
    truth, line = found["truth"], {"seed": seed, "world": world}
    for target, report in found["reports"].items():
        auc, ap = (
            report["models"].get(report["chosen"]["challenger"] or "rule", {}).get(name, {}) for name in ("roc_auc", "average_precision")
        )
        line[target] = {
            "promoted": report["chosen"]["promoted"],
            "auc": auc.get("value"),
            "ap": ap.get("value"),
            "oracle_auc": truth[target]["roc_auc"],
            "oracle_ap": truth[target]["average_precision"],
            "too_good": too_good(report, truth[target]) if world in ("plain", "no signal") else [],
            "flagged": [f"{one['column']}={one['value']}" for one in report["slices"] if one.get("worse") or one.get("starved")],
            "named": leaks(report, truth),
        }
    return line


def table(lines: list[dict[str, Any]]) -> str:
    """Return the claims and how often they held."""
    worlds = {world: [line for line in lines if line["world"] == world] for world in WORLDS}
    plain, said = worlds["plain"], []
    for target in TARGETS:
        mine = [line[target] for line in plain if target in line]
        if mine:
            above = [one["too_good"] for one in mine if one["too_good"]]
            shares = [one["auc"] / one["oracle_auc"] for one in mine if one["auc"]]
            said.append(f"| {target}: promoted | {sum(one['promoted'] for one in mine)} of {len(mine)} |")
            said.append(f"| {target}: an AUC above the oracle by 2 standard errors | {len(above)} of {len(mine)} {above or ''} |")
            said.append(f"| {target}: AUC as a share of the oracle's, smallest to largest | {min(shares):.2f} to {max(shares):.2f} |")
            clean = sum(len(one["named"]["clean_named"]) for one in mine)
            said.append(f"| {target}: clean features named as leaks | {clean} of {sum(one['named']['clean'] for one in mine)} |")
    quiet = [line["churn"] for line in worlds["no signal"]]
    said.append(f"| no signal: promoted | {sum(one['promoted'] for one in quiet)} of {len(quiet)} |")
    planted = [line["churn"]["named"] for line in worlds["leaks"]]
    for name in sorted({name for one in planted for name in one["planted"]}):
        said.append(f"| planted leak {name}: named | {sum(one['planted'].get(name, False) for one in planted)} of {len(planted)} |")
    said.append(
        f"| clean features named beside planted leaks | {sum(len(one['clean_named']) for one in planted)} of {sum(one['clean'] for one in planted)} |"
    )
    for world in ("bias", "plain"):
        mine = [line["churn"] for line in worlds[world] if "churn" in line]
        said.append(f"| {world}: segment=mid flagged | {sum('segment=mid' in one['flagged'] for one in mine)} of {len(mine)} |")
        other = sum(any(flag.startswith("segment=") and flag != "segment=mid" for flag in one["flagged"]) for one in mine)
        said.append(f"| {world}: another segment flagged | {other} of {len(mine)} |")
    return "\n".join(["| claim | held |", "|---|---|", *said])


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--worlds", default=",".join(WORLDS))
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--lines", type=Path, default=None, help="append each company's findings to this file, and begin with those in it")
    parser.add_argument("settings", nargs="*", help="more settings of train, such as demo.customers=300")
    asked = parser.parse_args()
    lines = [json.loads(text) for text in asked.lines.read_text().splitlines()] if asked.lines and asked.lines.exists() else []
    done = {(line["seed"], line["world"]) for line in lines}
    todo = [(seed, world) for seed in range(asked.first, asked.first + asked.seeds) for world in asked.worlds.split(",")]
    with ThreadPoolExecutor(asked.at_once) as pool:
        for line in pool.map(lambda one: judged(*one, asked.settings), [one for one in todo if one not in done]):
            lines.append(line)
            print(json.dumps(line), flush=True)
            if asked.lines:
                with asked.lines.open("a") as kept:
                    kept.write(json.dumps(line) + "\n")
    print(f"\n{table(lines)}")


if __name__ == "__main__":
    main()

"""What findings are worth: ``python -m bench.losses 20`` makes so many demo companies with every loss planted, and as many without any.

Told of each planted company: which plants are found, with the working hours above the reference beside the truth (by ticket ids, of the tickets
that the findings look at), and the range of each what-if beside the hours that the plant truly cost. Told of each clean one: every finding, for all are false.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import datetime
from pathlib import Path

import pandas as pd
import yaml

from prevenance.base.working import TeamHours, WorkingHours
from prevenance.demo import simulated
from prevenance.demo.switches import PLANTS, Demo
from prevenance.history.history import History, cut_history
from prevenance.sources.files import new_engine
from prevenance.sources.intake import Source, intake
from prevenance.sources.taken import Policy
from prevenance.support.facts import support_facts
from prevenance.support.finding import Findings
from prevenance.support.records import Asked
from prevenance.support.whatif import QUARTER, promises_of
from prevenance.tables.canonical import TABLES

CONF = Path(__file__).parent.parent / "conf" / "source"
CUTOFF = datetime(2026, 10, 1)
PLACES = {
    "bottleneck": ("hand_off", "engineering"),
    "unassigned": ("unassigned", "second line"),
    "missing_information": ("missing_information", "bug"),
    "ping_pong": ("ping_pong", "first line → second line"),
    "double_check": ("double_check", "account"),
    "over_organised": ("over_organised", "how-to"),
}
"""Plant -> the loss and the place where it is to be found."""


def company_history(folder: Path, given: Demo) -> History:
    """Make a company and return its tables of tickets."""
    simulated.write_company(folder, given)
    declared = yaml.safe_load((CONF / "demo.yaml").read_text(encoding="utf-8"))
    names = ("tickets", "customers", "subscriptions", "consents", "releases")
    selects = {name: (CONF / "demo" / f"{name}.sql").read_text(encoding="utf-8") for name in names}
    source = Source(name="demo", selects=selects, files=declared["files"], timezone=declared["timezone"], static=True)
    taken = intake(new_engine(), source, folder, {table: Policy(on_bad_row="quarantine") for table in TABLES})
    return cut_history(taken, CUTOFF)[0]


def asked_of_demo() -> Asked:
    """Return what the report of the demo is asked for."""
    declared = yaml.safe_load((CONF / "demo.yaml").read_text(encoding="utf-8"))["support"]
    return Asked(CUTOFF, "Europe/Paris", TeamHours(WorkingHours("Europe/Paris")), team_sizes=declared["team_sizes"])


def found_in(history: History) -> Findings:
    """Return the findings of a company."""
    return support_facts(history, asked_of_demo()).losses.findings


def true_hours(folder: Path, history: History, asked: Asked) -> pd.Series:
    """Return plant -> working hours lost on the tickets that the findings look at."""
    truth = pd.read_parquet(simulated.truth_folder(folder) / "truth_losses.parquet")
    judged = history.con.execute("select ticket_id from judged").df()["ticket_id"]
    return truth[truth["ticket_id"].isin(judged)].groupby("plant")["lost_seconds"].sum() / 3600


def main() -> None:
    """Print a line a company and plant, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("companies", nargs="?", type=int, default=20)
    parser.add_argument("--customers", type=int, default=700)
    parser.add_argument("--first", type=int, default=1)
    given = parser.parse_args()
    seen: dict[str, list[float]] = {name: [] for name in PLACES}
    inside: dict[str, int] = dict.fromkeys(PLACES, 0)
    false = 0
    for seed in range(given.first, given.first + given.companies):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "demo"
            demo = Demo(customers=given.customers, months=14, seed=seed, events=2_000, plants=PLANTS)
            history = company_history(folder, demo)
            findings = found_in(history)
            truth = true_hours(folder, history, asked_of_demo())
            found = {(one.loss, one.unit): one for one in findings.found}
            asked = asked_of_demo()
            promises = {(one.loss, one.unit): one for one in promises_of(history, findings.found, {}, CUTOFF, asked.findings_days)}
            for plant, key in PLACES.items():
                one = found.pop(key, None)
                if one is None:
                    print(f"seed {seed} {plant}: not found (true {truth[plant]:.0f} h)", flush=True)
                    continue
                seen[plant].append(one.above[0] / truth[plant])
                told = promises.get(key)
                quarter = truth[plant] * QUARTER / asked.findings_days
                held = told is not None and told.quarter_low <= quarter <= told.quarter_high
                inside[plant] += held
                text = f"{one.above[0]:.0f} h ({one.above[1]:.0f} to {one.above[2]:.0f}), true {truth[plant]:.0f} h: {seen[plant][-1] - 1:+.0%}"
                print(f"seed {seed} {plant}: {text}; what-if {'holds it' if held else 'misses it' if told else 'none'}", flush=True)
            for other in found.values():
                print(
                    f"seed {seed} besides: {other.key} q {other.q:.4f} own {other.own:.3f} beside {other.reference:.3f} n {other.times}/{other.chances}",
                    flush=True,
                )
        with tempfile.TemporaryDirectory() as place:
            history = company_history(
                Path(place) / "demo", Demo(customers=given.customers, months=14, seed=seed, events=2_000, bottleneck=False)
            )
            findings = found_in(history)
            false += len(findings.found)
            for other in findings.found:
                print(
                    f"seed {seed} clean, FALSE: {other.key} q {other.q:.4f} own {other.own:.3f} beside {other.reference:.3f} n {other.times}/{other.chances}",
                    flush=True,
                )
    for plant, ratios in seen.items():
        close = sum(abs(one - 1) <= 0.1 for one in ratios)
        print(
            f"{plant:<20} found in {len(ratios)} of {given.companies}, hours within 10 % of the truth in {close}, what-if holds it in {inside[plant]}"
        )
    print(f"clean companies: {false} findings in {given.companies}")


if __name__ == "__main__":
    main()

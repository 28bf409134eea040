"""What findings are worth: ``python -m bench.losses 20`` makes so many demo companies with every loss planted, and as many without any.

Told of each planted company: which plants are found, with the working hours above the reference beside the truth (by ticket ids, of the tickets
that the findings look at), and the range of each what-if beside the hours that the plant truly cost. Told of each clean one: every finding, for all are false.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
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
from prevenance.support.lost import QUARTER
from prevenance.support.records import Asked
from prevenance.support.whatif import promises_of
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


def true_hours(folder: Path, history: History, asked: Asked) -> pd.Series:
    """Return plant -> working hours lost on the tickets that the findings look at."""
    truth = pd.read_parquet(simulated.truth_folder(folder) / "truth_losses.parquet")
    judged = history.con.execute("select ticket_id from judged").df()["ticket_id"]
    return truth[truth["ticket_id"].isin(judged)].groupby("plant")["lost_seconds"].sum() / 3600


@dataclass
class Seen:
    """What was seen so far: by plant the hours told beside the truth and how many ranges held it, and what was told of clean companies."""

    ratios: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in PLACES})
    inside: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 0))
    trouble: int = 0
    false: int = 0


def told(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def planted(folder: Path, given: Demo, seen: Seen) -> None:
    """Look at a company with every plant."""
    history, asked = company_history(folder, given), asked_of_demo()
    losses = support_facts(history, asked).losses
    truth = true_hours(folder, history, asked)
    found = {(one.loss, one.unit): one for one in losses.findings.found}
    ranges = {(one.loss, one.unit): one for one in promises_of(history, losses.findings.found, {}, CUTOFF, asked.findings_days)}
    for plant, key in PLACES.items():
        one, promised = found.pop(key, None), ranges.get(key)
        if one is None:
            told(f"seed {given.seed} {plant}: not found (true {truth[plant]:.0f} h)")
            continue
        ratio, quarter = one.above[0] / truth[plant], truth[plant] * QUARTER / asked.findings_days
        held = promised is not None and promised.quarter_low <= quarter <= promised.quarter_high
        seen.ratios[plant].append(ratio)
        seen.inside[plant] += held
        text = f"{one.above[0]:.0f} h ({one.above[1]:.0f} to {one.above[2]:.0f}), true {truth[plant]:.0f} h: {ratio - 1:+.0%}"
        told(f"seed {given.seed} {plant}: {text}; what-if {'holds it' if held else 'misses it'}")
    for other in found.values():
        told(f"seed {given.seed} besides: {other.key} q {other.q:.4f} own {other.own:.3f} beside {other.reference:.3f}")
    seen.trouble += any(one.category == "bug" for one in losses.trouble)


def clean(folder: Path, given: Demo, seen: Seen) -> None:
    """Look at a company without any plant; more calls about bugs after a release that truly was bad are no false finding."""
    losses = support_facts(company_history(folder, given), asked_of_demo()).losses
    world = simulated.world_of(given)
    bad = world.bugs[np.searchsorted(world.weeks, world.releases["released_at"].to_numpy().astype("datetime64[s]")) - 1] > 2
    truly = set(world.releases.loc[bad, "version"])
    wrong = [one.key for one in losses.findings.found]
    wrong += [f"trouble: {one.category} on {one.product_id}" for one in losses.trouble if one.category != "bug" or one.version not in truly]
    seen.false += len(wrong)
    for text in wrong:
        told(f"seed {given.seed} clean, FALSE: {text}")


def main() -> None:
    """Print a line a company and plant, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("companies", nargs="?", type=int, default=20)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    given, seen = parser.parse_args(), Seen()
    for seed in range(given.first, given.first + given.companies):
        demo = Demo(customers=given.customers, months=14, seed=seed, events=2_000, plants=PLANTS)
        for look, company in ((planted, demo), (clean, replace(demo, plants=(), bottleneck=False))):
            with tempfile.TemporaryDirectory() as place:
                look(Path(place) / "demo", company, seen)
    for plant, ratios in seen.ratios.items():
        close = sum(abs(one - 1) <= 0.1 for one in ratios)
        told(f"{plant:<20} found in {len(ratios)}, hours within 10 % of the truth in {close}, what-if holds it in {seen.inside[plant]}")
    told(f"trouble found in {seen.trouble}; of {given.companies} companies each. Clean ones: {seen.false} false findings in all")


if __name__ == "__main__":
    main()

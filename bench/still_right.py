"""What nights say of themselves: ``python -m bench.still_right`` for demo companies, ``… --source helpdesk --data FOLDER`` for a real export.

A company is trained once by the command. Its nights are the functions that every night calls (the cut at that instant, events, the cohort
scored, the warnings) on its real files; pages, workbook and model store are left out. Quiet nights come first; then, in copies of its
exports, something breaks and the next night is asked. Of a real export the first night of each month is asked.

With ``--commands`` each night is the command itself, whole: what counts is what its page says.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import html
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from bench.nightly import command, forked
from pipelines.start.compose import settings_of
from prevenance.decide.scored import scored_weeks
from prevenance.decide.weeks import moments_of
from prevenance.history.history import as_of_instant
from prevenance.judge.outcomes import outcome_counts, outcomes_of_list
from prevenance.proof.watch.events import segment_sizes
from prevenance.proof.watch.verdict import estimate_silence, list_record
from prevenance.proof.watch.wording import warning_text
from prevenance.runs.champion import champion_of
from prevenance.runs.feeds import warned_events, warned_gates
from prevenance.runs.inputs import Inputs, load_inputs
from prevenance.runs.listed import Listed
from prevenance.runs.settings.outreach import capacity_of, rules_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import definitions_of, target_of
from prevenance.runs.steps import Steps
from prevenance.runs.watched import warnings_tonight
from prevenance.words import words

CHEAP = ("model=logistic", "model.trials=2", "validation.replicates=20", "validation.cutoffs=12", "validation.tests=3")
SMALL = ("features.sets=[usage,tickets,subscriptions]", "features.lookbacks=[28,90]")
TRAINED, FIRST = date(2026, 3, 1), date(2026, 6, 1)
"""The day of the training, and the first quiet night."""

HALVED, LABEL = date(2026, 3, 10), timedelta(days=97)
"""From this day on every second customer who would leave stays; a window that lies behind it is closed so many days later."""

PATIENCE = 7
"""Nights from a break on in which it is looked for."""

Told = list[tuple[date, str, str]]
"""Night, kind and sentence of all that was told."""

Rows = list[dict[str, str]]


def rows_of(path: Path) -> Rows:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def put(path: Path, rows: Rows) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 1, mtime=0) if path.suffix == ".gz" else text.getvalue().encode())


def dried_up(folder: Path, day: date) -> None:
    """From ``day`` on one fresh row of usage a day arrives."""
    path, kept, seen = folder / "product_events.csv.gz", list[dict[str, str]](), set[str]()
    for row in rows_of(path):
        at = row["occurred_at"][:10]
        if at < str(day) or at not in seen:
            kept.append(row)
            seen.add(at)
    put(path, kept)


def edits_alone(folder: Path, day: date) -> None:
    """From ``day`` on no ticket is opened; old ones are still answered, resolved and rated."""
    path = folder / "tickets.csv"
    put(path, [row for row in rows_of(path) if row["opened_at"] < str(day)])


def cut(folder: Path, day: date) -> None:
    """The log of use ends a week before the night after ``day``."""
    path, until = folder / "product_events.csv.gz", str(day - timedelta(days=6))
    put(path, [row for row in rows_of(path) if row["occurred_at"] < until])


def gone(folder: Path, day: date) -> None:
    """The accounts of the smallest segment are not exported any more, nor is anything else of theirs."""
    accounts = rows_of(folder / "crm_accounts.csv")
    names = [row["segment"] for row in accounts if row["segment"]]
    smallest = min(sorted(set(names)), key=names.count)
    lost = {row["account_id"] for row in accounts if row["segment"] == smallest}
    contracts = {row["subscription_id"] for row in rows_of(folder / "subscriptions.csv") if row["account_id"] in lost}
    for path in sorted(folder.glob("*.csv*")):
        rows = rows_of(path)
        if "account_id" in rows[0]:
            put(path, [row for row in rows if row["account_id"] not in lost])
        elif "subscription_id" in rows[0]:
            put(path, [row for row in rows if row["subscription_id"] not in contracts])


def silent_segment(folder: Path, day: date) -> None:
    """From ``day`` on nothing that the largest segment uses arrives."""
    names = {row["account_id"]: row["segment"] for row in rows_of(folder / "crm_accounts.csv")}
    largest = max(sorted(set(names.values())), key=list(names.values()).count)
    path = folder / "product_events.csv.gz"
    put(path, [row for row in rows_of(path) if row["occurred_at"] < str(day) or names.get(row["account_id"]) != largest])


def twice(folder: Path, day: date) -> None:
    """From ``day`` on all use arrives twice, under numbers of its own."""
    path = folder / "product_events.csv.gz"
    rows = rows_of(path)
    again = [row | {"event_id": f"9{row['event_id']}"} for row in rows if row["occurred_at"] >= str(day)]
    put(path, [*rows, *again])


def halved(folder: Path, day: date) -> None:
    """From ``day`` on every second customer who would give notice or leave stays, with all contracts."""
    path = folder / "subscriptions.csv"
    rows = rows_of(path)
    going = {row["account_id"]: row for row in rows if (row["notice_on"] or row["ends_on"]) >= str(day)}
    staying = set(sorted(going)[::2])
    for row in rows:
        if row["account_id"] in staying and (row["notice_on"] or row["ends_on"]) >= str(day):
            row |= {"notice_on": "", "ends_on": "", "ended_on": ""}
    put(path, rows)


BREAKS: dict[str, Callable[[Path, date], None]] = {
    "use dries up, one fresh row a day": dried_up,
    "updates of old tickets only": edits_alone,
    "the last week of use is cut": cut,
    "a segment is gone": gone,
    "use of a segment stops": silent_segment,
    "use arrives twice": twice,
}


def asked(name: str, *arguments: str) -> None:
    """Run a command in a fork; what it refuses ends everything."""
    [ended] = forked(partial(command, name, arguments))
    if ended.status:
        raise SystemExit(f"{name} {' '.join(arguments)}: {ended.status} {ended.said}")


@dataclass
class Lived:
    """Nights lived: what they told, customers by segment of their lists as manifests hold them, and a row a list for its record."""

    told: Told = field(default_factory=list)
    sizes: list[dict[str, Any]] = field(default_factory=list)
    lists: list[dict[str, Any]] = field(default_factory=list)

    def night(self, given: Settings, read_once: Inputs, night: date) -> None:
        """Live one night of what was read once: all is asked as of that night."""
        target, say, at = target_of(given), words("en"), as_of_instant(str(night), given.source.timezone)
        fitted, _, _ = champion_of(given.folder, target, at)
        history = replace(read_once.history, until=at)
        inputs = replace(read_once, history=history, as_of=at)
        found = warned_events(history, self.sizes)
        self.sizes.append({"cutoff": f"{at.isoformat()}Z", "watch": {"segments": segment_sizes(history, at)}})
        moments, definitions = moments_of(at, rules_of(given, target, 0.0)), definitions_of(given, inputs, fitted)[0]
        scored = scored_weeks(history, target, fitted, definitions, moments, say, Steps(given.folder))
        rows = scored.rows.assign(cutoff=pd.Timestamp(at))
        made = SimpleNamespace(cohort=scored.cohort, inputs=scored.inputs, decided=rows, past=scored.past)
        found += warnings_tonight(given, inputs, target, fitted, cast("Listed", made))
        self.told += [(night, one.kind, warning_text(say, one)) for one in found]
        ranked = rows[rows["score"].notna()].nlargest(capacity_of(given), "score")
        expected, spread = ranked["score"].sum(), (ranked["score"] * (1 - ranked["score"])).sum()
        self.lists.append({"cutoff": at, "rows": ranked, "expected_hits": float(expected), "spread": float(spread), "hits": None})


def commanded(given: Settings, out: Path, nights: Sequence[date]) -> Told:
    """Publish a list each night by the command, and return what its page says is far from usual, or why it was refused."""
    told: Told = []
    for night in nights:
        arguments = (f"data={given.data}", f"out={out}", f"target={given.target.name}", f"as_of={night}", *SMALL)
        [ended] = forked(partial(command, "score", arguments))
        if ended.status:
            told.append((night, "refused", ended.said.strip().splitlines()[-1]))
            continue
        folder = out / "lists" / given.target.name / "latest"
        manifest, page = json.loads((folder / "manifest.json").read_text()), html.unescape((folder / "list.html").read_text())
        if not manifest["cutoff"].startswith(f"{as_of_instant(str(night), given.source.timezone):%Y-%m-%d}"):
            raise SystemExit(f"the latest list is of {manifest['cutoff']}, not of {night}")
        kinds = [*warned_gates(manifest["gates"]), *(one["kind"] for one in manifest["watch"]["warned"])]
        said = [one["text"] for one in json.loads((folder / "view.json").read_text())["alerts"] if "text" in one]
        if len(said) != len(kinds) or not all(one in page for one in said):
            raise SystemExit(f"{night}: {', '.join(kinds)} in the manifest, on the page {said}")
        told += [(night, kind, "; ".join(said)) for kind in kinds]
    return told


def nights_lived(given: Settings, nights: Sequence[date], sizes: Sequence[dict[str, Any]] = ()) -> Lived:
    """Return nights lived one after the other, on exports that are read once, up to the last of them."""
    found, read = Lived(sizes=[*sizes]), load_inputs(replace(given, as_of=str(nights[-1])), Steps(given.folder))
    for night in nights:
        found.night(given, read, night)
    return found


def named(given: Settings, data: Path, day: date, sizes: Sequence[dict[str, Any]]) -> str:
    """Return after which night from a break on ``day`` it was named, and how."""
    hurt, found = replace(given, data=str(data)), Lived(sizes=[*sizes])
    read = load_inputs(replace(hurt, as_of=str(day + timedelta(days=PATIENCE))), Steps(given.folder))
    for number in range(1, PATIENCE + 1):
        found.night(hurt, read, day + timedelta(days=number))
        if found.told:
            return f"night {number}: {'; '.join(text for _, _, text in found.told)}"
    return f"not named within {PATIENCE} nights"


def named_by_command(given: Settings, data: Path, day: date, out: Path, work: Path) -> str:
    """Return after which night from a break on ``day`` a page named it, and how, in a copy of ``out`` as it was that day."""
    lived = work / "lived"
    _copied(out, lived)
    for number in range(1, PATIENCE + 1):
        if told := commanded(replace(given, data=str(data)), lived, [day + timedelta(days=number)]):
            return f"night {number}: {told[0][2]}"
    return f"not named within {PATIENCE} nights"


def demo_nights(seed: int, count: int, broken: bool, work: Path, customers: int, commands: bool) -> None:
    """Print what the nights of one demo company say, the quiet ones and, where asked, those of each break."""
    data, out = work / f"in{seed}-{customers}", work / f"out{seed}-{customers}"
    size = (f"demo.customers={customers}", f"demo.events={133 * customers}")
    if not out.exists():
        asked("demo", *size, f"demo.seed={seed}", f"data={data}", f"out={work}/made")
        asked("train", f"data={data}", f"out={out}", "target=churn", f"as_of={TRAINED}", *CHEAP, *SMALL)
    given = settings_of("score", [f"data={data}", f"out={out}", "target=churn", *SMALL])
    quiet = [FIRST + timedelta(days=number) for number in range(count)]
    lived, nights = Lived(), work / "nights"
    if commands:
        _copied(out, nights)
        lived.told = commanded(given, nights, quiet)
    else:
        lived = nights_lived(given, quiet)
    print(f"| {seed} | {count} quiet nights | {len({night for night, _, _ in lived.told})} with a warning |", flush=True)
    for night, kind, text in lived.told:
        print(f"    {night} {kind}: {text}", flush=True)
    for name, breaks in BREAKS.items() if broken else ():
        hurt = _broken(data, work, breaks, quiet[-1])
        told = named_by_command(given, hurt, quiet[-1], nights, work) if commands else named(given, hurt, quiet[-1], lived.sizes)
        print(f"| {seed} | {name} | {told} |", flush=True)
    first = HALVED + LABEL
    weekly = [first + timedelta(days=number) for number in range(0, 15, 7)]
    halving, fresh = replace(given, data=str(_broken(data, work, halved, HALVED))), work / "fresh"
    if commands:
        _copied(out, fresh)
    text = next(
        (
            f"{night}: {text}"
            for night, kind, text in (commanded(halving, fresh, weekly) if commands else nights_lived(halving, weekly).told)
            if kind == "rate"
        ),
        "not named within 14 nights of the first label",
    )
    print(f"| {seed} | half as many leave | {text} |", flush=True)


def monthly(source: str, data: str, target: str, nights: Sequence[date], work: Path) -> None:
    """Print what the first night of each month of an export says, by a model that was trained on the first of them."""
    out = work / source
    words_of = [f"source={source}", f"data={data}", f"out={out}", f"target={target}"]
    if not out.exists():
        asked("train", *words_of, f"as_of={nights[0]}", *CHEAP)
    given = settings_of("score", words_of)
    lived, of = Lived(), target_of(given)
    read = load_inputs(replace(given, as_of=str(nights[-1])), Steps(out))
    for night in nights:
        lived.night(given, read, night)
        at = lived.lists[-1]["cutoff"]
        history = replace(read.history, until=at)
        for one in lived.lists:
            if of.closes(one["cutoff"]) <= at:
                one["hits"] = outcome_counts(outcomes_of_list(history, of, one["rows"].assign(rank=1, state="new")), of, at)["hits"]
        record = list_record(pd.DataFrame(lived.lists), of.horizon_days)
        told = [(kind, text) for day, kind, text in lived.told if day == night]
        silence = estimate_silence(record, [kind for kind, _ in told])
        estimate = silence or f"Of the open list the chances say {lived.lists[-1]['expected_hits']:.1f} outcomes."
        print(f"| {night} | {' '.join(text for _, text in told) or 'as usual'} | {estimate} |", flush=True)
    for one in lived.lists:
        print(f"    {one['cutoff']:%Y-%m-%d} said {one['expected_hits']:.1f}, came {one['hits']}", flush=True)


def _copied(folder: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place, symlinks=True)


def _broken(data: Path, work: Path, breaks: Callable[[Path, date], None], day: date) -> Path:
    folder = work / "broken"
    _copied(data, folder)
    breaks(folder, day)
    return folder


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    given.add_argument("--nights", type=int, default=20)
    given.add_argument("--customers", type=int, default=300, help="of each company; of few, a rate that halves is told late or not at all")
    given.add_argument("--work", type=Path, help="a folder to keep what was trained; default: none is kept")
    given.add_argument("--source", help="a real export instead of demo companies; asks for --data, --target and --months")
    given.add_argument("--data")
    given.add_argument("--target", default="tickets")
    given.add_argument("--months", nargs="+", type=date.fromisoformat, help="its nights, the day of the training first")
    given.add_argument(
        "--commands", action="store_true", help="nights of demo companies are whole commands; breaks are looked for in each company"
    )
    chosen = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.source:
            monthly(chosen.source, chosen.data, chosen.target, chosen.months, chosen.work or Path(folder))
            return
        for seed in chosen.seeds:
            demo_nights(
                seed,
                chosen.nights,
                chosen.commands or seed == chosen.seeds[0],
                chosen.work or Path(folder),
                chosen.customers,
                chosen.commands,
            )


if __name__ == "__main__":
    main()

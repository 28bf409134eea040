"""A company that lives on by its lists: ``python -m bench.programme --seeds 3 --customers 2000``.

Each quarter a list with its draw is published by the command that a user calls, the team contacts whom it names (and some of those held out), contacts
change who leaves as planted, and the next quarter sees that. In the end ``make experiment`` is held against a second computation, written from the
definitions with loops over the exports: who was drawn, who was contacted, who left.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from math import isclose, sqrt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scipy.stats import norm as normal
from scipy.stats import t as student

KEY = "a key of our own"
QUARTERS = ("2025-09-01", "2025-12-01", "2026-03-02", "2026-06-01")
"""Mondays on which epochs of thirteen weeks begin."""
PERSONAL = ("call", "email", "meeting", "training")
BOUNDS = {1: (1.96,), 2: (2.797, 1.977), 3: (3.471, 2.454, 2.004)}
"""O'Brien and Fleming's boundaries by looks, of the table in Jennison and Turnbull, 2000, "Group Sequential Methods"."""
WORLD = (
    *("demo.programme=true", "demo.effects.call=0.3", "demo.harm=1.6", "demo.complied=0.8", "demo.noncompliance=0.1"),
    *("demo.duplicates=false", "demo.orphans=false", "demo.bad_cells=false", "demo.late=false", "target=churn"),
    *("outreach.holdout.share=0.5", "outreach.holdout.band=1", "features.sets=[tickets]", "features.lookbacks=[28]"),
)
TRAINED = ("model=rule", "validation.replicates=20", "validation.cutoffs=8", "validation.tests=3")

Run = Callable[..., None]


def lived_on(run: Run, out: Path, *more: str, quarters: tuple[str, ...] = QUARTERS, twice: bool = True) -> dict[str, Any]:
    """Live through the quarters and return the last statement; if asked ``twice``, that of the day before the last list must be the same before and after it."""
    asked = (f"out={out}", *WORLD, *more)
    states = (*asked, f"experiment.looks={len(quarters) - 1}")
    past = f"as_of={date.fromisoformat(quarters[-1]) - timedelta(days=1)}"
    run("train", *asked, *TRAINED, f"as_of={date.fromisoformat(quarters[0]) - timedelta(days=1)}")
    before = b""
    for quarter in quarters:
        before = statement_of(run, out, *states, past) if twice and quarter == quarters[-1] else b""
        run("score", *asked, f"as_of={quarter}T06:00:00")
    if twice and statement_of(run, out, *states, past) != before:
        raise SystemExit("the statement of a past day has changed")
    return dict(json.loads(statement_of(run, out, *states))["churn"])


def statement_of(run: Run, out: Path, *asked: str) -> bytes:
    """Return statement.json as it is published."""
    run("experiment", *asked)
    return (out / "experiment" / "latest" / "statement.json").read_bytes()


def second_look(out: Path, at: datetime, z: float, ways: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what a look says, from the definitions: counts, contacts, the difference as drawn with Newcombe's interval and the share.

    ``ways``: of two actions that were drawn, instead of the hold-out; the first stands where those left alone do.
    """
    left, called = moments_of(out / "demo")
    arms: dict[bool, list[tuple[str, bool, bool]]] = {True: [], False: []}
    seen = set[tuple[str, int]]()
    for customer, epoch, since in draws_of(out, "way" if ways else "in_band"):
        until = since + timedelta(days=90)
        if until + timedelta(days=7) <= at and (customer, epoch) not in seen:
            seen.add((customer, epoch))
            came = since < left.get(customer, datetime.max) <= until
            met = any(since < one <= until and kind in (ways[1:] or PERSONAL) for one, kind in called.get(customer, ()))
            arms[luck("churn", str(epoch), *(["way"] if ways else []), customer) < 0.5].append((customer, came, met))
    counts = [(len(one), sum(came for _, came, _ in one), sum(met for *_, met in one)) for one in (arms[True], arms[False])]
    (n, x, touched), (m, y, others) = counts
    p, q = x / n, y / m
    (low_p, high_p), (low_q, high_q) = interval(arms[True], z), interval(arms[False], z)
    return {
        **{
            "held": n,
            "held_outcomes": x,
            "held_contacted": touched / n,
            "contact": m,
            "contact_outcomes": y,
            "contact_contacted": others / m,
        },
        **{"difference": p - q, "low": p - q - sqrt((p - low_p) ** 2 + (high_q - q) ** 2)},
        **{"high": p - q + sqrt((high_p - p) ** 2 + (q - low_q) ** 2), "share": 1 - q / p if p else None},
    }


def interval(arm: list[tuple[str, bool, bool]], z: float) -> tuple[float, float]:
    """Return Wilson's interval of a rate, where |rate - x| = z sqrt(x (1 - x) / n); a customer of several epochs is one cluster.

    With clusters the variance between them takes the place of the binomial one: n is what it is worth by it, z that of Student's t.
    """
    n = float(len(arm))
    rate = sum(came for _, came, _ in arm) / n
    pulls = dict[str, float]()
    for customer, came, _ in arm:
        pulls[customer] = pulls.get(customer, 0.0) + came - rate
    groups = len(pulls)
    if groups < len(arm):
        z = float(student.isf(normal.sf(z), groups - 1))
        variance = groups / (groups - 1) * sum(one * one for one in pulls.values()) / n**2
        n = min(n, rate * (1 - rate) / variance)
    middle, half = rate + z * z / (2 * n), z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def luck(*told: str) -> float:
    """Return the number from 0 to 1 that the key gives."""
    code = hashlib.blake2b("\x1f".join(told).encode(), key=hashlib.sha256(KEY.encode()).digest(), digest_size=8).digest()
    return int.from_bytes(code, "big") / 2**64


def draws_of(out: Path, column: str) -> Iterator[tuple[str, int, datetime]]:
    """Return customer, epoch and when its list knew, of everybody with a mark in a column of ``arms.csv`` who has not opted out, list by list."""
    with (out / "demo" / "consents.csv").open(newline="") as file:
        opposed = {row["account_id"] for row in csv.DictReader(file) if row["allowed"] == "no"}
    for folder in sorted(path for path in (out / "lists" / "churn").iterdir() if not path.is_symlink()):
        since = datetime.fromisoformat(json.loads((folder / "manifest.json").read_text())["cutoff"].rstrip("Z"))
        with (folder / "arms.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                if row[column] not in ("", "false", "False") and row["customer_id"] not in opposed:
                    yield row["customer_id"], (since - datetime(2000, 1, 3)).days // 91, since


def moments_of(demo: Path) -> tuple[dict[str, datetime], dict[str, list[tuple[datetime, str]]]]:
    """Return when each customer gave notice or ended, and when and how somebody of ours contacted it."""
    left, called = dict[str, datetime](), dict[str, list[tuple[datetime, str]]]()
    with (demo / "subscriptions.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for moment in (row["notice_on"], row["ended_on"]):
                if moment:
                    left[row["account_id"]] = min(utc(moment), left.get(row["account_id"], datetime.max))
    with (demo / "contacts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["direction"] == "out":
                called.setdefault(row["account_id"], []).append((utc(row["contacted_at"]), row["kind"]))
    return left, called


def utc(local: str) -> datetime:
    """Return a local time of the company as naive UTC."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Paris")).astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


def differences(out: Path, told: dict[str, Any], ways: tuple[str, ...] = ()) -> list[str]:
    """Return where the statement says something else than the second computation; nothing is what is wanted."""
    found = []
    bounds = BOUNDS[len(told["looks"])]
    for look in (*told["looks"], told["now"]):
        z = bounds[look["number"] - 1] if look["number"] else 1.959964
        mine = second_look(out, datetime.fromisoformat(str(look["at"]).rstrip("Z")), z, ways)
        said = {
            **{"held": look["held"]["customers"], "held_outcomes": look["held"]["outcomes"], "held_contacted": look["contacted"]["held"]},
            **{"contact": look["contact"]["customers"], "contact_outcomes": look["contact"]["outcomes"]},
            **{"contact_contacted": look["contacted"]["contact"], "difference": look["difference"]["value"]},
            **{"low": look["difference"]["low"], "high": look["difference"]["high"], "share": look["share"]["value"]},
        }
        print(json.dumps({"look": look["number"], "at": str(look["at"]), "found": look["found"], **mine}), flush=True)
        found += [
            f"look {look['number']}: {name} {said[name]} against {mine[name]}" for name in mine if not alike(said[name], mine[name], name)
        ]
    return found


def alike(said: float | None, mine: float | None, name: str) -> bool:
    """Return whether two figures are the same; intervals as far as a table of boundaries with three decimals goes."""
    if said is None or mine is None:
        return said is mine
    return isclose(said, mine, rel_tol=1e-9, abs_tol=1e-4 if name in ("low", "high") else 1e-9)


def by_command(name: str, *arguments: str) -> None:
    """Run a command as a user does."""
    done = subprocess.run([sys.executable, "-m", f"pipelines.{name}", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: exit {done.returncode}\n{done.stderr[-2000:]}")


def main() -> None:
    """Live through the quarters of each seed and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--quarters", type=int, default=len(QUARTERS), help="the last so many")
    parser.add_argument("settings", nargs="*", help="more settings, such as demo.effects.call=1")
    asked = parser.parse_args()
    os.environ["PREVENANCE_HOLDOUT_KEY"] = KEY
    for seed in range(asked.first, asked.first + asked.seeds):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            more = (f"demo.customers={asked.customers}", f"demo.seed={seed}", f"capacity={asked.customers // 5}", "demo.events=60000")
            told = lived_on(by_command, out, *more, *asked.settings, quarters=QUARTERS[-asked.quarters :], twice=False)
            planted = json.loads((out / "demo" / "truth.json").read_text(encoding="utf-8"))["programme"]
            print(json.dumps({"seed": seed, "planted": planted, "share": told["share"]}), flush=True)
            print(f"seed {seed}: {differences(out, told) or 'the same'}", flush=True)
            if compared := told.get("compared"):
                print(f"seed {seed}, compared: {differences(out, compared, tuple(compared['ways_compared'])) or 'the same'}", flush=True)


if __name__ == "__main__":
    main()

"""Thirty nights of one output folder, with all that goes wrong in thirty nights: ``python -m bench.nights``.

The demo company's exports grow by a day every night: rows by the day they became known, later changes of a row not yet made. Every night is killed (-9) at one
of its system calls and run again, by the real command; beside it an undisturbed folder gets the same nights without late feeds, partial files, kills or a
damaged store. A list must be whole, count every customer, hold nobody who opted out and be byte-equal to the undisturbed one; a refusal must have the right
code and leave the old list. (A "no" holds for past cutoffs too, so no night is made up for across an opt-out here.)
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.nightly import COMPANY, Ended, command, forked, logged, unfinished, whole

FIRST = date(2026, 9, 1)
KNOWN = {
    "account_reviews": "reviewed_at",
    "consents": "changed_at",
    "contacts": "logged_at",
    "crm_account_changes": "changed_at",
    "crm_accounts": "created_at",
    "feedback": "answered_at",
    "invoices": "issued_on",
    "product_events": "loaded_at",
    "products": "listed_on",
    "purchases": "ordered_on",
    "releases": "released_at",
    "subscription_changes": "changed_at",
    "subscriptions": "started_on",
    "tickets": "logged_at",
}
"""File -> the column by which its rows come into being."""

TOGETHER = {"paid_on": "booked_on", "csat": "rated_at", "ends_on": "notice_on", "exit_survey_score": "exit_survey_on"}
"""Columns that are filled in on the day of another one."""

EQUAL = ("list.csv", "list.json", "features.parquet", "arms.csv")

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Plan:
    """What happens in one night: settings, files that are late by days or cut to a share, who opts out, and what must come of it."""

    says: str = ""
    settings: tuple[str, ...] = ()
    late: int = 0
    part: bool = False
    opt_out: bool = False
    missed: bool = False
    make_up: tuple[int, ...] = ()
    train: bool = False
    store: str = ""
    exit: int = 0
    differs: bool = False


LATE = ("tables.usage.warn_after=2", "tables.usage.error_after=6")
PLANS = {
    1: Plan("trained", train=True),
    4: Plan("usage 4 days late: warned", LATE, late=4, differs=True),
    6: Plan("an opt-out", opt_out=True),
    8: Plan("usage 8 days late: refused", LATE, late=8, exit=4),
    9: Plan("night 8 made up for", LATE, make_up=(8,)),
    11: Plan("usage 8 days late, not required", (*LATE, "tables.usage.required=false"), late=8, differs=True),
    14: Plan("a third of the tickets: refused", part=True, exit=4),
    15: Plan("night 14 made up for, trained again", make_up=(14,), train=True),
    17: Plan("missed", missed=True),
    18: Plan("missed", missed=True),
    19: Plan("nights 17 and 18 made up for", make_up=(17, 18)),
    20: Plan("an opt-out", opt_out=True),
    22: Plan("the model store is corrupt", store="corrupt"),
    24: Plan("the model store is back", store="back"),
    26: Plan("an opt-out", opt_out=True),
}
SHORT = {
    1: Plan("trained", train=True),
    2: Plan("usage 8 days late: refused, an opt-out", LATE, late=8, exit=4, opt_out=True),
    3: Plan("missed, the model store is corrupt", missed=True, store="corrupt"),
    4: Plan("nights 2 and 3 made up for, the store is back", make_up=(2, 3), store="back"),
}


@dataclass
class Company:
    """Everything that the company will ever have written, read once."""

    files: dict[str, Rows] = field(default_factory=dict)
    opted_out: dict[str, date] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path) -> Company:
        found = Company()
        for path in sorted(folder.glob("*.csv*")):
            text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
            found.files[path.name.partition(".")[0]] = list(csv.DictReader(io.StringIO(text, newline="")))
        return found

    def export(self, folder: Path, night: date, *, late: int = 0, part: bool = False) -> None:
        """Write the files as they stood at six in the morning of ``night``; usage as of ``late`` days before, ``part``: a third of the tickets."""
        folder.mkdir(exist_ok=True)
        for name, rows in self.files.items():
            until = f"{night - timedelta(days=late if name == 'product_events' else 0)} 06"
            kept = [then(row, until) for row in rows if row[KNOWN[name]] < until]
            if name == "crm_accounts":
                kept = [undone(row, self.files["crm_account_changes"], until) for row in kept]
            if name == "subscriptions":
                kept = [reduced(row, self.files["subscription_changes"], until) for row in kept]
            if name == "consents":
                kept += [
                    {"account_id": one, "purpose": "outreach", "allowed": "no", "changed_at": f"{day - timedelta(days=1)} 10:00:00"}
                    for one, day in self.opted_out.items()
                    if day <= night
                ]
            if name == "tickets" and part:
                kept = kept[: len(kept) // 3]
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, list(rows[0]))
            writer.writeheader()
            writer.writerows(kept)
            content = text.getvalue().encode()
            if name == "product_events":
                (folder / f"{name}.csv.gz").write_bytes(gzip.compress(content, 1, mtime=0))
            else:
                (folder / f"{name}.csv").write_bytes(content)


def then(row: dict[str, str], until: str) -> dict[str, str]:
    """Return a row as it was before ``until``: what was filled in later is blank."""
    day = {column: row[TOGETHER.get(column, column)] for column in row}
    marked = {
        column for column, value in day.items() if (column in TOGETHER or column.endswith(("_at", "_on", "_since"))) and value >= until
    } - {"due_on", "renews_on"}
    return {column: "" if column in marked else value for column, value in row.items()} if marked else row


def undone(row: dict[str, str], changes: Rows, until: str) -> dict[str, str]:
    """Return an account's row with its later changes undone."""
    later = [one for one in changes if one["account_id"] == row["account_id"] and one["changed_at"] >= until]
    for one in sorted(later, key=lambda one: one["changed_at"], reverse=True):
        row = row | {one["field"]: one["old_value"]}
    return row


def reduced(row: dict[str, str], changes: Rows, until: str) -> dict[str, str]:
    """Return a contract's row with its later changes undone."""
    later = [one for one in changes if one["subscription_id"] == row["subscription_id"] and one["changed_at"] >= until]
    for one in sorted(later, key=lambda one: one["changed_at"], reverse=True):
        row = row | {name: one[f"old_{name}"] for name in ("product_id", "plan", "seats", "mrr", "renews_on")}
    return row


@dataclass
class House:
    """One output folder with the exports that it is given."""

    out: Path
    exports: Path

    def run(self, name: str, *arguments: str, kill: int | None = None) -> Ended:
        """Run a command in a fork; with ``kill`` it is killed at the call of that number that opens, writes, syncs, renames or removes."""
        words = [f"out={self.out}", f"data={self.exports}", "target=churn", *arguments]
        inject = None if kill is None else f"openat,write,fsync,rename,unlink,mkdir,pwrite64:signal=KILL:when={kill}"
        return forked(partial(command, name, words), inject=inject)[0]

    def train(self, night: date, kill: int | None = None) -> Ended:
        more = [one for one in COMPANY if not one.startswith(("demo.", "target="))]
        return self.run("train", *more, f"as_of={night}", kill=kill)


def listed(house: House, night: date) -> Path | None:
    """Return the folder of a night's list; None without one."""
    found = sorted((house.out / "lists" / "churn").glob(f"{night - timedelta(days=1)}T22*"))
    return found[0] if len(found) == 1 else None


def faults(mine: House, other: House, night: date, plan: Plan, company: Company) -> list[str]:
    """Return what is wrong with the list of a night that was published."""
    folder, alone = listed(mine, night), listed(other, night)
    if folder is None or alone is None:
        return ["no list, or two"]
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    counts, wrong = told["counts"], []
    if counts["customers_read"] != counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values()):
        wrong.append("customers do not add up")
    for name, rows in told["tables"].items():
        if rows["read"] != rows["used"] + sum(rows["excluded"].values()) + sum(rows["quarantined"].values()):
            wrong.append(f"{name} does not add up")
    there = {row["customer_id"] for row in json.loads((folder / "list.json").read_text(encoding="utf-8"))}
    if gone := [one for one, day in company.opted_out.items() if day <= night and one in there]:
        wrong.append(f"{len(gone)} who opted out are listed")
    if counts["listed"] < 10 or len(there) != counts["listed"]:
        wrong.append(f"{len(there)} listed")
    unequal = [name for name in EQUAL if (folder / name).read_bytes() != (alone / name).read_bytes()]
    if unequal and not plan.differs:
        wrong.append(f"other than undisturbed: {', '.join(unequal)}")
    return wrong


def lived(folder: Path, plans: dict[int, Plan], nights: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Live the nights in both folders; return a row for each night and what is wrong at the end."""
    mine, other = House(folder / "out", folder / "in"), House(folder / "alone", folder / "in-alone")
    ended = forked(
        partial(command, "demo", [*(one for one in COMPANY if one.startswith("demo.")), f"data={folder}/demo", "demo.drift=true"])
    )[0]
    if ended.status:
        raise SystemExit(ended.said)
    company, rows = Company.read(folder / "demo"), []
    for number in range(1, nights + 1):
        night, plan = FIRST + timedelta(days=number - 1), plans.get(number, Plan())
        if plan.opt_out:
            there = json.loads((other.out / "lists" / "churn" / "latest" / "list.json").read_text(encoding="utf-8"))
            company.opted_out[there[0]["customer_id"]] = night
        company.export(mine.exports, night, late=plan.late, part=plan.part)
        company.export(other.exports, night, late=plan.late if plan.differs else 0)
        rows.append({"night": str(night), "what": plan.says} | one_night(mine, other, night, number, plan, company))
        print(json.dumps(rows[-1]), flush=True)
    return rows, at_the_end(mine, nights)


def one_night(mine: House, other: House, night: date, number: int, plan: Plan, company: Company) -> dict[str, Any]:
    """Live one night in both folders and return what came of it."""
    wrong: list[str] = []
    if plan.train:
        ends = [other.train(night), mine.train(night, kill=number * 97 % 400 + 100), mine.train(night)]
        if [one.status for one in ends] != [0, -9, 0]:
            wrong.append(f"trained: {[(one.status, one.said) for one in ends]}")
    if (alone := other.run("score", f"as_of={night}", *plan.settings)).status:
        wrong.append(f"undisturbed: {alone.status} {alone.said}")
    store, aside = mine.out / "mlflow.db", mine.out.parent / "aside.db"
    if plan.store == "corrupt":
        store.rename(aside)
        store.write_bytes(b"no database" * 999)
    elif plan.store == "back":
        aside.replace(store)
    if plan.missed:
        return {"exits": [], "wrong": wrong}
    before = whole(mine.out)
    killed = mine.run("score", f"as_of={night}", *plan.settings, kill=number * 131 % (50 if plan.exit else 300) + 1)
    between = whole(mine.out)
    again = mine.run("score", f"as_of={night}", *plan.settings)
    after = whole(mine.out)
    if killed.status != -9 or again.status != plan.exit:
        wrong.append(f"exits {killed.status}, {again.status}: {again.said}")
    if between not in ((before, after) if before else (None, after)) or after is None or (plan.exit and after != before):
        wrong.append(f"latest {before}, after the kill {between}, then {after}")
    exits = [killed.status, again.status]
    if plan.make_up:
        first, last = (str(FIRST + timedelta(days=one - 1)) for one in (plan.make_up[0], plan.make_up[-1]))
        made = mine.run("backfill", f"from={first}", f"to={last}", *plan.settings)
        exits.append(made.status)
        if made.status or whole(mine.out) != after:
            wrong.append(f"backfill {made.status}: {made.said}")
        for one in plan.make_up:
            wrong += [f"night {one}: {said}" for said in faults(mine, other, FIRST + timedelta(days=one - 1), Plan(), company)]
    if not plan.exit:
        wrong += faults(mine, other, night, plan, company)
    return {"exits": exits, "list": after, "wrong": wrong}


def at_the_end(mine: House, nights: int) -> list[str]:
    """Return what is wrong after the last night: every night has one list and one run in the store, nothing is left over."""
    wrong = []
    lists = [path for path in (mine.out / "lists" / "churn").iterdir() if not path.is_symlink()]
    ids = sorted(json.loads((path / "manifest.json").read_text(encoding="utf-8"))["run_id"] for path in lists)
    if len(lists) != nights:
        wrong.append(f"{len(lists)} lists for {nights} nights")
    if logged(mine.out) != ids:
        wrong.append(f"{len(logged(mine.out))} runs in the store for {len(ids)} lists")
    if left := [*unfinished(mine.out), *(path.name for path in (mine.out / "spool").glob("*"))]:
        wrong.append(f"left over: {left[:5]}")
    return wrong


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--short", action="store_true", help="four nights")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows, wrong = lived(Path(folder), SHORT if given.short else PLANS, 4 if given.short else 30)
    wrong += [f"{row['night']}: {one}" for row in rows for one in row["wrong"]]
    exits = [one for row in rows for one in row["exits"]]
    print(json.dumps({"nights": len(rows), "killed": exits.count(-9), "refused": exits.count(4), "wrong": wrong}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

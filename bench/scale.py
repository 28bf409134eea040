"""What a night costs as customers grow: `python -m bench.scale --customers 20000 200000 [--events 17000000 20000000] [--targets churn tickets cross_sell]`.

For each size a demo company is written (``--beside 1 5``: the second of five that are each a fifth of it); then come the bare read of its files
as text by the engine, their reading and checking with nothing known and with every file as it was, and for each of ``--targets`` (none: the
reading alone) one champion, a cold night (no memo) and a warm one (what cannot change is known). Each is a process of its own: CPU seconds, wall,
largest memory; medians of ``--rounds``. Between two sizes the growth exponent says how cost grows with customers (1 is in proportion). What is
compared are ratios of one run on one machine: say whether it was quiet.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from prevenance.base.memo import MEMO

BARE = """
import sys, duckdb
from pathlib import Path
con, rows = duckdb.connect(), 0
con.execute("set preserve_insertion_order=false; set enable_progress_bar=false")
for path in sorted(Path(sys.argv[1]).glob("*.csv*")):
    read = f"read_csv('{path}', all_varchar=true, header=true)"
    names = [row[0] for row in con.execute(f"describe select * from {read}").fetchall()]
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    rows += con.execute(f"select count(*), max(hash({columns})) from {read}").fetchall()[0][0]
print(rows)
"""


READ = """
import sys
from pathlib import Path
from pipelines.start.compose import settings_of
from prevenance.runs.inputs import load_inputs
from prevenance.runs.steps import Steps
given = settings_of("score", sys.argv[1:])
load_inputs(given, Steps(Path(given.out)))
"""


@dataclass(frozen=True)
class Cost:
    """CPU seconds, wall seconds and the largest memory (GB) of a process."""

    cpu: float
    wall: float
    memory: float
    said: str = ""


def spent(*words: str) -> Cost:
    """Run a process to its end and return what it cost; what it says on a failure ends the bench."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen([sys.executable, *words], stdout=said, stderr=subprocess.STDOUT, env=os.environ)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(words)}\n{text}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss / 1e6, text)


def median(costs: list[Cost]) -> Cost:
    """Return the medians of several costs of the same."""
    cpu, wall, memory = (statistics.median(getattr(one, name) for one in costs) for name in ("cpu", "wall", "memory"))
    return Cost(cpu, wall, memory)


def company(place: Path, customers: int, events: int | None, beside: int) -> Path:
    """Return the folder of a demo company, made unless it is there; of several ``beside`` each other, one company under other ids each time."""
    data = place / f"data-{customers}"
    if (data / "truth.json").exists():
        return data
    if beside == 1:
        spent("-m", "pipelines.demo", f"data={data}", f"demo.customers={customers}", *([f"demo.events={events}"] if events else []))
        return data
    one = company(place, customers // beside, events // beside if events else None, 1)
    data.mkdir(exist_ok=True)
    for path in sorted(one.glob("*.csv*")):
        for number in range(beside if path.name not in ("products.csv", "releases.csv") else 1):
            _copied(path, data, number)
    shutil.copy(one / "truth.json", data)
    return data


def _copied(path: Path, folder: Path, number: int) -> None:
    """Write an export again, its ids ending in another letter (events are counted on); the pieces of an export that is one file are put together."""
    con, packed = duckdb.connect(), path.suffix == ".gz"
    con.execute("set enable_progress_bar=false; set threads=2")
    read = f"read_csv('{path}', all_varchar=true, header=true)"
    names = [row[0] for row in con.execute(f"describe select * from {read}").fetchall()]
    own = [one for one in names if number and one.endswith("_id") and not one.endswith("product_id")]
    told = {one: f'("{one}"::bigint + {number}00000000)::varchar' if one == "event_id" else f"\"{one}\" || 'x{number}'" for one in own}
    shown = ", ".join(f'{told.get(one, chr(34) + one + chr(34))} as "{one}"' for one in names)
    piece = folder / (f"{path.name.removesuffix('.csv.gz')}-t{number}.csv.gz" if packed else f".{path.name}")
    con.execute(f"copy (select {shown} from {read}) to '{piece}' (header {not number or packed}{', compression gzip' if packed else ''})")
    if not packed:
        with piece.open("rb") as read_again, (folder / path.name).open("ab" if number else "wb") as written:
            shutil.copyfileobj(read_again, written)
        piece.unlink()


def measured(data: Path, customers: int, targets: list[str], rounds: int, more: list[str]) -> dict[str, Cost]:
    """Return what each part costs at one size, and print it; ``more`` are further settings."""
    out = data.with_name(f"out-{customers}")
    given = ["source=demo", f"data={data}", f"out={out}", *more]
    bare = [spent("-c", BARE, str(data)) for _ in range(rounds)]
    rows, found = int(bare[0].said), {"bare read": median(bare)}
    known, anew = [], []
    for _ in range(rounds):
        shutil.rmtree(out / MEMO, ignore_errors=True)
        anew.append(spent("-c", READ, *given))
        known.append(spent("-c", READ, *given))
    found |= {"reading and checking": median(anew), "the same files again": median(known)}
    for target in targets:
        if not (out / "models" / target).exists():  # a model that is there is the champion
            found[f"train {target}"] = spent("-m", "pipelines.train", f"target={target}", *given)
    asked, cold, warm = f"target={targets[0] if len(targets) == 1 else 'all'}", [], []
    for _ in range(rounds if targets else 0):
        shutil.rmtree(out / MEMO, ignore_errors=True)
        cold.append(spent("-m", "pipelines.score", asked, *given))
        warm.append(spent("-m", "pipelines.score", asked, *given))
    found |= {"cold night": median(cold), "warm night": median(warm)} if targets else {}
    print(f"\n{customers:,} customers, {rows:,} rows, {len(targets)} targets, {rounds} rounds")
    print("| part | CPU s | wall s | GB | × bare read (CPU) |\n|---|---:|---:|---:|---:|")
    for name, cost in found.items():
        print(f"| {name} | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.memory:.2f} | {cost.cpu / found['bare read'].cpu:.1f} |", flush=True)
    held = sum(path.stat().st_size for path in (out / MEMO).rglob("*") if path.is_file())
    print(f"memo {held / 1e6:.1f} MB, files {sum(path.stat().st_size for path in data.glob('*.csv*')) / 1e6:.1f} MB")
    return found


def main() -> int:
    """Print a table for each size, and the growth exponents between neighbours."""
    asked = argparse.ArgumentParser(prog="python -m bench.scale")
    asked.add_argument("--customers", type=int, nargs="+", default=[20_000])
    asked.add_argument("--events", type=int, nargs="*", default=[], help="most rows of use at each size")
    asked.add_argument("--targets", nargs="*", default=["churn"])
    asked.add_argument("--beside", type=int, nargs="*", default=[], help="of how many smaller companies each size is made, under other ids")
    asked.add_argument("--settings", nargs="*", default=["model=logistic"], help="further settings of the commands")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--place", type=Path, help="a folder that stays: what is there is not made again")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place, sizes = given.place or Path(temporary), given.customers
        place.mkdir(parents=True, exist_ok=True)
        events, beside = [*given.events, *[None] * len(sizes)], [*given.beside, *[1] * len(sizes)]
        made = [company(place, *one) for one in zip(sizes, events, beside, strict=False)]
        found = [measured(data, size, given.targets, given.rounds, given.settings) for data, size in zip(made, sizes, strict=True)]
    for (small, before), (large, after) in zip(zip(sizes, found, strict=True), zip(sizes[1:], found[1:], strict=True), strict=False):
        for name in [one for one in before if one != "bare read" and not one.startswith("train") and one in after]:
            exponent = math.log(after[name].cpu / before[name].cpu) / math.log(large / small)
            print(f"growth {small:,} -> {large:,} customers: {name} exponent {exponent:.2f}")
    print("\nlast: resource use of all children", f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6:.2f} GB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())

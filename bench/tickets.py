"""Tickets as a process at size: CPU seconds and memory of the map, the variants and the parts, over made-up logs.

``python -m bench.tickets 1000000 10000000``: rows of each log. A log has about nine rows a ticket, ways from a small grammar with detours, and
many rows of one second. What is made is not counted; working hours are told apart, as are the KPIs and the rest of a report.
``--beside PYTHON``: map and variants by pm4py 2.7 as well, in an environment of its own (it is AGPL, and no dependency), and compared.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from prevenance.history.history import History
from prevenance.sources.files import new_engine
from prevenance.support import maps, parts
from prevenance.support.facts import support_facts
from prevenance.support.log import make_steps
from prevenance.support.records import Asked

CUTOFF = datetime(2026, 1, 1)

MADE = """
create table canonical.tickets as
with tickets as (
  select range as n, hash(range) as dice, timestamp '2023-01-01' + interval (hash(range * 7) % 90000000) second as opened_at from range({tickets})),
steps as (
  select n, dice, opened_at, unnest(list_concat(
    ['opened', 'assigned', 'replied'],
    case when dice % 3 = 0 then ['asked', 'answered', 'note'] else [] end,
    case when dice % 5 < 2 then ['transferred', 'assigned', 'note'] else [] end,
    case when dice % 17 = 0 then ['escalated', 'assigned', 'asked', 'answered', 'replied'] else [] end,
    repeat(['note', 'replied'], (dice // 100 % 4)::int), ['resolved'],
    case when dice % 11 = 0 then ['reopened', 'assigned', 'resolved'] else [] end, ['closed'])) as event from tickets),
placed as (select *, row_number() over (partition by n) as place from steps)
select 'c' || (n % 50000) as customer_id, opened_at + interval (place * (1 + hash(n, place) % 50000)) second as event_at, event_at as known_at,
  't' || n as ticket_id, event, event || ' (' || (hash(n, place, 3) % 2) || ')' as activity, 'team ' || (n % 9) as "group",
  'category ' || (n % 12) as category, 'p' || (n % 4) as priority, null::varchar as channel, null::varchar as product_id,
  case when event = 'closed' and n % 3 = 0 then (1 + n % 5)::decimal(18,4) end as score, null::varchar as subject, null::varchar as body,
  (1 + place % 3)::decimal(18,4) as hand
from placed
"""


PM4PY = """
import json, sys, time
import pandas as pd, pm4py
log = pd.read_parquet(sys.argv[1])
cpu = time.process_time()
dfg, starts, ends = pm4py.discover_dfg(log)
mapped = time.process_time()
ways = pm4py.get_variants(log)
done = time.process_time()
counts = [v if isinstance(v, int) else len(v) for v in ways.values()]
json.dump({"map": mapped - cpu, "variants": done - mapped, "edges": [[*pair, n] for pair, n in dfg.items()], "ways": counts}, open(sys.argv[2], "w"))
"""

LOG = """
copy (select ticket_id as "case:concept:name", step as "concept:name", make_timestamp(1000000 * second) as "time:timestamp"
  from steps join numbers using (number) join kinds using (kind) order by number, place) to '{path}' (format parquet)
"""


def compare_with_pm4py(history: History, python: str) -> None:
    """Print what pm4py takes for the map and the variants of the log in ``steps``, and how many arrows and variants differ from ours."""
    with tempfile.TemporaryDirectory() as folder:
        history.con.execute(LOG.format(path=f"{folder}/log.parquet"))
        subprocess.run(
            [python, "-W", "ignore", "-c", PM4PY, f"{folder}/log.parquet", f"{folder}/found.json"], check=True, capture_output=True
        )
        with open(f"{folder}/found.json", encoding="utf-8") as file:
            theirs = json.load(file)
    edges = {(one.source, one.target): one.times for one in maps.edges(history).itertuples()}
    differ = sum(edges.get((source, target)) != times for source, target, times in theirs["edges"])
    ways = Counter(one[0] for one in history.con.execute("select tickets from variants").fetchall())
    print(f"pm4py: map {theirs['map']:.1f} CPU s, variants {theirs['variants']:.1f} CPU s; {differ} of {len(edges)} arrows differ", end="")
    print(
        f", variants of one size differ: {sum(((ways - Counter(theirs['ways'])) + (Counter(theirs['ways']) - ways)).values())} of {ways.total()}"
    )


def measured_log(asked: int, beside: str | None = None) -> None:
    """Make a log of about ``asked`` rows and print a line a step."""
    history = History(new_engine(), CUTOFF, frozenset({"tickets"}))
    history.con.execute(MADE.format(tickets=asked * 10 // 96))
    rows = history.con.execute("select count(*) from canonical.tickets").fetchall()[0][0]
    told = Asked(CUTOFF)
    steps: list[tuple[str, Callable[[], object]]] = [
        ("the log in order", lambda: make_steps(history, told)),
        ("parts by the calendar", lambda: parts.make_parts(history, told)),
        ("map", lambda: (maps.nodes(history), maps.edges(history))),
        ("variants", lambda: maps.variants(history, 12)),
        ("working hours", lambda: parts.make_tickets(history, told)),
        ("all of a report", lambda: support_facts(history, told)),
    ]
    for name, step in steps:
        cpu, wall = time.process_time(), time.perf_counter()
        step()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{rows:>12,} {name:<44}{time.process_time() - cpu:>8.1f}{time.perf_counter() - wall:>8.1f}{peak:>9.2f}", flush=True)
    if beside:
        compare_with_pm4py(history, beside)


def main() -> None:
    """Print the steps of each log that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[1_000_000])
    parser.add_argument("--beside", help="a Python that has pm4py")
    given = parser.parse_args()
    print(f"{'rows':>12} {'step':<44}{'CPU s':>8}{'wall s':>8}{'peak GB':>9}", flush=True)
    for asked in given.rows:
        measured_log(asked, given.beside)


if __name__ == "__main__":
    main()

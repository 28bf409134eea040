"""What the watch would have said on the first night of each month of a real export: ``python -m bench.watch helpdesk <its folder>``."""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime
from pathlib import Path

from pipelines.start.compose import settings_of
from prevenance.proof.watch.events import LEAST, LOGS, event_warnings, table_events
from prevenance.proof.watch.wording import warning_text
from prevenance.runs.inputs import load_inputs
from prevenance.runs.steps import Steps
from prevenance.words import words


def months_of(first: datetime, last: datetime) -> list[datetime]:
    found, month = [], datetime(first.year, first.month, 1)
    while month <= last:
        found.append(month)
        month = datetime(month.year + month.month // 12, month.month % 12 + 1, 1)
    return [*found, last]


def main(source: str, data: str) -> None:
    with tempfile.TemporaryDirectory() as work:
        inputs = load_inputs(settings_of("validate", [f"source={source}", f"data={data}", f"out={work}/out"]), Steps(Path(work)))
    history, say = inputs.history, words("en")
    first = min(
        row[0]
        for name in LOGS
        if name in history.tables
        for row in history.con.execute(f"select min(event_at) from canonical.{name}").fetchall()
    )
    for night in months_of(first, inputs.as_of):
        events = [table_events(history, name, night) for name in LOGS if name in history.tables]
        known = max(one.known_days for one in events)
        told = [warning_text(say, one) for one in event_warnings(history, night)]
        silent = "silent: too little is known" if known < 7 * LEAST + 1 else "as usual"
        counts = ", ".join(f"{one.table} {int(one.window(28)[0]):,}" for one in events)
        print(f"{night:%Y-%m-%d}  {counts} in 28 days: {'; '.join(told) or silent}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

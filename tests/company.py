"""A company of a few rows with its own configuration folder: what the command line says of it, and what its fixes do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.start.run import _guarded
from prevenance.runs.commands import PRIVATE
from prevenance.runs.inputs import Inputs, load_inputs
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps

ACCOUNTS = "account,since,name,segment\na,2024-01-01,Ada,small\nb,2024-01-02,Bo,large\n"
TICKETS = "account,id,day,score,note\n" + "".join(f"{'ab'[n % 2]},t{n},2024-03-{n % 28 + 1:02d},{n % 5},x\n" for n in range(8))
SELECTS = {
    "customers": "select account as customer_id, since as event_at, name, segment, _file, _line from accounts",
    "tickets": "select account as customer_id, id as ticket_id, 'opened' as event, day as event_at, score, id as _id, _file, _line from tickets",
}


@dataclass
class Run:
    """What one run of the input checks gave: exit status, the line on standard error, and the inputs where there are any."""

    status: int
    line: str
    inputs: Inputs | None

    @property
    def taken(self) -> Inputs:
        assert self.inputs is not None, self.line
        return self.inputs

    @property
    def messages(self) -> str:
        return "\n".join(self.taken.messages)

    def rows(self, query: str) -> list[Any]:
        return self.taken.history.con.execute(query).fetchall()

    def count(self, table: str) -> tuple[int, int, dict[str, int], dict[str, int]]:
        """Return (read, used, excluded, quarantined) after checking that nothing was lost."""
        one = self.taken.counts[table]
        assert one.read == one.used + sum(one.excluded.values()) + sum(one.quarantined.values())
        return one.read, one.used, one.excluded, one.quarantined

    def setting(self) -> str:
        """Return the setting that the FIX names, such as tables.tickets.on_bad_row=quarantine."""
        found = re.search(r"[a-z_.]+=[\w.<>-]+", self.line.partition("FIX: ")[2])
        assert found, self.line
        return found.group()


@dataclass
class Company:
    """Files, selects and the yaml of a source called ``mine``; ``run`` reads and checks them as the commands do."""

    root: Path
    capture: pytest.CaptureFixture[str]
    files: dict[str, str | bytes] = field(default_factory=lambda: {"accounts.csv": ACCOUNTS, "tickets.csv": TICKETS})
    selects: dict[str, str] = field(default_factory=lambda: dict(SELECTS))
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "mine", "static": True, "timezone": "UTC", "files": {"accounts": "accounts.csv", "tickets": "tickets.csv"},
            "targets": {"tickets": {}},
        }
    )  # fmt: skip

    def paste(self, line: str) -> None:
        """Put a yaml line of a FIX (``files.tickets: {…}``, ``decimal: ','``) into the source."""
        [(key, value)] = yaml.safe_load(line).items()
        place = self.settings
        *path, last = key.split(".")
        for one in path:
            place = place[one]
        place[last] = value

    def write(self) -> Path:
        """Write data and configuration; return the data folder."""
        conf, inbox = self.root / "conf" / "source", self.root / "inbox"
        (conf / "mine").mkdir(parents=True, exist_ok=True)
        inbox.mkdir(exist_ok=True)
        (conf / "mine.yaml").write_text(yaml.safe_dump(self.settings, allow_unicode=True), encoding="utf-8")
        for name, text in self.selects.items():
            (conf / "mine" / f"{name}.sql").write_text(text + "\n", encoding="utf-8")
        for name, content in self.files.items():
            (inbox / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return inbox

    def run(self, *overrides: str) -> Run:
        """Read, check and cut the inputs through the door of every command."""
        inbox, got = self.write(), []

        def body(given: Settings, steps: Steps) -> None:
            got.append(load_inputs(given, steps))

        place = [f"data={inbox}"] if inbox.is_dir() else []
        arguments = ["source=mine", "target=tickets", *place, f"out={self.root / 'out'}", *overrides]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(PRIVATE, str(self.root / "conf"))
            status = _guarded("train", body, arguments)
        line = self.capture.readouterr().err
        assert line.count("\n") == (1 if status else 0), line
        return Run(status, line, got[0] if got else None)

    def refused(self, code: str, *words: str, overrides: tuple[str, ...] = ()) -> Run:
        """Run, and check the code, its exit status and the words of the line."""
        run = self.run(*overrides)
        assert run.line.startswith(f"ERROR {code} "), run.line or "it passed"
        assert run.status == int(code[1])
        assert "FIX: " in run.line
        for word in words:
            assert word in run.line, f"{word!r} is not in {run.line}"
        return run

    def passes(self, *overrides: str) -> Run:
        """Run, and check that it ends with 0."""
        run = self.run(*overrides)
        assert run.status == 0, run.line
        return run

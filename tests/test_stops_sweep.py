"""Forty stops at random moments of whole commands: each ends within three seconds, with its code, in one line, and leaves nothing half-made."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import once
import pytest

from prevenance.base import disk

pytestmark = pytest.mark.sweep

ROOT, STOPS, MOST_SECONDS = Path(__file__).parent.parent, 10, 3.0
TINY = ["demo.customers=60", "demo.months=12", "target=churn", *once.CHEAP]


def started(name: str, *given: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", f"pipelines.{name}", *given]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def whole(name: str, *given: str) -> float:
    """Run a command to its end and return its seconds."""
    begun = time.monotonic()
    child = started(name, *given)
    said = child.communicate(timeout=600)[1]
    assert child.returncode == 0, said
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("stopped") / "out"
    whole("train", f"out={found}", *TINY)
    whole("score", f"out={found}")
    return found


def answers(out: Path) -> Path:
    """Write an answer for every row of the newest list, each to the next second."""
    folder = (out / "lists" / "churn" / "latest").resolve()
    told = json.loads((folder / "manifest.json").read_text())
    head = "target,customer_id,product_id,run_id,cutoff,action,at,until,channel,outcome,reason,by\n"
    ids = [row["customer_id"] for row in json.loads((folder / "list.json").read_text())]
    body = "".join(
        f"churn,{one},,{told['run_id']},{told['cutoff']},contacted,2026-10-02T00:00:{n % 60:02d}Z,,,,,\n" for n, one in enumerate(ids)
    )
    path = out.parent / "answers.csv"
    path.write_text(head + body)
    return path


def half_made(out: Path) -> list[str]:
    """Return what is not whole below an output folder."""
    found = [str(path) for path in out.rglob("*") if path.name.startswith(disk.TEMPORARY)]
    for manifest in (out / "lists").glob("*/*/manifest.json"):
        told = json.loads(manifest.read_text())
        found += [
            f"{manifest.parent}/{name}"
            for name, digest in told["files"].items()
            if hashlib.sha256((manifest.parent / name).read_bytes()).hexdigest() != digest
        ]
    if not (out / "lists" / "churn" / "latest" / "manifest.json").is_file():
        found.append("latest")
    return found


@pytest.mark.parametrize("name", ["train", "score", "feedback", "replay"])
def test_a_stop_at_any_moment_is_short_and_leaves_everything_whole(out: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    own = {"train": TINY, "score": [], "feedback": [f"file={answers(out)}"], "replay": ["as_of=2026-06-01"]}[name]
    given = [f"out={out}", *own]
    length, chance, seconds, codes = whole(name, *given), random.Random(name), [], []
    for turn in range(STOPS):
        number, status = ((signal.SIGTERM, 143), (signal.SIGINT, 130))[turn % 2]
        child = started(name, *given)
        time.sleep(chance.uniform(0.3, length))
        child.send_signal(number)
        sent = time.monotonic()
        said = child.communicate(timeout=60)[1]
        seconds.append(time.monotonic() - sent)
        codes.append(child.returncode)
        assert "Traceback" not in said
        assert child.returncode in (status, 0), said
        assert child.returncode == 0 or said.endswith("STOPPED — nothing half-made is left; published lists are as they were\n"), said
        assert half_made(out) == []
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {STOPS} stops within {length:.1f} s, codes {sorted(set(codes))}, largest {max(seconds):.2f} s\n")
    assert max(seconds) < MOST_SECONDS
    whole("score", f"out={out}")
    assert half_made(out) == []

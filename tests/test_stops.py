"""A stop ends a run with its own exit code and one line, whatever code it meets: a finaliser, a callback, a library that does not come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINE = "STOPPED — nothing half-made is left; published lists are as they were\n"

START = """
import gc, os, sqlite3, sys, threading, time
from pipelines.start import stops
stops.PATIENCE = 0.4
stops.catch_stops()
def ready():
    os.write(1, b"ready")
"""
PLACES = {
    "plain": "ready()\nwhile True: pass",
    "a finaliser": "class Last:\n  def __del__(self):\n    ready()\n    while True: pass\nfound = Last()\ndel found\nwhile True: pass",
    "a callback": "import ctypes\nsort = ctypes.CDLL(None).qsort\nkind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)\n"
    "def order(a, b):\n  ready()\n  while True: pass\nsort((ctypes.c_int * 2)(2, 1), 2, 4, kind(order))\nwhile True: pass",
    "swallowed": "def forever():\n  try:\n    ready()\n    while True: pass\n  except BaseException:\n    forever()\nforever()",
    "no way back": "ready()\nsqlite3.connect(':memory:').execute("
    "'with recursive t(n) as (select 1 union all select n + 1 from t) select sum(n) from t').fetchall()",
    "a thread": "def work():\n  ready()\n  while True:\n    if stops.stop_status(): raise RuntimeError('broken off')\n"
    "threading.Thread(target=work, daemon=True).start()\nwhile True: pass",
    "the clean-up": "try:\n  ready()\n  while True: pass\nfinally:\n  while True: pass",
    "another error": "try:\n  ready()\n  while True: pass\nexcept KeyboardInterrupt:\n  raise RuntimeError('Query interrupted')",
    "the very end": "import atexit\n@atexit.register\ndef last():\n  ready()\n  while True: pass\nstops.leave(0)",
}
"""Where a stop is met -> the code that is there then."""


@pytest.mark.parametrize("place", PLACES)
def test_fault_56_a_stop_ends_with_its_code_and_one_line(place: str) -> None:
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130))[: 2 if place in ("plain", "a finaliser") else 1]:
        words = [sys.executable, "-c", START + PLACES[place]]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ)) as child:
            assert child.stdout is not None
            assert child.stdout.read(5) == "ready"
            child.send_signal(number)
            said = child.communicate(timeout=60)[1]
        assert (child.returncode, said) == (status, LINE)


def test_a_stop_before_anything_is_imported_ends_in_one_line() -> None:
    code = "import os, signal, sys; sys.argv = ['-m']; import pipelines; sys.argv = ['score']; os.kill(os.getpid(), signal.SIGINT); import json"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, LINE)

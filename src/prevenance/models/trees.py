"""A text of trees is believed only after another process has parsed it: what it breaks there, it breaks only there."""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

SECONDS = 60
"""Time that the parse of one model may take; 8 MB of text take a tenth of a second."""

MEMORY = 1 << 30
"""Bytes of address space that any parse may have; on top come ``PER_BYTE`` for each byte of text."""

PER_BYTE = 20

_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_BELIEVED: set[tuple[str, int]] = set()


def why_no_trees(text: bytes, features: int) -> str:
    """Return why a text is no model of so many features, or nothing if a process of its own could parse it and score a row.

    The process has no shell, none of the environment's secrets, and limits of memory and time. A text is asked about once in a run.
    """
    asked = hashlib.sha256(text).hexdigest(), features
    if asked in _BELIEVED:
        return ""
    script = Path(__file__).with_name("parse_trees.py")
    # -I and -S: nothing that is installed or set in the environment runs beside the parse.
    command = [sys.executable, "-I", "-S", str(script), _library(), str(features), str(MEMORY + PER_BYTE * len(text)), str(SECONDS)]
    alone = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"OMP_NUM_THREADS": "1"}
    quiet = subprocess.DEVNULL
    try:
        ended = subprocess.run(command, input=text, stdout=quiet, stderr=quiet, env=alone, timeout=SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        return f"its parse did not end in {SECONDS} s"
    except OSError as problem:
        return f"its parse could not be started ({type(problem).__name__})"
    if ended:
        return f"no trees over {features} features" if ended == 1 else f"its parse broke off ({ended})"
    _BELIEVED.add(asked)
    return ""


def _library() -> str:
    """Return the folder of LightGBM, found without importing it."""
    found = importlib.util.find_spec("lightgbm")
    return next(iter(found.submodule_search_locations or ()), "") if found else ""

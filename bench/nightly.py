"""A small demo company on the shelf, commands run in forks of one warm process, and what a reader may expect of a folder of lists.

A fork costs no imports, so hundreds of real commands fit into minutes; ``strace`` holds on to one before it begins, to kill it or to fail one of its calls.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

COMPANY = ("demo.customers=60", "demo.months=16", "model=rule", "capacity=5", "validation.replicates=20")
COMPANY += ("features.sets=[tickets,contacts]", "features.lookbacks=[28,90]", "target=churn")
STATE = "rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat rmdir mkdir mkdirat fsync fdatasync openat "
STATE += "write pwrite64 ftruncate chmod fchmod"
"""System calls that change what a disk holds; of ``openat`` those that create."""

PATIENCE = 300
"""Seconds after which a fork that does not end by itself is ended."""

CLOCKS = re.compile(rb'"(at|last_success)": "[^"]*",')
"""What the status file says of the clock: never the same twice."""

BESIDE = re.compile(r"steps\.log$|^\.|audit\.log$|^mlflow\.db|^mlruns|/\.tmp-")
"""What an undisturbed folder and one that was finished in a second go need not share: clocks, locks and the model store's own numbers."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status (-9 killed), what it wrote to standard error, and the calls that strace saw."""

    status: int
    said: str
    calls: tuple[str, ...] = ()


def command(name: str, arguments: Sequence[str]) -> int:
    """Run a pipeline's command in this process and return its exit status."""
    from pipelines.start.run import _guarded

    os.umask(0o077)
    return _guarded(name, importlib.import_module(f"pipelines.{name}").body, list(arguments))


def forked(
    *bodies: Callable[[], int], inject: str | None = None, meanwhile: Callable[[int], None] | None = None, only_theirs: Sequence[int] = ()
) -> list[Ended]:
    """Run each body in a fork, all let go at the same instant; with ``inject`` (such as ``rename:signal=KILL:when=2``) below strace.

    ``meanwhile`` is called with the first one's process id while it runs; what is in ``only_theirs`` is open in the forks only.
    """
    with tempfile.TemporaryDirectory() as folder:
        ready, go = os.pipe()
        children = [_child(body, Path(folder) / f"{place}.err", ready, go) for place, body in enumerate(bodies)]
        os.close(ready)
        log = Path(folder) / "strace"
        tracer = None if inject is None else _traced(children[0], log, inject)
        for handle in (go, *only_theirs):
            os.close(handle)
        if meanwhile is not None:
            meanwhile(children[0])
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        if tracer is not None:
            tracer.communicate()
        for told in sorted(Path(folder).glob("*.modules")):
            _imported(told.read_text(encoding="utf-8").split())
        calls = tuple(log.read_text(encoding="utf-8", errors="replace").splitlines()) if log.is_file() else ()
        return [Ended(code, (Path(folder) / f"{place}.err").read_text(), calls) for place, code in enumerate(codes)]


def _imported(names: Sequence[str]) -> None:
    """Import what a fork imported, so that the next one finds it there."""
    for name in names:
        if name not in sys.modules:
            with suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(name)


def _child(body: Callable[[], int], errors: Path, ready: int, go: int) -> int:
    # what the fork inherits is never collected there: an engine's end would wait for threads that only its maker has
    gc.freeze()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: those of libraries hold nothing here
        if child := os.fork():
            gc.unfreeze()
            return child
    status = 1
    try:
        signal.alarm(PATIENCE)
        os.close(go)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.read(ready, 1)
        status = body()
        errors.with_suffix(".modules").write_text("\n".join(sys.modules), encoding="utf-8")
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def untraceable() -> str:
    """Return why no process can be traced here; empty if one can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    try:
        forked(lambda: 0, inject="")
    except PermissionError as problem:
        return str(problem)
    return ""


def _traced(child: int, log: Path, inject: str) -> subprocess.Popen[str]:
    asked = ["-e", f"inject={inject}"] if inject else []
    words = ["strace", "-f", "-y", "-s", "0", "-o", str(log), "-e", f"trace={STATE.strip().replace(' ', ',')}", *asked, "-p", str(child)]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.kill()
        os.kill(child, 9)
        os.waitpid(child, 0)
        raise PermissionError(f"strace cannot hold a process here: {said.strip()}")
    return tracer


def points(calls: Sequence[str], below: Path) -> list[tuple[str, int, str]]:
    """Return (call, its number among calls of that name, its line) for each call of the first thread that changes something ``below``."""
    seen: dict[str, int] = {}
    found, first = [], calls[0].split()[0]
    for line in calls:
        match = re.match(r"(\d+) +(\w+)\((.*)", line)
        if match is None or match.group(1) != first:
            continue
        name, rest = match.group(2), match.group(3)
        seen[name] = seen.get(name, 0) + 1
        if str(below) in rest and (name != "openat" or "O_CREAT" in rest) and "steps.log" not in rest:
            found.append((name, seen[name], rest))
    return found


def whole(out: Path, target: str = "churn") -> str | None:
    """Return the name of the list that ``latest`` points to, having read all of it; None if it is not there or not what its manifest says."""
    latest = out / "lists" / target / "latest"
    folder = latest.resolve()
    if not latest.is_symlink() or not (folder / "manifest.json").is_file():
        return None
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    held = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"}
    same = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in held.items()} == told["files"]
    return folder.name if same and told["gates"]["conservation"] == "pass" else None


def tree(out: Path) -> dict[str, bytes]:
    """Return what two folders of the same nights share: name below ``out`` -> content, a link's is where it points to."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if not BESIDE.search(name) and (path.is_symlink() or path.is_file()):
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            found[name] = CLOCKS.sub(b"", content) if name == "status.json" else content
    return found


def unfinished(out: Path) -> list[str]:
    """Return what is left below ``out`` that no reader was meant to see."""
    return sorted(
        str(path.relative_to(out))
        for path in out.rglob("*")
        if path.name.startswith((".tmp-", ".writable-")) or path.name.endswith(".holder")
    )


def logged(out: Path, target: str = "churn") -> list[str]:
    """Return the run_id of every finished run of the lists in the model store."""
    query = (
        "select t.value from runs r join tags t on t.run_uuid = r.run_uuid and t.key = 'run_id' "
        f"join experiments e on e.experiment_id = r.experiment_id where e.name = '{target} lists' and r.status = 'FINISHED'"
    )
    with closing(sqlite3.connect(out / "mlflow.db")) as store:
        return sorted(str(one) for (one,) in store.execute(query).fetchall())


def restored(kept: Path, out: Path) -> Path:
    """Put a copy of ``kept`` in the place of ``out``."""
    shutil.rmtree(out, ignore_errors=True)
    return Path(shutil.copytree(kept, out, symlinks=True))

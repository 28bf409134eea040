"""Kills, stops, full and read-only disks, little memory, two at once: the old list or the new one whole, and the next run as if nothing had been."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import once
import pytest
from amount import amount, some

from bench.kills import ERRORS, KILL, SECOND, Stage, ready, starts, sweep
from bench.nightly import command, forked, logged, restored, tree, unfinished, untraceable, whole
from pipelines import score
from pipelines.start import ending, run
from prevenance.base import disk
from prevenance.base.errors import PrevenanceError
from prevenance.publish import finished
from prevenance.publish.folders import publish_list
from prevenance.runs import inputs, night

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
FIRST = "as_of=2026-09-29"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A published night, and the list of the next one."""
    folder = tmp_path_factory.mktemp("stage")
    made = Stage(folder / "out", folder / "kept", folder / "made")
    once.lived_copy((once.RULED[0], ("score", "target=churn", FIRST)), made.kept)
    made.old = str(whole(made.kept))
    restored(made.kept, made.out)
    assert forked(made.scored)[0].status == 0
    made.after, made.runs, made.new = tree(made.out), logged(made.out), str(whole(made.out))
    made.keep()
    return ready(made)


@pytest.fixture
def out(stage: Stage) -> Path:
    return restored(stage.kept, stage.out)


@pytest.fixture(scope="module")
def traced() -> None:
    if reason := untraceable():
        pytest.skip(reason)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A function that mounts a file system of its own, of a size such as 8m."""
    place, mounted = tmp_path / "disk", []
    place.mkdir()

    def mount(size: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("only root may mount a file system")
    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def refused(capsys: pytest.CaptureFixture[str], *parts: str) -> str:
    line = capsys.readouterr().err
    assert line.startswith("ERROR E80")
    assert line.count("\n") == 1, line
    for part in parts:
        assert part in line
    return line


def test_a_fork_ends_nothing_that_its_maker_holds(tmp_path: Path) -> None:
    class Held:
        def __del__(self) -> None:
            (tmp_path / f"ended by {os.getpid()}").touch()

    gc.disable()
    try:
        held = Held()
        held.itself = held  # type: ignore[attr-defined]
        del held
        assert forked(lambda: gc.collect() * 0)[0].status == 0
        assert not list(tmp_path.iterdir())
    finally:
        gc.enable()
    gc.collect()
    assert [path.name for path in tmp_path.iterdir()] == [f"ended by {os.getpid()}"], "the ring was no garbage: this proves nothing"


def test_fault_55_killed_at_calls_that_change_something(stage: Stage, traced: None) -> None:
    told = sweep(replace(stage), stage.night, (KILL,), most=amount(4, 6))
    assert told["wrong"] == []
    assert told["calls"] > 100
    assert told["ends"] == {"-9": told["hurt"]}


@pytest.mark.sweep
@pytest.mark.parametrize("harms", [(KILL,), ERRORS], ids=["killed", "failed"])
def test_fault_55_57_at_every_call_that_changes_something(stage: Stage, traced: None, harms: tuple[str, ...]) -> None:
    told = sweep(replace(stage), stage.night, harms)
    assert told["wrong"] == []
    assert told["hurt"] >= told["calls"] > 100


def test_fault_57_calls_that_fail(stage: Stage, traced: None) -> None:
    told = sweep(replace(stage), stage.night, ERRORS, most=amount(8, 15))
    assert told["wrong"] == []
    assert told["ends"]["8"] >= amount(2, 4)


def test_what_a_killed_run_left_is_swept_but_not_what_others_made(out: Path) -> None:
    left = [disk.beside(out / name) for name in ("index.html", "spool/a.json", "lists/churn/list", "status.json")]
    for one in left:
        one.parent.mkdir(exist_ok=True)
        one.write_text("half")
    foreign = out / ".tmp-notes"
    foreign.write_text("mine")
    assert forked(partial(command, "score", [f"out={out}", "target=churn", FIRST]))[0].status == 0
    assert not any(one.exists() for one in left)
    assert foreign.exists()


def test_a_file_whose_beginning_another_run_swept_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, seen = os.replace, []

    def swept(one: Path, other: Path) -> None:
        if not seen:
            seen.append(one)
            disk.sweep(tmp_path)
        replace(one, other)

    monkeypatch.setattr(os, "replace", swept)
    assert disk.write(tmp_path / "status.json", b"{}").read_bytes() == b"{}"
    assert not unfinished(tmp_path)


MOMENTS = {
    "check usage": "reading",
    "features of tickets": "building",
    "churn: the page": "publishing",
    "churn: publish": "the model store",
}


@pytest.mark.parametrize(("number", "status"), some([(signal.SIGTERM, 143), (signal.SIGINT, 130)], 1))
def test_fault_56_a_stop_leaves_nothing(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, status: int
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(work))

    def main() -> int:
        try:
            run.main("score", score.body, [f"out={stage.out}", "target=churn", SECOND])
        except SystemExit as end:
            return int(str(end.code))

    for moment in list(MOMENTS)[number == signal.SIGINT :: 2][-amount(1, 2) :]:
        out = restored(stage.kept, stage.out)
        (out / "steps.log").unlink()
        os.mkfifo(out / "steps.log")
        both = os.open(out / "steps.log", os.O_RDWR)

        def stop(child: int, both: int = both, moment: str = moment) -> None:
            said = b""
            while moment.encode() + b"\n" not in said:
                said += os.read(both, 65536)
            os.kill(child, number)

        ended = forked(main, meanwhile=stop)[0]
        os.close(both)
        (out / "steps.log").unlink()
        assert (moment, ended.status) == (moment, status), ended.said
        assert whole(out) in (stage.old, stage.new)
        assert unfinished(out) == []
        assert [one for one in work.iterdir() if one.name.startswith("prevenance-")] == []
    assert forked(stage.scored)[0].status == 0
    assert tree(stage.out) == stage.after


def fill(path: Path, at_once: int) -> None:
    with path.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(at_once))


@pytest.mark.sweep
def test_fault_57_a_disk_that_fills_up_during_the_night(
    stage: Stage, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = small_disk("60m")
    out, listed = restored(stage.kept, place / "out"), night.ranked_list

    def filling(*given: Any, **more: Any) -> Any:
        found = listed(*given, **more)
        fill(place / "filler", 65536)
        fill(place / "filler2", 512)
        return found

    monkeypatch.setattr(night, "ranked_list", filling)
    assert command("score", [f"out={out}", "target=churn", SECOND]) == 8
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("ERROR E801 path=")
    assert "needs " in first
    assert "bytes" in first
    assert whole(out) == stage.old
    (place / "filler").unlink()
    (place / "filler2").unlink()
    monkeypatch.setattr(night, "ranked_list", listed)
    assert command("score", [f"out={out}", "target=churn", SECOND]) == 0
    assert whole(out) == stage.new
    assert unfinished(out) == []


def test_fault_58_a_disk_without_room_is_refused_before_anything_is_read(
    stage: Stage, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = restored(stage.kept, small_disk("16m") / "out")
    monkeypatch.setattr(inputs, "view_digests", lambda *_: pytest.fail("something was read"))
    assert command("score", [f"out={out}", "target=churn", SECOND]) == 8
    refused(capsys, "E801", f"path={out}", "bytes are free", f"a run needs about {inputs.LEAST_ROOM:,}")
    assert whole(out) == stage.old


def test_fault_58_room_is_asked_for_without_a_disk_of_its_own(
    out: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inputs, "LEAST_ROOM", 2**62)
    monkeypatch.setattr(inputs, "view_digests", lambda *_: pytest.fail("something was read"))
    assert command("score", [f"out={out}", "target=churn", SECOND]) == 8
    refused(capsys, "E801", f"path={out}", f"a run needs about {2**62:,}")
    assert whole(out) == stage.old


def test_fault_63_a_read_only_disk_is_refused_before_any_work(
    stage: Stage, small_disk: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    place = small_disk("60m")
    out = restored(stage.kept, place / "out")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    before = (out / "steps.log").read_bytes()
    assert command("score", [f"out={out}", "target=churn", SECOND]) == 8
    refused(capsys, "E801", "Read-only file system", str(out))
    assert (out / "steps.log").read_bytes() == before
    assert whole(out) == stage.old


def test_fault_63_somebody_elses_folder_is_refused_before_any_work(out: Path, stage: Stage) -> None:
    def other() -> int:
        if not os.geteuid():
            os.setgid(65534)
            os.setuid(65534)
        return command("score", [f"out={out}", "target=churn", SECOND])

    for folder in (out, *out.parents):
        if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
            folder.chmod(0o555)
    try:
        ended = forked(other)[0]
    finally:
        for folder in (out, *out.parents):
            if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
                folder.chmod(0o700)
    assert ended.status == 8, ended.said
    assert ended.said.startswith("ERROR E801")
    assert "Permission denied" in ended.said
    assert ended.said.count("\n") == 1
    assert whole(out) == stage.old


def test_fault_63_a_file_in_the_way_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("mine")
    assert command("score", [f"out={tmp_path / 'out'}", "target=churn", SECOND]) == 8
    refused(capsys, "E801", str(tmp_path / "out"), "move away what stands in the way")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("name", ["train", "score"])
@pytest.mark.parametrize("kilobytes", [60_000, 1_000_000, 2_900_000])
def test_fault_66_too_little_memory_is_told_before_anything_is_imported(stage: Stage, name: str, kilobytes: int) -> None:
    code = "import resource, runpy, sys; size = int(sys.argv.pop(1)) * 1024; resource.setrlimit(resource.RLIMIT_AS, (size, size)); "
    code += f"runpy.run_module('pipelines.{name}', run_name='__main__')"
    words = [sys.executable, "-c", code, str(kilobytes), f"out={stage.kept}", "target=churn"]
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 8
    assert done.stderr.startswith("ERROR E802 — the memory does not suffice (ulimit -v allows")
    assert done.stderr.count("\n") == 1
    assert whole(stage.kept) == stage.old


SHRINKING = """
import resource, sys
from pathlib import Path

from pipelines import score
from pipelines.start import run


def bound(megabytes):
    told = Path("/proc/self/status").read_text().split()
    size = (int(told[told.index("VmSize:") + 1]) << 10) + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


class Bounded(run.Steps):
    def __call__(self, text, **how):
        if text == moment:
            bound(left)
        super().__call__(text, **how)


moment, left, *words = sys.argv[1:]
left, run.Steps = int(left), Bounded
if moment == "import":
    bound(left)
run.main("score", score.body, words)
"""


def shrunk(out: Path, moment: str, megabytes: int) -> subprocess.CompletedProcess[str]:
    """Score in a process whose address space is bounded to what it has and some megabytes, from the moment on."""
    words = [sys.executable, "-c", SHRINKING, moment, str(megabytes), f"out={out}", "target=churn", SECOND]
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    return subprocess.run(words, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)


@pytest.mark.parametrize(("moment", "megabytes"), some([("import", 2), ("check usage", 10), ("churn: explain", 30)], 0, 1))
def test_fault_66_memory_that_ends_on_the_way_is_one_line(out: Path, stage: Stage, moment: str, megabytes: int) -> None:
    ended = shrunk(out, moment, megabytes)
    assert (ended.returncode, ended.stderr.count("\n")) == (8, 1), ended.stderr
    assert ended.stderr.startswith("ERROR E802 — the memory does not suffice (")
    assert whole(out) == stage.old
    assert unfinished(out) == []


@pytest.mark.sweep
def test_fault_66_memory_that_ends_after_the_list_leaves_the_model_store_for_the_next_night(out: Path, stage: Stage) -> None:
    ended = shrunk(out, "the model store", 30)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert whole(out) == stage.new
    assert "not yet in the model store: the memory does not suffice" in ended.stdout
    assert len(list((out / "spool").glob("*.json"))) == 1


def test_fault_66_a_failure_without_a_name_at_the_bound_is_told_as_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending.memory, "came_near_bound", lambda: True)
    found = ending.known_failure(SystemError("error return without exception set"))
    assert found is not None
    assert found.code == "E802"
    for one in (OSError("Out of Memory Error: ArrowBuffer: failed to allocate 262144 bytes"), unimported()):
        monkeypatch.setattr(ending.memory, "came_near_bound", lambda: False)
        found = ending.known_failure(one)
        assert found is not None
        assert found.code == "E802"


def unimported() -> ImportError:
    try:
        try:
            raise ImportError("libopenblas.so: failed to map segment from shared object")
        except ImportError as cause:
            raise ImportError("Unable to import required dependency numpy.") from cause
    except ImportError as problem:
        return problem


def test_fault_66_every_librarys_word_for_it_is_known() -> None:
    import duckdb

    class Nested(Exception):
        pass

    def chained(cause: Exception) -> Exception:
        try:
            raise Nested("a library's own name") from cause
        except Nested as problem:
            return problem

    for one in (MemoryError(), duckdb.OutOfMemoryException("x"), RuntimeError("std::bad_alloc"), RuntimeError("can't start new thread")):
        for problem in (one, chained(one)) if not isinstance(one, RuntimeError) else (one,):
            found = ending.known_failure(problem)
            assert found is not None
            assert found.code == "E802"
    full = ending.known_failure(chained(OSError(28, "No space left on device", "/x/y")))
    assert full is not None
    assert (full.code, str(full.where["path"])) == ("E801", "/x/y")
    assert ending.known_failure(ValueError("x")) is None


def test_fault_66_memory_that_ends_while_a_file_is_read_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    from prevenance.sources import files, reading
    from prevenance.sources.declared import Entry

    (tmp_path / "a.csv").write_text("x,y\n1,2\n")

    def short(*_: Any) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate")

    monkeypatch.setattr(reading, "read_csv", short)
    with pytest.raises(duckdb.OutOfMemoryException), files.new_engine() as con:
        reading.read_files(con, tmp_path, Entry.of("a", "a.csv"))


@pytest.mark.sweep
def test_fault_59_two_starts_at_once(stage: Stage) -> None:
    alone = replace(stage)
    restored(alone.kept, alone.out)
    assert forked(alone.night)[0].status == 0
    alone.after = tree(alone.out)
    told = starts(alone, 5, alone.night, together=True)
    assert told["wrong"] == []
    assert told["ends"] == {"0 7": 5}


READER = """
import csv, hashlib, io, json, os, sys
latest, known, single = sys.argv[1], {}, set()
looks, mixed, last = 0, [], ""
print("reads", flush=True)
while last != sys.argv[2]:
    folder = os.path.realpath(latest)
    with open(folder + "/manifest.json", "rb") as file:
        told = json.load(file)
    with open(folder + "/list.csv", "rb") as file:
        content = file.read()
    with open(latest + "/list.csv", "rb") as file:
        alone = file.read()
    last = told["run_id"]
    known[last] = told["files"]["list.csv"]
    looks += 1
    if hashlib.sha256(content).hexdigest() != known[last]:
        mixed.append(folder)
    runs = {row["run_id"] for row in csv.DictReader(io.StringIO(alone.decode()))}
    single.add((min(runs, default=""), hashlib.sha256(alone).hexdigest()))
    if len(runs) != 1:
        mixed.append("alone")
# the file read by itself may be one version further than the folder was: it is whole if it is what that version's manifest says
mixed += [run for run, digest in single if known.get(run, digest) != digest]
print(json.dumps([looks, len(known), mixed]))
"""


def test_fault_67_a_reader_meets_one_version_while_fifty_are_published(out: Path, stage: Stage) -> None:
    told = json.loads((stage.made / "churn" / "manifest.json").read_text())
    files = {name: content for name, content in disk.contents(stage.made / "churn").items() if name != "manifest.json"}
    told.pop("files")
    cutoff, last = datetime.fromisoformat(told["cutoff"].rstrip("Z")), hashlib.sha256(b"49").hexdigest()[:16]
    latest = str(out / "lists" / "churn" / "latest")
    with subprocess.Popen([sys.executable, "-c", READER, latest, last], stdout=subprocess.PIPE, text=True) as reader, ExitStack() as stop:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reads\n"
        stop.callback(reader.kill)
        for number in range(50):
            run_id = hashlib.sha256(str(number).encode()).hexdigest()[:16]
            changed = files | {name: files[name].replace(told["run_id"].encode(), run_id.encode()) for name in ("list.csv", "list.json")}
            assert changed["list.csv"] != files["list.csv"]
            publish_list(out, "churn", cutoff + timedelta(minutes=number), changed, told | {"run_id": run_id}, finished.check_list_folder)
        looks, versions, mixed = json.loads(reader.stdout.readline())
    assert mixed == []
    assert looks >= versions > 5


def test_a_second_start_leaves_no_trace(stage: Stage, out: Path) -> None:
    from prevenance.base import lock

    with lock.hold_lock(out, "lists"):
        before = tree(out)
        with pytest.raises(PrevenanceError, match="E701"), lock.hold_lock(out, "lists"):
            pass
        assert tree(out) == before

"""Nights with a memo beside nights without: the same lists to the byte, whatever happened between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import once
import pytest
from amount import some

from pipelines import erase, feedback, score
from pipelines.start.run import _guarded
from prevenance.base.memo import MEMO
from prevenance.decide import remembered

pytestmark = pytest.mark.long

BODIES = {"score": score.body, "erase": erase.body, "feedback": feedback.body}
FIRST = date(2026, 9, 17)
PURE = ("list.csv", "list.json", "arms.csv", "plays.csv", "features.parquet")
"""What a list says whatever was published before it; the pages beside it tell of earlier lists."""
TAUGHT = ((*once.RULED[0][:-3], "target=churn", "as_of=2026-09-01", "features.sets=[tickets,contacts]", "features.lookbacks=[28,90]"),)


def run(name: str, out: Path, *given: str) -> int:
    return _guarded(name, BODIES[name], [*given, f"out={out}"])


def night(out: Path, day: date, *given: str) -> None:
    assert run("score", out, "target=churn", f"as_of={day}", *given) == 0


def folder_of(out: Path, day: date) -> Path:
    """Return the list of a night: its midnight in the source's zone lies on the day before in UTC."""
    return next((out / "lists" / "churn").glob(f"{day - timedelta(days=1)}T*"))


def files(out: Path, day: date, names: tuple[str, ...] = PURE) -> dict[str, bytes]:
    folder = folder_of(out, day)
    return {name: (folder / name).read_bytes() for name in names}


def worked_out(out: Path) -> int:
    return int(json.loads((out / "status.json").read_text())["targets"]["churn"]["memo"]["worked_out"])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return once.lived_copy(TAUGHT, tmp_path / "out")


def kept(out: Path) -> list[Path]:
    found = sorted(path for path in (out / MEMO).rglob("*") if path.is_file())
    assert {path.relative_to(out / MEMO).parts[0] for path in found} == {"chances", "tables"}
    return found


def damaged(out: Path) -> None:
    for path in kept(out):
        path.write_bytes(path.read_bytes()[::-1])


def partly_deleted(out: Path) -> None:
    for path in kept(out)[::2]:
        path.unlink()


def a_customer_erased(out: Path) -> None:
    assert run("erase", out, f"customer={listed(out)}") == 0
    assert not (out / MEMO).exists()


def a_customer_opted_out(out: Path) -> None:
    path = out / "demo" / "consents.csv"
    text = path.read_text()
    assert text.startswith('"account_id","purpose","allowed","changed_at"\n')
    path.write_text(f'{text}"{listed(out)}","outreach","no","2026-09-17 12:00:00"\n')


def an_answer(out: Path) -> None:
    path = out.parent / f"{out.name}-answers.csv"
    folder = folder_of(out, FIRST)
    told = json.loads((folder / "manifest.json").read_text())
    head = "target,customer_id,product_id,run_id,cutoff,action,at,until,channel,outcome,reason,by\n"
    path.write_text(head + f"churn,{listed(out)},,{told['run_id']},{told['cutoff']},snooze,2026-09-17T12:00:00Z,2026-12-01,,,,\n")
    assert run("feedback", out, f"file={path}") == 0


def nothing(out: Path) -> None:
    pass


def listed(out: Path) -> str:
    folder = folder_of(out, FIRST)
    return str(json.loads((folder / "list.json").read_text())[0]["customer_id"])


CASES: list[tuple[Callable[[Path], None], bool]] = [
    (nothing, True),
    (an_answer, True),
    (damaged, False),
    (partly_deleted, False),
    (a_customer_erased, False),
    (a_customer_opted_out, False),
]
"""What happens between two nights, and whether the memo may still be used then."""


@pytest.mark.parametrize(("happens", "known"), some(CASES, 1, 3, 4), ids=[one.__name__ for one, _ in CASES])
def test_a_night_with_a_memo_gives_the_bytes_of_one_without(out: Path, happens: Callable[[Path], None], known: bool) -> None:
    night(out, FIRST)
    assert worked_out(out) > 10
    assert (out / MEMO).is_dir()
    happens(out)
    without = Path(shutil.copytree(out, out.with_name("without"), symlinks=True))
    night(out, FIRST + timedelta(days=1))
    assert (worked_out(out) == 0) == known
    night(without, FIRST + timedelta(days=1), "memo=false")
    every = tuple(path.name for path in folder_of(out, FIRST + timedelta(days=1)).iterdir() if path.is_file())
    shown = files(out, FIRST + timedelta(days=1), every)
    assert {*PURE, "list.html", "list.xlsx"} <= {*shown}
    assert shown == files(without, FIRST + timedelta(days=1), every)


def test_only_the_new_monday_is_worked_out(out: Path) -> None:
    night(out, FIRST)
    fresh = Path(shutil.copytree(out, out.with_name("fresh"), symlinks=True, ignore=shutil.ignore_patterns("lists", MEMO)))
    later = FIRST + timedelta(days=5)
    night(out, later)
    night(fresh, later)
    assert (worked_out(out), worked_out(fresh) > 10) == (1, True)
    assert files(out, later) == files(fresh, later)
    held = sum(path.stat().st_size for path in (out / MEMO).rglob("*") if path.is_file())
    assert held <= 3 * sum(path.stat().st_size for path in folder_of(out, later).iterdir() if path.is_file())


def test_a_stale_memo_would_be_seen(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night(out, FIRST)
    without = Path(shutil.copytree(out, out.with_name("without"), symlinks=True))
    # the control: chances of a file that is taken for what it is not change the list
    real = remembered._frame
    monkeypatch.setattr(
        remembered,
        "_frame",
        lambda *given: None if (found := real(*given)) is None else (found[0].assign(score=found[0]["score"] / 9), found[1]),
    )
    night(out, FIRST + timedelta(days=1))
    night(without, FIRST + timedelta(days=1), "memo=false")
    assert worked_out(out) == 0
    shown, day = ("list.html",), FIRST + timedelta(days=1)  # the line of twelve weeks, if nothing else
    assert files(out, day, shown) != files(without, day, shown)


@pytest.mark.sweep
def test_thirty_nights_are_those_of_thirty_fresh_folders(out: Path, tmp_path: Path) -> None:
    known = 0
    for number in range(30):
        day = date(2026, 9, 2) + timedelta(days=number)
        fresh = once.lived_copy(TAUGHT, tmp_path / f"fresh-{day}")
        night(out, day)
        known += worked_out(out) == 0
        night(fresh, day)
        assert files(out, day) == files(fresh, day), day
        shutil.rmtree(fresh)
    assert known >= 20  # all but Mondays' nights

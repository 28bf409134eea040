"""The audit log is a chain: what is changed, removed or put in between is seen, and the line is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from pipelines import audit_log
from pipelines.start.run import _guarded
from prevenance.base.errors import PrevenanceError
from prevenance.privacy import trail

NOON = datetime(2026, 10, 1, 12)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for number in range(5):
        trail.append_act(tmp_path, NOON, "score", target="churn", run_id=f"run{number}", model=None)
    return tmp_path


def test_each_line_holds_the_digest_of_the_one_before(out: Path) -> None:
    lines = trail.verified_lines(out)
    assert [line["run_id"] for line in lines] == [f"run{number}" for number in range(5)]
    assert [line["previous"] for line in lines] == [trail.FIRST, *(line["digest"] for line in lines[:-1])]
    assert "model" not in lines[0]
    assert trail.verified_lines(out / "nowhere") == []


def _changed(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[2].replace("run2", "run9"), *lines[3:]]


def _forged(lines: list[str]) -> list[str]:
    told = json.loads(lines[2]) | {"run_id": "run9"}
    told["digest"] = trail.line_digest(told)
    return [*lines[:2], json.dumps(told, sort_keys=True), *lines[3:]]


BROKEN: list[tuple[Callable[[list[str]], list[str]], int]] = [
    (_changed, 3),
    (_forged, 4),
    (lambda lines: lines[:2] + lines[3:], 3),
    (lambda lines: lines[1:], 1),
    (lambda lines: [*lines[:3], lines[1], *lines[3:]], 4),
    (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
    (lambda lines: [*lines, "{}"], 6),
    (lambda lines: [*lines[:4], lines[4][:30]], 5),
    (lambda lines: [*lines, "[1]"], 6),
]


@pytest.mark.parametrize(
    ("broken", "line"), BROKEN, ids=["changed", "forged", "removed", "first removed", "repeated", "swapped", "added", "cut", "nonsense"]
)
def test_the_first_broken_line_is_named(
    out: Path, capsys: pytest.CaptureFixture[str], broken: Callable[[list[str]], list[str]], line: int
) -> None:
    log = out / trail.LOG
    log.write_text("\n".join(broken(log.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")
    with pytest.raises(PrevenanceError, match=rf"E309 first=audit.log:{line} ") as problem:
        trail.verified_lines(out)
    assert problem.value.exit_status == 3
    assert _guarded("audit_log", audit_log.body, [f"out={out}"]) == 3
    trail.append_act(out, NOON, "score")
    with pytest.raises(PrevenanceError, match=rf"audit.log:{line} "):
        trail.verified_lines(out)


def test_the_command_says_that_the_chain_is_whole(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _guarded("audit_log", audit_log.body, [f"out={out}"]) == 0
    said = capsys.readouterr().out
    assert "5 lines, chain unbroken: 5 score" in said
    assert trail.verified_lines(out)[-1]["digest"] in said

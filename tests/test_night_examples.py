"""The examples of ``docs/night`` are what they say: they parse, call commands that exist, and know every exit code."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from prevenance.base.errors import STATUS
from prevenance.cli import PIPELINES

NIGHT = Path(__file__).parent.parent / "docs" / "night"
AGAIN, PERSON = {4, 7, 8}, {1, 2, 3, 5, 6, 9}


def unit(name: str) -> ConfigParser:
    """Read a unit; a key that stands twice keeps its last value."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(NIGHT / name, encoding="utf-8")
    return parser


def test_every_example_calls_record_then_score() -> None:
    for path in NIGHT.iterdir():
        if path.name not in ("README.md", "prevenance.timer"):
            text = path.read_text(encoding="utf-8")
            called = re.findall(r"bin/prevenance (\w+)|run\(\"(\w+)\"\)|\)\(\"(\w+)\"\)|command: \[(\w+)", text)
            assert [next(filter(None, one)) for one in called] == ["record", "score"], path.name
    assert {"record", "score", "backfill", "validate"} <= set(PIPELINES)


def test_the_cron_line_is_one_line_with_five_fields_a_user_and_a_command() -> None:
    lines = [line for line in (NIGHT / "cron").read_text(encoding="utf-8").splitlines() if line and line[0] not in "#M"]
    assert len(lines) == 1
    assert re.fullmatch(r"(\d+|\*) (\d+|\*) \* \* \* prevenance cd /srv/prevenance && .+", lines[0])
    assert "%" not in lines[0], "cron takes % for a line break"
    subprocess.run(["sh", "-n", "-c", lines[0].split(maxsplit=6)[6]], check=True)


def test_the_units_try_again_where_it_helps(tmp_path: Path) -> None:
    service, timer = unit("prevenance.service"), unit("prevenance.timer")
    assert set(map(int, service["Service"]["RestartPreventExitStatus"].split())) == PERSON
    assert timer["Timer"]["Persistent"] == "true"
    if not (verify := shutil.which("systemd-analyze")):
        pytest.skip("systemd-analyze is not there")
    for name in ("prevenance.service", "prevenance.timer"):
        text = (NIGHT / name).read_text(encoding="utf-8")
        text = text.replace("/srv/prevenance/.venv/bin/prevenance", shutil.which("true") or "/bin/true").replace(
            "User=prevenance", "User=root"
        )
        (tmp_path / name).write_text(text, encoding="utf-8")
    units = [str(tmp_path / name) for name in ("prevenance.service", "prevenance.timer")]
    done = subprocess.run([verify, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "prevenance" in line]) == (0, []), done.stderr
    calendar = subprocess.run([verify, "calendar", timer["Timer"]["OnCalendar"]], capture_output=True, text=True, check=False)
    assert calendar.returncode == 0, calendar.stderr


@pytest.mark.parametrize("name", ["airflow_dag.py", "dagster_job.py"])
def test_the_python_examples_compile_and_agree_on_the_codes(name: str) -> None:
    text = (NIGHT / name).read_text(encoding="utf-8")
    compile(text, name, "exec")
    values = {
        one.targets[0].id: one.value for one in ast.parse(text).body if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }
    assert set(ast.literal_eval(values["AGAIN"])) == AGAIN


def test_the_page_knows_every_exit_code() -> None:
    text = (NIGHT / "README.md").read_text(encoding="utf-8")
    told = {int(code): todo for code, todo in re.findall(r"^\| (\d+) \| .* \| (.*) \|$", text, re.M)}
    assert set(told) == {0, *STATUS}
    assert {code for code, todo in told.items() if todo.startswith("try again")} == AGAIN
    assert set(STATUS) == AGAIN | PERSON
    for link in re.findall(r"\]\((\w[\w.]*)\)", text):
        assert (NIGHT / link).is_file(), link

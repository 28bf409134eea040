"""What all tests share, and what a run of them says of the fault table: which of its 80 numbers were carried, and whether these passed."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from typing import Any

import amount
import hypothesis
import pytest
from test_fault_table import NUMBERS, carried

hypothesis.settings.register_profile("no clock", deadline=None)
hypothesis.settings.load_profile("no clock")  # a busy machine is no fault

OUTCOMES: dict[int, set[str]] = defaultdict(set)
COUNTED: set[str] = set()


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker a core of its own, so that no thread waits by spinning, and let it look for garbage less often."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    gc.set_threshold(50_000, 20, 50)
    os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # SHAP's helpers take seconds to compile, and no time to run on a few rows
    amount.PART[0] = "not sweep" in config.getoption("markexpr")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker[2:]) % len(cores)]})
    if worker or not config.getoption("numprocesses", 0):  # not the process that only hands out the tests
        import composed

        composed.compose_once()  # before any test imports what it replaces


TOOLS = {"chromium": "Chromium", "postgresql": "PostgreSQL", "strace": "strace"}
"""A tool of ``make test-tools``, and the word for it in the reason of a test that is left out without it."""


def _required(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Fail what is left out for want of a tool that PREVENANCE_TOOLS says is there."""
    if report.outcome == "skipped" and (given := os.environ.get("PREVENANCE_TOOLS")):
        found = [tool for tool in given.split(",") if TOOLS.get(tool, "\0") in str(report.longrepr)]
        if found:
            report.outcome, report.longrepr = "failed", f"left out although {found[0]} is there: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    _required(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    report = yield
    _required(report)
    return report


HEAVY = ("night", "pipelines", "week_laws", "held", "week", "browser", "memo_nights", "explained", "programme")
"""Files of tests that take minutes, the longest first: begun last, one of them would keep one core busy and the others idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the heavy files come first."""
    place = {f"test_{name}": number for number, name in enumerate(HEAVY)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session", autouse=True)
def _once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import once

    base = tmp_path_factory.getbasetemp()
    once.start(base, "PYTEST_XDIST_WORKER" in os.environ)
    with pytest.MonkeyPatch.context() as patch:
        once.shared_parts(patch)
        yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the outcome of a test that carries a number."""
    if report.when == "call" or report.outcome != "passed":
        for number in carried(report.nodeid):
            OUTCOMES[number].add(report.outcome)
            COUNTED.add(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line on the fault table, and one for each number that did not simply pass."""
    if not OUTCOMES:
        return
    passed = [number for number, outcomes in OUTCOMES.items() if outcomes == {"passed"}]
    terminalreporter.section("fault table")
    terminalreporter.write_line(
        f"{len(passed)} of {len(NUMBERS)} faults behave as expected ({len(COUNTED)} tests; make test-long ARGS='-k fault')"
    )
    for number in sorted(set(OUTCOMES) - set(passed)):
        terminalreporter.write_line(f"fault {number}: {', '.join(sorted(OUTCOMES[number]))}")
    if absent := sorted(NUMBERS - set(OUTCOMES)):
        terminalreporter.write_line(f"not run here (make test-long runs them all): {', '.join(map(str, absent))}")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Give the connection string of a PostgreSQL server of our own."""
    from pg_server import running_server

    with running_server() as url:
        yield url

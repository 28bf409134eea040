"""What a whole run of the tests says of the fault table: which of its 80 numbers were carried by tests, and whether all of these passed."""

from __future__ import annotations

from collections import defaultdict

import pytest
from test_fault_table import NUMBERS, carried

OUTCOMES: dict[int, set[str]] = defaultdict(set)
COUNTED: set[str] = set()


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
        f"{len(passed)} of {len(NUMBERS)} faults behave as expected ({len(COUNTED)} tests; make test ARGS='-k fault')"
    )
    for number in sorted(set(OUTCOMES) - set(passed)):
        terminalreporter.write_line(f"fault {number}: {', '.join(sorted(OUTCOMES[number]))}")
    if absent := sorted(NUMBERS - set(OUTCOMES)):
        terminalreporter.write_line(f"not run here: {', '.join(map(str, absent))}")

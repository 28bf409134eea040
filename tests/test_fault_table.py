"""The fault table: each of the 80 numbers has a test that carries it, or stands in ``OPEN``, which may only shrink."""

from __future__ import annotations

import ast
import re
from pathlib import Path

NUMBERS = frozenset(range(1, 81))
OPEN: tuple[int, ...] = ()
"""Numbers without a test. One that got its test is taken out."""


def carried(text: str) -> set[int]:
    """Return the numbers in names and ids such as test_fault_31_36_clocks, ``fault-44 one customer`` or ``fault_53``."""
    return {int(number) for found in re.findall(r"(?<![a-z])fault((?:[_-]\d{2})+)", text) for number in re.findall(r"\d{2}", found)}


def numbers(path: Path) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found |= carried(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("fault-"):
            found |= carried(node.value)
    return found


def test_every_fault_has_a_test_or_is_open() -> None:
    tested = set().union(*(numbers(path) for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name))
    assert tested <= NUMBERS
    assert not NUMBERS - tested - set(OPEN), f"neither tested nor open: {sorted(NUMBERS - tested - set(OPEN))}"
    assert not tested & set(OPEN), f"tested now, to be taken out of OPEN: {sorted(tested & set(OPEN))}"


def test_names_and_ids_are_read() -> None:
    assert carried("test_fault_31_36_clocks") == {31, 36}
    assert carried("fault-44 one customer") == {44}
    assert carried("test_default_80") == set()

"""The page of error codes says what the code refuses, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from prevenance.base.errors import STATUS

ROOT = Path(__file__).parent.parent


def test_the_page_names_every_code_that_is_raised() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    texts = [path.read_text(encoding="utf-8") for folder in ("src", "pipelines") for path in (ROOT / folder).rglob("*.py")]
    raised = {code for text in texts for code in re.findall(r'"(E[2-9]\d\d)"', text)}
    assert set(re.findall(r"^\| (E\d\d\d) \|", page, re.MULTILINE)) == raised
    assert re.findall(r"^## (\d): (.*)$", page, re.MULTILINE) == [(str(status), what) for status, what in STATUS.items()]

"""What the pages are put together from."""

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import is_dataclass
from typing import Any

from numpy.typing import ArrayLike


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; a bar or a line end in a cell stays in its cell."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in lines)


def signature(one: Any) -> str:
    """Return how something is called, without the names of modules, what numpy takes for an array spelled out, and a record's own defaults."""
    called = inspect.signature(one)
    found = str(called).replace(inspect.formatannotation(ArrayLike), "ArrayLike")
    for default in (given.default for given in called.parameters.values() if is_dataclass(given.default)):
        found = found.replace(repr(default), f"{type(default).__name__}()")
    found = re.sub(r"(?:prevenance|pandas|numpy|collections|datetime|pathlib|typing|matplotlib)(?:\.\w+)*\.(?=[A-Z_a-z])", "", found)
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", found).replace("self, ", "").replace("(self)", "()")


def doc(one: Any) -> str:
    """Return a docstring as Markdown: sections as words of their own, examples as code."""
    text = inspect.getdoc(one) or ""
    text = re.sub(r"^(Args|Raises|Returns):$", r"\n**\1**\n", text, flags=re.MULTILINE)
    text = re.sub(r"^    (\w[\w, ]*): ", r"- `\1`: ", text, flags=re.MULTILINE)
    text = re.sub(
        r"((?:^>>> .*\n?|^\.\.\. .*\n?)+(?:^(?!>>>|\s*$).*\n?)*)",
        lambda shown: f"\n```python\n{shown[1].strip()}\n```\n",
        text,
        flags=re.MULTILINE,
    )
    return re.sub(r"(?<!`)``(?!`)", "`", text)  # a fence keeps its three

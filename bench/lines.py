"""Code lines by room: what is neither comment, docstring nor blank. ``python -m bench.lines [root of another checkout]``."""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

SILENT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def code_lines(text: str) -> int:
    """Return how many lines of a module hold code."""
    held = (one for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.type not in SILENT)
    lines = {line for one in held for line in range(one.start[0], one.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        # a text that stands alone is a docstring, also below a constant
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def by_room(root: Path) -> Counter[str]:
    """Return room -> code lines; what a command starts with counts as ``pipelines``."""
    found: Counter[str] = Counter()
    for folder in (root / "src" / "prevenance", root / "pipelines"):
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).parts
            room = folder.name if folder.name == "pipelines" else parts[0] if len(parts) > 1 else "(the package itself)"
            found[room] += code_lines(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    counts = by_room(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    for room, number in sorted(counts.items()):
        print(f"{room:<24}{number:>8,}")
    print(f"{'all':<24}{sum(counts.values()):>8,}")

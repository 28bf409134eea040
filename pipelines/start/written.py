"""What a file of conf/ says that no file of settings can say, as one line for people: the file, the line, and what to write."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from prevenance.base.errors import PrevenanceError

LARGEST = 50_000
"""Values of one file at most, those that stand behind ``*names`` counted where they are used."""

UNREAD = (yaml.YAMLError, UnicodeDecodeError, RecursionError)
"""What reading a file of settings ends with where it is none."""


def refuse_large(folders: Iterable[Path]) -> None:
    """Raise E202 for a file whose ``*names`` stand for more values than any settings have: a few lines can stand for billions."""
    for path in (path for folder in folders for path in sorted(folder.rglob("*.yaml"))):
        content = path.read_bytes() if path.is_file() else b""
        if b"*" not in content or b"&" not in content:
            continue
        try:
            size = _size(yaml.compose(content, Loader=yaml.SafeLoader), {})
        except UNREAD:
            continue  # told, with its line, by who reads it
        if size > LARGEST:
            what = f"its *names stand for more than {LARGEST:,} values"
            raise PrevenanceError("E202", what, path=path, fix="write the values themselves, and no list of lists of *names")


def _size(node: Any, known: dict[int, float]) -> float:
    """Return how many values a node stands for; endless where it holds itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")
        inner = (
            [one for pair in node.value for one in (pair if isinstance(pair, tuple) else (pair,))] if isinstance(node.value, list) else []
        )
        known[id(node)] = 1 + sum(_size(one, known) for one in inner)
    return known[id(node)]


def unread_error(problem: Exception, folders: Iterable[Path]) -> PrevenanceError:
    """Return E202 for a file of settings that cannot be read (one of ``UNREAD``)."""
    if isinstance(problem, UnicodeDecodeError):
        files = (one for folder in folders for one in sorted(folder.rglob("*.yaml")))
        fix = "save it as UTF-8 (in a spreadsheet or an editor: Save as, UTF-8)"
        return PrevenanceError(
            "E202", "a file of settings is not UTF-8", path=next((one for one in files if not _is_utf8(one)), None), fix=fix
        )
    if isinstance(problem, RecursionError):
        return PrevenanceError("E202", "the settings hold brackets within brackets without end", fix="write key: value, one to a line")
    marks = [getattr(problem, name, None) for name in ("problem_mark", "context_mark")]
    # What is no key with a value is noticed in the line after it.
    mark = next((one for one in (reversed(marks) if "expected ':'" in str(problem) else marks) if one), None)
    path, line = str(getattr(mark, "name", "") or getattr(problem, "name", "")) or None, getattr(mark, "line", 0) + 1
    text = " ".join(str(getattr(problem, "problem", "") or problem).split())
    what, fix = _told(text, line, _line_at(path, line))
    return PrevenanceError("E202", what, path=path, line=line if mark else None, fix=fix)


def _told(text: str, line: int, written: str) -> tuple[str, str]:
    """Return what is wrong with a line, in the field's words, and what to write."""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return "a tab stands before a key, where only spaces may", f"write spaces in place of the tab in line {line}"
    if "duplicate key" in text:
        key = text.rpartition(" ")[2]
        return f'the key "{key}" stands there twice', f"keep one of the two and remove the other, such as line {line}"
    if "another document" in text:
        return "a second document begins at ---", f"remove line {line} and what follows: a source of its own has a file of its own"
    if "constructor for the tag" in text:
        return "a value has a !tag, and settings are plain values", f"remove the word that begins with ! in line {line}"
    if "special characters" in text or "unacceptable character" in text:
        return "it holds a character that no text has", "write the file again as plain text, in UTF-8"
    if glued := re.match(r"\s*([\w.-]+):(\S.*)", written):
        return "a colon has no space behind it", f"write {glued[1]}: {glued[2].strip()} in line {line}"
    if "could not find expected ':'" in text:
        return "a line is no key with a value", f"write key: value in line {line}, with a colon and a space"
    if "mapping values are not allowed" in text:
        what = "a key stands where none may: its line is further in than the one before, or a value holds a colon"
        return what, f"let line {line} begin where the line before begins, or write its value in quotes"
    if "found undefined alias" in text:
        return "a value that begins with * names nothing", f"write the value of line {line} in quotes"
    if "expected ',' or" in text or "end of the stream" in text or "stream end" in text:
        return "a bracket or a quote is opened and not closed", f"close it in line {line} or before"
    return text[:120], f"write key: value in line {line}; a value with one of : # & * ! {{ }} [ ] stands in quotes"


def _line_at(path: str | None, line: int) -> str:
    try:
        return Path(path or "").read_text(encoding="utf-8", errors="replace").splitlines()[line - 1]
    except (OSError, IndexError, ValueError):
        return ""


def _is_utf8(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    except OSError:
        return True
    return True

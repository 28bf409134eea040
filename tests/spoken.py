"""Everything that is said to people: found in the code by its syntax, in the templates by theirs, in definitions and playbooks by value."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import jinja2
import yaml
from jinja2 import nodes

from prevenance.explain.facts import unknown_text, wordings
from prevenance.explain.usual import with_means
from prevenance.features import SETS, definitions
from prevenance.targets import KINDS, default_plays, words_of
from prevenance.targets.target import ANY_OUTCOME

ROOT = Path(__file__).parent.parent
SPEAKERS = ("say", "spoken", "saying")
LOOKBACKS = ((7, 28, 90, 365), (30,), (1, 400))


def of_python(text: str, also: tuple[str, ...] = ()) -> set[str]:
    """Return the texts that a module says: constants, both sides of a choice, and what a named constant holds; ``also`` names speakers."""
    tree = ast.parse(text)
    printed = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "pipelines.start.run"]
    speakers = ("spoken", "saying", *also) if any(one.name == "say" for node in printed for one in node.names) else (*SPEAKERS, *also)
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []:
            if isinstance(target, ast.Name) and node.value is not None:
                named.setdefault(target.id, []).append(node.value)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (place := _said_at(node.func, speakers)) is not None and len(node.args) > place:
            found |= set(_texts(node.args[place], named))
    return found


def _said_at(called: ast.expr, speakers: tuple[str, ...]) -> int | None:
    """Return which argument is the key: the first of ``say(...)``, the second of ``say.many(...)``; None for any other call."""
    if isinstance(called, ast.Attribute) and called.attr == "many":
        return 1 if _name(called.value) in speakers else None
    return 0 if _name(called) in speakers else None


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _texts(node: ast.expr, named: dict[str, list[ast.expr]], depth: int = 0) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, named, depth)
        yield from _texts(node.orelse, named, depth)
    elif isinstance(node, ast.BoolOp | ast.Tuple | ast.List):
        for one in node.values if isinstance(node, ast.BoolOp) else node.elts:
            yield from _texts(one, named, depth)
    elif isinstance(node, ast.Dict):
        for one in node.values:
            yield from _texts(one, named, depth)
    elif isinstance(node, ast.Subscript):
        yield from _texts(node.value, named, depth)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        for one in (node.func.value, *node.args[1:]):
            yield from _texts(one, named, depth)
    elif isinstance(node, ast.Name) and depth < 3:
        for one in named.get(node.id, []):
            yield from _texts(one, named, depth + 1)


def of_template(text: str) -> set[str]:
    """Return the texts that a template says."""
    found = set()
    for call in jinja2.Environment(autoescape=True).parse(text).find_all(nodes.Call):
        called, place = call.node, 0
        if isinstance(called, nodes.Getattr) and called.attr == "many":
            called, place = called.node, 1
        if isinstance(called, nodes.Name) and called.name in SPEAKERS and len(call.args) > place:
            found |= {one.value for one in [call.args[place], *call.args[place].find_all(nodes.Const)] if isinstance(one, nodes.Const)}
    return {one for one in found if isinstance(one, str)}


def of_definitions() -> set[str]:
    """Return the phrases of every feature and their forms for what is not known."""
    told = [one for lookbacks in LOOKBACKS for one in wordings(with_means(definitions(list(SETS), lookbacks))).values()]
    return {one.phrase for one in told} | {key for one in told if not one.counts and (key := unknown_text(one.phrase))}


def of_playbooks() -> set[str]:
    """Return actions, roles and messages of the shipped playbooks."""
    found = set()
    for path in sorted((ROOT / "conf" / "playbook").glob("*.yaml")):
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        for plays in (read["plays"], read.get("cases", {}), *read.get("targets", {}).values(), *default_plays().values()):
            found |= {one[name] for one in plays.values() for name in ("action", "owner", "draft")}
    return found


def of_targets() -> set[str]:
    """Return what is said of every target, and of one that says nothing of itself."""
    return {text for words in [ANY_OUTCOME, *map(words_of, KINDS)] for text in asdict(words).values() if isinstance(text, str)}


def everything() -> set[str]:
    """Return every text that is said anywhere."""
    modules: Iterable[Path] = [*(ROOT / "src" / "prevenance").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]
    found: set[str] = set()
    for path in modules:
        found |= of_python(path.read_text(encoding="utf-8"), ("self",) if path.parent.name == "words" else ())
    for path in (ROOT / "src" / "prevenance" / "publish" / "templates").rglob("*.j2"):
        found |= of_template(path.read_text(encoding="utf-8"))
    return found | of_definitions() | of_playbooks() | of_targets()


def placeholders(text: str) -> set[str]:
    """Return the names that a text asks for, besides those that only choose a word."""
    return {name for _, name, spec, _ in string.Formatter().parse(text) if name and "|" not in (spec or "") and "?" not in (spec or "")}

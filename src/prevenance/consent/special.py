"""Columns that nobody may use, known by their names: special categories of personal data (Art. 9 GDPR), and who works for the company.

The names stand in ``special.toml``, in six languages. A name says little; what hides behind an innocent one is not found here.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

from prevenance.base.errors import PrevenanceError

AGENT = "agent"
"""The one entry of ``special.toml`` that is no special category: who works for the company."""

_BESIDE = {
    *(
        "id",
        "ids",
        "code",
        "key",
        "name",
        "names",
        "label",
        "type",
        "value",
        "number",
        "no",
        "nr",
        "ref",
        "email",
        "mail",
        "login",
        "text",
        "flag",
    ),
    *(
        "nom",
        "nombre",
        "nome",
        "naam",
        "numero",
        "nummer",
        "the",
        "a",
        "is",
        "has",
        "customer",
        "client",
        "kunde",
        "klant",
        "cliente",
        "account",
    ),
    *("person", "support", "service", "ticket", "primary", "current", "last", "first"),
}
"""Words beside a ``whole`` name that change nothing."""


class _Names(NamedTuple):
    words: frozenset[str]
    starts: tuple[str, ...]
    whole: frozenset[str]


@cache
def _known() -> dict[str, _Names]:
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    joined = {kind: {key: [one.replace(" ", "") for one in one_list] for key, one_list in lists.items()} for kind, lists in found.items()}
    return {kind: _Names(frozenset(each["words"]), tuple(each["starts"]), frozenset(each["whole"])) for kind, each in joined.items()}


def name_words(name: str) -> list[str]:
    """Return the words of a column's name, without case and accents.

    >>> parts("État_deSanté"), parts("HTTPCode2")
    (['etat', 'de', 'sante'], ['http', 'code'])
    """
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])", " ", unicodedata.normalize("NFC", name))
    plain = "".join(one for one in unicodedata.normalize("NFKD", spaced.casefold()) if not unicodedata.combining(one))
    return re.findall(r"[^\W\d_]+", plain)


def special_category(name: str, *, agents: bool = False) -> str | None:
    """Return the special category that a column's name speaks of, or ``None``; with ``agents`` also "agent".

    >>> category("employee_religion"), category("health_score"), category("TradeUnionMember")
    ('religion', None, 'union membership')
    """
    words = name_words(name)
    runs = {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, min(start + 5, len(words)) + 1)}
    bare = [word for word in words if word not in _BESIDE]
    whole = {"".join(words), "".join(bare)}
    for kind, names in _known().items():
        if kind == AGENT and not agents:
            continue
        if runs & names.words or any(word.startswith(names.starts) for word in words if names.starts) or whole & names.whole:
            return kind
    return None


def refused_category(name: str, permitted: Collection[str] = (), *, agents: bool = False) -> str | None:
    """Return why a column may not be used, as a category; ``None`` if it may, or if its name is ``permitted`` to the letter (case aside)."""
    allowed = {one.strip().casefold() for one in permitted}
    return None if name.strip().casefold() in allowed else special_category(name, agents=agents)


def special_error(
    name: str, kind: str, *, fix: str = "take the column out of the select", key: str = "privacy.permitted", **where: object
) -> PrevenanceError:
    """Return E902 for a column and its category; the fix ends with how to say that the name only looks like it."""
    what = (
        "says who works for the company, and people at work are no input"
        if kind == AGENT
        else f"is a special category of personal data (Art. 9 GDPR: {kind})"
    )
    return PrevenanceError(
        "E902", f'the column "{name}" {what}', column=name, fix=f"{fix}, or if it only looks like one, add its name to {key}", **where
    )

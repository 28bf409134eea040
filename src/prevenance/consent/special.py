"""Columns that nobody may use, known by their names: special categories of personal data (Art. 9 GDPR), and who works for the company.

The names stand in ``special.toml``, in six languages. A name says little; what hides behind an innocent one is not found here.
"""

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


class _Names(NamedTuple):
    words: frozenset[str]
    starts: tuple[str, ...]
    whole: frozenset[str]


@cache
def _known() -> tuple[frozenset[str], dict[str, _Names]]:
    """Return the words beside a ``whole`` name that change nothing, and the names of each category."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    beside = frozenset(found.pop("beside"))
    joined = {kind: {key: [one.replace(" ", "") for one in one_list] for key, one_list in lists.items()} for kind, lists in found.items()}
    return beside, {
        kind: _Names(frozenset(each["words"]), tuple(each["starts"]), frozenset(each["whole"])) for kind, each in joined.items()
    }


def name_words(name: str) -> list[str]:
    """Return the words of a column's name, without case and accents.

    >>> name_words("État_deSanté"), name_words("HTTPCode2")
    (['etat', 'de', 'sante'], ['http', 'code'])
    """
    # words end where a small letter meets a capital: tradeUnionMember is three
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])", " ", unicodedata.normalize("NFC", name))
    plain = "".join(one for one in unicodedata.normalize("NFKD", spaced.casefold()) if not unicodedata.combining(one))
    return re.findall(r"[^\W\d_]+", plain)


@cache  # asked of every column of every file once for each select
def special_category(name: str, *, agents: bool = False) -> str | None:
    """Return the special category that a column's name speaks of, or ``None``; with ``agents`` also "agent".

    >>> special_category("employee_religion"), special_category("health_score"), special_category("TradeUnionMember")
    ('religion', None, 'union membership')
    """
    words = name_words(name)
    # a category may be spelt in up to five words, together or apart
    runs = {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, min(start + 5, len(words)) + 1)}
    beside, known = _known()
    whole = {"".join(words), "".join(word for word in words if word not in beside)}
    for kind, names in known.items():
        if kind == AGENT and not agents:
            continue
        if runs & names.words or any(word.startswith(names.starts) for word in words if names.starts) or whole & names.whole:
            return kind
    return None


def refused_category(name: str, permitted: Collection[str] = (), *, agents: bool = False) -> str | None:
    """Return why a column may not be used, as a category; ``None`` if it may, or if its name is ``permitted`` to the letter (case aside)."""
    # to the letter: a pattern would permit more than was looked at
    allowed = {one.strip().casefold() for one in permitted}
    return None if name.strip().casefold() in allowed else special_category(name, agents=agents)


def special_error(
    name: str, kind: str, *, fix: str = "take the column out of the select", key: str = "privacy.permitted", **where: object
) -> PrevenanceError:
    """Return E902 for a column and its category; the fix ends with how to say that the name only looks like it."""
    what = f"is a special category of personal data (Art. 9 GDPR: {kind})"
    if kind == AGENT:
        what = "says who works for the company, and people at work are no input"
    fix = f"{fix}, or if it only looks like one, add its name to {key}"
    return PrevenanceError("E902", f'the column "{name}" {what}', column=name, fix=fix, **where)

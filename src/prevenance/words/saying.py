"""An English text that remembers what it was made of, so that a page in another language can say it too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prevenance.words import Words, words


class Saying(str):
    """An English text with its key and values; it is a ``str`` for everybody who does not ask, JSON among them."""

    key: str
    values: Mapping[str, object]

    def __new__(cls, text: str, key: str = "", values: Mapping[str, object] | None = None) -> Saying:
        """Return the text; without a key it is in nobody's language and stays as it is."""
        made = super().__new__(cls, text)
        made.key, made.values = key, values or {}
        return made


def saying(text: str, /, **values: Any) -> Saying:
    """Return ``text`` in English, its placeholders filled; values may be sayings themselves.

    >>> saying("{n} {n:day|days}, {rest}", n=2, rest=saying("none"))
    '2 days, none'
    """
    return Saying(words("en")(text, **values), text, values)


def said_in(say: Words, text: Any) -> str:
    """Return a text in the language of ``say`` where it is a saying, as it is where it is not."""
    if not isinstance(text, Saying) or not text.key:
        return str(text)
    return say(text.key, **{name: said_in(say, value) if isinstance(value, Saying) else value for name, value in text.values.items()})


def told_in(say: Words, text: Any) -> str:
    """Return a text as it is in English, which may tell more than its saying, and as ``said_in`` in other languages.

    >>> told_in(words("en"), Saying("write X in a.sql", "correct the export"))
    'write X in a.sql'
    """
    return str(text) if say.language == "en" else said_in(say, text)


def said_together(*parts: str) -> Saying:
    """Return sayings with semicolons between, as one; those that say nothing are absent."""
    told = [part for part in parts if part]
    if len(told) < 2:
        return told[0] if told and isinstance(told[0], Saying) else Saying("".join(told))
    return saying("{first}; {rest}", first=told[0], rest=said_together(*told[1:]))


def said_listed(*parts: str) -> Saying:
    """Return sayings, or names that are the same in every language, with commas between."""
    if len(parts) < 2:
        return parts[0] if parts and isinstance(parts[0], Saying) else Saying("".join(parts))
    return saying("{first}, {rest}", first=parts[0], rest=said_listed(*parts[1:]))


def said_after(*parts: str) -> Saying:
    """Return whole sentences, each a saying, as one; those that say nothing are absent."""
    told = [part for part in parts if part]
    if len(told) < 2:
        return told[0] if told and isinstance(told[0], Saying) else Saying("".join(told))
    return saying("{first} {rest}", first=told[0], rest=said_after(*told[1:]))

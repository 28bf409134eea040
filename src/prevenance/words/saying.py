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

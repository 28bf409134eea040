"""The catalogues: English text -> its translation, ours and those of plug-ins."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

LANGUAGES = ("en", "fr", "de")

HARD = "\xa0"
"""A space at which no line breaks."""

Translation = str | list[str]
"""A text, or [one, many] for a text that counts."""

_ADDED: dict[str, dict[str, Translation]] = {}


def add_texts(language: str, sections: Mapping[str, Mapping[str, Translation]]) -> None:
    """Let a plug-in's texts be said in ``language`` from now on; of a text that is ours our translation stays."""
    _ADDED.setdefault(language, {}).update(_texts(language, sections))


def catalogue(language: str) -> dict[str, Translation]:
    """Return English text -> its translation; empty for English. Sections of the file only keep it readable."""
    if language == "en":
        return {}
    own = tomllib.loads((files("prevenance.words") / f"{language}.toml").read_text(encoding="utf-8"))
    return _ADDED.get(language, {}) | _texts(language, own)


def _texts(language: str, sections: Mapping[str, Mapping[str, Translation]]) -> dict[str, Translation]:
    found = {text: told for section in sections.values() for text, told in section.items()}
    return (
        {text: [_spaced(one) for one in told] if isinstance(told, list) else _spaced(told) for text, told in found.items()}
        if language == "fr"
        else found
    )


def _spaced(text: str) -> str:
    """Return a French text whose signs of two parts never begin a line."""
    return re.sub(" (?=[:;?!»])", HARD, text)

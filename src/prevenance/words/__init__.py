"""What is said to people, in their language: English, French or German.

``say = words("fr")`` gives a speaker. The key of a text is the English text itself; a catalogue beside this file holds its
translation, with the same placeholders. A text without a translation is said in English, and a test fails on it.

Placeholders are those of ``str.format``; numbers come out in the language's own way. ``{n:day|days}`` is a word in the form that
the number wants, ``{n:part?not part}`` the first where it is not 0. What is in nobody's language, such as a customer's name, goes in
as a value, never as a key.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from numbers import Integral, Real
from typing import Any

from prevenance.base.days import local_time
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.words.catalogues import HARD, LANGUAGES, Translation, catalogue

DASH = "–"
"""What stands for a number or date that is not known: never a zero."""

_LOCALES = {"en": "en_GB", "fr": "fr_FR", "de": "de_DE"}
_NUMBER = re.compile(r"(?P<sign>\+?),?(?:\.(?P<places>\d+))?(?P<kind>[f%])")


@dataclass(frozen=True)
class _Signs:
    """How a language writes numbers: between thousands, before decimals, after a share."""

    group: str
    decimal: str
    percent: str


@dataclass(frozen=True)
class Words:
    """Says a text in one language; made by ``words``."""

    language: str
    zone: str = ""
    texts: Mapping[str, Translation] = field(default_factory=dict, repr=False, hash=False)

    def __call__(self, text: str, /, **values: Any) -> str:
        """Return ``text`` in the language, its placeholders filled.

        >>> words("de")("Sort by {column}", column="Name") != ""
        True
        """
        return self.filled(self.translated(text), **values)

    def translated(self, text: str) -> str:
        """Return a text in the language with its placeholders still open."""
        found = self.texts.get(text, text)
        return found if isinstance(found, str) else found[-1]

    def many(self, one: str, many: str, n: float, /, **values: Any) -> str:
        """Return ``one`` or ``many``, as the number ``n`` wants it in the language; ``{n}`` is the number.

        >>> words("en").many("{n} customer", "{n} customers", 1240)
        '1,240 customers'
        """
        found = self.texts.get(many, [one, many])
        forms = found if isinstance(found, list) else [found]
        # French counts 0 as one, English and German do not.
        return self.filled(forms[0 if self.single(n) else -1], n=n, **values)

    def filled(self, text: str, **values: Any) -> str:
        """Return a text that is in the language already, its placeholders filled."""
        if "{" not in text:
            return text
        # "7 oct." at the end of a sentence brings its own full stop.
        own = [name for name, value in values.items() if isinstance(value, str) and value.endswith(".") and f"{{{name}}}." in text]
        for name in own:
            text = text.replace(f"{{{name}}}.", f"{{{name}}}")
        # A placeholder's name is plain, nothing reaches into a value: str.format would follow dots into one, a translation must not.
        return "".join(piece if spec is None else self._filled(values[piece], spec) for piece, spec in _pieces(text))

    def _filled(self, value: Any, spec: str) -> str:
        """Return one value as told: ``str.format`` with the numbers and plurals of the language."""
        if type(value) is str and not spec:
            return value
        if "|" in spec:
            return spec.split("|")[0 if self.single(value) else -1]
        if "?" in spec:
            return spec.split("?")[0 if value else -1]
        if isinstance(value, Integral) and not isinstance(value, bool) and not spec:
            return self.number(value)
        if (type(value) is float or isinstance(value, Real)) and (found := _NUMBER.fullmatch(spec)):
            places = int(found["places"] or 0)
            return self.percent(value, places) if found["kind"] == "%" else self.number(value, places, signed=bool(found["sign"]))
        return format(value, spec)

    def single(self, value: Any) -> bool:
        """Return whether a number, printed without decimals, takes the singular."""
        return _known(value) and (abs(round(value)) < 2 if self.language == "fr" else abs(round(value)) == 1)

    def number(self, value: Any, places: int = 0, *, signed: bool = False) -> str:
        """Return a number with the language's thousands and decimals; a dash if it is not known.

        >>> words("en").number(1240.5, 1), words("de").number(1240.5, 1), words("en").number(None)
        ('1,240.5', '1.240,5', '–')
        """
        if not _known(value):
            return DASH
        text = f"{_nought(value, places):{'+' if signed else ''},.{places}f}"
        signs = _signs(self.language)
        return text if self.language == "en" else text.translate({ord(","): signs.group, ord("."): signs.decimal})

    def percent(self, value: Any, places: int = 0) -> str:
        """Return a share: ``41 %``.

        >>> words("en").percent(0.41), words("en").percent(0.414, 1)
        ('41 %', '41.4 %')
        """
        return self.number(value * 100, places) + _signs(self.language).percent if _known(value) else DASH

    def points(self, value: Any) -> str:
        """Return percentage points with their sign: ``+7.1``."""
        return self.number(value, 1, signed=True)

    def day(self, moment: date | datetime | str | None) -> date | None:
        """Return the calendar's day: of an instant (UTC, as a datetime or as text with a time) that of ``zone``, of a bare date itself.

        >>> words("en", "Europe/Paris").day("2024-02-28T23:00:00Z"), words("en", "Europe/Paris").day("2024-02-28")
        (datetime.date(2024, 2, 29), datetime.date(2024, 2, 28))
        """
        if isinstance(moment, str):
            # What has no time is a day of somebody's calendar already.
            moment = (datetime.fromisoformat(moment) if len(moment) > 10 else date.fromisoformat(moment)) if moment else None
        # NaT is a date that is not equal to itself.
        if not isinstance(moment, date) or moment != moment:
            return None
        return local_time(moment, self.zone).date() if isinstance(moment, datetime) else moment

    def date(self, day: date | datetime | str | None, *, beside: date | datetime | str | None = None) -> str:
        """Return a day: ``12 Dec``; with its year unless it is that of ``beside`` (usually the cutoff); of an instant, see ``day``.

        >>> words("en").date("2026-12-12", beside="2026-10-01"), words("en").date("2027-03-02", beside="2026-10-01")
        ('12 Dec', '2 Mar 2027')
        """
        found = self.day(day)
        if found is None:
            return DASH
        near = self.day(beside)
        return _written("MMMd" if near and near.year == found.year else "yMMMd", found, self.language)

    def days(self, n: Any) -> str:
        """Return a span: ``68 days``, ``1 day``."""
        return self.many("{n} day", "{n} days", round(n)) if _known(n) else DASH

    def money(self, value: Any, currency: str = "") -> str:
        """Return money to two significant figures: ``€84k``; without a currency the number alone.

        >>> words("en").money(84_321, "EUR"), words("en").money(960, "USD"), words("en").money(1_260_000, "EUR")
        ('€84k', '$960', '€1.3m')
        """
        if not _known(value):
            return DASH
        rounded = float(f"{value:.2g}") + 0.0
        size = 1e6 if abs(rounded) >= 1e6 else 1e3 if abs(rounded) >= 1e3 else 1.0
        shown = abs(rounded) / size
        text = self.number(shown, 0 if shown >= 10 or shown == int(shown) else 1)
        text = self("{amount}m", amount=text) if size == 1e6 else self("{amount}k", amount=text) if size == 1e3 else text
        return ("-" if rounded < 0 else "") + self._priced(text, currency)

    def _priced(self, text: str, currency: str) -> str:
        if not currency:
            return text
        symbol = _symbol(currency, self.language)
        if self.language == "en":
            return (symbol if len(symbol) == 1 else f"{symbol} ") + text
        return text + ("" if self.language == "fr" and text[-1].isalpha() else HARD) + symbol


@cache
def words(language: str, zone: str = "") -> Words:
    """Return who speaks ``language``: en, fr or de; of instants they tell the day in a time zone (empty: UTC).

    Raises:
        PrevenanceError: E203 for another language.
    """
    if language not in LANGUAGES:
        raise PrevenanceError("E203", f'there is no language "{language[:40]}"', key="language", fix=did_you_mean(language, LANGUAGES))
    return Words(language, zone, catalogue(language))


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[tuple[str, str | None], ...]:
    """Return a text in pieces: what stands there with None, and placeholders with how they are to be told."""
    pieces: list[tuple[str, str | None]] = []
    for literal, name, spec, _ in string.Formatter().parse(text):
        pieces += ([(literal, None)] if literal else []) + ([] if name is None else [(name, spec or "")])
    return tuple(pieces)


@cache
def _signs(language: str) -> _Signs:
    from babel import Locale

    locale = Locale.parse(_LOCALES[language])
    symbols = locale.number_symbols["latn"]
    percent = locale.percent_formats[None].suffix[0]
    return _Signs(symbols["group"], symbols["decimal"], " %" if language == "en" else percent)


@lru_cache(maxsize=4096)
def _written(skeleton: str, day: date, language: str) -> str:
    from babel.dates import format_skeleton

    told = str(format_skeleton(skeleton, day, locale=_LOCALES[language]))
    return told.replace("1 ", "1er ", 1) if language == "fr" and day.day == 1 else told


@cache
def _symbol(currency: str, language: str) -> str:
    from babel.numbers import get_currency_symbol

    return str(get_currency_symbol(currency, locale="en_US" if language == "en" else _LOCALES[language]))


def _known(value: Any) -> bool:
    return (type(value) is float or (isinstance(value, Real) and not isinstance(value, bool))) and math.isfinite(value)


def _nought(value: Any, places: int) -> float:
    """Return the value without a minus that would stand before nothing but noughts."""
    return float(value) if round(float(value), places) else 0.0

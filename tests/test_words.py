"""What is said to people: three languages, the same meaning, the same placeholders."""

from __future__ import annotations

import re

import pytest

from pipelines.start.compose import settings_of
from prevenance.base.errors import PrevenanceError
from prevenance.words import DASH, LANGUAGES, catalogue, words
from prevenance.words.chances import chance_text


@pytest.mark.parametrize(
    ("language", "number", "share", "day", "money"),
    [
        ("en", "1,240.5", "41.4 %", "12 Dec", "€84k"),
        ("fr", "1\u202f240,5", "41,4\xa0%", "12 déc.", "84\xa0k€"),
        ("de", "1.240,5", "41,4\xa0%", "12. Dez.", "84\xa0Tsd.\xa0€"),
    ],
)
def test_numbers_days_and_money_are_those_of_the_language(language, number, share, day, money):
    say = words(language)
    assert say.number(1240.5, 1) == number
    assert say.percent(0.414, 1) == share
    assert say.date("2026-12-12T00:00:00", beside="2026-10-01") == day
    assert say.money(84_321, "EUR") == money
    assert "2027" in say.date("2027-03-02", beside="2026-10-01")
    assert "2026" in say.date("2026-12-12")


def test_the_first_of_a_month_is_first_in_french() -> None:
    assert words("fr").date("2026-12-01") == "1er déc. 2026"
    assert words("fr").date("2026-12-11", beside="2026-01-01") == "11 déc."
    assert words("de").date("2026-12-01") == "1. Dez. 2026"


@pytest.mark.parametrize(
    ("value", "text"), [(960, "$960"), (99_999, "$100k"), (1_260_000, "$1.3m"), (-84_321, "-$84k"), (0, "$0"), (7.44, "$7.4")]
)
def test_money_has_two_figures(value, text):
    assert words("en").money(value, "USD") == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_known_is_a_dash(language):
    say = words(language)
    unknown = [
        say.number(None),
        say.percent(float("nan")),
        say.date(None),
        say.date(""),
        say.days(None),
        say.money(None, "EUR"),
        say.points(None),
    ]
    assert set(unknown) == {DASH}


def test_the_singular_is_the_language_s_own():
    assert [words("en").days(n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]
    assert [words("fr").days(n) for n in (0, 1, 2)] == ["0 jour", "1 jour", "2 jours"]
    assert [words("de").days(n) for n in (0, 1, 2)] == ["0 Tage", "1 Tag", "2 Tage"]


def test_a_text_is_its_own_key_and_falls_back_to_english():
    assert words("fr")("Nobody says {this} yet", this=1.0) == "Nobody says 1.0 yet"
    assert words("en")("{n:,.0f} {n:day|days} {share:.0%} {who}", n=1240, share=0.5, who="Ed {n}") == "1,240 days 50 % Ed {n}"


def test_nothing_reaches_into_a_value():
    with pytest.raises(KeyError):
        words("en")("{value.__class__}", value=1)


@pytest.mark.parametrize("wrong", ["it", "FR", "english"])
def test_another_language_is_refused_naming_the_nearest(wrong):
    with pytest.raises(PrevenanceError, match=r"E203.*language.*FIX: (did you mean|choose one of)"):
        settings_of("score", [f"language={wrong}"])


@pytest.mark.long
def test_the_language_is_the_command_s_then_the_source_s_then_english():
    assert settings_of("score", []).language == "en"
    assert settings_of("score", ["language=de"]).language == "de"
    assert settings_of("score", ["+source.language=fr"]).language == "fr"
    assert settings_of("score", ["+source.language=fr", "language=de"]).language == "de"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "about 4 in 10 (41 %, likely 30–52)"),
        ("fr", "environ 4 sur 10 (41\xa0%, probablement 30–52)"),
        ("de", "etwa 4 von 10 (41\xa0%, wahrscheinlich 30–52)"),
    ],
)
def test_a_chance_is_a_frequency_first(language, told):
    assert chance_text(words(language), 0.41, 0.3, 0.52) == told


@pytest.mark.parametrize(
    ("score", "told"),
    [
        (None, DASH),
        (float("nan"), DASH),
        (0.0, "below 1 in 100 (0 %)"),
        (0.004, "below 1 in 100 (0.4 %)"),
        (0.02, "about 2 in 100 (2 %)"),
        (0.097, "about 1 in 10 (10 %)"),
        (0.94, "about 9 in 10 (94 %)"),
        (0.951, "more than 9 in 10 (95 %)"),
        (1.0, "more than 9 in 10 (100 %)"),
    ],
)
def test_chances_at_the_ends(score, told):
    assert chance_text(words("en"), score) == told


def test_french_signs_of_two_parts_never_begin_a_line():
    assert not [told for told in map(str, catalogue("fr").values()) if re.search(" [:;?!]", told)]


def test_a_date_that_ends_with_a_full_stop_ends_its_sentence_once():
    assert words("fr").filled("Dû le {day}.", day="7 oct.") == "Dû le 7 oct."
    assert words("fr").filled("{first}. {day}, puis.", first="Acme SA.", day="7 oct.") == "Acme SA. 7 oct., puis."
    assert words("en").filled("Wait {n}...", n="so.") == "Wait so..."

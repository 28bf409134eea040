"""Nothing is said in English to a French or German reader, and no translation lies about for nobody."""

from __future__ import annotations

import re
import string
import tomllib
from importlib.resources import files

import pytest
import spoken

from prevenance.words import LANGUAGES, catalogue, words

OTHERS = [language for language in LANGUAGES if language != "en"]
SAID = spoken.everything()
BECAUSE = {
    "en": r"\bbecause\b|\bdue to\b|\bcaused? by\b",
    "fr": r"\bparce qu|\bà cause d|\bcar\b",
    "de": r"\bweil\b|\bdenn\b|\bwegen\b|\bverursacht",
}


def forms(told: str | list[str]) -> list[str]:
    return told if isinstance(told, list) else [told]


@pytest.mark.parametrize("language", OTHERS)
def test_everything_said_has_a_translation(language):
    missing = sorted(SAID - set(catalogue(language)))
    assert not missing, f"{len(missing)} texts are missing in {language}.toml: {missing}"


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_of_a_text_that_nobody_says(language):
    unused = sorted(set(catalogue(language)) - SAID)
    assert not unused, f"{language}.toml translates {len(unused)} texts that nobody says: {unused}"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_asks_for_the_same_values(language):
    for text, told in catalogue(language).items():
        for form in forms(told):
            lost = spoken.placeholders(text) - spoken.placeholders(form)
            if isinstance(told, list) and form is told[0]:
                lost -= {"n"}
            assert not lost, f"{language}: {form!r} loses {lost} of {text!r}"
            asked = {name for _, name, _, _ in string.Formatter().parse(form) if name}
            assert asked <= {name for _, name, _, _ in string.Formatter().parse(text) if name}, (
                f"{language}: {form!r} asks for more than {text!r}"
            )


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_stands_in_one_section_and_is_not_empty(language):
    sections = tomllib.loads((files("prevenance.words") / f"{language}.toml").read_text(encoding="utf-8"))
    keys = [key for section in sections.values() for key in section]
    assert len(keys) == len(set(keys))
    assert all(form.strip() for told in catalogue(language).values() for form in forms(told))
    assert all(len(told) == 2 for told in catalogue(language).values() if isinstance(told, list))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_says_because(language):
    texts = SAID if language == "en" else {form for told in catalogue(language).values() for form in forms(told)}
    assert not [text for text in texts if re.search(BECAUSE[language], text, re.IGNORECASE)]


def test_both_catalogues_translate_the_same():
    assert set(catalogue("fr")) == set(catalogue("de"))


def test_the_search_sees_what_is_said(tmp_path):
    code = """
WORDS = {"a": "From a dict", "b": "From a dict too"}
def told(say, n, self, row):
    text = "Chosen" if n else "Not chosen"
    return [say("Plain"), self.say(text), say.many("{n} one", "{n} many", n), say(WORDS[row]), say(WORDS.get(row, "Else")), loud("Not said")]
"""
    assert spoken.of_python(code) == {"Plain", "Chosen", "Not chosen", "{n} many", "From a dict", "From a dict too", "Else"}
    assert spoken.of_python("from pipelines.start.run import say\nsay('printed')\nspoken('told')") == {"told"}
    page = "{{ say('Plain') }} {{ say.many('{n} one', '{n} many', 3) }} {{ say('Yes' if x else 'No') }} {{ other('no') }}"
    assert spoken.of_template(page) == {"Plain", "{n} many", "Yes", "No"}


def test_a_missing_translation_would_be_seen():
    assert words("fr")("A text that nobody has translated") == "A text that nobody has translated"
    assert "Logins in {days} days: {value:,.0f}" in SAID
    assert "No login known" in SAID


def test_the_texts_stand_side_by_side_for_a_native_to_read():
    from bench.texts import text_rows

    rows = text_rows()
    assert {row[0] for row in rows} == SAID
    assert all(len(row) == len(LANGUAGES) and all(row) for row in rows)


def test_german_and_french_are_written_as_natives_write():
    for row in (text for language in OTHERS for told in catalogue(language).values() for text in forms(told)):
        assert not re.search(r"\binnert\b|Gegangene|oct\.\.", row), row
    for text in (text for told in catalogue("fr").values() for text in forms(told)):
        assert "'" not in text, text


@pytest.mark.parametrize("kind", ["rule", "health_score"])
@pytest.mark.parametrize("language", OTHERS)
def test_a_list_without_a_model_says_so_in_its_language(language, kind):
    from prevenance.runs.view import _no_model

    assert _no_model(words(language), kind) not in ("", _no_model(words("en"), kind))

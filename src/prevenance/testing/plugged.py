"""All laws on all that a plug-in brings, its words too."""

import string
import tomllib
from collections.abc import Iterable
from dataclasses import fields

from prevenance.features.define import Definition, State
from prevenance.features.sets import LOOKBACKS
from prevenance.runs.plugins import Plugin, register
from prevenance.targets.target import TargetWords
from prevenance.testing.laws import Frames, check_features, check_target
from prevenance.words.catalogues import LANGUAGES, catalogue


def check_words(plugin: Plugin) -> None:
    """Check that every phrase and word of a plug-in has its translations, with the same placeholders.

    Raises:
        AssertionError: naming the language and the text.
    """
    texts = [text for make in plugin.features.values() for one in make(LOOKBACKS) for text in _phrases(one) if text]
    for make in plugin.targets.values():
        own, usual = make(), TargetWords()
        told = {one.name: getattr(own.words, one.name) for one in fields(TargetWords)}
        texts += [text for name, text in told.items() if isinstance(text, str) and name != "past" and text != getattr(usual, name)]
        texts += [str(play[key]) for play in own.plays.values() for key in ("action", "draft") if play.get(key)]
    for language in LANGUAGES[1:]:
        path = plugin.words / f"{language}.toml" if plugin.words is not None else None
        sections = tomllib.loads(path.read_text(encoding="utf-8")) if path is not None and path.is_file() else {}
        known = {text: told for section in sections.values() for text, told in section.items()} | catalogue(language)
        for text in dict.fromkeys(texts):
            assert text in known, f'{language}: no translation of "{text}"'
            for one in [known[text]] if isinstance(known[text], str) else known[text]:
                assert _holes(one) == _holes(text), f'{language}: other placeholders than "{text}": "{one}"'


def check_plugin(plugin: Plugin, *, companies: int = 20, seed: int = 0, worlds: Iterable[Frames] | None = None) -> None:
    """Check all laws on all that a plug-in brings: its features, targets and words.

    Raises:
        AssertionError: see ``check_features``, ``check_target``, ``check_words``.
        PrevenanceError: E212 if it claims a name that is taken.
    """
    register(plugin)
    tried = None if worlds is None else list(worlds)
    for make in plugin.features.values():
        definitions = [one for one in make(LOOKBACKS) if not (isinstance(one, State) and one.pair)]
        if definitions:
            check_features(definitions, companies=companies, seed=seed, worlds=tried)
    for kind in plugin.targets.values():
        check_target(kind(), companies=companies, seed=seed, worlds=tried)
    check_words(plugin)


def _phrases(one: Definition) -> list[str]:
    return list(one.columns.values()) if isinstance(one, State) else [one.phrase]


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}

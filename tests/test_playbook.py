"""The playbook: every reason has a task, and no message speaks of leaving or names anybody."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
import yaml

from pipelines.start.compose import settings_of
from prevenance.base.errors import PrevenanceError
from prevenance.decide.playbook import FAMILIES, NEVER, Play, play_of, playbook_of
from prevenance.runs.settings.plays import plays_of
from prevenance.targets import default_plays
from prevenance.targets.tickets import PLAYS as PLAYS_OF_TICKETS
from prevenance.words import LANGUAGES, words

SHIPPED = yaml.safe_load((Path(__file__).parent.parent / "conf" / "playbook" / "default.yaml").read_text(encoding="utf-8"))
BOOK = playbook_of(SHIPPED["plays"], default_plays())
PLAYS = [*BOOK.plays.values(), *(play for own in BOOK.targets.values() for play in own.values())]
PLAY = {"action": "Call", "days": 3, "owner": "billing", "draft": "Hello, may we help?"}
FORBIDDEN = {
    "en": "leave leaving left churn churned cancel cancellation quit risk lose losing lost terminate end goodbye retention renewal at-risk unsubscribe",
    "fr": "partir départ quitter quittez résilier résiliation annuler annulation risque perdre perdu churn désabonner rupture renouvellement rétention",
    "de": "kündigen Kündigung verlassen gehen abwandern Abwanderung Risiko verlieren stornieren Storno churn Verlängerung Abschied gefährdet Bindung",
}


def messages(language: str) -> list[str]:
    return [play.told(words(language), "Analytics")[2] for play in PLAYS]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_speaks_of_leaving(language):
    for message in messages(language):
        said = set(re.findall(r"[\w-]+", message.lower()))
        assert not said & {word.lower() for words_ in FORBIDDEN.values() for word in words_.split()}, message
        assert not NEVER.search(message), message


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_is_kind_short_and_names_nobody(language):
    for play, message in zip(PLAYS, messages(language), strict=True):
        assert message.startswith({"en": "Hello, ", "fr": "Bonjour, ", "de": "Guten Tag, "}[language])
        assert 60 < len(message) < 300
        assert "?" in message or {"en": "help", "fr": "aid", "de": "helfen"}[language] in message or "obligation" in message
        assert {name for _, name, _, _ in string.Formatter().parse(play.draft) if name} <= {"product"}
        assert "{" not in message


FEARED = "leave Churn cancellation risk résiliation résilier quitter risque kündigen Kündigung Abwanderung verlieren verlässt".split()


@pytest.mark.parametrize("word", FEARED)
def test_the_search_for_forbidden_words_finds_them(word):
    assert NEVER.search(f"Hello, about {word} we wonder")
    with pytest.raises(PrevenanceError, match=r"E202 key=playbook.plays.other.draft.*a message to a customer says.*FIX: offer help"):
        playbook_of({"other": PLAY | {"draft": f"Hello, about {word} we wonder"}}, {})


@pytest.mark.parametrize("word", ["partner", "partial", "losgehen", "leaflet", "verlässlich", "département"])
def test_harmless_words_stay_allowed(word):
    assert not NEVER.search(f"Hello, about {word} we wonder")


def test_every_family_and_target_has_a_play():
    for target in ("churn", "tickets", "cross_sell", "mine"):
        for family in (*FAMILIES, "", "unheard of"):
            assert isinstance(play_of(family, target, BOOK), Play)
    assert play_of("", "churn", BOOK) == BOOK.plays["other"]
    assert play_of("usage", "churn", BOOK) != play_of("usage", "tickets", BOOK)
    assert play_of("feedback", "tickets", BOOK) == play_of("feedback", "churn", BOOK)
    assert play_of("usage", "cross_sell", BOOK) == play_of("tickets", "cross_sell", BOOK)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_offer_is_named_as_it_is(language):
    action, owner, draft = play_of("usage", "cross_sell", BOOK).told(words(language), "<b>{plan}</b>")
    assert "<b>{plan}</b>" in action
    assert "<b>{plan}</b>" in draft
    assert owner


@pytest.mark.parametrize(
    ("plays", "targets", "match"),
    [
        ({}, {}, r"E202 key=playbook.plays.other.*no play for the rest"),
        ({"other": PLAY, "tikets": PLAY}, {}, r'E203 key=playbook.plays.*"tikets".*did you mean "tickets"'),
        ({"other": PLAY}, {"churn": {"anything": PLAY}}, r"E203 key=playbook.targets.churn.*\"anything\""),
        ({"other": PLAY | {"drafts": "x"}}, {}, r'E201 key=playbook.plays.other.*"drafts".*did you mean "draft"'),
        ({"other": PLAY | {"days": 0}}, {}, r"E202 key=playbook.plays.other.days"),
        ({"other": PLAY | {"days": True}}, {}, r"E202 key=playbook.plays.other.days"),
        ({"other": PLAY | {"owner": " "}}, {}, r"E202 key=playbook.plays.other.owner"),
        ({"other": PLAY | {"action": "Call {name}"}}, {}, r'E202 key=playbook.plays.other.action.*nothing fills "name"'),
        ({"other": PLAY | {"draft": "Hello {"}}, {}, r"E202 key=playbook.plays.other.draft.*the only placeholder"),
        ({"other": "call"}, {}, r"E202 key=playbook.plays.other.action"),
    ],
)
def test_a_wrong_playbook_is_refused_naming_the_place(plays, targets, match):
    with pytest.raises(PrevenanceError, match=match):
        playbook_of(plays, targets)


def test_one_setting_of_a_play_can_be_given_on_the_command_line():
    found = settings_of("score", ["playbook.plays.usage.days=3"]).playbook
    assert playbook_of(found.plays, found.targets).plays["usage"].days == 3
    assert found.plays["usage"]["action"] == SHIPPED["plays"]["usage"]["action"]


def test_one_setting_of_a_target_s_own_play_can_be_given_too():
    found = plays_of(settings_of("score", ["playbook.targets.tickets.usage.days=9"]))
    assert found["targets"] == {**default_plays(), "tickets": PLAYS_OF_TICKETS | {"usage": PLAYS_OF_TICKETS["usage"] | {"days": 9}}}


def test_a_target_under_a_name_of_its_own_has_the_plays_of_its_kind():
    given = settings_of("score", ["target=tickets", "target.name=urgent"])
    assert plays_of(given)["targets"]["urgent"] == PLAYS_OF_TICKETS
    assert "churn" not in plays_of(settings_of("score", ["target=churn"]))["targets"]


@pytest.mark.parametrize("said", ["null", "{}", "{usage: null}"])
def test_a_target_that_the_playbook_names_without_a_play_keeps_its_own(said):
    assert plays_of(settings_of("score", [f"playbook.targets.tickets={said}"]))["targets"] == default_plays()


def test_a_playbook_of_one_s_own_is_used(tmp_path, monkeypatch):
    (tmp_path / "playbook").mkdir()
    (tmp_path / "playbook" / "mine.yaml").write_text(
        "plays: {other: {action: Appeler, days: 2, owner: équipe, draft: 'Bonjour, pouvons-nous vous aider ?'}}\ntargets: {}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PREVENANCE_CONF", str(tmp_path))
    from hydra.core.plugins import Plugins

    from pipelines.start.compose import PrivateConf

    Plugins.instance().register(PrivateConf)
    found = settings_of("score", ["playbook=mine"]).playbook
    play = play_of("usage", "churn", playbook_of(found.plays, found.targets))
    assert play.told(words("de")) == ("Appeler", "équipe", "Bonjour, pouvons-nous vous aider ?")

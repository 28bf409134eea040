"""The playbook: every reason has a task, and no message speaks of leaving or names anybody."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipelines.start.compose import settings_of
from prevenance.base.errors import PrevenanceError
from prevenance.decide.feedback import Answer
from prevenance.decide.playbook import FAMILIES, NEVER, STAGES, THINGS, TIERS, TOPICS, Play, play_of, playbook_of
from prevenance.decide.plays import Situation, chosen_play, value_tiers
from prevenance.features import definitions
from prevenance.features.define import worse_of
from prevenance.runs.settings.plays import plays_of
from prevenance.targets import default_plays
from prevenance.targets.tickets import PLAYS as PLAYS_OF_TICKETS
from prevenance.words import LANGUAGES, words

SHIPPED = yaml.safe_load((Path(__file__).parent.parent / "conf" / "playbook" / "default.yaml").read_text(encoding="utf-8"))
BOOK = playbook_of(SHIPPED["plays"], default_plays(), SHIPPED["cases"])
PLAYS = [*BOOK.plays.values(), *(play for own in BOOK.targets.values() for play in own.values()), *BOOK.cases]
FILLED = {name: name for name in THINGS} | {"product": "Analytics"}
PLAY = {"action": "Call", "days": 3, "owner": "billing", "draft": "Hello, may we help?"}
FORBIDDEN = {
    "en": "leave leaving left churn churned cancel cancellation quit risk lose losing lost terminate end goodbye retention renewal at-risk unsubscribe",
    "fr": "partir départ quitter quittez résilier résiliation annuler annulation risque perdre perdu churn désabonner rupture renouvellement rétention",
    "de": "kündigen Kündigung verlassen gehen abwandern Abwanderung Risiko verlieren stornieren Storno churn Verlängerung Abschied gefährdet Bindung",
}


def messages(language: str) -> list[str]:
    return [play.told(words(language), FILLED)[2] for play in PLAYS]


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
        assert play.things <= set(THINGS)
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
    action, owner, draft = play_of("usage", "cross_sell", BOOK).told(words(language), {"product": "<b>{plan}</b>"})
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


@pytest.mark.long
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
    assert play.told(words("de"), {}) == ("Appeler", "équipe", "Bonjour, pouvons-nous vous aider ?")


CASE = PLAY | {"when": {"about": "errors", "way": "more"}}


def told_case(**given) -> str:
    """Return the name of the play that is chosen on a list of customers to keep."""
    return chosen_play(Situation(frozenset(["churn"]), keeping=True, **given), "churn", BOOK).play.name


def test_at_least_24_plays_are_shipped_each_under_its_own_name():
    assert len(BOOK.cases) >= 24
    assert len({one.name for one in BOOK.cases}) == len(BOOK.cases)
    assert len({one.action for one in BOOK.cases}) == len(BOOK.cases)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"reasons": (("usage", "errors_28d", "more"),), "things": {"release": "3.2"}}, "errors_since_release"),
        ({"reasons": (("usage", "errors_28d", "more"),), "tier": "key"}, "errors_key"),
        ({"reasons": (("usage", "errors_28d", "more"),), "tier": "small"}, "errors"),
        ({"reasons": (("usage", "errors_28d", "less"),)}, "quiet_small"),
        ({"reasons": (("tickets", "urgent_tickets_28d", "more"),), "open_tickets": 2, "things": {"tickets": "4711"}}, "urgent_open"),
        ({"reasons": (("tickets", "urgent_tickets_28d", "more"),)}, "urgent_lately"),
        (
            {"reasons": (("tickets", "waiting_share_90d", "more"),), "things": {"waited": "Hand-off queue: 31 of 44 working hours"}},
            "waited_long",
        ),
        ({"reasons": (("tickets", "waiting_share_90d", "more"),)}, "tickets"),
        (
            {"reasons": (("invoices", "oldest_overdue_days", "more"),), "things": {"invoice": "7", "invoice_days": "31 days"}},
            "invoice_overdue",
        ),
        ({"reasons": (("invoices", "oldest_overdue_days", "more"),)}, "invoices"),
        ({"reasons": (), "stage": "new"}, "first_weeks"),
        ({"reasons": (), "renewal_days": 30.0, "things": {"renewal": "12 Dec"}}, "before_date"),
        ({"reasons": (), "renewal_days": 61.0, "things": {"renewal": "12 Dec"}}, "other"),
        ({"reasons": ()}, "other"),
        (
            {"reasons": (("features", "paid_features_unused", "more"), ("feedback", "nps_last", "less")), "things": {"score": "4"}},
            "low_score",
        ),
    ],
)
def test_a_play_answers_the_reason_and_names_what_is_there(given, name):
    assert told_case(**given) == name


def test_a_case_may_ask_what_the_other_reason_is_about():
    tickets, errors = ("tickets", "tickets_365d", "more"), ("usage", "errors_28d", "more")
    asked = {"things": {"trouble": "imports", "category": "bug"}, "tier": "key"}

    def told(*reasons: tuple[str, str, str]) -> str:
        return chosen_play(Situation(frozenset(["tickets"]), keeping=False, reasons=reasons, **asked), "tickets", BOOK).play.name

    assert (told(tickets, errors), told(tickets), told(errors)) == ("next_beside_errors", "next_category_key", "next_errors_in")


def test_an_offer_names_what_is_as_likely_and_why_now():
    def told(*reasons: tuple[str, str, str], **more) -> str:
        one = Situation(frozenset(["cross_sell"]), keeping=False, reasons=reasons, product_id="P-30", tier="key", **more)
        return chosen_play(one, "cross_sell", BOOK).play.name

    logins = ("usage", "logins_28d", "more")
    assert told(logins, things={"also": "Team"}) == "offer_choice"
    assert told(logins) == "offer_growing"
    assert told(logins, things={"renewal": "12 Dec"}, renewal_days=30.0) == "offer_before_date"
    assert told(("usage", "uses_28d", "more"), things={"grown": "alerts"}) == "offer_in_use"
    assert told(("contacts", "contacts_in_90d", "more"), things={"contact": "1 Sept"}) == "offer_answer"


def test_the_same_play_comes_not_again_while_another_fits():
    from datetime import date

    given = {"reasons": (("usage", "errors_28d", "more"),), "things": {"release": "3.2"}}
    found = chosen_play(
        Situation(frozenset(["churn"]), keeping=True, **given, done={"errors_since_release": date(2026, 9, 1)}), "churn", BOOK
    )
    assert (found.play.name, found.left_out.name) == ("errors", "errors_since_release")
    assert chosen_play(Situation(frozenset(["churn"]), keeping=True, **given), "churn", BOOK).left_out is None


def test_cases_of_another_list_are_not_used():
    errors = {"reasons": (("usage", "errors_28d", "more"),)}
    assert chosen_play(Situation(frozenset(["tickets"]), keeping=False, **errors), "tickets", BOOK).play.name == "next_errors"
    mine = chosen_play(Situation(frozenset(["mine"]), keeping=False, **errors), "mine", BOOK).play
    assert mine == BOOK.plays["usage"]


def test_a_playbook_without_cases_is_as_before():
    old = playbook_of(SHIPPED["plays"], default_plays())
    one = Situation(frozenset(["churn"]), keeping=True, reasons=(("usage", "errors_28d", "more"),), things={"release": "3.2"})
    assert chosen_play(one, "churn", old).play == old.plays["usage"]


def test_tiers_are_those_of_the_list():
    assert value_tiers(pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9, None]))[-3:] == ["key", "key", "unknown"]
    assert value_tiers(pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9, None]))[0] == "small"
    assert set(TIERS) == {"key", "mid", "small", "unknown"}
    assert STAGES == ("new", "settled")


def test_every_topic_is_about_columns_that_there_are():
    columns = list(worse_of(definitions()))
    assert [topic for topic, starts in TOPICS.items() if not any(column.startswith(starts) for column in columns)] == []


@pytest.mark.parametrize(
    ("case", "match"),
    [
        ({"when": {"abuot": "errors"}}, r'E201 key=playbook.cases.mine.when.*no condition "abuot".*did you mean "about"'),
        ({"when": {"about": "eror"}}, r'E203 key=playbook.cases.mine.when.about.*no about "eror".*did you mean "errors"'),
        ({"when": {"beside": "eror"}}, r'E203 key=playbook.cases.mine.when.beside.*no beside "eror".*did you mean "errors"'),
        ({"when": {"family": "tikets"}}, r'E203 .*no family "tikets".*did you mean "tickets"'),
        ({"when": {"way": "up"}}, r'E203 key=playbook.cases.mine.when.way.*no way "up"'),
        ({"when": {"tier": ["key", "midd"]}}, r'E203 .*no tier "midd".*did you mean "mid"'),
        ({"when": {"stage": "old"}}, r'E203 .*no stage "old"'),
        ({"when": {"renewal_within": "soon"}}, r"E202 key=playbook.cases.mine.when.renewal_within.*no number from 1 on"),
        ({"when": {"open_tickets": True}}, r"E202 key=playbook.cases.mine.when.open_tickets"),
        ({"when": ["errors"]}, r"E202 key=playbook.cases.mine.when .*no mapping"),
        ({"action": "Call about {tikets}"}, r'E202 key=playbook.cases.mine.action.*nothing fills "tikets".*\{tickets\}'),
        ({"draft": "Hello, about your churn, may we help?"}, r"E202 key=playbook.cases.mine.draft.*a message to a customer says"),
        ({"owner": "{product}"}, r"E202 key=playbook.cases.mine.owner.*take it out"),
        ({"days": 0}, r"E202 key=playbook.cases.mine.days"),
    ],
)
def test_a_wrong_case_is_refused_naming_the_place_and_the_nearest_name(case, match):
    with pytest.raises(PrevenanceError, match=match):
        playbook_of({"other": PLAY}, {}, {"mine": CASE | case})


def test_one_setting_of_a_case_can_be_given_on_the_command_line():
    found = settings_of("score", ["playbook.cases.errors.days=9"]).playbook
    assert next(one for one in playbook_of(found.plays, found.targets, found.cases).cases if one.name == "errors").days == 9
    assert "errors" not in {one.name for one in playbook_of(found.plays, found.targets, found.cases | {"errors": None}).cases}


def test_what_was_done_within_sixty_days_is_known_by_the_answers():
    from dataclasses import replace
    from datetime import datetime

    from prevenance.decide.plays import plays_done

    def answer(day: str, action: str = "contacted", play: str = "errors") -> Answer:
        at = f"2026-{day}T09:00:00Z"
        return Answer("churn", "c1", "", "0" * 16, at, action, at, "", "", "", "", "", play=play)

    answers = [answer("09-01"), answer("09-20"), answer("09-25", "snooze"), answer("06-01", play="quiet_key"), answer("09-24", play="")]
    assert plays_done(answers, datetime(2026, 10, 1), static=False) == {"c1": {"errors": datetime(2026, 9, 20, 9)}}
    assert plays_done(answers, datetime(2026, 9, 1), static=False) == {}
    told = [replace(answer("09-20"), contacted_on="2026-09-10"), replace(answer("09-20", play="quiet_key"), contacted_on="2026-07-01")]
    assert plays_done(told, datetime(2026, 10, 1), static=False) == {"c1": {"errors": datetime(2026, 9, 10, 12)}}

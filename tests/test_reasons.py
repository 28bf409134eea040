"""A reason is a fact with the comparison that makes it one: nothing that got better, stayed or is unknown is told as a risk."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_explain import COLUMNS, world

from prevenance.explain.facts import wordings
from prevenance.explain.moved import moved_texts
from prevenance.explain.reasons import (
    Reasons,
    bad_ways,
    compared_text,
    comparison_shown,
    is_change,
    nothing_text,
    raising_ways,
    told_columns,
)
from prevenance.explain.rows import reason_columns, reasons_by_row, sensible_ways, trouble_lately
from prevenance.explain.usual import LEAST, PEERS, Usual, cohort_values, usual_values, with_means
from prevenance.features import definitions
from prevenance.features.define import Count, Feature, Mean, Ratio, State, Sum, Trend, worse_of
from prevenance.history.history import History
from prevenance.models.bundle import Fitted, chance
from prevenance.models.encode import Encoder
from prevenance.models.training import fit_model
from prevenance.publish import cells
from prevenance.targets import KINDS
from prevenance.words import LANGUAGES, words

SHIPPED = definitions()
SAY = words("en")
WORDINGS = wordings(with_means(SHIPPED))
CUTOFF = datetime(2026, 10, 1)
NONE_WORDS = {"en": "none", "fr": "néant", "de": "keine"}
FORBIDDEN = (
    # nought, a change of nothing, a hole, an open placeholder, two counts for a ratio, two facts where one is told
    r"(?<![\d.,])[+−-]?0([.,]0+)?(?![\d.,])", r"nan", r"None", r"[{}]", r"→", r";", r" (for|with|by|of) \d+ (seat|user|feature)", r"\(\s*\)",
)  # fmt: skip


def usual(now, *, own=np.nan, noise=0.0, last=None, top=np.inf, similar=np.nan, low=None, high=None, name="x") -> Usual:
    given_values = (
        now,
        own,
        noise,
        own if last is None else last,
        top,
        similar,
        similar if low is None else low,
        similar if high is None else high,
    )
    return Usual(*({name: np.array([float(value)])} for value in given_values))


def shown(way: str = "less", phrase: str = "Logins: {value:.0f}", **values):
    one = State("x", ("usage",), "", {"x": phrase}, worse={"x": way})
    return comparison_shown(usual(**values), wordings([one])["x"], 0, way)


def test_every_definition_says_which_way_is_bad():
    for lookbacks in ((7, 28, 90, 365), (30,)):
        assert [name for name, way in worse_of(definitions(lookbacks=lookbacks)).items() if way not in ("more", "less", None)] == []


def test_who_says_nothing_says_that_neither_way_is_bad():
    silent = Feature("vip_28d", "tickets", Count(), "VIP: {value:.0f}", days=28)
    assert worse_of([silent]) == {"vip_28d": "unsaid"}
    assert wordings([silent])["vip_28d"].worse is None


def test_the_way_is_bad_in_the_world():
    way = worse_of(SHIPPED)
    assert {way[name] for name in ("logins_28d", "active_days_28d_trend", "seats_used_share_90d", "nps_last", "csat_change")} == {"less"}
    assert {way[name] for name in ("errors_90d", "urgent_tickets_28d", "oldest_overdue_days", "main_user_silent_days")} == {"more"}
    assert {way[name] for name in ("month_sin", "segment", "days_to_renewal", "ces_last", "offer_fit_best")} == {None}


def test_every_target_says_how_its_reasons_are_told():
    told = {kind: make().told_by for kind, make in KINDS.items()}
    assert told == {
        **dict.fromkeys(("contract", "event", "silence", "contraction"), "worse"),
        **dict.fromkeys(("ticket", "offer", "family"), "chance"),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_s_text_never_has_a_forbidden_outcome(language):
    say, found = words(language), 0
    for name, wording in WORDINGS.items():
        if not (wording.changeable and wording.fills.get("value") == name):
            continue
        for now, then, beside in product(
            (0.0, 0.004, 1.0, 2.0, 16.4, 41.0, 13524.0, -4.0, np.nan), (0.0, 1.0, 17.0, np.nan), ("own", "similar", "itself")
        ):
            text = compared_text(wording, now, then, beside, say)
            if not text:
                continue
            found += 1
            numbers = text.replace("22", "").replace("(UTC)", "").replace("24 ", "")
            # a score of 0 is a score, not none
            for wrong in FORBIDDEN[wording.read :]:
                assert not re.search(wrong, numbers), f"{name}: {text} ~ {wrong}"
            assert text[0] == text[0].upper()
            assert np.isfinite(now)
            if beside != "itself":
                told, usual_ = re.fullmatch(r"(.*) \((?:.*: |usually |sonst )?(.*?)\)", text.replace("\xa0", " ")).groups()
                assert not told.endswith(f": {usual_}"), text
                assert ("none" in text) == (language == "en" and NONE_WORDS["en"] in text)
                assert not wording.read or NONE_WORDS[language] not in text
    assert found > 1000


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_for_nought(language):
    wording = WORDINGS["logins_28d"]
    told = {"en": "Logins in 28 days: none (usually 41)", "fr": "Connexions en 28 jours : néant (d’habitude : 41)"}
    told |= {"de": "Anmeldungen in 28 Tagen: keine (sonst 41)"}
    assert compared_text(wording, 0.0, 41.0, "own", words(language)).replace("\xa0", " ") == told[language]


@pytest.mark.parametrize(
    ("name", "now", "then", "beside", "text"),
    [
        ("nps_last", 0, 9, "own", "Last recommendation score (NPS): 0 (usually 9)"),
        ("ticket_score_90d", 3, 0, "similar", "Average ticket rating in 90 days: 3.0 (similar customers: 0.0)"),
        ("tickets_open", 2, 0, "similar", "Open tickets: 2 (similar customers: none)"),
        ("active_days_28d", 4, 17, "similar", "Days with activity in 28 days: 4 (similar customers: 17)"),
        ("urgent_tickets_28d", 2, 0, "own", "Urgent tickets in 28 days: 2 (usually none)"),
        ("usage_near_limit_share", 2.64, 1.4, "similar", "Use in 28 days: 264 % of the limit (similar customers: 140 %)"),
        ("days_since_login", 34.2, 3.1, "own", "Last login 34 days ago (usually 3)"),
        ("active_users_per_seat_28d", 0.03, 0.41, "own", "Seats in use in 28 days: 3 % (usually 41 %)"),
        ("seats_change_90d", -12, np.nan, "itself", "Seats -12 against 90 days before"),
        ("nps_change", 0.2, np.nan, "itself", ""),
        ("days_since_login", 0.2, 3.1, "own", ""),
        ("active_days_28d", 4.2, 3.9, "own", ""),
        ("active_days_28d", np.nan, 17, "own", ""),
        ("active_days_28d", 4, np.nan, "similar", ""),
        ("invoiced_90d_each", 6762, 9010, "own", "Average invoice in 90 days: 6,762 (usually 9,010)"),
    ],
)
def test_a_fact_is_told_with_its_comparison(name, now, then, beside, text):
    assert compared_text(WORDINGS[name], now, then, beside, SAY) == text


@given(
    now=st.floats(0, 100), own=st.floats(0, 100), noise=st.floats(0, 30), last=st.floats(0, 100), similar=st.floats(0, 100), way=st.sampled_from(["more", "less"]),
    known=st.tuples(st.booleans(), st.booleans()),
)  # fmt: skip
@settings(max_examples=300)
def test_no_improvement_is_ever_a_risk(now, own, noise, last, similar, way, known):
    own, similar = (own if known[0] else np.nan), (similar if known[1] else np.nan)
    found = shown(way, now=now, own=own, noise=noise, last=last if known[0] else np.nan, similar=similar)
    sign = 1 if way == "more" else -1
    assert found in (None, "own", "similar")
    if found == "own":
        assert sign * (now - own) > noise
        assert sign * (now - last) > -max(2 * noise, 0.05 * own) - 1e-9
    if found == "similar":
        assert sign * (now - similar) > 0
        assert not known[0] or not sign * (own - now) > 2 * noise
    if not any(known):
        assert found is None


@pytest.mark.parametrize(
    ("values", "beside"),
    [
        ({"now": 16, "own": 41, "noise": 4, "last": 30}, "own"),
        ({"now": 38, "own": 41, "noise": 4, "last": 30}, None),
        ({"now": 4, "own": 20, "noise": 1, "last": 0}, None),
        ({"now": 41, "own": 41, "noise": 0}, None),
        ({"now": 4, "similar": 17, "low": 9, "high": 20}, "similar"),
        ({"now": 12, "similar": 17, "low": 9, "high": 20}, None),
        ({"now": 4, "own": 1, "noise": 1, "similar": 17, "low": 9}, None),
        ({"now": 4, "own": 4, "noise": 1, "similar": 17, "low": 9}, "similar"),
        ({"now": 4}, None),
        ({"now": np.nan, "own": 41, "similar": 17}, None),
    ],
)
def test_less_is_shown_by_the_own_past_else_by_similar_customers(values, beside):
    assert shown("less", **values) == beside


def test_a_silence_has_to_last_longer_than_ever():
    values = {"phrase": "Last login {value:.0f} days ago", "own": 4, "noise": 1}
    one = State("x", ("usage",), "", {"x_silent_days": "Last login {value:.0f} days ago"})
    wording = wordings([one])["x_silent_days"]
    for now, beside in ((30, "own"), (12, None)):
        found = usual(now, own=values["own"], noise=1, top=10, name="x_silent_days")
        assert comparison_shown(found, wording, 0, "more") == beside


def test_a_change_is_its_own_comparison():
    assert is_change("Seats {value:+.0f} against 90 days before")
    assert shown("less", phrase="Seats {value:+.0f} against 90 days before", now=-3) == "itself"
    assert shown("less", phrase="Seats {value:+.0f} against 90 days before", now=3) is None


DEFINITIONS = (
    Feature("logins_28d", "usage", Count(), "Logins in {days} days: {value:.0f}", "kind = 'login'", 28, worse="less"),
    Feature("logins_90d", "usage", Count(), "Logins in {days} days: {value:.0f}", "kind = 'login'", 90, worse="less"),
    Trend("logins_28d_trend", "logins_28d", "Logins {before:.0f} → {now:.0f} in {days} days"),
    Feature("errors_28d", "usage", Count(), "Errors in {days} days: {value:.0f}", "kind = 'error'", 28, worse="more"),
    Feature("tickets_28d", "tickets", Count(), "Tickets in {days} days: {value:.0f}", days=28, worse="more"),
    Ratio("tickets_per_login", "tickets_28d", "logins_28d", "Tickets per login: {value:.2f}", worse="more"),
    Feature("billed_90d", "invoices", Sum("amount"), "Billed: {value:.0f}", days=90, worse="less", each="Average bill: {value:.0f}"),
    State("account", ("customers",), "", {"industry": "Industry: {value}", "nps": "NPS: {value:.0f}"}, background=("industry",), worse={"nps": "less"}),
)  # fmt: skip


def told(weights: dict[str, float], k: int = 2, ways=None, keeps: bool = True, **values: tuple[float, float]):
    """Return the reasons and holds of one customer whose numbers are ``values``: name -> (now, usually)."""
    spoken = wordings(with_means(DEFINITIONS))
    full = {name: values.get(name, (np.nan, np.nan)) for name in told_columns(spoken, list(weights))}
    parts = [{name: np.array([float(pair[number])]) for name, pair in full.items()} for number in (0, 1)]
    nought, never = ({name: np.array([value]) for name in full} for value in (0.0, np.nan))
    found = Usual(parts[0], parts[1], nought, parts[1], never, never, never, never)
    reasons = Reasons(pd.DataFrame([weights]), np.array([10.0]), spoken, found, SAY, ways or bad_ways(spoken))
    both = reasons.both_sides(0, k, 1, keeps=keeps)
    return list(both.reasons), list(both.holds)


def texts(*arguments, **values) -> list[str]:
    return [fact.text for fact in told(*arguments, **values)[0]]


def test_what_weighs_and_got_better_is_passed_over():
    weights = {"logins_28d": 0.8, "tickets_28d": 0.4}
    assert texts(weights, logins_28d=(4, 0), tickets_28d=(3, 1)) == ["Tickets in 28 days: 3 (usually 1)"]


def test_one_story_and_one_family_is_told_once():
    weights = {"logins_28d": 0.3, "logins_90d": 0.4, "errors_28d": 0.5, "tickets_28d": 0.1}
    found = texts(weights, logins_28d=(1, 9), logins_90d=(4, 30), errors_28d=(7, 1), tickets_28d=(3, 1))
    assert found == ["Logins in 90 days: 4 (usually 30)", "Tickets in 28 days: 3 (usually 1)"]


def test_a_trend_is_told_by_what_it_is_of():
    assert texts({"logins_28d_trend_before": 0.3}, logins_28d=(1, 9)) == ["Logins in 28 days: 1 (usually 9)"]


def test_a_ratio_is_told_by_its_count_where_that_shows_it():
    assert texts({"tickets_per_login": 0.3}, tickets_28d=(5, 1), tickets_per_login=(2.5, 0.2)) == ["Tickets in 28 days: 5 (usually 1)"]
    assert texts({"tickets_per_login": 0.3}, tickets_28d=(1, 1), tickets_per_login=(2.5, 0.2)) == ["Tickets per login: 2.50 (usually 0.20)"]


def test_a_sum_that_follows_the_calendar_is_told_by_its_mean_row():
    assert texts({"billed_90d": 0.3}, billed_90d=(2000, 3000), billed_90d_each=(1000, 1000)) == []
    assert texts({"billed_90d": 0.3}, billed_90d=(2000, 3000), billed_90d_each=(700, 1000)) == ["Average bill: 700 (usually 1,000)"]


@pytest.mark.parametrize(
    ("gain", "reasons", "against"),
    [
        (True, {"logins": "more", "size": "less", "urgent": "less"}, {"logins": "less", "size": "more", "urgent": "more"}),
        (
            False,
            {"logins": "more", "errors": "more", "nps": "less", "size": "less", "urgent": "less"},
            {"logins": "less", "errors": "less", "size": "more", "nps": "more"},
        ),
    ],
)
def test_what_a_model_finds_is_told_where_it_makes_sense(gain: bool, reasons: dict[str, str], against: dict[str, str]):
    raising = {"logins": "more", "errors": "more", "nps": "less", "size": "less", "urgent": "less"}
    bad = {"logins": "less", "errors": "more", "nps": "less", "urgent": "more"}
    assert sensible_ways(raising, bad, gain=gain) == (reasons, against)


@pytest.mark.parametrize("way", ["more", "less"])
def test_trouble_of_late_neither_speaks_against_trouble_nor_for_a_sale(way: str):
    lately = trouble_lately(SHIPPED)
    assert lately == {"days_since_error", "days_since_ticket", "days_since_reopened"}
    raising = dict.fromkeys(sorted(lately), way)
    foreseen, against = sensible_ways(raising, {}, lately, gain=False)
    assert set(foreseen.values()) <= {"less"}, "that it was of late may be a reason"
    assert set(against.values()) <= {"more"}, "that it was long ago may speak against it"
    sale, against = sensible_ways(raising, {}, lately, gain=True)
    assert set(sale.values()) <= {"more"}
    assert set(against.values()) <= {"less"}


def test_context_is_never_a_risk():
    assert texts({"industry": 0.9, "nps": 0.1}, nps=(1, 9)) == ["NPS: 1 (usually 9)"]


def test_few_troubles_of_who_is_hardly_there_hold_nobody():
    weights = {"logins_28d": 0.5, "tickets_28d": -0.3}
    assert told(weights, logins_28d=(1, 9), tickets_28d=(0, 5))[1] == []
    # where more tickets or a sale are foreseen, fewer of them do speak against it
    assert told(weights, keeps=False, logins_28d=(1, 9), tickets_28d=(0, 5))[1] != []
    assert [fact.text for fact in told(weights | {"logins_28d": 0.0}, logins_28d=(9, 9), tickets_28d=(0, 5))[1]] == [
        "Tickets in 28 days: none (usually 5)"
    ]
    assert [fact.text for fact in told(weights | {"nps": -0.2}, logins_28d=(1, 9), tickets_28d=(0, 5), nps=(9, 5))[1]] == [
        "NPS: 9 (usually 5)"
    ]


def test_a_change_that_was_none_before_is_no_count_of_nothing():
    wording = WORDINGS["seats_change_90d"]
    assert compared_text(wording, -3.0, 0.0, "before", SAY) == "Seats -3 against 90 days before (28 days before: no change)"
    assert compared_text(wording, 0.0, -3.0, "before", SAY) == ""


def test_what_speaks_against_is_a_good_fact_with_its_comparison():
    reasons, holds = told({"logins_28d": -0.5, "tickets_28d": -0.3}, logins_28d=(4, 9), tickets_28d=(1, 5))
    assert reasons == []
    assert [fact.text for fact in holds] == ["Tickets in 28 days: 1 (usually 5)"]


def test_points_and_weight_are_those_of_the_story():
    fact = told({"logins_28d": 0.3, "logins_90d": 0.4}, logins_28d=(1, 9))[0][0]
    assert (round(fact.weight, 9), round(fact.points, 9)) == (0.7, 7.0)
    assert (fact.column, fact.way, fact.beside, fact.family) == ("logins_28d", "less", "own", "usage")


def test_nothing_to_tell_is_said():
    assert texts({"logins_28d": 0.8}) == []
    columns = reason_columns([type("Row", (), {"reasons": (), "holds": ()})()], SAY)
    assert columns.loc[0].tolist() == [nothing_text(SAY), "", ""]


def test_by_chance_the_way_is_the_model_s_own():
    spoken = wordings(DEFINITIONS)
    numbers = pd.DataFrame({"logins_28d": np.arange(40.0), "nps": np.arange(40.0), "errors_28d": np.ones(40)})
    weights = pd.DataFrame({"logins_28d": np.arange(40.0), "nps": -np.arange(40.0), "errors_28d": np.ones(40)})
    assert raising_ways(weights, spoken, numbers) == {"logins_28d": "more", "nps": "less"}
    assert raising_ways(weights.iloc[:20], spoken, numbers.iloc[:20]) == {}
    assert texts({"logins_28d": 0.8}, ways={"logins_28d": "more"}, logins_28d=(9, 2)) == ["Logins in 28 days: 9 (usually 2)"]


def company(logins: dict[str, list[float]], known: dict[str, float]) -> History:
    """Return a company whose customers log in so many days before the cutoff."""
    customers = [{"customer_id": name, "event_at": CUTOFF - timedelta(days=days), "name": name} for name, days in known.items()]
    usage = [
        {"customer_id": name, "event_at": CUTOFF - timedelta(days=day), "kind": "login", "user_id": "u"}
        for name, days in logins.items()
        for day in days
    ]
    frames = {
        name: pd.DataFrame(rows).assign(known_at=lambda frame: frame["event_at"])
        for name, rows in (("customers", customers), ("usage", usage))
    }
    return History.from_frames(frames, CUTOFF + timedelta(days=1))


def usual_logins(history: History, names: list[str]) -> Usual:
    keys = pd.DataFrame({"customer_id": names, "cutoff": pd.Timestamp(CUTOFF).as_unit("us")})
    values, told = cohort_values(history, CUTOFF, keys, DEFINITIONS[:3], ["logins_28d", "logins_90d"])
    return usual_values(history, CUTOFF, values.take(np.arange(len(keys))), values, told, DEFINITIONS[:3])


def test_the_own_past_is_the_median_of_windows_that_do_not_overlap():
    # three logins in each of 12 windows of 28 days but the newest, which has one; b came 100 days ago.
    days = [28 * window + 1 for window in range(13) for _ in range(3 if window else 1)]
    history = company({"a": days, "b": days[:8]}, {"a": 400, "b": 100})
    found = usual_logins(history, ["a", "b"])
    assert (found.now["logins_28d"][0], found.own["logins_28d"][0], found.noise["logins_28d"][0]) == (1, 3, 0)
    assert np.isnan(found.own["logins_28d"][1])
    # 400 days hold four windows of 90 before the present one: too few to tell noise from change
    assert np.isnan(found.own["logins_90d"]).all()
    assert LEAST == 6


def test_similar_customers_are_at_least_twenty():
    names = [f"c{number:02}" for number in range(PEERS)]
    history = company({name: [1.0] * number for number, name in enumerate(names, start=1)}, dict.fromkeys(names, 50))
    found = usual_logins(history, names)
    assert found.similar["logins_28d"].tolist() == [10.5] * PEERS
    few = usual_logins(history, names[1:])
    assert np.isnan(few.similar["logins_28d"]).all()


def test_reasons_of_a_trained_model_are_those_that_the_history_shows():
    frame, fold = world()
    model = fit_model(frame, fold, "lightgbm", (*COLUMNS, "industry"), seed=1)
    history = company({"c1": [1.0]}, {f"c{number}": 50 for number in range(500)})
    worst = np.argsort(-chance(model, frame), kind="stable")[:20]
    found = reasons_by_row(model, worst, history, CUTOFF, frame, DEFINITIONS[:3], SAY)
    columns = reason_columns(found, SAY)
    assert columns["reasons"].str.startswith(("Logins in", nothing_text(SAY))).all()
    assert [len(one.reasons) <= 1 for one in found] == [True] * 20
    assert reasons_by_row(model, worst[:0], history, CUTOFF, frame, DEFINITIONS[:3], SAY) == []


def test_a_mean_is_made_for_each_sum_that_follows_the_calendar():
    means = [one for one in with_means(SHIPPED) if one.name.endswith("_each")]
    assert [(one.name, one.value) for one in means] == [("invoiced_90d_each", Mean("amount"))]


NARROW = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def moved(
    now: dict[str, float], then: dict[str, float], *, told_by: str = "worse", weight: float = 0.8, reasons: tuple[str, ...] = ()
) -> list[str]:
    """Return why a chance moved that hangs on logins and tickets, one log-odds a login less and a ticket more."""
    names = ("logins_28d", "tickets_28d")
    prepare = {"numbers": [0, 1], "fill": [0.0, 0.0], "missing": [], "mean": [0.0, 0.0], "scale": [1.0, 1.0], "categories": [], "share": []}
    model = Fitted("logistic", Encoder(names), {"prepare": prepare, "weights": [-weight, weight], "intercept": 0.0}, (1.0, 0.0), NARROW)
    frames = [pd.DataFrame([one], columns=list(names)) for one in (now, then)]
    return moved_texts(model, *frames, DEFINITIONS, SAY, told_by=told_by, reasons=[reasons])[0]


def test_why_a_chance_moved_is_told_with_the_number_then():
    assert moved({"logins_28d": 1.0, "tickets_28d": 2.0}, {"logins_28d": 4.0, "tickets_28d": 1.0}) == [
        "Logins in 28 days: 1 (28 days before: 4)",
        "Tickets in 28 days: 2 (28 days before: 1)",
    ]


def test_below_the_noise_nothing_moved():
    assert moved({"logins_28d": 1.0, "tickets_28d": 2.0}, {"logins_28d": 1.0, "tickets_28d": 2.0}) == []
    assert moved({"logins_28d": 1.0, "tickets_28d": 2.0}, {"logins_28d": 1.01, "tickets_28d": 2.0}) == []
    assert moved({"logins_28d": 1.0, "tickets_28d": 2.0}, {"logins_28d": np.nan, "tickets_28d": np.nan}) == []


def test_what_got_worse_does_not_explain_a_chance_that_fell():
    # a model that thinks more logins are bad: the chance falls with them, and nothing visible explains it
    fell = ({"logins_28d": 1.0, "tickets_28d": 2.0}, {"logins_28d": 4.0, "tickets_28d": 2.0})
    assert moved(*fell, weight=-0.8) == []
    assert moved(*fell, weight=-0.8, told_by="chance") == ["Logins in 28 days: 1 (28 days before: 4)"]


def test_why_a_chance_fell_begins_with_what_is_no_worry_as_well():
    fell = ({"logins_28d": 6.0, "tickets_28d": 1.0}, {"logins_28d": 1.0, "tickets_28d": 4.0})
    logins, tickets = "Logins in 28 days: 6 (28 days before: 1)", "Tickets in 28 days: 1 (28 days before: 4)"
    assert moved(*fell) == [logins, tickets]
    assert moved(*fell, reasons=("usage",)) == [tickets, logins]
    assert moved(*reversed(fell), reasons=("usage",)) == [
        "Logins in 28 days: 1 (28 days before: 6)",
        "Tickets in 28 days: 4 (28 days before: 1)",
    ]


def test_a_move_that_nothing_explains_is_not_coloured():
    one = {"score": 0.3, "score_low": 0.2, "score_high": 0.4, "change_28d": -30.0}
    assert cells.trend_cell(SAY, one | {"details": {"moved": []}})["kind"] == "flat"
    assert cells.trend_cell(SAY, one | {"details": {"moved": ["NPS: 9 (28 days before: 2)"]}})["kind"] == "down"
    assert cells.trend_cell(SAY, one | {"change_28d": 9.0})["word"] == "steady"

"""Facts: now, before and the period, in the reader's language; what can be changed first; points that add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from amount import some
from hypothesis import given, settings
from hypothesis import strategies as st
from test_explain import COLUMNS, DEFINITIONS, row, weighted, world

from prevenance.decide.playbook import FAMILIES
from prevenance.explain.attribution import column_stories, contributions, facts_by_row, secant
from prevenance.explain.facts import fact_text, wordings
from prevenance.features import SETS, definitions
from prevenance.features.define import Count, Feature, Ratio, State, Trend
from prevenance.models.bundle import chance
from prevenance.models.training import fit_model
from prevenance.words import LANGUAGES, words

SHIPPED = definitions()
EN = words("en")
CONTRACT = State(
    "contract", ("subscriptions",), "", {"seats": "Seats paid for: {value:.0f}", "mrr": "Revenue: {value:.0f}"}, background=("mrr",)
)
TICKETS = Feature("tickets_365d", "tickets", Count(), "Tickets in {days} days: {value:.0f}", days=365)


def told(weights: dict[str, float], then: dict[str, object] | None = None, language: str = "en", **values: object) -> list:
    frame = row(**values)
    before = None if then is None else frame.assign(**then)
    found = facts_by_row(weighted(weights), frame, (*DEFINITIONS, TICKETS, CONTRACT), words(language), before=before)
    return found[0]


def texts(*arguments, **values) -> list[str]:
    return [fact.text for fact in told(*arguments, **values)]


def test_a_count_is_told_against_the_window_before_where_the_change_pulls_too():
    assert texts({"logins_28d": 0.5, "logins_28d_trend": 0.1}) == ["Logins 41 → 16, 28 days against the 28 before"]
    assert texts({"logins_28d": 0.5, "logins_28d_trend": -0.1}) == ["16 logins in 28 days"]
    assert texts({"logins_28d": 0.5}) == ["16 logins in 28 days"]


def test_a_trend_that_did_not_move_is_told_by_its_level():
    assert texts({"logins_28d_trend_before": 0.5}, logins_28d_trend_before=16.0) == ["16 logins in 28 days"]


def test_a_number_without_a_window_before_is_told_with_that_of_four_weeks_before():
    assert texts({"tickets_365d": 0.5}, {"tickets_365d": 14.0}, tickets_365d=18.0) == ["Tickets in 365 days: 18 (28 days before: 14)"]
    assert texts({"tickets_365d": 0.5}, {"tickets_365d": 18.0}, tickets_365d=18.0) == ["Tickets in 365 days: 18"]
    assert texts({"tickets_365d": 0.5}, {"tickets_365d": np.nan}, tickets_365d=18.0) == ["Tickets in 365 days: 18"]
    fr = texts({"seats": 0.5}, {"seats": 71.0}, "fr", seats=38.0)
    assert fr == ["Licences payées\xa0: 38 (28 jours plus tôt\xa0: 71)"]


@pytest.mark.parametrize(
    ("now", "then", "told_as"),
    [
        ((42.0, 50.0), (41.0, 50.0), "Active users in 28 days: 42 for 50 seats (28 days before: 41)"),
        ((42.0, 50.0), (41.0, 45.0), "Active users in 28 days: 42 for 50 seats (28 days before: 41 for 45)"),
        ((1.0, 1.0), (2.0, 1.0), "Active users in 28 days: 1 for 1 seat (28 days before: 2)"),
    ],
)
def test_the_number_before_says_only_what_differs(now, then, told_as):
    one = Ratio("share", "top", "bottom", "Active users in 28 days: {top:.0f} for {bottom:.0f} {bottom:seat|seats}")
    pair = [dict(zip(("top", "bottom"), each, strict=True)) for each in (now, then)]
    assert fact_text(wordings([one])["share"], pair[0], EN, 0.5, ("28 days before", pair[1])) == told_as


def test_a_share_before_keeps_its_sign():
    one = State("limit", ("usage",), "", {"share": "Use in 28 days: {value:.0%} of the limit"})
    wording = wordings([one])["share"]
    assert fact_text(wording, {"share": 2.64}, EN, 0.5, ("then", {"share": 1.4})) == "Use in 28 days: 264 % of the limit (then: 140 %)"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("value", [np.nan, None, pd.NA, np.inf])
def test_what_is_not_known_is_said_to_be_unknown(language, value):
    assert (
        "nan" not in " ".join(texts({"seats": 0.5, "days_since_login": 0.5}, None, language, seats=value, days_since_login=value)).lower()
    )
    wanted = {"en": "Seats paid for: unknown", "fr": "Licences payées\xa0: inconnu", "de": "Bezahlte Plätze: unbekannt"}
    assert texts({"seats": 0.5}, None, language, seats=value) == [wanted[language]]


def test_context_comes_after_everything_that_can_be_changed():
    found = told({"tickets_28d": 0.1, "mrr": 0.9, "nps": -0.2, "seats": -0.3}, mrr=500.0, seats=9.0)
    assert [fact.text for fact in found] == ["Seats paid for: 9", "NPS: 9", "3 tickets in 28 days", "Revenue: 500"]
    assert [fact.changeable for fact in found] == [True, True, True, False]
    assert [np.sign(fact.points) for fact in found] == [-1, -1, 1, 1]
    assert [fact.family for fact in found] == ["contract", "other", "tickets", "contract"]
    assert (found[2].table, found[2].columns) == ("tickets", {"tickets_28d": 3.0})


def test_only_so_many_of_a_kind_and_side_are_told():
    weights = {"tickets_28d": 0.5, "nps": 0.4, "seats": -0.3, "days_since_login": -0.2}
    found = facts_by_row(weighted(weights), row(seats=9.0), (*DEFINITIONS, CONTRACT), EN, most=1)[0]
    assert [fact.text for fact in found] == ["3 tickets in 28 days", "Seats paid for: 9"]


@pytest.mark.parametrize("kind", some(["rule", "logistic", "blend", "lightgbm", "random_forest", "neural"], 0, 1, 2, 3, 4))
def test_the_points_sum_to_the_chance_above_the_base(kind):
    frame, fold = world()
    model = fit_model(frame, fold, kind, (*COLUMNS, "industry"), seed=1)
    rows = frame.iloc[: 4 if kind == "neural" else 30]
    base, found = contributions(model, rows)
    slope, intercept = model.calibrator
    start = np.full(len(rows), slope * base + intercept)
    points = 100 * secant(start, start + slope * found.sum(axis=1).to_numpy())[:, None] * slope * found.to_numpy()
    np.testing.assert_allclose(points.sum(axis=1), 100 * (chance(model, rows) - 1 / (1 + np.exp(-start))), atol=1e-9)
    for place, each in enumerate(facts_by_row(model, rows, DEFINITIONS, EN)):
        ratio = [fact.points / fact.weight for fact in each]
        assert ratio == pytest.approx([100 * secant(start, start + slope * found.sum(axis=1).to_numpy())[place]] * len(ratio))


@given(st.floats(-30, 30), st.floats(-30, 30))
@settings(max_examples=200)
def test_the_secant_shares_out_exactly(start, end):
    from scipy.special import expit

    found = secant(np.array([start]), np.array([end]))[0]
    assert found >= 0
    assert found * (end - start) == pytest.approx(expit(end) - expit(start), abs=1e-9)


def test_every_column_is_told_and_belongs_to_a_family():
    found = wordings(SHIPPED)
    assert {one.family for one in found.values()} == set(FAMILIES)
    wanted = {
        "usage": ["logins_28d_trend", "errors_per_use_28d", "main_user_silent_days", "usage_near_limit_share", "active_users_per_seat_28d"],
        "tickets": ["tickets_28d", "reopened_share_90d", "tickets_per_seat_90d", "first_90d_tickets", "ticket_season_ahead"],
        "features": ["paid_features_unused", "paid_features_used_share_90d"],
        "contract": ["seats_change_90d", "renewals", "contract_service_due_days"],
        "invoices": ["invoices_overdue", "invoiced_90d_trend_before"],
        "purchases": ["spend_28d", "service_due_days", "purchase_gaps_silent"],
        "feedback": ["nps_change", "csat_365d"],
        "other": ["days_since_contact", "industry", "month_sin", "offer_fit_best"],
    }
    assert {name: found[name].family for names in wanted.values() for name in names} == {
        name: key for key, names in wanted.items() for name in names
    }


def test_columns_that_tell_the_same_story_count_together():
    story = column_stories(SHIPPED)
    assert story["errors_per_use_28d"] == story["errors_90d"] == story["errors_28d_trend_before"]
    assert story["month_sin"] == story["month_cos"]
    assert story["tickets_28d"] != story["urgent_tickets_28d"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [0.0, 1.0, 2.0, 1234.6, -1.0])
def test_every_phrase_can_be_told_in_every_language(language, number):
    say = words(language)
    text_columns = {column for one in SHIPPED if isinstance(one, State) for column in one.categories}
    for lookbacks in ((7, 28, 90, 365), (30,)):
        for column, wording in wordings(definitions(list(SETS), lookbacks)).items():
            values = dict.fromkeys(wording.fills.values(), "<b>x {y}" if column in text_columns else number)
            if "before" in wording.fills:
                values[wording.fills["before"]] = number + 5
            found = fact_text(wording, values, say)
            assert found, column
            assert "{" not in found.replace("{y}", "")
            assert found[0] == found[0].upper()


def test_one_day_is_no_days():
    wording = wordings([Feature("x", "usage", Count(), "Last login {value:.0f} {value:day|days} ago")])["x"]
    assert fact_text(wording, {"x": 1.2}, EN) == "Last login 1 day ago"
    assert fact_text(wording, {"x": 0.2}, words("fr")) == "Dernière connexion il y a 0 jour"
    assert fact_text(wording, {"x": 1.2}, words("de")) == "Letzte Anmeldung vor 1 Tag"


def test_a_trend_of_nothing_known_is_told_by_nobody():
    alone = Trend("x_trend", "x_28d", "x {before:.0f} → {now:.0f}")
    assert fact_text(wordings([alone])["x_trend"], {}, EN, 5.0) == ""

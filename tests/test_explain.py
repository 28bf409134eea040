"""Reasons: they add up to the score, and they are facts in the customer's own numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from amount import some

from prevenance.explain import attribution
from prevenance.explain.attribution import contributions, reason_columns, write_plots
from prevenance.features.define import Count, DaysSince, Feature, Ratio, State, Trend
from prevenance.models.bundle import Fitted, calibrated, chance, log_odds
from prevenance.models.encode import Encoder
from prevenance.models.folds import Fold
from prevenance.models.training import fit_model

DEFINITIONS = (
    Feature("logins_28d", "usage", Count(), "{value:.0f} logins in 28 days", where="kind = 'login'", days=28),
    Feature("logins_90d", "usage", Count(), "{value:.0f} logins in 90 days", where="kind = 'login'", days=90),
    Trend("logins_28d_trend", "logins_28d", "logins {before:.0f} → {now:.0f}, 28 days against the 28 before"),
    Feature("tickets_28d", "tickets", Count(), "{value:.0f} tickets in 28 days", days=28),
    Feature("days_since_login", "usage", DaysSince(), "Last login {value:.0f} days ago", where="kind = 'login'"),
    Ratio("seats_used", "users_28d", "seats", "{top:.0f} of {bottom:.0f} seats used ({value:.0%})"),
    State("account", ("customers",), "", {"industry": "industry: {value}", "nps": "NPS: {value:.0f}"}, background=("industry",)),
)

COLUMNS = ("logins_28d", "logins_90d", "logins_28d_trend", "logins_28d_trend_before", "tickets_28d", "days_since_login", "nps")


def weighted(weights: dict[str, float], calibrator: tuple[float, float] = (1.0, 0.0)) -> Fitted:
    """Return a logistic model whose contribution of a column is its weight, whatever the value."""
    names = tuple(weights)
    count = len(names)
    state = {"numbers": list(range(count)), "fill": [0.0] * count, "missing": [], "mean": [-1e9] * count, "scale": [1.0] * count}
    prepare = state | {"categories": [], "share": []}
    model = {"prepare": prepare, "weights": [weight / 6.0 for weight in weights.values()], "intercept": 0.25}
    return Fitted("logistic", Encoder(names), model, calibrator)


def row(**values: object) -> pd.DataFrame:
    plain = {"logins_28d": 16.0, "logins_90d": 130.0, "logins_28d_trend": -0.44, "logins_28d_trend_before": 41.0, "tickets_28d": 3.0}
    plain |= {"days_since_login": 2.0, "seats_used": 0.38, "users_28d": 19.0, "seats": 50.0, "industry": 1.0, "nps": 9.0}
    return pd.DataFrame([plain | values])


def told(weights: dict[str, float], frame: pd.DataFrame | None = None, k: int = 2) -> tuple[str, str]:
    found = reason_columns(weighted(weights), row() if frame is None else frame, DEFINITIONS, k)
    return found.loc[0, "reasons"], found.loc[0, "holds"]


def test_the_helper_model_gives_the_weights():
    base, found = contributions(weighted({"logins_28d": 0.5, "nps": -0.25}), row())
    assert base == 0.25
    assert found.loc[0].to_dict() == pytest.approx({"logins_28d": 0.5, "nps": -0.25})


def test_a_reason_is_a_fact_with_now_and_before():
    assert told({"logins_28d_trend": 0.8, "nps": -0.3}) == ("Logins 41 → 16, 28 days against the 28 before", "NPS: 9")


def test_two_raise_the_larger_first_and_nobody_says_because():
    raised, held = told({"tickets_28d": 0.4, "logins_28d_trend": 0.8, "nps": 0.2})
    assert raised == "Logins 41 → 16, 28 days against the 28 before; 3 tickets in 28 days"
    assert held == ""
    assert "because" not in raised


def test_what_can_be_changed_comes_before_a_larger_background():
    frame = row(industry="law")
    model = weighted({"tickets_28d": 0.3})
    both = Fitted("logistic", model.encoder, model.parameters, (1.0, 0.0))
    assert reason_columns(both, frame, DEFINITIONS).loc[0, "reasons"] == "3 tickets in 28 days"
    assert told({"tickets_28d": 0.3, "industry": 0.9}) == ("3 tickets in 28 days; Industry: 1.0", "")


def test_a_column_with_an_empty_phrase_is_never_a_reason():
    definition = State("calendar", ("customers",), "", {"month_sin": ""})
    assert reason_columns(weighted({"month_sin": 0.5}), row(month_sin=0.5), (definition,)).loc[0, "reasons"] == ""


def test_context_is_never_first_but_where_nothing_else_weighs():
    assert told({"tickets_28d": 0.03, "industry": 0.9}) == ("3 tickets in 28 days; Industry: 1.0", "")
    assert told({"tickets_28d": 0.01, "industry": 0.9}) == ("Industry: 1.0", "")
    assert told({"tickets_28d": 0.9, "industry": 0.03}) == ("3 tickets in 28 days", "")


def test_lookbacks_of_one_thing_are_one_reason_with_their_summed_weight():
    raised, held = told({"logins_28d": 0.3, "logins_90d": 0.4, "tickets_28d": 0.5, "nps": 0.1}, k=3)
    assert raised == "130 logins in 90 days; 3 tickets in 28 days; NPS: 9"
    raised, held = told({"logins_28d": 0.3, "logins_90d": -0.3, "tickets_28d": 0.5})
    assert (raised, held) == ("3 tickets in 28 days", "")


def test_the_window_before_is_told_as_the_trend():
    assert told({"logins_28d_trend_before": 0.5})[0] == "Logins 41 → 16, 28 days against the 28 before"


def test_a_share_shows_both_its_parts():
    assert told({"seats_used": 0.5})[0] == "19 of 50 seats used (38 %)"


def test_nearly_nothing_is_no_reason():
    assert told({"tickets_28d": 0.01, "nps": -0.01}) == ("", "")


def test_a_flat_calibrator_has_no_reasons():
    found = reason_columns(weighted({"tickets_28d": 2.0}, (0.0, -1.0)), row(), DEFINITIONS)
    assert found.loc[0].tolist() == ["", "", ""]


def test_not_knowing_is_said_only_where_it_weighs():
    frame = row(days_since_login=np.nan, nps=None)
    assert told({"days_since_login": 0.5, "nps": 0.05}, frame)[0] == "No login known"
    assert told({"nps": 0.5}, frame)[0] == "NPS: unknown"


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("Oldest open ticket: {value:.0f} days", "No open ticket known"),
        ("Average ticket rating in 90 days: {value:.1f}", "No ticket rating in 90 days known"),
        ("Last recommendation score (NPS): {value:.1f}", "No recommendation score (NPS) known"),
        ("Renewal in {value:.0f} days", "No renewal known"),
        ("Seats {value:+.0f} against 90 days before", ""),
        ("Tickets of 90 days that were reopened: {value:.0%}", ""),
        ("Contract ends in {value:.0f} days", ""),
        ("Seats paid for: {value:.0f}", "Seats paid for: unknown"),
    ],
)
def test_the_unknown_is_named_only_where_the_phrase_names_it(phrase, words):
    definition = State("state", ("tickets",), "", {"nps": phrase})
    assert reason_columns(weighted({"nps": 0.5}), row(nps=np.nan), (definition,)).loc[0, "reasons"] == words


def test_a_trend_without_numbers_is_left_out():
    assert told({"logins_28d_trend": 0.5}, row(logins_28d_trend_before=np.nan, logins_28d_trend=np.nan)) == ("", "")


def test_columns_without_a_definition_are_left_out():
    assert told({"seats": 0.9, "tickets_28d": 0.2})[0] == "3 tickets in 28 days"


def test_a_minus_before_nothing_is_not_printed():
    assert told({"nps": 0.5}, row(nps=-0.3))[0] == "NPS: 0"


def world(rows: int = 500) -> tuple[pd.DataFrame, Fold]:
    random = np.random.default_rng(0)
    dates = pd.to_datetime(["2025-01-01", "2025-03-01"]).as_unit("us")
    frame = pd.DataFrame(random.poisson(5, (rows, len(COLUMNS))).astype("float64"), columns=list(COLUMNS))
    frame = frame.assign(customer_id=[f"c{number}" for number in range(rows)], cutoff=dates[np.arange(rows) % 2], state="at_risk")
    frame["industry"] = pd.Series(random.choice(["bank", "law"], rows), dtype="str")
    odds = frame["tickets_28d"] - 6 - 0.5 * (frame["nps"] - 5) + (frame["industry"] == "law")
    frame["label"] = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype("float64")
    frame.loc[random.random(rows) < 0.1, "nps"] = np.nan
    first, second = (date.to_pydatetime() for date in dates)
    return frame, Fold((first,), (second,), pd.Timestamp("2025-06-01").to_pydatetime())


@pytest.mark.parametrize(
    "kind", some(["base_rate", "rule", "customer_rules", "logistic", "lightgbm", "random_forest", "neural"], 0, 1, 2, 3, 4, 5)
)
def test_base_and_contributions_are_the_score(kind):
    frame, fold = world()
    model = fit_model(frame, fold, kind, (*COLUMNS, "industry"), seed=1)
    rows = frame.iloc[:40]
    base, found = contributions(model, rows)
    assert list(found) == list(model.encoder.features)
    np.testing.assert_allclose(base + found.sum(axis=1), log_odds(model, rows), atol=1e-9)
    np.testing.assert_allclose(calibrated(model, base + found.sum(axis=1).to_numpy()), chance(model, rows), atol=1e-9)


def test_sampled_contributions_are_the_same_every_time_and_leave_chance_alone():
    frame, fold = world()
    model = fit_model(frame, fold, "neural", COLUMNS, seed=1)
    before = np.random.get_state()[1].copy()
    one, two = (contributions(model, frame.iloc[:2])[1] for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


def test_reasons_of_a_trained_model_keep_the_index_and_name_the_planted_cause():
    frame, fold = world()
    model = fit_model(frame, fold, "lightgbm", (*COLUMNS, "industry"), seed=1)
    worst = frame.iloc[np.argsort(-chance(model, frame), kind="stable")[:20]]
    found = reason_columns(model, worst, DEFINITIONS)
    assert list(found.index) == list(worst.index)
    assert found["reasons"].str.contains("tickets in 28 days").mean() > 0.8


def test_nobody_to_explain_is_an_empty_frame():
    frame, fold = world()
    model = fit_model(frame, fold, "lightgbm", COLUMNS, seed=1)
    assert list(reason_columns(model, frame.iloc[:0], DEFINITIONS)) == ["reasons", "holds", "family"]
    assert contributions(model, frame.iloc[:0])[1].shape == (0, len(model.encoder.features))


def test_pictures_are_written(tmp_path):
    frame, fold = world(200)
    model = fit_model(frame, fold, "logistic", COLUMNS, seed=1)
    written = write_plots(model, frame.iloc[:60], tmp_path / "plots")
    assert [path.name for path in written] == ["importance.png", "beeswarm.png", "dependence_1.png", "dependence_2.png", "dependence_3.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_no_pictures_of_a_model_that_says_the_same_of_everybody(tmp_path):
    frame, fold = world(100)
    assert write_plots(fit_model(frame, fold, "base_rate", COLUMNS, seed=1), frame, tmp_path) == []


def test_shap_is_not_imported_for_reasons():
    import subprocess
    import sys

    code = f"import sys; sys.path[:] = {sys.path!r}; import {attribution.__name__}, prevenance.models.training; "
    code += "sys.exit(any(name in sys.modules for name in ('shap', 'lightgbm', 'sklearn', 'optuna', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

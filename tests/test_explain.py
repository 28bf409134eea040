"""Reasons: they add up to the score, and they are facts in the customer's own numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from amount import some

from prevenance.explain import attribution
from prevenance.explain.attribution import contributions, write_plots
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


def test_the_helper_model_gives_the_weights():
    base, found = contributions(weighted({"logins_28d": 0.5, "nps": -0.25}), row())
    assert base == 0.25
    assert found.loc[0].to_dict() == pytest.approx({"logins_28d": 0.5, "nps": -0.25})


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


def test_nobody_to_explain_is_an_empty_frame():
    frame, fold = world()
    model = fit_model(frame, fold, "lightgbm", COLUMNS, seed=1)
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

"""The public API: what it gives is what the commands wrote and what the laws allow; every name is documented; importing it costs nothing."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import once
import pandas as pd
import pytest
from amount import some

import prevenance as pv
from prevenance.api import known, leaks, plots, project, results
from prevenance.models import split

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def opened() -> project.Project:
    """A company with a month-old champion and a list of the night; only read."""
    return pv.open(once.lived(once.RULED))


@pytest.fixture(scope="module")
def history(opened) -> known.KnownHistory:
    return opened.history(as_of="2026-07-01")


def test_every_public_name_is_there_typed_and_told():
    assert set(pv.__all__) == set(dir(pv))
    for name in pv.__all__:
        found = getattr(pv, name)
        if name == "__version__":
            continue
        assert inspect.getdoc(found), name
        if inspect.isfunction(found) or inspect.isclass(found):
            methods = [found] if inspect.isfunction(found) else [one for key, one in vars(found).items() if not key.startswith("_")]
            for one in methods:
                inner = getattr(one, "fget", None) or getattr(one, "func", None) or one
                if inspect.isfunction(inner):
                    assert inspect.getdoc(inner), (name, inner)
                    assert "return" in inner.__annotations__, (name, inner)
    with pytest.raises(AttributeError, match='no attribute "nothing"'):
        pv.nothing  # noqa: B018


@pytest.mark.long
@pytest.mark.parametrize("module", some([project, known, results, plots, leaks, split], 0, 2, 3, 4, 5), ids=lambda one: one.__name__)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_examples_run(module, opened, history):
    told = {
        "project": opened,
        "history": history,
        "training": opened.training("churn"),
        "ranked": opened.published("churn"),
        "pd": pd,
        "np": np,
    }
    found = doctest.testmod(module, extraglobs=told)
    assert found.failed == 0
    assert found.attempted or module is plots


def test_importing_it_loads_nothing_heavy():
    code = "import sys, prevenance; print([one for one in ('pandas', 'numpy', 'duckdb', 'hydra', 'sklearn', 'matplotlib') if one in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.long
def test_features_and_labels_are_those_of_the_training(opened):
    training = opened.training("churn")
    past = opened.history(as_of="2026-09-01")
    frame = training.frame
    cutoffs = sorted(set(frame.index.get_level_values("cutoff")))
    assert past.cutoffs("churn") == [one.to_pydatetime() for one in cutoffs]
    X, y = past.features("churn", cutoffs), past.labels("churn", cutoffs)
    assert X.index.equals(frame.index)
    pd.testing.assert_frame_equal(X, frame[list(X)], check_exact=True)
    assert y.equals(frame["label"])
    learned, label = past.training("churn")
    usable = frame[(frame["state"] == "at_risk") & frame["label"].notna()]
    assert learned.index.equals(usable.index)
    assert label.equals(usable["label"])
    pd.testing.assert_frame_equal(learned, usable[list(learned)], check_exact=True)


@pytest.mark.long
def test_an_open_label_is_nan_and_only_training_drops_it(history):
    late = history.as_of - timedelta(days=10)
    assert history.labels("churn", [late]).isna().all()
    assert len(history.features("churn", [late])) == len(history.cohort("churn", [late])) > 0
    X, y = history.training("churn", [late, datetime(2026, 1, 1)])
    assert set(X.index.get_level_values("cutoff")) == {pd.Timestamp("2026-01-01")}
    assert y.notna().all()


@pytest.mark.long
def test_offers_have_three_keys(history):
    X = history.features("cross_sell", ["2026-03-01"], sets=["offers", "tickets"], lookbacks=[28])
    assert X.index.names == ["customer_id", "cutoff", "product_id"]
    assert X.index.get_level_values("cutoff")[0] == pd.Timestamp("2026-02-28 23:00:00"), "a bare date is midnight where the source is"


@pytest.mark.long
def test_a_feature_and_a_target_of_ones_own(history):
    mine = pv.Feature("mine_35d", table="tickets", value=pv.Count(), where="event = 'opened'", days=35, phrase="{value:.0f}")
    urgent = pv.Target(
        "urgent",
        ("tickets",),
        "select distinct customer_id, 'at_risk' as state, null::double as value_at_stake from tickets",
        "select customer_id, event_at as outcome_at from next_tickets where event = 'opened'",
        14,
    )
    moment = datetime(2026, 5, 1)
    X, y = history.training(urgent, [moment], more=[mine], sets=["tickets"], lookbacks=[28])
    rows = history.table("tickets")
    rows = rows[rows["event"] == "opened"]
    window = rows[(rows["event_at"] <= moment) & (rows["known_at"] <= moment) & (rows["event_at"] > moment - timedelta(days=35))]
    wanted = window.groupby("customer_id").size()
    own = X["mine_35d"].droplevel("cutoff")
    assert own.to_dict() == {one: float(wanted.get(one, 0)) for one in own.index}
    after = rows[
        (rows["event_at"] > moment) & (rows["event_at"] <= moment + timedelta(days=14)) & (rows["known_at"] <= moment + timedelta(days=14))
    ]
    assert y.droplevel("cutoff").eq(1.0).to_dict() == {one: one in set(after["customer_id"]) for one in own.index}
    with pytest.raises(pv.PrevenanceError, match="E202 key=cutoffs"):
        history.training(urgent)


@pytest.mark.long
def test_nothing_later_than_the_history_is_to_be_had(history):
    assert history.as_of == datetime(2026, 6, 30, 22)
    for name in history.tables:
        rows = history.table(name)
        assert (rows[["event_at", "known_at"]].max() <= pd.Timestamp(history.as_of)).all() or name == "consents"
    with pytest.raises(pv.PrevenanceError, match="E208 .*ends.*FIX: ask a history of as_of=2026-07-16"):
        history.features("churn", ["2026-07-15T12:00:00"])
    with pytest.raises(pv.PrevenanceError, match='E203 .*did you mean "tickets"'):
        history.table("tikets")


@pytest.mark.long
def test_counts_add_up_and_what_was_set_apart_has_no_text(history):
    counts = history.counts
    assert (counts["read"] == counts[["used", "excluded", "quarantined"]].sum(axis=1)).all()
    for name in history.tables:
        apart = history.quarantine(name)
        assert len(apart) == counts.loc[name, "quarantined"]
        assert {"_file", "_line", "reason"} <= set(apart)
        assert not {"name", "text", "subject", "comment"} & set(apart)


@pytest.mark.long
def test_a_training_read_back_says_what_its_report_says(opened):
    training = opened.training("churn")
    whole = training.metrics[training.metrics["period"] == "all"].set_index(["model", "metric"])["value"]
    told = {(model, metric): one["value"] for model, metrics in training.report["models"].items() for metric, one in metrics.items()}
    assert whole.dropna().to_dict() == {key: value for key, value in told.items() if value is not None}
    periods = sorted(set(training.metrics["period"]) - {"all"})
    assert periods == [one["test"][:10] for one in training.report["folds"]]
    one = training.predictions.reset_index().query("model == 'rule'")
    hits = training.metrics.query("model == 'rule' and metric == 'precision_at_capacity' and period != 'all'")["value"]
    assert len(hits) == one["cutoff"].nunique()
    tests = training.folds[training.folds["part"] == "test"]
    assert tests["snapshots"].sum() == len(one)
    assert tests["positives"].sum() == one["label"].sum()
    assert "customer" not in set(training.predictions["group"].astype(str))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_picture_is_drawn_on_axes_that_are_given(opened):
    from matplotlib import pyplot

    training = opened.training("churn")
    customer = training.frame.index.get_level_values("customer_id")[0]
    axes = pyplot.subplots(1, 4)[1]
    assert training.plot.pr(ax=axes[0]) is axes[0]
    assert training.plot.gain(ax=axes[1]) is axes[1]
    assert training.plot.calibration(["rule"], ax=axes[2]) is axes[2]
    assert training.plot.shap_waterfall(customer, ax=axes[3]) is axes[3]
    gain = axes[1].get_lines()[0]
    assert np.all(np.diff(gain.get_ydata()) >= 0)
    assert (gain.get_xdata()[-1], gain.get_ydata()[-1]) == (1.0, 1.0)
    pyplot.close("all")
    with pytest.raises(pv.PrevenanceError, match='E203 .*"lightgmb" was not tested'):
        training.plot.pr(["lightgmb"])
    with pytest.raises(pv.PrevenanceError, match="E203 key=customer_id"):
        training.plot.shap_waterfall("nobody")


@pytest.mark.long
def test_a_list_read_back_is_the_published_one(opened):
    ranked = opened.published("churn")
    listed = pd.read_csv(ranked.path / "list.csv", dtype={"customer_id": "str"})
    assert ranked.frame["customer_id"].tolist() == listed["customer_id"].tolist()
    assert np.array_equal(ranked.frame["score"], listed["score"], equal_nan=True)
    first = ranked.frame["customer_id"].iloc[0]
    vars(ranked)["frame"] = ranked.frame.assign(reasons="Tickets: 3; Invoices: 2 late")
    assert ranked.reasons(first) == ["Tickets: 3", "Invoices: 2 late"]
    vars(ranked)["frame"] = ranked.frame.assign(reasons="")
    assert ranked.reasons(first) == []
    assert ranked.features.index.names == ["customer_id", "cutoff"]
    with pytest.raises(pv.PrevenanceError, match="E203 key=customer_id — this id is not on the list") as refused:
        ranked.reasons("nobody")
    assert ranked.frame["customer_id"].iloc[0] not in str(refused.value)


@pytest.mark.long
def test_commands_are_methods_with_the_same_files(tmp_path):
    out = once.lived_copy(once.RULED, tmp_path / "out")
    own = pv.open(out)
    ranked = own.score("churn", as_of="2026-10-08")
    assert ranked.path == (out / "lists" / "churn" / "latest").resolve()
    assert "LIST" in ranked.text
    assert json.loads((out / "status.json").read_text())["pipeline"] == "score"
    customer = ranked.frame["customer_id"].iloc[0]
    told = own.explain(customer, "churn")
    assert told.report["customer_id"] == customer
    assert str(told) == told.text
    audit = own.validate(as_of="2026-10-08")
    assert audit.report["source"] == "demo"
    assert audit.path == out / "validate" / "report.json"
    assert audit.oddities.columns.tolist() == ["code", "table", "what", "fix"]
    assert audit.tables.loc["customers", ["share"]].tolist() == [1.0]
    assert audit.tables["used"].sum() == sum(one["used"] for one in audit.report["tables"].values())
    assert len(audit.findings) == len(audit.report["consistency"]) + len(audit.report["accuracy"])
    assert (audit.tickets_a_month, audit.contracts_running) == tuple(
        audit.report["meaning"][key] for key in ("tickets_a_month", "contracts_running")
    )
    replayed = own.replay("churn", "2026-04-01")
    assert replayed.frame["customer_id"].dtype == "str"
    assert replayed.summary["verdict"] in replayed.text
    assert set(own.outcomes("churn")["outcome"]) <= {"happened", "did not", "not known yet", "too late"}
    assert len(own.outcomes("churn")) == sum(len(pd.read_csv(one)) for one in out.glob("lists/churn/2*/list.csv"))


@pytest.mark.long
def test_what_a_command_refuses_is_an_error_with_code_and_fix(opened, tmp_path):
    wrong = {
        "E201": lambda: pv.open(tmp_path / "o", settings={"capacty": 3}).history(),
        "E203": lambda: pv.open(tmp_path / "o", source="no_such").history(),
        "E401": lambda: pv.open(tmp_path / "o", source="helpdesk", data=tmp_path / "none").history(),
        "E501": lambda: pv.open(tmp_path / "o").training("churn"),
        "E208": lambda: opened.history(as_of="soon"),
        "E211": lambda: pv.open(tmp_path / "o", settings={"source.database.password": "hush"}).history(),
    }
    for code, call in wrong.items():
        with pytest.raises(pv.PrevenanceError, match=code) as refused:
            call()
        assert refused.value.code == code
        assert refused.value.fix
        assert "hush" not in str(refused.value)
    with pytest.raises(pv.PrevenanceError, match="E203 key=conf"):
        pv.open(conf=tmp_path / "none")
    with pytest.raises(pv.PrevenanceError, match="E501 .*project.score"):
        pv.open(tmp_path / "o").published("churn")


def test_another_source_than_the_remembered_one_brings_its_own(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"source": "demo", "overrides": ["demo.customers=70", "capacity=3"], "rows": {}}))
    assert "capacity=3" in pv.open(tmp_path)._arguments({})
    assert pv.open(tmp_path, source="helpdesk", data="x")._arguments({"capacity": None, "seed": 1}) == [
        "source=helpdesk",
        "data=x",
        "seed=1",
        f"out={tmp_path}",
    ]
    assert pv.open(tmp_path, settings={"a": [1, "b"], "c": {"d": True}, "e": None})._arguments({})[-4:-1] == [
        "a=[1,b]",
        "c={d:true}",
        "e=null",
    ]


def test_another_package_of_the_same_name_is_told(monkeypatch):
    for name in [one for one in sys.modules if one.split(".")[0] == "pipelines"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pipelines", importlib.import_module("json"))
    with pytest.raises(pv.PrevenanceError, match='E209 .*another package called "pipelines"'):
        project._door()


def test_a_table_that_is_in_memory_is_checked_for_leaks():
    dice = np.random.default_rng(1)
    y = (dice.random(600) < 0.3).astype(int)
    frame = pd.DataFrame(
        {"customer_id": [f"c{one}" for one in range(600)], "logins": dice.poisson(5, 600) - y, "refund": y * 9.0, "left": y}
    )
    found = pv.leakage(frame, "left")
    assert found.loc[found["leak"], "feature"].tolist() == ["refund"]
    assert found.set_index("feature").loc["refund", "why"]
    with pytest.raises(pv.PrevenanceError, match='E301 .*did you mean "left"'):
        pv.leakage(frame, "lef")
    with pytest.raises(pv.PrevenanceError, match="E902"):
        pv.leakage(frame.assign(religion="x"), "left")
    with pytest.raises(pv.PrevenanceError, match="E304"):
        pv.leakage(frame.iloc[:0], "left")


def test_the_table_of_features_is_that_of_the_builder():
    from prevenance.features.build import feature_columns

    table = pv.features(lookbacks=[7, 28])
    assert table["feature"].tolist() == feature_columns(pv.features.definitions(lookbacks=[7, 28]))
    assert table["null_means"].str.len().min() > 4
    own = pv.features(["tickets"], [28]).set_index("feature")
    assert own.loc["tickets_28d", ["tables", "lookback_days", "value"]].tolist() == ["tickets", 28, "number of rows"]
    with pytest.raises(pv.PrevenanceError, match='E203 .*did you mean "tickets"'):
        pv.features(["tikets"])


@pytest.mark.long
def test_null_means_what_the_table_says(history):
    """A count is 0 where nothing happened, a mean or last is null there: held against what the builder gives."""
    X = history.features("churn", ["2026-03-01"], sets=["tickets", "contacts"], lookbacks=[28, 90])
    table = pv.features(["tickets", "contacts"], [28, 90]).set_index("feature").loc[list(X)]
    counted = table.index[table["value"].isin(["number of rows"]) | table["value"].str.startswith(("sum of", "different values"))]
    assert X[counted].notna().all().all()
    last = table.index[table["value"].str.startswith(("days since", "last ", "mean of"))]
    assert X[last].isna().any().any()

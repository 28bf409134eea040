"""Faults of cohorts and labels: nobody, one, one class, few, none closed, gone, back again; what a list may say of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import once
import pandas as pd
import pytest
from amount import some, whole
from company import ACCOUNTS, TICKETS, Company

from pipelines import score, train
from pipelines.start.run import _guarded
from prevenance.base.errors import PrevenanceError
from prevenance.features import definitions
from prevenance.features.build import build, feature_columns, usable_definitions
from prevenance.features.define import Feature, Trend
from prevenance.history.history import History
from prevenance.models import training
from prevenance.targets import churn
from prevenance.targets.labels import cohort, label

pytestmark = pytest.mark.long

T = datetime(2025, 3, 1)
DAY = timedelta(days=1)
BY_CONTRACT = churn.by_contract(horizon_days=30, settle_days=0)


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    return Company(tmp_path, capsys)


def history(*steps: tuple[str, str, int], until: datetime = T + 60 * DAY) -> History:
    """Return a history of subscription events (customer, event, days from T); a contract is called by its customer."""
    rows = [
        {
            "customer_id": who,
            "subscription_id": f"s-{who}",
            "event": what,
            "event_at": T + days * DAY,
            "known_at": T + days * DAY,
            "mrr": 10.0,
        }
        for who, what, days in steps
    ]
    people = [{"customer_id": who, "event_at": T - 900 * DAY, "known_at": T - 900 * DAY} for who in sorted({step[0] for step in steps})]
    return History.from_frames({"customers": pd.DataFrame(people), "subscriptions": pd.DataFrame(rows)}, until)


def test_fault_06_an_optional_table_without_rows_is_unknown_not_zero(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS.splitlines()[0] + "\n"
    run = company.passes()
    assert run.count("tickets") == (0, 0, {}, {})
    assert "tickets: the table has a header and no row; what it would say is unknown, not zero" in run.messages
    snapshots = pd.DataFrame({"customer_id": ["a", "b"], "cutoff": [pd.Timestamp("2024-01-02")] * 2})
    asked = usable_definitions(definitions(["tickets"], [28]), frozenset({"customers", "tickets"}))
    built = build(run.taken.history, snapshots, asked)
    assert len(feature_columns(asked)) > 5
    assert built[feature_columns(asked)].isna().all().all()


def test_fault_06_a_table_with_rows_of_others_counts_zero() -> None:
    world = history(("a", "started", -400))
    tickets = pd.DataFrame({"customer_id": ["b"], "event_at": [T - DAY], "known_at": [T - DAY], "ticket_id": ["t"], "event": ["opened"]})
    frames = {"customers": world.con.execute("from canonical.customers").df(), "tickets": tickets}
    asked = usable_definitions(definitions(["tickets"], [28]), frozenset(frames))
    counted = [name for name in feature_columns(asked) if name.startswith("tickets_opened")] or feature_columns(asked)
    snapshots = pd.DataFrame({"customer_id": ["a", "a"], "cutoff": pd.to_datetime([T - 2 * DAY, T])})
    built = build(History.from_frames(frames, T), snapshots, asked)
    windows = feature_columns([one for one in asked if isinstance(one, Feature | Trend)])
    assert built.loc[0, windows].isna().all()
    assert (built.loc[1, counted] == 0).any()


@pytest.mark.parametrize("left", ["accounts.csv", "consents.csv"])
def test_fault_43_no_customers(company: Company, left: str) -> None:
    if left == "accounts.csv":
        company.files["accounts.csv"] = "account,since,name,segment\na,2099-12-31,x,y\n"
        run = company.refused("E305", "table=customers", overrides=("as_of=2024-06-01", "tables.tickets.on_bad_row=quarantine"))
        assert run.status == 3
        company.files["accounts.csv"] = ACCOUNTS
    else:
        company.files["tickets.csv"] = "account,id,day,score,note\n"
        company.selects.pop("customers")
        company.write()
        (company.root / "conf" / "source" / "mine" / "customers.sql").unlink(missing_ok=True)
        company.refused("E305", "table=customers")
        company.files["tickets.csv"] = TICKETS
    company.passes()


def test_fault_45_one_class_registers_nothing_but_a_rate() -> None:
    frame = pd.DataFrame({"customer_id": list("abcd"), "cutoff": T, "state": "at_risk", "label": 0.0, "x": [1.0, 2.0, 3.0, 4.0]})
    assert training.positive_customers(frame) == 0
    assert training.model_ladder(0) == ()


@pytest.mark.parametrize("found", [1, 19])
def test_fault_46_fewer_than_twenty_outcomes_no_model(found: int) -> None:
    assert training.model_ladder(found) == ()
    assert training.model_ladder(20) == ("logistic",)


def test_fault_48_an_immature_label_is_null_and_left_out() -> None:
    world = history(("a", "started", -400), ("a", "ended", 10), ("b", "started", -400), until=T + 29 * DAY)
    snapshots = cohort(world, BY_CONTRACT, [T - 60 * DAY, T])
    labelled = label(world, BY_CONTRACT, snapshots)
    assert labelled.loc[labelled["cutoff"] == pd.Timestamp(T), "label"].isna().all()
    assert len(training.usable_rows(labelled)) == 2
    closed = history(("a", "started", -400), ("a", "ended", 10), ("b", "started", -400), until=T + 30 * DAY)
    assert label(closed, BY_CONTRACT, cohort(closed, BY_CONTRACT, [T]))["label"].tolist() == [1.0, 0.0]


def test_fault_49_notice_already_given_is_too_late() -> None:
    world = history(("a", "started", -400), ("a", "notice", -5), ("b", "started", -400))
    found = cohort(world, BY_CONTRACT, [T]).set_index("customer_id")["state"]
    assert found.to_dict() == {"a": "too_late", "b": "at_risk"}


def test_fault_51_deleted_customers_are_counted_as_a_risk(company: Company) -> None:
    company.files["tickets.csv"] = TICKETS + "gone1,t9,2024-03-09,1,x\ngone1,t10,2024-03-09,1,x\ngone2,t11,2024-03-09,1,x\n"
    run = company.passes("tables.tickets.on_bad_row=quarantine")
    assert run.count("tickets")[3] == {"unknown_customer": 3}
    assert run.taken.counts["customers"].warnings["deleted"] == 2
    assert (
        "customers: 2 ids have facts and no row of customers; if they were deleted there, only survivors are learned from" in run.messages
    )
    company.files["tickets.csv"] = TICKETS
    assert "survivors" not in company.passes().messages


def test_fault_52_a_customer_who_came_back_is_a_new_spell() -> None:
    world = history(("a", "started", -400), ("a", "ended", -200), ("a", "started", -20))
    found = cohort(world, BY_CONTRACT, [T - 250 * DAY, T - 100 * DAY, T])
    assert found["cutoff"].tolist() == [pd.Timestamp(T - 250 * DAY), pd.Timestamp(T)]
    asked = usable_definitions(definitions(["subscriptions"], [28]), frozenset({"customers", "subscriptions"}))
    built = build(world, found[["customer_id", "cutoff"]], asked)
    assert built["contract_age_days"].tolist() == [150.0, 20.0]


def test_fault_47_no_closed_window_says_from_when(company: Company) -> None:
    from pipelines.start.compose import settings_of
    from prevenance.runs.snapshots import cutoffs_of, target_of

    run = company.passes("as_of=2024-04-01")
    given = settings_of("train", ["target=tickets", "source=helpdesk"])
    with pytest.raises(PrevenanceError, match=r"E601 target=tickets .*no label window is closed: history begins 2024-03-02") as refused:
        cutoffs_of(given, target_of(given), run.taken)
    assert refused.value.exit_status == 6
    works = refused.value.fix.partition("as_of=")[2][:10]
    company.files["tickets.csv"] = TICKETS + f"a,last,{works},1,x\n"
    assert cutoffs_of(given, target_of(given), company.passes(f"as_of={works}").taken)


FEW = ["features.sets=[tickets,contacts]", "features.lookbacks=[28,90]"]
WORLDS = {
    "fault-44 one customer": ["demo.customers=1"],
    "fault-45 nobody leaves": ["demo.customers=60", "demo.churners=0"],
    "fault-46 few leave": ["demo.customers=60"],
}


@pytest.mark.parametrize("name", some(sorted(WORLDS), 0, 1, 2))
def test_small_worlds_are_listed_by_the_rule(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    arguments = [f"out={out}", "target=churn", "demo.months=14", *once.CHEAP, "demo.events=4000", *FEW, *WORLDS[name]]
    assert _guarded("train", train.body, arguments) == 0
    report = json.loads((out / "train" / "churn" / "report.json").read_text())
    assert report["chosen"]["model"] == "rule"
    why = report["chosen"]["why"]
    if "nobody" in name or "one" in name:
        assert "no positives in" in why
        assert "matured snapshots" in why
    else:
        assert "fewer than 20: rules, no model" in why
    if not whole() and "one" not in name:
        return
    assert _guarded("score", score.body, [f"out={out}", "target=churn"]) == 0
    manifest = json.loads((out / "lists" / "churn" / "latest" / "manifest.json").read_text())
    assert manifest["model"]["kind"] == "rule"
    assert any("rules, no model" in message for message in manifest["messages"])

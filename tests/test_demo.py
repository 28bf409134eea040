"""The demo company: its files, their flaws and their causes; and the shipped selects over them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from amount import amount, some

from pipelines.start.compose import settings_of
from prevenance.base.errors import PrevenanceError
from prevenance.demo import company as company_of
from prevenance.demo import simulated, world
from prevenance.demo.leaks import PLANTED
from prevenance.demo.leaving import leavers
from prevenance.demo.names import HOSTILE
from prevenance.demo.switches import LEAKS, Demo, demo_of
from prevenance.demo.world import DAY, END, World, column_moments
from prevenance.runs.demo import make_company
from prevenance.runs.inputs import load_inputs
from prevenance.runs.steps import Steps
from prevenance.sources import files
from prevenance.sources.intake import Source, intake
from prevenance.sources.taken import Intake, Policy
from prevenance.tables.canonical import TABLES

pytestmark = pytest.mark.long

SOLD = {"crm_accounts.csv", "crm_account_changes.csv", "subscriptions.csv", "subscription_changes.csv", "invoices.csv"}
"""What shows who bought what."""

CONF = Path(__file__).parent.parent / "conf" / "source"


def taken(name: str, data: Path) -> Intake:
    declared = yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8"))
    source = Source(
        name=name,
        selects={path.stem: path.read_text(encoding="utf-8") for path in sorted((CONF / name).glob("*.sql"))},
        files=declared["files"],
        timezone=declared["timezone"],
        static=declared["static"],
        delay_days=declared.get("delay_days", {}),
    )
    return intake(files.new_engine(), source, data, {table: Policy(on_bad_row="quarantine") for table in TABLES})


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object], Intake]:
    folder = tmp_path_factory.mktemp("demo")
    facts = simulated.write_company(folder, Demo(customers=200, months=14, events=40_000))
    return folder, facts, taken("demo", folder)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        simulated.write_company(tmp_path / name, Demo(customers=30, months=6, seed=3))
    simulated.write_company(tmp_path / "other", Demo(customers=30, months=6, seed=4))
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one") != digests(tmp_path / "other")


@pytest.mark.parametrize(("customers", "months"), some([(1, 1), (2, 3)], 0))
def test_the_smallest_companies_can_be_read(tmp_path: Path, customers: int, months: int) -> None:
    facts = simulated.write_company(tmp_path, Demo(customers=customers, months=months))
    read = taken("demo", tmp_path)
    assert read.counts["customers"].read >= facts["accounts"] >= customers  # type: ignore[operator]


def test_every_table_is_given_within_the_contract(company: tuple[Path, dict[str, object], Intake]) -> None:
    counts = company[2].counts
    assert set(counts) == set(TABLES)
    for name, found in counts.items():
        assert sum(found.quarantined.values()) <= 0.01 * found.read, name


def test_the_exports_have_their_flaws(company: tuple[Path, dict[str, object], Intake]) -> None:
    counts = company[2].counts
    assert counts["usage"].excluded["duplicate"] > 20
    assert {"unknown_customer", "event_at: not a timestamp", "event_at: outside 1990..2100"} <= set(counts["usage"].quarantined)
    assert counts["tickets"].excluded["duplicate"] > 0
    con = company[2].con
    (late,) = rows(con, "select avg((known_at > event_at + interval 1 day)::int) from canonical.usage")[0]
    assert 0.015 < float(str(late)) < 0.035
    assert rows(con, "select count(*) from canonical.invoices where event = 'paid' and known_at > event_at")[0][0]
    assert rows(con, "select count(*) from canonical.consents where not allowed")[0][0]
    assert rows(con, "select bool_and(length(customer_id) = 5) from canonical.customers") == [(True,)]


def test_nothing_is_known_after_the_end_nor_before_it_happened(company: tuple[Path, dict[str, object], Intake]) -> None:
    for name in company[2].counts:
        query = f"select max(known_at), count(*) filter (where known_at < event_at) from canonical.{name}"
        (newest, backwards) = rows(company[2].con, query)[0]
        assert newest is None or np.datetime64(str(newest)) < END, name
        assert backwards == 0, name


def test_enough_leave_and_most_stay(company: tuple[Path, dict[str, object], Intake]) -> None:
    facts = company[1]
    left, there = int(str(facts["left"])), int(str(facts["customers"]))
    assert 150 <= there <= 270
    assert 0.008 * 14 < left / there < 0.035 * 14


def test_history_is_rebuilt_from_the_change_logs(company: tuple[Path, dict[str, object], Intake]) -> None:
    con = company[2].con
    moved = rows(con, "select customer_id from canonical.customers group by 1 having count(distinct owner) > 1 or count(distinct plan) > 1")
    assert moved
    con.register("log", pd.read_csv(company[0] / "crm_account_changes.csv", dtype=str))
    wrong = """
        with l as (select *, timezone('UTC', timezone('Europe/Paris', changed_at::timestamp)) as at from log where field = 'plan')
        select count(*) from l
        join canonical.customers c on c.customer_id = l.account_id
        where (c.event_at >= l.at and c.plan = l.old_value) or (c.event_at < l.at and c.plan = l.new_value)
            or (c.event_at = l.at and c.plan <> l.new_value)"""
    assert rows(con, wrong) == [(0,)]
    seats = """
        select count(*) filter (where s.seats = c.seats and s.plan = c.plan), count(*) from (
            select distinct on (subscription_id) * from canonical.subscriptions where event = 'changed' order by subscription_id, event_at) c
        join canonical.subscriptions s using (subscription_id) where s.event = 'started'"""
    same, all_changes = rows(con, seats)[0]
    assert same == 0
    assert all_changes


def test_no_subscription_lives_on_after_its_end(company: tuple[Path, dict[str, object], Intake]) -> None:
    con = company[2].con
    after = """
        select count(*) from canonical.subscriptions e join canonical.subscriptions s using (subscription_id)
        where s.event_at > e.event_at and (e.event = 'ended' or e.event = 'notice' and s.event in ('renewed', 'changed'))"""
    assert rows(con, after) == [(0,)]
    ghost = """
        with gone as (select customer_id, max(event_at) as at from canonical.subscriptions group by 1
            having count(*) filter (where event = 'started') = count(*) filter (where event = 'ended'))
        select count(*) from canonical.usage u join gone g using (customer_id) where u.event_at > g.at + interval 1 day"""
    assert rows(con, ghost) == [(0,)]


@pytest.mark.parametrize(("signal", "low", "high"), [(1.0, 0.1, 0.185), (0.0, 0.19, 0.25)])
def test_use_falls_before_notice_only_where_there_is_signal(signal: float, low: float, high: float) -> None:
    (life,) = simulated.iterate_lives(simulated.world_of(Demo(customers=600, months=14, signal=signal)))
    days = (column_moments(life.block.people, "notice")[life.events.who] - life.events.at) / np.timedelta64(1, "D")
    logins = life.events.kind == 0
    share = np.sum(logins & (days >= 0) & (days < 28)) / np.sum(logins & (days >= 0) & (days < 140))
    assert low < share < high, "28 of 140 days are 0.2 of a steady use"


@pytest.mark.parametrize(("signal", "least", "most"), [(1.0, 0.3, 3.0), (0.0, -0.2, 0.2)])
def test_health_decides_who_leaves(signal: float, least: float, most: float) -> None:
    (life,) = simulated.iterate_lives(simulated.world_of(Demo(customers=800, months=18, signal=signal)))
    gone = ~np.isnat(column_moments(life.block.people, "turned"))
    gap = life.block.health[~gone].mean() - life.block.health[gone].mean()
    assert least < gap < most


SMALL = {"customers": 150, "months": 12}
SWITCHES: dict[str, tuple[dict[str, object], set[str]]] = {
    "late": ({"late": False}, {"product_events.csv.gz"}),
    "duplicates": ({"duplicates": False}, {"product_events.csv.gz", "invoices.csv", "tickets.csv", "feedback.csv", "purchases.csv"}),
    "orphans": ({"orphans": False}, {"product_events.csv.gz", "invoices.csv", "tickets.csv", "feedback.csv", "purchases.csv"}),
    "bad cells": ({"bad_cells": False}, {"crm_accounts.csv", "subscriptions.csv", "product_events.csv.gz", "invoices.csv", "tickets.csv"}),
    "opt-outs": ({"opt_outs": False}, {"consents.csv"}),
    "bottleneck": ({"bottleneck": False}, {"tickets.csv"}),
    "hostile names": ({"hostile_names": True}, {"crm_accounts.csv"}),
    "filled after": ({"leaks": ["filled_after"]}, {"crm_accounts.csv"}),
    "poisoned": ({"leaks": "poisoned"}, {"account_reviews.csv"}),
    "edited": ({"leaks": "edited"}, {"crm_accounts.csv"}),
    "bias": ({"bias": True}, {"product_events.csv.gz", "tickets.csv", "invoices.csv", "feedback.csv", "account_reviews.csv"}),
    "season": ({"season": False}, {"product_events.csv.gz", "tickets.csv", "purchases.csv"} | SOLD),
    "fewer events": ({"events": 30_000}, {"product_events.csv.gz"}),
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("usual")
    simulated.write_company(folder, demo_of(SMALL))
    return digests(folder)


@pytest.mark.parametrize("name", some(SWITCHES, 1, 3, 9, 11))
def test_a_switch_changes_only_what_it_plants(name: str, usual: dict[str, str], tmp_path: Path) -> None:
    switch, may = SWITCHES[name]
    simulated.write_company(tmp_path, demo_of(SMALL | switch))
    changed = {file for file, digest in digests(tmp_path).items() if usual[file] != digest} - {"truth.json"}
    assert changed
    assert changed <= may


@pytest.mark.parametrize(
    "seeds", [(1, 7)[: amount(1, 2)], pytest.param(tuple(range(20)), marks=pytest.mark.sweep)], ids=["two seeds", "twenty seeds"]
)
@pytest.mark.parametrize(("customers", "churners"), some([(60, 6), (300, 40), (40, 0), (30, 60), (1, 1)], 0, 2))
def test_as_many_leave_as_asked(tmp_path: Path, customers: int, churners: int, seeds: tuple[int, ...]) -> None:
    for seed in seeds:
        facts = simulated.write_company(tmp_path, Demo(customers=customers, churners=churners, seed=seed, events=2000))
        query = f"select count(distinct account_id) from read_csv('{tmp_path}/subscriptions.csv', all_varchar = true) where coalesce(notice_on, ended_on) is not null"
        assert rows(duckdb.connect(), query) == [(churners,)]
        assert (facts["left"], facts["customers"]) == (churners, customers)


def test_more_than_there_are_cannot_leave(tmp_path: Path) -> None:
    with pytest.raises(PrevenanceError, match=r"demo\.churners.*cannot leave.*FIX: give at most"):
        simulated.write_company(tmp_path, Demo(customers=10, months=1, churners=500))


def test_who_leaves_and_what_is_asked_is_the_same_whatever_is_asked_more(tmp_path: Path) -> None:
    few, many = ({*_left(simulated.world_of(Demo(customers=200, churners=number)))} for number in (20, 21))
    assert len(few) == 20
    assert len(many) == 21


def _left(world: World) -> list[int]:
    return [int(one) for life in simulated.iterate_lives(world) for one in np.flatnonzero(leavers(life.block.people))]


def test_clean_exports_have_no_flaw(tmp_path: Path) -> None:
    simulated.write_company(
        tmp_path, Demo(customers=60, months=14, events=10_000, late=False, duplicates=False, orphans=False, bad_cells=False, opt_outs=False)
    )
    read = taken("demo", tmp_path)
    assert all(not found.quarantined and not found.excluded for found in read.counts.values()), read.counts
    assert rows(read.con, "select count(*) from canonical.usage where known_at > event_at + interval 1 day") == [(0,)]
    assert rows(read.con, "select count(*) from canonical.consents where not allowed") == [(0,)]


def test_a_large_company_is_made_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (simulated, company_of, world):
        monkeypatch.setattr(module, "BLOCK", 40)
    facts = simulated.write_company(tmp_path / "new", Demo(customers=100, months=8, events=10_000))
    parts = sorted(path.name for path in (tmp_path / "new").glob("product_events*.csv.gz"))
    assert parts[:2] == ["product_events-002.csv.gz", "product_events-003.csv.gz"]
    read = taken("demo", tmp_path / "new")
    assert rows(read.con, "select count(distinct customer_id) from canonical.customers") == [(facts["accounts"],)]
    for name in ("usage", "tickets", "invoices"):
        assert "conflicting_key" not in read.counts[name].quarantined
    simulated.write_company(tmp_path / "new", Demo(customers=10, months=2))
    assert not list((tmp_path / "new").glob("product_events-*")), "parts of a larger company before must go"
    alone = company_of.block_of(simulated.world_of(Demo(customers=100, months=8)), 1)
    assert np.array_equal(
        alone.health, [life.block.health for life in simulated.iterate_lives(simulated.world_of(Demo(customers=100, months=8)))][1]
    )


def test_a_larger_company_logs_a_share_of_its_events() -> None:
    assert simulated.world_of(Demo(customers=200_000, months=24, churners=None, events=50_000_000)).thin == 3
    full, part = (
        next(iter(simulated.iterate_lives(simulated.world_of(Demo(customers=300, months=12, events=events))))).events
        for events in (10**9, 40_000)
    )
    assert 0.2 < len(part.who) / len(full.who) < 0.4
    assert part.quantity.sum() == pytest.approx(full.quantity.sum(), rel=0.1)


def test_hostile_names_come_through_the_door(tmp_path: Path) -> None:
    simulated.write_company(tmp_path, Demo(customers=200, months=8, events=2000, hostile_names=True))
    names = {row[0] for row in rows(taken("demo", tmp_path).con, "select distinct name from canonical.customers")}
    assert len(names & {name.strip() for name in HOSTILE} | names & set(HOSTILE)) >= len(HOSTILE) - 3
    assert any("\n" in str(name) for name in names)


def test_a_leak_is_where_truth_says(tmp_path: Path) -> None:
    simulated.write_company(
        tmp_path, demo_of({"customers": amount(120, 300), "months": 14, "leaks": "all", "events": amount(3_000, 10**9)})
    )
    con = taken("demo", tmp_path).con
    left = "select distinct customer_id from canonical.subscriptions where event in ('notice', 'ended')"
    assert rows(con, f"select bool_and(customer_id in ({left})) from canonical.customers where segment = 'win-back'") == [(True,)]
    assert rows(con, f"select bool_and(customer_id in ({left})), count(*) > 20 from canonical.feedback where kind = 'csat'") == [
        (True, True)
    ]
    low = f"select avg((score <= 2)::int) from canonical.feedback where kind = 'review' and customer_id {{}} in ({left})"
    assert float(str(rows(con, low.format("not"))[0][0])) == 0
    assert float(str(rows(con, low.format(""))[0][0])) > 0.2
    assert set(PLANTED) == set(LEAKS)


@pytest.mark.sweep
def test_bias_drift_and_the_effect_of_contacts_are_planted() -> None:
    plain, biased, drifted, alone = (
        next(iter(simulated.iterate_lives(simulated.world_of(demo_of({"customers": 2_000, "months": 14} | switch)))))
        for switch in ({}, {"bias": True}, {"drift": True}, {"save_effect": False})
    )
    mid = (plain.block.people["segment"] == "mid").to_numpy()
    assert np.array_equal(plain.block.people["turned"], biased.block.people["turned"], equal_nan=True)
    per = [np.bincount(life.events.who, minlength=len(mid)) for life in (plain, biased)]
    assert 0.2 < per[1][mid].sum() / per[0][mid].sum() < 0.4
    assert per[1][~mid].sum() / per[0][~mid].sum() == pytest.approx(1, abs=0.02)
    logins = [np.mean((life.events.kind == 0)[life.events.at > END - 180 * DAY]) for life in (plain, drifted)]
    assert logins[1] < logins[0] - 0.08
    assert plain.block.touched.any()
    assert not alone.block.touched.any()


@pytest.mark.sweep
def test_the_busy_season_sells_capacity_before_it_comes() -> None:
    shares = []
    for switch in (True, False):
        (life,) = simulated.iterate_lives(simulated.world_of(Demo(customers=2_500, months=24, season=switch)))
        packs = life.grown.orders[life.grown.orders["addon"] == 1]
        shares.append(packs["at"].dt.month.isin([7, 8, 9]).mean())
    assert shares[0] > shares[1] + 0.15


def test_engineering_is_the_bottleneck() -> None:
    slow, fast = (
        next(iter(simulated.iterate_lives(simulated.world_of(Demo(customers=800, months=12, bottleneck=switch))))).tickets
        for switch in (True, False)
    )
    waits = []
    for frame in (slow, fast):
        engineering = frame[frame["transferred_to"] == "engineering"].head(200)
        waits.append((engineering["taken_at"] - engineering["transferred_at"]).median())
    assert waits[0] > 3 * waits[1]
    worked = slow["first_reply_at"].dropna()
    assert worked.dt.day_of_week.max() <= 4
    assert worked.dt.hour.between(8, 18).all()


def test_every_switch_can_be_set() -> None:
    settings = asdict(Demo())
    company = yaml.safe_load((CONF / "demo" / "company.yaml").read_text(encoding="utf-8"))["demo"]
    assert company == {name: settings[name] for name in company}
    assert {*company, "customers", "months", "seed", "signal"} == set(settings)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("demo.leaks=poisonned", 'did you mean "poisoned"'),
        ("demo.leaks=[edited,nothing]", "nothing"),
        ("demo.churners=-1", "demo.churners is -1"),
        ("demo.months=0", "demo.months=24"),
        ("demo.late=sometimes", "demo.late"),
        ("demo.lat=true", 'did you mean "demo.lat'),
    ],
)
def test_a_wrong_switch_is_refused(setting: str, told: str) -> None:
    with pytest.raises(PrevenanceError, match=re.escape(told)):
        settings_of("demo", [setting])


def helpdesk(folder: Path, lines: list[str]) -> Intake:
    head = "Case ID,Activity,Resource,Complete Timestamp,seriousness_2,customer,product,service_type,workgroup,Variant,Variant\n"
    text = "".join(f"{line},Value 1,Value 3,Value 1,Value 1,Value 1,v,v\n" for line in lines)
    (folder / "helpdesk.csv").write_text(head + text, encoding="utf-8")
    return taken("helpdesk", folder)


def test_a_help_desk_log_opens_transfers_and_reopens(tmp_path: Path) -> None:
    case = "Case 1,{},{},2010/06/{} 10:00:00.000"
    lines = [
        case.format("Assign seriousness", "Value 1", "01"),
        case.format("Take in charge ticket", "Value 1", "02"),
        case.format("Take in charge ticket", "Value 2", "03"),
        case.format("Resolve ticket", "Value 2", "04"),
        case.format("Resolve ticket", "Value 2", "04"),
        case.format("Take in charge ticket", "Value 2", "05"),
        case.format("Create SW anomaly", "Value 2", "06"),
        case.format("Closed", "Value 2", "07"),
    ]
    for order in (lines, lines[::-1]):
        read = helpdesk(tmp_path, order)
        found = rows(read.con, "select event, activity is null from canonical.tickets order by event_at, event")
        assert found == [
            ("opened", True),
            ("other", False),
            ("assigned", False),
            ("transferred", False),
            ("resolved", False),
            ("assigned", False),
            ("reopened", True),
            ("escalated", False),
            ("closed", False),
        ]
        assert read.counts["tickets"].excluded == {"duplicate": 1}
    assert str(rows(read.con, "select min(event_at) from canonical.tickets")[0][0]) == "2010-06-01 08:00:00"


def test_ravenstack_changes_have_their_own_clocks(tmp_path: Path) -> None:
    texts = {
        "accounts": "account_id,account_name,industry,country,signup_date\nA-1,One,EdTech,US,2023-01-02\n",
        "subscriptions": "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount\n"
        "S-1,A-1,2023-02-01,2023-05-01,Pro,3,90\nS-2,A-1,2023-02-01,,Pro,3,90\n",
        "feature_usage": "usage_id,subscription_id,usage_date,feature_name,usage_count,error_count\n"
        "U-1,S-1,2023-03-01,f,4,2\nU-2,S-1,2023-03-02,f,4,0\nU-2,S-2,2023-03-03,f,1,0\n",
        "support_tickets": (
            "ticket_id,account_id,submitted_at,closed_at,priority,first_response_time_minutes,satisfaction_score,escalation_flag\n"
            "T-1,A-1,2023-07-27,2023-07-28 3:00,high,74,5,TRUE\nT-2,A-1,2023-07-27,soon,low,5,,FALSE\n"
        ),
        "churn_events": "churn_event_id,account_id,churn_date\nC-1,A-1,2023-06-01\n",
    }
    for name, text in texts.items():
        (tmp_path / f"ravenstack_{name}.csv").write_text(text, encoding="utf-8")
    read = taken("ravenstack", tmp_path)
    assert rows(read.con, "select kind, quantity::int from canonical.usage order by 1") == [("error", 2), ("use", 4)]
    assert read.counts["usage"].quarantined == {"conflicting_key": 2}
    at = dict(rows(read.con, "select event, event_at::varchar from canonical.tickets where ticket_id = 'T-1'"))
    done = "2023-07-28 03:00:00"
    assert at == {"opened": "2023-07-27 00:00:00", "replied": "2023-07-27 01:14:00", "resolved": done, "rated": done, "escalated": done}
    assert read.counts["tickets"].quarantined == {"event_at: not a timestamp": 1}
    assert rows(read.con, "select event, subscription_id from canonical.subscriptions order by event_at, 2") == [
        ("started", "S-1"),
        ("started", "S-2"),
        ("ended", "S-1"),
        ("notice", "C-1"),
    ]


def test_complete_journey_keeps_every_household_and_equal_lines(tmp_path: Path) -> None:
    line = "(1, 10, 5, 1, 2.5, timestamp_ns '2017-01-01 11:00:00')"
    lines = f"{line}, {line}, (2, 11, 6, 1, 1.0, timestamp_ns '2017-08-31 12:00:00')"
    described = "(1, 'Type A', timestamp_ns '2017-03-01'), (2, 'Type B', timestamp_ns '2017-12-01')"
    columns = "household_id, basket_id, product_id, quantity, sales_value, transaction_timestamp"
    tables = {
        "transactions": f"from (values {lines}) t({columns})",
        "products": "select 5 as product_id, 'GROCERY' as department, 'NaN' as product_type",
        "demographics": "select 1 as household_id, 'NaN' as household_comp",
        "campaigns": "from (values (1, 1), (2, 1)) t(campaign_id, household_id)",
        "campaign_descriptions": f"from (values {described}) t(campaign_id, campaign_type, start_date)",
        "coupon_redemptions": "select 1 as household_id, 1 as campaign_id, timestamp_ns '2017-03-09' as redemption_date",
    }
    for name, query in tables.items():
        duckdb.connect().execute(f"copy ({query}) to '{tmp_path / name}.parquet' (format parquet)")
    read = taken("complete_journey", tmp_path)
    assert rows(read.con, "select customer_id, segment, event_at::varchar from canonical.customers order by 1") == [
        ("1", None, "2017-01-01 11:00:00"),
        ("2", None, "2017-08-31 12:00:00"),
    ]
    bought = rows(read.con, "select customer_id, family, count(*) from canonical.purchases group by all order by 1")
    assert bought == [("1", "GROCERY", 2), ("2", None, 1)]
    assert rows(read.con, "select direction, campaign from canonical.contacts order by 1") == [("in", "Type A 1"), ("out", "Type A 1")]
    assert read.counts["contacts"].excluded == {"no_known_at": 1}


def test_fault_19_accounts_that_contradict_each_other_are_set_apart(tmp_path: Path) -> None:
    inbox = tmp_path / "demo"
    simulated.write_company(inbox, Demo(customers=20, months=6, events=1_000))
    accounts = (inbox / "crm_accounts.csv").read_text(encoding="utf-8")
    last = accounts.splitlines()[-1]
    (inbox / "crm_accounts.csv").write_text(accounts + last + "\n", encoding="utf-8")
    assert "conflicting_key" not in taken("demo", inbox).counts["customers"].quarantined
    other = re.sub(r'"(small|mid|enterprise)"', '"micro"', last)
    (inbox / "crm_accounts.csv").write_text(accounts + other + "\n", encoding="utf-8")
    after = taken("demo", inbox)
    assert after.counts["customers"].quarantined["conflicting_key"] >= 2
    gone = rows(after.con, f"select count(*) from canonical.customers where customer_id = '{last.split(',')[0].strip(chr(34))}'")
    assert gone == [(0,)]


@pytest.mark.long
def test_a_company_of_an_earlier_version_is_told_and_its_fix_works(tmp_path: Path) -> None:
    data = tmp_path / "company"
    given = settings_of("validate", [f"data={data}", f"out={tmp_path / 'out'}", "demo.customers=40", "demo.events=3000"])
    make_company(given, Steps(Path(given.out)))
    tickets = pd.read_csv(data / "tickets.csv", dtype="str")
    tickets.drop(columns=tickets.columns[-1]).to_csv(data / "tickets.csv", index=False)
    with pytest.raises(PrevenanceError, match=rf"made by an earlier version.*make demo ARGS='data={re.escape(str(data))}'") as error:
        load_inputs(given, Steps(Path(given.out)))
    assert error.value.code == "E301"
    make_company(given, Steps(Path(given.out)))
    assert load_inputs(given, Steps(Path(given.out))).counts["tickets"].used

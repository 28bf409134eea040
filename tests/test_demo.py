"""The demo company: its files, their flaws and their causes; and the shipped selects over them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import numpy as np
import pytest
import yaml

from prevenance.sources import demo, files
from prevenance.sources.demo_switches import LEAKS, Demo, demo_of
from prevenance.sources.demo_world import BLOCK, END, moments
from prevenance.sources.intake import Intake, Policy, Source, intake
from prevenance.tables import TABLES

CONF = Path(__file__).parent.parent / "conf" / "source"


def taken(name: str, data: Path) -> Intake:
    declared = yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8"))
    source = Source(
        name=name,
        selects={path.stem: path.read_text(encoding="utf-8") for path in sorted((CONF / name).glob("*.sql"))},
        files=declared["files"],
        timezone=declared["timezone"],
        static=declared["static"],
        delay_days=declared["delay_days"],
    )
    return intake(files.connect(), source, data, {table: Policy(on_bad_row="quarantine") for table in TABLES})


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object], Intake]:
    folder = tmp_path_factory.mktemp("demo")
    facts = demo.write(folder, Demo(customers=200, months=14))
    return folder, facts, taken("demo", folder)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        demo.write(tmp_path / name, Demo(customers=30, months=6, seed=3))
    demo.write(tmp_path / "other", Demo(customers=30, months=6, seed=4))
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one") != digests(tmp_path / "other")


@pytest.mark.parametrize(("customers", "months"), [(1, 1), (2, 3)])
def test_the_smallest_companies_can_be_read(tmp_path: Path, customers: int, months: int) -> None:
    facts = demo.write(tmp_path, Demo(customers=customers, months=months))
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
    con.execute(f"create or replace view log as from read_csv('{company[0] / 'crm_account_changes.csv'}', all_varchar = true)")
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
    (life,) = demo.lives(demo.world_of(Demo(customers=600, months=14, signal=signal)))
    days = (moments(life.block.people, "notice")[life.events.who] - life.events.at) / np.timedelta64(1, "D")
    logins = life.events.kind == 0
    share = np.sum(logins & (days >= 0) & (days < 28)) / np.sum(logins & (days >= 0) & (days < 140))
    assert low < share < high, "28 of 140 days are 0.2 of a steady use"


@pytest.mark.parametrize(("signal", "least", "most"), [(1.0, 0.3, 3.0), (0.0, -0.2, 0.2)])
def test_health_decides_who_leaves(signal: float, least: float, most: float) -> None:
    (life,) = demo.lives(demo.world_of(Demo(customers=800, months=18, signal=signal)))
    gone = ~np.isnat(moments(life.block.people, "turned"))
    gap = life.block.health[~gone].mean() - life.block.health[gone].mean()
    assert least < gap < most


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

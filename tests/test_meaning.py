"""What looks wrong in meaning: each kind planted alone in a clean world is named alone, in three languages, and nothing of a clean one is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from prevenance.publish.quality import _limit
from prevenance.sources.files import new_engine
from prevenance.sources.quality.ages import Age
from prevenance.sources.quality.meaning import meaning_of
from prevenance.sources.taken import Counts, Intake
from prevenance.tables.canonical import SQL_TYPES, TABLES
from prevenance.words import words
from prevenance.words.saying import said_in

AS_OF = datetime(2025, 1, 1)
DAY = "timestamp '2024-01-01 09:00' + interval (i) day"
# ruff: noqa: E501
CLEAN = {
    "customers": f"select 'c' || i as customer_id, 'Firm ' || i as name, {DAY} as event_at from range(40) r(i)",
    "tickets": f"""select 'c' || (i * 7 % 40) as customer_id, 't' || i as ticket_id, event, {DAY} + interval (case event when 'opened' then 0 else 5 end) hour as event_at,
        case i % 3 when 0 then 'billing' when 1 then 'access' else 'bug' end as category from range(360) r(i), (values ('opened'), ('resolved')) e(event)""",
    "usage": f"select 'c' || k as customer_id, 'use' as kind, 'maps' as feature, (i * 13 + k) % 11 as quantity, {DAY} as event_at from range(360) r(i), range(4) s(k)",
    "subscriptions": f"select 'c' || i as customer_id, 's' || i as subscription_id, 'started' as event, {DAY} as event_at from range(40) r(i)",
}  # fmt: skip
PLANTED = {
    "running_total": "update canonical.usage set quantity = date_diff('day', timestamp '2024-01-01', event_at)",
    "daily_totals": "insert into canonical.usage by name (select 'c' || k as customer_id, 'login' as kind, i * 7 % 13 as quantity, timestamp '2024-01-01' + interval (i) day as event_at from range(360) r(i), range(4) s(k))",
    "daily_totals of errors": "insert into canonical.usage by name (select 'c' || k as customer_id, 'error' as kind, i * 7 % 4 as quantity, timestamp '2024-01-01' + interval (i) day as event_at from range(360) r(i), range(4) s(k))",
    "daily_totals in local time": "insert into canonical.usage by name (select 'c' || k as customer_id, 'login' as kind, i * 7 % 13 as quantity, timestamp '2024-01-01' + interval (i) day - interval (case when i between 90 and 300 then 2 else 1 end) hour as event_at from range(360) r(i), range(4) s(k))",
    "unended unreadable": "delete from canonical.tickets where ticket_id in ('t7', 't8') and event = 'resolved'; create table quarantine.tickets as select 't7' as ticket_id, 'event_at: not a timestamp' as reason",
    "unended blank": "delete from canonical.tickets where ticket_id in ('t7', 't8') and event = 'resolved'; create table quarantine.tickets as select 't7' as ticket_id, 'event_at: blank' as reason",
    "unended far away": "delete from canonical.tickets where ticket_id in ('t7', 't8') and event = 'resolved'; create table quarantine.tickets as select 't7' as ticket_id, 'event_at: outside 1990..2100' as reason",
    "two_customers": "insert into canonical.tickets by name (select * replace ('c3' as customer_id) from canonical.tickets where ticket_id = 't1' and event = 'resolved')",
    "two_customers in contracts": "insert into canonical.subscriptions by name (select * replace ('c3' as customer_id) from canonical.subscriptions where subscription_id = 's1')",
    "many_names": "insert into canonical.customers by name (select * exclude (i) replace ('Other ' || i as name) from canonical.customers, range(3) r(i) where customer_id = 'c1')",
    "stopped": "delete from canonical.usage where event_at > timestamp '2024-09-01' and event_at < timestamp '2024-12-24 10:00'; delete from canonical.usage where event_at > timestamp '2024-12-24 10:00' and customer_id <> 'c1'",
    "ended_early": "delete from canonical.usage where event_at > timestamp '2024-09-01'",
    "ragged_begin": "insert into canonical.usage by name (select * replace (event_at - interval 900 day as event_at) from canonical.usage limit 2)",
    "ragged_end": "delete from canonical.usage where event_at > timestamp '2024-12-19 10:00' and customer_id <> 'c1'; delete from canonical.usage where event_at > timestamp '2024-12-19 10:00' and day(event_at) % 2 = 0",
    "many_openings": "insert into canonical.tickets by name (select * replace (event_at + interval 1 hour as event_at) from canonical.tickets where ticket_id = 't5' and event = 'opened')",
    "renamed": "update canonical.tickets set category = 'Zugang' where category = 'access' and event_at > timestamp '2024-06-15'",
    "one_moment": "update canonical.customers set event_at = timestamp '2023-05-05'",
    "solved_first": "update canonical.tickets set event_at = event_at - interval 9 hour where event = 'resolved'",
}  # fmt: skip


def world() -> Intake:
    taken = Intake(new_engine(), {}, [])
    for name, select in CLEAN.items():
        columns = ", ".join(f'"{one.name}" {SQL_TYPES[one.kind]}' for one in TABLES[name].columns)
        taken.con.execute(f"create table canonical.{name} ({columns}); insert into canonical.{name} by name ({select})")
        taken.con.execute(f"update canonical.{name} set known_at = event_at")
        taken.counts[name] = Counts(read=100, used=100)
    return taken


def test_a_clean_source_is_told_and_nothing_looks_wrong():
    found = meaning_of(world(), AS_OF, {"a.csv": "1", "b.csv": "2"})
    assert found.oddities == ()
    assert [(one.table, one.first, one.customers) for one in found.tables][:3] == [("customers", "2024-01-01", 40), ("tickets", "2024-01-01", 40), ("usage", "2024-01-01", 4)]  # fmt: skip
    assert found.tables[2].share == 0.1
    assert (found.tickets_a_month, found.contracts_running) == (30.5, 40)


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_meaning_is_named_alone(planted):
    taken = world()
    for statement in PLANTED[planted].split("; "):
        taken.con.execute(statement)
    named(meaning_of(taken, AS_OF, {}), planted.split(" ")[0])


def named(found, code):
    assert [one.code for one in found.oddities] == [code]
    told = {language: f"{said_in(words(language), found.oddities[0].what)} {said_in(words(language), found.oddities[0].fix)}" for language in ("en", "fr", "de")}  # fmt: skip
    assert len(set(told.values())) == 3
    assert not [text for text in told.values() if "Firm" in text or "Other" in text or "\n" in text]


GROWN = {  # clean logs of companies that begin, grow and rest
    "a pilot before the launch": "update canonical.customers set event_at = timestamp '2023-09-01' where customer_id in ('c0', 'c1'); insert into canonical.usage by name (select 'c' || k as customer_id, 'use' as kind, 'maps' as feature, i % 5 as quantity, timestamp '2023-09-04 09:00' + interval (7 * i) day as event_at from range(17) r(i), range(2) s(k))",
    "a first customer long before": "update canonical.customers set event_at = timestamp '2023-03-01' where customer_id = 'c0'; insert into canonical.tickets by name (select 'c0' as customer_id, 'u' || i as ticket_id, event, timestamp '2023-03-27 09:00' + interval (21 * i) day as event_at from range(13) r(i), (values ('opened'), ('resolved')) e(event))",
    "weekly, from the first customers on": "delete from canonical.usage where dayofweek(event_at) <> 1 or event_at < timestamp '2024-05-01' and customer_id <> 'c0'; update canonical.customers set event_at = event_at + interval 120 day where customer_id <> 'c0'",
    "a quiet week in a small log": "delete from canonical.tickets where event_at > timestamp '2024-12-18 08:00' and day(event_at) not in (20, 24)",
    "days between the years": "insert into canonical.usage by name (select * replace (event_at - interval 364 day as event_at) from canonical.usage); update canonical.customers set event_at = event_at - interval 364 day; delete from canonical.usage where event_at > timestamp '2024-12-19 10:00' and customer_id <> 'c1' or event_at between timestamp '2023-12-20 10:00' and timestamp '2023-12-28' and customer_id <> 'c1'",
}  # fmt: skip


@pytest.mark.parametrize("grown", GROWN)
def test_a_log_that_begins_with_its_customers_or_rests_is_not_ragged(grown):
    taken = world()
    for statement in GROWN[grown].split("; "):
        taken.con.execute(statement)
    assert [one.what for one in meaning_of(taken, AS_OF, {}).oddities] == []


def test_rows_of_nobody_tables_that_share_nobody_currencies_and_copies_are_named():
    lost, apart, money = world(), world(), world()
    lost.counts["usage"] = Counts(read=100, used=10, quarantined={"unknown_customer": 90})
    named(meaning_of(lost, AS_OF, {}), "nothing_joins")
    apart.derived_customers = True
    apart.con.execute("update canonical.tickets set customer_id = 'Firm ' || customer_id")
    assert {one.code for one in meaning_of(apart, AS_OF, {}).oddities} == {"nothing_joins"}
    money.currencies = {"invoices.Currency": ["EUR", "USD"]}
    named(meaning_of(money, AS_OF, {}), "two_currencies")
    named(meaning_of(world(), AS_OF, {"jan.csv": "1", "feb.csv": "1"}), "same_files")


def test_days_are_those_of_the_source() -> None:
    taken = world()
    taken.con.execute("update canonical.subscriptions set event_at = date_trunc('day', event_at) - interval 1 hour")
    there, utc = (
        next(one for one in meaning_of(taken, AS_OF, {}, zone).tables if one.table == "subscriptions") for zone in ("Europe/Berlin", "")
    )
    assert date.fromisoformat(there.first) == date.fromisoformat(utc.first) + timedelta(days=1)


def test_a_limit_that_would_stop_tonight_is_not_proposed() -> None:
    ages = [Age("customers", "2025-08-20T22:00:00Z", days, 4.0, 46) for days in (133.0, 12.0)]
    assert [_limit(one, words("en")) for one in ages] == [
        "no limit; older than its rhythm of at most 46 days",
        "no limit; set tables.customers.error_after=46",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("select 'c' || k as customer_id, 'login' as kind, 1 as quantity, timestamp '2024-01-01' + interval (i) day as event_at from range(360) r(i), range(4) s(k)", id="one each"),
        pytest.param("select 'c' || k as customer_id, 'login' as kind, 3 as quantity, timestamp '2024-01-01' + interval (i) day + interval (i * 37 % 1440) minute as event_at from range(360) r(i), range(4) s(k)", id="at their hour"),
        pytest.param("select 'c' || k as customer_id, 'error' as kind, 'f' || i % 9 as feature, 3 as quantity, timestamp '2024-01-01' + interval (i) day as event_at from range(360) r(i), range(4) s(k)", id="by feature"),
    ],
)  # fmt: skip
def test_logins_that_are_no_totals_of_a_day_are_not_named(rows):
    taken = world()
    taken.con.execute(f"insert into canonical.usage by name ({rows})")
    assert meaning_of(taken, AS_OF, {}).oddities == ()

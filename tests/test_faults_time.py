"""Faults of time: what was not known stays out, what cannot be is set apart, and a clock is never guessed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from amount import some
from company import ACCOUNTS, Company

from prevenance.history.history import as_of_instant

pytestmark = pytest.mark.long


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    return Company(tmp_path, capsys)


def tickets(*days: str, known: tuple[str, ...] = ()) -> str:
    head = "account,id,day,score,note" + (",known" if known else "")
    rows = [f"a,t{n},{day},1,x" + (f",{known[n]}" if known else "") for n, day in enumerate(days)]
    return "\n".join([head, *rows]) + "\n"


def with_known(company: Company) -> None:
    company.selects["tickets"] = company.selects["tickets"].replace("score", "known as known_at, score")


def test_fault_31_known_after_as_of_and_before_it_happened(company: Company) -> None:
    with_known(company)
    company.files["tickets.csv"] = tickets(
        *["2024-03-01 12:00"] * 4, known=("2024-03-02", "2024-04-02", "2024-03-01 11:56", "2024-03-01 11:54")
    )
    run = company.refused(
        "E302", "table=tickets", "column=known_at", "first=tickets.csv:5", "before event_at", overrides=("as_of=2024-04-01",)
    )
    run = company.passes("as_of=2024-04-01", run.setting())
    assert run.count("tickets") == (4, 2, {"after_as_of": 1}, {"known_at: before event_at": 1})
    assert run.rows("select known_at from canonical.tickets order by 1")[0][0] == datetime(2024, 3, 1, 12)


@pytest.mark.parametrize("day", some(["1970-01-01", "0001-01-01", "9999-12-31", "1900-01-00"], 1, 3))
@pytest.mark.parametrize("zone", some(["UTC", "Europe/Paris"], 1))
def test_fault_32_placeholders(company: Company, day: str, zone: str) -> None:
    company.settings["timezone"] = zone
    company.files["tickets.csv"] = tickets("2024-03-01", day)
    reason = "not a timestamp" if day.endswith("00") else "outside 1990..2100"
    run = company.refused("E302", "table=tickets", "column=event_at", "first=tickets.csv:3", reason, f'"{day}"')
    assert company.passes(run.setting()).count("tickets") == (2, 1, {}, {f"event_at: {reason}": 1})


def test_fault_33_no_zone(company: Company) -> None:
    company.settings["timezone"] = ""
    company.files["accounts.csv"] += "".join(f"c{n},2024-01-02,Bo,large\n" for n in range(10))
    run = company.refused("E206", "table=customers", "column=event_at", "accounts.csv:2", "timezone: Europe/Paris")
    found = re.search(r"write (timezone: \S+)", run.line)
    assert found
    company.paste(found.group(1))
    assert company.passes().count("tickets")[:2] == (8, 8)
    company.settings["timezone"] = "Europe/Pariss"
    run = company.refused("E207", 'did you mean "Europe/Paris"?')


def test_fault_34_gap_and_fold(company: Company) -> None:
    company.settings["timezone"] = "Europe/Paris"
    company.files["tickets.csv"] = tickets(
        "2024-03-31 02:30", "2024-10-27 02:30", "2024-10-27T02:30:00+02:00", "2024-10-27 03:30", "2024-03-31 03:30", "2024-07-01 02:30"
    )
    run = company.passes()
    found = [str(row[0]) for row in run.rows("select event_at from canonical.tickets order by ticket_id")]
    assert found[:3] == ["2024-03-31 01:30:00", "2024-10-27 01:30:00", "2024-10-27 00:30:00"]
    assert run.taken.counts["tickets"].warnings["clock_change"] == 2
    said = (
        "tickets.event_at: 1 time that Europe/Paris skips read as an hour later, 1 time that Europe/Paris has twice read as the later one"
    )
    assert said in run.messages
    company.files["tickets.csv"] = tickets("2024-10-27 03:30", "2024-03-31 03:30", "2024-03-31 01:59")
    assert "clock_change" not in company.passes().taken.counts["tickets"].warnings


def test_fault_35_day_and_month_mixed(company: Company) -> None:
    company.files["tickets.csv"] = tickets("25/03/2024", "04/03/2024", "03/26/2024")
    run = company.refused(
        "E302", "table=tickets", "column=event_at", "first=tickets.csv:2", '"25/03/2024"', "tickets.csv:4", '"03/26/2024"'
    )
    assert "timestamp_formats" not in run.line
    company.settings["timestamp_formats"] = ["%d/%m/%Y", "%m/%d/%Y"]
    company.refused("E302", "tickets.csv:2", "tickets.csv:4", "contradict")
    company.settings["timestamp_formats"] = []
    company.files["tickets.csv"] = tickets("2024-03-25", "2024-03-04", "2024-03-26")
    assert company.passes().count("tickets")[:2] == (3, 3)


@pytest.mark.parametrize(("days", "first"), [(("25/03/2024", "04/03/2024"), "25"), (("03/25/2024", "03/04/2024"), "25")])
def test_fault_35_one_order_has_a_line_to_paste(company: Company, days: tuple[str, ...], first: str) -> None:
    company.files["tickets.csv"] = tickets(*days)
    company.files["accounts.csv"] = ACCOUNTS.replace("2024-01-01", "01/01/2024").replace("2024-01-02", "02/01/2024")
    company.files["accounts.csv"] = ACCOUNTS
    run = company.refused("E302", "table=tickets", "column=event_at", "timestamp_formats: [")
    found = re.search(r"(timestamp_formats: \[.*?\])", run.line)
    assert found
    company.paste(found.group(1))
    run = company.passes()
    assert run.rows("select min(event_at), max(event_at) from canonical.tickets") == [(datetime(2024, 3, 4), datetime(2024, 3, 25))]


@pytest.mark.parametrize("odd", ["unbekannt", "31.02.2024", "00.00.0000", "siehe Mahnung", ""])
def test_formats_that_would_read_none_of_what_is_unread_are_no_advice(company: Company, odd: str) -> None:
    company.files["tickets.csv"] = tickets("25.03.2024", odd, "26.03.2024")
    company.settings["timestamp_formats"] = ["%d.%m.%Y", "%Y-%m-%d"]
    line = company.refused("E302", "table=tickets", "column=event_at", "tables.tickets.on_bad_row=quarantine").line
    assert "timestamp_formats" not in line


WAYS = [
    ("20240325", "20240401"),
    ("20240325T103000Z", "20240401T000000Z"),
    ("25.03.24", "01.04.24"),
    ("3/25/24 9:05", "4/1/24 17:30"),
    ("03/25/2024 10:30 PM", "04/01/2024 01:05 AM"),
    ("25 Mar 2024", "01 May 2024"),
    ("25-May-2024 10:30", "01-May-2024 09:00"),
    ("March 25, 2024", "May 1, 2024"),
    ("1711362600", "1711929600"),
    ("1711362600000", "1711929600000"),
    ("45376", "45383.5"),
    ("45376", "45383,5"),
    ("1711362600000000", "1711929600000000"),
    ("Mon, 25 Mar 2024 10:30:00 GMT", "Mon, 01 Apr 2024 09:00:00 GMT"),
    ("Mon Mar 25 10:30:00 2024", "Mon Apr 01 09:00:00 2024"),
    ("20240325T103000", "20240401T090000"),
    ("25.03.2024 10:30 +0100", "01.04.2024 09:00 +0200"),
    ("2024.03.25", "2024.04.01"),
    ("25/Mar/24 10:30 AM", "01/Apr/24 09:00 PM"),
    ("March 25, 2024 at 10:30 PM", "April 1, 2024 at 9:00 AM"),
    ("3/25/24 10:30 PM", "4/1/24 9:05 AM"),
    ("2024-03-25 10h30", "2024-04-01 9h05"),
]


@pytest.mark.parametrize("days", some([(one,) for one in WAYS], 1, 4, 8, 10, 11, 13))
def test_each_way_to_write_a_time_has_a_line_to_paste(company: Company, days: tuple[str, ...]) -> None:
    company.files["tickets.csv"] = tickets(*(f'"{day}"' for day in days))
    line = company.refused("E302", "column=event_at", "not a timestamp").line.partition("FIX: write ")[2]
    if line.startswith("timestamp_formats"):
        company.settings |= yaml.safe_load(line.partition(" in the source")[0])
        company.files["accounts.csv"] = ACCOUNTS
    else:
        company.selects["tickets"] = company.selects["tickets"].replace("day as event_at", line.partition(" in tickets.sql")[0])
    run = company.passes()
    assert run.count("tickets")[:2] == (2, 2)
    found = run.rows("select min(event_at), max(event_at) from canonical.tickets")[0]
    assert [f"{one:%Y}" for one in found] == ["2024", "2024"]


def test_numbers_that_were_rounded_are_no_times(company: Company) -> None:
    company.files["tickets.csv"] = tickets("1.7113626E+9", "1.7119296E+9")
    assert "strftime" not in company.refused("E302", "not a timestamp").line


def test_two_ways_that_both_fit_are_not_chosen_between(company: Company) -> None:
    company.files["tickets.csv"] = tickets("03/04/24", "05/06/24")
    assert "timestamp_formats" not in company.refused("E302", "not a timestamp").line


def test_times_that_are_dates_are_told_with_the_line_that_makes_them_dates(company: Company) -> None:
    days = [f"2024-05-{n:02d} 00:00:00" for n in range(1, 29)]
    company.files["tickets.csv"] = tickets(*days)
    line = re.findall(r"tickets.event_at: all 28 times are 00:00, .* write (.*) in tickets.sql", company.passes().messages)[0]
    company.selects["tickets"] = company.selects["tickets"].replace("day as event_at", line)
    run = company.passes()
    assert "00:00, and count" not in run.messages
    assert run.rows("select distinct known_at - event_at from canonical.tickets") == [(timedelta(days=1),)]
    company.files["tickets.csv"] = tickets(*days[:-1], "2024-05-28 09:00:00")
    assert "00:00, and count" not in company.passes().messages


@pytest.mark.parametrize("late", [("2026-06-10",), ("2025-01-01", "2025-07-01", "2026-01-01"), ("2025-06-01 09:00",)])
def test_an_end_where_hardly_anything_happened_is_told_with_the_date_to_set(company: Company, late: tuple[str, ...]) -> None:
    company.files["tickets.csv"] = tickets(*[f"2024-{5 + n // 28:02d}-{n % 28 + 1:02d} 10:00" for n in range(56)] * 2, *late)
    found = re.findall(
        r"before it hold 1 rows of what happened, where \d+ are usual; if these are planned or a slip, set (as_of=\S+)",
        company.passes().messages,
    )
    assert found == ["as_of=2024-06-28T10:00:00Z"]
    assert "are usual" not in company.passes(found[0]).messages


@pytest.mark.parametrize("none", ["9999-12-31", "1900-01-01 00:00:00", "2999-12-31T00:00:00Z"])
def test_a_date_that_stands_for_none_gets_the_line_that_leaves_it_out(company: Company, none: str) -> None:
    company.selects["subscriptions"] = (
        "select account as customer_id, id as subscription_id, 'started' as event, day as event_at, ends as ends_on, _file, _line from tickets "
        "union all by name select account as customer_id, id as subscription_id, 'ended' as event, ends as event_at, _file, _line from tickets"
    )
    company.files["tickets.csv"] = "account,id,day,score,note,ends\n" + f"a,t1,2024-03-01,1,x,{none}\nb,t2,2024-03-02,1,x,2024-05-01\n"
    fix = company.refused("E302", "table=subscriptions", "column=event_at", f'"{none}" stands for no date').line.partition("FIX: ")[2]
    company.selects["subscriptions"] += " " + fix.split("`")[1]
    fix = company.refused("E302", "table=subscriptions", "column=ends_on", f'"{none}" stands for no date').line.partition("FIX: write ")[2]
    company.selects["subscriptions"] = company.selects["subscriptions"].replace(
        "ends as ends_on", fix.partition(" in subscriptions.sql")[0]
    )
    assert company.passes().count("subscriptions")[0] == 3


def test_fault_36_known_before_it_happened(company: Company) -> None:
    with_known(company)
    company.files["tickets.csv"] = tickets("2024-03-02", "2024-03-02", known=("2024-03-01", "2024-03-02"))
    run = company.refused("E302", "table=tickets", "column=known_at", "rows=1", "first=tickets.csv:2", "before event_at")
    assert company.passes(run.setting()).count("tickets") == (2, 1, {}, {"known_at: before event_at": 1})


@pytest.mark.parametrize(("day", "formats"), [("2024-06-10", []), ("10/06/2024", ["%d/%m/%Y", "%d/%m/%Y %H:%M"])])
def test_a_bare_date_is_known_when_its_day_is_over(company: Company, day: str, formats: list[str]) -> None:
    company.files["accounts.csv"] = ACCOUNTS.replace("2024-01-01", day.replace("10", "02")).replace("2024-01-02", day.replace("10", "03"))
    company.files["tickets.csv"] = tickets(day, f"{day} 08:00")
    company.settings |= {"timezone": "Europe/Paris", "timestamp_formats": formats}
    instants = "select event_at, known_at from canonical.tickets order by ticket_id"
    midnight, over, morning = datetime(2024, 6, 9, 22), datetime(2024, 6, 10, 22), datetime(2024, 6, 10, 6)
    run = company.passes()
    assert run.rows(instants) == [(midnight, over), (morning, morning)]
    assert run.taken.as_of == over
    company.settings["delay_days"] = {"tickets": 0}
    assert company.passes().rows(instants) == [(midnight, midnight), (morning, morning)]


def test_a_bare_date_of_knowing_is_the_evening_of_its_day(company: Company) -> None:
    with_known(company)
    company.files["tickets.csv"] = tickets("2024-06-10 14:00", "2024-06-10", known=("2024-06-10", "2024-06-11"))
    found = company.passes().rows("select known_at from canonical.tickets order by ticket_id")
    assert found == [(datetime(2024, 6, 11),), (datetime(2024, 6, 12),)]


def contracts_ahead(company: Company) -> None:
    company.files["contracts.csv"] = "account,from,to\na,2024-01-01,2025-06-16\nb,2024-01-02,\n"
    company.settings["files"]["contracts"] = "contracts.csv"
    begun = (
        "select account as customer_id, account as subscription_id, 'started' as event, \"from\" as event_at, _file, _line from contracts"
    )
    ended = begun.replace("started", "ended").replace('"from"', '"to"') + " where \"to\" <> ''"
    company.selects["subscriptions"] = f"{begun} union all by name {ended}"


@pytest.mark.parametrize("late", ["2099-01-01", "2098-06-01 09:00", "2099-01-01T00:00:00Z"])
def test_what_is_dated_in_the_future_is_not_today_in_any_table(company: Company, late: str) -> None:
    company.files["tickets.csv"] = tickets("2024-03-01", "2024-03-09", late)
    run = company.passes()
    assert run.taken.as_of == datetime(2024, 3, 10)
    assert "as_of is 2024-03-10, the newest known_at of tickets until now; tickets has rows up to 209" in run.messages
    assert run.count("tickets")[2] == {"after_as_of": 1}


def test_planned_dates_are_not_today(company: Company) -> None:
    contracts_ahead(company)
    run = company.passes()
    assert run.taken.as_of == datetime(2024, 3, 9)
    assert (
        "as_of is 2024-03-09, the newest known_at of tickets; subscriptions has rows up to 2025-06-17, which lie ahead of it"
        in run.messages
    )
    assert run.count("subscriptions") == (3, 2, {"after_as_of": 1}, {})
    assert company.passes("as_of=2025-07-01").count("subscriptions") == (3, 3, {}, {})


def test_without_a_table_of_what_happened_the_newest_knowledge_is_now(company: Company) -> None:
    contracts_ahead(company)
    del company.selects["tickets"]
    run = company.passes()
    assert run.taken.as_of == datetime(2025, 6, 17)
    assert "lie ahead" not in run.messages


def test_fault_37_no_known_at(company: Company) -> None:
    with_known(company)
    company.files["tickets.csv"] = tickets("2024-03-01", "2024-03-01", known=("2024-03-02", ""))
    run = company.passes()
    assert run.count("tickets") == (2, 1, {"no_known_at": 1}, {})
    assert "tickets: 1 of 2 rows have no known_at and are not visible" in run.messages


def test_fault_38_exactly_at_the_cutoff(company: Company) -> None:
    from prevenance.history.history import upcoming_sql, visible_sql

    at = datetime(2024, 3, 1)
    company.files["tickets.csv"] = tickets(
        "2024-03-01T00:00:00", "2024-03-01T00:00:00.000001", "2024-03-31T00:00", "2024-03-31T00:00:00.000001"
    )
    run = company.passes()
    assert run.rows(f"select ticket_id from {visible_sql('tickets', at, 30)}") == [("t0",)]
    assert run.rows(f"select ticket_id from {upcoming_sql('tickets', at, 30, 0)} order by 1") == [("t1",), ("t2",)]


def backfilled(company: Company, live: int) -> None:
    with_known(company)
    start = datetime(2022, 1, 1)
    days = [start + timedelta(days=n) for n in range(0, 1000, 2)]
    load = days[-1 - live] if live else days[-1]
    known = [max(day, load) for day in days]
    company.files["accounts.csv"] = ACCOUNTS.replace("2024", "2021")
    company.files["tickets.csv"] = tickets(*(f"{day:%F}" for day in days), known=tuple(f"{day:%F}" for day in known))


def test_fault_39_backfilled_history(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.start.compose import settings_of
    from prevenance.base.errors import PrevenanceError
    from prevenance.runs.snapshots import cutoffs_of, target_of

    backfilled(company, live=0)
    given = settings_of("train", ["target=tickets", "source=helpdesk"])
    with pytest.raises(PrevenanceError, match=r"E601 target=tickets table=tickets .*only 0 of 24 snapshots have history") as refused:
        cutoffs_of(given, target_of(given), company.passes().taken)
    assert "source.delay_days.tickets=" in refused.value.fix
    assert "known_at" in refused.value.fix
    company.selects["tickets"] = company.selects["tickets"].replace("known as known_at, ", "")
    company.settings["delay_days"] = {"tickets": 1}
    assert len(cutoffs_of(given, target_of(given), company.passes().taken)) > 20


def test_fault_39_partly_backfilled_history_is_said(company: Company) -> None:
    from pipelines.start.compose import settings_of
    from prevenance.runs.snapshots import cutoffs_of, target_of

    backfilled(company, live=120)
    given = settings_of("train", ["target=tickets", "source=helpdesk"])
    run = company.passes()
    kept = cutoffs_of(given, target_of(given), run.taken)
    assert 0 < len(kept) < 24
    assert f"only {len(kept)} of 24 snapshots have history" in run.messages


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf"), 86_400])
def test_a_delay_that_cannot_be_is_refused(company: Company, days: float) -> None:
    company.settings["delay_days"] = {"tickets": days}
    run = company.refused("E202", "key=source.delay_days.tickets", "give days from 0 to 3650")
    assert company.passes(run.setting()).count("tickets")[0] == 8


def test_a_delay_of_no_table_names_the_nearest(company: Company) -> None:
    company.settings["delay_days"] = {"ticket": 2}
    company.refused("E201", "key=source.delay_days.ticket", 'did you mean "tickets"?')
    company.settings["delay_days"] = {}
    company.refused("E201", 'did you mean "tickets"?', overrides=("source.delay_days.Tickets=2",))


def test_fault_40_leap_day_year_end_and_the_future(company: Company) -> None:
    assert as_of_instant("2024-02-29", "Europe/Paris") == datetime(2024, 2, 28, 23)
    assert as_of_instant("2024-12-31T23:59:59.999999+00:00", "UTC") == datetime(2024, 12, 31, 23, 59, 59, 999999)
    company.files["tickets.csv"] = tickets("2024-02-29", "2024-12-31T23:59:59", "2025-01-01", "2023-02-29")
    run = company.passes("tables.tickets.on_bad_row=quarantine")
    assert run.count("tickets") == (4, 3, {}, {"event_at: not a timestamp": 1})
    run = company.refused("E208", "as_of=2999-01-01", "future", overrides=("as_of=2999-01-01",))
    found = re.search(r"up to (\d{4}-\d\d-\d\d)", run.line)
    assert found
    company.passes(f"as_of={found.group(1)}", "tables.tickets.on_bad_row=quarantine")
    company.refused("E208", "not a date", overrides=("as_of=2023-02-29",))


CONTRACTS = "account,id,started,ended,mrr\n"


def contracts(company: Company, *rows: str) -> None:
    company.settings["files"]["contracts"] = "contracts.csv"
    company.files["contracts.csv"] = CONTRACTS + "\n".join(rows) + "\n"
    company.selects["subscriptions"] = (
        "select account as customer_id, id as subscription_id, 'started' as event, started as event_at, mrr, _file, _line from contracts "
        "union all by name select account as customer_id, id as subscription_id, 'ended' as event, ended as event_at, _file, _line "
        "from contracts where ended <> ''"
    )


def test_a_notice_before_the_contract_began_is_called_a_notice(company: Company) -> None:
    contracts(company, "a,s1,2024-02-01,2024-01-20,5", "b,s2,2024-02-01,2024-03-01,5")
    company.selects["subscriptions"] = company.selects["subscriptions"].replace("'ended' as event", "'notice' as event")
    run = company.refused("E302", "table=subscriptions", "column=event", "first=contracts.csv:2", "noticed before it started")
    assert company.passes(run.setting()).count("subscriptions")[3] == {"event: noticed before it started": 1}


def test_fault_42_ended_before_it_started(company: Company) -> None:
    contracts(company, "a,s1,2024-02-01,2024-01-20,5", "b,s2,2024-02-01,2024-03-01,5")
    run = company.refused("E302", "table=subscriptions", "column=event", "first=contracts.csv:2", "ended before it started")
    run = company.passes(run.setting())
    assert run.count("subscriptions")[3] == {"event: ended before it started": 1}
    assert run.rows("select customer_id from canonical.subscriptions where event = 'started'") == [("b",)]


def test_fault_42_two_contracts_of_one_id_overlap(company: Company) -> None:
    contracts(company, "a,s1,2024-02-01,2024-06-01,5", "a,s1,2024-04-01,,5", "b,s2,2024-02-01,2024-03-01,5", "b,s2,2024-04-01,,5")
    run = company.refused("E302", "table=subscriptions", "column=event", "first=contracts.csv:3", "started while it runs")
    run = company.passes(run.setting(), "as_of=2024-07-01")
    assert run.count("subscriptions")[3] == {"event: started while it runs": 1}
    assert run.rows("select count(*) from canonical.subscriptions where customer_id = 'b'") == [(3,)]

"""Ready sources: exports as the products write them; ten customers and five labels of each worked out by hand from the definitions."""

from __future__ import annotations

import csv
import re
import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest
from vendor import EXPORTS, differences, history_of, labels_at, ready, rows_of

import prevenance as pv
from pipelines.start.compose import settings_of
from prevenance.sources.others import with_other_tables

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent

# ---- zendesk: cutoff 2024-07-01 00:00 in Paris; windows (cutoff - 28 days, cutoff] begin 06-03 00:00, of 90 days 04-02 00:00 ----
ZENDESK = {
    # 06-28 09:00, taken 09:30, answered after 60 minutes, solved 06-29 09:00 = 24 h; Zendesk closed it on 07-03, which moves nothing
    "Alder": (
        "tickets_7d=1 tickets_28d=1 tickets_90d=1 first_reply_hours_90d=1 solution_hours_90d=24 tickets_open=0 "
        "reopened_share_90d=0"
    ),
    # 06-10 08:00, solved first after 600 minutes, came back, solved last on 06-12 08:00: 48 h from its opening; a suspended ticket is none
    "Birch": "tickets_28d=1 tickets_reopened_28d=1 reopened_share_90d=1 solution_hours_90d=48 first_reply_hours_90d=2 tickets_open=0",
    # two requests on 06-20: at 10:00, merged away at 12:00 (2 h); at 09:00, urgent, nobody's since: 10 days 15 h = 10.625 old
    "Cedar": (
        "tickets_28d=2 urgent_tickets_28d=1 tickets_open=1 oldest_open_ticket_days=10.625 tickets_unassigned_over_24h=1 "
        "solution_hours_90d=2 tickets_taken_after_24h_90d=1"
    ),
    # a deleted ticket is none; the other is of 03-01 10:00: 121 days and 14 h to 07-01 00:00, less the hour of 31 March; rated bad
    "Dogwood": "tickets_28d=0 tickets_90d=0 days_since_ticket=121+13/24 ticket_score_last=0 solution_hours_90d=none first_90d_tickets=1",
    # 05-01 09:00 solved after a day, came back, was touched last on 06-15 09:00 and is open: 60 days 15 h old
    "Elm": (
        "tickets_28d=0 tickets_90d=1 tickets_open=1 tickets_open_again=1 oldest_open_ticket_days=60.625 days_since_reopened=15.625 "
        "solution_hours_90d=none tickets_reopened_28d=1"
    ),
    # 06-01 08:00, first group 09:00, second 14:00: one hand-off; solved 20:00 = 12 h; opened two days before the 28 begin; rated good
    "Fir": "tickets_28d=0 tickets_90d=1 handoffs_per_ticket_90d=1 solution_hours_90d=12 first_reply_hours_90d=1.5 ticket_score_90d=1",
    # 05-10 09:00 to 17:00 = 8 h, first reply after 20 minutes; a rating that was offered is none; the ticket of 07-10 is to come
    "Gum": "tickets_28d=0 tickets_90d=1 solution_hours_90d=8 first_reply_hours_90d=1/3 ticket_score_last=none",
    # on hold is open: 06-15 12:00 to 07-01 00:00 = 15.5 days
    "Hazel": "tickets_28d=1 tickets_open=1 oldest_open_ticket_days=15.5 tickets_open_again=0",
    # 06-30 23:59 and 07-01 00:00, which is the cutoff itself and counts
    "Iroko": "tickets_7d=2 tickets_90d=2 tickets_open=2 oldest_open_ticket_days=1/1440",
    # 05-05 12:00, closed without having been solved on 05-08 12:00 = 72 h; nobody took it before that
    "Juniper": "tickets_28d=0 tickets_90d=1 tickets_open=0 solution_hours_90d=72 tickets_taken_after_24h_90d=1",
}  # fmt: skip
# (07-01 00:00, 07-31 00:00]: Alder's next is at its very end, Birch's a minute later; Gum's on 07-10; Hazel's in August; Dogwood's was deleted
ZENDESK_LABELS = {"Alder": 1, "Birch": 0, "Gum": 1, "Hazel": 0, "Dogwood": 0}


def test_zendesk_by_hand():
    history = ready("zendesk", "Europe/Paris")
    assert differences(history.features("tickets", cutoffs=["2024-07-01"]), ZENDESK) == {}
    assert labels_at(history, "tickets", "2024-07-01").items() >= ZENDESK_LABELS.items()
    # of 20 rows two were deleted, one suspended, and one is of nobody's organisation
    assert "tickets: the select keeps 16 of the 20 rows of zendesk_tickets" in history.messages
    assert history.counts["quarantined"].sum() == 0
    assert rows_of(history, "tickets", "Elm") == [
        ("opened", "2024-05-01 07:00"), ("assigned", "2024-05-01 07:30"), ("replied", "2024-05-01 07:45"),
        ("resolved", "2024-05-02 07:00"), ("reopened", "2024-06-15 07:00"),
    ]  # fmt: skip


# ---- stripe: cutoff 2024-07-01 00:00 UTC; churn asks about (07-01, 09-29]; (cutoff - 90 days, cutoff] begins 04-02 ----
STRIPE = {
    # 3 x 20 a month since 01-15 10:00: 168 days less 10 h; charged and paid on 06-15 11:00, 15 days 13 h before
    "cus_Ada": (
        "contracts_running=1 seats=3 mrr=60 contract_age_days=168-10/24 invoiced_90d=60 invoices_overdue=0 late_payments_365d=0 "
        "late_share_365d=0 days_since_payment=15+13/24"
    ),
    # 1,200 a year = 100 a month, since the trial ended on 05-15: 47 days; paid on 06-20 what was due on 06-14; the trial's bill of 0 is none
    "cus_Ben": "mrr=100 contract_age_days=47 invoiced_90d=1200 late_payments_365d=1 late_share_365d=1 late_by_days_365d=6",
    # asked to cancel on 06-20, runs until 07-31: 30 days to go
    "cus_Cat": "contracts_running=1 mrr=50 days_to_end=30 contract_age_days=152 invoiced_90d=0 invoices_overdue=none",
    # 10 a week = 10 x 52 / 12; 80 charged on 06-25 and never paid: 6 days late, given up later or not
    "cus_Dan": "mrr=43.3333 contract_age_days=122 invoices_overdue=1 oldest_overdue_days=6 amount_overdue=80 late_payments_365d=0",
    # one contract ended on 05-31, another began on 06-10: 21 days; 2 x 30 now, 1 x 30 at 04-02; covered by credit: 0 asked for
    "cus_Fay": (
        "contracts_running=1 contract_age_days=21 mrr=60 mrr_change_90d=30 seats_change_90d=1 contracts_ended_365d=1 "
        "contracts_started_365d=2 invoiced_90d=0"
    ),
    # 40 + 2 x 10; a card that was charged on 06-01 and worked on 06-04: 3 days late
    "cus_Gil": "contracts_running=2 products_held=2 seats=3 mrr=60 late_payments_365d=1 late_by_days_365d=3 days_since_payment=27",
    # a customer that was deleted since: known by its subscription, 2023-07-01 to 2024-07-01 is 366 days
    "cus_Hal": "contracts_running=1 mrr=25 tenure_days=366 contract_age_days=366",
    # 100 voided; 100 paid with 70 and a credit note of 30, two days before it was due; 50 not due before 07-10
    "cus_Ivy": "mrr=100 invoiced_90d=250 invoices_overdue=0 amount_overdue=0 late_payments_365d=0 late_share_365d=0 days_since_payment=3",
    # a draft is no invoice, and gives no word on payments
    "cus_Jon": "contracts_running=1 mrr=15 days_to_end=none invoiced_90d=0 invoices_overdue=none",
    # 1 a day = 365 / 12; what is on trial in September is none of it
    "cus_Lou": "contracts_running=1 mrr=30.4167 contract_age_days=11",
}  # fmt: skip
# Dan's and Hal's only contracts ended in August and September; Gil's second ended, the first runs; Jon gave notice on 09-28, Kim on 09-30
STRIPE_LABELS = {"cus_Dan": 1, "cus_Hal": 1, "cus_Gil": 0, "cus_Jon": 1, "cus_Kim": 0}


def test_stripe_by_hand():
    history = ready("stripe")
    assert differences(history.features("churn", cutoffs=["2024-07-01"]), STRIPE) == {}
    assert labels_at(history, "churn", "2024-07-01").items() >= STRIPE_LABELS.items()
    states = history.cohort("churn", cutoffs=["2024-07-01"]).droplevel("cutoff")["state"]
    assert states["cus_Cat"] == "too_late"
    assert {"cus_Eve", "cus_Inc"}.isdisjoint(states.index)  # a trial that nobody paid for, a first payment that failed
    assert history.counts["quarantined"].sum() == 0
    assert rows_of(history, "invoices", "cus_Ivy")[:2] == [("issued", "2024-06-01 00:00"), ("issued", "2024-06-02 00:00")]


# ---- several products in one source ----
ACME = {
    "acme.yaml": "defaults: [stripe, zendesk, _self_]\nname: acme\ntimezone: Europe/Paris\nfiles: {ids: ids.csv}\ntargets: {churn: {kind: contract}, tickets: {}}\n",
    "acme/customers.sql": "select * from stripe.customers",
    "acme/subscriptions.sql": "-- as stripe.subscriptions says\nselect * from stripe.subscriptions;",
    "acme/tickets.sql": "select i.stripe as customer_id, t.* exclude (customer_id) from zendesk.tickets t join ids i on i.zendesk = t.customer_id",
}  # fmt: skip


def acme(root: Path, **changed: str) -> tuple[Path, Path]:
    """Write the conf folder and the exports of a company with Stripe and Zendesk, without Stripe's invoices."""
    conf, data = root / "conf", root / "data"
    for name, text in (ACME | changed).items():
        path = conf / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    data.mkdir()
    (data / "ids.csv").write_text("zendesk,stripe\nAlder,cus_Ada\nCedar,cus_Cat\n")
    for path in (*(EXPORTS / "stripe").glob("[us]*.csv"), *(EXPORTS / "zendesk").glob("*.csv")):
        shutil.copy(path, data)
    return conf, data


def test_a_source_takes_tables_of_several_products(tmp_path):
    conf, data = acme(tmp_path)
    history = history_of("acme", data, conf)
    assert history.tables == ["customers", "subscriptions", "tickets"]  # no invoices were asked for, and none are missed
    found = history.features("churn", cutoffs=["2024-07-01"]).droplevel("cutoff")
    assert found.loc["cus_Ada", ["mrr", "seats", "tickets_28d"]].tolist() == [60, 3, 1]
    assert found.loc["cus_Cat", ["mrr", "tickets_28d", "tickets_open"]].tolist() == [50, 2, 1]
    assert found.loc["cus_Ben", "tickets_28d"] == 0
    # each product keeps its own clock: Stripe's UTC, and the zone of the source for Zendesk's
    ada = history.table("tickets").query("customer_id == 'cus_Ada' and event == 'resolved'")["event_at"]
    assert str(ada.iloc[0]) == "2024-06-29 07:00:00"
    assert ("started", "2024-01-15 10:00") in rows_of(history, "subscriptions", "cus_Ada")


def test_a_table_of_a_product_whose_files_are_not_taken_says_the_line_to_write(tmp_path):
    conf, data = acme(tmp_path, **{"acme.yaml": ACME["acme.yaml"].replace("defaults: [stripe, zendesk, _self_]\n", "")})
    with pytest.raises(
        pv.PrevenanceError, match=r"customers.sql reads a table of stripe, and files of acme does not name stripe_customers"
    ) as told:
        history_of("acme", data, conf)
    assert told.value.fix == "write defaults: [stripe, zendesk, _self_] in source/acme.yaml"
    with (conf / "source/acme.yaml").open("a") as yaml:
        yaml.write("defaults: [stripe, zendesk, _self_]\n")
    history_of.cache_clear()
    assert "tickets" in history_of("acme", data, conf).tables


def test_a_table_that_is_made_of_itself_is_refused(tmp_path):
    conf, data = acme(tmp_path, **{"acme/tickets.sql": "select * from beta.tickets", "beta/tickets.sql": "select * from acme.tickets"})
    with pytest.raises(pv.PrevenanceError, match=r"tickets.sql is made of itself: acme.tickets reads beta.tickets reads acme.tickets"):
        history_of("acme", data, conf)


@pytest.mark.parametrize(
    "select",
    [
        "select 1 -- as zendesk.tickets",
        "select 'zendesk.tickets' as x",
        'select "zendesk.tickets" from x',
        "select zendesk.tickets.x from zendesk",
        "select t.tickets from t",
        "select * from zendesk.users",
    ],
)
def test_what_names_no_table_of_another_source_stays(select):
    assert with_other_tables("acme", {"tickets": select}, [], [ROOT / "conf"]) == {"tickets": select}


# ---- hubspot: cutoff 2024-07-01 00:00 in Paris (2024-06-30 22:00 UTC); churn asks about (07-01, 09-29 00:00] ----
HUBSPOT = {
    # 500 since 01-01 12:00, in winter: 181.5 days and the hour of 31 March less; a ticket of 06-20 10:00, reply 12:00, closed a day later
    "101": "contracts_running=1 mrr=500 contract_age_days=181.5-1/24 tickets_28d=1 first_reply_hours_90d=2 solution_hours_90d=24 tickets_open=0",
    # deal and ticket name two companies that were merged into this one; urgent, from 06-28 00:00 on: 3 days, nobody's
    "102": "mrr=300 tickets_7d=1 urgent_tickets_28d=1 tickets_open=1 oldest_open_ticket_days=3 tickets_unassigned_over_24h=1",
    # 100, upgraded to 150 on 06-01: one runs, 29.5 days; at 04-02 it was 100
    "103": "contracts_running=1 mrr=150 mrr_change_90d=50 contract_age_days=29.5 tickets_90d=0",
    # closed on 06-02, open again at the latest on 06-10 09:00: 20 days 15 h; opened on 06-01 09:00, 29 days 15 h
    "104": "mrr=80 tickets_28d=0 tickets_90d=1 tickets_open=1 tickets_open_again=1 days_since_reopened=20.625 oldest_open_ticket_days=29.625",
    # renewed on 06-15 09:00: 15 days 15 h
    "107": "contracts_running=1 mrr=66 contract_age_days=15.625",
    "108": "contracts_running=1 mrr=40 tickets_90d=0 industry=Retail country=Germany",
    # in the CRM since 2023-06-01 09:00: 395 days (one of a leap year) and 15 h, both in summer
    "109": "contracts_running=1 mrr=40 tenure_days=395.625",
    # of two companies the first; 05-01 09:00 to 05-03 09:00 = 48 h
    "110": "mrr=20 contract_age_days=61 tickets_28d=0 tickets_90d=1 solution_hours_90d=48",
    # 2023-07-01 10:00: 366 days less 10 h
    "111": "mrr=200 contract_age_days=366-10/24 tickets_90d=0",
    # 70 + 30; two open tickets, of 06-24 00:00, where the 7 days begin and which they leave out, and of 06-30 09:00
    "112": "contracts_running=2 mrr=100 tickets_7d=1 tickets_28d=2 tickets_open=2 oldest_open_ticket_days=7",
}  # fmt: skip
# 104 ended on 08-31; 108 on 09-29, the last day that is asked about; 109 a day later; of 112 one runs on; 101 runs
HUBSPOT_LABELS = {"104": 1, "108": 1, "109": 0, "112": 0, "101": 0}


def test_hubspot_by_hand():
    history = ready("hubspot", "Europe/Paris")
    assert differences(history.features("churn", cutoffs=["2024-07-01"]), HUBSPOT) == {}
    assert labels_at(history, "churn", "2024-07-01").items() >= HUBSPOT_LABELS.items()
    assert {"105", "106"}.isdisjoint(labels_at(history, "churn", "2024-07-01"))  # a deal that is not won, a single sale
    assert history.counts["quarantined"].sum() == 0
    assert "tickets: the select keeps 7 of the 8 rows of hubspot_tickets" in history.messages


# ---- salesforce: cutoff 2024-07-01 00:00 UTC; churn asks about (07-01, 09-29 00:00]; a date is known when its day is over ----
def account(number: int) -> str:
    return f"0015g00000ACC{number:02d}AAA"


SALESFORCE = {
    # 12,000 for 12 months, from 01-01: 182 days. A case of 06-20 10:00 to 06-21 10:00 = 24 h, taken at 10:30, waiting from 11:00 to 15:00 = 4 of them;
    # the change of owner stands twice in the history and is one
    account(1): "contracts_running=1 mrr=1000 contract_age_days=182 tickets_28d=1 solution_hours_90d=24 waiting_share_90d=1/6 "
    "clarifications_per_ticket_90d=1 handoffs_per_ticket_90d=0 tickets_taken_after_24h_90d=0 tickets_open=0 part_of_group=0",
    # 1,200 + 600 for 6 months; what was lost counts for nothing
    account(2): "contracts_running=1 mrr=300 contract_age_days=122 tickets_90d=0",
    # over on 07-01 00:00, which is known a day later: it runs, since 2023-07-01
    account(3): "contracts_running=1 mrr=100 contract_age_days=366",
    # deleted with its contract and its case of 06-29 since, and was there then; no opportunity names the contract
    account(4): "contracts_running=1 mrr=none contract_age_days=151 tickets_7d=1 tickets_open=1 oldest_open_ticket_days=2",
    # 06-01 09:00, closed a day later, again open on 06-10 09:00 (20 days 15 h), two owners after that, escalated; and one that was merged after 3 h
    account(7): "contracts_running=1 tickets_28d=1 tickets_90d=2 tickets_open=1 tickets_open_again=1 tickets_open_escalated=1 tickets_escalated_28d=1 "
    "tickets_reopened_28d=1 days_since_reopened=20.625 handoffs_per_ticket_90d=1/2 reopened_share_90d=1/2 solution_hours_90d=3",
    # 04-10 09:00 to 04-12 09:00, without history: 48 h, and nobody had it in the first 24
    account(8): "contracts_running=1 contract_age_days=91 tickets_90d=1 solution_hours_90d=48 tickets_taken_after_24h_90d=1",
    # 2023-09-29 to 2024-07-01
    account(9): "contracts_running=1 contract_age_days=276 tickets_90d=0",
    account(10): "contracts_running=1 contract_age_days=275 industry=Energy country=France",
    account(11): "contracts_running=1 contract_age_days=61 part_of_group=1",
    # 400 / 8 + 600 / 12; a contract and a case that were deleted are none
    account(12): "contracts_running=2 mrr=100 contract_age_days=182 tickets_28d=0 tickets_90d=0",
}  # fmt: skip
# 2 was over on 09-01, 9 on 09-29 00:00, the end of the window; 10 a day later; 3 was renewed; of 12 one goes on
SALESFORCE_LABELS = {account(2): 1, account(9): 1, account(10): 0, account(3): 0, account(12): 0}


def test_salesforce_by_hand():
    history = ready("salesforce")
    assert differences(history.features("churn", cutoffs=["2024-07-01"]), SALESFORCE) == {}
    labels = labels_at(history, "churn", "2024-07-01")
    assert labels.items() >= SALESFORCE_LABELS.items()
    assert labels[account(4)] == 1
    assert {account(5), account(6)}.isdisjoint(labels)  # a draft, an account that was merged into another
    assert history.counts["quarantined"].sum() == 0


def test_salesforce_by_data_loader_says_the_same(tmp_path):
    for path in (EXPORTS / "salesforce").glob("*.csv"):
        text = path.read_text()
        text = re.sub(r'"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)"', r'"\1T\2.000Z"', text).replace('"000000000000000AAA"', '""')
        (tmp_path / path.name.lower()).write_text(re.sub('"([01])"', lambda found: '"true"' if found.group(1) == "1" else '"false"', text))
    assert differences(history_of("salesforce", tmp_path).features("churn", cutoffs=["2024-07-01"]), SALESFORCE) == {}


# ---- jira, freshdesk: cutoff 2024-07-01 00:00 in Paris; intercom: in New York. What the three exports say alike: ----
ALIKE = {
    # 06-20 10:00, answered at 12:00, solved a day later; what is closed after that moves nothing
    "Acacia": "tickets_7d=0 tickets_28d=1 tickets_90d=1 first_reply_hours_90d=2 solution_hours_90d=24 tickets_open=0",
    # open and nobody's since 06-28 00:00
    "Beech": "tickets_7d=1 tickets_28d=1 tickets_open=1 oldest_open_ticket_days=3 tickets_unassigned_over_24h=1",
    # 05-01 09:00 to 05-03 09:00
    "Cypress": "tickets_28d=0 tickets_90d=1 solution_hours_90d=48 tickets_open=0",
    # 06-01 09:00, open: 29 days 15 h
    "Elder": "tickets_28d=0 tickets_90d=1 tickets_open=1 oldest_open_ticket_days=29.625",
    # 12 h and 6 h: 9 on average
    "Fig": "tickets_28d=1 tickets_90d=2 solution_hours_90d=9 tickets_open=0",
    # 06-25 11:00, open: 5 days 13 h
    "Hornbeam": "tickets_open=1 oldest_open_ticket_days=5+13/24",
    # at the cutoff, and a minute later
    "Ivy": "tickets_7d=1 tickets_28d=1 tickets_90d=1 tickets_open=1 oldest_open_ticket_days=0",
    "Larch": "tickets_28d=0 tickets_90d=1 solution_hours_90d=1/2",
    # 05-15 00:05 to 12:05: five past midnight and past noon
    "Maple": "tickets_28d=0 tickets_90d=1 solution_hours_90d=12",
    # 2023-09-01 09:00, summer as in July: 303 days 15 h
    "Nutmeg": "tickets_28d=0 tickets_90d=0 days_since_ticket=303.625 solution_hours_90d=none",
}
JIRA = {
    "Beech": "urgent_tickets_28d=1",  # Highest
    "Elder": "tickets_open_again=1 days_since_reopened=20.625 first_reply_hours_90d=4 reopened_share_90d=1",  # back on 06-10 09:00
    "Fig": "ticket_score_last=4 ticket_score_90d=5/2",
    "Hornbeam": "tickets_7d=2 tickets_open=1 solution_hours_90d=1",  # a duplicate was a request, for an hour
    "Larch": "ticket_categories_90d=1",
}
FRESHDESK = {
    "Beech": "urgent_tickets_28d=1",
    "Elder": "tickets_open_again=0 first_reply_hours_90d=4",
    "Fig": "ticket_score_last=2 ticket_score_90d=1/2",  # very happy is 2, unhappy -1
    "Hornbeam": "tickets_7d=2 solution_hours_90d=1 ticket_categories_90d=2",
}
INTERCOM = {
    "Acacia": "handoffs_per_ticket_90d=0 tickets_taken_after_24h_90d=0",
    "Cypress": "handoffs_per_ticket_90d=1 tickets_reopened_90d=1 reopened_share_90d=1 days_since_reopened=58.625",  # closed again on 05-03 09:00
    "Elder": "tickets_open_again=1 days_since_reopened=20.625",  # closed on 06-02, open, touched on 06-10 09:00
    "Fig": "ticket_score_last=4 ticket_score_90d=5/2",
    "Hornbeam": "tickets_7d=1 tickets_28d=1",  # what we began is no request
}
# (07-01 00:00, 07-31 00:00]: Ivy a minute after it opens, Larch at its very end, Maple in August
ALIKE_LABELS = {"Ivy": 1, "Larch": 1, "Maple": 0, "Nutmeg": 0, "Acacia": 0}


@pytest.mark.parametrize(
    ("source", "zone", "own"),
    [("jira", "Europe/Paris", JIRA), ("freshdesk", "Europe/Paris", FRESHDESK), ("intercom", "America/New_York", INTERCOM)],
)
def test_tickets_by_hand(source, zone, own):
    history, name = ready(source, zone), str.lower if source == "intercom" else str
    found = history.features("tickets", cutoffs=["2024-07-01"])
    assert differences(found, {name(one): values for one, values in ALIKE.items()}) == {}
    assert differences(found, {name(one): values for one, values in own.items()}) == {}
    assert labels_at(history, "tickets", "2024-07-01").items() >= {name(one): value for one, value in ALIKE_LABELS.items()}.items()
    assert history.counts["quarantined"].sum() == 0
    kept = 14 if source == "intercom" else 15
    assert any(f"the select keeps {kept} of the 16 rows of {source}_" in one for one in history.messages)


def test_a_zone_that_no_export_names_is_asked_for():
    with pytest.raises(pv.PrevenanceError, match=r"timestamps carry no offset and the source declares no zone") as told:
        ready("freshdesk")
    assert "source.timezone=Europe/Paris" in told.value.fix


PAYMENTS = """id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Refunded date (UTC),Status,Customer ID,Invoice ID
ch_1,2024-06-05 10:00:00,100.00,40.00,eur,true,2024-06-10 09:00:00,Refunded,cus_Ada,
ch_2,2024-06-15 11:00:00,60.00,0.00,eur,true,,Paid,cus_Ada,in_1
ch_3,2024-06-20 12:00:00,30.00,0.00,eur,false,,Failed,cus_Ben,
"""


def test_the_page_s_select_of_single_sales_and_refunds_runs(tmp_path):
    page = (ROOT / "docs/exports.md").read_text()
    select = page.partition("-- conf-shop/source/shop/purchases.sql")[2].partition("\n")[2].partition("```")[0]
    conf, data = acme(tmp_path, **{"acme.yaml": ACME["acme.yaml"] + "capacity: 5\n", "acme/purchases.sql": select})
    (data / "payments.csv").write_text(PAYMENTS)
    found = history_of("acme", data, conf).table("purchases")
    assert found[["customer_id", "order_id", "amount"]].to_numpy().tolist() == [["cus_Ada", "ch_1", -40.0], ["cus_Ada", "ch_1", 100.0]]


def _header(path: Path) -> set[str]:
    return set(next(csv.reader(path.read_text(encoding="utf-8").splitlines())))


@pytest.mark.parametrize("name", sorted({path.parent.name for path in (ROOT / "conf/source").glob("*/*.sql")}))
def test_a_ready_source_says_how_its_files_are_recognised(name):
    given = settings_of("train", [f"source={name}", "target=tickets"]).source
    if not given.exports:
        assert name in {"complete_journey", "demo", "helpdesk", "ravenstack"}
        return
    assert given.exports.keys() == given.files.keys()
    page = (ROOT / "docs/exports.md").read_text()
    assert f"source={name} " in page
    for view, known in given.exports.items():
        assert view.startswith(f"{name}_")
        assert set(known) == {"names", "columns"}
        if found := sorted((EXPORTS / name).glob(given.files[view]["path"])):
            assert any(fnmatch(found[0].name, pattern) for pattern in known["names"]), found
            assert set(known["columns"]) <= _header(found[0])
    # no header of the made-up exports has all the columns of two views
    headers = {path: _header(path) for path in (EXPORTS / name).glob("*.csv")}
    for path, header in headers.items():
        assert sum(set(known["columns"]) <= header for known in given.exports.values()) == 1, path

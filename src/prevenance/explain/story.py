"""What stands behind a row of the list: the contract, the last contact, what happened lately, and what is not known.

Everything is read through ``history.visible_sql``, so it holds for a past cutoff as well. One query per question answers for all
customers. No free text, no name of a person and no name of an agent is read.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from prevenance.explain.incidents import incident_text, incidents_sql
from prevenance.history.history import History, visible_sql
from prevenance.history.once import asked_once
from prevenance.tables.canonical import TABLES
from prevenance.tables.contracts import HELD_SQL
from prevenance.words import Words

SHOWN = 12
"""Facts of a timeline at most, and weeks of the line of chances."""

YOUNG = 90
"""A customer known for fewer days is said to be young."""

HOLES = 0.25
"""Share of a model's inputs from which their absence is worth a line."""

USUAL = 90
"""Days before the newest fact of a table in which its usual pause is measured."""


@asked_once
def customer_states(history: History, cutoff: datetime) -> pd.DataFrame:
    """Return what holds for each customer at ``cutoff``, indexed by customer_id.

    Columns: country, plan (of the contract, else the customer's), known_days, renews_on (the next renewal of a running contract),
    last_contact and last_contact_kind (campaign messages do not count); instants are naive UTC, None or NaT where nothing is known.
    """
    newest = ", ".join(
        f"arg_max({name}, (event_at, known_at, {name})) filter (where {name} is not null) as {name}" for name in ("country", "plan")
    )
    found = _by_customer(
        history, f"select customer_id, {newest}, max(age_days) as known_days from {visible_sql('customers', cutoff)} group by 1"
    )
    return found.join(_contracts(history, cutoff)).join(_contacts(history, cutoff)).pipe(_with_plan)


def timelines(history: History, cutoff: datetime, customers: Collection[str], say: Words) -> dict[str, list[dict[str, Any]]]:
    """Return customer_id -> what happened in ``(cutoff - 365 days, cutoff]``, newest first, at most ``SHOWN``: on, kind, text."""
    source = incidents_sql(history, cutoff)
    if not source:
        return {}
    found = _asked(
        history,
        customers,
        f"""
        with placed as (
          select *, row_number() over (partition by customer_id order by event_at desc, kind, what, detail, amount, before) as place
          from ({source})
        )
        select customer_id, event_at, kind, what, detail, amount, before from placed where place <= {SHOWN} order by customer_id, place""",
    )
    phrases: dict[tuple[Any, ...], str] = {}
    shown: dict[str, list[dict[str, Any]]] = {}
    for customer, on, kind, *facts in found:
        key = (kind, *facts)
        # Most rows of most customers say the same few things: each is put into words once.
        text = phrases.get(key) or phrases.setdefault(key, incident_text(say, *key))
        shown.setdefault(customer, []).append({"on": str(say.day(on)), "kind": kind, "text": text})
    return shown


def line_moments(cutoff: datetime) -> list[datetime]:
    """Return the moments of the line of chances, ascending: the ``SHOWN`` - 1 Mondays (00:00 UTC) before ``cutoff``, and the cutoff.

    >>> [f"{one:%m-%d}" for one in line_moments(datetime(2026, 10, 1))[-3:]]
    ['09-21', '09-28', '10-01']
    """
    monday = cutoff.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=cutoff.weekday())
    # A cutoff on Monday at midnight is the last point itself and not a week before it.
    last = monday if monday < cutoff else monday - timedelta(days=7)
    return [*(last - timedelta(days=7 * week) for week in reversed(range(SHOWN - 1))), cutoff]


def marks_by_customer(history: History, cutoff: datetime, customers: Collection[str], say: Words) -> dict[str, list[dict[str, Any]]]:
    """Return customer_id -> contacts, tickets and renewals on the line of chances, one per week and kind: week (0 oldest), kind, text.

    A mark stands at the first moment of ``line`` that is not before it; what happened up to a week before the first stands there too.
    """
    source = incidents_sql(history, cutoff)
    if not source:
        return {}
    moments = line_moments(cutoff)
    week = " + ".join(f"cast(event_at > timestamp '{moment}' as integer)" for moment in moments[:-1])
    found = _asked(
        history,
        customers,
        f"""
        with recent as (
          select *, {week} as week, case when kind = 'contract' then 'renewal' else kind end as mark
          from ({source})
          where event_at > timestamp '{moments[0] - timedelta(days=7)}'
            and (kind = 'contact' or what in ('opened', 'reopened', 'renewed'))
        )
        select customer_id, week, mark,
          arg_max({{'kind': kind, 'what': what, 'detail': detail, 'amount': amount, 'before': before}}, (event_at, what, detail)) as newest
        from recent group by 1, 2, 3 order by 1, 2, 3""",
    )
    shown: dict[str, list[dict[str, Any]]] = {}
    for customer, place, mark, newest in found:
        text = incident_text(say, newest["kind"], newest["what"], newest["detail"], newest["amount"], newest["before"])
        shown.setdefault(customer, []).append({"week": place, "kind": mark, "text": text})
    return shown


@asked_once
def source_ages(history: History, cutoff: datetime) -> list[dict[str, Any]]:
    """Return, for every table of customers, table, newest (known_at), days since then, and whether it is late.

    Days are dates of the calendar (UTC). A table is late when nothing became known for more days than the longest pause between two days
    with news in the ``USUAL`` days before its newest fact, and for more than one. Fewer than three days with news say nothing about what is usual: never late.
    """
    found = []
    for name in TABLES:
        if name not in history.tables or name == "consents" or not TABLES[name].per_customer:
            continue
        newest, days, pause = history.con.execute(
            f"""
            with days as (select distinct cast(known_at as date) as day, max(known_at) over () as newest from {visible_sql(name, cutoff)}),
            recent as (select *, day - lag(day) over (order by day) as pause from days where day > cast(newest as date) - {USUAL})
            select max(newest), count(*), max(pause) from recent"""
        ).fetchall()[0]
        if newest is None:
            continue
        silent = (cutoff.date() - newest.date()).days
        # One day without news is a weekend or a slow night.
        late = days >= 3 and silent > max(1, int(pause or 0))
        found.append({"table": name, "newest": newest, "days": silent, "late": late})
    return found


def unknown_by_customer(
    rows: pd.DataFrame, known: pd.DataFrame, late: Sequence[Mapping[str, Any]], seen: tuple[float, float], say: Words
) -> dict[str, list[str]]:
    """Return customer_id -> what is not known about the customer, in sentences; an empty list where nothing is missing.

    Args:
        rows: customer_id, score, holes (how many of the model's inputs are unknown), inputs (how many it has), without (names of tables
            that hold nothing on the customer).
        known: from ``standing``.
        late: from ``source_ages``.
        seen: lowest and highest chance among the past predictions.
        say: the words of a language.
    """
    general = [_late(one, say) for one in late if one["late"]]
    days = rows["customer_id"].map(known["known_days"]).tolist()
    asked = ["customer_id", "score", "holes", "inputs", "without"]
    return {
        customer: [*_own(score, holes, inputs, without, age, seen, say), *general]
        for (customer, score, holes, inputs, without), age in zip(rows[asked].itertuples(index=False, name=None), days, strict=True)
    }


def tables_without(history: History, cutoff: datetime, customers: Sequence[str]) -> pd.Series:
    """Return, for each of ``customers``, the tables (a tuple) among usage and contracts that hold nothing on it at ``cutoff``."""
    names = [name for name in ("usage", "subscriptions") if name in history.tables]
    have = {
        name: {row[0] for row in history.con.execute(f"select distinct customer_id from {visible_sql(name, cutoff)}").fetchall()}
        for name in names
    }
    return pd.Series([tuple(name for name in names if one not in have[name]) for one in customers], dtype=object)


def _late(one: Mapping[str, Any], say: Words) -> str:
    return say("{table}: nothing new since {date}", table=say(TABLE_WORDS[one["table"]]), date=say.date(one["newest"]))


def _own(
    score: float | None, holes: int, inputs: int, without: Sequence[str], age: float, seen: tuple[float, float], say: Words
) -> list[str]:
    found = []
    if pd.notna(age) and age < YOUNG:
        found.append(say.many("Known for only {n} day", "Known for only {n} days", int(age)))
    found += [say("{table}: nothing is known", table=say(TABLE_WORDS[name])) for name in without]
    if inputs and holes / inputs > HOLES:
        found.append(say("{n} of the {total} facts looked at are unknown", n=int(holes), total=int(inputs)))
    if score is not None and pd.notna(score) and not seen[0] <= score <= seen[1]:
        found.append(
            say("The chance lies outside the range seen in the past ({low} to {high})", low=say.percent(seen[0]), high=say.percent(seen[1]))
        )
    return found


TABLE_WORDS: Mapping[str, str] = {
    "customers": "Customer records",
    "subscriptions": "Contracts",
    "usage": "Usage",
    "tickets": "Tickets",
    "invoices": "Invoices",
    "feedback": "Feedback",
    "purchases": "Purchases",
    "contacts": "Contacts",
    "consents": "Consents",
    "products": "Products",
    "releases": "Releases",
}
"""Table -> how a reader calls it."""


def _contracts(history: History, cutoff: datetime) -> pd.DataFrame:
    if "subscriptions" not in history.tables:
        return pd.DataFrame({"contract_plan": pd.Series(dtype="str"), "renews_on": pd.Series(dtype="datetime64[us]")})
    return _by_customer(
        history,
        f"""
        with subscriptions as (select * from {visible_sql("subscriptions", cutoff)}), {HELD_SQL}
        select customer_id, min(renews_on) filter (where renews_on > cutoff) as renews_on,
          arg_max(plan, (coalesce(mrr, -1), subscription_id)) filter (where plan is not null) as contract_plan
        from running group by customer_id""",
    )


def _contacts(history: History, cutoff: datetime) -> pd.DataFrame:
    if "contacts" not in history.tables:
        return pd.DataFrame({"last_contact": pd.Series(dtype="datetime64[us]"), "last_contact_kind": pd.Series(dtype="str")})
    return _by_customer(
        history,
        f"select customer_id, max(event_at) as last_contact, arg_max(kind, (event_at, known_at, kind)) as last_contact_kind "
        f"from {visible_sql('contacts', cutoff)} where kind <> 'campaign' group by 1",
    )


def _with_plan(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(plan=found["contract_plan"].where(found["contract_plan"].notna(), found["plan"])).drop(columns="contract_plan")


def _by_customer(history: History, query: str) -> pd.DataFrame:
    return history.con.execute(f"select * from ({query}) order by customer_id").df().set_index("customer_id")


def _asked(history: History, customers: Collection[str], query: str) -> list[tuple[Any, ...]]:
    """Run ``query`` with ``asked`` (customer_id) standing for ``customers``."""
    # A table, because a query cannot name a hundred thousand ids.
    history.con.register("frame", pd.DataFrame({"customer_id": pd.Series(sorted(customers), dtype="str")}))
    history.con.execute("create or replace temp table asked as select customer_id from frame")
    history.con.unregister("frame")
    return history.con.execute(query).fetchall()

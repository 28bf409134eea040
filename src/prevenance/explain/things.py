"""The customer's own things, to be named in what is to be done: features nobody opened, tickets that wait, the invoice, seats, the release.

Each question is a ``State`` as features are, so that nothing is seen which was not known at the cutoff; none of them is an input of a model.
No free text and no name of a person is read.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from prevenance.explain.story import customer_states
from prevenance.features.build import build
from prevenance.features.define import State
from prevenance.features.invoices import SETTLED_SQL
from prevenance.features.tickets import PATHS
from prevenance.features.usage import LIMIT, PAID
from prevenance.history.history import History
from prevenance.tables.contracts import HELD_SQL
from prevenance.words import Words

NEAR, FAR_OVER = 0.8, 2.0
"""Share of a limit from which it is worth naming, and from which it is far behind."""

OFTEN, MANY = 3, 10
"""Tickets of one category in 90 days that have something in common, and that are a habit."""

TEAM = 3
"""Active users from which they are several people."""

LONGEST = 40
"""Characters of a thing's name."""


def _state(name: str, tables: tuple[str, ...], sql: str, numbers: tuple[str, ...] = (), texts: tuple[str, ...] = ()) -> State:
    return State(name, tables, sql, dict.fromkeys((*numbers, *texts), ""), categories=texts, alone=True)


UNUSED = _state(
    "own_features",
    PAID.tables,
    PAID.sql[: PAID.sql.rindex("select paid.customer_id")]
    + "select paid.customer_id, string_agg(paid.feature, chr(31) order by paid.feature) as features from paid "
    "left join used on used.customer_id = paid.customer_id and used.feature = paid.feature where used.feature is null group by 1",
    texts=("features",),
)

TICKETS = _state(
    "own_tickets",
    ("tickets",),
    f"""
with {PATHS},
kinds as (select customer_id, ticket_id, max(category) filter (where event = 'opened') as kind from tickets group by 1, 2),
waiting as (
  select l.customer_id, l.ticket_id, coalesce(k.kind, '') as kind, (epoch_us(l.cutoff) - epoch_us(l.opened_at)) / 86400000000.0 as days,
    row_number() over (partition by l.customer_id order by l.opened_at, l.ticket_id) as place
  from lives as l join kinds as k on k.customer_id = l.customer_id and k.ticket_id = l.ticket_id where l.is_open
)
select customer_id, count(*) as waiting,
  max(ticket_id) filter (where place = 1) as first_id, max(kind) filter (where place = 1) as first_kind, max(days) filter (where place = 1) as first_days,
  max(ticket_id) filter (where place = 2) as second_id, max(kind) filter (where place = 2) as second_kind,
  max(days) filter (where place = 2) as second_days
from waiting group by customer_id
""",
    ("waiting", "first_days", "second_days"),
    ("first_id", "first_kind", "second_id", "second_kind"),
)

AGAIN = _state(
    "own_reopened",
    ("tickets",),
    """
select customer_id, arg_max(ticket_id, (event_at, ticket_id)) filter (where event = 'reopened') as again,
  arg_max(ticket_id, (event_at, ticket_id)) filter (where event = 'escalated') as escalated
from tickets where event in ('reopened', 'escalated') and age_days < 90 group by customer_id
""",
    texts=("again", "escalated"),
)

CATEGORY = _state(
    "own_category",
    ("tickets",),
    """
with counted as (
  select customer_id, category, count(*) as n from tickets where event = 'opened' and category is not null and age_days < 90 group by 1, 2
)
select customer_id, arg_max(category, (n, category)) as category, max(n) as often from counted where n >= 2 group by customer_id
""",
    ("often",),
    ("category",),
)

INVOICE = _state(
    "own_invoice",
    ("invoices",),
    f"""
with {SETTLED_SQL}
select customer_id, arg_min(invoice_id, (due_on, invoice_id)) as invoice,
  (epoch_us(max(cutoff)) - epoch_us(min(due_on))) / 86400000000.0 as invoice_days
from bills where settled_at is null and not voided and coalesce(amount, 1) > 0 and due_on + interval '1' day <= cutoff group by customer_id
""",
    ("invoice_days",),
    ("invoice",),
)

SEATS = _state(
    "own_seats",
    ("subscriptions", "usage"),
    f"""
with {HELD_SQL},
paid as (select customer_id, sum(seats) as seats from running group by customer_id),
active as (
  select customer_id, count(distinct user_id) as used from usage where kind in ('login', 'use') and age_days < 28 group by customer_id
)
select p.customer_id, p.seats, coalesce(a.used, 0) as used from paid as p left join active as a on a.customer_id = p.customer_id
where p.seats > 0
""",
    ("seats", "used"),
)

FEATURE = _state(
    "own_feature",
    ("usage",),
    """
with counted as (
  select customer_id, feature, count(*) filter (where age_days < 28) as now, count(*) filter (where age_days >= 28) as before
  from usage where kind = 'use' and feature is not null and age_days < 56 group by 1, 2
)
select customer_id, arg_max(feature, (before - now, feature)) filter (where before - now >= 2) as feature,
  arg_max(feature, (now - before, feature)) filter (where now - before >= 2) as grown
from counted group by customer_id
""",
    texts=("feature", "grown"),
)

TROUBLE = _state(
    "own_trouble",
    ("usage",),
    """
with counted as (
  select customer_id, feature, count(*) as n from usage where kind = 'error' and feature is not null and age_days < 28 group by 1, 2
)
select customer_id, arg_max(feature, (n, feature)) as trouble from counted where n >= 2 group by customer_id
""",
    texts=("trouble",),
)

RELEASE = _state(
    "own_release",
    ("releases", "usage"),
    """
with met as (select customer_id, product_id, cutoff, event_at from usage where kind = 'error' and age_days < 120),
counted as (
  select m.customer_id, r.version, r.event_at, count(*) filter (where m.event_at > r.event_at) as after,
    count(*) filter (where m.event_at <= r.event_at and m.event_at > r.event_at - (r.cutoff - r.event_at)) as before
  from met as m join releases as r on r.product_id = m.product_id and r.cutoff = m.cutoff and r.event_at > r.cutoff - interval '60' day
  where r.version is not null group by all
)
select customer_id, arg_max(version, (event_at, version)) as release from counted
where after >= 3 and after >= 2 * before group by customer_id
""",
    texts=("release",),
)

CONTACT = _state(
    "own_contact",
    ("contacts",),
    "select customer_id, min(age_days) as contact_days from contacts where direction = 'in' and age_days < 90 group by customer_id",
    ("contact_days",),
)

FAMILY = _state(
    "own_family",
    ("purchases",),
    """
with counted as (
  select customer_id, family, count(distinct cast(event_at as date)) as n from purchases
  where family is not null and coalesce(amount, 1) > 0 and age_days < 180 group by 1, 2
)
select customer_id, arg_max(family, (n, family)) as bought from counted group by customer_id
""",
    texts=("bought",),
)

EVERY = (UNUSED, TICKETS, AGAIN, CATEGORY, INVOICE, SEATS, FEATURE, TROUBLE, RELEASE, CONTACT, FAMILY, LIMIT)


def own_things(history: History, cutoff: datetime, customers: Sequence[str], say: Words) -> pd.DataFrame:
    """Return, indexed by customer_id, ``things`` (placeholder -> text; what is not there is absent), open_tickets, known_days, renewal_days."""
    keys = pd.DataFrame({"customer_id": list(dict.fromkeys(customers)), "cutoff": pd.Timestamp(cutoff).as_unit("us")})
    built = build(history, keys, EVERY)
    standing = customer_states(history, cutoff).reindex(keys["customer_id"])
    renews = (pd.to_datetime(standing["renews_on"]) - pd.Timestamp(cutoff)).dt.total_seconds().to_numpy() / 86400
    rows = built.astype(object).where(built.notna(), None).to_dict("records")
    told = [_told(row, renews_on, cutoff, say) for row, renews_on in zip(rows, standing["renews_on"], strict=True)]
    waiting = built["waiting"].fillna(0).to_numpy() if "waiting" in built else 0
    found = {"things": told, "open_tickets": waiting, "known_days": standing["known_days"].to_numpy(), "renewal_days": renews}
    return pd.DataFrame(found, index=pd.Index(keys["customer_id"], name="customer_id"))


def _told(row: Mapping[str, Any], renews_on: Any, cutoff: datetime, say: Words) -> dict[str, str]:
    found: dict[str, str] = {}
    numbers = [str(row[name]) for name in ("first_id", "second_id", "again", "escalated") if row.get(name)]
    # A number that was shortened for a sentence leads nowhere.
    if whole := list(dict.fromkeys(one for one in numbers if one == one_line(one, LONGEST))):
        found["ticket_ids"] = chr(31).join(whole)
    for name in ("again", "escalated", "category", "invoice", "feature", "grown", "trouble", "release"):
        if row.get(name):
            found[name] = one_line(row[name], LONGEST)
    if row.get("bought"):
        found["family"] = one_line(row["bought"], LONGEST)
    if row.get("features"):
        found["features"] = ", ".join(one_line(one, LONGEST) for one in row["features"].split(chr(31))[:3])
    if row.get("first_id"):
        two = [one for one in ("first", "second") if row.get(f"{one}_id")]
        found["tickets"] = ", ".join(_ticket(row[f"{one}_id"], row[f"{one}_kind"], row[f"{one}_days"], say) for one in two)
        found["ticket"], found["ticket_days"] = one_line(row["first_id"], LONGEST), say.days(row["first_days"])
    if row.get("invoice_days") is not None:
        found["invoice_days"] = say.days(row["invoice_days"])
    if row.get("contact_days") is not None:
        found["contact"] = say.date(cutoff - timedelta(days=row["contact_days"]), beside=cutoff)
    if row.get("seats") is not None:
        found |= {name: say.number(value) for name, value in (("seats", row["seats"]), ("used", row["used"]))}
        if row["used"] >= TEAM:
            found["people"] = say.number(row["used"])
        if row["seats"] - row["used"] > 1:
            found["idle"] = say.number(row["seats"] - row["used"])
        if row["used"] >= NEAR * row["seats"] > 0:
            found["full"] = say.percent(row["used"] / row["seats"])
    if (often := row.get("often") or 0) >= OFTEN:
        found["many" if often >= MANY else "often"] = say.number(often)
    if (share := row.get("usage_near_limit_share") or 0) >= NEAR:
        found["over" if share >= FAR_OVER else "limit" if share >= 1 else "near"] = say.percent(share)
    if renews_on is not None and not pd.isna(renews_on):
        found["renewal"] = say.date(pd.Timestamp(renews_on).to_pydatetime(), beside=cutoff)
    return found


def one_line(text: object, longest: int) -> str:
    """Return a source's word as one line."""
    return " ".join(str(text).split())[:longest]


def _ticket(number: str, kind: str | None, days: Any, say: Words) -> str:
    """Return a ticket by its number, category and age: "4711 (import, 19 days)"."""
    what = f"{one_line(kind, LONGEST)}, " if kind else ""
    return f"{one_line(number, LONGEST)} ({what}{say.days(days) if round(days) else say('today')})"

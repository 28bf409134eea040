"""Which canonical table each file is, and which of its columns has which role: by names, checked by values."""

from dataclasses import replace
from typing import Any

import duckdb

from prevenance.consent.special import name_words
from prevenance.sources.guess.found import DATE, FLAG, MONEY, NUMBER, TEXT, Column, Found, Link, Part
from prevenance.sources.guess.roles import are_deals, mail_words, mailing_fit, role_fit, table_fit, table_names

DATES = ("opened", "resolved", "replied", "started", "ended", "noticed", "renews", "since", "issued", "due", "paid", "at")
NUMBERS = ("seats", "mrr", "arr", "amount", "quantity", "score", "price", "errors", "logins")
FLAGS = ("allowed", "refused", "escalated")
KEYS = ("customer", "ticket", "contract", "invoice", "order", "product", "user", "parent")

ROLES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "customers": ("customer", (), ("name", "since", "plan", "segment", "industry", "country", "language", "owner", "parent")),
    "subscriptions": (
        "contract",
        ("started",),
        ("ended", "noticed", "renews", "plan", "seats", "mrr", "arr", "amount", "activity", "currency"),
    ),
    "churn": ("contract", ("noticed",), ()),
    "usage": ("", ("at",), ("user", "feature", "activity", "quantity", "logins", "errors", "product")),
    "tickets": (
        "ticket",
        ("opened",),
        ("resolved", "replied", "status", "activity", "group", "category", "priority", "channel", "score", "escalated"),
    ),
    "invoices": ("invoice", ("issued", "amount"), ("due", "paid", "status", "currency")),
    "feedback": ("", ("at", "score"), ()),
    "purchases": ("order", ("at",), ("product", "family", "quantity", "amount")),
    "contacts": ("", ("at",), ("channel", "direction", "activity", "campaign", "outcome")),
    "consents": ("", ("allowed",), ("at", "purpose")),
    "products": ("product", ("product",), ("name", "family", "price")),
}
"""Table -> the role of its own key, roles that it must have, and those that it may have."""

BARE = {
    "id",
    "nr",
    "no",
    "n",
    "ref",
    "reference",
    "referenz",
    "num",
    "number",
    "nummer",
    "numero",
    "code",
    "codigo",
    "clave",
    "kennung",
    "key",
}

TELLING = {
    "subscriptions": ("contract", "ended", "mrr", "arr", "seats", "renews"),
    "usage": ("feature", "user", "errors", "logins"),
    "tickets": ("ticket", "resolved", "replied", "priority"),
    "invoices": ("invoice", "due", "paid"),
    "feedback": ("score",),
    "purchases": ("order", "product", "quantity"),
    "contacts": ("direction", "campaign"),
    "customers": ("since", "industry", "country", "owner", "parent"),
    "products": ("price", "family"),
    "churn": ("noticed",),
    "consents": ("allowed",),
}
"""Roles that hardly another table has."""


def _fits_kind(role: str, column: Column) -> bool:
    if role in DATES:
        return column.kind == DATE or (role == "replied" and column.kind == NUMBER)
    if role in NUMBERS:
        return column.kind in (NUMBER, MONEY)
    if role in FLAGS:
        return column.kind == FLAG
    if role in KEYS:
        return column.kind in (TEXT, NUMBER) and column.filled > 0 and not (role != "parent" and column.distinct < 2)
    if role == "category" and not column.is_category:
        return False  # words of a customer's own are no kind of ticket
    return column.kind in (TEXT, FLAG) or (role in ("priority", "name", "campaign") and column.kind == NUMBER)


def roles_of(file: Found, table: str) -> dict[str, str]:
    """Return role -> column of a file if it were this table, the best fitting names first; each column once."""
    own, needed, others = ROLES[table]
    wanted = list(dict.fromkeys(one for one in (own, *needed, *(() if table == "products" else ("customer",)), *others) if one))
    fits = [
        (role_fit(role, one.name) * (one.filled if role == own else 1), -place, role, one.name)
        for place, role in enumerate(wanted)
        for one in file.columns
        if _fits_kind(role, one)
    ]
    found: dict[str, str] = {}
    for fit, _, role, name in sorted(fits, key=lambda one: (-one[0], -one[1], one[3])):
        if fit > 0.15 and role not in found and name not in found.values():
            found[role] = name
    # a bare "id" is the key of its own table
    bare = [one.name for one in file.columns if one.is_key and set(name_words(one.name)) <= BARE]
    if own and bare and (own not in found or role_fit(own, found[own]) < 0.5):
        found[own] = bare[0]
    if table == "subscriptions":
        found |= _asked_and_ended(file)
    dates = [one for one in file.columns if one.kind == DATE and one.name not in found.values()]
    first = next((one for one in needed if one in DATES and one not in found), "")
    if first and dates:  # whatever it is called: the date that most rows have
        found[first] = max(dates, key=lambda one: one.filled).name
    return found


def _asked_and_ended(file: Found) -> dict[str, str]:
    """Return the days on which somebody asked to end a contract and on which it ended, where a file has both: a planned end is neither."""
    told = [one for one in file.columns if one.kind == DATE]
    left = max(told, key=lambda one: role_fit("left", one.name), default=None)
    if left and role_fit("left", left.name) > 0.5:
        return {"ended": left.name}
    asked = max(told, key=lambda one: role_fit("requested", one.name), default=None)
    if asked is None or role_fit("requested", asked.name) < 0.5:
        return {}
    ended = max((one for one in told if one is not asked), key=lambda one: role_fit("noticed", one.name), default=None)
    return {"noticed": asked.name, "ended": ended.name} if ended and role_fit("noticed", ended.name) > 0.5 else {}


def _is_mailing(file: Found) -> bool:
    """Return whether a file logs mailings: words of what was sent and of what came of it, and a campaign; orders and tickets are sent and open, too."""
    campaign = mailing_fit(file.title) > 0 or any(role_fit("campaign", one.name) > 0.3 for one in file.columns)
    return campaign and any(all(mail_words(one.values)) for one in file.columns if one.is_category)


def part_of(file: Found) -> Part | None:
    """Return the table that a file most likely is with the roles of its columns, or ``None``."""
    best: tuple[float, Part] | None = None
    if are_deals(file.title, [one.name for one in file.columns]):
        return None
    mailed = _is_mailing(file)
    for table in ["contacts"] if mailed else table_names():
        roles, (own, needed, _) = roles_of(file, table), ROLES[table]
        if any(one not in roles for one in needed) or (table == "customers" and "customer" not in roles):
            continue
        named = table_fit(table, file.title)
        told = sum(role_fit(one, roles[one]) for one in TELLING[table] if one in roles)
        # one row a customer or product, or it is no list of them
        if table in ("customers", "products") and not file.column(roles[own]).names_rows(file.rows):
            continue
        score = 3 * (named > 0 or mailed) + named + told
        if score > 0.6 and (best is None or score > best[0]):
            why = f"by its name ({file.title})" if named else "by its columns"
            best = (score, Part(table, file, roles, why=why))
    return best[1] if best else None


def contracts_in(master: Part) -> Part | None:
    """Return the contracts that stand in the list of customers itself, one a customer, or ``None``."""
    # the day of the first contact is no beginning of a contract, where that has a day of its own
    others = [one for one in master.file.columns if one.name != master.roles.get("since")]
    roles = roles_of(replace(master.file, columns=others), "subscriptions")
    roles = roles if "started" in roles else roles_of(master.file, "subscriptions")
    roles |= {"contract": master.roles["customer"]} if "contract" not in roles else {}
    if "started" not in roles or not {"ended", "noticed"} & roles.keys():
        return None
    return Part("subscriptions", master.file, roles, Link(master.roles["customer"]), "by its columns, beside the customers")


def raw_rows(con: duckdb.DuckDBPyConnection, select: str) -> list[Any]:
    """Return the rows of a select over the raw views."""
    con.execute("use raw")
    try:
        return con.execute(select).fetchall()
    finally:
        con.execute("use memory.main")

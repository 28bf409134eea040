"""The selects of a guessed source: one row a step in the life of a thing, each at its own time, with what was guessed as comments."""

import re
from collections.abc import Sequence

from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.guess.contracts import contract_selects
from prevenance.sources.guess.counts import often_sql
from prevenance.sources.guess.found import NUMBER, Guess, Part
from prevenance.sources.guess.never import back_rows
from prevenance.sources.guess.profile import date_sql
from prevenance.sources.guess.roles import says_closed, table_fit
from prevenance.sources.guess.row import event_sql, given_sql, head_text, own_sql, row_text, text_of, with_text

UNITS = {
    "minute": "to_minutes",
    "hour": "to_hours",
    "stunde": "to_hours",
    "heure": "to_hours",
    "hora": "to_hours",
    "sec": "to_seconds",
    "min": "to_minutes",
}


def select_text(part: Part, guess: Guess, parts: Sequence[Part] = ()) -> str:
    """Return the select of a part, one of ``parts``, with its comments; what could not be decided is asked in ``guess``."""
    writer = {"tickets": _tickets, "usage": _usage, "invoices": _invoices}.get(part.table)
    if part.table in ("subscriptions", "churn"):
        selects = contract_selects(part, guess, parts)
    else:
        selects = writer(part, guess) if writer else [_plain(part, guess, next((one for one in parts if one.table == "products"), None))]
    # the writer of a log says its steps, which stand above
    return f"{head_text(part)}\n{with_text(part)}" + "\nunion all by name\n".join(selects)


def _tickets(part: Part, guess: Guess) -> list[str]:
    own = given_sql(part, group="group", category="category", priority="priority", channel="channel")
    ticket = own_sql(part, "ticket")
    if (
        "ticket" in part.roles
        and not part.file.column(part.roles["ticket"]).unique
        and "activity" in part.roles
        and (step := event_sql(part, "activity", "tickets", guess, "other"))
    ):
        return _ticket_log(part, ticket, step, own)
    opened, selects = text_of(part, "opened"), []
    selects.append(row_text(part, opened, ticket_id=ticket, event="'opened'", **own))
    done = next((role for role in ("resolved",) if role in part.roles), "")
    if "replied" in part.roles:
        column = part.file.column(part.roles["replied"])
        unit = next((sql for word, sql in UNITS.items() if word in column.name.lower()), "")
        replied = text_of(part, "replied")
        if column.kind == NUMBER and unit:
            start = date_sql(part.file.column(part.roles["opened"]))
            replied = f"strftime(try_cast({start} as timestamp) + {unit}(try_cast({replied} as double)::bigint), '%Y-%m-%d %H:%M:%S')"
        if column.kind != NUMBER or unit:
            selects.append(row_text(part, replied, ticket_id=ticket, event="'replied'", where=f"{text_of(part, 'replied')} <> ''", **own))
    if done:
        where = f"{text_of(part, done)} <> ''" + (f" or {part.closed}" if part.closed else "")
        selects.append(row_text(part, text_of(part, done), ticket_id=ticket, event="'resolved'", where=where, **own))
    elif "status" in part.roles and (closed := says_closed(part.file.column(part.roles["status"]).values)):
        guess.ask(
            f"{part.file.view}: tickets are {' or '.join(closed[:3])}, and no column says when.",
            "Export when a ticket was closed, and add it to tickets.sql as resolved; without it all stay open.",
        )
    last = text_of(part, done) if done else opened
    if "escalated" in part.roles:
        yes = "lower({}) in ('true', 'yes', 'y', '1', 'ja', 'oui', 'si', 'sí', 'vrai', 'wahr')".format(text_of(part, "escalated"))
        # the export does not say when: the end is when it is known for sure
        selects.append(row_text(part, last, ticket_id=ticket, event="'escalated'", where=f"{yes} and {last} <> ''", **own))
    if "score" in part.roles:
        score = text_of(part, "score")
        selects.append(row_text(part, last, ticket_id=ticket, event="'rated'", score=score, where=f"{score} <> '' and {last} <> ''", **own))
    return selects


def _ticket_log(part: Part, ticket: str, step: str, own: dict[str, str]) -> list[str]:
    """Return the selects of a log with a row for each step: its first row opens a ticket, work after its solution reopens it."""
    at = text_of(part, "opened")
    log = f"window log as (partition by {ticket} order by {date_sql(part.file.column(part.roles['opened']))}, _file, _line)"
    part.steps = (
        f"select *, row_number() over log as _place, lag(_step) over log as _before\n"
        f"  from (select *, {step} as _step from {part.rows_from})\n  {log}"
    )
    again = "_step = 'reopened' or (_before in ('resolved', 'closed') and _step in ('opened', 'assigned', 'waiting', 'escalated', 'transferred'))"
    return [
        row_text(part, at, ticket_id=ticket, event="'opened'", where="_place = 1", **own),
        row_text(
            part,
            at,
            ticket_id=ticket,
            event="_step",
            activity=text_of(part, "activity"),
            where="_step not in ('opened', 'reopened')",
            **own,
        ),
        row_text(part, at, ticket_id=ticket, event="'reopened'", where=f"_place > 1 and ({again})", **own),
    ]


def _usage(part: Part, guess: Guess) -> list[str]:
    own, at = given_sql(part, user_id="user", feature="feature", product_id="product"), text_of(part, "at")
    plain = (
        "'login'"
        if table_fit("usage", "login") and re.search(r"(?i)login|anmeld|connexion|acces|session", part.file.title) and "feature" not in own
        else "'use'"
    )
    kind = (event_sql(part, "activity", "usage", guess, "use") if "activity" in part.roles else None) or plain
    if "feature" not in own and "activity" in part.roles:
        own["feature"] = text_of(part, "activity")
    selects = []
    if "quantity" in part.each and kind != "'use'":
        often = often_sql(text_of(part, "quantity"))
        often = often if kind == plain else f"case when {kind} = 'use' then 1 else {often} end"
        selects.append(
            row_text(part, at, often=often, kind=kind, **own, quantity=f"case when {kind} = 'use' then {text_of(part, 'quantity')} end")
        )
    elif "quantity" in part.roles or not ("logins" in part.roles or part.counts):
        selects.append(row_text(part, at, kind=kind, **own, **given_sql(part, quantity="quantity")))
    for name, role in (("login", "logins"), ("error", "errors")):
        if role in part.roles:
            more = own if name == "error" else {one: sql for one, sql in own.items() if one != "feature"}
            count = text_of(part, role)
            some = f"try_cast({count} as double) > 0"
            if role in part.each:
                selects.append(row_text(part, at, often=often_sql(count), kind=f"'{name}'", where=some, **more))
            else:
                selects.append(row_text(part, at, kind=f"'{name}'", quantity=count, where=some, **more))
    for column in part.counts:
        count = sql_name(column)
        selects.append(row_text(part, at, kind="'use'", feature=sql_text(column), quantity=count, where=f"try_cast({count} as double) > 0"))
    return selects


def _invoices(part: Part, guess: Guess) -> list[str]:
    invoice, amount = own_sql(part, "invoice"), text_of(part, "amount")
    unique = "invoice" not in part.roles or part.file.column(part.roles["invoice"]).unique
    if not unique and "status" in part.roles and (step := event_sql(part, "status", "invoices", guess, "issued")):
        return [row_text(part, text_of(part, "issued"), invoice_id=invoice, event=step, amount=amount, **given_sql(part, due_on="due"))]
    selects = [
        row_text(part, text_of(part, "issued"), invoice_id=invoice, event="'issued'", amount=amount, **given_sql(part, due_on="due"))
    ]
    if "paid" in part.roles:
        selects.append(
            row_text(part, text_of(part, "paid"), invoice_id=invoice, event="'paid'", amount=amount, where=f"{text_of(part, 'paid')} <> ''")
        )
    else:
        guess.ask(
            f"{part.file.view}: no column says when an invoice was paid.",
            "Without it every invoice looks unpaid: export the date of payment, or take invoices.sql away.",
        )
    return selects + back_rows(part)


PLAIN = {
    "feedback": {"score": "score"},
    "purchases": {"order_id": "order", "product_id": "product", "family": "family", "quantity": "quantity", "amount": "amount"},
    "contacts": {"channel": "channel", "campaign": "campaign", "outcome": "outcome"},
    "consents": {"purpose": "purpose", "allowed": "allowed"},
}


def _plain(part: Part, guess: Guess, products: Part | None) -> str:
    values = given_sql(part, **PLAIN[part.table])
    if part.table == "feedback":
        words = f"{part.file.title} {part.roles['score']}".lower()
        values["kind"] = next((f"'{one}'" for one in ("nps", "ces", "csat", "review") if one in words), "'csat'")
    if part.table == "contacts":
        kind = (event_sql(part, "activity", "contacts", guess, "email") if "activity" in part.roles else None) or (
            "'campaign'" if "campaign" in part.roles else "'email'"
        )
        values |= {"kind": kind, "direction": "'out'"}
        guess.ask(
            f"{part.file.view}: who began these contacts, and what were they?",
            f"They are taken as {kind.strip(chr(39)) if 'case' not in kind else 'their words say'}, from you to the customer: see contacts.sql.",
        )
    if (
        part.table == "purchases"
        and products
        and "family" not in values
        and "family" in products.roles
        and "product" in values | part.roles
    ):
        key, family = products.roles["product"], products.roles["family"]
        found = f"select any_value({sql_name(family)}) from {products.file.view} p where p.{sql_name(key)} = {part.file.view}.{sql_name(part.roles['product'])}"
        if not (part.link and part.link.view):
            values["family"] = f"({found})"
    return row_text(part, text_of(part, "at"), **values)

"""Rows that stand in an export and never were what it holds: drafts and quotes, notes that take money back, accounts of nobody's."""

from dataclasses import replace

import duckdb

from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.guess.found import MOST, NUMBER, TEXT, Column, Guess, Part
from prevenance.sources.guess.plan import raw_rows
from prevenance.sources.guess.roles import asked_values, mail_words, never_were, says_kind
from prevenance.sources.guess.row import customer_sql, row_text, text_of

TEST_NAME = r"regexp_matches(lower({0}), '(^|[^a-zäöüß])test(kunde|firma|account|konto)?([^a-zäöüß]|$)')"
"""Names of customers that are called tests, as SQL."""


def set_only(con: duckdb.DuckDBPyConnection, part: Part, guess: Guess) -> None:
    """Set which rows of a part count (``only``, SQL) where some say that they never were, and of invoices what takes others back (``backs``)."""
    left = []
    for column in _kinds(part):
        if words := never_were(part.table, column.values):
            left.append(_not_in(column, words))
    if part.table == "invoices":
        left += _taken_back(con, part, guess)
    for column in part.file.columns if part.table == "contacts" else []:
        sent, came = mail_words(column.values) if column.is_category else ([], [])
        if sent and came:
            left.append(f"{sql_name(column.name)} in ({_listed(sent)})")
            guess.ask(
                f'{part.file.view}: of "{column.name}" only {" and ".join(sent[:3])} is taken for a contact; {", ".join(came[:6])} is what came of it.',
                "Where somebody unsubscribed, add those rows to consents.sql.",
            )
    if part.table == "contacts" and part.link and part.link.view:
        left.append("_customer is not null")  # whoever else a mailing goes to is no customer
    part.only = " and ".join(one for one in left if one)


def _taken_back(con: duckdb.DuckDBPyConnection, part: Part, guess: Guess) -> list[str]:
    """Return SQL for the invoices that are some: those that take others back are told as such where a column says which, else asked for."""
    left, backs, key = [], [], part.roles.get("invoice", "")
    for column in _kinds(part):
        voids, credits = (asked_values(what, column.values) for what in ("void", "credit"))
        for event, words in (("voided", voids), ("credited", credits)):
            if not words or len(words) == len(column.values):
                continue
            left.append(_not_in(column, words))
            where = f"{sql_name(column.name)} in ({_listed(words)})"
            if other := _reference(con, part, key, where):
                backs.append((event, where, other))
                continue
            guess.ask(
                f'{part.file.view}: {_rows(con, part, column, words)} of "{column.name}" {" or ".join(words[:3])} take invoices back, no column says which. Left out.',
                f"Where one does, add them to invoices.sql as {event}, with the number that the invoice has there as invoice_id.",
            )
    part.backs = tuple(backs)
    for column in _kinds(part) if not any(event == "voided" for event, _, _ in backs) else []:
        gone = asked_values("voided", column.values)
        if gone and len(gone) < len(column.values):
            left.append(_not_in(column, gone))
            guess.ask(
                f'{part.file.view}: {_rows(con, part, column, gone)} of "{column.name}" {" or ".join(gone[:3])}, and nothing says when. They are left out.',
                "Export the day, and add them to invoices.sql as issued and as voided.",
            )
    return left


def _reference(con: duckdb.DuckDBPyConnection, part: Part, key: str, where: str) -> str:
    """Return the column that holds the number of another row of the file, in nearly all rows ``where``; empty where none does."""
    for column in part.file.columns if key else []:
        if column.name == key or column.kind not in (TEXT, NUMBER):
            continue
        cell = f"trim({sql_name(column.name)})"
        known = f"{cell} in (select trim({sql_name(key)}) from {part.file.view})"
        [(share,)] = raw_rows(con, f"select avg(case when coalesce({known}, false) then 1 else 0 end) from {part.file.view} where {where}")
        if share and share >= MOST:
            return column.name
    return ""


def back_rows(part: Part) -> list[str]:
    """Return the selects of the rows that take an invoice back, under its number."""
    back, every = f"replace(cast({text_of(part, 'amount')} as varchar), '-', '')", replace(part, only="")
    return [
        row_text(every, text_of(part, "issued"), invoice_id=sql_name(column), event=f"'{event}'", amount=back, where=where)
        for event, where, column in part.backs
    ]


def _not_in(column: Column, words: list[str]) -> str:
    return f"coalesce({sql_name(column.name)}, '') not in ({_listed(words)})" if len(words) < len(column.values) else ""


def ask_tests(con: duckdb.DuckDBPyConnection, master: Part, guess: Guess) -> None:
    """Ask whether accounts that are called tests, demos or the company's own are customers."""
    for column in _kinds(master):
        tests = asked_values("test", column.values)
        if not tests or len(tests) == len(column.values):
            continue
        inside = f"{customer_sql(master)} from {master.file.view} where {sql_name(column.name)} in ({_listed(tests)})"
        guess.ask(
            f'{master.file.view}: {_rows(con, master, column, tests)} of "{column.name}" {" or ".join(tests[:3])}. Are they customers?',
            f"If not, write select * from (…) where customer_id is null or customer_id not in (select {inside}) around every select.",
        )
    if count := _named_tests(con, master):
        key, name = customer_sql(master), sql_name(master.roles["name"])
        guess.ask(
            f"{master.file.view}: {count:,} {'customer is' if count == 1 else 'customers are'} called a test. Customers all the same?",
            f"If not, write select * from (…) where customer_id is null or customer_id not in (select {key} from {master.file.view} "
            f"where {TEST_NAME.format(name)}) around every select.",
        )


def _named_tests(con: duckdb.DuckDBPyConnection, master: Part) -> int:
    """Return how many customers are called tests."""
    if "name" not in master.roles:
        return 0
    [(count,)] = raw_rows(con, f"select count(*) from {master.file.view} where {TEST_NAME.format(sql_name(master.roles['name']))}")
    return int(count)


def _kinds(part: Part) -> list[Column]:
    return [one for one in part.file.columns if one.is_category and says_kind(one.name)]


def _rows(con: duckdb.DuckDBPyConnection, part: Part, column: Column, words: list[str]) -> str:
    [(count,)] = raw_rows(con, f"select count(*) from {part.file.view} where {sql_name(column.name)} in ({_listed(words)})")
    return f"{count:,} row{'' if count == 1 else 's'}"


def _listed(words: list[str]) -> str:
    return ", ".join(map(sql_text, words))

"""Rows that stand in an export and never were what it holds: drafts and quotes, notes that take money back, accounts of nobody's."""

import duckdb

from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.guess.found import Column, Guess, Part
from prevenance.sources.guess.plan import raw_rows
from prevenance.sources.guess.roles import asked_values, never_were, says_kind


def set_only(con: duckdb.DuckDBPyConnection, part: Part, guess: Guess) -> None:
    """Set which rows of a part count (``only``, SQL) where some say that they never were, and ask for those that take money back."""
    left = []
    for column in _kinds(part):
        backs = asked_values("credit", column.values) if part.table == "invoices" else []
        words = list(dict.fromkeys([*never_were(part.table, column.values), *backs]))
        if not words or len(words) == len(column.values):
            continue
        left.append(f"coalesce({sql_name(column.name)}, '') not in ({_listed(words)})")
        if backs:
            guess.ask(
                f'{part.file.view}: {_rows(con, part, column, backs)} of "{column.name}" {" or ".join(backs[:3])} take money back. They are left out.',
                "Where a column says of which invoice, add them to invoices.sql as credited, with the id of that invoice.",
            )
    part.only = " and ".join(left)


def ask_tests(con: duckdb.DuckDBPyConnection, master: Part, guess: Guess) -> None:
    """Ask whether accounts that are called tests, demos or the company's own are customers."""
    for column in _kinds(master):
        tests = asked_values("test", column.values)
        if not tests or len(tests) == len(column.values):
            continue
        inside = f"{sql_name(master.roles['customer'])} from {master.file.view} where {sql_name(column.name)} in ({_listed(tests)})"
        guess.ask(
            f'{master.file.view}: {_rows(con, master, column, tests)} of "{column.name}" {" or ".join(tests[:3])}. Are they customers?',
            f"If not, write select * from (…) where customer_id not in (select {inside}) around every select.",
        )


def _kinds(part: Part) -> list[Column]:
    return [one for one in part.file.columns if one.is_category and says_kind(one.name)]


def _rows(con: duckdb.DuckDBPyConnection, part: Part, column: Column, words: list[str]) -> str:
    [(count,)] = raw_rows(con, f"select count(*) from {part.file.view} where {sql_name(column.name)} in ({_listed(words)})")
    return f"{count:,} row{'' if count == 1 else 's'}"


def _listed(words: list[str]) -> str:
    return ", ".join(map(sql_text, words))

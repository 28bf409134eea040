"""Columns of a file of use that count: a row stands for so many logins, errors, uses or people, not for one of them."""

import re

import duckdb

from prevenance.consent.special import name_words
from prevenance.sources.files import sql_name
from prevenance.sources.guess.found import NUMBER, Column, Guess, Part
from prevenance.sources.guess.plan import BARE, raw_rows
from prevenance.sources.guess.roles import role_fit

MOST_ROWS, MOST_EACH = 2_000_000, 10_000
"""Logins and errors of a file that become a row each, and at most of one of its rows: a slip of the pen must not fill the memory."""

NO_COUNT = re.compile(
    r"\b(min|minut|stunde|hour|heure|hora|sec|sek|seg|ms$|dauer|duration|duree|duracion|zeit|time|temps|tiempo|percent|prozent|pourcent|porcent|pct|"
    r"rate$|quote|taux|tasa|share|anteil|avg|mean|average|durchschnitt|moyenne|media$|promedio|version|id$|year|jahr|annee|ano$|month|monat|mois|mes$|"
    r"week|woche|semaine|semana|kw$|day|tag$|jour|dia$|plz|zip|code|line$|rank|total|cumul|kumul|gesamt|bestand|stand$|acumul)|(minuten|stunden|sekunden|dauer|zeit|quote|stand)$"
)
"""Names of whole numbers that are no counts of what happened: spans, shares, averages, parts of a date, ids, running totals."""


def is_count(column: Column) -> bool:
    """Return whether a column holds whole numbers that repeat, and its name says nothing else of them."""
    whole = column.kind == NUMBER and not column.comma and all(re.fullmatch(r"\d{1,6}", one) for one in column.values)
    words = name_words(column.name)
    return whole and not column.unique and not set(words) <= BARE and not any(NO_COUNT.search(one) for one in words)


def often_sql(count: str) -> str:
    """Return SQL for how often a row stands that says so itself; one that does not say it stands once."""
    return f"least(coalesce(try_cast({count} as bigint), 1), {MOST_EACH})"


def set_counts(con: duckdb.DuckDBPyConnection, part: Part, guess: Guess) -> None:
    """Say of a file of use which columns count: ``each`` become a row for each, ``counts`` a row of use with a quantity; people are asked for."""
    _drop_people(con, part, guess)
    kind_says = "activity" in part.roles or "feature" not in part.roles
    counted = [role for role in ("logins", "errors", "quantity") if role in part.roles and is_count(part.file.column(part.roles[role]))]
    part.each = tuple(role for role in counted if role != "quantity" or kind_says)
    sums = [f"coalesce(sum(try_cast({sql_name(part.roles[role])} as double)), 0)" for role in part.each]
    if sums and (total := raw_rows(con, f"select {' + '.join(sums)} from {part.file.view}")[0][0]) > MOST_ROWS:
        part.counts, part.each = tuple(part.roles.pop(role) for role in part.each), ()
        guess.ask(
            f"{part.file.view}: {', '.join(part.counts)} add up to {total:,.0f}, too many for a row each. They count as use, and logins and errors are not known.",
            "Export a shorter time, or fewer customers; usage.sql then makes a row of each login and error.",
        )
    if _is_totals(con, part):
        part.counts += tuple(one.name for one in part.file.columns if _is_use(con, part, one))
        # beside columns that count, an average or a span of time is no quantity of use
        if (part.counts or "logins" in part.roles) and "quantity" in part.roles and "quantity" not in part.each:
            del part.roles["quantity"]


def _drop_people(con: duckdb.DuckDBPyConnection, part: Part, guess: Guess) -> None:
    """Take a number of people away as the id of one, for the next column that may be one."""
    while (name := part.roles.get("user")) and _counts_people(con, part, name):
        del part.roles["user"]
        part.people = (*part.people, name)
        taken = {*part.roles.values(), *part.people, part.link.column if part.link else ""}
        others = [one for one in part.file.columns if one.is_key and one.name not in taken and role_fit("user", one.name) > 0.15]
        if others:
            part.roles["user"] = max(others, key=lambda one: role_fit("user", one.name)).name
    part.people += tuple(
        one.name for one in part.file.columns if one.name not in (*part.people, *part.roles.values()) and role_fit("people", one.name)
    )
    for name in part.people:
        guess.ask(
            f'{part.file.view}: "{name}" says how many people, not which, so it is not used; how many use the product is not known.',
            "Export a row for each person and day, and write the person's id as user_id in usage.sql.",
        )


def _counts_people(con: duckdb.DuckDBPyConnection, part: Part, name: str) -> bool:
    """Return whether a column is no id of people: whole numbers that most customers share with others."""
    column = part.file.column(name)
    if column.kind != NUMBER or part.link is None:
        return False
    if role_fit("people", name):
        return True
    query = f"""select avg((n > 1)::int) from (select count(distinct {sql_name(part.link.column)}) as n from {part.file.view}
        where {sql_name(name)} <> '' group by trim({sql_name(name)}))"""
    return is_count(column) and float(raw_rows(con, query)[0][0] or 0) > 0.5


def _is_totals(con: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Return whether there is one row a customer and day (or week, or month), with nothing that says what it is about."""
    if part.link is None or {"feature", "activity", "user", "product"} & part.roles.keys():
        return False
    at, who = sql_name(part.roles["at"]), sql_name(part.link.column)
    query = f"select count(distinct ({who}, {at})), count(*), count(distinct {who}) from {part.file.view} where {who} <> '' and {at} <> ''"
    [(places, rows, customers)] = raw_rows(con, query)
    return not part.file.column(part.roles["at"]).timed and rows >= 2 * customers and places >= 0.98 * rows


def _is_use(con: duckdb.DuckDBPyConnection, part: Part, column: Column) -> bool:
    """Return whether a column counts uses that no role takes: it changes from row to row of a customer."""
    assert part.link is not None
    taken = {*part.roles.values(), *part.counts, *part.people, part.link.column}
    if (
        column.name in taken
        or not is_count(column)
        or any(role_fit(one, column.name) > 0.3 for one in ("score", "price", "amount", "seats"))
    ):
        return False
    query = f"""select avg((n > 1)::int) from (select count(distinct {sql_name(column.name)}) as n, count(*) as rows from {part.file.view}
        where {sql_name(part.link.column)} <> '' group by {sql_name(part.link.column)}) where rows > 1"""
    return float(raw_rows(con, query)[0][0] or 0) > 0.5

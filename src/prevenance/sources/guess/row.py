"""The pieces of a guessed select: its comments, whose row it is, when, and which event the words of a cell are."""

import re
from collections.abc import Iterable

from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.guess.found import Guess, Part
from prevenance.sources.guess.profile import cell_sql
from prevenance.sources.guess.roles import said_events

FORM_TEXT = "ids of customers stand without leading zeros (or a .0 behind them) in every select, because not all files have these: no two become one by it"


def text_of(part: Part, role: str, alias: str = "") -> str:
    """Return SQL for the cell of a role, as a reader takes it."""
    return cell_sql(part.file.column(part.roles[role]), alias)


def customer_sql(part: Part) -> str:
    """Return SQL for whose row it is, over ``rows_from``."""
    assert part.link is not None
    return id_sql(part, "_customer" if part.link.view else sql_name(part.link.column))


def id_sql(part: Part, cell: str) -> str:
    """Return SQL for the id of a customer in the form that all selects give it."""
    return part.form.replace("X", cell) if part.form else cell


def with_text(part: Part) -> str:
    """Return what stands above the selects of a part: whose rows they are where that is looked up, and the steps of a log."""
    tables = []
    if (link := part.link) and link.view:
        # what two customers are called leads to neither
        key, name, form = sql_name(link.customer), sql_name(link.other), link.form or "trim(X)"
        found, own = (f"lower({form.replace('X', one)})" for one in (name, f"t.{sql_name(link.column)}"))
        known = f"select {found} as _key, min({key}) as _customer from {link.view} where {name} <> '' group by 1 having count(distinct {key}) = 1"
        tables.append(f"looked_up as (\n  select t.*, k._customer from {part.file.view} t\n  left join ({known}) k on k._key = {own}\n)")
    tables += [f"steps as (\n  {part.steps}\n)"] if part.steps else []
    return f"with {', '.join(tables)}\n" if tables else ""


def head_text(part: Part) -> str:
    """Return the comments of a part: what its file and columns are taken for, and why."""
    lines = [f"{part.file.view} is taken for {part.table} {part.why}. Change what is wrong here: init never writes it again."]
    lines += role_lines(part, "customer")
    if part.link:
        through = f", looked up in {part.link.view} by {part.link.other}" if part.link.view else ""
        known = f" ({part.link.share:.0%} of its values are known there)" if part.link.share < 1 or through else ""
        lines.insert(1, f"customer: {part.link.column}{through}{known}")
    lines += [FORM_TEXT] if part.form else []
    ends = [part.roles[one] for one in ("noticed", "ended") if one in part.roles]
    if len(ends) == 1 and (part.table == "subscriptions" or part.steps):
        lines.append(
            f"{ends[0]}: the one day of an end is the last day, and known from that day on, not before; one that lies ahead is nothing yet"
        )
    elif len(ends) == 2:
        lines.append(
            f"{ends[1]}: an end that is planned is ends_on of a notice; it is none of a contract that runs by its status without a notice"
        )
    lines += [f"rows that never were are left out: {part.only}"] if part.only else []
    lines += [f"use, with a quantity: {name}" for name in part.counts]
    lines += [f"{part.roles[one]}: a row stands for as many as it says, so it is repeated as often; all have its time" for one in part.each]
    return comments(lines, left_out(part, [*part.roles.values(), *part.counts, part.link.column if part.link else ""]))


def role_lines(part: Part, *but: str) -> list[str]:
    """Return what the comments say of the columns that have a role."""
    told = {role: part.file.column(name) for role, name in sorted(part.roles.items()) if role not in but}
    return [f"{role}: {one.name}{f', with its hour from {one.hour}' if one.hour else ''}" for role, one in told.items()]


def left_out(part: Part, used: Iterable[str]) -> str:
    """Return the comment that names the columns of a part's file that are not used, or nothing."""
    taken = {*used}
    taken |= {one.hour for one in part.file.columns if one.name in taken}
    left = [one.name for one in part.file.columns if one.name not in taken]
    return f"not used: {', '.join(left[:30])}" if left else ""


def comments(lines: Iterable[str], *more: str) -> str:
    """Return lines as comments of SQL; empty ones are left out."""
    return "\n".join(f"-- {re.sub(r'[^ -~¡-ɏ€]', ' ', one)}" for one in (*lines, *more) if one)


def row_text(part: Part, at: str, *, where: str = "", often: str = "", **values: str) -> str:
    """Return one select: whose row, when, and the given columns; roles that the part lacks are left out; ``often`` is SQL for how often each row stands."""
    told = [
        f"{customer_sql(part)} as customer_id",
        f"{at} as event_at",
        *(f"{sql} as {sql_name(name) if name == 'group' else name}" for name, sql in values.items()),
    ]
    each = f" cross join unnest(range({often})) as each(n)" if often else ""
    asked = [f"({one})" if part.only and where else one for one in (where, part.only) if one]
    return f"select {', '.join(told)}, _file, _line\nfrom {part.rows_from}{each}" + (f"\nwhere {' and '.join(asked)}" if asked else "")


def given_sql(part: Part, **roles: str) -> dict[str, str]:
    """Return column of the table -> SQL, of those roles that the part has."""
    return {column: text_of(part, role) for column, role in roles.items() if role in part.roles}


def own_sql(part: Part, role: str) -> str:
    """Return SQL for the id of a row's own thing, or its place in the file where it has none."""
    return text_of(part, role) if role in part.roles else "_file || ':' || _line"


def event_sql(part: Part, role: str, table: str, guess: Guess, other: str) -> str | None:
    """Return SQL that says which event a cell is, or ``None`` where the words of the column say none; unknown words are asked for."""
    column = part.file.column(part.roles[role])
    told = said_events(table, column.values) if column.is_category else {}
    if not told:
        return None
    if unknown := [one for one in column.values if one not in told]:
        words = ", ".join(one[:40] for one in unknown[:12])
        guess.ask(
            f'{part.file.view}: what do these words of "{column.name}" mean for {table}? They are taken as {other}: {words}.',
            f"Say it in {table}.sql.",
        )
    cases: dict[str, list[str]] = {}
    for value, event in told.items():
        cases.setdefault(event, []).append(sql_text(value))
    whens = " ".join(f"when {text_of(part, role)} in ({', '.join(values)}) then '{event}'" for event, values in cases.items())
    return f"case {whens} else '{other}' end"

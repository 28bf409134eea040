"""How each file says whose rows it has: by the customer's id, by another column of the list of customers, or by the id of a contract or ticket."""

from collections.abc import Iterable
from dataclasses import replace

import duckdb

from prevenance.sources.files import sql_name
from prevenance.sources.guess.found import MOST, TEXT, Column, Found, Guess, Link, Part
from prevenance.sources.guess.plan import ROLES
from prevenance.sources.guess.roles import role_fit
from prevenance.sources.ids import FORMS as ID_FORMS

NO_ZEROS = r"regexp_replace(X, '^(\D*)0+(\d)', '\1\2')"
NO_FRACTION, _ = ID_FORMS['without ".0"']
FORMS = {
    "without leading zeros": NO_ZEROS.replace("X", "trim(X)"),
    'without ".0"': NO_FRACTION.replace("X", "trim(X)"),
    'without leading zeros and ".0"': NO_ZEROS.replace("X", NO_FRACTION.replace("X", "trim(X)")),
}
"""How ids of two exports are one: what spreadsheets take from them or put behind them; SQL, X for the cell."""


def share_found(con: duckdb.DuckDBPyConnection, view: str, link: Link, form: str = "trim(X)") -> float:
    """Return the share of the different values of a link's column that lead to a customer, of at most 5,000 of them.

    ``link.view`` and ``other`` say where they stand; where that is no customer's id, as the select looks them up: in any case, and by what only one is called.
    """
    mine, theirs = (form.replace("X", sql_name(one)) for one in (link.column, link.other))
    once = ""
    if link.customer not in ("", link.other):
        mine, theirs, once = f"lower({mine})", f"lower({theirs})", f"group by 1 having count(distinct {sql_name(link.customer)}) = 1"
    query = f"""select avg((v in (select {theirs} from raw.{sql_name(link.view)} where {sql_name(link.other)} <> '' {once}))::int) from
        (select distinct {mine} as v from raw.{sql_name(view)} where {sql_name(link.column)} <> '' order by hash(v) limit 5000)"""
    [(share,)] = con.execute(query).fetchall()
    return float(share or 0)


def set_links(con: duckdb.DuckDBPyConnection, parts: list[Part], guess: Guess) -> Part | None:
    """Set how each part says whose rows they are, and return the list of customers, if there is one."""
    master = max((one for one in parts if one.table == "customers"), key=lambda one: one.file.rows, default=None)
    for part in parts:
        if part is master:
            part.link = Link(part.roles["customer"])
        elif part.table != "products":
            own = part.roles.get("customer")
            part.link = _direct(con, part, master, guess) if master else Link(own) if own else None
    for part in parts:
        if part.link is None or (part.link.share < 0.5 and part is not master):
            part.link = _through(con, part, parts, guess) or part.link
    _set_form(con, [one for one in parts if one.link], master, guess)
    return master


def _direct(con: duckdb.DuckDBPyConnection, part: Part, master: Part, guess: Guess) -> Link | None:
    """Return the column that names the customer, as the list of customers does by id or by another of its own columns."""
    taken = {
        name for role, name in part.roles.items() if role in ("ticket", "invoice", "order", "user") and role_fit("customer", name) < 0.3
    }
    named = [one for one in part.file.columns if one.is_key and one.name not in taken and role_fit("customer", one.name) > 0]
    own, key = part.roles.get("customer"), master.roles["customer"]
    others = (one for one in master.file.columns if one.kind == TEXT and one.name != key)
    keys = [key, *(one.name for one in others if one.unique or one.names_rows(master.file.rows))]
    same = [one for one in part.file.columns if one.name == key and one not in named]

    def joined(column: Column, other: str) -> Link:
        link = Link(column.name, master.file.view, other, key)
        return replace(link, share=share_found(con, part.file.view, link))

    def fit(link: Link) -> tuple[object, ...]:
        return link.share >= 0.5, -keys.index(link.other), role_fit("customer", link.column), link.share, link.column, link.other

    found = [joined(column, other) for column in (*same, *named) for other in keys]
    best = max(found, key=fit, default=None)
    if best is None or best.share < 0.5:
        # no name says it: any column whose texts are nearly all ids of customers
        texts = [one for one in part.file.columns if one.kind == TEXT and one.distinct > 5]
        found += [one for column in texts for other in keys if (one := joined(column, other)).share > 0.8]
        best = max(found, key=fit, default=None)
    if best is None:
        return None
    tried = [best] if best.share >= 0.5 else [one for one in found if one.other == key]
    formed = (_formed(con, part.file, link, guess) for link in tried)
    best = next((one for one in formed if one), best)
    if best.other == key or best.share < 0.5:
        return Link(best.column if best.share else own or best.column, share=best.share, form=best.form)
    return best


def _through(con: duckdb.DuckDBPyConnection, part: Part, parts: list[Part], guess: Guess) -> Link | None:
    """Return how a file that names no customer leads to one: by the id of a contract, ticket or order of another file."""
    for other in parts:
        own = other.roles.get(ROLES[other.table][0] or "-")
        if other is part or not own or other.link is None or other.link.view or not other.file.column(own).unique:
            continue
        for column in part.file.columns:
            if column.name == own or (column.is_key and role_fit(ROLES[other.table][0], column.name) > 0.4):
                link = Link(column.name, other.file.view, own, other.link.column)
                link = replace(link, share=share_found(con, part.file.view, link))
                link = _formed(con, part.file, link, guess) or link
                if link.share >= 0.5:
                    return link
    return None


def _formed(con: duckdb.DuckDBPyConnection, file: Found, link: Link, guess: Guess) -> Link | None:
    """Return a link by ids in the form in which (nearly) all are known, where they are not as they stand, and no two become one by it."""
    for told, form in FORMS.items() if link.share < 1 else ():
        share = share_found(con, file.view, link, form)
        if share >= MOST and share > link.share:
            places = ((file.view, link.column), (link.view, link.other))
            if not _fall_together(con, places, form):
                return replace(link, share=share, form=form)
            guess.ask(
                f'{file.view}: {share:.0%} of the ids in "{link.column}" are in {link.view} {told}, {link.share:.0%} as they stand; but so two ids would be one.',
                "They are left as they are: export the ids in one form, or say in the selects which is whose.",
            )
            return None
    return None


def _fall_together(con: duckdb.DuckDBPyConnection, places: Iterable[tuple[str, str]], form: str) -> bool:
    """Return whether two ids of one column become one by a form."""
    query = "select count(distinct trim({0})) > count(distinct {1}) from raw.{2}"
    return any(
        con.execute(query.format(sql_name(one), form.replace("X", sql_name(one)), sql_name(view))).fetchall()[0][0] for view, one in places
    )


def _set_form(con: duckdb.DuckDBPyConnection, parts: list[Part], master: Part | None, guess: Guess) -> None:
    """Set the form that ids of customers have in every select, where one of the files needs it to join with the others."""
    direct = [one for one in parts if one.link and not one.link.view]
    first = master or max(direct, key=lambda one: one.file.column(one.link.column).distinct if one.link else 0, default=None)
    for part in direct if not master else ():
        if first and first.link and part.link and part is not first:
            link = Link(part.link.column, first.file.view, first.link.column, first.link.column)
            link = replace(link, share=share_found(con, part.file.view, link))
            formed = _formed(con, part.file, link, guess) if link.share < 0.5 else None
            part.link = replace(part.link, form=formed.form if formed else "")
    asked = {one.link.form for one in direct if one.link and one.link.form}
    form = asked.pop() if len(asked) == 1 else [*FORMS.values()][-1] if asked else ""
    if form and _fall_together(con, [(one.file.view, one.link.column) for one in direct if one.link], form):
        told = next(one for one, sql in FORMS.items() if sql == form)
        guess.ask(
            f"Some files have the ids of customers {told}, others have not; but so two customers would be one.",
            "They are left as they are: export the ids in one form, or say in the selects which is whose.",
        )
        return
    for part in parts:
        part.form = form

"""The selects of who and what there is: customers, also those that only other files know, and products."""

from prevenance.sources.files import sql_name
from prevenance.sources.guess.found import Guess, Part
from prevenance.sources.guess.profile import date_sql
from prevenance.sources.guess.row import FORM_TEXT, comments, customer_sql, id_sql, left_out, role_lines, text_of


def _first_seen(parts: list[Part]) -> str:
    """Return SQL for when each customer was first met in the other files."""
    seen = []
    for part in parts:
        role = next(one for one in ("opened", "started", "noticed", "issued", "at") if one in part.roles)
        link, column = part.link, part.file.column(part.roles[role])
        if link and not link.view:
            text = customer_sql(part)
            seen.append(
                f"select {text} as _id, {date_sql(column)} as _seen, _file, _line from {part.file.view} where {sql_name(link.column)} <> ''"
            )
    return "\n  union all ".join(seen)


def customers_text(master: Part, used: list[Part], guess: Guess) -> str:
    """Return the select of customers: the list of them, and those that only other files know."""
    given: dict[str, str] = {
        role: text_of(master, role, "c.")
        for role in ("name", "segment", "industry", "country", "language", "owner")
        if role in master.roles
    }
    given |= {"parent_id": id_sql(master, text_of(master, "parent", "c."))} if "parent" in master.roles else {}
    key, seen = master.roles["customer"], _first_seen(used)
    lines = [
        f"{master.file.view} is taken for the list of customers {master.why}. What it says holds from the beginning: what changes (plan, status) is left out."
    ]
    since = text_of(master, "since", "c.") if "since" in master.roles else ""
    lines += role_lines(master)
    missing = max((1 - one.link.share for one in used if one.link and not one.link.view), default=0.0)
    lines += [FORM_TEXT] if master.form else []
    if not since:
        lines.append("it has no date: a customer begins when other files know it first")
        guess.ask(
            f"{master.file.title}: no column says since when somebody is a customer.",
            "Customers begin with their first row in another file; add a date as event_at in customers.sql if you have one.",
        )
    told = "".join(f", {sql} as {name}" for name, sql in given.items())
    who, own = (id_sql(master, f"{alias}{sql_name(key)}") for alias in ("c.", ""))
    beside = [name for one in used if one.file is master.file for name in one.roles.values()]
    comment = comments(lines, left_out(master, [*master.roles.values(), *beside]))
    if since and missing == 0:
        return f"{comment}\nselect {who} as customer_id, {since} as event_at{told}, _file, _line from {master.file.view} c"
    places = "arg_min(_file, (_seen, _file, _line)) as _file, arg_min(_line, (_seen, _file, _line)) as _line"
    met = f"with met as (\n  select _id, min(_seen) as _seen, {places} from (\n  {seen}\n  ) group by 1\n)"
    if missing:
        guess.ask(
            f"Up to {missing:.0%} of the customers of another file are not in {master.file.title}.",
            "They count as customers from their first row on. If they are tests, leave them out in customers.sql; deleted ones belong in.",
        )
    rows = f"select {who} as customer_id, {since or 'met._seen'} as event_at{told}, c._file, c._line\nfrom {master.file.view} c" + (
        "" if since else f" join met on met._id = {who}"
    )
    gone = "select _id as customer_id, _seen as event_at, _file, _line from met\n"
    gone += f"where _id not in (select {own} from {master.file.view} where {sql_name(key)} <> '')"
    return f"{comment}\n{met}\n{rows}" + (f"\nunion all by name\n{gone}" if missing else "")


def products_text(part: Part, first: Part) -> str:
    """Return the select of products, known from the first row of ``first`` on."""
    role = next(one for one in ("started", "at") if one in first.roles)
    column = first.file.column(first.roles[role])
    given = "".join(f", {text_of(part, one)} as {one}" for one in ("name", "family", "price") if one in part.roles)
    head = f"{part.file.view} is taken for the list of products. It carries no date: it counts as known from the first row of {first.file.view} on."
    return (
        f"{comments([head], left_out(part, part.roles.values()))}\n"
        f"select (select min({date_sql(column)}) from {first.file.view}) as event_at, {text_of(part, 'product')} as product_id{given}, _file, _line\n"
        f"from {part.file.view}"
    )

"""Rows of one table that say the same thing twice: versions of a row, halves of one, contradictions, duplicates, and files counted twice.

It works on the engine's table ``judged`` (see ``apart``) and marks rows there with a reason.
"""

import re
from datetime import datetime

import duckdb

from prevenance.sources.declared import Source
from prevenance.sources.files import column_names, sql_name, sql_text
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import Table

VERSION = "_version"
"""Column of a select that says which of several rows with one id is the newest: a number or an instant."""

OLDER, CONFLICT, DUPLICATE, AGAIN = "older_version", "conflicting_key", "duplicate", "in_another_file"

NEWEST = (
    r"(?:\w+_)?(?:last_?)?(?:updated|modified|changed|extracted|synced|loaded)(?:_?(?:at|on|date|time|stamp|utc))*"
    r"|system_?modstamp|_?version|_(?:airbyte|ab|sdc|fivetran)_\w*"
)
"""Names of columns that usually say which of several rows with one id is the newest."""

COPY_SHARE = 0.5
"""A file of which this share of rows stands in another file too is taken for its copy."""


def mark(con: duckdb.DuckDBPyConnection, marked: str, reason: str) -> None:
    """Give the rows of ``judged`` whose ``rowid`` the query ``marked`` gives a reason, unless they have one."""
    con.execute(f"update judged set reason = '{reason}' where reason is null and rowid in ({marked})")


def mark_repeats(taken: Intake, table: Table, until: datetime | None) -> None:
    """Mark older versions, contradictions (both set apart), duplicates (one is used) and rows of a copied file, and tell of them.

    Rows with one key of which none contradicts another are halves of one: each column takes the value that one of them has. ``until``
    (naive UTC), where given: a row known later contradicts and completes no earlier one.
    """
    con = taken.con
    # law 6: a row that becomes known later may not take an earlier one out of the past
    known = "" if until is None else f" and known_at <= timestamp '{until}'"
    # an id of the source's own settles repeats where a table may say the same thing twice
    has_id = con.execute("select count(_id) > 0 from judged").fetchall()[0][0]
    if has_id:  # nearly every id comes once: nothing is to be settled by it, and all its rows are left alone
        often = "select hash(_id) as print from judged where reason is null and _id is not null group by 1 having count(*) > 1"
        con.execute(f"create or replace temp table often as {often}")
    keys = [key for key in ((["_id"] if has_id else []), list(table.key)) if key]
    for key in keys:
        _mark_older(con, key, known)
        taken.messages += _settle(con, table, key, known)[0]
    if table.states:
        of_state = f" and judged.event in ({', '.join(map(sql_text, table.states))})"
        ids = [column.name for column in table.columns if column.kind == "id" and column.required]
        told, contradict = _settle(con, table, [*ids, "event", "event_at", "known_at"], known + of_state)
        taken.messages += told
        if contradict:
            event = con.execute("select min(event) from clashes where apart").fetchall()[0][0]
            said = f"rows of one {ids[-1]}, {event} at one moment, that contradict each other"
            fix = f"keep one of them in the export, or add up the parts of one {ids[-1]} in {table.name}.sql"
            taken.hints.setdefault((table.name, CONFLICT), (said, fix))
    if has_id or table.once:
        everything = ", ".join(sql_name(name) for name in table.names)
        same = everything if table.once else f"_id, {everything}"
        only = "" if table.once else " and hash(_id) in (from often)"
        # most rows come once: only the others are put in order
        few = f"hash({same}) in (select hash({same}) from judged where reason is null{only} group by 1 having count(*) > 1)"
        only += f" and {few}"
        place = (
            f"select rowid as _row, row_number() over (partition by {same} order by rowid) as place from judged where reason is null{only}"
        )
        mark(con, f"select _row from ({place}) where place > 1", DUPLICATE)
    else:
        _mark_copies(taken, table)


def _mark_older(con: duckdb.DuckDBPyConnection, key: list[str], known: str) -> None:
    if not con.execute("select count(_version) > 0 from judged").fetchall()[0][0]:
        return
    keys = ", ".join(map(sql_name, key))
    newest = f"max(_version) over (partition by {keys})"
    rows = f"select rowid as _row, _version, {newest} as newest from judged where reason is null and {sql_name(key[0])} is not null{known}"
    mark(con, f"select _row from ({rows}) where newest is not null and coalesce(_version, '-inf'::double) < newest", OLDER)


def _settle(con: duckdb.DuckDBPyConnection, table: Table, key: list[str], known: str) -> tuple[list[str], bool]:
    """Complete the rows of one key by each other where they can be, and mark them where they contradict each other; return what is told of
    the former, and whether there are any of the latter."""
    keys = ", ".join(map(sql_name, key))
    rest = [sql_name(name) for name in table.names if name not in key]
    differs = f"min(hash({', '.join(rest)})) <> max(hash({', '.join(rest)}))"
    apart = " or ".join(f"count(distinct {name}) > 1" for name in rest)
    values = ", ".join(f"max({name}) as {name}" for name in rest)
    rows = f"from judged where reason is null and {sql_name(key[0])} is not null{known}"
    # most keys come once, and most of the others say the same: only what is left is worth a look at every column
    often = "from often" if key == ["_id"] else f"select hash({keys}) {rows} group by all having count(*) > 1"
    differing = f"select {keys} {rows} and hash({keys}) in ({often}) group by {keys} having {differs}"
    if not con.execute(f"select exists({differing})").fetchall()[0][0]:
        return [], False
    con.execute(
        f"create or replace temp table clashes as select {keys}, {values}, {apart} as apart, count(*) as _rows {rows} "
        f"and hash({keys}) in (select hash({keys}) from ({differing})) group by {keys} having {differs}"
    )
    apart_or_not = con.execute("select coalesce(bool_or(apart), false), coalesce(sum(_rows) filter (where not apart), 0) from clashes")
    contradict, halves = apart_or_not.fetchall()[0]
    same = " and ".join(f"judged.{sql_name(name)} is not distinct from c.{sql_name(name)}" for name in key)
    if halves:
        given = ", ".join(f"{name} = c.{name}" for name in rest)
        con.execute(f"update judged set {given} from clashes c where not c.apart and reason is null and {same}{_of('judged', known)}")
    if contradict:
        rows = f"select judged.rowid from judged join clashes c on {same} where c.apart and judged.reason is null{_of('judged', known)}"
        mark(con, rows, CONFLICT)
    told = [f"{table.name}: {halves:,} rows that complete each other (one key, no contradiction) read as one"] if halves else []
    return told, bool(contradict)


def _of(table: str, known: str) -> str:
    return known.replace("known_at", f"{table}.known_at")


def _mark_copies(taken: Intake, table: Table) -> None:
    """Mark the rows of a file that stand in a file before it too, where that is most of one of the two; tell of fewer."""
    con = taken.con
    if con.execute("select min(_file) is not distinct from max(_file) from judged").fetchall()[0][0]:
        return
    everything = ", ".join(sql_name(name) for name in table.names)
    # equal rows are counted: the third of its kind has a twin only where the other file has three
    numbered = (
        f"select rowid as _row, _file, hash({everything}, row_number() over (partition by _file, {everything} order by rowid)) as print "
        "from judged where reason is null and _file is not null"
    )
    con.execute(f"create or replace temp table prints as {numbered}")
    con.execute(
        "create or replace temp table again as select _row, _file, first from "
        "(select *, min({'file': _file}) over (partition by print) as first from prints) where _file <> first.file"
    )
    pairs = (
        "select _file, first.file as other, count(*) as rows from again group by all), "
        "sizes as (select _file, count(*) as held from prints group by 1) "
        "select p._file, p.other, p.rows, p.rows / least(a.held, b.held) from pairs p join sizes a using (_file) join sizes b on b._file = p.other order by all"
    )
    for file, other, rows, share in con.execute(f"with pairs as ({pairs}").fetchall():
        said = f"rows of {file} that stand in {other} too ({rows:,})"
        if share < COPY_SHARE:
            taken.messages.append(f"{table.name}: {said} count twice; give each row its own id as _id if such a row is one")
            continue
        taken.messages.append(f"{table.name}: {said} are set apart: one file is taken for a copy of the other")
        taken.hints[table.name, AGAIN] = said, f"take {file} or {other} out of the folder"
        con.execute(
            "update judged set reason = ? where rowid in (select _row from again where _file = ? and first.file = ?)", [AGAIN, file, other]
        )


def note_versions(taken: Intake, source: Source, table: Table) -> None:
    """Keep, where rows of one key contradict each other and their files have a column that tells the newest, the line that takes it."""
    if (table.name, CONFLICT) not in taken.met:
        return
    for view in source.views_read(table.name):
        for column in column_names(taken.con, f"raw.{sql_name(view)}"):
            if re.fullmatch(NEWEST, column, re.IGNORECASE):
                fix = f"write {sql_name(column) if not column.isidentifier() else column} as {VERSION} in {table.name}.sql, to use the newest row of each"
                taken.hints[table.name, CONFLICT] = "", f"{fix}, or keep one row for each key"
                return

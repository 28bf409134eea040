"""What an entry names on a PostgreSQL server: its columns, the order of its rows, and how far it has grown (``append: <column>``)."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.sources.declared import Entry
from prevenance.sources.growth import Known

if TYPE_CHECKING:
    import psycopg

GROWING = frozenset({"smallint", "integer", "bigint", "numeric", "date", "timestamp without time zone", "timestamp with time zone"})
"""Types of a column that may only grow: they have one order, whatever the server's language, and read back as they were written."""

Columns = list[tuple[str, bool, str]]
"""Names in order, whether the column is text, which is ordered by its bytes and not by the server's language, and its type."""


@dataclass(frozen=True)
class Relation:
    """What to select from: its columns, those that put its rows in order, what the server calls it, whether its rows have versions, and which column only grows."""

    body: Any
    columns: Columns
    order: Columns
    held: tuple[object, ...] = ()
    versions: bool = False
    grows: str = ""


def relation_name(entry: Entry) -> str:
    """Return what ``_file`` says of the rows of a table, view or query."""
    return str(entry.given.get("table") or f"{entry.view} (query)")


def relation_of(link: psycopg.Connection, entry: Entry) -> Relation:
    """Return what an entry names.

    Raises:
        PrevenanceError: E401 for a table that is not there, E202 for a column that cannot grow.
    """
    found = _query(link, entry) if "query" in entry.given else _table(link, entry)
    if entry.given.get("append", False) is False:
        return found
    grows = _growing(entry, found)
    # by its value: the rows that come later stand below those that are known
    first = [(name, False, kind) for name, _, kind in found.columns if name == grows]
    order = first + [one for one in found.order if one[0] != grows]
    return Relation(found.body, found.columns, order, found.held, found.versions, grows)


def _query(link: psycopg.Connection, entry: Entry) -> Relation:
    from psycopg import sql

    body = sql.SQL(f"({entry.query}) as asked")
    told = link.execute(sql.SQL("select * from {} limit 0").format(body)).description or ()
    kinds = link.execute("select format_type(one, null) from unnest(%s::oid[]) one", [[column.type_code for column in told]]).fetchall()
    columns = [(column.name, True, kind) for column, (kind,) in zip(told, kinds, strict=True)]
    return Relation(body, columns, columns)


def _table(link: psycopg.Connection, entry: Entry) -> Relation:
    from psycopg import sql

    name = str(entry.given["table"])
    parts = name.split(".")
    if len(parts) > 2 or not all(parts):
        raise entry.no_table(name, [])
    identifier = sql.Identifier(*parts)
    oid = link.execute("select to_regclass(%s)::oid", [identifier.as_string(link)]).fetchall()[0][0]
    if oid is None:
        rows = link.execute(
            "select schemaname || '.' || relname from pg_stat_user_tables union select schemaname || '.' || viewname from pg_views"
        )
        own = [row[0] for row in rows if not row[0].startswith(("pg_", "information_schema."))]
        raise entry.no_table(name, own)
    columns = link.execute(
        "select attname, attcollation <> 0, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = %s and attnum > 0 and not attisdropped order by attnum",
        [oid],
    ).fetchall()
    key = link.execute(
        "select a.attname, a.attcollation <> 0, format_type(a.atttypid, a.atttypmod) from pg_index i "
        "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey) "
        "where i.indrelid = %s and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)",
        [oid],
    ).fetchall()
    about = "select relkind in ('r', 'p'), case when relkind in ('v', 'm') then pg_get_viewdef(oid) end from pg_class where oid = %s"
    versions, told = link.execute(about, [oid]).fetchall()[0]
    # a view has no key: all its columns put it in order
    return Relation(identifier, columns, key or [(name, True, kind) for name, _, kind in columns], (oid, told), versions)


def _growing(entry: Entry, found: Relation) -> str:
    given = entry.given["append"]
    kinds = {name: kind for name, _, kind in found.columns}
    fitting = [name for name, kind in kinds.items() if re.sub(r"\(.*?\)", "", kind) in GROWING]
    if given in fitting:
        return str(given)
    what = "append of a table names the column that only grows, such as its id"
    if isinstance(given, str):
        what = f'append: "{given[:40]}" of type {kinds[given]} is no whole number and no instant' if given in kinds else ""
        what = what or f'append: {relation_name(entry)} has no column "{given[:40]}"; {did_you_mean(given, fitting or kinds)}'
    lower = {name.lower(): name for name in fitting}
    near = [lower[one] for one in difflib.get_close_matches(str(given).lower(), lower, n=1)]
    alone = [found.order[0][0]] if len(found.order) == 1 else []
    best = [name for name in (*near, *alone, *fitting) if name in fitting][:1]
    plain = Entry(entry.view, {key: one for key, one in entry.given.items() if key != "append"})
    line = plain.line(append=best[0]) if best else plain.line()
    raise PrevenanceError("E202", what, key=entry.key, fix=f"write {line} in the source's yaml")


def standing(link: psycopg.Connection, entry: Entry, known: Mapping[str, Known]) -> tuple[dict[str, Known], bool]:
    """Return what the server holds of an entry now, in one statement, and whether what is ``known`` of it is all as it was.

    Nothing is returned where it cannot be told how far it has grown: it has no row, or one without a value, or cannot be read.
    """
    import psycopg
    from psycopg import sql

    name = relation_name(entry)
    before = known.get(name)
    # a failed statement would end the snapshot for all who read after it
    with suppress(PrevenanceError, psycopg.Error), link.transaction():
        found = relation_of(link, entry)
        grows = sql.Identifier(found.grows)
        # every change of a row of a table gives it another xmin
        prints = sql.SQL("sum(hashtextextended({}::text{}, 0))").format(grows, sql.SQL(" || ' ' || xmin::text" if found.versions else ""))
        below = sql.SQL("filter (where {} <= {})").format(grows, sql.Literal(before.top)) if before else sql.SQL("filter (where false)")
        asked = "select count(*) - count({0}), max({0})::text, count(*), ({1})::text, count(*) {2}, ({1} {2})::text from {3}"
        [row] = link.execute(sql.SQL(asked).format(grows, prints, below, found.body)).fetchall()
        about = [link.info.server_version // 10000, *found.held, found.columns, found.order]
        if row[2] and not row[0]:
            same = before is not None and before.digest == _digest([*about, before.top, *row[4:]])
            return {name: Known(0, _digest([*about, *row[1:4]]), row[2], row[1])}, same
    return {}, False


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

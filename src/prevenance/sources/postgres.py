"""Tables, views and queries of a PostgreSQL database: one read-only snapshot, streamed as text, in an order that never changes.

The connection string comes from an environment variable and from nowhere else, and is never printed: an error names the variable and the table.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import LONGEST_LINE, sql_name
from prevenance.sources.growth import Known
from prevenance.sources.relations import Relation, relation_name, relation_of
from prevenance.sources.stream import load_rows
from prevenance.sources.taken import Loaded

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

ATTEMPTS, PAUSE = 15, 2.0
"""A busy server is asked again this often, so many seconds apart: 28 seconds in all."""

BUSY = re.compile(r"starting up|shutting down|in recovery|too many clients|too many connections|connection slots")
REFUSED = (
    (re.compile(r"password|authentication|no pg_hba|role .* does not exist"), "the server does not accept the user or the password"),
    (re.compile(r"database .* does not exist"), "the server has no such database"),
    (BUSY, "the server is busy"),
)


@contextmanager
def open_snapshot(source: Source, pause: Callable[[float], None] = time.sleep) -> Iterator[psycopg.Connection | None]:
    """Open the source's database for reading, all reads in one snapshot; None for a source without one.

    Raises:
        PrevenanceError: E202 for a wrong ``database``, E203 without the driver, E402 when the server does not answer.
    """
    asked = next((entry for entry in source.entries.values() if entry.is_table), None)
    if asked is None:
        yield None
        return
    link = _connected(_variable(source, asked), pause)
    try:
        link.execute(
            "set local timezone = 'UTC'; set local datestyle = 'ISO'; set local lock_timeout = '30s'; set local bytea_output = 'hex'"
        )
        yield link
    finally:
        link.close()


def _variable(source: Source, entry: Entry) -> str:
    """Return the name of the environment variable with the connection string."""
    name = str(source.database.get("url_env", ""))
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or set(source.database) != {"url_env"}:
        what = f"{entry.key} is a table, and database does not name an environment variable"
        fix = "write database: {url_env: PREVENANCE_PG_URL} in the source's yaml; the connection string itself stays in the environment"
        raise PrevenanceError("E202", what, key="source.database", fix=fix)
    return name


def _connected(variable: str, pause: Callable[[float], None]) -> psycopg.Connection:
    try:
        import psycopg
    except ImportError as problem:
        raise PrevenanceError("E203", "the driver for PostgreSQL is not installed", fix="pip install 'prevenance[postgres]'") from problem
    fix = f"set {variable}=postgresql://user:password@host/database in the environment to a server that answers"
    if not os.environ.get(variable):
        raise PrevenanceError("E402", f"the environment variable {variable} is not set", key="source.database", fix=fix)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            link = psycopg.connect(os.environ[variable], connect_timeout=10, client_encoding="UTF8", application_name="prevenance")
        except psycopg.Error as problem:
            # the driver's words hold host, user and database: they stay inside
            told = next((words for pattern, words in REFUSED if pattern.search(str(problem))), "no server answers there")
            if not BUSY.search(str(problem)) or attempt == ATTEMPTS:
                break
            pause(PAUSE)
        else:
            # repeatable read: every table of the source is of the same moment
            link.read_only = True
            link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return link
    raise PrevenanceError("E402", f"the database of {variable} cannot be read: {told}", key="source.database", fix=fix) from None


def read_table(con: duckdb.DuckDBPyConnection, link: psycopg.Connection, entry: Entry, known: Mapping[str, Known] | None = None) -> Loaded:
    """Load a table, view or query as ``raw.<view>``: all columns text (empty is null), ``_file`` its name, ``_line`` its place in the order.

    The order is the primary key's, or that of all columns where there is none; before it comes the column that only grows, and of what is
    ``known`` only the rest is loaded. Rows too long to hold are ``ragged``.

    Raises:
        PrevenanceError: E401 for a table that is not there or may not be read, E202 for a column that cannot grow, E306 for a query that
            does not run, E402 for a lost server.
    """
    import psycopg

    name = relation_name(entry)
    before = (known or {}).get(name)
    try:
        found = relation_of(link, entry)
        names = [column for column, *_ in found.columns]
        with link.cursor() as cursor, cursor.copy(_statement(found, before)) as copy:  # the server sends one row a message
            loaded = load_rows(
                con, entry, name, names, map(bytes, copy), len, lambda rows: _texts(rows, len(names)), before.lines if before else 0
            )
        if found.grows:
            blank = f"select count(*) from raw.{sql_name(entry.view)} where {sql_name(loaded.columns[names.index(found.grows)])} is null"
            if rows := con.execute(blank).fetchall()[0][0]:
                loaded.said.append(f"{entry.view}: append: {found.grows} has no effect: {rows} rows have no value there")
        return loaded
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as problem:
        raise entry.no_table(name, []) from problem
    except psycopg.errors.InsufficientPrivilege as problem:
        raise entry.error("E401", f"{name} may not be read by this user", f"grant select on {name} to the user", key=entry.key) from problem
    except psycopg.OperationalError:
        what = f"the database was busy or lost while {name} was read"
        raise entry.error("E402", what, "run again when the server is free") from None
    except psycopg.Error as problem:
        what = f"{name} does not run: {(problem.diag.message_primary or type(problem).__name__)[:200]}"
        raise entry.error("E306", what, f"correct {entry.key} in the source's yaml") from problem


def _statement(found: Relation, before: Known | None) -> Any:
    from psycopg import sql

    # as in a file, where an empty cell and no value are one
    shown = [sql.SQL("nullif({}::text, '')").format(sql.Identifier(name)) for name, *_ in found.columns]
    # the bytes' own order: two servers sort the same text differently
    sorted_by = [sql.SQL('{}::text collate "C"' if text else "{}").format(sql.Identifier(name)) for name, text, _ in found.order]
    above = sql.SQL("where {} > {}").format(sql.Identifier(found.grows), sql.Literal(before.top)) if before else sql.SQL("")
    return sql.SQL("copy (select {} from {} {} order by {}) to stdout with (format csv)").format(
        sql.SQL(", ").join(shown), found.body, above, sql.SQL(", ").join(sorted_by)
    )


def _texts(rows: list[bytes], width: int) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    places = [f"c{number}" for number in range(width)]
    return csv.read_csv(
        io.BytesIO(b"".join(rows)),
        read_options=csv.ReadOptions(column_names=places, use_threads=False, block_size=LONGEST_LINE * 3),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.string()), null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )

"""The two-clock history: everything known up to ``until``, asked only as of a cutoff.

A fact is visible at a cutoff iff ``event_at <= cutoff`` and ``known_at <= cutoff``. That sentence is written in
``visible_sql``, in ``visible_each_sql`` and in ``features/intervals.py`` (as interval numbers); laws of the test suite hold them together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError
from prevenance.consent.purpose import opted_out_sql
from prevenance.sources.files import new_engine, sql_name, stored_rows
from prevenance.sources.taken import Counts, Intake
from prevenance.tables.canonical import ACTIVITY, SQL_TYPES, TABLES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class History:
    """Canonical tables (schema ``canonical``) with what was known by ``until`` (naive UTC), opted-out customers left out.

    ``begins`` holds the tables that go back no further than an instant, because older rows are past their retention; ``plans`` what will be
    asked for more than once (``features.planned``), ``answers`` what was (``history.once``).
    """

    con: duckdb.DuckDBPyConnection
    until: datetime
    tables: frozenset[str]
    begins: Mapping[str, datetime] = field(default_factory=dict)
    plans: list[Any] = field(default_factory=list, compare=False, repr=False)
    answers: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_frames(cls, frames: Mapping[str, pd.DataFrame], until: datetime) -> History:
        """Return a history of pandas frames that hold canonical columns (missing ones are null); nothing is checked."""
        con = new_engine()
        for name, frame in frames.items():
            con.register("frame", frame)
            columns = ", ".join(
                f"cast({sql_name(column.name) if column.name in frame.columns else 'null'} as {SQL_TYPES[column.kind]}) as {sql_name(column.name)}"
                for column in TABLES[name].columns
            )
            con.execute(f"create table canonical.{name} as select {columns} from frame")
            con.unregister("frame")
        history, _ = cut_history(Intake(con, {name: Counts() for name in frames}, []), until)
        return history


def newest_known_at(taken: Intake, now: datetime | None = None) -> datetime:
    """Return the newest ``known_at`` (naive UTC) of the tables of what happened, of all tables where there is none of these.

    Contracts and invoices carry planned dates, which are not today; what lies after ``now`` has not happened in any table.
    """
    known = newest_by_table(taken, now) or newest_by_table(taken)
    happened = [known[name] for name in ACTIVITY if name in known]
    others = [instant for name, instant in known.items() if name != "customers"]
    return max(happened or others or known.values())


def newest_by_table(taken: Intake, now: datetime | None = None) -> dict[str, datetime]:
    """Return the newest ``known_at`` (naive UTC) of each table that has rows, up to ``now`` where that is given."""
    until = "" if now is None else f" where known_at <= timestamp '{now}'"
    found = {name: taken.con.execute(f"select max(known_at) from canonical.{name}{until}").fetchall()[0][0] for name in taken.counts}
    return {name: instant for name, instant in found.items() if instant is not None}


def as_of_instant(text: str, zone: str, now: datetime | None = None) -> datetime:
    """Return a naive UTC instant from ISO text; a bare date means 00:00 in ``zone``.

    Raises:
        PrevenanceError: E208 when the text is no date or lies after ``now``.
    """
    from zoneinfo import ZoneInfo

    fix = "write as_of=2026-04-01 or as_of=2026-04-01T06:00:00+02:00"
    try:
        given = datetime.fromisoformat(text)
    except ValueError as problem:
        raise PrevenanceError("E208", f'as_of="{text}" is not a date', fix=fix) from problem
    if not 1970 <= given.year < 9999:  # beside the edges of what there is, where an offset would leave it
        raise PrevenanceError("E208", f"as_of={text} lies outside the years 1970 to 9998", fix=fix)
    aware = given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone or "UTC"))
    result = aware.astimezone(UTC).replace(tzinfo=None)
    if now is not None and result > now:
        raise PrevenanceError("E208", f"as_of={text} lies in the future", fix=f"give a date up to {local_day(now, zone)}")
    return result


def cut_history(
    taken: Intake,
    until: datetime,
    opted_out: Collection[str] | None = None,
    *,
    purposes: Collection[str] = (),
    opt_in: bool = False,
    erased: Collection[str] = (),
    keep_days: Mapping[str, int | None] | None = None,
) -> tuple[History, dict[str, Counts]]:
    """Keep what was known by ``until`` and return the history and the settled counts.

    Rows not known yet are excluded (``after_as_of``), those of opted-out customers too (``opted_out``); consents are
    read whole, because a later "no" holds for past cutoffs as well. ``purposes`` and ``opt_in``: see ``purpose.opted_out_sql``; a row of
    consents that was set apart is a no. Customers who were ``erased`` leave every table first, and what was set apart of theirs goes too.
    Of a table in ``keep_days`` only ``(until - days, until]`` stays; older rows are excluded (``past_retention``).
    """
    con = taken.con
    _erase(taken, erased)
    con.execute("create or replace table canonical._opted_out (customer_id varchar)")
    if opted_out is None and "consents" in taken.counts:
        apart = (
            "select 1 from duckdb_columns() where schema_name = 'quarantine' and table_name = 'consents' and column_name = 'customer_id'"
        )
        unread = bool(con.execute(apart).fetchall())
        con.execute(f"insert into canonical._opted_out {opted_out_sql(purposes, opt_in=opt_in, unread=unread)}")
    for customer in opted_out or ():
        con.execute("insert into canonical._opted_out values (?)", [customer])
    begins = {name: until - timedelta(days=days) for name, days in (keep_days or {}).items() if days is not None and name in taken.counts}
    for name, counts in taken.counts.items():
        clocks = f"known_at <= timestamp '{until}' and event_at <= timestamp '{until}'"
        # law 10: a later "no" holds for past cutoffs as well
        if name != "consents":
            counts.excluded |= _excluded(con, name, f"not ({clocks})", "after_as_of")
        if name in begins:
            counts.excluded |= _excluded(con, name, f"event_at <= timestamp '{begins[name]}'", "past_retention")
        if TABLES[name].per_customer and name != "consents":
            counts.excluded |= _excluded(con, name, "customer_id in (from canonical._opted_out)", "opted_out")
        row = con.execute(f"select count(*), max(known_at) filter (where {clocks}) from canonical.{name}").fetchall()[0]
        counts.used, counts.newest_known_at = row[0], "" if row[1] is None else f"{row[1].isoformat()}Z"
    return History(con, until, frozenset(taken.counts), begins), taken.counts


def empty_table(history: History, counts: Counts, name: str, reason: str) -> None:
    """Empty one table of a history that was cut; its rows count as excluded for ``reason``."""
    counts.excluded |= _excluded(history.con, name, "true", reason)
    counts.used = 0
    history.answers.clear()


def _erase(taken: Intake, erased: Collection[str]) -> None:
    """Take erased customers out of every table, as excluded; nobody keeps one of them as a parent."""
    con = taken.con
    con.execute("create or replace table canonical._erased (customer_id varchar)")
    for customer in erased:
        con.execute("insert into canonical._erased values (?)", [customer])
    for name, counts in taken.counts.items() if erased else ():
        if TABLES[name].per_customer:
            counts.excluded |= _excluded(con, name, "customer_id in (from canonical._erased)", "erased")
    if erased:
        # the id of an erased parent would name them in their children's rows
        con.execute(f"update {stored_rows(con, 'customers')} set parent_id = null where parent_id in (from canonical._erased)")
        apart = "select distinct table_name from duckdb_columns() where schema_name = 'quarantine' and column_name = 'customer_id'"
        for (name,) in con.execute(apart).fetchall():
            con.execute(f"delete from quarantine.{sql_name(name)} where customer_id in (from canonical._erased)")


def _excluded(con: duckdb.DuckDBPyConnection, name: str, condition: str, reason: str) -> dict[str, int]:
    rows = con.execute(f"select count(*) from canonical.{name} where {condition}").fetchall()[0][0]
    if rows:
        con.execute(f"delete from {stored_rows(con, name)} where {condition}")
    return {reason: rows} if rows else {}


OWN_COLUMNS = "* exclude (cutoff_number)"
"""The columns of a table and the cutoff, of rows that stand beside numbered cutoffs."""


def rows_sql(table: str) -> str:
    """Return SQL for all rows of ``table``, without the columns that only the process of the tickets reads."""
    apart = [sql_name(column.name) for column in TABLES[table].columns if column.apart]
    return f"(select * exclude ({', '.join(apart)}) from canonical.{table})" if apart else f"canonical.{table}"


def visible_sql(table: str, cutoff: datetime, days: float | None = None, *, apart: bool = False, rows: str = "") -> str:
    """Return SQL for the rows of ``table`` visible at ``cutoff``, in ``(cutoff - days, cutoff]`` where ``days`` is given.

    Besides the table's columns (only where asked those that are ``apart``) the rows have ``cutoff`` and ``age_days`` (days from event_at to
    the cutoff, DOUBLE). ``rows`` is SQL for those of the table that are looked at, if not for all.
    """
    at = f"timestamp '{cutoff}'"
    window = "" if days is None else f" and event_at > timestamp '{cutoff - timedelta(days=days)}'"
    return (
        f"(select *, {at} as cutoff, epoch_us({at} - event_at) / 86400000000.0 as age_days "
        f"from {rows or (f'canonical.{table}' if apart else rows_sql(table))} where event_at <= {at} and known_at <= {at}{window})"
    )


def visible_each_sql(table: str, cutoffs: Iterable[datetime], where: str = "true", *, rows: str = "", columns: str = OWN_COLUMNS) -> str:
    """Return SQL for the rows of ``visible_sql`` of several cutoffs in one scan: a row comes once for each cutoff at which it is visible.

    Only rows ``where`` (SQL over the table's columns) something holds are looked at: the engine would ask it last, of every row at every cutoff.
    ``columns`` may name, besides the table's, ``cutoff_number``: the place of the row's cutoff among the sorted ``cutoffs``, from 1.
    """
    rows = rows or rows_sql(table)
    if len(asked := sorted(set(cutoffs))) == 1:  # no join
        return visible_sql(table, asked[0], rows=rows if where == "true" else f"(from {rows} where {where})")
    chosen = f"with chosen as materialized (select * from {rows} where {where}) " if where != "true" else ""
    return (
        f"({chosen}select {columns}, epoch_us(cutoff - event_at) / 86400000000.0 as age_days from {'chosen' if chosen else rows} "
        f"cross join {_asked(asked)} where {_streamed('event_at <= cutoff and known_at <= cutoff')})"
    )


def upcoming_sql(table: str, cutoff: datetime, horizon_days: float, settle_days: float) -> str:
    """Return SQL for what happened in ``(cutoff, cutoff + horizon]`` and was known by ``cutoff + horizon + settle``.

    Only labels may ask this. A fact recorded later than ``settle_days`` does not count, so a closed label never changes.
    """
    at, end = f"timestamp '{cutoff}'", cutoff + timedelta(days=horizon_days)
    return (
        f"(select *, {at} as cutoff from {rows_sql(table)} where event_at > {at} and event_at <= timestamp '{end}' "
        f"and known_at <= timestamp '{end + timedelta(days=settle_days)}')"
    )


def upcoming_each_sql(
    table: str, cutoffs: Iterable[datetime], horizon_days: float, settle_days: float, *, columns: str = OWN_COLUMNS
) -> str:
    """Return SQL for the rows of ``upcoming_sql`` of several cutoffs in one scan; only labels may ask this."""
    end = f"cutoff + interval {round(horizon_days * 86_400_000_000)} microsecond"
    known = f"cutoff + interval {round((horizon_days + settle_days) * 86_400_000_000)} microsecond"
    return (
        f"(select {columns} from {rows_sql(table)} cross join {_asked(cutoffs)} "
        f"where {_streamed(f'event_at > cutoff and event_at <= {end} and known_at <= {known}')})"
    )


def _asked(cutoffs: Iterable[datetime]) -> str:
    numbered = (f"(timestamp '{cutoff}', {number})" for number, cutoff in enumerate(sorted(set(cutoffs)), start=1))
    return f"(values {', '.join(numbered)}) as asked(cutoff, cutoff_number)"


def _streamed(condition: str) -> str:
    """Return a condition that the engine asks row by row: by bare comparisons it would sort all rows first, for the few cutoffs."""
    return f"({condition}) is true"

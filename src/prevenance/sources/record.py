"""Nightly copies of tables that are edited in place, kept as change logs: what a row said, and since when we know it.

A night adds one segment to a table, ``<out>/record/<view>/<instant>.csv``, with new and changed rows only: the key, ``recorded_at``,
``recorded_gone`` (``true`` for a key that vanished) and the other columns as text. Segments never change (only ``make erase`` rewrites
them); all of them up to an instant give the table as it was then.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from prevenance.base import disk
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.base.formats import instant_stamp
from prevenance.consent.erased import Erased
from prevenance.sources.declared import Entry
from prevenance.sources.files import PLACE, column_names, sql_name, sql_text
from prevenance.sources.reading import read_files

CUSTOMER_COLUMNS = ("customer_id", "account_id", "customer", "client_id", "user_id")
"""Columns that say whose row it is, the first that is there."""

RECORDED_AT, RECORDED_GONE = "recorded_at", "recorded_gone"
"""Columns of a recorded change; before ``RECORDED_AT`` stands the key."""


@dataclass(frozen=True)
class Change:
    """What one night adds to one table: ``rows`` in the order of ``header``; how many keys are new, changed and gone; what was noticed."""

    view: str
    path: Path
    header: list[str]
    rows: list[tuple[Any, ...]]
    new: int
    changed: int
    gone: int
    before: int
    notes: list[str] = field(default_factory=list)


def customer_places(header: list[str]) -> list[int]:
    """Return the places of the columns that say whose row it is: the first of ``CUSTOMER_COLUMNS``; in a record without one, its key."""
    key = next((header.index(one) for one in CUSTOMER_COLUMNS if one in header), None)
    return list(range(header.index(RECORDED_AT))) if key is None and RECORDED_AT in header else [] if key is None else [key]


def segment_paths(folder: Path) -> list[Path]:
    """Return the segments of a table, oldest first."""
    return sorted(folder.glob("*.csv"))


def check_record_instant(folder: Path, at: datetime) -> None:
    """Raise E208 if the last segment was written for a later instant than ``at``: what was known then is settled."""
    last = segment_paths(folder)[-1:]
    if last and instant_stamp(at) < last[0].stem:
        raise _settled(folder, at, last[0].stem)


def recorded_change(
    con: duckdb.DuckDBPyConnection,
    view: str,
    keys: Sequence[str],
    folder: Path,
    at: datetime,
    erased: Erased,
    ragged: Sequence[tuple[str, int]],
) -> Change:
    """Compare the loaded ``raw.<view>`` with the last recorded state of every key.

    Rows that stand there twice count once, rows without a key and of erased customers are left out. With ``ragged`` (broken) rows nothing is
    taken for gone: whether a key vanished or could not be read is unknown.

    Raises:
        PrevenanceError: E208 if a segment of this instant says something else, E301 for a key that is no column, E302 for keys that stand there twice.
    """
    now, notes = _now(con, view, keys, erased)
    before = _before(con, view, folder, keys)
    notes += _columns(now, before, keys)
    # the engine knows no case: a column that only changed its case is the same one
    rest = {name.lower(): name for name in (*before, *now) if name not in keys}
    # the key first: a segment is read by people, and an erasure finds the person in it
    header = [*keys, RECORDED_AT, RECORDED_GONE, *sorted(rest.values(), key=[*now, *before].index)]
    same = " and ".join(f"now.{sql_name(key)} = old.{sql_name(key)}" for key in keys)
    differs = " or ".join(f"now.{sql_name(name)} is distinct from old.{sql_name(name)}" for name in rest.values()) or "false"
    for table, names in (("now", now), ("old", before)):
        for name in rest.keys() - {name.lower() for name in names}:
            con.execute(f"alter table {table} add column {sql_name(rest[name])} varchar")
    shown = _shown("now", header, keys, at, gone=False)
    new = _rows(con, f"select {shown} from now where not exists (select 1 from old where {same})")
    changed = _rows(con, f"select {shown} from now join old on {same} where {differs}")
    lost = f"select {_shown('old', header, keys, at, gone=True)} from old where not exists (select 1 from now where {same})"
    gone = [] if ragged else _rows(con, lost)
    if ragged:
        notes.append(f"{len(ragged)} rows cannot be read (first {ragged[0][0]}:{ragged[0][1]}); what vanished is left open")
    rows = sorted([*new, *changed, *gone], key=lambda row: row[: len(keys)])
    path = folder / f"{instant_stamp(at)}.csv"
    if rows and path.exists():
        raise _settled(folder, at, path.stem)
    return Change(view, path, header, rows, len(new), len(changed), len(gone), _rows(con, "select count(*) from old")[0][0], notes)


def write_segment(found: Change) -> Path | None:
    """Write the segment in one step and return its path; ``None`` if nothing changed."""
    if not found.rows:
        return None
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([found.header, *found.rows])
    return disk.write(found.path, written.getvalue().encode())


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return con.execute(query).fetchall()


def _now(con: duckdb.DuckDBPyConnection, view: str, keys: Sequence[str], erased: Erased) -> tuple[list[str], list[str]]:
    """Make ``now``, a row for each key, and return its columns and what was noticed."""
    raw, notes = f"raw.{sql_name(view)}", []
    names = [name for name in column_names(con, raw) if name not in PLACE]
    for name in (*keys, RECORDED_AT, RECORDED_GONE):
        if (name in names) != (name in keys):
            what, fix = f'a column is called "{name}", as ours', f"rename it under files.{view}"
            if name in keys:
                what, fix = f'there is no column "{name}"', f"name its key columns under record.{view}: {did_you_mean(name, names)}"
            raise PrevenanceError("E301", what, table=view, column=name, fix=fix)
    listed, key = ", ".join(map(sql_name, names)), ", ".join(map(sql_name, keys))
    blank = " or ".join(f"{sql_name(name)} is null" for name in keys)
    con.execute(f"create or replace temp table now as select distinct {listed} from {raw} where not ({blank})")
    if left := _rows(con, f"select count(*) from {raw} where {blank}")[0][0]:
        notes.append(f"{left} rows have no key and are left out")
    twice = f"select {key} from now group by all having count(*) > 1"
    place = f"arg_min(_file || ':' || _line, (_file, _line)) from {raw} where ({key}) in ({twice})"
    rows, first = _rows(con, f"select count(*), {place}")[0]
    if rows:
        what = f"rows with the same {' and '.join(keys)} say different things"
        fix = f"export one row for each key, or add a column to record.{view} that tells them apart"
        raise PrevenanceError("E302", what, table=view, rows=rows, first=first, fix=fix)
    header = [*keys, RECORDED_AT, *(name for name in names if name not in keys)]
    for name in (header[place] for place in customer_places(header)):
        ids = [row[0] for row in _rows(con, f"select distinct {sql_name(name)} from now where {sql_name(name)} is not null")]
        if gone := erased.among(ids):
            con.execute(f"delete from now where {sql_name(name)} in ({', '.join(map(sql_text, sorted(gone)))})")
            notes.append(f"{len(gone)} erased customers are left out")
    return names, notes


def _before(con: duckdb.DuckDBPyConnection, view: str, folder: Path, keys: Sequence[str]) -> list[str]:
    """Make ``old``, the last recorded row of each key that is not gone, and return its columns."""
    if not segment_paths(folder):
        con.execute(f"create or replace temp table old ({', '.join(f'{sql_name(key)} varchar' for key in keys)})")
        return list(keys)
    held = f"{view}_recorded"
    loaded = read_files(con, folder, Entry.of(held, "*.csv"))
    names = [name for name in loaded.columns if name not in (*PLACE, RECORDED_AT, RECORDED_GONE)]
    if lacking := [key for key in keys if key not in names]:
        fix = f"leave record.{view} as it was, or move {folder} away and begin anew"
        raise PrevenanceError("E301", f'what is recorded has no column "{lacking[0]}"', table=view, column=lacking[0], path=folder, fix=fix)
    listed, key = ", ".join(map(sql_name, names)), ", ".join(map(sql_name, keys))
    last = f"select * from raw.{sql_name(held)} qualify row_number() over (partition by {key} order by {RECORDED_AT} desc) = 1"
    con.execute(f"create or replace temp table old as select {listed} from ({last}) where {RECORDED_GONE} = 'false'")
    return names


def _columns(now: list[str], before: list[str], keys: Sequence[str]) -> list[str]:
    """Return a note on columns that came or went; on the first night there is none."""
    if set(before) <= set(keys):
        return []
    known, there = ({name.lower() for name in names} for names in (before, now))
    came = [f"column {name} is new" for name in now if name.lower() not in known]
    return came + [f"column {name} is gone" for name in before if name.lower() not in there]


def _shown(table: str, header: list[str], keys: Sequence[str], at: datetime, *, gone: bool) -> str:
    said = {RECORDED_AT: sql_text(f"{at.replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"), RECORDED_GONE: sql_text(str(gone).lower())}
    return ", ".join(said.get(name) or ("null" if gone and name not in keys else f"{table}.{sql_name(name)}") for name in header)


def _settled(folder: Path, at: datetime, last: str) -> PrevenanceError:
    what = f"as_of={at:%Y-%m-%dT%H:%M:%SZ} is not after the last record of {last}, and what is recorded never changes"
    return PrevenanceError("E208", what, path=folder, fix="give a later as_of (older copies first), or none for now")

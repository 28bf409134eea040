"""From settings to a history: read, check and cut, and what a run leaves for the next."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from prevenance.base import disk, kept
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.base.formats import date_text
from prevenance.consent import erased, pseudonyms
from prevenance.consent.purpose import check_purpose
from prevenance.history.ahead import dates_ahead, thin_end
from prevenance.history.history import History, as_of_instant, cut_history, newest_known_at
from prevenance.runs.commands import command, conf_folders
from prevenance.runs.feeds import table_gates
from prevenance.runs.plugins import REGISTERED
from prevenance.runs.settings.checks import check_made
from prevenance.runs.settings.schema import Settings
from prevenance.runs.settings.shadow import mirror_champion
from prevenance.runs.steps import Steps
from prevenance.sources.copies import copies_below
from prevenance.sources.declared import Source
from prevenance.sources.files import COLUMNS
from prevenance.sources.gates import Gate
from prevenance.sources.intake import intake_beside
from prevenance.sources.others import with_other_tables
from prevenance.sources.raw import check_unchanged, view_digests
from prevenance.sources.selects import read_select
from prevenance.sources.taken import Counts, Intake, Policy
from prevenance.tables.canonical import TABLES

LEAST_ROOM = 20_000_000
"""Bytes that must be free on the disk of ``out`` before anything begins."""


@dataclass
class Inputs:
    """What a run stands on: the history up to ``as_of`` (naive UTC), the counts of every table, and what was noticed.

    ``gates`` says whether the tables are fresh and whole; ``prints`` which bytes were read (path below the data folder -> SHA-256).
    """

    history: History
    counts: dict[str, Counts]
    messages: list[str]
    as_of: datetime
    taken: Intake
    customers: dict[str, int]
    gates: list[Gate]
    prints: dict[str, str]
    unchanged: Callable[[], None]


def load_inputs(given: Settings, steps: Steps, *, gated: bool = False, whole: bool = False, source: Source | None = None) -> Inputs:
    """Read, check and cut the source's tables at ``as_of``; ``source``, where given, instead of the declared one.

    ``gated``, as every night: a feed that is late or a part of itself is refused, unless the table is not required; else it is only told.
    Unless ``whole``, or a plug-in is there that may ask for it, what people wrote and who had a ticket is left empty.

    Raises:
        PrevenanceError: see ``intake``; E205 when ``out`` holds another source, E208 for a bad ``as_of``, E403 and E404 from the gates,
            E901 privacy.
    """
    rules, source = given.privacy, source or source_of(given)
    check_purpose(rules.purpose, rules.legal_basis, rules.controller)
    pseudonyms_of(given)  # a missing key is told before anything is read
    out, data = prepare_out(given), data_of(given, source, steps)
    policies = {name: Policy(one.on_bad_row, one.max_bad_share, one.required, one.least_kept) for name, one in given.tables.items()}
    steps("note what the files are")
    # Before the reading: compared again when the list is ready, so a file replaced in between is seen.
    views = view_digests(data, source)
    before = {path: digest for found in views.values() for path, digest in found.items()}
    kept = partial(copies_below, out, data, views, rules.retention.tables, wanted=given.memo, hidden=pseudonyms_of(given) is not None)
    now = datetime.now(UTC).replace(tzinfo=None)
    asked = as_of_instant(given.as_of, source.timezone, now) if given.as_of else None if source.static else now
    try:
        taken = intake_beside(kept, source, data, policies, steps, asked, whole=whole or bool(REGISTERED))
    except PrevenanceError as error:
        if error.code != "E301" or given.source.name != "demo" or not given.data:
            raise
        what = f"{error.what}: this demo company was made by an earlier version"
        raise PrevenanceError("E301", what, fix=f"write it again: {command('demo', f'data={data}')}", **error.where) from error
    newest = newest_known_at(taken, now)
    as_of = asked or newest
    taken.messages += [] if asked else dates_ahead(taken, as_of, source.timezone) + thin_end(taken, as_of, source.timezone)
    ids = {row[0] for row in taken.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    first = taken.con.execute("select min(known_at) from canonical.customers").fetchall()[0][0]
    bad = dict(taken.con.execute("select reason, count(*) from quarantine.customers group by 1").fetchall())
    steps("cut at as_of")
    if rules.opt_in and "consents" not in taken.counts:
        what = "privacy.opt_in asks for a yes, and the source has no table of consents"
        fix = f"write source/{source.name}/consents.sql, or set privacy.opt_in=false if the legal basis is no consent"
        raise PrevenanceError("E901", what, fix=fix, table="consents")
    # Also those in quarantine: an erased customer with a bad row must not come back in its file.
    gone = erased.load_erased(out).among(_everybody(taken))
    history, counts = cut_history(taken, as_of, purposes=rules.consents, opt_in=rules.opt_in, erased=gone, keep_days=rules.retention.tables)
    opted_out = {row[0] for row in history.con.execute("select customer_id from canonical._opted_out").fetchall()} & ids
    known = {row[0] for row in history.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    customers = {"read": len(ids) + sum(bad.values()), "opted_out": len(opted_out), "after_as_of": len(ids - gone - opted_out - known)}
    customers |= {"erased": len(gone & ids)} if gone & ids else {}
    if not known:
        raise PrevenanceError(
            "E305",
            f"no customer is known at {date_text(as_of, source.timezone)}",
            table="customers",
            fix=_later_date(first, newest),
        )
    customers |= {f"quarantined {reason}": n for reason, n in bad.items()}
    gates = table_gates(given, history, counts, taken.messages, gated=gated)
    return Inputs(history, counts, taken.messages, as_of, taken, customers, gates, before, partial(check_unchanged, data, source, before))


def _later_date(first: datetime | None, newest: datetime) -> str:
    """Return what to do where no customer is known: a later date, unless the first customer begins after everything else."""
    if first and first > newest:
        return f"correct event_at of customers, in the export or in customers.sql: the first begins on {first:%Y-%m-%d}, after everything that happened"
    return f"give a later date, at the latest as_of={newest:%Y-%m-%dT%H:%M:%S}Z"


def pseudonyms_of(given: Settings) -> pseudonyms.Pseudonyms | None:
    """Return the pseudonyms that the settings ask for, if they do; E905 without a key."""
    return pseudonyms.wanted_pseudonyms(given.privacy.pseudonyms, given.privacy.key_file)


def _everybody(taken: Intake) -> list[str]:
    """Return every id of a customer in any table, also of rows that were set apart."""
    held = f"select place, table_name from {COLUMNS} where place in ('canonical', 'quarantine') and column_name = 'customer_id'"
    tables = taken.con.execute(held).fetchall()
    query = " union ".join(f"select customer_id from {schema}.{name}" for schema, name in tables)
    return [row[0] for row in taken.con.execute(query).fetchall() if row[0] is not None]


def source_of(given: Settings) -> Source:
    """Return the declared source with its selects, the private folder's first."""
    name = given.source.name
    folders = [folder / "source" / name for folder in conf_folders()]
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        fix = f"write source/{name}/<table>.sql beside source/{name}.yaml"
        raise PrevenanceError("E306", f'the source "{name}" has no folder of selects', fix=fix)
    selects = {path.stem: read_select(path) for path in sorted(folder.glob("*.sql"))}
    for table in (one for one in selects if one not in TABLES):
        raise PrevenanceError("E306", f"{table}.sql is no canonical table", table=table, fix=did_you_mean(table, TABLES))
    if not selects:
        raise PrevenanceError("E306", f'the source "{name}" has no select', fix=f"write source/{name}/<table>.sql")
    declared = given.source
    check_made(given, selects)
    selects = with_other_tables(name, selects, declared.files, conf_folders())
    record, kept = record_entries(given, selects)
    # of a ready source's exports a company may have some and not others
    unread = {view for view in declared.exports if not any(re.search(rf"\b{view}\b", select) for select in selects.values())}
    return Source(
        name,
        selects,
        {view: entry for view, entry in declared.files.items() if view not in unread} | dict.fromkeys(kept, "*.csv"),
        declared.timezone,
        declared.static,
        declared.currency,
        declared.delay_days,
        tuple(declared.timestamp_formats),
        tuple(given.privacy.permitted),
        declared.decimal,
        declared.database,
        record,
        kept,
    )


def record_entries(given: Settings, selects: dict[str, str]) -> tuple[dict[str, tuple[str, ...]], dict[str, Path]]:
    """Return the ``files`` entries to record with their keys, and the folder of each record that a select reads (as ``<entry>_recorded``)."""
    files, record = given.source.files, given.source.record
    for view, keys in record.items():
        if view not in files or not re.fullmatch(r"\w+", view):
            raise PrevenanceError(
                "E203", f'record names "{view}", which files does not', key=f"source.record.{view}", fix=did_you_mean(view, files)
            )
        if not keys:
            what = f"record.{view} names no key column"
            fix = f"write record: {{{view}: [<its id column>]}}"
            raise PrevenanceError("E202", what, fix=fix, key=f"source.record.{view}")
    folders = {f"{view}_recorded": given.folder / "record" / view for view in record}
    read = {view: folder for view, folder in folders.items() if any(re.search(rf"\b{view}\b", select) for select in selects.values())}
    return {view: tuple(keys) for view, keys in record.items()}, read


def data_of(given: Settings, source: Source, steps: Steps) -> Path:
    """Return the folder that the source's files are looked up in; the demo writes its own.

    Raises:
        PrevenanceError: E401 if there is none.
    """
    data = Path(given.data or Path(given.out, "demo"))
    if given.source.name == "demo" and not given.data:
        from prevenance.runs.demo import ensure_demo

        ensure_demo(given, data, steps)
    if not data.is_dir() and not all(one.is_table for view, one in source.entries.items() if view not in source.folders):
        fix = "set data=<the folder that holds the source's files>"
        if data.is_file():
            fix = f"set data={data.parent}, the folder that holds the file"
        elif given.source.name == "demo":
            fix = f"run {command('demo', f'data={data}')} first, or leave data= out: the demo company is then made below out"
        raise PrevenanceError("E401", f"there is no data folder at {data}", key="data", fix=fix)
    return data


def prepare_out(given: Settings) -> Path:
    """Return the output folder, made and writable.

    Raises:
        PrevenanceError: E205 when it belongs to another source, E801 when it cannot be written.
    """
    out = given.folder
    if kept.stands(out / "run.json"):
        owner = kept.needed_json(out / "run.json", "source")["source"]
        if owner != given.source.name:
            fix = f"set out=out-{given.source.name}"
            raise PrevenanceError("E205", f'the output folder {out} belongs to the source "{owner}"', key="out", fix=fix)
    try:
        disk.make(out)
        if given.shadow:
            mirror_champion(out)
        # Tried, not asked: what the mode of a folder promises, a read-only mount or a quota may refuse.
        probe = disk.beside(out / "writable")
        probe.touch()
        probe.unlink(missing_ok=True)
        disk.need_room(out, bytes_needed(out))
    except OSError as problem:
        what = f"{problem.strerror or problem}"
        raise PrevenanceError("E801", what, path=out, fix="make the folder writable, or set out=<another folder>") from problem
    return out


def remember_settings(given: Settings, rows: dict[str, int] | None = None) -> None:
    """Keep the trained source, data folder and settings for ``score``, and how many rows each table had."""
    kept = [one for one in given.overrides if one.partition("=")[0] not in ("as_of", "out", "target", "data")]
    if given.data:
        kept.append(f"data={Path(given.data).resolve()}")
    told = json.dumps({"source": given.source.name, "overrides": kept, "rows": rows or {}}, indent=1) + "\n"
    disk.write(given.folder / "run.json", told.encode())


def bytes_needed(out: Path) -> int:
    """Return about how many bytes a run writes: twice what the newest lists take, at least ``LEAST_ROOM``."""
    files = (path for link in (out / "lists").glob("*/latest") for path in link.rglob("*"))
    return max(LEAST_ROOM, 2 * sum(path.stat().st_size for path in files if path.is_file()))

"""Converted tables, kept in ``<out>/memo/tables/``: read again where everything that they depend on is as it was, else made from the files anew.

A copy is two files (rows, rows set apart) and a record of what was counted and noticed; a record of each ``files`` entry says what its
reading gave. Neither is kept of what has personal columns, a retention, or a row of somebody who was erased; nor where it would take more room
than the files. What people wrote is in none: of such a table a copy serves the commands that do not read it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from prevenance.base import disk, memo
from prevenance.base.errors import PrevenanceError
from prevenance.consent import erased
from prevenance.sources.declared import Source
from prevenance.sources.files import column_names, sql_name
from prevenance.sources.grown import Grown, Standing, grows_alone
from prevenance.sources.kept_rows import hold_table, keep_table, let_go, may_be_kept, table_parts
from prevenance.sources.raw import view_digests
from prevenance.sources.selects import views_alone
from prevenance.sources.taken import Counts, FileRows, Intake, Loaded, Policy
from prevenance.tables.canonical import TABLES

Digests = Mapping[str, Mapping[str, str]]
"""View -> path below the data folder -> SHA-256 of each file that it reads."""


@dataclass
class Copies:
    """What is kept of a source's tables below ``out``; with no ``out`` nothing is kept or read.

    ``files`` are the digests of what the views read, ``room`` how many bytes they have, ``never`` the tables that are not kept.
    ``held`` are the records of the tables that are in the engine already. ``whole`` as ``intake`` has it.
    """

    out: Path | None = None
    files: Digests = field(default_factory=dict)
    room: int = 0
    never: Collection[str] = ()
    whole: bool = True
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    grown: Grown = field(default_factory=Grown)
    _paths: dict[str, Path] = field(default_factory=dict)
    _untold: bool = False

    def open(self, taken: Intake, source: Source, asked: Mapping[str, Policy], until: datetime | None, standing: Standing) -> None:
        """Put the tables that are known into the engine, before it sees any file of the source; ``until`` as ``intake`` has it."""
        if self.out is None:
            return
        known = {"known": memo.key_of({"source": source, "code": memo.code_digest()})}
        for view, entry in source.entries.items():
            grows = grows_alone(taken.con, source, view)
            if grows is not None and grows not in self.never and (entry.is_table or self._is_whole([view])):
                key = memo.key_of({**known, "grown": TABLES[grows], "policy": asked[grows], "view": view})
                self.grown.open(taken.con, entry, grows, self._folder / f"{grows}-{key}", self.files.get(view), standing)
            elif self._is_whole([view]):
                self._name(f"view-{view}", {**known, "view": view, "files": [self.files[view]]})
        for name in (one for one in TABLES if one in source.selects and one not in self.grown.tables.values()):
            views = views_alone(taken.con, source, name)
            self._untold |= views is None
            if views is not None and name not in self.never and self._is_whole(views):
                parts = known | {
                    "table": TABLES[name],
                    "policy": asked[name],
                    "views": views,
                    "files": [self.files[view] for view in views],
                }
                self._name(name, {**parts, "whole": False})
                if self.whole and TABLES[name].seldom:  # what serves the others stays
                    self._paths[name + OTHERS] = self._paths[name]
                    self._name(name, {**parts, "whole": True})
                self._read(taken.con, name, until)
        if self._untold:  # such a select needs all rows of every view
            self.grown = Grown()

    def needs(self, source: Source, view: str) -> bool:
        """Return whether the rows of a view are needed: a table is to be made of them, or what its reading gives is not known."""
        if view in self.grown.tables:
            return self.grown.has_new(view)
        readers = [name for name in source.selects if view in source.views_read(name)]
        return self._untold or any(name not in self.held for name in readers) or self._record(f"view-{view}") is None

    def stand_in(self, con: duckdb.DuckDBPyConnection, view: str) -> Loaded:
        """Return what the reading of a view gave, and leave its table without rows in the engine: names of columns are asked for of all views."""
        if view in self.grown.tables:
            return self.grown.nothing_new(con, view)
        record = self._record(f"view-{view}") or {}
        con.execute(f"create or replace table raw.{sql_name(view)} ({', '.join(f'{sql_name(name)} varchar' for name in record['raw'])})")
        found = {one.name: record[one.name] for one in fields(Loaded)}
        places = {name: [(file, line) for file, line in found[name]] for name in ("ragged", "no_rows")}
        return Loaded(**{**found, **places, "twice": set(found["twice"])})

    def give(self, taken: Intake, name: str) -> None:
        """Note of a table that is held what was noted when it was made."""
        told = self.held[name]
        files = {file: FileRows(**rows) for file, rows in told["counts"]["files"].items()}
        taken.counts[name] = Counts(**{**told["counts"], "files": files})
        taken.messages += told["messages"]
        taken.columns[name] = told["columns"]
        taken.samples |= {(name, what): text for what, text in told["samples"].items()}
        taken.hints |= {(name, what): (said, fix) for what, (said, fix) in told["hints"].items()}
        taken.met |= {(name, what): (first, customers) for what, (first, customers) in told["met"].items()}
        taken.words |= {(name, what): rows for what, rows in told["words"].items()}
        taken.whole |= {(name, what) for what in told["whole"]}

    def keep(self, taken: Intake, name: str, messages: list[str], newest: datetime | None, until: datetime | None) -> None:
        """Keep a table as it was made (before the tables are settled with each other), with ``messages`` told of it and its ``newest`` known_at."""
        if (path := self._paths.get(name)) is None:
            return
        if self._gone(taken.con, name):
            self._paths = {one: other for one, other in self._paths.items() if one not in (name, name + OTHERS)}  # nor may one stay
            return
        # with a row known after until, another until may find other repeats
        late = until is not None and newest is not None and newest > until
        if late or not may_be_kept(TABLES[name], taken.columns[name], whole=self.whole):
            return
        record: dict[str, Any] = {
            what: {reason: one for (table, reason), one in getattr(taken, what).items() if table == name} for what in ABOUT
        }
        record |= {
            "newest": None if newest is None else newest.isoformat(),
            "counts": asdict(taken.counts[name]),
            "messages": messages,
            "columns": taken.columns[name],
            "whole": sorted(reason for table, reason in taken.whole if table == name),
        }
        with suppress(PrevenanceError, OSError, duckdb.Error):
            disk.make(path.parent)
            disk.need_room(path.parent, self.room)
            record["parts"] = keep_table(taken.con, name, path, self.room_left)
            memo.keep(path, json.dumps(record).encode())

    def room_left(self, part: Path | None = None) -> int:
        """Return how many bytes may be kept beside what is, but ``part``: all of it takes no more room than the files and rows of tables."""
        kept = {part for path in self._paths.values() for part in table_parts(path)} | self.grown.parts()
        return self.room + self.grown.size() - sum(one.stat().st_size for one in kept - {part} if one.is_file())

    def keep_views(self, con: duckdb.DuckDBPyConnection, data: Path, source: Source, read: Mapping[str, Loaded]) -> None:
        """Keep what the reading of views gave, but their rows; nothing of this run is kept if a file is no longer what it was before."""
        if any(found != self.files.get(view) for view, found in view_digests(data, source, read if self.out else ()).items()):
            self._paths.clear()
            self.grown.made.clear()
        for view, loaded in read.items():
            if (path := self._paths.get(f"view-{view}")) is not None:
                record = asdict(loaded) | {"twice": sorted(loaded.twice), "raw": column_names(con, f"raw.{sql_name(view)}")}
                memo.keep(path, json.dumps(record).encode())

    def close(self, con: duckdb.DuckDBPyConnection, source: Source) -> None:
        """Remove what was not asked for."""
        if self.out is not None:
            names = {part.name for path in self._paths.values() for part in (path, *table_parts(path))}
            memo.forget_others(self._folder, names | self.grown.close(source, self.files, lambda name: self._gone(con, name)))

    def _is_whole(self, views: Iterable[str]) -> bool:
        """Return whether every file that the views read has a digest; what is no file has none."""
        return all(self.files.get(view) and all(len(one) == 64 for one in self.files[view].values()) for view in views)

    def _name(self, name: str, parts: Mapping[str, Any]) -> None:
        self._paths[name] = self._folder / f"{name if name in TABLES else 'view'}-{memo.key_of(parts)}"

    @property
    def _folder(self) -> Path:
        return (self.out or Path()) / memo.MEMO / "tables"

    def _record(self, name: str) -> dict[str, Any] | None:
        content = memo.kept_bytes(self._paths[name]) if name in self._paths else None
        return None if content is None else dict(json.loads(content))

    def _read(self, con: duckdb.DuckDBPyConnection, name: str, until: datetime | None) -> None:
        """Put a table that is kept into the engine, whole or not at all."""
        record = self._record(name)
        if record is None or (until and record["newest"] and datetime.fromisoformat(record["newest"]) > until):
            return
        if hold_table(con, name, self._paths[name], record["parts"]) and not self._gone(con, name):
            self.held[name] = record
        else:
            let_go(con, name)

    def _gone(self, con: duckdb.DuckDBPyConnection, name: str) -> set[str]:
        """Return the erased customers of a table: what is theirs may stand in the source still, and nowhere below ``out``."""
        held = erased.load_erased(self.out or Path())
        if not held.marks or not TABLES[name].per_customer:
            return set()
        ids = " union ".join(
            f"select {sql_name(one)} from {schema}.{name}"
            for schema in ("canonical", "quarantine")
            for one in ("customer_id", "parent_id")
            if one in column_names(con, f"{schema}.{name}")
        )
        return held.among(row[0] for row in con.execute(ids).fetchall() if row[0] is not None)


def copies_below(
    out: Path,
    data: Path,
    files: Digests,
    retention: Mapping[str, int | None],
    *,
    wanted: bool = True,
    hidden: bool = False,
    anew: bool = False,
) -> Copies:
    """Return what is kept below ``out`` of the files of ``data``, if that is ``wanted``; of a table with a ``retention`` no row may outlive it here.

    With ``anew`` what was kept of files that only grow is made again.

    Where ids are ``hidden`` nothing below ``out`` may name a customer: the whole memo goes, whoever kept it.

    Raises:
        PrevenanceError: E801 if it cannot be removed.
    """
    if hidden:
        memo.forget_all(out)
    if hidden or not wanted:
        return Copies()
    room = sum((data / path).stat().st_size for path in {*chain(*files.values())} if (data / path).is_file())
    return Copies(out, files, room, [name for name, days in retention.items() if days is not None], grown=Grown(data, anew))


OTHERS = " of others"
"""Ends the name of a copy that this run does not use itself."""

ABOUT = ("samples", "hints", "met", "words")
"""What an intake notes by table and reason."""

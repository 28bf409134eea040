"""Files that only grow (``append: true``), and tables of a server (``append: <column>``): only what is new is read and converted.

What they held before is kept as it was converted: rows before anything is settled among them, so that repeats, contradictions and messages are
found among all rows, known and new: the table is the same as if all had been read. Where that cannot be known, ``ReadWhole`` says so, and all is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import duckdb

from prevenance.base import disk, memo
from prevenance.base.errors import PrevenanceError
from prevenance.sources.apart import is_of_person
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import column_names, engine_path, entry_files, sql_name, sql_text
from prevenance.sources.growth import Known, begin_digest, known_now, only_grew
from prevenance.sources.kept_rows import may_be_kept, written_rows
from prevenance.sources.steady import treats_rows_alone
from prevenance.sources.taken import MONEY, FileRows, Loaded, ReadWhole
from prevenance.tables.canonical import TABLES, Table

Standing = Callable[[Entry, Mapping[str, Known]], tuple[dict[str, Known], bool]]
"""What a server holds of an entry now, and whether what is known of it is all as it was."""

MOST_PARTS = 40
"""Files of rows that are kept side by side; then all are read again and kept as one."""

MOST_TEXTS = 10_000
"""Different texts of a column that could not be read; with so many nothing is kept."""


@dataclass
class Grown:
    """The tables of a source whose files only grow: ``tables`` is view -> table, ``known`` view -> path -> what was read of a file before.

    ``held`` are the records of what is kept, ``paths`` where a record is (view -> file), ``now`` what a server holds of its views. With ``anew``
    nothing that is kept is read.
    """

    data: Path = Path()
    anew: bool = False
    tables: dict[str, str] = field(default_factory=dict)
    known: dict[str, dict[str, Known]] = field(default_factory=dict)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    now: dict[str, dict[str, Known]] = field(default_factory=dict)

    def open(
        self, con: duckdb.DuckDBPyConnection, entry: Entry, name: str, path: Path, files: Mapping[str, str] | None, standing: Standing
    ) -> None:
        """Take an entry for one that only grows, and put what is known of it into the engine; ``files`` is path -> digest now, None for a server's."""
        view = entry.view
        self.tables[view], self.paths[view] = name, path
        content = None if self.anew else memo.kept_bytes(path)
        record: dict[str, Any] = json.loads(content) if content is not None else {}
        known = {one: Known(**told) for one, told in record.get("files", {}).items()}
        parts = [path.with_name(one) for one in record.get("parts", {})]
        if files is None:
            self.now[view], grew = standing(entry, known)
        else:
            grew = only_grew(self.data, entry, known, files)
        if not known or len(parts) >= MOST_PARTS or not grew:
            return
        if any(begin_digest(part) != record["parts"][part.name] for part in parts):
            return
        listed = ", ".join(sql_text(engine_path(part)) for part in parts)
        try:
            con.execute(f"create or replace temp table known_{name} as from read_parquet([{listed}])")
        except duckdb.Error:  # removed by another run at this very instant
            return
        self.known[view], self.held[view] = known, record

    def has_new(self, view: str) -> bool:
        """Return whether anything of a view is to be read."""
        if view not in self.known:
            return True
        if view in self.now:
            return self.now[view] != self.known[view]
        names = [path.relative_to(self.data).as_posix() for path in entry_files(self.data, Entry.of(view, self.held[view]["entry"]))]
        return any(name not in self.known[view] or (self.data / name).stat().st_size > self.known[view][name].size for name in names)

    def nothing_new(self, con: duckdb.DuckDBPyConnection, view: str) -> Loaded:
        """Return what reading gave when all was read, and leave a table without rows for the names of its columns."""
        record = self.held[view]
        con.execute(f"create or replace table raw.{sql_name(view)} ({', '.join(f'{sql_name(name)} varchar' for name in record['raw'])})")
        return Loaded([*record["loaded"]["columns"]], twice=set(record["loaded"]["twice"]), special=record["loaded"]["special"])

    def all_loaded(self, con: duckdb.DuckDBPyConnection, entry: Entry, loaded: Loaded) -> Loaded:
        """Return what reading all files would have given, of what reading the new part gave.

        Raises:
            ReadWhole: the new part is told of otherwise than what was there.
        """
        view = entry.view
        raw = column_names(con, f"raw.{sql_name(view)}")
        if view in self.held:
            record = self.held[view]["loaded"]
            told = {one.name: record[one.name] for one in fields(Loaded)}
            before = Loaded(
                **{
                    **told,
                    **{name: [(file, line) for file, line in told[name]] for name in ("ragged", "no_rows")},
                    "twice": set(told["twice"]),
                }
            )
            same = (loaded.columns, loaded.twice, loaded.special) == (before.columns, before.twice, before.special)
            if not same or loaded.said or raw != self.held[view]["raw"]:
                raise ReadWhole
            # a total below the rows that were there stands between rows now
            if (before.no_rows or loaded.no_rows) and self.has_new(view):
                raise ReadWhole
            before.ragged += loaded.ragged
            before.size += loaded.size
            before.files = sorted({*before.files, *loaded.files})
            loaded = before
        if not self.now.get(view, True):  # nobody can say how far it has grown
            return loaded
        if any(re.fullmatch(MONEY, name.lower()) for name in raw):  # in how many moneys is counted over all rows
            return loaded
        self.made[view] = {"loaded": asdict(loaded) | {"twice": sorted(loaded.twice)}, "raw": raw, "entry": dict(entry.given)}
        return loaded

    def counted(self, view: str, files: dict[str, FileRows], left_out: int, told: Collection[str]) -> tuple[dict[str, FileRows], int]:
        """Return what became of the rows of every file, and how many a select left out, of what was counted of the new part.

        Raises:
            ReadWhole: rows cannot be traced, or there is something to tell of them.
        """
        if view in self.held:
            record = self.held[view]
            if told or any(one.reached is None for one in files.values()):
                raise ReadWhole
            every = {file: FileRows(**rows) for file, rows in record["counted"].items()}
            for file, one in files.items():
                here = every.get(file, FileRows(0, 0, 0))
                every[file] = FileRows(
                    here.raw + one.raw, (here.reached or 0) + (one.reached or 0), (here.dropped or 0) + (one.dropped or 0)
                )
            files, left_out = every, left_out + record["left_out"]
        if told or any(one.reached is None for one in files.values()):
            self.made.pop(view, None)
        elif view in self.made:
            self.made[view] |= {"counted": {file: asdict(one) for file, one in files.items()}, "left_out": left_out}
        return files, left_out

    def add(self, con: duckdb.DuckDBPyConnection, view: str, columns: list[str], room: int) -> None:
        """Keep the new rows of ``judged`` beside the known ones, in at most ``room`` bytes where that can be, and put the known ones before them.

        Raises:
            ReadWhole: the select gives other columns now.
        """
        if view not in self.held:
            self._keep(con, view, columns, room)
            return
        if columns != self.held[view]["columns"]:
            raise ReadWhole
        known = f"known_{self.tables[view]}"
        self._keep(con, view, columns, room)
        con.execute(f"insert into {known} by name from judged")
        con.execute(f"drop table judged; alter table {known} rename to judged")

    def _keep(self, con: duckdb.DuckDBPyConnection, view: str, columns: list[str], room: int) -> None:
        table, made = TABLES[self.tables[view]], self.made.get(view)
        if made is None or _is_personal(con, table, columns):
            self.made.pop(view, None)
            return
        made |= {"columns": columns, "parts": dict(self.held.get(view, {}).get("parts", {}))}
        if not self.has_new(view):
            return
        part = self.paths[view].with_name(f"{self.paths[view].name}.{len(made['parts'])}.parquet")
        try:
            disk.make(part.parent)
            made["parts"][part.name] = written_rows(con, "judged", part, room)
        except (PrevenanceError, OSError, duckdb.Error):
            self.made.pop(view, None)

    def size(self) -> int:
        """Return how many bytes the rows of tables of a server have."""
        return sum(made["loaded"]["size"] for made in self.made.values())

    def parts(self) -> set[Path]:
        """Return where rows are kept."""
        return {self.paths[view].with_name(name) for view, made in (self.held | self.made).items() for name in made.get("parts", {})}

    def close(self, source: Source, files: Mapping[str, Mapping[str, str]], gone: Callable[[str], Collection[str]]) -> set[str]:
        """Keep what is known of the views now, unless it holds somebody who is ``gone`` (of a table), and return the names of the files that stay."""
        names: set[str] = set()
        for view, made in self.made.items():
            if "parts" in made and "counted" in made and not gone(self.tables[view]):
                now = {name: asdict(one) for name, one in self.now.get(view, {}).items()}
                record = made | {"files": now or known_now(self.data, source.entries[view], self.known.get(view, {}), files[view])}
                memo.keep(self.paths[view], json.dumps(record).encode())
                names |= {self.paths[view].name, *made["parts"]}
        return names


def grows_alone(con: duckdb.DuckDBPyConnection, source: Source, view: str) -> str | None:
    """Return the table that is made of the rows of a view that only grows and of nothing else, each row by itself; ``None`` where that is not so."""
    entry = source.entries[view]
    readers = [name for name in source.selects if view in source.views_read(name)]
    if not entry.given.get("append") or entry.is_sqlite or view in source.folders or len(readers) != 1:
        return None
    alone = source.views_read(readers[0]) == [view] and readers[0] != "customers" and treats_rows_alone(con, source.selects[readers[0]])
    return readers[0] if alone else None


def _is_personal(con: duckdb.DuckDBPyConnection, table: Table, columns: list[str]) -> bool:
    """Return whether the new rows hold what is personal beyond ids: a column of names or texts, or such a text where a time or a number should be."""
    if not may_be_kept(table, columns):
        return True
    for column in table.columns:
        if column.name in columns and column.kind in ("instant", "number", "flag"):
            text = sql_name(f"raw {column.name}")
            found = con.execute(
                f"select distinct {text} from judged where reason is not null and {text} is not null limit {MOST_TEXTS}"
            ).fetchall()
            if len(found) == MOST_TEXTS or any(is_of_person(one, column) for (one,) in found):
                return True
    return False

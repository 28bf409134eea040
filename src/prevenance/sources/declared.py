"""What a source declares in its yaml: where its files and tables are, and how their text is to be read. See ``conf/source``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError, did_you_mean

PLACE = ("_file", "_line")
"""Columns that every raw row has beside its own: where it stands."""


@dataclass(frozen=True)
class Entry:
    """One entry of ``files``: the view that selects know it by, and where its rows are (files, a table, a query)."""

    view: str
    given: Mapping[str, Any]

    @classmethod
    def of(cls, view: str, declared: str | Mapping[str, Any]) -> Entry:
        """Return the entry; a bare text is a path."""
        return cls(view, {"path": declared} if isinstance(declared, str) else dict(declared))

    @property
    def key(self) -> str:
        """Return what an error calls the entry's setting."""
        return f"files.{self.view}"

    @property
    def pattern(self) -> str:
        """Return its path, pattern or table."""
        return str(next((self.given[key] for key in ("path", "sqlite", "table") if key in self.given), ""))

    def holds(self, file: str) -> bool:
        """Return whether a file of this name may be one of its files."""
        return fnmatch(file, self.pattern.rpartition("/")[2])

    @property
    def rename(self) -> dict[str, str]:
        """Return name in the files -> name in selects."""
        return dict(self.given.get("rename") or {})

    @property
    def is_sqlite(self) -> bool:
        """Return whether it is a table, view or query of a SQLite file."""
        return "sqlite" in self.given

    @property
    def is_table(self) -> bool:
        """Return whether it is a table, view or query of a database server."""
        return bool({"table", "query"} & set(self.given)) and not self.is_sqlite

    @property
    def query(self) -> str:
        """Return its query without the end that a nested one may not have."""
        return str(self.given["query"]).strip().rstrip(";")

    @property
    def separator(self) -> str:
        """Return the declared separator; a tab may be written as backslash and t.

        Raises:
            PrevenanceError: E202 for more or less than one character.
        """
        given = str(self.given.get("delimiter", ","))
        found = {"\\t": "\t"}.get(given, given)
        if len(found) != 1:
            fix = f"write {self.line(delimiter=';')} in the source's yaml"
            raise PrevenanceError("E202", f'the delimiter "{given[:20]}" is not one character', key=self.key, fix=fix)
        return found

    @property
    def skip(self) -> int:
        """Return how many lines stand above the names of the columns.

        Raises:
            PrevenanceError: E202 for what is no number of lines.
        """
        given = self.given.get("skip", 0)
        if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 1000:
            fix = f"write {self.line(skip=2)} in the source's yaml, or leave it out"
            raise PrevenanceError(
                "E202", f'skip says how many lines stand above the header, and "{str(given)[:20]}" is no such number', key=self.key, fix=fix
            )
        return given

    @property
    def formats(self) -> tuple[str, ...]:
        """Return how its timestamps are written, where they are written otherwise than the source's."""
        return tuple(map(str, self.given.get("timestamp_formats") or ()))

    @property
    def has_own_text(self) -> bool:
        """Return whether numbers or times of its files are written otherwise than the source's."""
        return bool({"decimal", "timestamp_formats"} & set(self.given))

    def line(self, **more: object) -> str:
        """Return a line to paste into the source's yaml: the entry as it is, with ``more``."""
        return f"{self.key}: {json.dumps(dict(self.given) | more, ensure_ascii=False)}"

    def error(self, code: str, what: str, fix: str, **where: object) -> PrevenanceError:
        """Return the error for something wrong with what the entry names."""
        return PrevenanceError(code, what, table=self.view, **where, fix=fix)

    def no_table(self, name: str, known: list[str]) -> PrevenanceError:
        """Return the error for a table that the database does not have, naming the nearest of ``known``."""
        hint = f"; {did_you_mean(name, known)}" if known else ""
        fix = f"create it, or correct {self.key} in the source's yaml"
        return self.error("E401", f"the database has no table {name}{hint}", fix, key=self.key)


@dataclass(frozen=True)
class Source:
    """A declared source.

    ``record`` names ``files`` entries whose changes we keep, with their key columns; ``folders`` the entries that lie elsewhere than the data folder. ``by_file`` are
    (file, view) of the files that write numbers or times in a way of their own.
    """

    name: str
    selects: dict[str, str]
    files: dict[str, Any]
    timezone: str = ""
    static: bool = False
    currency: str = ""
    delay_days: dict[str, float] = field(default_factory=dict)
    timestamp_formats: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    decimal: str = "."
    database: dict[str, Any] = field(default_factory=dict)
    record: dict[str, tuple[str, ...]] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    by_file: tuple[tuple[str, str], ...] = ()

    @property
    def entries(self) -> dict[str, Entry]:
        """Return view -> entry of ``files``."""
        return {view: Entry.of(view, declared) for view, declared in self.files.items()}

    def of_table(self, table: str) -> Source:
        """Return the source as it is for one table: ways of writing that only files of other tables have are none of its business."""
        return replace(self, by_file=tuple(one for one in self.by_file if one[1] in self.views_read(table))) if self.by_file else self

    def by_file_sql(self, sql: Callable[[Source], str]) -> str:
        """Return what ``sql`` gives for the source, or for each file that writes in a way of its own, told apart by ``_file``."""
        plain = replace(self, by_file=())
        cases = ""
        for view in dict.fromkeys(view for _, view in self.by_file):
            entry, files = self.entries[view], [file for file, one in self.by_file if one == view]
            own = replace(
                plain, decimal=str(entry.given.get("decimal", self.decimal)), timestamp_formats=entry.formats or self.timestamp_formats
            )
            listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
            cases += f"when _file in ({listed}) then {sql(own)} "
        return f"case {cases}else {sql(plain)} end" if cases else sql(plain)

    def views_read(self, table: str) -> list[str]:
        """Return the views of ``files`` that the select of a table reads."""
        said = self.select_words(table)
        return [view for view in self.files if re.search(rf"\b{re.escape(view)}\b", said, re.IGNORECASE)]

    def select_words(self, table: str) -> str:
        """Return the select of a table without the lines in which ``init`` lists what a file has; other comments were written by somebody who looked."""
        return re.sub(r"(?m)^-- \w+ has: .*$", "", self.selects[table])

    def rewritten(self, table: str, column: str, sql: str) -> str:
        """Return what to write in the select of a table: each expression that becomes ``column``, put into ``sql`` for its X."""
        select = re.sub(r"--[^\n]*", "", self.selects.get(table, ""))
        given = re.findall(rf'(?<![\w."])((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)\s+as\s+"?{column}\b', select, re.IGNORECASE)
        kept = [one for one in dict.fromkeys(given) if one.lower() != "null"] or [column]
        told = [f"{sql.replace('X', one)} as {column}" for one in kept]
        return f"write {', and '.join(told)} in {table}.sql"

"""What a source declares in its yaml: where its files and tables are, and how their text is to be read. See ``conf/source``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError, did_you_mean


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

    ``record`` names ``files`` entries whose changes we keep, with their key columns; ``folders`` the entries that lie elsewhere than the data folder.
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

    @property
    def entries(self) -> dict[str, Entry]:
        """Return view -> entry of ``files``."""
        return {view: Entry.of(view, declared) for view, declared in self.files.items()}

    def views_read(self, table: str) -> list[str]:
        """Return the views of ``files`` that the select of a table reads."""
        said = self.select_words(table)
        return [view for view in self.files if re.search(rf"\b{re.escape(view)}\b", said)]

    def select_words(self, table: str) -> str:
        """Return the select of a table without the lines in which ``init`` lists what a file has; other comments were written by somebody who looked."""
        return re.sub(r"(?m)^-- \w+ has: .*$", "", self.selects[table])

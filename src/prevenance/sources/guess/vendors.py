"""Exports of products that have a ready source: known by their columns, read by that source's own selects."""

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

from prevenance.sources.files import sql_name
from prevenance.sources.guess.found import Found, Guess
from prevenance.sources.guess.plan import raw_rows

EXPORT = re.compile(r"^  (\w+): \{names: \[.*?\], columns: \[(.*)\]\}$", re.MULTILINE)
"""A line of ``exports`` in a ready source's yaml."""


def shipped_exports(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return ready source -> its view -> columns by which the export's file is known; ``folder`` holds ``<source>.yaml``."""
    found = {path.stem: dict(EXPORT.findall(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.yaml"))}
    return {source: {view: names.split(", ") for view, names in views.items()} for source, views in found.items() if views}


def known_export(file: Found, exports: dict[str, dict[str, list[str]]]) -> tuple[str, str] | None:
    """Return the ready source and its view that a file is an export for: the one of whose columns it has most, all of them."""
    names = {one.name for one in file.columns}
    fits = [(len(columns), source, view) for source, views in exports.items() for view, columns in views.items() if names >= set(columns)]
    return max(fits)[1:] if fits else None


def ready_tables(folder: Path, source: str, views: Iterable[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return table -> select of a ready source for which ``views`` are enough, and table -> views that are missing for the others."""
    have, ready, short = set(views), {}, {}
    for path in sorted((folder / source).glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        reads = set(re.findall(rf"\b{source}_\w+", re.sub(r"--[^\n]*", "", text)))
        if reads <= have:
            ready[path.stem] = text
        else:
            short[path.stem] = sorted(reads - have)
    return ready, short


def take_vendors(
    con: duckdb.DuckDBPyConnection, files: list[Found], shipped: Path, guess: Guess
) -> tuple[dict[str, list[Found]], list[Found]]:
    """Return ready source -> its files, and the files that are of none; selects of ready sources are put into ``guess``."""
    exports = shipped_exports(shipped)
    vendors: dict[str, list[Found]] = {}
    plain = []
    for file in files:
        if not (known := known_export(file, exports)):
            plain.append(file)
            continue
        source, view = known
        if any(one.view == view for one in vendors.get(source, [])):
            guess.ask(
                f"{file.title} is a second export for {view}; the first is read.",
                f"Give both one pattern in the yaml, files: {{{view}: {{path: …*.csv}}}}, or leave one out.",
            )
            continue
        con.execute(f"alter table raw.{sql_name(file.view)} rename to {sql_name(view)}")
        guess.told.append(f"{file.title} is {view} of {source}")
        file.view = view
        vendors.setdefault(source, []).append(file)
    # who has contracts says who the customers are
    for source, held in sorted(vendors.items(), key=lambda one: not (shipped / one[0] / "subscriptions.sql").is_file()):
        ready, short = ready_tables(shipped, source, [one.view for one in held])
        for table, missing in short.items():
            guess.ask(
                f"{source}: {', '.join(missing)} is not there, so there is no table {table}.",
                f"Export it too (docs/exports.md) and write select * from {source}.{table} into {table}.sql.",
            )
        for table, text in ready.items():
            _take_ready(con, source, table, text, guess)
    return vendors, plain


def _take_ready(con: duckdb.DuckDBPyConnection, source: str, table: str, text: str, guess: Guess) -> None:
    """Take a table of a ready source, if its customers are those that are known already, by their ids or by a name."""
    ids = [
        row[0] for row in raw_rows(con, f"select distinct customer_id from ({text.rstrip().rstrip(';')}\n) where customer_id is not null")
    ]
    select = f"-- As {source}'s ready source reads its export: conf/source/{source}/{table}.sql says how, line by line.\nselect * from {source}.{table}"
    if table in guess.selects:
        guess.ask(
            f"{source} has {table}, and another export as well; {source}'s are left out.",
            f"If both count: add union all by name select * from {source}.{table} to {table}.sql.",
        )
        return
    known = guess.ids
    if known and source not in known and not holds_some(ids, set().union(*known.values())):
        guess.ask(
            f"{source}: its customers are none of those of {' and '.join(known)}, so its {table} are left out.",
            f"Name the file that says which is which, and join it in {table}.sql: see “Several products in one source” in docs/exports.md.",
        )
        return
    known[source] = known.get(source, set()) | set(ids)
    guess.selects[table] = select


def holds_some(ids: list[str], known: set[str]) -> bool:
    """Return whether a good part of the ids is known."""
    return sum(one in known for one in ids) >= 0.3 * max(1, len(ids))


def zone_in(files: Iterable[Found]) -> str:
    """Return the zone that stands in the names of columns, such as "started at (Europe/Paris)", or nothing."""
    return next((found.group(1) for file in files for one in file.columns if (found := re.search(r"\(([A-Z]\w+/\w+|UTC)\)", one.name))), "")

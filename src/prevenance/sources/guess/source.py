"""From a folder of exports to a source that runs: files, tables, whose rows they are, targets, and what is to be asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import new_engine, sql_name
from prevenance.sources.guess.counts import set_counts
from prevenance.sources.guess.customers import customers_text, products_text
from prevenance.sources.guess.found import DATE, Found, Guess, Part
from prevenance.sources.guess.hours import set_hours
from prevenance.sources.guess.joins import set_links
from prevenance.sources.guess.never import ask_tests, set_only
from prevenance.sources.guess.plan import contracts_in, part_of, raw_rows
from prevenance.sources.guess.profile import columns_of, format_lines
from prevenance.sources.guess.selects import select_text
from prevenance.sources.guess.settings import set_settings
from prevenance.sources.guess.sniff import exported_files, joined_pattern, refusal_text, title_of, view_name, written_entries
from prevenance.sources.guess.unended import set_unended
from prevenance.sources.guess.vendors import holds_some, take_vendors
from prevenance.sources.raw import raw_reader


def guessed_source(data: Path, shipped: Path) -> Guess:
    """Return a source for the files in ``data``; ``shipped`` holds the ready sources. Nothing is written."""
    guess, con = Guess(), new_engine()
    files = _read(con, data, guess)
    guess.columns = {one.view: [column.name for column in one.columns] for one in files}
    vendors, plain = take_vendors(con, files, shipped, guess)
    for file in plain:
        set_hours(file, guess)
    parts = [part for file in plain if (part := _part(file, guess))]
    _set_entries(plain, guess)
    own = _plain_tables(con, parts, vendors, guess)
    set_settings(files, vendors, own, guess)
    return guess


def _read(con: duckdb.DuckDBPyConnection, data: Path, guess: Guess) -> list[Found]:
    """Return the tables in the folder, read into the engine as ``raw.<view>``; files of one header become one."""
    entries: dict[str, dict[str, Any]] = {}
    names = exported_files(data)
    for name in names:
        try:
            for given in written_entries(data, name):
                entries[view_name(title_of(given), set(entries))] = given
        except PrevenanceError as problem:
            guess.ask(*refusal_text(name, problem))
    found: list[Found] = []
    with raw_reader(con, Source("", {}, entries), data) as read:
        for view, given in entries.items():
            try:
                loaded = read(Entry(view, given))
            except PrevenanceError as problem:
                guess.ask(*refusal_text(title_of(given), problem))
                continue
            guess.told += [*loaded.said, *loaded.special]
            columns, rows = columns_of(con, view)
            found.append(Found(view, given, title_of(given), columns, rows))
        for alike in _alike(found):
            first, key = alike[0], "member" if "member" in alike[0].given else "path"
            paths = [str(one.given[key]) for one in alike]
            beside = (str(one[key]) for one in entries.values() if one["path"] == first.given["path"]) if key == "member" else names
            pattern = joined_pattern(paths, [one for one in beside if one not in paths])
            if pattern and len(set(paths)) == len(paths):
                first.given = first.given | {key: pattern}
                read(Entry(first.view, first.given))
                first.columns, first.rows = columns_of(con, first.view)
                found = [one for one in found if one is first or one not in alike]
    found = [one for one in found if len(one.columns) > 1]  # words, not a table
    for one in found:
        if not one.rows:
            guess.ask(f"{one.title} has a header and no row.", "Export it again with its rows, or leave it out.")
    return [one for one in found if one.rows]


def _alike(found: list[Found]) -> list[list[Found]]:
    groups: dict[str, list[Found]] = {}
    for one in found:
        # parts of one table lie beside each other: in the folder, or in one archive
        keys = {key: value for key, value in one.given.items() if key != ("member" if "member" in one.given else "path")}
        groups.setdefault(repr((sorted(keys.items()), [column.name for column in one.columns])), []).append(one)
    return [group for group in groups.values() if len(group) > 1]


def _part(file: Found, guess: Guess) -> Part | None:
    part = part_of(file)
    if part is None:
        names = ", ".join(one.name for one in file.columns[:12])
        guess.ask(
            f"What is {file.title}? Nothing was made of it ({names}).",
            "If it tells of customers, write a select of its own for the table that it is (docs/own-data.md).",
        )
    return part


def _set_entries(plain: list[Found], guess: Guess) -> None:
    """Declare how the dates and numbers of each file are written."""
    for file in plain:
        if formats := format_lines([one for one in file.columns if one.kind == DATE]):
            file.given = file.given | {"timestamp_formats": formats}
        if any(one.comma for one in file.columns):
            file.given = file.given | {"decimal": ","}
        # another date of the file may say how all are written
        sure = {way for one in file.columns if not one.either for way in one.formats}
        if either := [one.name for one in file.columns if one.either and not sure & {*one.formats}]:
            guess.ask(
                f"{file.title}: is 03/04 the 3rd of April in {', '.join(either)}? It is read so; no date there says otherwise.",
                f"If it is March, turn %d and %m in timestamp_formats of {file.view} in the yaml.",
            )


def _plain_tables(con: duckdb.DuckDBPyConnection, parts: list[Part], vendors: dict[str, Any], guess: Guess) -> list[Part]:
    """Put the selects of plain files into ``guess`` and return the parts that were used."""
    master = set_links(con, parts, guess)
    products = next((one for one in parts if one.table == "products"), None)
    if master and not any(one.table == "subscriptions" for one in parts) and (contracts := contracts_in(master)):
        parts = [*parts, replace(contracts, form=master.form)]
    used: list[Part] = []
    for part in parts:
        table = "subscriptions" if part.table == "churn" else part.table
        if part.table in ("customers", "products"):
            continue
        if part.link is None or part.link.share == 0:
            guess.ask(
                f"{part.file.title}: whose rows are they? No column of it is an id of the customers in {master.file.title if master else 'another file'}.",
                f"Nothing is read of it as {table}: join it in {table}.sql, or export it with the customer's id.",
            )
            continue
        known = set().union(*guess.ids.values())
        ids = [row[0] for row in raw_rows(con, f"select distinct trim({sql_name(part.link.column)}) from {part.file.view}")]
        if known and not holds_some(ids, known):
            guess.ask(
                f"{part.file.title}: its customers are none of those of {' and '.join(vendors)}; it is left out.",
                f"Join it in {table}.sql by a file that says which is which.",
            )
            continue
        if (
            table in guess.selects
            and any(table in (one.table,) for one in parts if one not in used)
            and vendors
            and table not in {one.table for one in used}
        ):
            guess.ask(
                f"{part.file.title} looks like {table}, which {' and '.join(vendors)} gives already; it is left out.",
                f"If both count, add it to {table}.sql with union all by name.",
            )
            continue
        if part.table == "usage":
            set_counts(con, part, guess)
        if part.table == "tickets":
            set_unended(con, part, guess)
        set_only(con, part, guess)
        text = select_text(part, guess, parts)
        if problem := _problem(con, text):
            guess.ask(
                f"{part.file.title}: the select that was made of it does not run ({problem}).",
                f"Write {table}.sql by hand: docs/own-data.md.",
            )
            continue
        guess.selects[table] = (
            f"select * from (\n{guess.selects[table]}\n)\nunion all by name\nselect * from (\n{text}\n)" if table in guess.selects else text
        )
        used.append(part)
    if master and not vendors:
        ask_tests(con, master, guess)
        guess.selects["customers"] = customers_text(master, used, guess)
        used.append(master)
    if products and used and (first := next((one for one in used if one.table in ("purchases", "usage", "subscriptions")), None)):
        guess.selects["products"] = products_text(products, first)
    return used


def _problem(con: duckdb.DuckDBPyConnection, text: str) -> str:
    try:
        raw_rows(con, f"select * from ({text}\n) limit 1")
    except duckdb.Error as problem:
        return str(problem).splitlines()[0][:120]
    return ""

"""A select that reads another source's table: ``from zendesk.tickets`` is what ``source/zendesk/tickets.sql`` gives, over that source's files."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from prevenance.base.errors import PrevenanceError
from prevenance.sources.selects import read_select
from prevenance.tables.canonical import TABLES

PASSED_OVER = r"""--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*\""""
"""Comments, texts and quoted names: what stands there names no table."""

NAMED = rf"""({PASSED_OVER})|(?<![\w.])(\w+)\.({"|".join(TABLES)})\b(?!\s*\.)"""
"""Groups: what is passed over; a source and a table of it."""


def with_other_tables(name: str, selects: Mapping[str, str], files: Collection[str], folders: Sequence[Path]) -> dict[str, str]:
    """Return the selects of the source ``name`` with the tables that they read of other sources written out as selects of their own.

    ``folders`` hold ``source/<other>/<table>.sql``, the first that has the other source wins; ``files`` are the views that the source has.

    Raises:
        PrevenanceError: E306 for a table that is made of itself, or whose files the source does not have.
    """
    found = {table: _written_out(select, folders, (f"{name}.{table}",)) for table, select in selects.items()}
    everyone = list(dict.fromkeys(one for _, others in found.values() for one in others))
    for table, (text, others) in found.items():
        said = re.sub(PASSED_OVER, " ", text)
        for one in others:
            # a ready source calls each of its files <source>_..., so that those of several stand side by side
            if missing := [view for view in re.findall(rf"\b{re.escape(one)}_\w+", said) if view not in files]:
                what = f"{table}.sql reads a table of {one}, and files of {name} does not name {missing[0]}"
                fix = f"write defaults: [{', '.join([*everyone, '_self_'])}] in source/{name}.yaml"
                raise PrevenanceError("E306", what, table=table, fix=fix)
    return {table: text for table, (text, _) in found.items()}


def _written_out(select: str, folders: Sequence[Path], through: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return a select with other sources' tables in it, and the sources named so; ``through`` are the tables that led here."""
    named: list[str] = []

    def text_of(found: re.Match[str]) -> str:
        source, table = found.group(2), found.group(3)
        folder = None if found.group(1) else next((one / "source" / source for one in folders if (one / "source" / source).is_dir()), None)
        # without such a select it may be the alias of a view
        if folder is None or not (folder / f"{table}.sql").is_file():
            return found.group()
        place = f"{source}.{table}"
        if place in through:
            what = f"{table}.sql is made of itself: {' reads '.join([*through, place])}"
            raise PrevenanceError("E306", what, table=table, fix=f"let source/{source}/{table}.sql read the files of {source}")
        inner, deeper = _written_out(read_select(folder / f"{table}.sql"), folders, (*through, place))
        named.extend([source, *deeper])
        return f"(\n{inner}\n)"

    return re.sub(NAMED, text_of, select), list(dict.fromkeys(named))

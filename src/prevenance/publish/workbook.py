"""``list.xlsx``: the ranked list as a real spreadsheet: a sheet to read, one with the columns of list.csv, and one about where it comes from.

Nothing from data becomes a formula, a link or a number by accident; the same view gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from prevenance.base.days import local_time
from prevenance.base.formats import json_value, neutral_text
from prevenance.decide.ranking import PAIR_COLUMNS
from prevenance.publish import header, links
from prevenance.publish.about import about_lines
from prevenance.publish.block import COLUMNS, CONSTANT
from prevenance.publish.cells import Row, View, customer_name, group_of, row_details, state_cell
from prevenance.publish.wording import is_known, view_words
from prevenance.words import Words

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

LONGEST = 32_767
"""Characters that a cell can hold."""
WEEK = ("also", "week_done", "week_left")
"""Columns of a list that has several lists in it."""
CUT = " … [cut]"
MOST_LINKS = 30_000
"""Rows whose cells may lead somewhere: a sheet holds 65,530 links, two a row."""
ADDED = ("apart", "renews_on", "last_contact", "next_contact")
"""Columns that the spreadsheet has besides those of list.csv."""
WIDTHS = {
    "name": 32,
    "reasons": 48,
    "holds": 32,
    "action": 36,
    "also": 36,
    "owner": 18,
    "run_id": 20,
    "product": 20,
    "cutoff": 17,
    "data_until": 17,
}
READ = (
    "rank",
    "name",
    "owner",
    "state",
    "score",
    "change_28d",
    "value_at_stake",
    "expected_value",
    "renews_on",
    "reasons",
    "action",
    "act_by",
)
"""Columns of the sheet to read. What only some lists have stands in the place of what matters less there."""
INSTEAD = {"product": "renews_on", "also": "change_28d"}
HIDDEN = "customer_id"
"""Stands behind the columns to read, hidden: it leads from a row that somebody sorted to the row of the other sheet."""
DATA = "Data"
KINDS = {
    "whole": ("rank", "horizon_days", "week_done", "week_left"),
    "share": ("score", "score_low", "score_high"),
    "points": ("change_28d",),
    "money": ("value_at_stake", "expected_value"),
    "day": ("act_by", "renews_on", "last_contact", "next_contact"),
    "instant": ("cutoff", "data_until"),
    "wrapped": ("name", "reasons", "holds", "action", "also"),
}
"""How a cell is written -> the columns that are; the others are plain text."""
_KIND = {column: kind for kind, columns in KINDS.items() for column in columns}
_XML = re.compile(r"[\ud800-\udfff\ufffe\uffff]")


def workbook_bytes(view: View) -> bytes:
    """Return the workbook of a view: the sheets List (to read), Data (as list.csv) and About. A view without rows keeps its columns."""
    from xlsxwriter import Workbook

    say, written = view_words(view), io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(written, options) as workbook:
        # A fixed date: the same view gives the same bytes.
        workbook.set_properties({"title": header.list_title(say, view), "author": "Prévenance", "created": datetime(2000, 1, 1)})
        formats = _formats(workbook, str(view.get("currency") or ""))
        _readable(workbook.add_worksheet(say("List")), say, view, formats)
        _columns(workbook.add_worksheet(DATA), say, view, formats)
        _about(workbook.add_worksheet(say("About")), say, view, workbook)
    return written.getvalue()


def _formats(workbook: Workbook, currency: str) -> dict[str, Any]:
    code = currency if re.fullmatch(r"[A-Z]{3}", currency) else ""
    shapes: dict[str, dict[str, Any]] = {
        "head": {"bold": True, "bottom": 1, "bg_color": "#E6F0F0", "text_wrap": True},
        "whole": {"num_format": "0"},
        "share": {"num_format": "0.0%"},
        "points": {"num_format": "+0.0;-0.0;0.0"},
        "money": {"num_format": f'#,##0 "{code}"' if code else "#,##0"},
        "day": {"num_format": "d mmm yyyy", "align": "left"},
        "instant": {"num_format": "yyyy-mm-dd hh:mm", "align": "left"},
        "wrapped": {"text_wrap": True},
        "linked": {"text_wrap": True, "font_color": "#1D5C63", "underline": 1},
        "text": {},
    }
    return {name: workbook.add_format({"valign": "top", **shape}) for name, shape in shapes.items()}


def _readable(sheet: Worksheet, say: Words, view: View, formats: Mapping[str, Any]) -> None:
    """Write what a person reads, under heads in the reader's language."""
    rows, names = view.get("rows") or [], list(READ)
    for name, other in INSTEAD.items():
        if any(row.get(name) for row in rows):
            names.remove(other)
            names.insert(2, name)
    heads, told = _heads(say, view), [{**row, "name": customer_name(row), "state": _state(say, row)} for row in rows]
    _sheet(sheet, say, view, told, {name: heads[name] for name in names} | {HIDDEN: HIDDEN}, formats)
    sheet.set_column(len(names), len(names), None, None, {"hidden": True})


def _columns(sheet: Worksheet, say: Words, view: View, formats: Mapping[str, Any]) -> None:
    """Write the columns of list.csv under their own names, and what else there is."""
    rows = view.get("rows") or []
    pairs = (name for name in PAIR_COLUMNS if any(row.get(name) for row in rows))
    names = [*COLUMNS, *CONSTANT, *pairs, *(WEEK if view.get("lists") else ()), *ADDED]
    _sheet(sheet, say, view, rows, {name: name for name in names}, formats)


def _sheet(sheet: Worksheet, say: Words, view: View, rows: Sequence[Row], heads: Mapping[str, str], formats: Mapping[str, Any]) -> None:
    names = list(heads)
    for place, name in enumerate(names):
        sheet.set_column(place, place, WIDTHS.get(name, 13), formats[_KIND.get(name, "text")])
        sheet.write_string(0, place, cell_text(heads[name]), formats["head"])
    for here, row in enumerate(rows, start=1):
        for place, name in enumerate(names):
            _write(sheet, say, (here, place), _value(row, view, name), _KIND.get(name, "text"), formats)
        for name, to in _addresses(row, view).items() if here < MOST_LINKS else ():
            sheet.write_url(here, names.index(name), to, formats["linked"], cell_text(_value(row, view, name)))
    sheet.freeze_panes(1, names.index("name") + 1)
    sheet.autofilter(0, 0, max(len(rows), 1), len(names) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _heads(say: Words, view: View) -> dict[str, str]:
    return {
        "rank": say("No."),
        "name": say("Customer"),
        "owner": say("Owner"),
        "state": say("State"),
        "score": header.chance_heading(say, view),
        "change_28d": say("Change in 28 days, points"),
        "value_at_stake": say("Money at stake"),
        "expected_value": say("Worth of a contact"),
        "renews_on": say("Renewal"),
        "reasons": say("Why"),
        "action": say("What to do"),
        "act_by": say("By"),
        "product": say("Product"),
        "also": say("Also"),
    }


def _state(say: Words, row: Row) -> str:
    """Return where a row stands, and until when or why: what the page says of it."""
    told = state_cell(say, row)
    return " · ".join(text for text in (told["word"], told["more"]) if text)


def _addresses(row: Row, view: View) -> dict[str, str]:
    """Return column -> address of its cell: of the customer, and of the first ticket that the action names (a cell has one link)."""
    tickets = list(links.ticket_addresses(view, row).values())[:1] if row.get("action") else []
    return {name: to for name, to in (("name", links.customer_address(view, row)), ("action", "".join(tickets))) if to and row.get(name)}


def _value(row: Row, view: View, name: str) -> Any:
    if name == "apart":
        return "" if (place := group_of(row)) == "listed" else place
    found = row.get(name) if name in row else row_details(row).get(name)
    return view.get(name) if found is None and name in CONSTANT and not isinstance(view.get(name), Mapping) else found


def _write(sheet: Worksheet, say: Words, at: tuple[int, int], value: Any, kind: str, formats: Mapping[str, Any]) -> None:
    """Write one cell by the kind of its column; what is missing stays empty, and text stays text."""
    value = json_value(value)
    if value is None or value == "":
        return
    if is_known(value):
        sheet.write_number(*at, float(value), formats[kind])
    elif kind in ("day", "instant") and (moment := _moment(say, str(value))) is not None:
        sheet.write_datetime(*at, moment, formats[kind])
    else:
        sheet.write_string(*at, cell_text(value), formats[kind])


def cell_text(value: Any) -> str:
    """Return a value as the text of a cell: neutral, and cut visibly where a cell can hold no more."""
    clean = neutral_text(_XML.sub("�", str(value)))
    return clean if len(clean) <= LONGEST else clean[: LONGEST - len(CUT)] + CUT


def _moment(say: Words, value: str) -> datetime | None:
    """Return a day, or an instant as the clocks of the source show it: a spreadsheet has no zones."""
    try:
        found = datetime.fromisoformat(value).replace(tzinfo=None)
        found = local_time(found, say.zone) if len(value) > 10 else found
    except ValueError:
        return None
    # Spreadsheets count days from 1900 on; what is older stays text.
    return found if found.year >= 1900 else None


def _about(sheet: Worksheet, say: Words, view: View, workbook: Workbook) -> None:
    """Write what the list is made of, how good the last ones were, and what each column means."""
    bold, wrapped = workbook.add_format({"bold": True, "valign": "top"}), workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 26, bold)
    sheet.set_column(1, 1, 96, wrapped)
    for here, (name, told) in enumerate(about_lines(say, view)):
        sheet.write_string(here, 0, cell_text(name), bold)
        sheet.write_string(here, 1, cell_text(told), wrapped)

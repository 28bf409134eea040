"""``list.xlsx``: the ranked list as a real spreadsheet, with the columns of list.csv and a sheet about where it comes from.

Nothing from data becomes a formula, a link or a number by accident; the same view gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from prevenance.base.days import local_time
from prevenance.base.formats import json_value, neutral_text
from prevenance.decide.ranking import PAIR_COLUMNS
from prevenance.publish import floors, header, links, moves
from prevenance.publish.block import COLUMNS, CONSTANT
from prevenance.publish.cells import Row, View, group_of, row_details
from prevenance.publish.wording import is_known, one_line, view_words
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
    """Return the workbook of a view: sheets List and About. A view without rows keeps its columns."""
    from xlsxwriter import Workbook

    say, written = view_words(view), io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(written, options) as workbook:
        # A fixed date: the same view gives the same bytes.
        workbook.set_properties({"title": header.list_title(say, view), "author": "Prévenance", "created": datetime(2000, 1, 1)})
        _list(workbook.add_worksheet(say("List")), say, view, _formats(workbook, str(view.get("currency") or "")))
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


def _list(sheet: Worksheet, say: Words, view: View, formats: Mapping[str, Any]) -> None:
    rows = view.get("rows") or []
    names = [
        *COLUMNS,
        *CONSTANT,
        *(name for name in PAIR_COLUMNS if any(row.get(name) for row in rows)),
        *(WEEK if view.get("lists") else ()),
        *ADDED,
    ]
    for place, name in enumerate(names):
        sheet.set_column(place, place, WIDTHS.get(name, 13), formats[_KIND.get(name, "text")])
        sheet.write_string(0, place, name, formats["head"])
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
    lines = [one for one in _facts(say, view) if one[1]] + [("", "")] + list(column_meanings(say).items())
    for here, (name, told) in enumerate(lines):
        sheet.write_string(here, 0, cell_text(name), bold)
        sheet.write_string(here, 1, cell_text(told), wrapped)


def _facts(say: Words, view: View) -> list[tuple[str, str]]:
    model = view.get("model") or {}
    show: Callable[[Any], str] = lambda value: one_line(value or "", 300)  # noqa: E731
    sources = "; ".join(f"{told} ⚠" if late else told for told, late in header.source_freshness(say, view))
    return [
        (say("List"), header.list_title(say, view)),
        (say("This week"), " ".join([*header.fits_sentences(say, view), floors.bounds_sentence(say, view)]).strip()),
        (say("How good it was"), header.record_sentence(say, view)),
        (say("Changed by a contact"), header.effect_sentence(say, view)),
        (say("Since the last list"), "; ".join(moves.movement_texts(say, view))),
        (say("As of"), show(view.get("cutoff"))),
        (say("Known until"), show(view.get("data_until"))),
        (say("Sources"), sources),
        (say("Run"), show(view.get("run_id"))),
        (say("Model"), " ".join(show(model.get(key)) for key in ("kind", "version") if model.get(key))),
        (say("Customers"), say.number(len(view.get("rows") or []))),
        (say("Notes"), "; ".join(show(one) for one in [view.get("no_model"), *(view.get("messages") or [])] if one)),
    ]


def column_meanings(say: Words) -> dict[str, str]:
    """Return column -> what it says."""
    return {
        "rank": say("Place on the list; empty for those who are not to be worked now"),
        "score": say("Chance of the outcome within the horizon"),
        "score_low, score_high": say("90 % interval of the chance"),
        "change_28d": say("Change of the chance over 28 days, in percentage points"),
        "value_at_stake": say("Money that the outcome would move"),
        "expected_value": say("What a contact is worth: chance × money × share that a contact changes − cost"),
        "reasons, holds": say("What is linked with the outcome, and what speaks against it"),
        "action, act_by": say("What to do, and by when"),
        "arm": say("contact, or holdout: not to be contacted, so that the effect can be measured"),
        "state": say("new, open, snoozed, too_late, not_enough_data or below_floor"),
        "also": say("What else the lists say of the customer this week"),
        "week_done, week_left": say("Contacts of this week done and left: the owner's where hours count, else the team's"),
        "apart": say("Why a customer has no place: the group below the list"),
    }

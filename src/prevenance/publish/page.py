"""``list.html``: the ranked list as one self-contained page that asks nothing of the network.

Without scripts it is a complete table; with them it sorts, filters, opens rows and collects notes. Everything from data is escaped,
and only the page's own style and scripts may run (by their hash).
"""

from collections.abc import Sequence
from urllib.parse import quote

from prevenance.publish import block, cells, floors, header, links, moves, opened
from prevenance.publish.cells import Row, View
from prevenance.publish.template import render_template
from prevenance.publish.wording import is_known, view_words

STATIC = 200
"""Rows of a group whose opened part stands in the page itself; the others' is unfolded by the script."""


def list_page(view: View) -> str:
    """Return ``list.html`` for a view; a view without rows, money, owners or details gives a page that says so.

    The template asks ``cells`` and ``header`` for its texts itself: a cell's content and its markup are read in one place.
    """
    say = view_words(view)
    parted = _parted(view.get("rows") or [])
    shown = {key: [(row, opened.story_parts(say, row, view)) for row in rows] for key, rows in parted.items()}
    static = {key: 0 if key in ("beyond_capacity", "below_floor") else STATIC for key in parted}
    every = [row for rows in parted.values() for row in rows]
    packed = [None if place < static[key] else parts for key in parted for place, (_, parts) in enumerate(shown[key])]
    return render_template(
        "list.html.j2",
        style="list.css",
        scripts=("list.js", "notes.js"),
        say=say,
        view=view,
        cells=cells,
        header=header,
        floors=floors,
        links=links,
        moves=moves,
        groups=shown,
        static=static,
        first=block.FIRST,
        columns=_columns(view),
        closest=_closest(view) if "listed" not in parted else [],
        block=block.list_block(say, view, every, packed),
        kinds=opened.PART_KINDS,
        acts=block.answer_buttons(say),
        **block.list_filters(say, view, every),
    )


def _parted(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return group -> its rows in the order of the list; groups without rows are absent."""
    found: dict[str, list[Row]] = {key: [] for key in ("listed", *cells.GROUPS_APART)}
    for row in rows:
        found[cells.group_of(row)].append(row)
    # A heading above nobody only makes the page longer.
    return {key: part for key, part in found.items() if part}


def _columns(view: View) -> list[str]:
    """Return the columns of the table; money and renewals only where there are any."""
    rows = view.get("rows") or []
    priced = any(is_known(row.get("value_at_stake")) for row in rows)
    renewing = any(cells.row_details(row).get("renews_on") for row in rows)
    recorded = any("last_contact" in cells.row_details(row) for row in rows)
    absent = {"money": not priced, "renewal": not renewing, "contact": not recorded}
    every = ("rank", "name", "chance", "trend", "why", "money", "renewal", "contact", "by", "state")
    return [name for name in every if not absent.get(name)]


def _closest(view: View) -> list[tuple[str, str]]:
    """Return the names of those just below the line and where they stand on the page."""
    # Reversed, so that of several rows of a customer the best one is kept.
    rows = {str(row.get("customer_id")): row for row in reversed(view.get("rows") or [])}
    found = [rows[str(one)] for one in (view.get("closest") or [])[:3] if str(one) in rows]
    found = found or [row for row in view.get("rows") or [] if cells.group_of(row) == "beyond_capacity"][:3]
    keys = ["/".join(str(row[key]) for key in ("customer_id", "product_id") if row.get(key)) for row in found]
    return [(cells.customer_name(row), f"#open={quote(key, safe='')}") for row, key in zip(found, keys, strict=True)]

"""``digest.md``: the morning's list in a few lines of Markdown, for chat or mail."""

import re

from prevenance.publish import cells, floors, header, links, moves
from prevenance.publish.cells import Row, View, one_line
from prevenance.publish.template import utf8_text
from prevenance.publish.wording import view_words
from prevenance.words import Words

TOP = 7
"""Customers that a digest names."""
MOST = 15
"""Lines of a digest, empty ones aside."""


def digest_text(view: View) -> str:
    """Return the digest of a view: what fits, how good the last lists were, what moved, the first customers, where the rest is."""
    say = view_words(view)
    listed = [row for row in view.get("rows") or [] if cells.group_of(row) == "listed"]
    first, ahead = header.fits_sentences(say, view)
    moved = moves.movement_texts(say, view)
    late = [told for told, is_late in header.source_freshness(say, view) if is_late]
    head = [
        f"# {markdown_text(header.list_title(say, view))} · {markdown_text(say.date(str(view.get('date') or view.get('cutoff') or '')[:10]))}",
        " ".join([f"**{markdown_text(first)}**", *(markdown_text(text) for text in (ahead, floors.bounds_sentence(say, view)) if text)]),
        markdown_text(header.record_sentence(say, view)),
        markdown_text(" · ".join(moved)),
        markdown_text(say("Late: {sources}", sources=", ".join(late))) if late else "",
        *(markdown_text(text) for text in [*header.alert_texts(say, view), view.get("no_model")] if text),
    ]
    rows = [f"{place}. {_row(say, view, row)}" for place, row in enumerate(listed[:TOP], start=1)]
    more = say.many("and {n} more", "and {n} more", len(listed) - TOP) if len(listed) > TOP else ""
    foot = " · ".join(text for text in (more, say("All of it: `list.html`, as a spreadsheet: `list.xlsx`")) if text)
    parts = ["\n\n".join(text for text in head if text), "\n".join(rows), foot]
    return utf8_text("\n\n".join(part for part in parts if part) + "\n")


def _row(say: Words, view: View, row: Row) -> str:
    cutoff = str(view.get("date") or view.get("cutoff") or "") or None
    stake, expected = cells.stake_texts(say, row, str(view.get("currency") or ""))
    money = f"{stake} → {expected}" if expected else stake
    owner = f" ({markdown_text(row['owner'], 40)})" if row.get("owner") else ""
    facts = "; ".join(
        markdown_text(text)
        for text in (cells.chance_text(say, row.get("score")), money, *cells.reason_texts(row)[:1], _moved(say, row))
        if text
    )
    by = say("by {date}", date=say.date(str(row["act_by"]), beside=cutoff)) if row.get("act_by") else ""
    addresses = links.ticket_addresses(view, row)
    told = "".join(_link(piece, to) for piece, to in links.linked_parts(one_line(row.get("action") or ""), addresses))
    action = " ".join(text for text in (told, by) if text)
    return f"**{_link(cells.customer_name(row), links.customer_address(view, row))}**{owner}: {facts}" + (f" → {action}" if action else "")


def _moved(say: Words, row: Row) -> str:
    """Return why the chance moved within 28 days; "" for one that is steady, or that nothing explains."""
    trend = cells.trend_cell(say, row)
    return say("{points} points in 28 days: {facts}", points=trend["points"], facts=trend["why"]) if trend["why"] else ""


def _link(text: str, address: str) -> str:
    """Return a text, leading to an address where there is one; addresses hold nothing that ends a link."""
    # markdown_text takes the blanks at the ends, which part a number from its sentence.
    ends = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"[{markdown_text(text)}]({address})" if address else f"{ends[0]}{markdown_text(text)}{ends[1] if text.strip() else ''}"


def markdown_text(text: object, longest: int = 300) -> str:
    """Return text that is text in Markdown: no markup, no HTML, no link, nobody called by @ or #."""
    escaped = re.sub(r"([\\`*_{}\[\]()<>#|!~&@])", r"\\\1", one_line(text, longest))
    return re.sub(r"(?i)(https?|ftp|mailto|javascript|www)(?=[:.])", "\\1\u200b", escaped)

"""``digest.md``: the morning's list in a few lines of Markdown, for chat or mail."""

from __future__ import annotations

import re

from prevenance.publish import cells, header
from prevenance.publish.cells import Row, View, line
from prevenance.publish.template import writable
from prevenance.words import Words, words

TOP = 7
"""Customers that a digest names."""
MOST = 15
"""Lines of a digest, empty ones aside."""


def digest(view: View) -> str:
    """Return the digest of a view: what fits, how good the last lists were, what moved, the first customers, where the rest is."""
    say = words(str(view.get("language") or "en"))
    listed = [row for row in view.get("rows") or [] if cells.group(row) == "listed"]
    first, ahead = header.fits(say, view)
    moved = header.moved(say, view)
    late = [told for told, is_late in header.sources(say, view) if is_late]
    head = [
        f"# {marked(header.title(say, view))} · {marked(say.date(str(view.get('cutoff') or '')))}",
        f"**{marked(first)}** {marked(ahead)}".strip(),
        marked(header.record(say, view)),
        marked(" · ".join(moved)),
        marked(say("Late: {sources}", sources=", ".join(late))) if late else "",
        *(marked(text) for text in [*header.alerts(say, view), view.get("no_model")] if text),
    ]
    rows = [f"{place}. {_row(say, view, row)}" for place, row in enumerate(listed[:TOP], start=1)]
    more = say.many("and {n} more", "and {n} more", len(listed) - TOP) if len(listed) > TOP else ""
    foot = " · ".join(text for text in (more, say("All of it: `list.html`, as a spreadsheet: `list.xlsx`")) if text)
    parts = ["\n\n".join(text for text in head if text), "\n".join(rows), foot]
    return writable("\n\n".join(part for part in parts if part) + "\n")


def _row(say: Words, view: View, row: Row) -> str:
    cutoff = str(view.get("cutoff") or "") or None
    stake, expected = cells.at_stake(say, row, str(view.get("currency") or ""))
    money = f"{stake} → {expected}" if expected else stake
    owner = f" ({marked(row['owner'], 40)})" if row.get("owner") else ""
    facts = "; ".join(marked(text) for text in (cells.frequency(say, row.get("score")), money, *cells.reason_texts(row)[:1]) if text)
    by = say("by {date}", date=say.date(str(row["act_by"]), beside=cutoff)) if row.get("act_by") else ""
    action = " ".join(text for text in (marked(row.get("action") or ""), by) if text)
    return f"**{marked(cells.name(row))}**{owner}: {facts}" + (f" → {action}" if action else "")


def marked(text: object, longest: int = 300) -> str:
    """Return text that is text in Markdown: no markup, no HTML, no link, nobody called by @ or #."""
    escaped = re.sub(r"([\\`*_{}\[\]()<>#|!~&@])", r"\\\1", line(text, longest))
    return re.sub(r"(?i)(https?|ftp|mailto|javascript|www)(?=[:.])", "\\1\u200b", escaped)

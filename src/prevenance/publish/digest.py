"""The morning's list in a few lines: ``digest.md`` (Markdown, for Teams), ``digest.slack.txt`` (Slack's mrkdwn) and ``digest.mail.txt`` (plain text)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from prevenance.publish import cells, floors, header, links, moves
from prevenance.publish.cells import Row, View, one_line
from prevenance.publish.template import utf8_text
from prevenance.publish.wording import view_words
from prevenance.words import Words

TOP = 7
"""Customers that a digest names."""
MOST = 15
"""Lines of a digest, empty ones aside."""


@dataclass(frozen=True)
class Form:
    """How a digest is written: what makes a text plain, strong, a heading, and a link of a plain text and its address."""

    plain: Callable[[object], str]
    strong: str
    heading: str
    link: str


def digest_texts(view: View) -> dict[str, str]:
    """Return file -> the digest of a view in that form."""
    return {name: digest_text(view, FORMS[name]) for name in FORMS}


def markdown_text(text: object, longest: int = 300) -> str:
    """Return text that is text in Markdown: no markup, no HTML, no link, nobody called by @ or #."""
    return _dead(re.sub(r"([\\`*_{}\[\]()<>#|!~&@])", r"\\\1", one_line(text, longest)))


def slack_text(text: object, longest: int = 300) -> str:
    """Return text that is text in Slack's mrkdwn, which knows no escapes but those of three letters: its own signs are broken by a mark of no width."""
    told = escape(one_line(text, longest), quote=False)
    return _dead(re.sub(r"([*_~`@#]|^:|:(?=\w))", "\u200b\\1", told))


def plain_text(text: object, longest: int = 300) -> str:
    """Return text as one line; an address that somebody hid in it leads nowhere."""
    return _dead(one_line(text, longest))


def _dead(text: str) -> str:
    return re.sub(r"(?i)(https?|ftp|mailto|javascript|www)(?=[:.])", "\\1\u200b", text)


MARKDOWN = Form(markdown_text, "**{text}**", "# {text}", "[{text}]({to})")
SLACK = Form(slack_text, "*{text}*", "*{text}*", "<{to}|{text}>")
MAIL = Form(plain_text, "{text}", "{text}", "{text} <{to}>")
FORMS = {"digest.md": MARKDOWN, "digest.slack.txt": SLACK, "digest.mail.txt": MAIL}


def digest_text(view: View, form: Form = MARKDOWN) -> str:
    """Return the digest of a view: what fits, how good the last lists were, what moved, the first customers, where the rest is."""
    say, plain = view_words(view), form.plain
    listed = [row for row in view.get("rows") or [] if cells.group_of(row) == "listed"]
    first, ahead = header.fits_sentences(say, view)
    moved = moves.movement_texts(say, view)
    late = [told for told, is_late in header.source_freshness(say, view) if is_late]
    title = f"{header.list_title(say, view)} · {say.date(str(view.get('date') or view.get('cutoff') or '')[:10])}"
    head = [
        form.heading.format(text=plain(title)),
        " ".join([form.strong.format(text=plain(first)), *(plain(text) for text in (ahead, floors.bounds_sentence(say, view)) if text)]),
        plain(header.record_sentence(say, view)),
        plain(" · ".join(moved)),
        plain(say("Late: {sources}", sources=", ".join(late))) if late else "",
        *(plain(text) for text in [*header.alert_texts(say, view), view.get("no_model")] if text),
    ]
    rows = [f"{place}. {_row(say, view, row, form)}" for place, row in enumerate(listed[:TOP], start=1)]
    more = say.many("and {n} more", "and {n} more", len(listed) - TOP) if len(listed) > TOP else ""
    quote = "" if form is MAIL else "`"
    files = say("All of it: {page}, as a spreadsheet: {workbook}", page=f"{quote}list.html{quote}", workbook=f"{quote}list.xlsx{quote}")
    foot = " · ".join(text for text in (more, files) if text)
    between = "\n\n" if form is MAIL else "\n"
    parts = ["\n\n".join(text for text in head if text), between.join(rows), foot]
    return utf8_text("\n\n".join(part for part in parts if part) + "\n")


def _row(say: Words, view: View, row: Row, form: Form) -> str:
    cutoff = str(view.get("date") or view.get("cutoff") or "") or None
    stake, expected = cells.stake_texts(say, row, str(view.get("currency") or ""))
    money = f"{stake} → {expected}" if expected else stake
    owner = f" ({form.plain(one_line(row['owner'], 40))})" if row.get("owner") else ""
    facts = "; ".join(
        form.plain(text)
        for text in (cells.chance_text(say, row.get("score")), money, *cells.reason_texts(row)[:1], _moved(say, row))
        if text
    )
    by = say("by {date}", date=say.date(str(row["act_by"]), beside=cutoff)) if row.get("act_by") else ""
    addresses = links.ticket_addresses(view, row)
    told = "".join(_link(piece, to, form) for piece, to in links.linked_parts(one_line(row.get("action") or ""), addresses))
    # The day first: behind the text it reads as a part of it.
    action = say("{fact}: {rest}", fact=by, rest=told) if told and by else told or by
    name = form.strong.format(text=_link(cells.customer_name(row), links.customer_address(view, row), form))
    return f"{name}{owner}: {facts}" + (f"{_STEP if form is MAIL else ' → '}{action}" if action else "")


_STEP = "\n   → "
"""In a mail what to do stands on a line of its own: nothing there is bold."""


def _moved(say: Words, row: Row) -> str:
    """Return why the chance moved within 28 days; "" for one that is steady, or that nothing explains."""
    trend = cells.trend_cell(say, row)
    return say("{points} points in 28 days: {facts}", points=trend["points"], facts=trend["why"]) if trend["why"] else ""


def _link(text: str, address: str, form: Form) -> str:
    """Return a text, leading to an address where there is one; addresses hold nothing that ends a link."""
    if address:
        return form.link.format(text=form.plain(text), to=address)
    # A plain text loses the blanks at its ends, which part a number from its sentence.
    ends = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{ends[0]}{form.plain(text)}{ends[1] if text.strip() else ''}"

"""``list.html``: the ranked list as one self-contained page that asks nothing of the network.

Without scripts it is a complete table; with them it sorts, filters, opens rows and collects notes. Everything from data is escaped,
and only the page's own style and scripts may run (by their hash).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from prevenance.publish import block, cells, header, opened, wording
from prevenance.publish.cells import Row, View, one_line
from prevenance.publish.template import render_template
from prevenance.words import Words, words

STATIC = 200
"""Rows of a group whose opened part stands in the page itself; the others' is unfolded by the script."""
SMALL = (90, 20)
"""Width and height of the small line in a row."""
SIDES = (("changed", "reasons", "holds", "context", "unknown"), ("weeks", "timeline", "similar"), ("note", "draft", "worth"))
"""The parts of an opened row, column by column."""


def list_page(view: View) -> str:
    """Return ``list.html`` for a view; a view without rows, money, owners or details gives a page that says so."""
    say = words(str(view.get("language") or "en"))
    parted = _parted(view.get("rows") or [])
    columns = _columns(view)
    stories = {key: [opened.story_parts(say, row, view) for row in rows] for key, rows in parted.items()}
    shown = [_group(say, view, key, rows, stories[key]) for key, rows in parted.items()]
    packed = [None if here < _static(key) else story for key in parted for here, story in enumerate(stories[key])]
    every = [row for rows in parted.values() for row in rows]
    return render_template(
        "list.html.j2",
        style="list.css",
        scripts=("list.js", "notes.js"),
        say=say,
        language=say.language,
        groups=shown,
        columns=columns,
        gain=header.target_words(view).gain,
        heads=_heads(say, view),
        block=block.list_block(say, view, every, packed),
        **_head(say, view, parted),
        **block.list_filters(say, view, every),
        titles=opened.story_titles(say, view),
        kinds=opened.PART_KINDS,
        sides=SIDES,
        acts=block.answer_buttons(say),
        **block.answer_choices(say),
    )


def _parted(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return group -> its rows in the order of the list; groups without rows are absent."""
    found: dict[str, list[Row]] = {key: [] for key in ("listed", *cells.GROUPS_APART)}
    for row in rows:
        found[cells.group_of(row)].append(row)
    # A heading above nobody only makes the page longer.
    return {key: part for key, part in found.items() if part}


def _static(key: str) -> int:
    """Return how many rows of a group carry their opened part in the table."""
    return 0 if key == "beyond_capacity" else STATIC


def _columns(view: View) -> list[str]:
    """Return the columns of the table; money and renewals only where there are any."""
    rows = view.get("rows") or []
    priced = any(wording.is_known(row.get("value_at_stake")) for row in rows)
    renewing = any(cells.row_details(row).get("renews_on") for row in rows)
    recorded = any("last_contact" in cells.row_details(row) for row in rows)
    absent = {"money": not priced, "renewal": not renewing, "contact": not recorded}
    every = ("rank", "name", "chance", "trend", "why", "money", "renewal", "contact", "by", "state")
    return [name for name in every if not absent.get(name)]


def _heads(say: Words, view: View) -> dict[str, str]:
    return {
        "rank": say("No."),
        "name": say("Customer"),
        "chance": header.chance_heading(say, view),
        "trend": say("Trend, 28 days"),
        "why": say(header.target_words(view).why),
        "money": header.money_heading(say, view),
        "renewal": say("Renewal"),
        "contact": say("Last and next contact"),
        "by": say("Do this, by"),
        "state": say("State"),
    }


def _group(say: Words, view: View, key: str, rows: Sequence[Row], stories: Sequence[opened.Parts]) -> dict[str, Any]:
    title, about = _about(say)[key]
    shown = [_row(say, view, row) for row in rows]
    for place, (one, parts) in enumerate(zip(shown, stories, strict=True)):
        one |= {"later": place >= block.FIRST, "parts": parts if place < _static(key) else None}
    return {"key": key, "title": title, "about": about, "rows": shown, "count": say.many("{n} customer", "{n} customers", len(rows))}


def _about(say: Words) -> dict[str, tuple[str, str]]:
    """Return group -> its title and why it stands apart."""
    return {
        "listed": (say("To contact"), ""),
        "holdout": (
            say("Hold-out: please do not contact"),
            say("Drawn by lot. Only the difference to them shows whether contacting helps."),
        ),
        "escalated": (say("Escalated"), say("An escalation is open: whoever leads it decides about any other contact.")),
        "snoozed": (say("Snoozed"), say("Set aside by one of you, until the date in the row or until the chance jumps.")),
        "too_late": (say("Too late to change"), say("Notice is given or the time to act is over. Good to know, no longer to be worked.")),
        "not_enough_data": (
            say("Not enough data to judge"),
            say("Unknown, which is not the same as healthy. A look by hand may be worth it."),
        ),
        "beyond_capacity": (say("Beyond this week"), say("In their order, below the line that your capacity draws.")),
    }


def _row(say: Words, view: View, row: Row) -> dict[str, Any]:
    """Return a row's cells as the table shows them."""
    told, cutoff = cells.row_details(row), str(view.get("cutoff") or "")
    weeks = list(told.get("weeks") or [])
    path, last = cells.sparkline(weeks, width=SMALL[0], height=SMALL[1], most=cells.sparkline_top(weeks))
    stake, expected = cells.stake_texts(say, row, str(view.get("currency") or ""))
    held = cells.reason_texts(row, "holds")[:1]
    by = say.date(str(row["act_by"]), beside=cutoff) if row.get("act_by") else ""
    return {
        "rank": say.number(row["rank"]) if wording.is_known(row.get("rank")) else "",
        "name": cells.customer_name(row),
        "beneath": cells.name_details(row, say),
        "score_known": wording.is_known(row.get("score")),
        "chance": cells.chance_text(say, row.get("score")),
        "likely": cells.likely_text(say, row),
        "trend": cells.trend_cell(say, row),
        "path": path if sum(map(wording.is_known, weeks)) > 1 else "",
        "last": last,
        "reasons": cells.reason_texts(row)[:2],
        "holds": _held(say, view, held[0]) if held else "",
        "above": one_line(row.get("why_above") or "", cells.TEXT_LENGTH),
        "stake": stake,
        "expected": expected,
        "renewal": cells.date_and_distance(say, cutoff, told.get("renews_on")),
        "contact": cells.contact_texts(say, cutoff, row),
        "action": one_line(row.get("action") or "", cells.TEXT_LENGTH),
        "by": say("by {date}", date=by) if by else "",
        "state": cells.state_cell(say, row),
    }


def _held(say: Words, view: View, reason: str) -> str:
    """Return what speaks against the outcome; if that is leaving, it holds the customer."""
    return say(header.target_words(view).against_one, reason=reason)


def _head(say: Words, view: View, parted: dict[str, list[Row]]) -> dict[str, Any]:
    """Return what the head of the page says."""
    cutoff = str(view.get("cutoff") or "")
    fresh = header.source_freshness(say, view)
    on_time = sum(not late for _, late in fresh)
    notes = [one_line(text, 400) for text in view.get("messages") or [] if text]
    moved = view.get("moved") or {}
    since = say("Since {date}", date=say.date(str(moved["since"]), beside=cutoff)) if moved.get("since") else say("Set apart")
    return {
        "title": header.list_title(say, view),
        "date": long_date(say, view),
        "fits": header.fits_sentences(say, view),
        "closest": _closest(view) if "listed" not in parted else [],
        "record": header.record_sentence(say, view),
        "moved": header.movement_texts(say, view),
        "since": since,
        "known_until": say.date(str(view.get("data_until") or ""), beside=cutoff),
        "sources": fresh,
        "on_time": say.many("{n} source on time", "{n} sources on time", on_time) if on_time else "",
        "banners": header.banner_texts(say, view, 400),
        "notes": notes,
        "noted": say.many("{n} note on the data", "{n} notes on the data", len(notes)) if notes else "",
        "links": page_links(say, view),
        "assumed": header.effect_sentence(say, view),
        "stamp": run_stamp(say, view),
    }


def page_links(say: Words, view: View) -> list[tuple[str, str]]:
    """Return the pages beside this one: what they are called and where they are, within the run's folder only."""
    names = {"index": say("All lists"), "report": say("How it was trained"), "replay": say("Looking back")}
    told = view.get("links") or {}
    return [
        (text, str(told[key]))
        for key, text in names.items()
        # A view may be anybody's file: no address in it leads out of the folder.
        if told.get(key) and ":" not in str(told[key]) and not str(told[key]).startswith("/")
    ]


def run_stamp(say: Words, view: View) -> str:
    """Return what a list is made of, in one line: run, model, cutoff."""
    model = view.get("model") or {}
    return say(
        "Run {run} · model {model} · as of {cutoff}",
        run=one_line(view.get("run_id") or "–", 60),
        model=" ".join(one_line(model[key], 40) for key in ("kind", "version") if model.get(key)) or "–",
        cutoff=one_line(view.get("cutoff") or "–", 40),
    )


def _closest(view: View) -> list[tuple[str, str]]:
    """Return the names of those just below the line and where they stand on the page."""
    # Reversed, so that of several rows of a customer the best one is kept.
    rows = {str(row.get("customer_id")): row for row in reversed(view.get("rows") or [])}
    found = [rows[str(one)] for one in (view.get("closest") or [])[:3] if str(one) in rows]
    found = found or [row for row in view.get("rows") or [] if cells.group_of(row) == "beyond_capacity"][:3]
    keys = ["/".join(str(row[key]) for key in ("customer_id", "product_id") if row.get(key)) for row in found]
    return [(cells.customer_name(row), f"#open={quote(key, safe='')}") for row, key in zip(found, keys, strict=True)]


def long_date(say: Words, view: View) -> str:
    """Return the day of the list with its weekday and year."""
    from babel.dates import format_date

    try:
        day = date.fromisoformat(str(view.get("date") or view.get("cutoff"))[:10])
    except ValueError:
        return wording.DASH
    return str(format_date(day, "full", locale={"en": "en_GB"}.get(say.language, say.language)))

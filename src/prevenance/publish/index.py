"""``index.html``: the lists of one run at a glance, who works how much, and which segment gets how much attention."""

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.publish import cells, floors, header
from prevenance.publish.cells import View, one_line
from prevenance.publish.template import render_template
from prevenance.publish.wording import is_known, view_words
from prevenance.words import Words

TOP = 3
"""Customers of a list that the index names."""
STARVED = 0.5
"""A segment is starved if its share of contacts is below this part of its share of expected outcomes ..."""
FEW = 1.0
"""... and at least this many outcomes are expected in it."""
BAR = 120


def index_page(views: Sequence[View], *, folders: Mapping[str, str] | None = None, reports: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return ``index.html`` for the views of a run.

    ``folders`` is target -> folder of its list as seen from the index (``lists/<target>/latest`` if absent); the links of a view are
    taken relative to that folder. No views give a page that says so. ``reports`` are other pages of the run: title, to, lead, open.
    """
    say = view_words(views[0] if views else {})
    # The week first: it is what the team works by.
    views = sorted(views, key=lambda view: not view.get("lists"))
    weekly = [view for view in views if view.get("lists")]
    placed = [(view, (folders or {}).get(str(view.get("target")), f"lists/{view.get('target') or 'list'}/latest")) for view in views]
    return render_template(
        "index.html.j2",
        style="list.css",
        say=say,
        language=say.language,
        date=header.long_date(say, views[0]) if views else "",
        lists=[_list(view_words(view), view, folder) for view, folder in placed],
        owners=_by_owner(say, [row for view in weekly or views for row in _owners(say, view)]),
        segments=[row for view in views for row in _segments(say, view)],
        reports=[{key: one_line(one.get(key) or "", 400) for key in ("title", "to", "lead", "open", "language")} for one in reports],
    )


def _list(say: Words, view: View, folder: str) -> dict[str, Any]:
    """Return one list as its card shows it."""
    rows = view.get("rows") or []
    listed = [row for row in rows if cells.group_of(row) == "listed"]
    first, ahead = header.fits_sentences(say, view)
    beside = [
        (text, posixpath.normpath(posixpath.join(folder, to))) for text, to in header.page_links(say, view) if not to.endswith("index.html")
    ]
    moved, notes = view.get("moved") or {}, len(view.get("messages") or [])
    return {
        "title": header.list_title(say, view),
        "open": say("Open the list"),
        "to": posixpath.join(folder, "list.html"),
        "number": say.number((view.get("fits") or {}).get("listed", len(listed))),
        "first": first,
        "ahead": f"{ahead} {floors.bounds_sentence(say, view)}".strip(),
        "record": header.record_sentence(say, view),
        "new": say("{n} new", n=moved["new"]) if moved.get("new") else "",
        "top": [
            (cells.customer_name(row), cells.chance_text(say, row.get("score")), (cells.reason_texts(row) or [""])[0])
            for row in listed[:TOP]
        ],
        "late": [text for text, late in header.source_freshness(say, view) if late],
        "banners": header.banner_texts(say, view, 300),
        "noted": say.many("{n} note on the data", "{n} notes on the data", notes) if notes else "",
        # What lies outside the run's folder would be a dead link once the folder is sent on.
        "links": [(text, to) for text, to in beside if not to.startswith("..")],
        "stamp": header.run_stamp(say, view),
    }


def _owners(say: Words, view: View) -> list[dict[str, Any]]:
    """Return who works how much of a list, with a word where the hours do not fit."""
    found = []
    for one in view.get("owners") or []:
        planned, available = one.get("planned"), one.get("available")
        money = say.money(one["at_stake"], str(view.get("currency") or "")) if is_known(one.get("at_stake")) else ""
        found.append(
            {
                "list": header.list_title(say, view),
                "owner": one_line(one.get("owner") or say("no owner"), 60),
                "listed": say.number(one.get("listed")),
                "planned": planned if is_known(planned) else 0.0,
                "hours": _hours(say, planned, available),
                "bar": _bar(planned, available),
                "word": _load(say, planned, available),
                "expected": say.number(one.get("outcomes_expected"), 1),
                "money": money,
            }
        )
    return found


def _by_owner(say: Words, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return owner, the hours over all lists, and the rows, by name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda one: one["owner"].casefold()):
        found.setdefault(row["owner"], []).append(row)
    totals = {owner: sum(row["planned"] for row in part) if len(part) > 1 else 0.0 for owner, part in found.items()}
    said = {
        owner: say("{planned} hours in all", planned=header.short_number(say, total)) if total else "" for owner, total in totals.items()
    }
    return [{"owner": owner, "total": said[owner], "rows": part} for owner, part in found.items()]


def _hours(say: Words, planned: Any, available: Any) -> str:
    if not is_known(planned):
        return ""
    hours = header.short_number(say, planned)
    return (
        say("{planned} of {available} hours", planned=hours, available=header.short_number(say, available))
        if is_known(available)
        else say("{planned} hours", planned=hours)
    )


def _bar(planned: Any, available: Any) -> tuple[str, str]:
    """Return the lengths of the hours within and beyond those available; empty where they are not known."""
    if not is_known(planned) or not is_known(available) or max(planned, available) <= 0:
        return "", ""
    most = max(planned, available)
    return f"{BAR * min(planned, available) / most:.0f}", f"{BAR * max(planned - available, 0) / most:.0f}"


def _load(say: Words, planned: Any, available: Any) -> str:
    if not is_known(planned) or not is_known(available):
        return ""
    # Less than what is printed with one decimal is no difference.
    if planned > available + 0.05:
        return say("▲ {hours} hours too many", hours=header.short_number(say, planned - available))
    return say("▼ {hours} hours free", hours=header.short_number(say, available - planned)) if available - planned > 0.5 else say("● fits")


def _segments(say: Words, view: View) -> list[dict[str, Any]]:
    """Return how much attention each segment of a list gets beside what is expected to happen in it."""
    found = []
    for one in view.get("segments") or []:
        contacts, outcomes = one.get("contact_share"), one.get("outcome_share")
        starved = is_known(contacts) and is_known(outcomes) and (one.get("expected_outcomes") or 0) >= FEW and contacts < STARVED * outcomes
        # Lists of earlier versions do not say whether luck explains it.
        steps = {
            "fewer": say("gets fewer contacts than what is expected there"),
            "more": say("gets more contacts than what is expected there"),
        }
        word = one_line(one["note"], 120) if one.get("note") else steps.get(str(one.get("step")), "")
        word = word or (say("gets less attention than what is expected there") if starved and not one.get("step") else "")
        found.append(
            {
                "list": header.list_title(say, view),
                "segment": one_line(one.get("segment") or say("unknown"), 60),
                "customers": say.number(one.get("customers")),
                "listed": say.number(one.get("listed")),
                "expected": say.number(one.get("expected_outcomes"), 1),
                "contacts": say.percent(contacts),
                "outcomes": say.percent(outcomes),
                "bars": [f"{BAR * min(share, 1):.0f}" if is_known(share) else "0" for share in (contacts, outcomes)],
                "starved": bool(word and one.get("step") != "more"),
                "word": f"! {word}" if word else say("● in step") if is_known(contacts) and is_known(outcomes) else "",
            }
        )
    return found

"""What the page of the week says besides what every list says: what else a customer is listed for, and why an offer waits."""

from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.order.joint import AT_RISK, ESCALATED, LEAVING, NO_HOURS, URGENT
from prevenance.publish import header
from prevenance.publish.cells import Row, View
from prevenance.words import Words


def worry_words(say: Words) -> dict[str, str]:
    """Return why a row of the week has no place -> what is said of it."""
    return {
        ESCALATED: say("No offer now: an escalation is open"),
        LEAVING: say("No offer now: they are leaving"),
        AT_RISK: say("No offer now: they may leave"),
        URGENT: say("No offer now: an urgent ticket is open"),
        NO_HOURS: say("Nobody has hours for them"),
    }


def other_texts(say: Words, others: Sequence[Row], titles: Mapping[str, str]) -> list[str]:
    """Return, for each other row of a customer, its list, product, what to do and by when, or why it waits."""
    told, found = worry_words(say), []
    for row in others:
        by = say("by {date}", date=say.date(str(row["act_by"]), beside=str(row.get("cutoff") or "") or None)) if row.get("act_by") else ""
        todo = told.get(str(row.get("why") or "")) or f"{row.get('action') or ''} {by}".strip()
        about = ", ".join(str(part) for part in (titles.get(str(row["target"]), row["target"]), row.get("product")) if part)
        found.append(say("Also {list}: {action}", list=about, action=todo or say("no action")))
    return found


def list_titles(say: Words, views: Sequence[View]) -> dict[str, str]:
    """Return target -> what its list is called."""
    return {str(view["target"]): header.list_title(say, view) for view in views}


def page_texts(say: Words, missing: Sequence[str]) -> dict[str, Any]:
    """Return the texts of the head: the title, that the page claims nothing of its own, which lists are not in it."""
    lists = ", ".join(header.list_title(say, {"target": one, "kind": one}) for one in missing)
    record = say("This page claims no hits of its own: how good each list was stands on its page.")
    return {
        "title": say("Whom to contact this week"),
        "record": {"text": record},
        "missing": say("Not in it, without a list of this date: {lists}", lists=lists) if missing else "",
    }

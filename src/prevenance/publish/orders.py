"""Policies told to people: what each order of the list would have brought, on a page, on a card and on a terminal."""

from collections.abc import Mapping
from typing import Any

from prevenance.publish import drawings
from prevenance.publish.wording import DASH, ENGLISH, amount_text, is_known, one_line, percent_text
from prevenance.words import Words

Report = Mapping[str, Any]

NAMES = {
    "chance": "By chance",
    "value": "By expected value",
    "value_above_floor": "By expected value, above the floor",
    "value_without_floor": "By expected value, without the floor",
    "rule": "The simple rule's list",
    "random": "Blind list",
}
COLUMNS = {
    "hits": "Hits",
    "precision": "Right",
    "recall": "Found",
    "money_caught": "Money caught",
    "expected_net": "Kept, less costs (assumed)",
}
"""Metric -> its head."""


def heads(say: Words = ENGLISH) -> list[str]:
    """Return the heads of the policies' table."""
    return [say(COLUMNS[metric]) for metric in COLUMNS]


def policy_name(name: object, say: Words = ENGLISH) -> str:
    """Return what an order is called."""
    return say(NAMES[str(name)]) if str(name) in NAMES else one_line(str(name).replace("_", " "), 40)


def floor_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return by which order the lists were made, below which chance nobody stood on them, and what the base rate was."""
    told = report.get("shipped") or {}
    if not told.get("periods"):
        return ""
    text = say("lists as they would have been shipped: {order}", order=_inside(policy_name(told.get("policy"), say), say))
    floors = [one for one in told["periods"] if is_known(one.get("floor"))]
    if not floors or not is_known(told.get("floor_times")):
        return text
    last = floors[-1]
    below = "; nobody below {times} × the base rate (at the newest test a chance of {floor}, {n} {n:customer|customers} above it)"
    return text + say(
        below, times=say.number(told["floor_times"], 1), floor=percent_text(last["floor"], 1, say=say), n=last.get("above_floor") or 0
    )


def policy_rows(report: Report, say: Words = ENGLISH) -> list[dict[str, Any]]:
    """Return the rows of the policies' table: name, whether it is in use, a (value, interval) for each of ``COLUMNS``, the difference from the one in use."""
    found = report.get("policies") or {}
    used = (report.get("shipped") or {}).get("policy")
    ordered = [used, *(name for name in NAMES if name != used), *found]
    return [
        {
            "name": policy_name(name, say),
            "used": name == used,
            "cells": [_cell(metric, found[name].get(metric) or {}, say) for metric in COLUMNS],
            "gap": "" if name == used else _gap(found[name], say),
        }
        for name in dict.fromkeys(ordered)
        if name in found
    ]


def policies_svg(report: Report, say: Words = ENGLISH, *, width: int = 820) -> str:
    """Return each order's money kept less costs (its hits where nothing is priced) with its interval. Empty text without policies."""
    found, rows = report.get("policies") or {}, policy_rows(report, say)
    metric = "expected_net" if any(is_known((one.get("expected_net") or {}).get("value")) for one in found.values()) else "hits"
    used = (report.get("shipped") or {}).get("policy")
    told = [(policy_name(name, say), one.get(metric) or {}, name == used) for name, one in found.items()]
    known = [one for one in told if is_known(one[1].get("value"))]
    order = {row["name"]: place for place, row in enumerate(rows)}
    known.sort(key=lambda one: order[one[0]])
    return drawings.ranges_svg(known, say(COLUMNS[metric]), say, width=width) if known else ""


def policy_lines(report: Report) -> list[str]:
    """Return the orders in two lines for a terminal: hits and money caught of each."""
    rows, places = policy_rows(report), [list(COLUMNS).index(name) for name in ("hits", "money_caught")]
    if not rows:
        return []
    each = [f"{row['name'].lower()} {' / '.join(row['cells'][place][0] for place in places)}" for row in rows]
    return [one_line(floor_sentence(report)), one_line("hits / money caught: " + " · ".join(each), 240)]


def _inside(name: str, say: Words) -> str:
    """Return a name as it stands inside a sentence: German keeps the capitals of its nouns, which begin a name too."""
    return name if say.language == "de" and not name.startswith("Nach ") else name[:1].lower() + name[1:]


def _cell(metric: str, found: Mapping[str, Any], say: Words) -> tuple[str, str]:
    value, low, high = (found.get(key) for key in ("value", "low", "high"))
    if not is_known(value):
        return DASH, ""
    span = say("{low} to {high}", low=_shown(metric, low, say), high=_shown(metric, high, say)) if is_known(low) and is_known(high) else ""
    return _shown(metric, value, say), span


def _shown(metric: str, value: object, say: Words) -> str:
    if metric in ("precision", "recall"):
        return percent_text(value, say=say)
    return amount_text(value, say=say) if metric == "hits" else say.number(value)


def _gap(found: Mapping[str, Any], say: Words) -> str:
    """Return the difference from the order in use, in money where there is any, with its paired interval."""
    for metric in ("expected_net", "hits"):
        gap = found.get(f"{metric}_difference") or {}
        if is_known(gap.get("value")):
            value, span = _cell(metric, gap, say)
            text = ("+" if gap["value"] > 0 else "") + value
            text = say("{value} hits", value=text) if metric == "hits" else text
            return f"{text} ({span})" if span else text
    return ""

"""Policies told to people: what each order of the list would have brought, on a page, on a card and on a terminal."""

from collections.abc import Mapping
from typing import Any

from prevenance.publish import drawings
from prevenance.publish.wording import DASH, amount_text, count_text, is_known, number_text, one_line, percent_text

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


def policy_name(name: object) -> str:
    """Return what an order is called."""
    return NAMES.get(str(name), one_line(str(name).replace("_", " "), 40))


def floor_sentence(report: Report) -> str:
    """Return by which order the lists were made, below which chance nobody stood on them, and what the base rate was."""
    told = report.get("shipped") or {}
    if not told.get("periods"):
        return ""
    text = f"lists as they would have been shipped: {policy_name(told.get('policy')).lower()}"
    floors = [one for one in told["periods"] if is_known(one.get("floor"))]
    if not floors or not is_known(told.get("floor_times")):
        return text
    last = floors[-1]
    text += f"; nobody below {number_text(told['floor_times'], 1)} × the base rate (at the newest test a chance of {percent_text(last['floor'], 1)}, "
    return text + f"{count_text(last.get('above_floor'), 'customer')} above it)"


def policy_rows(report: Report) -> list[dict[str, Any]]:
    """Return the rows of the policies' table: name, whether it is in use, a (value, interval) for each of ``COLUMNS``, the difference from the one in use."""
    found = report.get("policies") or {}
    used = (report.get("shipped") or {}).get("policy")
    ordered = [used, *(name for name in NAMES if name != used), *found]
    return [
        {
            "name": policy_name(name),
            "used": name == used,
            "cells": [_cell(metric, found[name].get(metric) or {}) for metric in COLUMNS],
            "gap": "" if name == used else _gap(found[name]),
        }
        for name in dict.fromkeys(ordered)
        if name in found
    ]


def policies_svg(report: Report, *, width: int = 720) -> str:
    """Return each order's money kept less costs (its hits where nothing is priced) with its interval. Empty text without policies."""
    found, rows = report.get("policies") or {}, policy_rows(report)
    metric = "expected_net" if any(is_known((one.get("expected_net") or {}).get("value")) for one in found.values()) else "hits"
    told = [(policy_name(name), one.get(metric) or {}, name == (report.get("shipped") or {}).get("policy")) for name, one in found.items()]
    known = [one for one in told if is_known(one[1].get("value"))]
    order = {row["name"]: place for place, row in enumerate(rows)}
    known.sort(key=lambda one: order[one[0]])
    return drawings.ranges_svg([(name, one, used) for name, one, used in known], COLUMNS[metric], width=width) if known else ""


def policy_lines(report: Report) -> list[str]:
    """Return the orders in two lines for a terminal: hits and money caught of each."""
    rows, places = policy_rows(report), [list(COLUMNS).index(name) for name in ("hits", "money_caught")]
    if not rows:
        return []
    each = [f"{row['name'].lower()} {' / '.join(row['cells'][place][0] for place in places)}" for row in rows]
    return [one_line(floor_sentence(report)), one_line("hits / money caught: " + " · ".join(each), 240)]


def _cell(metric: str, found: Mapping[str, Any]) -> tuple[str, str]:
    show = percent_text if metric in ("precision", "recall") else amount_text if metric == "hits" else number_text
    value, low, high = (found.get(key) for key in ("value", "low", "high"))
    if not is_known(value):
        return DASH, ""
    return show(value), f"{show(low)} to {show(high)}" if is_known(low) and is_known(high) else ""


def _gap(found: Mapping[str, Any]) -> str:
    """Return the difference from the order in use, in money where there is any, with its paired interval."""
    for metric, noun in (("expected_net_difference", ""), ("hits_difference", " hits")):
        gap = found.get(metric) or {}
        if is_known(gap.get("value")):
            show = number_text if not noun else amount_text
            sign = "+" if gap["value"] > 0 else ""
            span = f" ({show(gap['low'])} to {show(gap['high'])})" if is_known(gap.get("low")) and is_known(gap.get("high")) else ""
            return f"{sign}{show(gap['value'])}{noun}{span}"
    return ""

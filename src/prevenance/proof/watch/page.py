"""``report.html`` of the watch: the decision first, then warnings, what the chances said and what came, and the events by week."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from prevenance.publish.cells import table_words
from prevenance.publish.pictures import Curve, curves_svg
from prevenance.publish.template import render_template
from prevenance.publish.wording import is_known, one_line
from prevenance.words import Words

WIDE = 640
"""Of a picture: five dates stand below it."""


def watch_page(
    say: Words,
    source: str,
    date: str,
    run_id: str,
    warnings: Sequence[str],
    targets: Sequence[Mapping[str, Any]],
    lists: pd.DataFrame,
    weeks: Mapping[str, Sequence[tuple[datetime, int]]],
) -> str:
    """Return the page; texts of the data are escaped by the template."""
    named = table_words(say)
    return render_template(
        "watch.html.j2",
        style="watch.css",
        say=say,
        source=one_line(source, 40),
        date=say.date(date),
        run=run_id[:12],
        warnings=warnings,
        targets=[_told(say, one, lists[lists["target"] == one["target"]]) for one in targets],
        events=[(named.get(name, name), svg) for name, found in weeks.items() if (svg := _line(say, found, say("New events a week")))],
    )


def _told(say: Words, one: Mapping[str, Any], lists: pd.DataFrame) -> dict[str, Any]:
    shown = lists.sort_values("cutoff", kind="stable")
    rate = shown.assign(rate=shown["expected"] / shown["customers"], came=shown["outcomes"] / shown["customers"])
    curves = {say("Chances said"): ("s2", "rate"), say("What came"): ("s0", "came")}
    first = shown["cutoff"].min()
    points = {
        name: Curve(
            name,
            style,
            [((at - first).days, float(value)) for at, value in zip(rate["cutoff"], rate[column], strict=True) if is_known(value)],
        )
        for name, (style, column) in curves.items()
    }
    svg = (
        curves_svg(
            list(points.values()),
            one["title"],
            ("", say("Share of customers")),
            (_dates(say, first), lambda share: say.percent(share, 1)),
            width=WIDE,
        )
        if len(shown)
        else ""
    )
    agreed = one["agreement"]
    agreement = say("People decided on {n} proposals, against {against} of them.", n=agreed["decided"], against=agreed["against"])
    return {
        **one,
        "svg": svg,
        "rows": [_row(say, row) for row in shown.tail(24).to_dict("records")],
        "agreement": agreement if agreed["decided"] else "",
    }


def _row(say: Words, row: Mapping[str, Any]) -> dict[str, str]:
    closed = is_known(row["hits"])
    return {
        "day": say.date(row["cutoff"]),
        "listed": say.number(row["listed"]),
        "said": say.number(row["expected_hits"], 1),
        "came": say.number(row["hits"]) if closed else say("open until {date}", date=say.date(row["closes"])),
        "all": say.number(row["outcomes"]) if closed else "",
        "warned": "!" if row["warned"] else "",
    }


def _line(say: Words, found: Sequence[tuple[datetime, int]], label: str) -> str:
    first = found[0][0]
    curve = Curve(label, "s0", [((at - first).days, float(count)) for at, count in found])
    return curves_svg([curve], label, ("", ""), (_dates(say, first), say.number), width=WIDE, height=220)


def _dates(say: Words, first: Any) -> Any:
    return lambda days: say.date(first + pd.Timedelta(days=round(days)))

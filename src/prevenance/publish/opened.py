"""What a row opens to, ready to stand on a page: parts by name, every value a text (or a list of texts).

The page writes the parts of the first rows into the table and those of the others into a block that the browser unfolds; both say the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.publish import cells
from prevenance.publish.cells import TEXT_LENGTH, Row, View, one_line, row_details, sparkline
from prevenance.publish.header import target_words
from prevenance.publish.wording import is_known
from prevenance.targets.target import TargetWords
from prevenance.words import Words

Parts = dict[str, Any]

CHART = (336, 84)
"""Width and height of the line of twelve weeks, without its margins."""
BAR = 60
"""Length of the longest bar beside a reason."""
LONG = 1200
"""Characters of a note or draft that a page shows."""
MARKS = {"contact": "●", "ticket": "▲", "renewal": "◆"}

PART_KINDS = {
    "changed": "lines",
    "reasons": "points",
    "holds": "points",
    "context": "points",
    "unknown": "lines",
    "weeks": "chart",
    "timeline": "days",
    "waits": "lines",
    "similar": "lines",
    "worth": "lines",
    "note": "copy",
    "draft": "copy",
}
"""Part -> how it is drawn, in the order of the page."""


def story_parts(say: Words, row: Row, view: View) -> Parts:
    """Return part -> its content for one row; parts with nothing to say are absent."""
    told = row_details(row)
    most = max(
        (abs(one["points"]) for key in ("reasons", "holds", "context") for one in told.get(key) or [] if is_known(one.get("points"))),
        default=0.0,
    )
    parts: Parts = {
        "changed": [*_moved(say, row, told), *_changed(say, told.get("changed") or {})],
        "reasons": _points(say, told.get("reasons"), most) or [["", "", text] for text in cells.reason_texts(row)],
        "holds": _points(say, told.get("holds"), most) or [["", "", text] for text in cells.reason_texts(row, "holds")],
        "context": _points(say, told.get("context"), most),
        "unknown": [text for one in told.get("unknown") or [] if (text := one_line(one, TEXT_LENGTH))] + _no_score(say, row),
        "weeks": _chart(say, told),
        "timeline": [_day(say, one, view) for one in told.get("timeline") or []],
        "waits": [text for one in told.get("waits") or [] if (text := one_line(one, TEXT_LENGTH))],
        "similar": _similar(say, told.get("similar") or {}, target_words(view)),
        "worth": [*_worth(say, row, view), *([one_line(row["left_out"], LONG)] if row.get("left_out") else [])],
        "note": one_line(told.get("note") or "", LONG),
        "draft": "\n".join(one_line(one, LONG) for one in str(told.get("draft") or row.get("draft") or "")[: 2 * LONG].splitlines()),
    }
    return {key: parts[key] for key in PART_KINDS if parts[key]}


def _points(say: Words, told: Sequence[Mapping[str, Any]] | None, most: float) -> list[list[str]]:
    """Return [points, length of its bar, text] for each reason."""
    found = []
    for one in told or []:
        moved = one.get("points")
        length = str(max(1, round(BAR * abs(moved) / most))) if is_known(moved) and most else ""
        found.append([cells.points_text(say, moved) if is_known(moved) else "", length, one_line(one.get("text") or "", TEXT_LENGTH)])
    return [one for one in found if one[2]]


def _changed(say: Words, told: Mapping[str, Any]) -> list[str]:
    if not is_known(told.get("points")):
        return []
    shares = {
        "data": say("new facts {points}", points=cells.points_text(say, told["data"])) if is_known(told.get("data")) else "",
        "model": say("another model {points}", points=cells.points_text(say, told["model"])) if told.get("model") else "",
        "calibration": say("its calibration {points}", points=cells.points_text(say, told["calibration"]))
        if told.get("calibration")
        else "",
    }
    parts = ", ".join(text for text in shares.values() if text)
    points = cells.points_text(say, told["points"])
    first = say("{points} points: {parts}.", points=points, parts=parts) if parts else say("{points} points.", points=points)
    return [first, *(text for one in told.get("facts") or [] if (text := one_line(one, TEXT_LENGTH)))]


def _moved(say: Words, row: Row, told: Mapping[str, Any]) -> list[str]:
    """Return why the chance moved within 28 days, one line; nothing for one that is steady."""
    facts = "; ".join(one_line(text, TEXT_LENGTH) for text in told.get("moved") or [])
    if not facts or not is_known(row.get("change_28d")):
        return []
    return [say("{points} points in 28 days: {facts}.", points=cells.points_text(say, row["change_28d"], 0), facts=facts)]


def _no_score(say: Words, row: Row) -> list[str]:
    return [] if is_known(row.get("score")) else [say("The chance itself: there is not enough to judge by. No data is not a good sign.")]


def _chart(say: Words, told: Mapping[str, Any]) -> Parts:
    """Return the geometry of the line of twelve weeks and its words; empty without two known weeks."""
    weeks = list(told.get("weeks") or [])
    if sum(is_known(value) for value in weeks) < 2:
        return {}
    width, height = CHART
    most = cells.sparkline_top(weeks)
    path, last = sparkline(weeks, width=width, height=height, most=most)
    step = width / (len(weeks) - 1)
    marks = [one for one in told.get("marks") or [] if is_known(one.get("week")) and 0 <= one["week"] < len(weeks)]
    values = [value for value in weeks if is_known(value)]
    return {
        "path": path,
        "last": [str(number) for number in last or (0, 0)],
        "top": say.percent(most),
        "now": say.percent(values[-1]),
        "said": say("From {before} to {now} within 12 weeks", before=say.percent(values[0]), now=say.percent(values[-1])),
        "marks": [
            [str(round(one["week"] * step)), MARKS.get(str(one.get("kind")), "●"), one_line(one.get("text") or "", 60)] for one in marks
        ],
    }


def _day(say: Words, one: Mapping[str, Any], view: View) -> list[str]:
    """Return [date, shape, text] of a day of the history."""
    text = one_line(one.get("text") or one.get("kind") or "", TEXT_LENGTH)
    return [say.date(str(one.get("on") or ""), beside=view.get("cutoff")), MARKS.get(str(one.get("kind")), "○"), text]


def _similar(say: Words, told: Mapping[str, Any], words: TargetWords) -> list[str]:
    n, outcome = told.get("n"), told.get("outcome")
    if not is_known(n) or not n or not is_known(outcome):
        return []
    first = say(words.similar, n=n, outcome=outcome)
    return [first, *([one_line(told["text"], TEXT_LENGTH)] if told.get("text") else [])]


def _worth(say: Words, row: Row, view: View) -> list[str]:
    assumed, score, value = view.get("assumed") or {}, row.get("score"), row.get("value_at_stake")
    if not is_known(row.get("expected_value")) or not is_known(assumed.get("share")) or not is_known(score) or not is_known(value):
        return []
    currency = str(view.get("currency") or "")
    sum_ = say(
        "{worth} expected: {chance} × {value} at stake × {share} that a contact changes − {cost} a contact costs.",
        worth=say.money(row["expected_value"], currency),
        chance=say.percent(score),
        value=say.money(value, currency),
        share=say.percent(assumed["share"]),
        cost=say.money(assumed.get("cost") or 0, currency),
    )
    above = [one_line(row["why_above"], TEXT_LENGTH)] if row.get("why_above") else []
    return [sum_, *above]

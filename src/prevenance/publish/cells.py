"""The cells of a ranked row as people read them: frequency before percent, a word and a shape beside every colour.

Every function takes ``say`` (who speaks the page's language) and plain values of a view; what is not known is said to be unknown, never nought.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.publish.wording import is_known, one_line
from prevenance.words import DASH, Words, chances

Row = Mapping[str, Any]
View = Mapping[str, Any]

NAME_LENGTH = 80
"""Characters of a name that a page shows."""
TEXT_LENGTH = 240
"""Characters of any other text from a view that a page shows."""
STEADY = 5.0
"""Percentage points of change that are steady at least; half the band of the chance where that is more."""
NEAR_DAYS = 90
SMALL = (90, 20)
"""Width and height of the small line in a row."""
SHAPES = {
    "new": "◆",
    "open": "○",
    "snoozed": "◔",
    "too_late": "✕",
    "not_enough_data": "?",
    "holdout": "◇",
    "escalated": "!",
    "in_trouble": "!",
    "beyond_capacity": "·",
    "below_floor": "·",
}
GROUPS_APART = ("in_trouble", "holdout", "escalated", "snoozed", "too_late", "not_enough_data", "beyond_capacity", "below_floor")
"""The groups below the list, in their order on the page."""


def group_of(row: Row) -> str:
    """Return where a row stands: ``listed``, or one of ``GROUPS_APART``."""
    if is_known(row.get("rank")):
        return "listed"
    told = str(row.get("apart") or "")
    if told in GROUPS_APART:
        return told
    # Lists of earlier versions have no ``apart``: there the arm or the state says it.
    return next((name for name in (row.get("arm"), row.get("state")) if name in GROUPS_APART), "beyond_capacity")


def row_details(row: Row) -> Mapping[str, Any]:
    """Return what is known of a row besides its columns; empty if nothing is."""
    return row.get("details") or {}


def customer_name(row: Row) -> str:
    """Return what a customer is called: the name, or else the id."""
    return one_line(row.get("name") or "", NAME_LENGTH) or one_line(row.get("customer_id") or "", NAME_LENGTH) or DASH


def name_details(row: Row, say: Words) -> str:
    """Return the line under a name: segment, owner, and the product of an offer."""
    parts = [one_line(row[key], 40) for key in ("list", "product", "segment", "owner") if row.get(key)]
    return " · ".join(parts) or say("no owner")


def chance_text(say: Words, share: Any) -> str:
    """Return a chance as a frequency: ``about 4 in 10``."""
    return chances.frequency_text(say, share) if is_known(share) else say("not enough data")


def likely_text(say: Words, row: Row) -> str:
    """Return the percent behind a frequency with its 90 % interval: ``41 %, likely 30–52``."""
    score, low, high = (row.get(key) for key in ("score", "score_low", "score_high"))
    if not is_known(score):
        return ""
    # Below one percent whole numbers would print 0 or 1 %, and neither is true.
    places = 1 if score < 0.0095 else 0
    text = say.percent(score, places)
    if not is_known(low) or not is_known(high):
        return text
    return say("{percent}, likely {low}–{high}", percent=text, low=say.number(low * 100, places), high=say.number(high * 100, places))


def trend_cell(say: Words, row: Row) -> dict[str, str]:
    """Return the change over 28 days: ``kind`` (up, down, flat or none), its shape, the points, a word and ``why`` it moved.

    A move that no visible fact explains has the kind ``flat``: it is told, and not coloured as good or bad.
    """
    change = row.get("change_28d")
    if not is_known(change):
        word = say("no earlier chance") if is_known(row.get("score")) else ""
        return {"kind": "none", "shape": "", "points": "", "word": word, "why": ""}
    if abs(change) <= _noise(row):
        return {"kind": "flat", "shape": "▬", "points": "", "word": say("steady"), "why": ""}
    told = row_details(row).get("moved")
    why = one_line(told[0], TEXT_LENGTH) if told else ""
    kind, shape, word = ("up", "▲", say("rising")) if change > 0 else ("down", "▼", say("falling"))
    return {"kind": "flat" if told == [] else kind, "shape": shape, "points": points_text(say, change, 0), "word": word, "why": why}


def is_rising(row: Row) -> bool:
    """Return whether a chance rose by more than its noise: what the row calls rising."""
    change = row.get("change_28d")
    return is_known(change) and change > _noise(row)


def _noise(row: Row) -> float:
    low, high = row.get("score_low"), row.get("score_high")
    return max(STEADY, 50 * (high - low)) if is_known(low) and is_known(high) else STEADY


def points_text(say: Words, value: Any, places: int = 1) -> str:
    """Return percentage points with their sign, the true minus included."""
    # A hyphen may end a line and is read aloud as one.
    return say.number(value, places, signed=True).replace("-", "−")


def reason_texts(row: Row, side: str = "reasons") -> list[str]:
    """Return the texts of a row's reasons, or (``side`` "holds") of what holds the customer, strongest first."""
    found = [one.get("text") for one in row_details(row).get(side) or []] or str(row.get(side) or "").split("; ")
    return [text for one in found if one and (text := one_line(one, TEXT_LENGTH))]


def stake_texts(say: Words, row: Row, currency: str) -> tuple[str, str]:
    """Return the money at stake and what of it is expected to go (or to come): two texts, empty if unknown."""
    value, score = row.get("value_at_stake"), row.get("score")
    if not is_known(value):
        return "", ""
    return say.money(value, currency), say.money(value * score, currency) if is_known(score) else ""


def date_and_distance(say: Words, cutoff: str, day: Any) -> tuple[str, str]:
    """Return a date and how far it is from the cutoff: ``12 Dec`` and ``in 68 days``; two empty texts if there is none."""
    apart = days_until(say, cutoff, day)
    if apart is None:
        return "", ""
    # "in 0 days" is nothing that a person would say.
    if apart == 0:
        return say.date(str(day), beside=cutoff), say("today")
    far = say.many("in {n} day", "in {n} days", apart) if apart > 0 else say.many("{n} day ago", "{n} days ago", -apart)
    return say.date(str(day), beside=cutoff), far


def days_until(say: Words, cutoff: str, day: Any) -> int | None:
    """Return the days from the cutoff's date to ``day`` (negative if it is past); ``None`` if there is no such date."""
    try:
        until, since = say.day(str(day)), say.day(cutoff)
    except ValueError:
        return None
    return (until - since).days if until and since else None


def is_near(say: Words, cutoff: str, day: Any) -> bool:
    """Return whether a date lies within the next 90 days: beyond them the date alone is told."""
    apart = days_until(say, cutoff, day)
    return apart is not None and 0 <= apart <= NEAR_DAYS


def contact_texts(say: Words, cutoff: str, row: Row) -> tuple[str, str]:
    """Return the last contact (what it was stands in the history) and the next one: ``47 days ago`` and ``next 8 Oct``."""
    told = row_details(row)
    _, ago = date_and_distance(say, cutoff, told.get("last_contact"))
    # A source that tells of no contacts says nothing of them, which is not "no contact yet".
    last = ago or (say("no contact yet") if "last_contact" in told else "")
    day, _ = date_and_distance(say, cutoff, told.get("next_contact"))
    return last, say("next {date}", date=day) if day else ""


def table_words(say: Words) -> dict[str, str]:
    """Return what the tables, and so the families of reasons and the sources, are called."""
    return {
        "customers": say("customers"),
        "subscriptions": say("contracts"),
        "usage": say("use"),
        "tickets": say("tickets"),
        "invoices": say("invoices"),
        "feedback": say("feedback"),
        "purchases": say("purchases"),
        "contacts": say("contacts"),
        "consents": say("consents"),
        "products": say("products"),
        "releases": say("releases"),
    }


def state_cell(say: Words, row: Row) -> dict[str, str]:
    """Return a row's state: ``kind``, its shape, the word, and what else is to say of it (moved, woken, until when)."""
    place = group_of(row)
    kind = str(row.get("state") or "open") if place in ("listed", "beyond_capacity") else place
    kind = kind if kind in SHAPES else "open"
    return {"kind": kind, "shape": SHAPES[kind], "word": state_words(say)[kind], "more": " · ".join(_more(say, row, kind))}


def state_words(say: Words) -> dict[str, str]:
    """Return what the states of a row are called."""
    return {
        "new": say("New"),
        "open": say("Open"),
        "snoozed": say("Snoozed"),
        "too_late": say("Too late"),
        "not_enough_data": say("Not enough data"),
        "holdout": say("Hold-out"),
        "escalated": say("Escalated"),
        "beyond_capacity": say("Below the line"),
        "below_floor": say("Hardly likelier than usual"),
        "in_trouble": say("No offer now"),
    }


def _more(say: Words, row: Row, kind: str) -> list[str]:
    found = [one_line(row["apart_why"], TEXT_LENGTH)] if row.get("apart_why") else []
    if kind == "snoozed" and row.get("apart_until"):
        found.append(say("until {date}", date=say.date(str(row["apart_until"]), beside=str(row.get("cutoff") or "") or None)))
    if is_known(row.get("woken_points")):
        found.append(say("woken: {points} points", points=points_text(say, row["woken_points"], 0)))
    moved, _, places = str(row.get("moved") or "").partition(" ")
    if moved in ("up", "down") and places.isdigit():
        found.append(say("up {n}", n=int(places)) if moved == "up" else say("down {n}", n=int(places)))
    return found


def sparkline(weeks: Sequence[Any], *, width: int, height: int, most: float) -> tuple[str, tuple[int, int] | None]:
    """Return twelve chances as an SVG path from nought (bottom) to ``most`` (top), and where the last one stands.

    A week without a chance is a gap. The newest week is at the right edge; coordinates are whole numbers.
    """
    step = width / max(len(weeks) - 1, 1)
    path, pen, last = [], "M", None
    for place, value in enumerate(weeks):
        if not is_known(value):
            pen = "M"
            continue
        last = (round(place * step), round(height - height * min(value / most, 1.0)))
        path.append(f"{pen}{last[0]} {last[1]}")
        pen = "L"
    return "".join(path), last


def sparkline_top(weeks: Sequence[Any]) -> float:
    """Return the chance at the top of a line: its own highest, but never so little that noise looks like a mountain."""
    return max([0.2, *(value for value in weeks if is_known(value))])


def small_line(row: Row) -> tuple[str, tuple[int, int] | None]:
    """Return the ``sparkline`` within a row; without two known weeks it has no path."""
    weeks = list(row_details(row).get("weeks") or [])
    path, last = sparkline(weeks, width=SMALL[0], height=SMALL[1], most=sparkline_top(weeks))
    return path if sum(map(is_known, weeks)) > 1 else "", last

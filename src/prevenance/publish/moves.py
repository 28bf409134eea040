"""What moved since the last list and who stands apart, as short texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.publish.cells import TEXT_LENGTH, Row, View, one_line, row_details
from prevenance.words import Words


def movement_texts(say: Words, view: View) -> list[str]:
    """Return what moved since the last list and who stands apart: short texts, those of nought left out."""
    return moved_texts(say, view) + apart_texts(say, view)


def moved_texts(say: Words, view: View) -> list[str]:
    """Return who came and who went since the last list; nothing where there is none."""
    told = view.get("moved") or {}
    gone = told.get("gone") or []
    if not told.get("since"):
        return []
    return [f"{say('New')} {say.number(told.get('new') or 0)}", f"{say('Gone')} {say.number(len(gone))}{_gone(say, gone)}"]


def apart_texts(say: Words, view: View) -> list[str]:
    """Return who stands apart and who was left out, counted; those of nought are absent."""
    told = view.get("moved") or {}
    counted = {
        "snoozed": say("Snoozed"),
        "woken": say("Woken early"),
        "not_enough_data": say("Not enough data"),
        "too_late": say("Too late"),
        "holdout": say("Hold-out"),
        "escalated": say("Escalated"),
    }
    return [f"{word} {say.number(told[key])}" for key, word in counted.items() if told.get(key)] + _excluded(say, told)


def move_beside(row: Row, trend: Mapping[str, str], reasons: Sequence[str]) -> str:
    """Return why a chance moved, for a row that tells ``reasons`` already: of one that rose a fact that is none of them, or "".

    ``trend`` is from ``cells.trend_cell``. Of a chance that fell the first fact is told in any case: its reasons do not explain it.
    """
    if not trend["why"] or trend["kind"] != "up":
        return trend["why"]
    told = {text.rpartition(" (")[0] for text in reasons}
    moved = [one_line(text, TEXT_LENGTH) for text in row_details(row).get("moved") or []]
    return next((text for text in moved if text.rpartition(" (")[0] not in told), "")


def _gone(say: Words, gone: list[Any]) -> str:
    said = gone_words(say)
    whys: dict[str, int] = {}
    for one in gone:
        why = str(one.get("why") or "")
        whys[said.get(why, one_line(why.replace("_", " "), 40))] = whys.get(said.get(why, one_line(why.replace("_", " "), 40)), 0) + 1
    return " (" + ", ".join(f"{say.number(n)} {why}" for why, n in whys.items() if why) + ")" if any(whys) else ""


def gone_words(say: Words) -> dict[str, str]:
    """Return why a customer is no longer on the list -> its word."""
    return {
        "recovered": say("recovered"),
        "renewed": say("renewed"),
        "left": say("has left"),
        "contacted": say("contacted"),
        "snoozed": say("snoozed"),
        "opted_out": say("opted out"),
        "overtaken": say("overtaken"),
        "too_late": say("too late"),
        "cooling_down": say("contacted"),
    }


def _excluded(say: Words, told: View) -> list[str]:
    excluded = told.get("excluded") or {}
    names = {"opted_out": say("opted out"), "cooling_down": say("contacted lately")}
    parts = [f"{say.number(excluded[key])} {word}" for key, word in names.items() if excluded.get(key)]
    return [say("Left out: {parts}", parts=", ".join(parts))] if parts else []

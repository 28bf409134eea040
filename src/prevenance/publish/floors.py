"""What bounds a list, told to people: what is left of the week, and the least chance that is worth a contact."""

from collections.abc import Mapping
from typing import Any

from prevenance.publish.cells import View
from prevenance.publish.header import short_number
from prevenance.publish.wording import is_known
from prevenance.words import Words


def bounds_sentence(say: Words, view: View) -> str:
    """Return what was done and is left of this week, and how many stand above the floor where they do not fill it."""
    return " ".join(text for text in (week_sentence(say, view), floor_sentence(say, view)) if text)


def week_sentence(say: Words, view: View) -> str:
    """Return what is left of this week's contacts; that nobody can know it, where neither contacts nor answers are recorded."""
    told = view.get("week") or {}
    if told.get("known") is False:
        return say("What was done this week is not known: neither contacts nor answers are recorded.")
    if not is_known(told.get("done")) or not told["done"]:
        return ""
    if not is_known(told.get("left")):
        return say.many("{n} contact of this week is done.", "{n} contacts of this week are done.", told["done"])
    return say("{left} left of {capacity} this week, {done} done.", left=told["left"], capacity=told["capacity"], done=told["done"])


def floor_sentence(say: Words, view: View) -> str:
    """Return how many stand above the floor, where they are fewer than the capacity; nothing where there is no floor or the list is full."""
    told, listed = view.get("floor") or {}, (view.get("fits") or {}).get("listed")
    if not is_known(told.get("chance")) or view.get("unit") == "hours" or not is_known(listed) or listed >= _room(view):
        return ""
    return say.many(
        "{n} customer stands above a chance of {chance}, {times} times the usual {base}.",
        "{n} customers stand above a chance of {chance}, {times} times the usual {base}.",
        told.get("above") or 0,
        **_numbers(say, told),
    )


def floor_note(say: Words, view: View) -> str:
    """Return why those below the floor stand apart, with the chance that draws it and the base rate."""
    told = view.get("floor") or {}
    if not is_known(told.get("chance")) or not is_known(told.get("base")):
        return ""
    return say("Their chance is below {chance}, {times} times the usual {base}: no reason to call.", **_numbers(say, told))


def _room(view: View) -> float:
    left = (view.get("week") or {}).get("left")
    return left if is_known(left) else view.get("capacity") or 0


def _numbers(say: Words, told: Mapping[str, Any]) -> dict[str, str]:
    return {"chance": say.percent(told["chance"], 1), "times": short_number(say, told["times"]), "base": say.percent(told["base"], 1)}

"""The floor told to people: the least chance that is worth a contact, and how many stand above it."""

from collections.abc import Mapping
from typing import Any

from prevenance.publish.cells import View
from prevenance.publish.header import short_number
from prevenance.publish.wording import is_known
from prevenance.words import Words


def floor_sentence(say: Words, view: View) -> str:
    """Return how many stand above the floor, where they are fewer than the capacity; nothing where there is no floor or the list is full."""
    told, listed = view.get("floor") or {}, (view.get("fits") or {}).get("listed")
    if not is_known(told.get("chance")) or view.get("unit") == "hours" or not is_known(listed) or listed >= (view.get("capacity") or 0):
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


def _numbers(say: Words, told: Mapping[str, Any]) -> dict[str, str]:
    return {"chance": say.percent(told["chance"], 1), "times": short_number(say, told["times"]), "base": say.percent(told["base"], 1)}

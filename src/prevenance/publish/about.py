"""What a spreadsheet says about the list in it: where it comes from, how good the last ones were, and what each column means."""

from collections.abc import Callable
from typing import Any

from prevenance.publish import floors, header, moves
from prevenance.publish.cells import View
from prevenance.publish.wording import one_line
from prevenance.words import Words


def about_lines(say: Words, view: View) -> list[tuple[str, str]]:
    """Return what is told and its text: facts of the list, a blank, then each column's meaning."""
    return [*(one for one in _facts(say, view) if one[1]), ("", ""), *column_meanings(say).items()]


def _facts(say: Words, view: View) -> list[tuple[str, str]]:
    model = view.get("model") or {}
    show: Callable[[Any], str] = lambda value: one_line(value or "", 300)  # noqa: E731
    sources = "; ".join(f"{told} ⚠" if late else told for told, late in header.source_freshness(say, view))
    return [
        (say("List"), header.list_title(say, view)),
        (say("This week"), " ".join([*header.fits_sentences(say, view), floors.bounds_sentence(say, view)]).strip()),
        (say("How good it was"), header.record_sentence(say, view)),
        (say("Changed by a contact"), header.effect_sentence(say, view)),
        (say("Since the last list"), "; ".join(moves.movement_texts(say, view))),
        (say("As of"), show(view.get("cutoff"))),
        (say("Known until"), show(view.get("data_until"))),
        (say("Sources"), sources),
        (say("Run"), show(view.get("run_id"))),
        (say("Model"), " ".join(show(model.get(key)) for key in ("kind", "version") if model.get(key))),
        (say("Customers"), say.number(len(view.get("rows") or []))),
        (say("Notes"), "; ".join(show(one) for one in [view.get("no_model"), *(view.get("messages") or [])] if one)),
    ]


def column_meanings(say: Words) -> dict[str, str]:
    """Return column -> what it says."""
    return {
        "rank": say("Place on the list; empty for those who are not to be worked now"),
        "score": say("Chance of the outcome within the horizon"),
        "score_low, score_high": say("90 % interval of the chance"),
        "change_28d": say("Change of the chance over 28 days, in percentage points"),
        "value_at_stake": say("Money that the outcome would move"),
        "expected_value": say("What a contact is worth: chance × money × share that a contact changes − cost"),
        "reasons, holds": say("What is linked with the outcome, and what speaks against it"),
        "action, act_by": say("What to do, and by when"),
        "arm": say("contact, or holdout: not to be contacted, so that the effect can be measured"),
        "state": say("new, open, snoozed, too_late, not_enough_data or below_floor"),
        "also": say("What else the lists say of the customer this week"),
        "week_done, week_left": say("Contacts of this week done and left: the owner's where hours count, else the team's"),
        "apart": say("Why a customer has no place: the group below the list"),
    }

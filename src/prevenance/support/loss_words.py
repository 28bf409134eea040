"""What the losses and their places are called, and what counts as each."""

from __future__ import annotations

import re

from prevenance.publish.wording import one_line
from prevenance.support.teams import OTHERS
from prevenance.words import Words

SEPARATORS = ("→", "·")
SEPARATED = re.compile(f" ([{''.join(SEPARATORS)}]) ")


def place_name(say: Words, unit: str) -> str:
    """Return what a place is called: a team, two teams with an arrow, a category, or a category and a step."""
    named = [say("other teams") if one == OTHERS else one_line(one, 60) for one in SEPARATED.split(unit)]
    return "".join(f" {one} " if one in SEPARATORS else one for one in named)


def title_text(say: Words, loss: str, unit: str) -> str:
    """Return the loss and its place in a few words."""
    place = place_name(say, unit)
    titles = {
        "hand_off": say("Hand-offs to {place} wait", place=place),
        "unassigned": say("Tickets lie unassigned: {place}", place=place),
        "missing_information": say("Information is missing: {place}", place=place),
        "ping_pong": say("Handed on and handed back: {place}", place=place),
        "double_check": say("Checked twice: {place}", place=place),
        "over_organised": say("Standard cases wait for an approval: {place}", place=place),
        "extra_step": say("A step that equal tickets do without: {place}", place=place),
        "media_break": say("The channel changes: {place}", place=place),
    }
    return titles[loss]


def meaning_text(say: Words, loss: str) -> str:
    """Return what counts as the loss."""
    meanings = {
        "hand_off": say("from handing a ticket on until somebody of the other team takes it up"),
        "unassigned": say("more than 24 hours, eight of them working hours or more, before anybody does anything"),
        "missing_information": say("from asking the customer back until the answer"),
        "ping_pong": say("from handing a ticket on until it is handed back"),
        "double_check": say("from the first check until another team has made it once more"),
        "over_organised": say("from asking for an approval of a plain case until it is given"),
        "extra_step": say("from the step until the next row: work, at most"),
        "media_break": say("from the last row in one channel to the first in another"),
    }
    return meanings[loss]


def plain_name(say: Words, loss: str) -> str:
    """Return what a loss is called within a sentence, without a place."""
    names = {
        "hand_off": say("waiting after hand-offs"),
        "unassigned": say("tickets that lie unassigned"),
        "missing_information": say("missing information"),
        "ping_pong": say("tickets handed back"),
        "double_check": say("double checks"),
        "over_organised": say("approvals of plain cases"),
        "extra_step": say("steps that equal tickets do without"),
        "media_break": say("changes of channel"),
    }
    return names[loss]

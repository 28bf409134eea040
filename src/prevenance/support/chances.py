"""What could be done besides: known trouble, tickets that need nobody, and what customers do after each way of a ticket; as rows of a page."""

from __future__ import annotations

from math import isfinite

from prevenance.publish.wording import is_known, one_line
from prevenance.support.facts import Facts
from prevenance.support.wording import hours_text
from prevenance.words import Words


def trouble_texts(say: Words, facts: Facts, suggested: int) -> list[str]:
    """Return a sentence a category that rose after a release, and how many customers could be told before they call."""
    found = [
        say(
            "{category} on {product} since version {version} ({day}): {n} customers called, usual are {usual} in as many days, {times} times as many ({low} to {high}).",
            category=one_line(one.category, 60),
            product=one_line(one.product_id, 60),
            version=one_line(one.version, 40),
            day=say.date(one.released_at),
            n=one.customers,
            usual=say.number(one.usual, 1),
            times=_times(say, one.ratio[0]),
            low=_times(say, one.ratio[1]),
            high=_times(say, one.ratio[2]),
        )
        for one in facts.losses.trouble
    ]
    if found:
        found.append(
            say.many(
                "{n} customer with the product has not called yet and may be told: suggestions.csv.",
                "{n} customers with the product have not called yet and may be told: suggestions.csv.",
                suggested,
            )
        )
    return found


def _times(say: Words, value: float) -> str:
    return say.number(value, 1) if isfinite(value) else "∞"


def candidate_texts(say: Words, facts: Facts) -> list[dict[str, str]]:
    """Return a row a category of which a rule or a page could answer a part."""
    return [
        {
            "name": one_line(str(one.category), 60),
            "tickets": say.number(one.tickets),
            "uniform": say.percent(int(one.uniform) / int(one.tickets)),
            "answered": say.percent(int(one.answered) / int(one.tickets)),
            "waited": hours_text(say, float(one.waited_hours)),
        }
        for one in facts.losses.candidates.itertuples()
    ]


def journey_texts(say: Words, facts: Facts) -> list[dict[str, str]]:
    """Return a row a way of tickets: how often the customer leaves within 90 days, beside like customers whose tickets went straight through."""
    names = {"reopened": say("came back"), "handed_on": say("handed on"), "asked": say("asked back")}
    return [
        {
            "name": names[str(one.way)],
            "tickets": say.number(one.tickets),
            "customers": say.number(one.customers),
            "share": say.percent(one.share, 1),
            "like": say.percent(one.like, 1),
            "difference": say(
                "{n} points ({low} to {high})",
                n=say.number(100 * float(one.difference), 1, signed=True),
                low=say.number(100 * float(one.low), 1, signed=True),
                high=say.number(100 * float(one.high), 1, signed=True),
            )
            if is_known(one.low)
            else "",
        }
        for one in facts.losses.journey.itertuples()
    ]

"""What a report says in sentences: how long a ticket takes, and what is to be known of the log before its figures are believed."""

from __future__ import annotations

from prevenance.publish.wording import is_known
from prevenance.support.facts import Facts
from prevenance.support.log import MOST_WORDS
from prevenance.support.teams import LEAST_PEOPLE
from prevenance.support.wording import hours_text, long_duration
from prevenance.words import Words


def lead_sentences(say: Words, facts: Facts) -> list[str]:
    """Return what the page says first: how long a ticket takes, and how much of it can be work at most."""
    one = facts.overall
    if not one["tickets"]:
        return [say("Where the days go cannot be told from this log: no ticket in it was resolved.")]
    # a queue whose end the log does not tell may hold work as well
    work = float(facts.parts.set_index("part").loc["work", "seconds"]) + facts.queued[2] / one["tickets"]
    share = work / one["mean"] if one["mean"] else 0.0
    return [
        say(
            "A ticket takes {mean} on average until it is resolved; half of them take less than {median}.",
            mean=long_duration(say, one["mean"]),
            median=long_duration(say, one["median"]),
        ),
        say("At most {work} of that time is work; at least {wait} is waiting.", work=say.percent(share), wait=say.percent(1 - share)),
        say("In working hours it is {mean} on average.", mean=hours_text(say, one["working_mean"] / 3600)),
    ]


def note_sentences(say: Words, facts: Facts) -> list[str]:
    """Return what is to be known of the log before its figures are believed, and what cannot be told from it."""
    counts, cut, _asked = facts.counts, facts.cut, facts.asked
    found = []
    if cut is not None:
        opened = say(
            "The log is cut off: since {day} it has {times} times the usual number of new tickets a week. KPIs of that part are withheld.",
            day=say.date(cut.first),
            times=say.number(cut.times, 1),
        )
        resolved = say(
            "The log is cut off: since {day} it has {times} times the usual number of resolved tickets a week. KPIs of that part are withheld.",
            day=say.date(cut.first),
            times=say.number(cut.times, 1),
        )
        found.append(opened if cut.what == "opened" else resolved)
    if counts.unresolved:
        found.append(
            say.many(
                "{n} ticket is not resolved yet and has no time to resolve.",
                "{n} tickets are not resolved yet and have no time to resolve.",
                counts.unresolved,
            )
        )
    if counts.end_before_start:
        found.append(
            say.many(
                "{n} ticket was resolved before it was opened and is left out.",
                "{n} tickets were resolved before they were opened and are left out.",
                counts.end_before_start,
            )
        )
    if counts.no_opening:
        found.append(
            say.many(
                "{n} ticket has no row that opens it; its time begins with its first row.",
                "{n} tickets have no row that opens them; their time begins with their first row.",
                counts.no_opening,
            )
        )
    if counts.words > MOST_WORDS:
        found.append(say("The source has {n} different words for its steps; the map shows the kinds of its rows instead.", n=counts.words))
    return found + [text for text in _untold(say, facts) if text] + _queues(say, facts)


def _untold(say: Words, facts: Facts) -> list[str]:
    events, lacking = facts.counts.events, set(facts.missing.values())
    told = [
        say("First reply and resolution at the first contact cannot be told from this log: it has no replies.")
        if "replied" in lacking
        else "",
        say("CSAT cannot be told from this log, so it stands beside no time: it has no ratings.") if "rated" in lacking else "",
        say("Which tickets were reopened cannot be told from this log.") if "reopened" in lacking else "",
        say("How many hands a ticket passes through cannot be told from this log: it does not say who had it.")
        if "hand" in lacking
        else "",
        say("Which tickets reach the last level cannot be told: support.levels does not say which team is which level.")
        if "level" in lacking
        else "",
    ]
    if events.get("waiting") and not events.get("asked"):
        told.append(say("For whom a ticket waits cannot be told from this log: its waits are other waits, not questions to the customer."))
    if "team" not in facts.groups:
        told.append(
            say(
                "Teams are not told apart: only teams whose size is known (support.team_sizes) to be {n} people or more are.",
                n=LEAST_PEOPLE,
            )
        )
    return told


def _queues(say: Words, facts: Facts) -> list[str]:
    waits, without_end, _ = facts.queued
    if not without_end:
        return []
    return [
        say(
            "Queues are upper bounds as well: of {n} waits in a queue, {open} ended without a row that says who took the ticket up, and hold the work that followed.",
            n=waits,
            open=without_end,
        )
    ]


def beside_texts(say: Words, facts: Facts) -> list[str]:
    """Return what stands beside every time: how many tickets, rating, reopenings, first solution, closing."""
    one = facts.overall
    if not one["tickets"]:
        return []
    found = [say.many("{n} resolved ticket", "{n} resolved tickets", int(one["tickets"]))]
    found.append(say("CSAT {score}", score=say.number(one["csat"], 2)) if is_known(one["csat"]) else say("CSAT cannot be told"))
    if "reopened" not in facts.missing:
        found.append(say("{share} reopened", share=say.percent(one["reopened"], 1)))
    found.append(say("first solution after {median} (median)", median=long_duration(say, one["first_median"])))
    if is_known(one["closing_median"]):
        found.append(say("closed {median} after that (median), which is nobody's wait", median=long_duration(say, one["closing_median"])))
    return found

"""The statement of effect: what was drawn, what was done, the difference, the share, the next look, the meter, and what was saved, or that it is not shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prevenance.proof.compared import arm_names, compared_notes, compared_sentences
from prevenance.proof.effect import wilson_span
from prevenance.proof.experiment import BELOW, CROSSED, Look
from prevenance.proof.page import Section, interval_svg
from prevenance.proof.stated import Statement
from prevenance.publish.wording import is_known
from prevenance.words import DASH, Words

LONGEST = 520
"""Weeks from which an answer is out of reach."""
UNLIKE = 0.001
"""A difference of the arms before any contact that luck gives less often than this is told."""


def lead_sentences(say: Words, one: Statement) -> list[str]:
    """Return the statement in words: the difference that a planned look has shown, or that none has; the next look; the meter."""
    if one.compared:
        return compared_sentences(say, one)
    told, by = one.verdict, one.verdict.by
    title, share, used = say(one.title), say.percent(one.plan.share), say.percent(told.share, 1)
    if told.share_from == "measured" and by is not None:
        value, low, high = (say.number(abs(by.difference[0]) * 100, 1), *(say.number(each * 100, 1) for each in by.difference[1:]))
        more = (by.difference[0] > 0) == one.plan.gain
        which = (
            say(
                "{title}: shown on {date}. Of 100 contacted {value} more had the outcome than of 100 left alone.",
                title=title,
                date=say.date(by.at),
                value=value,
            )
            if more
            else say(
                "{title}: shown on {date}. Of 100 contacted {value} fewer had the outcome than of 100 left alone.",
                title=title,
                date=say.date(by.at),
                value=value,
            )
        )
        found = [which, say("The gain lies between {low} and {high} of 100.", low=low, high=high)]
    elif told.share_from == "replaced":
        found = [
            say("{title}: surely less than the assumed {share}. The lists now count with {used}.", title=title, share=share, used=used)
        ]
    else:
        found = [
            say("{title}: not shown yet whether contacts help. The lists count with {share}, which is assumed.", title=title, share=share)
        ]
    meter, had, needed = one.meter, int(one.meter["had_held"]), int(one.meter["needed_held"])
    found.append(say("Left alone with a known outcome: {had} customers; {needed} are needed.", had=had, needed=needed))
    found += [say("Next look: {date}.", date=say.date(told.next_look))] if told.next_look else []
    weeks = one.ways["weeks"].iloc[0] if len(one.ways) else math.inf
    if had < needed and math.isfinite(weeks) and meter["power"] < one.plan.power:
        never = say("At this pace an answer takes more than ten years: below stands what would shorten it.")
        found.append(
            never if weeks > LONGEST else say("At this pace an answer takes about {n} weeks from the first draw.", n=math.ceil(weeks))
        )
    return found


def note_sentences(say: Words, one: Statement) -> list[str]:
    """Return what is to be known before the figures are believed."""
    if one.compared:
        return [*compared_notes(say), *_apart_notes(say, one)]
    found = [
        say("Analysed as drawn: who was drawn to be left alone counts there, contacted or not."),
        say(
            "Intervals at a planned look are as wide as O'Brien and Fleming ask for {n} {n:look|looks}; a look in between is 95 % and decides nothing.",
            n=one.plan.looks,
        ),
        say(
            "The draw was made near the capacity line. What it shows holds there; for customers higher up the list it is an extrapolation."
        ),
    ]
    return found + _apart_notes(say, one)


def _apart_notes(say: Words, one: Statement) -> list[str]:
    """Return what is in no figure, and where the arms differed before any contact."""
    found: list[str] = []
    other, erased, opposed = (one.left_out.get(name, 0) for name in ("other_key", "erased", "opted_out"))
    found += (
        [say("{n} {n:draw was|draws were} made with another key, or with the public one, and {n:counts|count} nowhere.", n=other)]
        if other
        else []
    )
    found += [say("{n} {n:row|rows} of erased customers {n:is|are} in no figure.", n=erased)] if erased else []
    found += [say("{n} {n:row|rows} of customers who have opted out since {n:is|are} in no figure.", n=opposed)] if opposed else []
    if unlike := sorted({_what(say, row["what"]) for row in one.balance.to_dict("records") if row["p"] < UNLIKE}):
        names = ", ".join(unlike)
        found.append(
            say("The arms differ before any contact, more than luck explains: {what}. Look at how the lists were worked.", what=names)
        )
    return found


def statement_sections(say: Words, one: Statement, called: str = "") -> list[Section]:
    """Return the parts of the page: looks, arms, share and money, ways to an answer, balance; each title begins with ``called``."""
    looks = [*one.verdict.looks, one.verdict.now]
    shown = [look for look in looks if is_known(look.difference[1])]
    most = max([0.01, *(abs(value) for look in shown for value in look.difference)])
    rows = [(_look_name(say, look), *look.difference) for look in shown]
    ours, theirs = arm_names(say, one)
    label = say("Difference between the two arms, with its interval, by look")
    picture = interval_svg(label, rows, -most, most, 0.0) if rows else ""
    head = (
        say("Look"),
        ours,
        theirs,
        say("Difference"),
        say("Interval"),
        say("Share of the outcomes"),
        say("Interval"),
        say("What it shows"),
    )
    found = [Section(say("What the looks show"), label + ".", head, [_look_row(say, look) for look in looks], picture)]
    found.append(_arms(say, one))
    found += [] if one.compared else [_money(say, one)]
    needed = (say("Way to an answer"), say("{arm}, needed", arm=ours), say("{arm}, needed", arm=theirs), say("Weeks to an answer"))
    told = [
        (way_name(say, row["way"]), say.number(row["needed_held"]), say.number(row["needed_contact"]), _weeks(say, row["weeks"]))
        for row in one.ways.to_dict("records")
    ]
    share, rate, power = say.percent(one.plan.share), say.percent(one.rate, 1), say.percent(one.plan.power)
    about = say("To see a contact that changes {share} of a rate of {rate} with {power} probability:", share=share, rate=rate, power=power)
    if one.compared:
        about = say(
            "To see that one way changes {share} of a rate of {rate} with {power} probability:", share=share, rate=rate, power=power
        )
    found.append(Section(say("How long an answer takes"), about, needed, told))
    before = (say("Before any contact"), ours, theirs, say("How often luck gives more"))
    kept = [
        (_what(say, row["what"]), _amount(say, row, "held"), _amount(say, row, "contact"), say.percent(row["p"], 1))
        for row in one.balance.to_dict("records")
    ]
    found.append(Section(say("Are the arms alike?"), head=before, rows=kept))
    named = f"{called} · " if called else ""
    return [replace(section, title=named + section.title) for section in found if section.rows]


def _look_name(say: Words, look: Look) -> str:
    if look.number is None:
        return say("{date}, not planned", date=say.date(look.at))
    return say("{n}: {date}", n=look.number, date=say.date(look.at))


def _look_row(say: Words, look: Look) -> tuple[str, ...]:
    arms = (
        f"{say.percent(arm.rate, 1)} ({say.number(arm.outcomes)}/{say.number(arm.customers)})" if arm.customers else DASH
        for arm in (look.held, look.contact)
    )
    found = (
        {CROSSED: say("shown"), BELOW: say("less than assumed"), "not_shown": say("not shown yet")}[look.found]
        if look.number
        else say("decides nothing")
    )
    difference = (_signed(say, look.difference[0], 1), _between(say, look.difference))
    return (_look_name(say, look), *arms, *difference, _signed(say, look.share[0], 0), _between(say, look.share, 0), found)


def _between(say: Words, span: tuple[float, float, float], places: int = 1) -> str:
    known = is_known(span[1]) and is_known(span[2])
    return f"{_signed(say, span[1], places)} – {_signed(say, span[2], places)}" if known else DASH


def _signed(say: Words, value: float, places: int) -> str:
    """Return a share with a true minus: a hyphen beside the dash of an interval reads like another dash."""
    return say.percent(value, places).replace("-", "−")


def _arms(say: Words, one: Statement) -> Section:
    now = one.verdict.now
    rows = []
    ours, theirs = arm_names(say, one)
    for name, arm, contacted in ((ours, now.held, now.contacted_held), (theirs, now.contact, now.contacted_contact)):
        low, high = wilson_span(arm) if arm.customers else (math.nan, math.nan)
        rows.append(
            (
                name,
                say.number(arm.units),
                say.number(arm.customers),
                say.number(arm.outcomes),
                _between(say, (arm.rate, low, high)),
                say.percent(contacted),
            )
        )
    untold = say("Effect of a contact itself, where the draw decided it: cannot be told yet.")
    about = (
        untold
        if not is_known(now.itself[1])
        else say(
            "Effect of a contact itself, where the draw decided it: {value} ({between}).",
            value=_signed(say, now.itself[0], 1),
            between=_between(say, now.itself),
        )
    )
    done = say("Were worked the second way") if one.compared else say("Were contacted")
    about = "" if one.compared else about
    head = (say("As drawn"), say("Units"), say("Customers, window closed"), say("Outcomes"), say("95 % interval"), done)
    return Section(say("What was drawn, and what was done"), about, head, rows)


def _money(say: Words, one: Statement) -> Section:
    told, by = one.verdict, one.verdict.by
    saved = say("not shown yet")
    if by is not None and told.share_from == "measured":
        saved = f"{say.money(by.saved[0], one.currency)} – {say.money(by.saved[1], one.currency)}"
    where = {"assumed": say("assumed"), "measured": say("measured"), "replaced": say("measured: less than assumed")}[told.share_from]
    rows = [
        (say("Share that a contact changes, as the lists count with it"), f"{say.percent(told.share, 1)}, {where}"),
        (say("Money saved among those contacted in the experiment"), saved),
    ]
    return Section(say("What it is worth"), head=(say("Figure"), say("Value")), rows=rows)


def _weeks(say: Words, weeks: float) -> str:
    return say.number(math.ceil(weeks)) if weeks <= LONGEST else say("more than ten years")


def _what(say: Words, what: str) -> str:
    names = {"score": say("Chance"), "value_at_stake": say("At stake")}
    return names.get(what) or say("Segment: {name}", name=what.partition("=")[2] or say("unknown"))


def _amount(say: Words, row: Mapping[str, Any], arm: str) -> str:
    return say.number(row[arm]) if row["what"] == "value_at_stake" else say.percent(row[arm], 1)


def way_name(say: Words, way: str) -> str:
    """Return what a way to an answer is called."""
    return {
        "as_set": say("As it is set"),
        "larger_share": say("Leave alone half of those near the line"),
        "wider_band": say("A band twice as wide"),
        "both": say("Both"),
        "pooled": say("All targets of the source together"),
        "action_or_timing": say(
            "Draw the action or the week instead: everybody is contacted, the difference between two actions is as large as assumed"
        ),
    }[way]

"""Findings as cards of a page, and as rows of ``findings.json``: what, how often, hours, customers and revenue, a reference, what would change."""

from __future__ import annotations

from prevenance.publish.wording import is_known, one_line
from prevenance.support.facts import Facts
from prevenance.support.finding import Finding, Measured, Promise
from prevenance.support.loss_words import meaning_text, plain_name, title_text
from prevenance.support.lost import QUARTER
from prevenance.support.whatif import kept_reason
from prevenance.support.wording import duration_figure, hours_text
from prevenance.words import Words

SHOWN = 8
"""Findings that are shown as cards; findings.json has all."""


def _often(say: Words, one: Finding) -> str:
    lately = one.beside == "quarter"
    if one.waits:
        if lately:
            return say(
                "{n} hand-offs of the last {days} days wait {own} on average, those of the {days} days before {reference}.",
                n=one.chances, days=QUARTER, own=hours_text(say, one.own), reference=hours_text(say, one.reference),
            )  # fmt: skip
        return say(
            "{n} hand-offs wait {own} on average, those to other teams {reference}.",
            n=one.chances,
            own=hours_text(say, one.own),
            reference=hours_text(say, one.reference),
        )
    told = {
        "n": say.number(one.times),
        "m": say.number(one.chances),
        "share": say.percent(one.share[0]),
        "low": say.percent(one.share[1]),
        "high": say.percent(one.share[2]),
        "reference": say.percent(one.reference),
    }
    if lately:
        told |= {"days": say.number(QUARTER)}
        if one.of == "hand-off":
            return say(
                "{n} of {m} hand-offs of the last {days} days: {share} ({low} to {high}); in the {days} days before {reference}.", **told
            )
        return say("{n} of {m} tickets of the last {days} days: {share} ({low} to {high}); in the {days} days before {reference}.", **told)
    if one.of == "hand-off":
        return say("{n} of {m} hand-offs: {share} ({low} to {high}); between other teams {reference}.", **told)
    if one.beside == "fast":
        return say("{n} of {m} tickets: {share} ({low} to {high}); the fast third of them {reference}.", **told)
    return say("{n} of {m} tickets: {share} ({low} to {high}); elsewhere {reference}.", **told)


def _cost(say: Words, one: Finding, days: int) -> str:
    days = QUARTER if one.beside == "quarter" else days
    low, high = (duration_figure(say, max(value, 0)) for value in one.above[1:])
    return say(
        "{value} of working time more than at that level in {days} days ({low} to {high}); {all} in all.",
        value=hours_text(say, max(one.above[0], 0)), days=days, low=low, high=high, all=hours_text(say, one.hours),
    )  # fmt: skip


def _quarters(say: Words, one: Finding) -> str:
    """Return how it stood in the last quarter and in the one before, where it is not told of them already."""
    if one.beside == "quarter" or not all(map(is_known, one.quarters)):
        return ""
    now, before = (hours_text(say, value) if one.waits else say.percent(value) for value in one.quarters)
    return say("In the last {days} days {now}, in the {days} before {before}.", days=QUARTER, now=now, before=before)


def _money(say: Words, one: Finding, facts: Facts) -> str:
    asked = facts.asked
    if one.touches < 1:
        return say("It costs waiting, not work: no wage money.")
    return say(
        "About {touches} extra touches, {money}: assumed are {minutes} minutes each and {cost} an hour. Freed hours are capacity, not cash.",
        touches=say.number(one.touches),
        money=say.money(one.money, asked.currency),
        minutes=say.number(asked.minutes_per_touch),
        cost=say.money(asked.cost_per_hour, asked.currency),
    )


def _behind(say: Words, one: Finding, facts: Facts) -> str:
    found = [say.many("{n} customer behind it", "{n} customers behind it", one.customers)]
    if is_known(one.revenue):
        found.append(say("{money} of revenue a year", money=say.money(one.revenue, facts.asked.currency)))
    if is_known(one.leaving):
        found.append(say("mean chance of leaving {chance}", chance=say.percent(one.leaving, 1)))
    if is_known(one.at_risk):
        found.append(say("{money} at risk", money=say.money(one.at_risk, facts.asked.currency)))
    return " · ".join(found)


def _beside(say: Words, one: Finding) -> str:
    found = []
    if is_known(one.csat[0]) and is_known(one.csat[1]):
        found.append(say("CSAT {own}, without it {others}", own=say.number(one.csat[0], 2), others=say.number(one.csat[1], 2)))
    if one.loss == "over_organised" and is_known(one.reopened[0]):
        found.append(say("none reopened: a reopened ticket is no standard case"))
    elif is_known(one.reopened[0]) and is_known(one.reopened[1]):
        found.append(
            say("reopened {own}, without it {others}", own=say.percent(one.reopened[0], 1), others=say.percent(one.reopened[1], 1))
        )
    return " · ".join(found)


def _change(say: Words, one: Finding, facts: Facts) -> str:
    reason = kept_reason(one, facts.asked.keep)
    if reason is not None:
        reasons = {"compliance": say("compliance"), "safety": say("safety"), "quality": say("quality")}
        return say("This step stays, for {reason}: it can become faster, or be for exceptions only.", reason=reasons[reason])
    told = next((each for each in facts.losses.promises if (each.loss, each.unit) == (one.loss, one.unit)), None)
    if told is None:
        return ""
    return say(
        "What if it were at that level? {low} to {high} of working time less in a quarter of a year (90 % range of replayed tickets, the queues behind kept).",
        low=duration_figure(say, told.quarter_low),
        high=hours_text(say, told.quarter_high),
    )


def effort_text(say: Words, effort: str) -> str:
    """Return how much a remedy is taken to need."""
    return {"now": say("can be done now"), "quarter": say("1 to 3 months"), "half_year": say("3 to 6 months"), "": say("effort not set")}[
        effort
    ]


def effort_of(one: Finding, facts: Facts) -> str:
    """Return the effort that conf sets for a finding, by its name or its loss; empty where it sets none."""
    return facts.asked.effort.get(one.key, facts.asked.effort.get(one.loss, ""))


def finding_cards(say: Words, facts: Facts) -> list[dict[str, str]]:
    """Return a card a finding, the dearest first."""
    return [
        {
            "title": title_text(say, one.loss, one.unit),
            "about": meaning_text(say, one.loss),
            "often": _often(say, one),
            "cost": _cost(say, one, facts.losses.findings.days),
            "quarters": _quarters(say, one),
            "money": _money(say, one, facts),
            "behind": _behind(say, one, facts),
            "beside": _beside(say, one),
            "change": _change(say, one, facts),
            "effort": effort_text(say, effort_of(one, facts)),
            "examples": ", ".join(one_line(ticket, 40) for ticket in one.examples),
        }
        for one in facts.losses.findings.found[:SHOWN]
    ]


def findings_sentence(say: Words, facts: Facts) -> str:
    """Return what was looked at, and how the findings were told from luck."""
    found = facts.losses.findings
    if not found.compared:
        return say(
            "Nothing could be compared among the {tickets} tickets resolved in {days} days: a place needs {least} cases of a loss, and as many to stand beside.",
            tickets=found.tickets, days=found.days, least=facts.asked.least_tickets,
        )  # fmt: skip
    told = say.many("{n} finding", "{n} findings", len(found.found))
    return say(
        "{found} among {compared} comparisons, of the {tickets} tickets resolved in {days} days. A finding lies above its reference, or its own "
        "quarter before, by more than chance explains and by half as much again at least; of what is told, one in twenty may be false.",
        found=told, compared=found.compared, tickets=found.tickets, days=found.days,
    ) + (" " + say("All findings together: {hours}, each stretch of a ticket counted once.", hours=hours_text(say, found.hours)) if found.found else "") + (
        " " + say("The {n} dearest are shown; findings.json has all.", n=SHOWN) if len(found.found) > SHOWN else "")  # fmt: skip


def untold_sentences(say: Words, facts: Facts) -> list[str]:
    """Return the losses that the log cannot tell."""
    missing = [plain_name(say, name) for name in facts.losses.findings.untold]
    return (
        [
            say(
                "Cannot be told from this log, which lacks the rows, the teams or the categories for it: {losses}.",
                losses=", ".join(missing),
            )
        ]
        if missing
        else []
    )


def win_rows(say: Words, facts: Facts) -> list[dict[str, str]]:
    """Return the findings by what they need and what they bring: those that can be done now first."""
    order = {"now": 0, "quarter": 1, "half_year": 2, "": 3}
    kept = [one for one in facts.losses.findings.found if kept_reason(one, facts.asked.keep) is None]
    ranked = sorted(kept, key=lambda one: (order[effort_of(one, facts)], -one.above[0], one.key))
    return [
        {
            "title": title_text(say, one.loss, one.unit),
            "effort": effort_text(say, effort_of(one, facts)),
            "benefit": hours_text(say, one.above[0]),
            "customers": say.number(one.customers),
        }
        for one in ranked[:SHOWN]
    ]


def _estimate(say: Words, told: tuple[float, float, float], name: str) -> dict[str, str]:
    """Return an estimate as ``name``, and its range."""
    if not is_known(told[0]):
        return {name: say("not known"), f"{name}_range": ""}
    low, high = (duration_figure(say, max(value, 0)) if is_known(value) else "" for value in told[1:])
    return {name: hours_text(say, told[0]), f"{name}_range": say("{low} to {high}", low=low, high=high) if low and high else ""}


def promise_rows(say: Words, facts: Facts) -> list[dict[str, str]]:
    """Return a row a promise of an earlier report: what it said, and what was measured since, here and elsewhere."""
    return [_promise_row(say, one) for one in facts.losses.measured]


def _promise_row(say: Words, one: Measured) -> dict[str, str]:
    made: Promise = one.promise
    return {
        "title": title_text(say, made.loss, made.unit),
        "made": say.date(made.cutoff),
        "said": say("{low} to {high} less", low=duration_figure(say, made.low), high=hours_text(say, made.high)),
        **_estimate(say, one.own_before, "before"),
        **_estimate(say, one.own_since, "since"),
        **_estimate(say, one.others_before, "others_before"),
        **_estimate(say, one.others_since, "others_since"),
        "days": say.days(one.days),
    }

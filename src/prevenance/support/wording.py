"""The words of a support report: parts, KPIs, kinds of rows, and how long things take."""

from __future__ import annotations

from prevenance.publish.wording import is_known
from prevenance.words import DASH, Words

HOUR, DAY = 3600.0, 86_400.0


def part_name(say: Words, part: str) -> str:
    """Return what a part of the time to resolve is called."""
    names = {
        "first_queue": say("Queue before the first hand"),
        "work": say("Work, at most"),
        "handoff": say("Hand-off queue"),
        "clarification": say("Waiting for the customer"),
        "approval": say("Waiting for approval"),
        "other_wait": say("Other wait"),
        "queue_again": say("Queue again"),
        "thought_solved": say("Thought solved"),
    }
    return names[part]


def part_meaning(say: Words, part: str) -> str:
    """Return from what to what a part goes."""
    meanings = {
        "first_queue": say("from the opening until somebody of the team does something"),
        "work": say("from any step of the team until the next row: an upper bound, for the log has no start times"),
        "handoff": say("from a transfer or an escalation until the receiving side does something"),
        "clarification": say("from a question to the customer until the answer"),
        "approval": say("from asking for an approval until it is given"),
        "other_wait": say("from a row that says waiting, without saying for whom"),
        "queue_again": say("from the customer's answer, an approval or a reopening until the team does something"),
        "thought_solved": say("from a solution that did not hold until the ticket came back"),
    }
    return meanings[part]


def kpi_name(say: Words, name: str) -> str:
    """Return what a KPI is called."""
    names = {
        "resolve_median": say("Time to resolve, median"),
        "resolve_mean": say("Time to resolve, mean"),
        "resolve_median_working": say("Time to resolve in working hours, median"),
        "resolve_mean_working": say("Time to resolve in working hours, mean"),
        "first_resolve_median": say("Time to the first solution, median"),
        "first_reply_median": say("First reply, median"),
        "first_reply_median_working": say("First reply in working hours, median"),
        "first_contact": say("Resolved at the first contact"),
        "reopened": say("Reopened"),
        "touches": say("Touches per ticket"),
        "several_hands": say("Passed through several hands"),
        "last_level": say("Reached the last level"),
        "csat": say("CSAT, mean"),
    }
    return names[name]


def event_name(say: Words, event: str) -> str:
    """Return what a kind of row is called, where the source has no word for it."""
    names = {
        "opened": say("opened"),
        "assigned": say("assigned"),
        "replied": say("replied"),
        "waiting": say("waiting"),
        "transferred": say("transferred"),
        "escalated": say("escalated"),
        "reopened": say("reopened"),
        "resolved": say("resolved"),
        "closed": say("closed"),
        "rated": say("rated"),
        "other": say("other"),
        "asked": say("customer asked"),
        "answered": say("customer answered"),
        "approval_asked": say("approval asked for"),
        "approval_given": say("approval given"),
        "note": say("note"),
    }
    return names.get(event, event)


def short_duration(say: Words, seconds: float) -> str:
    """Return how long something takes, for a picture: ``40 min``, ``3.1 h``, ``2.6 d``."""
    if not is_known(seconds):
        return DASH
    if seconds < 1.5 * HOUR:
        return say("{n} min", n=say.number(seconds / 60))
    return (
        say("{n} h", n=duration_figure(say, seconds / HOUR)) if seconds < 2 * DAY else say("{n} d", n=duration_figure(say, seconds / DAY))
    )


def long_duration(say: Words, seconds: float) -> str:
    """Return how long something takes, for a sentence: ``40 minutes``, ``3.1 hours``, ``2.6 days``."""
    if not is_known(seconds):
        return DASH
    if seconds < 1.5 * HOUR:
        return say.many("{n} minute", "{n} minutes", round(seconds / 60))
    if seconds < 2 * DAY:
        return say("{n} hours", n=duration_figure(say, seconds / HOUR))
    return say("{figure} days", figure=duration_figure(say, seconds / DAY))


def hours_text(say: Words, hours: float) -> str:
    """Return working hours: ``3.1 hours``, never days, which differ from team to team."""
    return say("{n} hours", n=duration_figure(say, hours)) if is_known(hours) else DASH


def duration_figure(say: Words, value: float) -> str:
    """Return hours (or days) without the word, as the ends of a range have them."""
    return say.number(value, 0 if value >= 100 else 1)

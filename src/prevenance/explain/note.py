"""The call note: three sentences to copy, with facts only; no chance, no word of a model, no name."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from prevenance.words import Words


def call_note(
    say: Words,
    *,
    cutoff: datetime,
    last_contact: datetime | None,
    kind: str | None,
    facts: Sequence[str],
    action: str,
    act_by: str,
    renews_on: object,
) -> str:
    """Return when we last spoke, what stands out, and what to do next with the renewal in sight; always three sentences.

    Args:
        say: the words of a language.
        cutoff: naive UTC; dates of its year are told without a year.
        last_contact: when, or None or NaT.
        kind: of that contact (call, email, meeting, training).
        facts: reasons in words, the first two are told.
        action: what to do, in words; may be empty.
        act_by: until when, ISO; may be empty.
        renews_on: the next renewal, or None or NaT.
    """
    return " ".join((_spoke(say, cutoff, last_contact, kind), _stands_out(say, facts), _next(say, cutoff, action, act_by, renews_on)))


def contact_name(say: Words, kind: str | None) -> str:
    """Return a kind of contact in words."""
    told = {"call": say("Call"), "email": say("E-mail"), "meeting": say("Meeting"), "training": say("Training")}
    return told.get(str(kind), say("Contact"))


def _spoke(say: Words, cutoff: datetime, last: datetime | None, kind: str | None) -> str:
    if last is None or pd.isna(last):
        return say("No contact is on record.")
    days = say.days(_days(say, last, cutoff))
    return say("Last contact: {kind} on {date}, {days} ago.", kind=contact_name(say, kind), date=say.date(last, beside=cutoff), days=days)


def _stands_out(say: Words, facts: Sequence[str]) -> str:
    told = [text.rstrip(".") for text in facts[:2] if text]
    return say("What stands out: {facts}.", facts="; ".join(told)) if told else say("Nothing stands out in the records.")


def _next(say: Words, cutoff: datetime, action: str, act_by: str, renews_on: object) -> str:
    renewal = pd.to_datetime(renews_on) if renews_on is not None and not pd.isna(renews_on) else None
    # The sentence brings its own full stop.
    what = action.rstrip(".")
    by = say.date(act_by, beside=cutoff) if act_by else ""
    if renewal is not None:
        days = {"days": say.days(_days(say, cutoff, renewal)), "date": say.date(renewal, beside=cutoff)}
        if what and by:
            return say("Next: {action}, by {by} (renewal on {date}, in {days}).", action=what, by=by, **days)
        return say("Renewal on {date}, in {days}.", **days)
    if what and by:
        return say("Next: {action}, by {by}.", action=what, by=by)
    return say("Nothing is planned.")


def _days(say: Words, first: datetime, last: datetime) -> int:
    """Return the days of the calendar from one instant to another."""
    since, until = say.day(first), say.day(last)
    return (until - since).days if since and until else 0

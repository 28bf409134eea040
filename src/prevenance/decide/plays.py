"""Which play a row gets: by its reasons, the customer, what of theirs can be named, and what was done lately."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd

from prevenance.decide.feedback import Answer
from prevenance.decide.playbook import TOPICS, Play, Playbook, play_of

AGAIN_DAYS = 60
"""Days within which no customer gets the same play twice."""

TICKET_IDS = "ticket_ids"
"""Among the things of a customer: the numbers of tickets that plays may name, parted by chr(31), for links; no play names it."""

Told = tuple[str, str, str]
"""A reason for a play: its family, the column it tells, and which way that went."""


@dataclass(frozen=True)
class Situation:
    """What a play is chosen by.

    ``reasons`` are those that the row tells, the heaviest first; ``things`` fill the placeholders (those without a value are absent);
    ``done`` holds the plays of the last ``AGAIN_DAYS`` days with their dates.
    """

    targets: Collection[str]
    keeping: bool
    reasons: tuple[Told, ...] = ()
    tier: str = "unknown"
    stage: str = "settled"
    renewal_days: float | None = None
    open_tickets: int = 0
    product_id: str = ""
    things: Mapping[str, str] = field(default_factory=dict, hash=False)
    done: Mapping[str, datetime] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Chosen:
    """The play of a row, and the better one that was left out because it was done lately, if there is one."""

    play: Play
    left_out: Play | None = None


def chosen_play(one: Situation, target: str, playbook: Playbook) -> Chosen:
    """Return the play for a row on the list of ``target``: the first case that fits its first reason, then its second, else its family's play.

    A play that finds nothing to name is not used, nor one that was done within ``AGAIN_DAYS`` days while another fits.
    """
    first = one.reasons[0][0] if one.reasons else ""
    rest = [play_of(first, target, playbook), playbook.plays["other"]]
    fitting = [play for reason in one.reasons or (("", "", ""),) for play in playbook.cases if _fits(play, reason, one)]
    named = [play for play in [*fitting, *rest] if play.things <= {*one.things, *(["product"] if one.product_id else [])}] or rest[1:]
    free = [play for play in named if play.name not in one.done]
    play = free[0] if free else named[0]
    return Chosen(play, named[0] if play is not named[0] else None)


def plays_done(answers: Iterable[Answer], at: datetime, *, static: bool) -> dict[str, dict[str, datetime]]:
    """Return customer_id -> play -> when it was last done: of whom the team said, within ``AGAIN_DAYS`` days before ``at``, that they were contacted."""
    found: dict[str, dict[str, datetime]] = {}
    for one in answers:
        since = one.known_at(static=static)
        if one.action == "contacted" and one.play and since <= at < one.contacted_at(static=static) + timedelta(days=AGAIN_DAYS):
            mine = found.setdefault(one.customer_id, {})
            moment = one.contacted_at(static=static)
            mine[one.play] = max(moment, mine.get(one.play, moment))
    return found


def value_tiers(values: pd.Series) -> list[str]:
    """Return the tier of each row by its value at stake: the fifth with the most is key, the half with the least small; unknown without one."""
    low, high = values.quantile(0.5), values.quantile(0.8)
    return ["unknown" if pd.isna(one) else "key" if one >= high else "small" if one < low else "mid" for one in values]


def _fits(play: Play, reason: Told, one: Situation) -> bool:
    when, (family, column, way) = play.when, reason
    if not (set(when.target) & set(one.targets) if when.target else one.keeping):
        return False
    return all(
        (
            not when.family or family in when.family,
            not when.about or _is_about(column, when.about),
            not when.beside or any(_is_about(other[1], when.beside) for other in one.reasons if other != reason),
            not when.way or way in when.way,
            not when.tier or one.tier in when.tier,
            not when.stage or one.stage in when.stage,
            not when.offer or one.product_id in when.offer,
            when.renewal_within is None or (one.renewal_days is not None and 0 <= one.renewal_days <= when.renewal_within),
            when.open_tickets is None or one.open_tickets >= when.open_tickets,
        )
    )


def _is_about(column: str, topics: Collection[str]) -> bool:
    return any(column.startswith(TOPICS[topic]) for topic in topics)

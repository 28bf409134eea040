"""The playbook: what to do about a reason, by when, whose task it is, and a kind message to start from."""

import re
import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.words import Words

FAMILIES = ("usage", "features", "tickets", "invoices", "contract", "feedback", "purchases", "other")
"""What a reason is about."""

ANY = "any"
"""The play of a target for whatever the first reason is about."""

NEVER = re.compile(
    # English; French; German. A message offers help: these words would tell people what we fear, or put the idea into their heads.
    r"\b(churn\w*|leav\w+|left|cancel\w*|quit\w*|risk\w*|los(e|es|ing|t)|terminat\w+|attrition|unsubscrib\w*|at stake|"
    r"part(ir|ez|ent)|départs?|quitt\w+|résili\w+|annul\w+|risqu\w*|perd(re|ons|u|ez)|désabonn\w+|attrition|"
    r"kündig\w*|kündigung\w*|verlass\w+|verlässt|abwander\w*|abspring\w*|risik\w*|verlier\w*|verlust\w*|storn\w+|gefährd\w*|weggehen|austritt\w*)\b",
    re.IGNORECASE,
)
"""Words that no message to a customer may hold."""


TOPICS: Mapping[str, tuple[str, ...]] = {
    "logins": ("logins", "active_days", "days_since_login"),
    "uses": ("uses", "quantity", "features_used", "days_since_use", "usage_near_limit"),
    "errors": ("errors",),
    "long_errors": ("errors_365d",),
    "seats": ("active_users", "seats_used"),
    "main_user": ("main_user",),
    "unused_features": ("paid_features",),
    "ticket_count": ("tickets_7d", "tickets_28d", "tickets_90d", "tickets_365d", "tickets_per_seat", "ticket_categories"),
    "urgent_tickets": ("urgent_tickets", "tickets_escalated", "tickets_open_escalated"),
    "reopened_tickets": ("tickets_reopened", "tickets_open_again", "reopened_share"),
    "waiting": ("tickets_open", "oldest_open", "tickets_unassigned", "tickets_taken", "waiting_share", "first_reply", "solution_"),
    "ticket_path": ("handoffs", "clarifications"),
    "ticket_rating": ("ticket_score",),
    "overdue": ("invoices_overdue", "oldest_overdue", "amount_overdue"),
    "late_payments": ("late_", "invoices_reminded"),
    "invoiced": ("invoiced",),
    "contract_change": ("seats_change", "mrr_change", "contracts_ended", "contract_changes"),
    "products": ("products_held", "contracts"),
    "answers": ("feedback_",),
    "score": ("nps", "csat", "ces", "review", "scores_falling"),
    "purchases": ("purchases", "orders", "spend"),
    "purchase_range": ("families", "products_bought"),
    "purchase_gap": ("purchase_gap_days",),
    "purchase_silence": ("days_since_purchase", "purchase_gaps_silent"),
    "returns": ("returns",),
    "contacts": ("contacts", "days_since_contact", "days_since_meeting", "meetings", "calls", "trainings"),
    "fit": ("offer_fit", "family_fit"),
    "taken": ("days_since_offer",),
    "habit": ("days_since_family", "family_days_bought"),
}
"""What a reason is about in more detail -> beginnings of the columns that tell it."""

TIERS = ("key", "mid", "small", "unknown")
"""Value tiers: the fifth of a list with the most at stake, the half with the least, the rest; unknown without money."""

STAGES = ("new", "settled")
"""A customer of less than ``NEW_DAYS`` days, or of more."""

NEW_DAYS = 90

THINGS = (
    *(
        "product",
        "also",
        "features",
        "feature",
        "grown",
        "trouble",
        "tickets",
        "ticket",
        "ticket_days",
        "waited",
        "category",
        "again",
        "escalated",
        "often",
        "many",
        "invoice",
        "invoice_days",
    ),
    *("used", "people", "seats", "full", "idle", "limit", "over", "near", "release", "score", "family", "renewal", "contact"),
)
"""Placeholders of an action or a message: the customer's own things. A play whose things are not there is not used."""


@dataclass(frozen=True)
class When:
    """What has to hold for a play; an empty condition always does.

    ``target``: on these lists (without it: on lists of customers to keep). Of the reason: its ``family``, what it is ``about`` (``TOPICS``) and
    which ``way`` its number went; ``beside``: what the row's other reason is about. Of the customer: value ``tier``, ``stage``, a renewal within
    so many days, so many open tickets at least. Of an offer: its product.
    """

    target: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    way: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    offer: tuple[str, ...] = ()
    renewal_within: int | None = None
    open_tickets: int | None = None


@dataclass(frozen=True)
class Play:
    """What to do within ``days`` after the cutoff, whose task it is, and a message to start from; ``THINGS`` stand for the customer's own.

    ``family`` is that of the reason it answers ("" where its case names none); ``name`` is its key in the playbook.
    """

    family: str
    action: str
    days: int
    owner: str
    draft: str
    name: str = ""
    when: When = When()

    @property
    def things(self) -> frozenset[str]:
        """Return the placeholders that have to be filled."""
        return placeholders(self.action) | placeholders(self.draft)

    def told(self, say: Words, things: Mapping[str, str]) -> tuple[str, str, str]:
        """Return (action, owner role, draft) in the reader's language."""
        return say(self.action, **things), say(self.owner), say(self.draft, **things)


@dataclass(frozen=True)
class Playbook:
    """Family -> play, target -> family (or ``any``) -> play where a target wants something else, and the cases that go before both."""

    plays: Mapping[str, Play] = field(hash=False)
    targets: Mapping[str, Mapping[str, Play]] = field(default_factory=dict, hash=False)
    cases: tuple[Play, ...] = ()


def placeholders(text: str) -> frozenset[str]:
    """Return the names of the things that a text asks for."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def play_of(family: str, target: str, playbook: Playbook) -> Play:
    """Return the play for a reason of ``family`` ("" where there is no reason) on the list of ``target``."""
    own = playbook.targets.get(target, {})
    return own.get(family) or own.get(ANY) or playbook.plays.get(family) or playbook.plays["other"]


def playbook_of(plays: Mapping[str, Any], targets: Mapping[str, Any], cases: Mapping[str, Any] | None = None) -> Playbook:
    """Return the checked playbook of the settings ``playbook.plays``, ``playbook.targets`` and ``playbook.cases``.

    Raises:
        PrevenanceError: E201 for an unknown key, E202 for a play that lacks something, a message that holds a word of ``NEVER`` or a
            placeholder that nothing fills, E203 for an unknown family, topic, tier or the like.
    """
    if "other" not in plays:
        raise PrevenanceError("E202", "the playbook has no play for the rest", key="playbook.plays.other", fix="add plays.other")
    own = {name: _plays(found or {}, f"playbook.targets.{name}", (*FAMILIES, ANY)) for name, found in targets.items()}
    every = tuple(_case(str(name), one, f"playbook.cases.{name}") for name, one in (cases or {}).items() if one is not None)
    return Playbook(_plays(plays, "playbook.plays", FAMILIES), own, every)


def _plays(found: Mapping[str, Any], key: str, families: tuple[str, ...]) -> dict[str, Play]:
    for family in found:
        if family not in families:
            raise PrevenanceError("E203", f'no reason is about "{family}"', key=key, fix=did_you_mean(str(family), families))
    # What is left when no case fits has to fit everybody, so it names nothing but the offer.
    return {family: _play(family, family, one, f"{key}.{family}", ("product",)) for family, one in found.items()}


def _case(name: str, one: Any, key: str) -> Play:
    given = dict(one) if isinstance(one, Mapping) else {}
    asked = given.pop("when", None)
    when = _when(asked or {}, f"{key}.when") if isinstance(asked, Mapping | None) else None
    if when is None:
        raise PrevenanceError("E202", "when is no mapping", key=f"{key}.when", fix="write for example when: {about: errors, way: more}")
    return replace(_play(when.family[0] if when.family else "", name, given, key, THINGS), when=when)


def _when(asked: Mapping[str, Any], key: str) -> When:
    known = {"family": FAMILIES, "about": tuple(TOPICS), "beside": tuple(TOPICS), "way": ("more", "less"), "tier": TIERS, "stage": STAGES}
    wanted = tuple(one.name for one in fields(When))
    found: dict[str, Any] = {}
    for name, value in asked.items():
        if name not in wanted:
            raise PrevenanceError("E201", f'a play has no condition "{name}"', key=key, fix=did_you_mean(str(name), wanted))
        if name in ("renewal_within", "open_tickets"):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise PrevenanceError("E202", f'{name} is no number from 1 on: "{value}"', key=f"{key}.{name}", fix=f"write {name}: 1")
            found[name] = value
            continue
        several = tuple(str(one) for one in (value if isinstance(value, Sequence) and not isinstance(value, str) else [value]))
        for one in several:
            if name in known and one not in known[name]:
                raise PrevenanceError("E203", f'there is no {name} "{one}"', key=f"{key}.{name}", fix=did_you_mean(one, known[name]))
        found[name] = several
    return When(**found)


def _play(family: str, name: str, one: Any, key: str, things: tuple[str, ...]) -> Play:
    wanted = ("action", "days", "owner", "draft")
    given = one if isinstance(one, Mapping) else {}
    for said in given:
        if said not in wanted:
            raise PrevenanceError("E201", f'a play has no "{said}"', key=key, fix=did_you_mean(str(said), wanted))
    for said in wanted:
        value = given.get(said)
        fits = isinstance(value, int) and value >= 1 if said == "days" else isinstance(value, str) and value.strip()
        if not fits or isinstance(value, bool):
            raise PrevenanceError("E202", f"a play lacks {said}", key=f"{key}.{said}", fix="give action, days (from 1 on), owner and draft")
    for said in ("action", "owner", "draft"):
        _check_text(given[said], f"{key}.{said}", () if said == "owner" else things, kind=said == "draft")
    return Play(family, given["action"], given["days"], given["owner"], given["draft"], name)


def _check_text(text: str, key: str, things: Collection[str], *, kind: bool) -> None:
    """Refuse a placeholder that nothing fills; in a message (``kind``) also a word that no customer should read."""
    try:
        asked = placeholders(text)
    except ValueError:
        asked = frozenset("{")
    if wrong := sorted(asked.difference(things)):
        several = "the placeholders are " + ", ".join(f"{{{one}}}" for one in things)
        fix = several if len(things) > 1 else "the only placeholder is {product}" if things else "take it out"
        raise PrevenanceError("E202", f'nothing fills "{wrong[0]}"', key=key, fix=fix)
    if kind and (found := NEVER.search(text)):
        raise PrevenanceError("E202", f'a message to a customer says "{found.group()}"', key=key, fix="offer help, without that word")

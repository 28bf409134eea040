"""The playbook: what to do about a reason, by when, whose task it is, and a kind message to start from."""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Play:
    """What to do within ``days`` after the cutoff, whose task it is, and a message to start from; ``{product}`` stands for an offer."""

    family: str
    action: str
    days: int
    owner: str
    draft: str

    def told(self, say: Words, product: str = "") -> tuple[str, str, str]:
        """Return (action, owner role, draft) in the reader's language."""
        return say(self.action, product=product), say(self.owner), say(self.draft, product=product)


@dataclass(frozen=True)
class Playbook:
    """Family -> play, and target -> family (or ``any``) -> play where a target wants something else."""

    plays: Mapping[str, Play] = field(hash=False)
    targets: Mapping[str, Mapping[str, Play]] = field(default_factory=dict, hash=False)


def play_of(family: str, target: str, playbook: Playbook) -> Play:
    """Return the play for a reason of ``family`` ("" where there is no reason) on the list of ``target``."""
    own = playbook.targets.get(target, {})
    return own.get(family) or own.get(ANY) or playbook.plays.get(family) or playbook.plays["other"]


def playbook_of(plays: Mapping[str, Any], targets: Mapping[str, Any]) -> Playbook:
    """Return the checked playbook of the settings ``playbook.plays`` and ``playbook.targets``.

    Raises:
        PrevenanceError: E201 for an unknown key, E202 for a play that lacks something or a message that holds a word of ``NEVER`` or a
            placeholder besides ``{product}``, E203 for an unknown family.
    """
    if "other" not in plays:
        raise PrevenanceError("E202", "the playbook has no play for the rest", key="playbook.plays.other", fix="add plays.other")
    own = {name: _plays(found or {}, f"playbook.targets.{name}", (*FAMILIES, ANY)) for name, found in targets.items()}
    return Playbook(_plays(plays, "playbook.plays", FAMILIES), own)


def _plays(found: Mapping[str, Any], key: str, families: tuple[str, ...]) -> dict[str, Play]:
    for family in found:
        if family not in families:
            raise PrevenanceError("E203", f'no reason is about "{family}"', key=key, fix=did_you_mean(str(family), families))
    return {family: _play(family, one, f"{key}.{family}") for family, one in found.items()}


def _play(family: str, one: Any, key: str) -> Play:
    wanted = ("action", "days", "owner", "draft")
    given = one if isinstance(one, Mapping) else {}
    for name in given:
        if name not in wanted:
            raise PrevenanceError("E201", f'a play has no "{name}"', key=key, fix=did_you_mean(str(name), wanted))
    for name in wanted:
        value = given.get(name)
        fits = isinstance(value, int) and value >= 1 if name == "days" else isinstance(value, str) and value.strip()
        if not fits or isinstance(value, bool):
            raise PrevenanceError("E202", f"a play lacks {name}", key=f"{key}.{name}", fix="give action, days (from 1 on), owner and draft")
    for name in ("action", "owner", "draft"):
        _check_text(given[name], f"{key}.{name}", kind=name == "draft")
    return Play(family, given["action"], given["days"], given["owner"], given["draft"])


def _check_text(text: str, key: str, *, kind: bool) -> None:
    """Refuse a placeholder that nothing fills; in a message (``kind``) also a word that no customer should read."""
    try:
        asked = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        asked = {"{"}
    if asked - {"product"}:
        raise PrevenanceError("E202", f'nothing fills "{sorted(asked - {"product"})[0]}"', key=key, fix="the only placeholder is {product}")
    if kind and (found := NEVER.search(text)):
        raise PrevenanceError("E202", f'a message to a customer says "{found.group()}"', key=key, fix="offer help, without that word")

"""What there is to tell others: one file of JSON a day, with a digest for mail and one for a chat; nothing is sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.publish.digest import MAIL, SLACK, Form
from prevenance.publish.template import utf8_text
from prevenance.words import Words

SIGNS = {"retrain": "↻", "wait": "·", "cannot_help": "!"}


def notice_of(
    say: Words, title: str, date: str, warnings: Sequence[str], decided: Sequence[Mapping[str, Any]], page: str
) -> dict[str, Any]:
    """Return the notice: title, date, warnings, decisions (target, decision, says, reasons), and ``mail`` and ``chat`` as texts."""
    facts = {"title": title, "date": date, "warnings": list(warnings), "decisions": [dict(one) for one in decided], "page": page}
    return {**facts, "mail": _digest(say, facts, MAIL), "chat": _digest(say, facts, SLACK)}


def _digest(say: Words, facts: Mapping[str, Any], form: Form) -> str:
    plain = form.plain
    lines = [form.heading.format(text=plain(f"{facts['title']} · {facts['date']}"))]
    lines += [f"! {plain(one)}" for one in facts["warnings"]] or [plain(say("Nothing is far from usual."))]
    for one in facts["decisions"]:
        head = form.strong.format(text=plain(f"{one['target']}: {one['says']}"))
        lines.append(f"{SIGNS[one['decision']]} {head} {plain(' '.join(one['reasons'][:2]))}".strip())
    return utf8_text("\n".join([*lines, plain(facts["page"])]) + "\n")

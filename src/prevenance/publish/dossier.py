"""One customer explained: on the terminal, as a page for the team, and as a page fit to show to the customer.

The customer's page says which facts are held and were looked at. It holds no chance, no reason and no word about what was asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.base.formats import json_value
from prevenance.publish.template import render_template
from prevenance.publish.wording import is_known, one_line
from prevenance.words import DASH, Words
from prevenance.words.saying import said_in

Explained = Mapping[str, Any]

FACTS, INPUTS, ANSWERS = 8, 12, 6
"""Lines of each part on the terminal; the files hold all."""
NAME, TEXT = 60, 160


def dossier_text(told: Explained, folder: str, say: Words) -> str:
    """Return what the terminal shows of one customer and target."""
    head = f"{say('EXPLAIN'):<10}{one_line(told['customer_id'], NAME)} · {one_line(told['target'])} · {told['date']}"
    lines = [head, f"{say('LIST'):<10}{_list(told, say)}"]
    if told["absent"]:
        lines.append(f"{'':<10}{told['absent']}.")
    if "inputs" in told:
        lines += [f"{say('CHANCE'):<10}{chance_sentence(told, say)}", f"{say('MODEL'):<10}{model_sentence(told, say)}"]
        lines += _part(say("FACTS"), [_fact(one, say) for one in facts_of(told)][:FACTS])
        lines += _part(say("IF"), [what_if_sentence(one, told, say) for one in told["what_if"]][:ANSWERS])
        lines += [f"{'':<10}{what_if_caveat(say)}"] if told["what_if"] else []
        lines += _part(say("UNKNOWN"), list(told["details"].get("unknown") or []))
        lines += _part(say("INPUTS"), [_input(one, say) for one in told["inputs"]][:INPUTS])
        rest = len(told["inputs"]) - INPUTS
        lines += [f"{'':<10}" + say.many("and {n} more, see the files", "and {n} more, see the files", rest)] if rest > 0 else []
        lines.append(f"{say('CHECK'):<10}{check_sentence(told, say)}")
    names = f"{told['digest']}.json  {told['digest']}.html  {told['digest']}.customer.html"
    return "\n".join([*lines, f"{say('FILES'):<10}{folder}/  {names}"])


def dossier_page(told: Explained, say: Words, title: str = "") -> str:
    """Return the page for the team under the title of its list; every text is escaped."""
    shown = {
        "chance": chance_sentence(told, say, exact=False) if "inputs" in told else "",
        "list": _list(told, say),
        "model": model_sentence(told, say) if "inputs" in told else "",
        "facts": [_fact(one, say) for one in facts_of(told)],
        "answers": [what_if_sentence(one, told, say) for one in told.get("what_if", [])],
        "check": check_sentence(told, say) if "inputs" in told else "",
        "inputs": [_cells(one, say) for one in told.get("inputs", [])],
        "timeline": [
            (say.date(one["on"], beside=told["cutoff"]), one["text"]) for one in (told.get("details") or {}).get("timeline") or []
        ],
        "unknown": (told.get("details") or {}).get("unknown") or [],
        "promise": what_if_caveat(say),
        "says": said_in(say, told.get("says") or ""),
        "title": title or one_line(told["target"]),
    }
    return render_template("explain.html.j2", told=json_value(told), shown=shown, say=say)


def customer_page(told: Explained, say: Words) -> str:
    """Return the page fit to show to the customer: which facts are held, since when, and what they are looked at for."""
    held = [
        {
            "name": say(TABLE_DESCRIPTIONS[one["table"]]),
            "rows": say.number(one["rows"]),
            "since": say.date(one["since"]),
            "until": say.date(one["until"]),
        }
        for one in told["held"]
        if one["table"] in TABLE_DESCRIPTIONS
    ]
    return render_template("customer.html.j2", told=json_value(told), shown={"held": held}, say=say)


TABLE_DESCRIPTIONS: Mapping[str, str] = {
    "customers": "Master data such as company name, country and plan",
    "subscriptions": "Contracts, seats and renewals",
    "usage": "Use of the product: sign-ins, functions used, error messages",
    "tickets": "Requests to our support and how they went",
    "invoices": "Invoices and payments",
    "feedback": "Answers to our surveys",
    "purchases": "Purchases",
    "contacts": "Calls, meetings, trainings and messages between us",
}
"""Table -> what it holds, in the words of a letter to the customer."""


def facts_of(told: Explained) -> list[Mapping[str, Any]]:
    """Return what raises the chance, then what lowers it, then the background."""
    details = told.get("details") or {}
    return [one for part in ("reasons", "holds", "context") for one in details.get(part) or []]


def chance_sentence(told: Explained, say: Words, *, exact: bool = True) -> str:
    """Return the chance with its interval, as the list prints it, and its exact value where it is asked for."""
    if told["score"] is None:
        return say("Not enough data to judge: no chance is given")
    span = say("likely {low} to {high}", low=say.percent(told["score_low"]), high=say.percent(told["score_high"]))
    days = say.many("within {n} day", "within {n} days", told["horizon_days"])
    # The exact number too: who asks about one customer may want to work it out again.
    return f"{say.percent(told['score'], 1)} {days} ({span})" + (f" = {told['score']!r}" if exact else "")


def model_sentence(told: Explained, say: Words) -> str:
    """Return which model spoke, what it learned from and until when."""
    about = told["model"]
    learned = ""
    if is_known(about["snapshots"]) and is_known(about["positives"]):
        learned = say(
            ", learned from {n} cases, {positives} customers with the outcome", n=about["snapshots"], positives=about["positives"]
        )
    until = say(", with knowledge until {date}", date=say.date(about["trained_until"])) if about["trained_until"] else ""
    return f"{one_line(about['kind'])} {about['version']}{learned}{until}"


def what_if_sentence(one: Mapping[str, Any], told: Explained, say: Words) -> str:
    """Return what the model says if one story were otherwise."""
    values = {"then": one["then"], "fact": one["now"], "chance": say.percent(one["score"], 1), "now": say.percent(told["score"], 1)}
    if one["like"] == "typical":
        return say("As is typical – {then} (now {fact}): {chance} instead of {now}", **values)
    return say("As a quarter ago – {then} (now {fact}): {chance} instead of {now}", **values)


def what_if_caveat(say: Words) -> str:
    """Return what answers to "what if" are worth."""
    return say("This is the model's answer to another question, not a promise: what moves one fact in life moves others too.")


def check_sentence(told: Explained, say: Words) -> str:
    """Return whether the contributions add up, and whether the list says the same."""
    found = told["check"]
    added = say(
        "{base} + contributions = {sum}; calibrated {score}",
        base=f"{found['base']:.6f}",
        sum=f"{found['sum']:.6f}",
        score=repr(found["adds_up_to"]),
    )
    exact = (
        say("adds up (difference below 0.000000001)")
        if found["exact"]
        else say("DOES NOT ADD UP, difference {n}", n=f"{found['difference']:.3g}")
    )
    same = {True: say("the same as on the list to the last digit"), False: say("NOT THE SAME AS ON THE LIST")}.get(found["same_as_list"])
    return "; ".join(part for part in (added, exact, same) if part)


def _list(told: Explained, say: Words) -> str:
    until = say("facts known until {date}", date=say.date(told["data_until"]))
    if told["list"]:
        return say("published list {folder}, {until}", folder=told["list"], until=until)
    return say("no list of that day is published: worked out now by the same code, {until}", until=until)


def _part(title: str, told: Sequence[str]) -> list[str]:
    return [f"{title if number == 0 else '':<10}{one_line(one, TEXT)}" for number, one in enumerate(told)]


def _fact(one: Mapping[str, Any], say: Words) -> str:
    return f"{say.points(one.get('points')):>6}  {one['text']}" if is_known(one.get("points")) else str(one["text"])


def _input(one: Mapping[str, Any], say: Words) -> str:
    cells = _cells(one, say)
    return f"{one['input']} = {cells['value']} ({cells['table']}, {cells['newest']}; {cells['log_odds']})"


def _cells(one: Mapping[str, Any], say: Words) -> dict[str, str]:
    """Return the cells of an input: its value is printed as the model takes it."""
    value = one["value"]
    shown = say("unknown") if value is None else repr(value) if isinstance(value, float) else one_line(value, NAME)
    return {
        "input": one["input"],
        "text": one["text"],
        "value": shown,
        "table": one["table"] or DASH,
        "newest": say.date(one["newest"]),
        "log_odds": f"{one['log_odds']:+.4f}",
    }

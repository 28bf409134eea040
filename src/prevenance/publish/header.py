"""The head of the list: what fits the week, how good the last lists were, what moved, and how fresh everything is."""

from typing import Any

from prevenance.publish.cells import View, group_of, one_line, table_words
from prevenance.publish.wording import is_known
from prevenance.targets import words_of
from prevenance.targets.target import ANY_OUTCOME, TargetWords
from prevenance.words import DASH, Words

WHOLE = 0.75
"""Outcomes expected among those listed below which their number is not told."""


def target_words(view: View) -> TargetWords:
    """Return what people read of the target of a view."""
    return words_of(str(view.get("kind")))


def list_title(say: Words, view: View) -> str:
    """Return what the list is: its target in words."""
    words = target_words(view)
    if view.get("title"):
        return one_line(view["title"], 60)
    return one_line(view["target"], 60) if words == ANY_OUTCOME and view.get("target") else say(words.title)


def chance_heading(say: Words, view: View) -> str:
    """Return the head of the column of chances: what may happen, within how many days."""
    days = view.get("horizon_days")
    return say(target_words(view).question, n=days) if is_known(days) else say("Chance")


def money_heading(say: Words, view: View) -> str:
    """Return the head of the column of money."""
    return say(target_words(view).stake)


def group_size(say: Words, view: View, key: str, shown: int) -> str:
    """Return how many customers a group has; of a long one only the first stand on the page."""
    if unshown := (view.get("unshown") or {}).get(key):
        return say("{n} customers, the first {shown} of them here, all in list.csv", n=say.number(shown + unshown), shown=say.number(shown))
    return say.many("{n} customer", "{n} customers", shown)


def fits_sentences(say: Words, view: View) -> tuple[str, str]:
    """Return the first line: how many fit the hours or the capacity, and what is at stake among them."""
    told = view.get("fits") or {}
    listed = told.get("listed", sum(group_of(row) == "listed" for row in view.get("rows") or [])) or 0
    if not listed and (view.get("week") or {}).get("left") == 0:
        return say("This week's contacts are done."), ""
    if not listed:
        return say("Nobody stands above your line this week."), ""
    hours = (view.get("hours") or {}).get("available")
    if is_known(hours):
        first = (
            say.many("{n} customer fits", "{n} customers fit", listed)
            + " "
            + say("the {hours} hours of this week.", hours=short_number(say, hours))
        )
    else:
        first = say.many("{n} customer to contact this week.", "{n} customers to contact this week.", listed)
    return first, _ahead(say, view, told)


def _ahead(say: Words, view: View, told: View) -> str:
    """Return how many of those listed are expected to have the outcome, and the money among them."""
    days, words = view.get("horizon_days") or 0, target_words(view)
    expected, money = told.get("expected_outcomes"), told.get("at_stake")
    amount = say.money(money, str(view.get("currency") or ""))
    if not is_known(expected):
        return say("{amount} is expected to be at stake among them within {n} days.", amount=amount, n=days) if is_known(money) else ""
    # People come whole: "about 2.9 of them" is nothing that a person says, and half of one is left to the money.
    if expected < WHOLE:
        return say("{amount} is expected to be at stake among them within {n} days.", amount=amount, n=days) if is_known(money) else ""
    return say(words.expected_money if is_known(money) else words.expected, number=say.number(expected), n=days, amount=amount)


def record_sentence(say: Words, view: View) -> str:
    """Return how good the last lists were, misses included, and how often people decided otherwise."""
    told = view.get("record") or {}
    if told.get("text"):
        return one_line(told["text"], 400)
    if told.get("source") not in ("lists", "backtest") or not is_known(told.get("contacts")) or not told["contacts"]:
        none = say("Nobody knows yet: no list has been judged. The first answer comes when the time of its chances is over.")
        return f"{none} {_decided(say, view)}".strip()
    return " ".join(text for text in (_hits(say, view, told), _missed(say, view, told), _decided(say, view)) if text)


def _decided(say: Words, view: View) -> str:
    """Return how often people decided against a proposal; nothing before anybody decided."""
    told = view.get("decided") or {}
    if not told.get("decided"):
        return ""
    return say("People decided on {n} proposals, against {against} of them.", n=told["decided"], against=told["against"])


def _hits(say: Words, view: View, told: View) -> str:
    values: dict[str, Any] = {"hits": told.get("hits") or 0, "n": told["contacts"]}
    where = one_line(told.get("period") or "", 60)
    where = say("In tests") if told.get("source") == "backtest" else where[:1].upper() + where[1:] if where else say("So far")
    return say(target_words(view).hits, where=where, **values)


def _missed(say: Words, view: View, told: View) -> str:
    missed, outcomes = told.get("missed"), told.get("outcomes")
    if not is_known(missed) or not is_known(outcomes) or not outcomes:
        return ""
    return say(target_words(view).missed, missed=missed, n=outcomes)


def source_freshness(say: Words, view: View) -> list[tuple[str, bool]]:
    """Return each source with the date of its newest fact, and whether it is late."""
    cutoff, named = view.get("cutoff"), table_words(say)
    found = []
    for one in view.get("sources") or []:
        day = say.date(str(one.get("newest") or ""), beside=cutoff)
        name = named.get(str(one.get("table")), one_line(one.get("table") or "", 40))
        late = bool(one.get("late"))
        days = one.get("days")
        text = say("{table} {date}, {days} late", table=name, date=day, days=say.days(days)) if late and days else f"{name} {day}"
        found.append((text, late))
    return sorted(found, key=lambda one: not one[1])


def alert_texts(say: Words, view: View) -> list[str]:
    """Return what must be seen before the list is used: feeds that are late, tables that are a part of themselves."""
    named, told = table_words(say), []
    for one in view.get("alerts") or []:
        name, facts = named.get(str(one.get("table")), one_line(one.get("table") or "", 40)), one.get("facts") or {}
        table = name[:1].upper() + name[1:]
        if one.get("text"):
            told.append(one_line(one["text"], 400))
        elif "usual" in facts:
            rows, usual = say.number(facts["rows"]), say.number(facts["usual"])
            told.append(
                say("{table}: {rows} rows where {usual} are usual. The list is made from these.", table=table, rows=rows, usual=usual)
            )
        elif one.get("without"):
            told.append(say("{table}: nothing new for {days}. The list is made without it.", table=table, days=say.days(facts.get("days"))))
        else:
            told.append(
                say(
                    "{table}: nothing new for {days}. The list is made from what was known before.",
                    table=table,
                    days=say.days(facts.get("days")),
                )
            )
    return [*told, *([one_line(view["missing"], 300)] if view.get("missing") else [])]


def banner_texts(say: Words, view: View, longest: int) -> list[str]:
    """Return the alerts, and why there is no model where there is none."""
    return [*alert_texts(say, view), *([one_line(view["no_model"], longest)] if view.get("no_model") else [])]


def effect_sentence(say: Words, view: View) -> str:
    """Return whether the share of outcomes that a contact changes is measured or assumed."""
    told = view.get("assumed") or {}
    if not is_known(told.get("share")):
        return ""
    share = say.percent(told["share"])
    if told.get("measured"):
        return say("Effect of a contact: {share}, measured.", share=share)
    return say("Effect of a contact: assumed {share}, not measured.", share=share)


def short_number(say: Words, value: float) -> str:
    """Return a number with one decimal only if it has a fraction."""
    return say.number(value, 0 if abs(value - round(value)) < 0.05 else 1)


def page_links(say: Words, view: View) -> list[tuple[str, str]]:
    """Return the pages beside this one: what they are called and where they are, within the run's folder only."""
    names = {"index": say("All lists"), "report": say("How it was trained"), "replay": say("Looking back")}
    told = view.get("links") or {}
    found = [(text, str(told[key])) for key, text in names.items() if told.get(key)]
    found += [(one_line(one.get("title") or "", 60), str(one["to"])) for one in view.get("lists") or [] if one.get("to")]
    # A view may be anybody's file: no address in it leads out of the folder.
    return [(text, to) for text, to in found if ":" not in to and not to.startswith("/")]


def run_stamp(say: Words, view: View) -> str:
    """Return what a list is made of, in one line: run, model, cutoff."""
    model = view.get("model") or {}
    return say(
        "Run {run} · model {model} · as of {cutoff}",
        run=one_line(view.get("run_id") or "–", 60),
        model=" ".join(one_line(model[key], 40) for key in ("kind", "version") if model.get(key)) or "–",
        cutoff=one_line(view.get("cutoff") or "–", 40),
    )


def long_date(say: Words, view: View) -> str:
    """Return the day of the list with its weekday and year."""
    from babel.dates import format_date

    try:
        day = say.day(str(view.get("date") or view.get("cutoff") or ""))
    except ValueError:
        return DASH
    if day is None:
        return DASH
    return str(format_date(day, "full", locale={"en": "en_GB"}.get(say.language, say.language)))

"""What the watch says, in sentences."""

from collections.abc import Mapping
from typing import Any

from prevenance.proof.watch.records import Warned
from prevenance.publish.cells import one_line, table_words
from prevenance.publish.wording import input_text
from prevenance.words import Words

MODEL_KINDS = ("total", "shape", "inputs", "words", "rate")
"""Kinds of warnings that are about a target's model."""

EVENT_KINDS = ("dried", "doubled", "segment", "gone")
"""Kinds of warnings that are about what arrived."""


def table_name(say: Words, table: str) -> str:
    """Return what a table is called at the head of a sentence."""
    name = table_words(say).get(table, one_line(table, 40))
    return name[:1].upper() + name[1:]


def warning_text(say: Words, one: Warned) -> str:
    """Return a warning in a sentence or two."""
    facts = one.facts
    told = {
        "table": table_name(say, one.about),
        "segment": one_line(facts.get("segment") or "", 40),
        "events": facts.get("events"),
        "usual": say.number(facts.get("usual")),
        "n": facts.get("days"),
    }
    if one.kind == "dried":
        return say(
            "{table}: {events} new in {n} {n:day|days} where {usual} are usual. What does not arrive looks like customers who are silent.",
            **told,
        )
    if one.kind == "doubled":
        return say("{table}: {events} new in {n} {n:day|days} where {usual} are usual. Something may have arrived twice.", **told)
    if one.kind == "segment":
        return say(
            "{table} of {segment}: {events} new in {n} {n:day|days} where {usual} are usual. The feed of this segment may have stopped.",
            **told,
        )
    if one.kind in MODEL_KINDS:
        return _of_model(say, one)
    return say("{segment}: {events} {events:customer|customers} where {usual} are usual. This segment is missing in what arrived.", **told)


def _of_model(say: Words, one: Warned) -> str:
    facts, target = one.facts, one_line(one.about, 40)
    # Manifests of earlier versions name columns alone.
    between = say("{first}; {rest}", first="", rest="")
    named = between.join(input_text(say, phrase, days) for phrase, days in one.inputs) or one_line(facts.get("named") or "", 120)
    if one.kind == "total":
        told = {"sum": say.number(facts["sum"], 1), "usual": say.number(facts["usual"], 1)}
        return say(
            "{target}: the chances add up to {sum} outcomes, {usual} on the Mondays before. Look at what changed first.",
            target=target,
            **told,
        )
    if one.kind == "shape":
        told = {name: say.percent(facts[name], 1) for name in ("before", "now")}
        return say("{target}: chances are spread otherwise than on the Mondays before (median {before}, now {now}).", target=target, **told)
    if one.kind == "inputs":
        return say(
            "{target}: this model learned from other customers. {moved} of {looked} inputs have moved since: {named}. Its chances may be off.",
            **{"target": target, "moved": facts["moved"], "looked": facts["looked"], "named": named},
        )
    if one.kind == "words":
        share = say.percent(facts["share"])
        return say(
            "{target}: {share} of the customers have a word that the model never met in: {named}.", target=target, share=share, named=named
        )
    told = {name: say.percent(facts[name], 1) for name in ("rate", "usual")}
    return say("{target}: in the newest period that is over {rate} had the outcome; the model learned from {usual}.", target=target, **told)


def decision_text(say: Words, kind: str) -> str:
    """Return a decision of the watch in words."""
    told = {"retrain": say("Train again now."), "wait": say("Wait."), "cannot_help": say("Training again cannot help.")}
    return told[kind]


def pilot_texts(say: Words, facts: Mapping[str, Any]) -> list[str]:
    """Return the verdict on a shadow, its criteria, how far it agrees with the champion and what came, a sentence or two each."""
    asked, gain = facts["criteria"], facts["gain"]
    verdicts = {
        "met": say("The criteria are met."),
        "not_met": say("The criteria are not met."),
        "too_early": say("It is too early to tell."),
    }
    texts = [
        verdicts[facts["kind"]],
        say(
            "Written down before: over {weeks} weeks {lists} closed {lists:list|lists}, {hits} more {hits:hit|hits} than the champion, and a smaller log loss (90 %).",
            **asked,
        ),
        say(
            "{lists} {lists:list|lists} compared, {closed} closed. Of {listed} customers on the shadow's lists {same} stand on the champion's too, {other} do not.",
            **{name: facts[name] for name in ("lists", "closed", "listed", "same")},
            other=facts["listed"] - facts["same"],
        ),
    ]
    if facts["closed"]:
        texts.append(
            say("Hits: {shadow} in the shadow, {champion} of the champion.", shadow=facts["hits_shadow"], champion=facts["hits_champion"])
        )
    if gain["value"] is not None:
        told = {name: say.number(gain[name], 4, signed=True) for name in ("value", "low", "high")}
        texts.append(say("The shadow gains {value} in log loss (90 % interval {low} to {high}).", **told))
    return [*texts, say("Customers whom the team contacted may have stayed for that: this weighs against the champion's hits.")]

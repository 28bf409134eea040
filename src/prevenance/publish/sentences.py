"""What a training found, missed and refused, one sentence each, the same on a page, on a card and on a terminal."""

from collections.abc import Mapping
from typing import Any

from prevenance.publish.wording import (
    ENGLISH,
    FEW,
    amount_text,
    is_known,
    metric_interval_text,
    metric_text,
    one_line,
    percent_text,
    shown_model_name,
    total_hits,
)
from prevenance.words import Words
from prevenance.words.saying import said_in

Report = Mapping[str, Any]

BESIDE = {"rule": "{n} with the simple rule", "customer_rules": "{n} with your rules", "champion": "{n} with the champion so far"}
"""Rival -> its hits beside those of the model in use."""


def tested_name(report: Report) -> str:
    """Return the name under which the model in use was tested."""
    return str(report.get("tested_as") or shown_model_name(report))


def too_few(report: Report) -> bool:
    """Return whether there are too few customers with the outcome to claim anything."""
    positives = report.get("positives")
    return not is_known(positives) or positives < FEW


def hits_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return how many contacts of the test lists, as they would have been shipped, were right, beside the rule and a blind list."""
    periods, told = [dict(period) for period in report.get("periods") or []], report.get("shipped") or {}
    name = tested_name(report)
    right, contacts = told.get("hits"), told.get("contacts")
    if not told.get("periods") or not is_known(right):
        return say("not enough data: no test period")
    # A share of five outcomes looks as exact as one of five hundred.
    if too_few(report):
        few = "too little to claim anything: {n} {one:customer|customers} with the outcome, {needed} are needed"
        return say(few, n=say.number(report.get("positives")), one=report.get("positives"), needed=FEW)
    precision = ((report.get("models") or {}).get(name) or {}).get("precision_at_capacity")
    range_ = metric_interval_text("precision_at_capacity", precision, say)
    text = say(
        "{right} of {n} contacts were right ({share}{interval})",
        right=amount_text(right, say=say),
        n=say.number(contacts),
        share=metric_text("precision_at_capacity", precision, say),
        interval=say("; 90 % interval {span}", span=range_) if range_ else "",
    )
    rivals = [
        say(BESIDE[rival], n=amount_text(total_hits(periods, rival), say=say))
        for rival in BESIDE
        if rival != name and total_hits(periods, rival) is not None
    ]
    blind = say("{n} with a blind list", n=say.number(total_hits(periods, "random"), 1))
    return say("{fact}: {rest}", fact=text, rest=", ".join([*rivals, blind]))


def missed_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return how many outcomes were on no list, and how many were found too late."""
    told = report.get("shipped") or {}
    right, every = told.get("hits"), told.get("outcomes")
    if not is_known(right) or not every:
        return say("not enough data: no outcome in a test period")
    text = say(
        "{missed} of {n} outcomes were on no list ({share}): a list holds {capacity}",
        missed=amount_text(every - right, say=say),
        n=say.number(every),
        share=percent_text((every - right) / every, say=say),
        capacity=say.number(report.get("capacity")),
    )
    lead = report.get("lead_time") or {}
    if is_known(lead.get("outcomes")) and lead["outcomes"]:
        late = "; {late} of {n} {n:outcome|outcomes} found came too late to act"
        text += say(late, late=say.number(lead.get("too_late")), n=lead["outcomes"])
    return text


def left_out_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return what was left out, and what is not judged."""
    customers = (report.get("data") or {}).get("customers") or {}
    tables = ((report.get("data") or {}).get("tables") or {}).values()
    bad = sum(sum((one.get("quarantined") or {}).values()) for one in tables)
    few = sum(one.get("enough") is False for one in report.get("slices") or [])
    opted = customers.get("opted_out") if isinstance(customers, Mapping) else None
    parts = [
        say("{n} {n:input|inputs} that knew too much", n=len(report.get("leakage") or [])),
        say("{n} {n:customer|customers} who opted out", n=opted) if opted else "",
        say("{n} {n:row|rows} that broke the contract", n=bad) if bad else "",
        say("{n} {n:label|labels} still open", n=report["open_labels"]) if report.get("open_labels") else "",
        say("a judgement on {n} {n:slice|slices} with fewer than 30 outcomes", n=few) if few else "",
    ]
    return ", ".join(part for part in parts if part)


def stability_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return whether the reasons of listed customers come back when the model is refitted."""
    one = report.get("reasons_stability") or {}
    if one.get("trivial"):
        return say("trivially stable: the rule gives everybody the same reason")
    if not is_known(one.get("share_stable")):
        if one.get("refits"):
            return say("not enough data: nobody is listed with a reason")
        return say("not enough data: too few customers or groups to draw from")
    return say(
        "top-3 stable over {n} {n:refit|refits} for {share} of listed customers ({stable} of {listed})",
        n=one.get("refits") or 0,
        share=percent_text(one["share_stable"], say=say),
        stable=say.number(one.get("stable")),
        listed=say.number(one.get("listed")),
    )


def drift_sentence(report: Report, say: Words = ENGLISH, most: int = 3) -> str:
    """Return which inputs moved since training, the first ``most`` by name."""
    one = report.get("drift") or {}
    if not one.get("looked"):
        return say("not enough data: too few customers to compare")
    moved = one.get("moved") or []
    grown = sum(bool(each.get("grown")) for each in moved)
    text = say("{moved} of {n} {n:input|inputs} moved since training", moved=len(moved), n=one["looked"])
    text += say(", {n} of them only known for more customers now", n=grown) if grown else ""
    named = [
        f"{one_line(each.get('feature'), 40)} {one_line(said_in(say, each.get('text')), 60)}" for each in moved if not each.get("grown")
    ][:most]
    return say("{fact}: {rest}", fact=text, rest="; ".join(named)) if named else text


def contacted_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return how often the outcome came to those whom we contacted within the window, and to all others, with the reason why that is no effect."""
    one = report.get("contacted") or {}
    if not one:
        return say("no contacts are known")

    def told(name: str) -> str:
        arm = one[name]
        if not arm["snapshots"]:
            return say("nobody")
        between = f" ({say.percent(arm['low'], 1)} – {say.percent(arm['high'], 1)})" if is_known(arm.get("low")) else ""
        return say("{share}{between} of {n} {n:snapshot|snapshots}", share=say.percent(arm["rate"], 1), between=between, n=arm["snapshots"])

    text = say(
        "outcomes with a contact of ours within the window: {contacted}; without: {alone}", contacted=told("contacted"), alone=told("alone")
    )
    difference = one["difference"]
    if is_known(difference.get("low")):
        span = {name: say.number(100 * difference[name], 1) for name in ("value", "low", "high")}
        text += say("; difference {value} points ({low} to {high}), which is no effect of contacts: those contacted were chosen", **span)
    return text + (say("; only those without were learned from and tested on") if one.get("left_out") else "")


def leakage_types_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return how the eight types of leakage were answered, in one line."""
    told = report.get("leakage_types") or []
    if not told:
        return ""
    counts = {status: [one["type"] for one in told if one.get("status") == status] for status in ("pass", "warn", "fail")}
    parts = [f"{len(names)} {status}" + (f" ({', '.join(names)})" if status != "pass" else "") for status, names in counts.items() if names]
    return say("{n} types of leakage: {parts}", n=len(told), parts=", ".join(parts))


def slice_name(one: Mapping[str, Any], say: Words = ENGLISH) -> str:
    """Return a slice's name with its outcomes: ``segment small (143 outcomes)``."""
    name = f"{one_line(one.get('column'), 30)} {one_line(one.get('value'), 40)}"
    return say("{name} ({n} {n:outcome|outcomes})", name=name, n=one.get("positives") or 0)


def slice_complaint(one: Mapping[str, Any], say: Words = ENGLISH) -> str:
    """Return what is wrong with a slice in words, or nothing."""
    if one.get("collapse"):
        return say("ranked worse than by the rule")
    shares = {name: percent_text(one.get(f"{name}_share"), say=say) for name in ("contact", "outcome")}
    attention = say("{contact} of contacts for {outcome} of outcomes", **shares) if one.get("starved") else ""
    return "; ".join(part for part in (one_line(said_in(say, one.get("worse") or "")), attention) if part)


def retrain_sentence(report: Report, say: Words = ENGLISH) -> str:
    """Return when to train again: what moved, and in any case within half a year."""
    # What is merely known for more customers than before is no reason to mistrust the model.
    moved = [one for one in (report.get("drift") or {}).get("moved") or [] if not one.get("grown")]
    first = say("{n} {n:input|inputs} moved already: look at them before the lists are trusted.", n=len(moved)) + " " if moved else ""
    horizon = report.get("horizon_days")
    if not is_known(horizon):
        return first + say("Train again every 3 to 6 months, and after any change of prices, products or the way things are recorded.")
    again = (
        "Train again every 3 to 6 months, when {n} more {n:day|days} of outcomes have closed, "
        "and after any change of prices, products or the way things are recorded."
    )
    return first + say(again, n=horizon)

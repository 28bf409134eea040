"""What a training found, missed and refused, one sentence each, the same on a page, on a card and on a terminal."""

from collections.abc import Mapping
from typing import Any

from prevenance.publish.wording import (
    FEW,
    NOT_ENOUGH,
    amount_text,
    count_text,
    is_known,
    metric_interval_text,
    metric_text,
    number_text,
    one_line,
    percent_text,
    shown_model_name,
    total_hits,
)

Report = Mapping[str, Any]


def tested_name(report: Report) -> str:
    """Return the name under which the model in use was tested."""
    return str(report.get("tested_as") or shown_model_name(report))


def too_few(report: Report) -> bool:
    """Return whether there are too few customers with the outcome to claim anything."""
    positives = report.get("positives")
    return not is_known(positives) or positives < FEW


def hits_sentence(report: Report) -> str:
    """Return how many contacts of the test lists, as they would have been shipped, were right, beside the rule and a blind list."""
    periods, told = [dict(period) for period in report.get("periods") or []], report.get("shipped") or {}
    name = tested_name(report)
    right, contacts = told.get("hits"), told.get("contacts")
    if not told.get("periods") or not is_known(right):
        return f"{NOT_ENOUGH}: no test period"
    # A share of five outcomes looks as exact as one of five hundred.
    if too_few(report):
        return f"too little to claim anything: {count_text(report.get('positives'), 'customer')} with the outcome, {FEW} are needed"
    precision = ((report.get("models") or {}).get(name) or {}).get("precision_at_capacity")
    range_ = metric_interval_text("precision_at_capacity", precision)
    text = f"{amount_text(right)} of {number_text(contacts)} contacts were right ({metric_text('precision_at_capacity', precision)}"
    text += f"; 90 % interval {range_})" if range_ else ")"
    others = [("rule", "the simple rule"), ("customer_rules", "your rules"), ("champion", "the champion so far")]
    rivals = [
        f"{amount_text(total_hits(periods, rival))} with {words}"
        for rival, words in others
        if rival != name and total_hits(periods, rival) is not None
    ]
    return text + ": " + ", ".join([*rivals, f"{number_text(total_hits(periods, 'random'), 1)} with a blind list"])


def missed_sentence(report: Report) -> str:
    """Return how many outcomes were on no list, and how many were found too late."""
    told = report.get("shipped") or {}
    right, every = told.get("hits"), told.get("outcomes")
    if not is_known(right) or not every:
        return f"{NOT_ENOUGH}: no outcome in a test period"
    text = f"{amount_text(every - right)} of {number_text(every)} outcomes were on no list ({percent_text((every - right) / every)})"
    text += f": a list holds {number_text(report.get('capacity'))}"
    lead = report.get("lead_time") or {}
    if is_known(lead.get("outcomes")) and lead["outcomes"]:
        text += f"; {number_text(lead.get('too_late'))} of {count_text(lead['outcomes'], 'outcome')} found came too late to act"
    return text


def left_out_sentence(report: Report) -> str:
    """Return what was left out, and what is not judged."""
    customers = (report.get("data") or {}).get("customers") or {}
    tables = ((report.get("data") or {}).get("tables") or {}).values()
    bad = sum(sum((one.get("quarantined") or {}).values()) for one in tables)
    few = sum(one.get("enough") is False for one in report.get("slices") or [])
    opted = customers.get("opted_out") if isinstance(customers, Mapping) else None
    parts = [
        f"{count_text(len(report.get('leakage') or []), 'input')} that knew too much",
        f"{count_text(opted, 'customer')} who opted out" if opted else "",
        f"{count_text(bad, 'row')} that broke the contract" if bad else "",
        f"{count_text(report.get('open_labels'), 'label')} still open" if report.get("open_labels") else "",
        f"a judgement on {count_text(few, 'slice')} with fewer than 30 outcomes" if few else "",
    ]
    return ", ".join(part for part in parts if part)


def stability_sentence(report: Report) -> str:
    """Return whether the reasons of listed customers come back when the model is refitted."""
    one = report.get("reasons_stability") or {}
    if one.get("trivial"):
        return "trivially stable: the rule gives everybody the same reason"
    if not is_known(one.get("share_stable")):
        why = "nobody is listed with a reason" if one.get("refits") else "too few customers or groups to draw from"
        return f"{NOT_ENOUGH}: {why}"
    return (
        f"top-3 stable over {count_text(one.get('refits'), 'refit')} for {percent_text(one['share_stable'])} of listed customers "
        f"({number_text(one.get('stable'))} of {number_text(one.get('listed'))})"
    )


def drift_sentence(report: Report, most: int = 3) -> str:
    """Return which inputs moved since training, the first ``most`` by name."""
    one = report.get("drift") or {}
    if not one.get("looked"):
        return f"{NOT_ENOUGH}: too few customers to compare"
    moved = one.get("moved") or []
    grown = sum(bool(each.get("grown")) for each in moved)
    text = f"{number_text(len(moved))} of {count_text(one['looked'], 'input')} moved since training"
    text += f", {number_text(grown)} of them because more is known now" if grown else ""
    named = [f"{one_line(each.get('feature'), 40)} {one_line(each.get('text'), 60)}" for each in moved if not each.get("grown")][:most]
    return text + (": " + "; ".join(named) if named else "")


def leakage_types_sentence(report: Report) -> str:
    """Return how the eight types of leakage were answered, in one line."""
    told = report.get("leakage_types") or []
    if not told:
        return ""
    counts = {status: [one["type"] for one in told if one.get("status") == status] for status in ("pass", "warn", "fail")}
    parts = [f"{len(names)} {status}" + (f" ({', '.join(names)})" if status != "pass" else "") for status, names in counts.items() if names]
    return f"{len(told)} types of leakage: {', '.join(parts)}"


def slice_name(one: Mapping[str, Any]) -> str:
    """Return a slice's name with its outcomes: ``segment small (143 outcomes)``."""
    return f"{one_line(one.get('column'), 30)} {one_line(one.get('value'), 40)} ({count_text(one.get('positives'), 'outcome')})"


def slice_complaint(one: Mapping[str, Any]) -> str:
    """Return what is wrong with a slice in words, or nothing."""
    if one.get("collapse"):
        return "ranked worse than by the rule"
    attention = (
        f"{percent_text(one.get('contact_share'))} of contacts for {percent_text(one.get('outcome_share'))} of outcomes"
        if one.get("starved")
        else ""
    )
    return "; ".join(part for part in (one_line(one.get("worse") or ""), attention) if part)


def retrain_sentence(report: Report) -> str:
    """Return when to train again: what moved, and in any case within half a year."""
    # What is merely known for more customers than before is no reason to mistrust the model.
    moved = [one for one in (report.get("drift") or {}).get("moved") or [] if not one.get("grown")]
    start = f"{count_text(len(moved), 'input')} moved already: look at them before the lists are trusted. " if moved else ""
    horizon = report.get("horizon_days")
    span = (
        f"every 3 to 6 months, when {number_text(horizon)} more days of outcomes have closed"
        if is_known(horizon)
        else "every 3 to 6 months"
    )
    return f"{start}Train again {span}, and after any change of prices, products or the way things are recorded."

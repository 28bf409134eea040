"""What a run says on the terminal: everything that matters in a minute, every number with its denominator.

No name of a person or a customer is printed; a customer is its id.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.publish import orders, sentences, wording
from prevenance.publish.wording import NOT_ENOUGH, count_text, date_text, is_known, number_text, one_line, percent_text

Report = Mapping[str, Any]

LABEL, WIDTH, MOST = 10, 110, 3


def training_text(report: Report) -> str:
    """Return the summary of a training from its report (report.json as a dict); what the report does not have is said to be missing."""
    parts = [
        ("DATA", _data(report)),
        ("LABEL", _label(report)),
        ("ENOUGH?", [report.get("enough") or NOT_ENOUGH]),
        ("SPLIT", _split(report)),
        ("LEAKAGE", _leakage(report)),
        ("BACKTEST", list(_backtest(report))),
        ("POLICIES", orders.policy_lines(report)),
        ("LEAD TIME", [wording.lead_time_sentence(report)]),
        ("CALIBR.", [wording.calibration_sentence(report)]),
        ("SLICES", _slices(report)),
        ("REASONS", [sentences.stability_sentence(report)]),
        ("DRIFT", [sentences.drift_sentence(report, most=2)]),
        ("CONTACTS", [sentences.contacted_sentence(report)] if report.get("contacted") else []),
        ("CHECKS", _checks(report)),
        ("GATES", [_gates(report)]),
        ("SCORE", [one_line(one, 300) for one in _score(report) if one]),
        ("RESULT", [report.get("chosen", {}).get("why") or NOT_ENOUGH]),
        ("NOTES", _notes(report)),
        ("FILES", _files(report)),
        ("NEXT", [f"{one}   # tonight's list with the model in use"] if (one := (report.get("files") or {}).get("next")) else []),
    ]
    return "\n".join(_block(label, lines) for label, lines in parts if lines) + "\n"


def _block(label: str, lines: list[str]) -> str:
    indented = [" " * LABEL + each for each in lines]
    return "\n".join([f"{label:<{LABEL}}{lines[0]}".rstrip(), *(each.rstrip() for each in indented[1:])])


def _data(report: Report) -> list[str]:
    customers = (data := report.get("data") or {}).get("customers") or {}
    read, opted = (
        (customers.get("read"), customers.get("opted_out")) if isinstance(customers, Mapping) else (customers, data.get("opted_out"))
    )
    text = f"{report.get('source') or wording.DASH} · until {date_text(report.get('as_of'), report.get('timezone') or '')} · customers {number_text(read)}"
    text += f" ({number_text(opted)} opted out, excluded)" if opted else ""
    tables = (data.get("tables") or {}).values()
    if not tables:
        return [text]
    lost = {key: sum(sum((one.get(key) or {}).values()) for one in tables) for key in ("excluded", "quarantined")}
    told = [f"{number_text(count)} {what}" for what, count in lost.items() if count]
    used = f"{number_text(sum(one.get('used') or 0 for one in tables))} rows of {count_text(sum(bool(one.get('read')) for one in tables), 'table')} used"
    return [text, ", ".join([used, *told])]


def _label(report: Report) -> list[str]:
    rows, positives = report.get("snapshots"), report.get("positive_snapshots")
    share = f" ({percent_text(positives / rows, 1)})" if is_known(rows) and is_known(positives) and rows else ""
    customers = f"{number_text(report.get('positives'))} of {count_text(report.get('customers'), 'customer')} had the outcome"
    counted = f"{count_text(positives, 'outcome')} in {count_text(rows, 'snapshot')}{share}; " if is_known(rows) else ""
    waiting = f"; {count_text(report['open_labels'], 'label')} still open, not used" if report.get("open_labels") else ""
    return [one_line(report.get("says") or report.get("target", "")), f"{counted}{customers}{waiting}"]


def _split(report: Report) -> list[str]:
    folds = report.get("folds")
    gap = f"{count_text(report.get('horizon_days'), 'day')} horizon + {number_text(report.get('settle_days') or 0)} to settle"
    if not folds:
        return [f"{NOT_ENOUGH} for a test in time ({gap})"]
    first, last = date_text(folds[0].get("test")), date_text(folds[-1].get("test"))
    span = first if first == last else f"{first} to {last}"
    return [f"{count_text(len(folds), 'test period')} {span}; every label used was closed before each of them ({gap})"]


def _leakage(report: Report) -> list[str]:
    leaks, used = report.get("leakage") or [], report.get("features")
    looked = f"{count_text(used + len(leaks), 'feature')} · {number_text(used)} pass · " if is_known(used) else ""
    named = [f"{one_line(leak.get('feature'), 40):<26} {one_line(leak.get('why'), WIDTH)}{_flattered(leak)}" for leak in leaks[:MOST]]
    more = [f"and {len(leaks) - MOST} more, see report.html"] if len(leaks) > MOST else []
    types = sentences.leakage_types_sentence(report)
    if why := report.get("leakage_not_looked_at"):
        looked_at = f"{count_text(used, 'feature')}, " if is_known(used) else ""
        return [f"{looked_at}none was looked at: {one_line(why, WIDTH)}" + (f" · {types}" if types else "")]
    return [f"{looked}{len(leaks)} left out" + (f" · {types}" if types else ""), *named, *more]


def _flattered(leak: Mapping[str, Any]) -> str:
    return f" (flatters AUC by {number_text(leak.get('flattered_by'), 2)})" if is_known(leak.get("flattered_by")) else ""


def _score(report: Report) -> list[str]:
    """Return what is to be told of the team's health score, and what changes when it is refitted; nothing without one."""
    told = report.get("health_score") or {}
    return [told.get("text") or "", *(told.get("changes") or ())]


def _backtest(report: Report) -> Iterator[str]:
    """Yield the table of hits per test period, then precision and recall at capacity of the models in it."""
    periods = [dict(period) for period in report.get("periods") or []]
    if not periods:
        yield f"{NOT_ENOUGH}: no test period"
        return
    asked = dict.fromkeys((wording.shown_model_name(report), "champion", "rule", "health_score", "customer_rules"))
    names = [name for name in asked if wording.total_hits(periods, name) is not None]
    yield f"capacity = {count_text(report.get('capacity'), 'contact')} a list; hits on each list as shipped:"
    yield _cells("cutoff", "customers", "outcomes", *(wording.model_name(name).lower()[:20] for name in names), "random")
    for period in periods:
        counted = [wording.amount_text(wording.hits_of(period, name)) for name in names]
        yield _cells(
            date_text(period.get("cutoff")),
            number_text(period.get("customers")),
            number_text(period.get("positives")),
            *counted,
            number_text(period.get("random"), 1),
        )
    sums = [wording.amount_text(sum(period.get(key) or 0 for period in periods)) for key in ("customers", "positives")]
    hits = [wording.amount_text(wording.total_hits(periods, name)) for name in names]
    yield _cells("total", *sums, *hits, number_text(wording.total_hits(periods, "random"), 1))
    models = report.get("models") or {}
    for metric, words in (("precision_at_capacity", "precision"), ("recall_at_capacity", "recall")):
        found = [models.get(name, {}).get(metric) for name in names]
        sure = any(wording.metric_interval_text(metric, one) for one in found)
        yield _cells(words, "", "90 %:" if sure else "", *(_spread(metric, one) for one in found))
    yield from (_duel(periods, names[0], rival) for rival in sorted(names[1:], key=lambda name: name != "rule")[:1])


def _spread(metric: str, found: Mapping[str, Any] | None) -> str:
    """Return value and interval in a cell's width: ``42.5 % (30–55)``."""
    low, high = (found or {}).get("low"), (found or {}).get("high")
    whole = f" ({low * 100:.0f}–{high * 100:.0f})" if is_known(low) and is_known(high) else ""
    return wording.metric_text(metric, found) + whole


def _duel(periods: list[dict[str, Any]], ours: str, rival: str) -> str:
    pairs = [(wording.hits_of(period, ours), wording.hits_of(period, rival)) for period in periods]
    both = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
    gap = sum(mine - theirs for mine, theirs in both)
    better = sum(mine > theirs for mine, theirs in both)
    return f"{wording.model_name(ours).lower()} against {wording.model_name(rival).lower()}: {gap:+.0f} hits, better in {better} of {len(both)} periods"


def _cells(*cells: str) -> str:
    return f"{cells[0]:<12}" + "".join(f"{cell:>10}" for cell in cells[1:3]) + "".join(f"{cell:>21}" for cell in cells[3:])


def _slices(report: Report) -> list[str]:
    """Return what stands out: slices that are ranked worse than by the rule or than everyone else, or get too little attention."""
    slices = report.get("slices") or []
    if not slices:
        return [f"{NOT_ENOUGH} for slices"]
    told = [one for one in slices if sentences.slice_complaint(one)]
    told.sort(key=lambda one: (not one.get("collapse"), -(one.get("positives") or 0)))
    few = sum(one.get("enough") is False for one in slices)
    columns = ", ".join(sorted({one_line(one.get("column"), 30) for one in slices}))
    head = f"{count_text(len(slices), 'slice')} by {columns}: {len(told) or 'none'} served worse"
    head += f", {few} not enough data" if few else ""
    more = [f"and {len(told) - MOST} more, see report.html"] if len(told) > MOST else []
    return [head, *(f"! {sentences.slice_name(one)}: {sentences.slice_complaint(one)}" for one in told[:MOST]), *more]


def _checks(report: Report) -> list[str]:
    """Return the checks that did not pass; what moved has its own line."""
    return [
        f"{str(check.get('severity', '')).upper()} {check.get('code', '')} {check.get('title', '')}: {one_line(check.get('text'), 200)}"
        for check in report.get("checks") or []
        if check.get("severity") != "pass" and check.get("code") != "PV008"
    ]


def _notes(report: Report) -> list[str]:
    notes = [one_line(message) for message in report.get("messages") or []]
    return [*notes[:MOST], *([f"and {len(notes) - MOST} more, see report.html"] if len(notes) > MOST else [])]


def _gates(report: Report) -> str:
    gates = report.get("gates") or {}
    return " · ".join(f"{name.replace('_', ' ')} {str(result).upper()}" for name, result in gates.items()) or NOT_ENOUGH


def _files(report: Report) -> list[str]:
    if not (files := report.get("files")):
        return []
    registered = f"{files.get('model', '')}  digest {files.get('digest', '')}"
    return [f"{files.get('folder', '')}/  report.html  model_card.md  report.json · {registered}"]


STATES = {"below_floor": "hardly likelier than usual", "too_late": "too late", "not_enough_data": "not enough data to judge"}


def list_text(
    ranked: pd.DataFrame, folder: Path | None = None, *, rows: int = 10, by: str = "", zone: str = "", until: datetime | None = None
) -> str:
    """Return the first ``rows`` of a ranked list for a terminal, with the counts of what follows, ``by`` what it is ranked, and where it is.

    Days are those of ``zone``; a list of nobody says the newest row known, of ``until``.
    """
    groups = ranked["state"].value_counts()
    worked = ranked[ranked["rank"].notna()]
    said = [f"{number_text(groups[state])} {words}" for state, words in STATES.items() if state in groups]
    new = int((worked["state"] == "new").sum())
    lines = [
        _title(ranked, zone, until),
        f"{len(worked)} of {number_text(len(ranked))} customers to contact, {new} of them new"
        + "".join(f" · {one}" for one in [*said, *([by] if by else [])]),
    ]
    money, shown = bool(worked["expected_value"].notna().any()), worked.head(rows)
    wide = min(60, max([16, *(len(str(one)) for one in shown["customer_id"])]))  # explain takes what stands here
    if len(worked):
        lines.append(
            f"{'':>3} {'customer':<{wide}} {'chance':<29} {'28 d':>6} " + (f"{'expected':>10} " if money else "") + " why, and what to do"
        )
    for row in shown.to_dict("records"):
        lines += _row({str(key): value for key, value in row.items()}, money, wide)
    if len(worked) > rows:
        lines.append(f"    and {len(worked) - rows} more")
    return "\n".join([*lines, *([f"{folder}/"] if folder is not None else [])]) + "\n"


def _title(ranked: pd.DataFrame, zone: str, until: datetime | None) -> str:
    if ranked.empty:
        return "LIST      no customer to judge" + (f"; the newest row known is of {date_text(until, zone)}" if until else "")
    first = ranked.iloc[0]
    ahead = f"the {number_text(int(first['horizon_days']))} days ahead"
    return f"LIST      {first['target']} · {date_text(first['cutoff'], zone)} · {ahead} · data until {date_text(first['data_until'], zone)}"


def _row(row: Mapping[str, Any], money: bool, wide: int) -> list[str]:
    change = row.get("change_28d")
    moved = f"{round(change):+d}" if is_known(change) else wording.DASH
    spread = f"{percent_text(row['score'])}, {percent_text(row['score_low']).removesuffix(' %')}–{percent_text(row['score_high']).removesuffix(' %')}"
    worth = f"{number_text(row['expected_value']):>10} " if money else ""
    head = f"{row['rank']:>3} {one_line(row['customer_id'], wide):<{wide}} {wording.english_chance(row['score']) + ' (' + spread + ')':<29} {moved:>6} {worth} "
    reasons = one_line(row["reasons"], 120) if isinstance(row["reasons"], str) and row["reasons"] else "no single reason stands out"
    action = f" → {one_line(row['action'], 80)} by {row['act_by']}" if isinstance(row["action"], str) else ""
    return [head + reasons, *([" " * (wide + 5) + action.strip()] if action else [])]

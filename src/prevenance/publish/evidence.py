"""The evidence behind a training's choice as its report shows it, in the reader's language: tables of texts and drawings.

What an older report does not hold is left out of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from prevenance.publish.gates import contest_lines, gate_sentences, named_model
from prevenance.publish.pictures import Curve, columns_svg, curves_svg, pairs_svg, steps_svg
from prevenance.publish.wording import DASH, input_text, is_known, one_line
from prevenance.words import Words

if TYPE_CHECKING:
    from markupsafe import Markup

Report = Mapping[str, Any]

METRICS = {"average_precision": 2, "roc_auc": 2, "brier": 3}
"""What is told of a candidate in a test period besides its hits, and its decimals."""


def evidence_view(report: Report, say: Words) -> dict[str, Any]:
    """Return what the template shows: candidates, contest, curves, profit, gates, drift, steps, dictionary; each empty where nothing is known."""
    return {
        "candidates": candidate_table(report, say),
        "contest": contest_lines(report, say),
        "curves": _ready(ranking_pictures(report, say)),
        "chances": _ready([chances_picture(report, say)])[0],
        "profit": {"svg": _ready([profit_picture(report, say)])[0], "says": profit_sentence(report, say)},
        "gates": gate_sentences(report, say),
        "drift": [{"name": name, "svg": _ready([svg])[0]} for name, svg in drift_pictures(report, say)],
        "steps": _ready([steps_picture(report, say)])[0],
        "dictionary": dictionary_rows(report, say),
    }


def candidate_table(report: Report, say: Words) -> dict[str, Any]:
    """Return the heads (cutoffs) and a row per candidate, the one in use first: name, used, tuned and a (hits, metrics) per period and over all."""
    found = report.get("candidates") or []
    cutoffs = sorted({period["cutoff"] for one in found for period in one["periods"]})
    rows = []
    for one in sorted(found, key=lambda one: (one["model"] != report.get("tested_as"), one["model"])):
        by = {period["cutoff"]: period for period in one["periods"]}
        whole = {name: each.get("value") for name, each in ((report.get("models") or {}).get(one["model"]) or {}).items()}
        whole["hits"] = sum(period["hits"] for period in one["periods"])
        cells = [_cell(by.get(cutoff) or {}, say) for cutoff in cutoffs] + [_cell(whole, say)]
        used = one["model"] == report.get("tested_as")
        rows.append({"name": named_model(one["model"], say), "used": used, "tuned": _tuned(one, say), "cells": cells})
    return {"heads": [say.date(cutoff) for cutoff in cutoffs], "rows": rows} if cutoffs else {}


def ranking_pictures(report: Report, say: Words) -> list[str]:
    """Return the curves of the raw ranking: precision and recall, gain, lift."""
    found, used = report.get("ranking") or {}, str(report.get("tested_as") or "")
    names = [name for name in (used, "rule") if found.get(name)]
    if not names:
        return []
    share = partial(say.percent, places=0)
    styles = {name: "s0" if name == used else "s2" for name in names}

    def drawn(across: str, up: str) -> list[Curve]:
        return [Curve(named_model(name, say), styles[name], [(one[across], one[up]) for one in found[name]]) for name in names]

    least = Curve(say("Drawn blindly"), "blind", [(0.0, 0.0), (1.0, 1.0)])
    gain = [Curve(one.name, one.style, [(0.0, 0.0), *one.points]) for one in drawn("share", "recall")]
    contacted, caught = say("customers contacted"), say("outcomes found")
    return [
        curves_svg(drawn("recall", "precision"), say("Precision and recall"), (caught, say("precision")), (share, share)),
        curves_svg([*gain, least], say("Gain"), (contacted, caught), (share, share)),
        curves_svg(
            drawn("share", "lift"), say("Lift"), (contacted, say("times a blind list")), (share, lambda value: say.number(value, 1))
        ),
    ]


def chances_picture(report: Report, say: Words) -> str:
    """Return the histogram of the chances of all test periods, those who had the outcome in it."""
    bins = report.get("chances") or []
    columns = [
        (
            float(one["snapshots"]),
            float(one["outcomes"]),
            say(
                "{snapshots} snapshots from {low} to {high}, {outcomes} with the outcome",
                **{key: say.number(one[key]) for key in ("snapshots", "outcomes")},
                **{key: say.percent(one[key], 1) for key in ("low", "high")},
            ),
        )
        for one in bins
    ]
    ends = (say.percent(0.0), say.percent(bins[-1]["high"])) if bins else ("", "")
    return columns_svg(columns, say("How the chances spread"), ends, say("chance"))


def profit_picture(report: Report, say: Words) -> str:
    """Return what lists of every length would have brought: by what came, and by the chances."""
    found, capacity = report.get("profit") or {}, report.get("capacity")
    points, currency = found.get("points") or [], str(report.get("currency") or "")
    lines = [
        Curve(name, style, [(0.0, 0.0), *((one["contacts"], one[key]) for one in points)])
        for name, style, key in ((say("By what came"), "s0", "net"), (say("By the chances"), "s2", "expected"))
    ]
    mark = (float(capacity), say("capacity")) if is_known(capacity) else None
    show = (lambda value: say.number(value), lambda value: say.money(value, currency))
    return (
        curves_svg(
            lines,
            say("Kept, less costs, by contacts a list"),
            (say("contacts a list"), say("kept, less costs")),
            show,
            mark=mark,
            width=820,
        )
        if points
        else ""
    )


def profit_sentence(report: Report, say: Words) -> str:
    """Return where one more contact stops paying."""
    found = report.get("profit") or {}
    if not found.get("points"):
        return ""
    told = {key: say.number(found[key]) for key in ("best", "best_expected", "contacts", "tests")}
    end = (
        say(
            "Up to the longest list ({contacts} contacts, all that the floor and the rules let through) one more contact pays, by the chances.",
            **told,
        )
        if found["best_expected"] >= found["contacts"]
        else say("By the chances one more contact stops paying after {best_expected} contacts a list.", **told)
    )
    return f"{end} {say('By what came in {tests} test periods the sum was largest at {best} contacts a list.', **told)}"


def drift_pictures(report: Report, say: Words) -> list[tuple[str, str]]:
    """Return (feature, picture) of what moved most: shares of customers in each bin, learned from and now."""
    found = []
    for name, bins in (report.get("drift_bins") or {}).items():
        pairs = [(_bin(one, bins, say), one["before"], one["now"]) for one in bins]
        found.append((one_line(name), pairs_svg(pairs, one_line(name), partial(_moved, say))))
    return found


def steps_picture(report: Report, say: Words) -> str:
    """Return the waterfall of the made-up customer: from the base to its chance, the heaviest inputs one by one."""
    found = report.get("waterfall") or {}
    if not found.get("steps"):
        return ""
    at = float(found["base"])
    steps = [(say("Everybody"), 0.0, at, say.percent(at, 1))]
    others = [{"feature": say("All other inputs"), "value": "", "points": found["rest"]}] if abs(found["rest"]) >= 0.05 else []
    for one in [*found["steps"], *others]:
        value = one["value"]
        shown = (
            ""
            if value == ""
            else f" = {say.number(value, 0 if value == round(value) else 2) if is_known(value) else one_line(value or DASH, 20)}"
        )
        steps.append((f"{one_line(one['feature'])}{shown}", at, at + one["points"] / 100, say.points(one["points"])))
        at += one["points"] / 100
    return steps_svg([*steps, (say("This made-up customer"), 0.0, at, say.percent(at, 1))], say("How a chance comes about"))


def dictionary_rows(report: Report, say: Words) -> list[dict[str, str]]:
    """Return the inputs of the model in words: name, meaning, table, lookback, which way is bad, share known, weight."""
    worse = {"more": say("more"), "less": say("less"), "": DASH}
    return [
        {
            "name": one_line(one["feature"]),
            "means": input_text(say, one["phrase"], one["days"]) if one["phrase"] else DASH,
            "table": one_line(one["table"] or DASH),
            "days": say.days(one["days"]) if is_known(one["days"]) else DASH,
            "worse": worse[str(one["worse"] or "")],
            "known": say.percent(one["known"]),
            "weight": say.percent(one["weight"], 1) if is_known(one["weight"]) else DASH,
        }
        for one in report.get("dictionary") or []
    ]


def _bin(one: Report, bins: Sequence[Report], say: Words) -> str:
    if one["name"]:
        return say("unknown") if one["name"] == "unknown" else one_line(one["name"], 40)
    if one["upto"] is not None:
        return f"≤ {_short(one['upto'], say)}"
    edges = [each["upto"] for each in bins if each["upto"] is not None]
    return f"> {_short(edges[-1], say)}" if edges else say("known")


def _short(value: float, say: Words) -> str:
    return say.number(value, 0 if value == round(value) else 2)


def _moved(say: Words, name: str, before: float, now: float) -> str:
    return say(
        "{name}: {before} of the customers learned from, {now} now", name=name, before=say.percent(before, 1), now=say.percent(now, 1)
    )


def _tuned(one: Report, say: Words) -> str:
    """Return what was tuned of a candidate and how many settings were tried."""
    params = one.get("params") or {}
    if not one.get("trials") or not params:
        return ""
    shown = ", ".join(f"{name} {value}" for name, value in sorted(params.items()))
    return say("{n} {n:setting|settings} tried: {params}", n=one["trials"], params=one_line(shown, 300))


def _cell(found: Report, say: Words) -> tuple[str, str]:
    """Return the hits of a candidate and its metrics in small; a dash where it was not tested."""
    hits = found.get("hits")
    if not is_known(hits):
        return DASH, ""
    return say.number(hits, 0 if abs(hits - round(hits)) < 0.05 else 1), " · ".join(
        say.number(found.get(name), p) for name, p in METRICS.items()
    )


def _ready(drawn: Sequence[str]) -> list[Markup]:
    from markupsafe import Markup

    return [Markup(one) for one in drawn]

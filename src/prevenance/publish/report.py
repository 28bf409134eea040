"""A training told to people: ``report.html``, one self-contained page, and ``model_card.md``.

The page asks nothing of the network, runs no script, and escapes everything that comes from data.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevenance.publish import drawings, orders, sentences, wording
from prevenance.publish.evidence import evidence_view
from prevenance.publish.template import render_template
from prevenance.words import Words
from prevenance.words.saying import said_in

if TYPE_CHECKING:
    from markupsafe import Markup

Report = Mapping[str, Any]

CAPTIONS = {
    "importance": "Which inputs move the chance most, on average over the customers.",
    "beeswarm": "Each dot is a customer: to the right the input raises the chance, to the left it lowers it; red is a high value, blue a low one.",
    "dependence": "How the value of one input (across) moves the chance (up and down).",
}
SAID = {
    "found": sentences.hits_sentence,
    "missed": sentences.missed_sentence,
    "refused": sentences.left_out_sentence,
    "reasons": sentences.stability_sentence,
    "drift": sentences.drift_sentence,
    "contacted": sentences.contacted_sentence,
    "types": sentences.leakage_types_sentence,
    "retrain": sentences.retrain_sentence,
}
"""Sentences by the names that the templates call them by."""


RESULTS = {"pass": "pass", "warn": "warning", "fail": "fail"}
GATE_NAMES = {
    "beats_rivals": "beats its rivals",
    "periods": "enough test periods",
    "signal": "better than a coin",
    "precision_at_capacity": "precision at capacity",
    "brier": "Brier score",
    "slices": "slices",
    "checks": "checks",
    "enough": "enough data",
}


def report_page(report: Report, pictures: Sequence[Path] = (), say: Words = wording.ENGLISH) -> str:
    """Return ``report.html`` for a report (report.json as a dict); ``pictures`` are PNG files to show, such as SHAP plots.

    Sections that the report has nothing for say "not enough data". What training said in sentences of its own is in the reader's language
    where the report is the one that training made; of one that was read from its file those stay English.
    """
    return _render(
        "report.html.j2",
        report,
        say,
        pictures=[_picture(path, say) for path in pictures],
        drawn=_drawn(report, say),
        bars=_bars(report, say),
        evidence=evidence_view(report, say),
    )


def model_card(report: Report, say: Words = wording.ENGLISH) -> str:
    """Return ``model_card.md`` for a report: what the model is for, what it stands on, how good it is and where it fails."""
    return _render("model_card.md.j2", report, say)


def _render(template: str, report: Report, say: Words, **more: Any) -> str:
    present = {key: value for key, value in report.items() if value is not None}
    periods = [dict(period) for period in present.get("periods") or []]
    models = wording.model_order(present)
    return render_template(
        template,
        say=say,
        report=present,
        periods=periods,
        models=models,
        tested=[name for name in models if wording.total_hits(periods, name) is not None],
        intervals=any(wording.is_known(one.get("low")) for name in models for one in present["models"][name].values()),
        in_use=_in_use(present),
        metrics=wording.metric_names(say),
        results={name: say(RESULTS[name]) for name in RESULTS},
        gate_names={name: say(GATE_NAMES[name]) for name in GATE_NAMES},
        lead_time=wording.lead_time_sentence(present, say),
        calibration=wording.calibration_sentence(present, say),
        said={name: sentence(present, say) for name, sentence in SAID.items()},
        claims=not sentences.too_few(present),
        orders={
            "says": orders.floor_sentence(present, say),
            "heads": orders.heads(say),
            "rows": orders.policy_rows(present, say),
        },
        verdict=_verdict(present, say),
        why=_why(present, say),
        **_large(present, say),
        **more,
    )


def _large(report: Report, say: Words) -> dict[str, str]:
    """Return the numbers of the first screen in large: precision at capacity, and the share of outcomes on no list."""
    name, told = sentences.tested_name(report), report.get("shipped") or {}
    right, every = told.get("hits"), told.get("outcomes")
    precision = ((report.get("models") or {}).get(name) or {}).get("precision_at_capacity")
    known = precision and not sentences.too_few(report) and wording.is_known(precision.get("value"))
    return {
        "precision": wording.metric_text("precision_at_capacity", precision, say) if known else "",
        "unfound": wording.percent_text((every - right) / every, say=say) if wording.is_known(right) and every else "",
    }


def _in_use(report: Report) -> str:
    """Return the row of the model in use: the name it was tested by, which for a champion that stays is not its kind."""
    return str(report.get("tested_as") or (report.get("chosen") or {}).get("model") or "")


def _verdict(report: Report, say: Words) -> str:
    """Return in a few words what came out: promoted, kept or rules."""
    chosen = report.get("chosen") or {}
    model = wording.model_name(chosen.get("model"), say=say)
    if chosen.get("promoted"):
        return say("{model} is promoted", model=model)
    return say("The simple rule is in use") if str(chosen.get("model") or "rule") == "rule" else say("{model} stays in use", model=model)


def _why(report: Report, say: Words) -> str:
    """Return the verdict's sentence without the word that the headline says already."""
    told = said_in(say, (report.get("chosen") or {}).get("why") or "")
    for word in (say("not promoted: "), say("promoted: "), "not promoted: ", "promoted: "):
        told = told.removeprefix(word)
    return told[:1].upper() + told[1:]


def _drawn(report: Report, say: Words) -> dict[str, Markup]:
    """Return the drawings of the page by name, ready to stand in it; what cannot be drawn is empty."""
    from markupsafe import Markup

    found = {
        "folds": drawings.folds_svg(report.get("folds") or [], say),
        "hits": drawings.hits_svg(report.get("periods") or [], wording.shown_model_name(report), say),
        "reliability": ""
        if sentences.too_few(report)
        else drawings.reliability_svg((report.get("calibration") or {}).get("bins") or [], say),
        "weeks": drawings.warning_weeks_svg((report.get("lead_time") or {}).get("weeks") or [], say),
        "policies": orders.policies_svg(report, say),
        "gaps": drawings.power_svg(report.get("gaps") or [], say),
    }
    return {name: Markup(svg) for name, svg in found.items()}


def _bars(report: Report, say: Words) -> Callable[[Mapping[str, Any]], Markup]:
    """Return the function that draws a slice's two shares, on one scale for the whole table."""
    from markupsafe import Markup

    told = [one.get(key) for one in report.get("slices") or [] for key in ("outcome_share", "contact_share")]
    most = max((value for value in told if wording.is_known(value)), default=0.0)
    return lambda one: Markup(drawings.shares_svg(one, most, say))


def _picture(path: Path, say: Words) -> dict[str, str]:
    """Return a picture as it stands in the page, and what it shows."""
    kind = path.stem.partition("_")[0]
    caption = say(CAPTIONS[kind]) if kind in CAPTIONS else path.stem.replace("_", " ")
    return {"url": f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}", "caption": caption, "name": path.stem}

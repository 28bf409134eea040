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
from prevenance.words import Words, words

if TYPE_CHECKING:
    from markupsafe import Markup

Report = Mapping[str, Any]

CAPTIONS = {
    "importance": "Which inputs move the chance most, on average over the customers.",
    "beeswarm": "Each dot is a customer: to the right the input raises the chance, to the left it lowers it; red is a high value, blue a low one.",
    "dependence": "How the value of one input (across) moves the chance (up and down).",
}
ENGLISH = words("en")
SAID = {
    "found": sentences.hits_sentence,
    "missed": sentences.missed_sentence,
    "refused": sentences.left_out_sentence,
    "reasons": sentences.stability_sentence,
    "drift": sentences.drift_sentence,
    "types": sentences.leakage_types_sentence,
    "retrain": sentences.retrain_sentence,
}
"""Sentences by the names that the templates call them by."""


def report_page(report: Report, pictures: Sequence[Path] = (), say: Words = ENGLISH) -> str:
    """Return ``report.html`` for a report (report.json as a dict); ``pictures`` are PNG files to show, such as SHAP plots.

    Sections that the report has nothing for say "not enough data".
    """
    shown = {"drawn": _drawn(report), "bars": _bars(report), "evidence": evidence_view(report, say), "say": say}
    return _render("report.html.j2", report, pictures=[_picture(path) for path in pictures], **shown)


def model_card(report: Report) -> str:
    """Return ``model_card.md`` for a report: what the model is for, what it stands on, how good it is and where it fails."""
    return _render("model_card.md.j2", report)


def _render(template: str, report: Report, **more: Any) -> str:
    present = {key: value for key, value in report.items() if value is not None}
    periods = [dict(period) for period in present.get("periods") or []]
    models = wording.model_order(present)
    return render_template(
        template,
        report=present,
        periods=periods,
        models=models,
        tested=[name for name in models if wording.total_hits(periods, name) is not None],
        intervals=any(wording.is_known(one.get("low")) for name in models for one in present["models"][name].values()),
        in_use=_in_use(present),
        metrics=wording.METRICS,
        lead_time=wording.lead_time_sentence(present),
        calibration=wording.calibration_sentence(present),
        said={name: sentence(present) for name, sentence in SAID.items()},
        claims=not sentences.too_few(present),
        orders={"says": orders.floor_sentence(present), "heads": list(orders.COLUMNS.values()), "rows": orders.policy_rows(present)},
        verdict=_verdict(present),
        why=_why(present),
        **_large(present),
        **more,
    )


def _large(report: Report) -> dict[str, str]:
    """Return the numbers of the first screen in large: precision at capacity, and the share of outcomes on no list."""
    name, told = sentences.tested_name(report), report.get("shipped") or {}
    right, every = told.get("hits"), told.get("outcomes")
    precision = ((report.get("models") or {}).get(name) or {}).get("precision_at_capacity")
    known = precision and not sentences.too_few(report) and wording.is_known(precision.get("value"))
    return {
        "precision": wording.metric_text("precision_at_capacity", precision) if known else "",
        "unfound": wording.percent_text((every - right) / every) if wording.is_known(right) and every else "",
    }


def _in_use(report: Report) -> str:
    """Return the row of the model in use: the name it was tested by, which for a champion that stays is not its kind."""
    return str(report.get("tested_as") or (report.get("chosen") or {}).get("model") or "")


def _verdict(report: Report) -> str:
    """Return in a few words what came out: promoted, kept or rules."""
    chosen = report.get("chosen") or {}
    if chosen.get("promoted"):
        return f"{wording.model_name(chosen.get('model'))} is promoted"
    kept = str(chosen.get("model") or "rule")
    return "The simple rule is in use" if kept == "rule" else f"{wording.model_name(kept)} stays in use"


def _why(report: Report) -> str:
    """Return the verdict's sentence without the word that the headline says already."""
    text = str((report.get("chosen") or {}).get("why") or "")
    text = text.removeprefix("not promoted: ").removeprefix("promoted: ")
    return text[:1].upper() + text[1:]


def _drawn(report: Report) -> dict[str, Markup]:
    """Return the drawings of the page by name, ready to stand in it; what cannot be drawn is empty."""
    from markupsafe import Markup

    found = {
        "folds": drawings.folds_svg(report.get("folds") or []),
        "hits": drawings.hits_svg(report.get("periods") or [], wording.shown_model_name(report)),
        "reliability": "" if sentences.too_few(report) else drawings.reliability_svg((report.get("calibration") or {}).get("bins") or []),
        "weeks": drawings.warning_weeks_svg((report.get("lead_time") or {}).get("weeks") or []),
        "policies": orders.policies_svg(report),
        "gaps": drawings.power_svg(report.get("gaps") or []),
    }
    return {name: Markup(svg) for name, svg in found.items()}


def _bars(report: Report) -> Callable[[Mapping[str, Any]], Markup]:
    """Return the function that draws a slice's two shares, on one scale for the whole table."""
    from markupsafe import Markup

    told = [one.get(key) for one in report.get("slices") or [] for key in ("outcome_share", "contact_share")]
    most = max((value for value in told if wording.is_known(value)), default=0.0)
    return lambda one: Markup(drawings.shares_svg(one, most))


def _picture(path: Path) -> dict[str, str]:
    """Return a picture as it stands in the page, and what it shows."""
    caption = CAPTIONS.get(path.stem.partition("_")[0], path.stem.replace("_", " "))
    return {"url": f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}", "caption": caption, "name": path.stem}

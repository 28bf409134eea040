"""A training told to people: ``report.html``, one self-contained page, and ``model_card.md``.

The page asks nothing of the network, runs no script, and escapes everything that comes from data.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevenance.publish import drawings, sentences, wording

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

Report = Mapping[str, Any]

TEMPLATES = Path(__file__).parent / "templates"

CAPTIONS = {
    "importance": "Which inputs move the chance most, on average over the customers.",
    "beeswarm": "Each dot is a customer: to the right the input raises the chance, to the left it lowers it; red is a high value, blue a low one.",
    "dependence": "How the value of one input (across) moves the chance (up and down).",
}
SAID = ("found", "missed", "refused", "reasons", "drift", "types", "retrain")
"""Sentences that the templates call by name."""
MARKS = {"pass": "✓", "warn": "!", "fail": "✗"}


def page(report: Report, pictures: Sequence[Path] = ()) -> str:
    """Return ``report.html`` for a report (report.json as a dict); ``pictures`` are PNG files to show, such as SHAP plots.

    Sections that the report has nothing for say "not enough data".
    """
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    shown = [{"url": _url(path.read_bytes(), "png"), "caption": _caption(path.stem), "name": path.stem} for path in pictures]
    drawn = {"drawn": _drawn(report), "bars": _bars(report)}
    return _render("report.html.j2", report, style=style, style_hash=_hash(style), pictures=shown, **drawn)


def card(report: Report) -> str:
    """Return ``model_card.md`` for a report: what the model is for, what it stands on, how good it is and where it fails."""
    return _render("model_card.md.j2", report)


def _render(template: str, report: Report, **more: object) -> str:
    present = {key: value for key, value in report.items() if value is not None}
    periods = [dict(period) for period in present.get("periods") or []]
    models = wording.order(present)
    return (
        _templates()
        .get_template(template)
        .render(
            report=present,
            periods=periods,
            models=models,
            tested=[name for name in models if wording.total(periods, name) is not None],
            intervals=any(wording.known(one.get("low")) for name in models for one in present["models"][name].values()),
            in_use=_in_use(present),
            metrics=wording.METRICS,
            lead_time=wording.lead_time(present),
            calibration=wording.calibration(present),
            said={name: getattr(sentences, name)(present) for name in SAID},
            claims=not sentences.too_few(present),
            verdict=_verdict(present),
            why=_why(present),
            **_large(present, periods),
            **more,
        )
    )


def _large(report: Report, periods: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the numbers of the first screen in large: precision at capacity, and the share of outcomes on no list."""
    name = sentences.at_work(report)
    right, every = wording.total(periods, name), wording.total(periods, "positives")
    precision = ((report.get("models") or {}).get(name) or {}).get("precision_at_capacity")
    known = precision and not sentences.too_few(report) and wording.known(precision.get("value"))
    return {
        "precision": wording.estimate("precision_at_capacity", precision) if known else "",
        "unfound": wording.percent((every - right) / every) if right is not None and every else "",
    }


def _in_use(report: Report) -> str:
    """Return the row of the model in use: the name it was tested by, which for a champion that stays is not its kind."""
    return str(report.get("tested_as") or (report.get("chosen") or {}).get("model") or "")


def _verdict(report: Report) -> str:
    """Return in a few words what came out: promoted, kept or rules."""
    chosen = report.get("chosen") or {}
    if chosen.get("promoted"):
        return f"{wording.model(chosen.get('model'))} is promoted"
    kept = str(chosen.get("model") or "rule")
    return "The simple rule is in use" if kept == "rule" else f"{wording.model(kept)} stays in use"


def _why(report: Report) -> str:
    """Return the verdict's sentence without the word that the headline says already."""
    text = str((report.get("chosen") or {}).get("why") or "")
    text = text.removeprefix("not promoted: ").removeprefix("promoted: ")
    return text[:1].upper() + text[1:]


def _drawn(report: Report) -> dict[str, Markup]:
    """Return the drawings of the page by name, ready to stand in it; what cannot be drawn is empty."""
    from markupsafe import Markup

    found = {
        "folds": drawings.folds(report.get("folds") or []),
        "hits": drawings.hits(report.get("periods") or [], wording.shown(report)),
        "reliability": "" if sentences.too_few(report) else drawings.reliability((report.get("calibration") or {}).get("bins") or []),
        "weeks": drawings.weeks((report.get("lead_time") or {}).get("weeks") or []),
        "gaps": drawings.gaps(report.get("gaps") or []),
    }
    return {name: Markup(svg) for name, svg in found.items()}


def _bars(report: Report) -> Callable[[Mapping[str, Any]], Markup]:
    """Return the function that draws a slice's two shares, on one scale for the whole table."""
    from markupsafe import Markup

    told = [one.get(key) for one in report.get("slices") or [] for key in ("outcome_share", "contact_share")]
    most = max((value for value in told if wording.known(value)), default=0.0)
    return lambda one: Markup(drawings.shares(one, most))


@cache
def _templates() -> Environment:
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is None or not name.endswith(".md.j2"),
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "number": wording.number,
        "amount": wording.amount,
        "percent": wording.percent,
        "day": wording.day,
        "line": wording.line,
        "capital": _capital,
        "model": wording.model,
        "md": _markdown,
        "words": lambda text: wording.line(text).replace("_", " "),
        "mark": lambda result: MARKS.get(str(result), "?"),
    }
    made.globals |= {"estimate": wording.estimate, "between": wording.between, "hits": wording.hits, "total": wording.total}
    made.globals |= {"known": wording.known, "plural": wording.plural, "unfair": sentences.unfair, "slice_of": sentences.slice_of}
    return made


def _markdown(text: object, longest: int = 300) -> str:
    """Return text that is text in Markdown: no markup, no HTML, no end of a table's cell."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", wording.line(text, longest))


def _capital(text: object) -> str:
    """Return a sentence's beginning in capitals, and no line break before a percent sign."""
    return (str(text)[:1].upper() + str(text)[1:]).replace(" %", "\u00a0%")


def _caption(name: str) -> str:
    return CAPTIONS.get(name.partition("_")[0], name.replace("_", " "))


def _url(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

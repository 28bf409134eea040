"""The training report for people: one self-contained page and a model card."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from prevenance.writers import summary, wording

Report = Mapping[str, Any]
HERE = Path(__file__).parent / "templates"
METRICS = {
    "precision_at_capacity": "right among those listed",
    "recall_at_capacity": "found of all outcomes",
    "lift_at_capacity": "times better than a blind list",
    "average_precision": "average precision",
    "brier": "Brier score",
    "observed_over_expected": "seen / predicted",
    "roc_auc": "AUC",
}
PICTURES = {
    "importance": "What weighs most",
    "beeswarm": "How each customer's value moves the chance",
    "dependence": "The chance along one feature",
}


def page(report: Report, pictures: Sequence[Path] = ()) -> str:
    """Return report.html: one file, no request outside, no script; ``pictures`` are PNG files, taken in."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {
        name: getattr(wording, name) for name in ("estimate", "between", "number", "amount", "percent", "model", "day", "line")
    }
    return environment.get_template("report.html").render(**_content(report), pictures=[_picture(path) for path in pictures])


def card(report: Report) -> str:
    """Return model_card.md: what the model is for, what it was learned from, how good it is and where it is not."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # noqa: S701
    environment.globals |= {name: getattr(wording, name) for name in ("estimate", "between", "number", "percent", "model", "day", "line")}
    environment.filters["plain"] = lambda text: escape(wording.line(text, 400), quote=False).replace("|", "\\|")
    return environment.get_template("model_card.md").render(**_content(report))


def _content(report: Report) -> dict[str, Any]:
    periods = report.get("periods") or []
    names = [name for name in wording.order(report) if name in (report.get("models") or {})]
    return {
        "report": report,
        "names": names,
        "metrics": METRICS,
        "models": report.get("models") or {},
        "periods": [{**period, "shown": [wording.hits(period, name) for name in names if name != "base_rate"]} for period in periods],
        "chosen": report.get("chosen") or {},
        "shown": wording.shown(report),
        "lead_time": summary.lead_time(report),
        "calibration": summary.calibration(report),
        "bins": (report.get("calibration") or {}).get("bins") or [],
        "tables": (report.get("data") or {}).get("tables") or {},
        "customers": (report.get("data") or {}).get("customers") or {},
        "starving": summary.starving,
    }


def _picture(path: Path) -> dict[str, str]:
    kind = path.stem.partition("_")[0]
    return {"title": PICTURES.get(kind, path.stem), "data": base64.b64encode(path.read_bytes()).decode()}

"""The door to jinja2: every page is one file, its style and scripts stand in it, nothing else may run, nothing is asked of the network.

The policy names the style and each script by its SHA-256, so text that slipped through every other guard would still not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevenance.publish import sentences, wording
from prevenance.words.saying import Saying, said_in, saying

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
FIRST_SCRIPT = 'document.documentElement.classList.add("js")'
"""Runs before anything is drawn, so that nothing jumps."""

MARKS = {"pass": "✓", "warn": "!", "fail": "✗"}


def render_template(template: str, *, style: str = "report.css", scripts: Sequence[str] = (), **values: Any) -> str:
    """Return a template with ``values``, its style, and the scripts (files beside the template, run as one), as text that UTF-8 can hold."""
    css = _read(style)
    # One function around all files: their names must not meet those of the browser.
    script = "(() => {\n" + "".join(map(_read, scripts)) + "})();" if scripts else ""
    hashes = " ".join(f"'{_hash(one)}'" for one in (FIRST_SCRIPT, script)) if scripts else "'none'"
    policy = f"default-src 'none'; style-src '{_hash(css)}'; script-src {hashes}; base-uri 'none'; form-action 'none'"
    page = {"style": css, "style_hash": _hash(css), "first_script": FIRST_SCRIPT, "script": script, "policy": policy}
    return utf8_text(_environment().get_template(template).render(**page, **values))


def style_text(name: str) -> str:
    """Return a style as its file holds it, for a picture that stands alone."""
    return _read(name)


def utf8_text(text: str) -> str:
    """Return a text that can be written as UTF-8: half a character becomes a question mark."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _hash(text: str) -> str:
    """Return the hash of a style or script as a policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        # Markdown has escapes of its own (`md`); those of HTML would be printed.
        autoescape=lambda name: name is None or not name.endswith(".md.j2"),
        # What an older report does not hold is missing on the page; it does not break it.
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "number": _spoken(wording.number_text),
        "amount": _spoken(wording.amount_text),
        "percent": _spoken(wording.percent_text),
        "day": _spoken(wording.day_text),
        "line": wording.one_line,
        "model": _spoken(wording.model_name),
        "capital": _capital,
        "md": _markdown,
        "words": lambda text: wording.one_line(text).replace("_", " "),
        "mark": lambda result: MARKS.get(str(result), "?"),
    }
    made.globals |= {
        "estimate": wording.metric_text,
        "between": wording.metric_interval_text,
        "hits": wording.hits_of,
        "total": wording.total_hits,
    }
    made.globals |= {
        "known": wording.is_known,
        "said_in": said_in,
        "saying": saying,
        "is_saying": lambda text: isinstance(text, Saying),
        "unfair": sentences.slice_complaint,
        "slice_of": sentences.slice_name,
    }
    return made


def _spoken(told: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that speaks the page's language: ``told(value, ..., say=)``."""
    from jinja2 import pass_context

    @pass_context
    def in_language(context: Any, value: object, *more: Any) -> str:
        return told(value, *more, say=context.get("say") or wording.ENGLISH)

    return in_language


def _markdown(text: object, longest: int = 300) -> str:
    """Return text that is text in Markdown: no markup, no HTML, no end of a table's cell."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", wording.one_line(text, longest))


def _capital(text: object) -> str:
    """Return a sentence's beginning in capitals, and no line break before a percent sign."""
    return (str(text)[:1].upper() + str(text)[1:]).replace(" %", "\u00a0%")

"""A page that is one file: its style and scripts stand in it, nothing else may run, nothing is asked of the network.

The policy names the style and each script by its SHA-256, so text that slipped through every other guard would still not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from prevenance.publish.report import TEMPLATES
from prevenance.words import Words

if TYPE_CHECKING:
    from jinja2 import Environment

FIRST_SCRIPT = 'document.documentElement.classList.add("js")'
"""Runs before anything is drawn, so that nothing jumps."""


def enclosed(template: str, say: Words, *, scripts: Sequence[str] = (), **values: Any) -> str:
    """Return a page: the template with ``values``, the style, and the scripts (files beside the template, run as one)."""
    style = _read("list.css")
    script = "(() => {\n" + "".join(map(_read, scripts)) + "})();" if scripts else ""
    allowed = [FIRST_SCRIPT, script] if scripts else []
    told = (
        _templates()
        .get_template(template)
        .render(
            say=say,
            language=say.language,
            style=style,
            first_script=FIRST_SCRIPT,
            script=script,
            policy=policy(style, allowed),
            **values,
        )
    )
    return writable(told)


def writable(told: str) -> str:
    """Return a text that can be written as UTF-8: half a character becomes a question mark."""
    return told.encode("utf-8", errors="replace").decode("utf-8")


def policy(style: str, scripts: Sequence[str]) -> str:
    """Return the content security policy of a page: this style, these scripts, and nothing else."""
    sources = " ".join(f"'{digest(script)}'" for script in scripts) or "'none'"
    return f"default-src 'none'; style-src '{digest(style)}'; script-src {sources}; base-uri 'none'; form-action 'none'"


def digest(text: str) -> str:
    """Return the hash of a style or script as a policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader

    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True
    )

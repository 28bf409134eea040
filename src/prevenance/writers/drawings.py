"""Small pictures as SVG text: no library, no font, the same bytes every time. Colour is never the only sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from prevenance.writers import wording
from prevenance.writers.wording import amount, day, known, model, percent, total

INK, GREY, PALE = "#1d2733", "#6b7785", "#d5dbe1"
COLOURS = ("#1f5f99", "#8a5a00", "#6b7785", "#a9b4bf")
"""Of the models in a picture, in their order."""

_ENDS = (0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1.0)


def reliability(bins: Sequence[Mapping[str, Any]], *, size: int = 340) -> str:
    """Return predicted (across) against seen (up): a dot per tenth of the customers, a bar where chance alone would put it.

    Empty text if there is nothing to draw.
    """
    dots = [one for one in bins if known(one.get("predicted")) and known(one.get("seen"))]
    if not dots:
        return ""
    farthest = max(max(one["predicted"], one["seen"], one.get("high") or 0.0) for one in dots)
    edge, most = 46, next((end for end in _ENDS if end >= farthest), 1.0)

    def x(share: float) -> str:
        return f"{edge + share / most * (size - edge - 28):.1f}"

    def y(share: float) -> str:
        return f"{size - edge - share / most * (size - edge - 28):.1f}"

    ticks = [most * step / 4 for step in range(5)]
    parts = [f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(most)}" y2="{y(most)}" stroke="{PALE}" stroke-width="2"/>']
    parts += [_text(x(tick), size - edge + 18, percent(tick)) for tick in ticks]
    parts += [_text(edge - 8, float(y(tick)) + 4, percent(tick), "end") for tick in ticks]
    for one in dots:
        if known(one.get("low")) and known(one.get("high")):
            place = x(one["predicted"])
            parts.append(
                f'<line x1="{place}" y1="{y(one["low"])}" x2="{place}" y2="{y(one["high"])}" stroke="{GREY}" stroke-width="4" opacity="0.4"/>'
            )
        parts.append(f'<circle cx="{x(one["predicted"])}" cy="{y(one["seen"])}" r="4" fill="{COLOURS[0]}"/>')
    parts += [_text((size + edge) / 2, size - 8, "predicted"), _text(edge, 14, "seen")]
    return _svg(size, size, "Predicted against seen, in tenths of the customers", parts)


def hits(periods: Sequence[Mapping[str, Any]], shown: str, *, width: int = 760, height: int = 230) -> str:
    """Return the hits of each test period as bars: the model ``shown``, its rivals and a blind list. Empty text if there are none."""
    names = [name for name in dict.fromkeys([shown, "champion", "rule", "random"]) if total(periods, name) is not None]
    most = max((value for period in periods for name in names if (value := wording.hits(period, name)) is not None), default=0.0)
    if not names or not most:
        return ""
    wide, base = (width - 20) / len(periods), height - 26
    bar = min(wide / (len(names) + 1), 46.0)
    parts = []
    for place, period in enumerate(periods):
        start = 10 + place * wide + (wide - bar * len(names)) / 2
        for number, name in enumerate(names):
            parts += _bar(wording.hits(period, name), start + number * bar, base, bar, (base - 44) / most, COLOURS[number])
        parts.append(_text(10 + (place + 0.5) * wide, height - 8, day(period.get("cutoff"))))
    for number, name in enumerate(names):
        label = "Blind list" if name == "random" else model(name)
        parts.append(
            f'<rect x="{10 + 170 * number}" y="4" width="12" height="12" fill="{COLOURS[number]}"/>{_text(28 + 170 * number, 14, label, "start")}'
        )
    return _svg(width, height, "Hits among the contacts of each test period", parts)


def _bar(value: float | None, left: float, base: float, width: float, scale: float, colour: str) -> list[str]:
    if value is None:
        return []
    tall = value * scale
    rect = f'<rect x="{left + 1:.1f}" y="{base - tall:.1f}" width="{width - 2:.1f}" height="{tall:.1f}" fill="{colour}"/>'
    return [rect, _text(left + width / 2, base - tall - 4, amount(value))]


def _text(x: float | str, y: float | str, text: str, anchor: str = "middle") -> str:
    left, top = (each if isinstance(each, str) else f"{each:.1f}" for each in (x, y))
    return f'<text x="{left}" y="{top}" text-anchor="{anchor}" font-family="sans-serif" font-size="12" fill="{INK}">{escape(text)}</text>'


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )

"""A page of proof: what is known first, then what to know before it is believed, then tables; the same frame for every report of this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prevenance.publish.shapes import svg_line, svg_picture, svg_text, svg_title
from prevenance.publish.template import render_template
from prevenance.words import Words


@dataclass(frozen=True)
class Section:
    """A part of a page: a title, what it shows, at will a picture (SVG of ours), and a table whose first ``text`` columns are text."""

    title: str
    about: str = ""
    head: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    picture: str = ""
    text: int = 1


def proof_page(
    say: Words, title: str, stamp: Mapping[str, str], lead: Sequence[str], notes: Sequence[str], sections: Sequence[Section]
) -> str:
    """Return the page; ``stamp`` has date, source and run. Every text of the data is escaped."""
    told: dict[str, Any] = {"title": title, "stamp": stamp, "lead": lead, "notes": notes}
    shown = [one for one in sections if one.rows or one.about]
    return render_template("proof.html.j2", style="support.css", say=say, language=say.language, sections=shown, **told)


def pairs_svg(label: str, bars: Sequence[tuple[str, float, float, str]]) -> str:
    """Return a picture of pairs of bars, the first filled and the second hatched by its outline: name, first, second, what they are called."""
    if not bars:
        return ""
    most = max([1.0, *(max(first, second) for _, first, second, _ in bars)])
    width, height, base = 720, 150, 120
    step = (width - 40) / len(bars)
    wide = min(step * 0.36, 40)
    marks = [svg_line(30, base, width - 10, base, "grid")]
    for number, (name, first, second, told) in enumerate(bars):
        middle = 40 + step * (number + 0.5) - step * 0.1
        shapes = [
            f'<rect x="{middle - wide:.1f}" y="{base - 100 * first / most:.1f}" width="{wide:.1f}" height="{100 * first / most:.1f}" class="p1"/>',
            f'<rect x="{middle + 1:.1f}" y="{base - 100 * second / most:.1f}" width="{wide:.1f}" height="{100 * second / most:.1f}" class="step"/>',
        ]
        marks.append(f"<g>{svg_title(told)}{''.join(shapes)}</g>")
        if len(bars) <= 14 or number % (len(bars) // 10) == 0:
            marks.append(svg_text(middle, height - 12, name, style="tick"))
    return svg_picture(width, height, label, marks, "trend-chart")


def interval_svg(label: str, rows: Sequence[tuple[str, float, float, float]], least: float, most: float, mark: float) -> str:
    """Return a picture of intervals: name, value, low and high on a line from ``least`` to ``most``, with a line at ``mark``."""

    def x(value: float) -> float:
        return 190 + 500 * (min(max(value, least), most) - least) / (most - least)

    height = 26 * len(rows) + 16
    marks = [svg_line(x(mark), 4, x(mark), height - 8, "grid")]
    for number, (name, value, low, high) in enumerate(rows):
        y = 20 + 26 * number
        drawn = [svg_line(x(low), y, x(high), y, "trend"), f'<circle cx="{x(value):.1f}" cy="{y}" r="4" class="dot"/>']
        marks.append(f"<g>{svg_title(name)}{''.join(drawn)}</g>{svg_text(180, y + 4, name, 'end', 'tick')}")
    return svg_picture(700, height, label, marks, "trend-chart")

"""The marks that every picture is drawn with: SVG as text, the same values the same bytes; text is escaped, colours are the page's."""

from collections.abc import Sequence
from html import escape

from prevenance.publish import wording


def svg_line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a line with a class."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def svg_title(text: str) -> str:
    """Return what a mark is called where somebody points at it."""
    return f"<title>{escape(wording.one_line(text))}</title>"


def svg_text(x: float, y: float, text: str, anchor: str = "middle", style: str = "") -> str:
    """Return a text of one line; ``anchor`` is which of its ends stands at ``x``."""
    named = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(wording.one_line(text))}</text>'


def svg_picture(width: int, height: int, label: str, parts: Sequence[str], style: str = "chart", *, stretched: bool = False) -> str:
    """Return a picture of its marks with a name for those who cannot see it; one that is ``stretched`` fills its place, whatever its shape."""
    stretch = 'preserveAspectRatio="none" ' if stretched else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{style}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'{stretch}role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )

"""Curves and bars of the training report as inline SVG, as ``drawings``: no library, the page's own colours, the same bytes every time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prevenance.publish import wording
from prevenance.publish.shapes import svg_line, svg_picture, svg_text, svg_title

Points = Sequence[tuple[float, float]]
Said = Callable[[float], str]


@dataclass(frozen=True)
class Curve:
    """A line of a picture: its name, its class (``s0`` is the model in use) and its points (x, y)."""

    name: str
    style: str
    points: Points


def curves_svg(
    curves: Sequence[Curve],
    label: str,
    axes: tuple[str, str],
    show: tuple[Said, Said],
    *,
    mark: tuple[float, str] | None = None,
    width: int = 460,
    height: int = 300,
) -> str:
    """Return lines over one scale that holds nought; ``axes`` names across and up, ``show`` tells their numbers, ``mark`` is an upright line with its text.

    Empty text if no line has two points.
    """
    lines = [one for one in curves if len(one.points) > 1]
    if not lines:
        return ""
    across = [x for one in lines for x, _ in one.points] + [0.0]
    up = [y for one in lines for _, y in one.points] + [0.0]
    (left, right), (base, top) = (64.0, width - 14.0), (height - 44.0, 40.0)
    x, y = _scale(min(across), max(across), left, right), _scale(min(up), max(up), base, top)
    parts = []
    for step in range(5):
        tick = min(up) + (max(up) - min(up)) * step / 4
        parts += [svg_line(left, y(tick), right, y(tick), "grid"), svg_text(left - 8, y(tick) + 4, show[1](tick), "end")]
        tick = min(across) + (max(across) - min(across)) * step / 4
        parts.append(svg_text(x(tick), base + 18, show[0](tick), "end" if step == 4 else "middle"))
    parts.append(svg_line(left, y(0.0), right, y(0.0), "axis"))
    if mark and min(across) <= mark[0] <= max(across):
        parts += [svg_line(x(mark[0]), base, x(mark[0]), top - 4, "exact"), svg_text(x(mark[0]) + 5, top + 8, mark[1], "start", "value")]
    parts += [_path(one, [(x(a), y(b)) for a, b in one.points]) for one in lines]
    wide = [40 + 6.6 * len(one.name) for one in lines]
    spot = min(left, max(2.0, width - sum(wide)))  # long names begin further to the left, or the last one is cut off
    for one, taken in zip(lines, wide, strict=True):
        parts += [svg_line(spot, 12, spot + 18, 12, f"path {one.style}"), svg_text(spot + 24, 16, one.name, "start")]
        spot += taken
    parts += [svg_text((left + right) / 2, height - 6, axes[0]), svg_text(left - 8, 30, axes[1], "start", "value")]
    return svg_picture(width, height, label, parts, "plot")


def columns_svg(
    columns: Sequence[tuple[float, float, str]],
    label: str,
    ends: tuple[str, str],
    below: str,
    *,
    width: int = 460,
    height: int = 220,
) -> str:
    """Return columns (height, the dark part of it, what its title tells); ``ends`` are told at both ends of the axis, ``below`` names it.

    Heights are drawn by their square root, or the many low chances would leave nothing to see of the few high ones. Empty text without any.
    """
    most = max((tall for tall, _, _ in columns), default=0.0)
    if not most:
        return ""
    base, left, wide = height - 44.0, 12.0, (width - 24.0) / len(columns)
    parts = [svg_line(left, base, width - 12, base, "axis")]
    for place, (tall, dark, told) in enumerate(columns):
        for value, style in ((tall, "s1"), (dark, "s2")):
            high = (base - 24) * (value / most) ** 0.5
            if value:
                spot = f'x="{left + place * wide + 1:.1f}" y="{base - high:.1f}" width="{max(wide - 2, 1):.1f}" height="{high:.1f}"'
                parts.append(f'<rect {spot} class="{style}">{svg_title(told)}</rect>')
        if tall:
            high = (base - 24) * (tall / most) ** 0.5
            parts.append(svg_text(left + (place + 0.5) * wide, base - high - 4, told.partition(" ")[0] if wide > 18 else "", style="value"))
    parts += [
        svg_text(left, base + 18, ends[0], "start"),
        svg_text(width - 12, base + 18, ends[1], "end"),
        svg_text(width / 2, height - 6, below),
    ]
    return svg_picture(width, height, label, parts, "plot")


def pairs_svg(pairs: Sequence[tuple[str, float, float]], label: str, told: Callable[[str, float, float], str], *, width: int = 300) -> str:
    """Return for each (name, share before, share now) two bars, the upper before; on one scale. Empty text without any."""
    most = max((max(before, now) for _, before, now in pairs), default=0.0)
    if not most:
        return ""
    parts, left = [], 110.0
    for place, (name, before, now) in enumerate(pairs):
        top, title = 4 + 26 * place, svg_title(told(name, before, now))
        parts.append(svg_text(left - 8, top + 14, wording.one_line(name, 16), "end"))
        for lower, (share, style) in enumerate(((before, "s4"), (now, "s0"))):
            wide = max((width - left - 6) * share / most, 1.0)
            bar = f'<rect x="{left:.1f}" y="{top + 10 * lower}" width="{wide:.1f}" height="9" rx="2" class="{style}">'
            parts.append(f"{bar}{title}</rect>")
    return svg_picture(width, 26 * len(pairs) + 8, label, parts, "square")


def steps_svg(steps: Sequence[tuple[str, float, float, str]], label: str, *, width: int = 820) -> str:
    """Return a waterfall: for each (name, from, to, told) a bar from one chance to the next, up to the right; the first begins at its own base."""
    if not steps:
        return ""
    sides = [side for _, start, end, _ in steps for side in (start, end)]
    left, right = 340.0, width - 80.0
    x = _scale(min(0.0, *sides), max(sides) or 1.0, left, right)
    parts = [svg_line(left, 2, left, 28 * len(steps) + 2, "axis")]
    for place, (name, start, end, told) in enumerate(steps):
        top, style = 6 + 28 * place, "up" if end > start else "down"
        spot = f'x="{x(min(start, end)):.1f}" y="{top}" width="{max(abs(x(end) - x(start)), 1.5):.1f}" height="18" rx="2"'
        parts += [
            f'<rect {spot} class="{style}">{svg_title(f"{name}: {told}")}</rect>',
            svg_text(left - 10, top + 14, wording.one_line(name, 52), "end"),
        ]
        parts.append(svg_text(x(max(start, end)) + 6, top + 14, told, "start", "value"))
        if place + 1 < len(steps):
            parts.append(svg_line(x(end), top + 18, x(end), top + 28, "grid"))
    return svg_picture(width, 28 * len(steps) + 8, label, parts, "plot")


def _scale(least: float, most: float, start: float, end: float) -> Callable[[float], float]:
    span = (most - least) or 1.0
    return lambda value: start + (end - start) * (value - least) / span


def _path(one: Curve, points: Points) -> str:
    trail = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{trail}" class="path {one.style}">{svg_title(one.name)}</polyline>'

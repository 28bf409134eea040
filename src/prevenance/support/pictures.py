"""The pictures of a support report as inline SVG: no library, no script, the same tickets the same bytes; no mark is told by its colour alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import pandas as pd

from prevenance.publish.shapes import svg_line, svg_picture, svg_text, svg_title
from prevenance.publish.wording import is_known, one_line
from prevenance.support.layout import placed_map
from prevenance.support.parts import PARTS
from prevenance.support.wording import long_duration, part_name, short_duration
from prevenance.words import Words

WIDE, TALL = 152, 46
START, END = "\x00start", "\x00end"
"""What stands for the beginning and the end of a ticket on the map: no word of any source."""


def bar_svg(say: Words, seconds: Sequence[float], label: str, *, width: int = 1000, height: int = 56, most: float | None = None) -> str:
    """Return one bar of the parts (seconds in the order of ``PARTS``), as long as ``most`` would fill the width; nothing gives empty text."""
    total = sum(seconds)
    if total <= 0:
        return ""
    marks, left = [], 0.0
    for number, (part, value) in enumerate(zip(PARTS, seconds, strict=True)):
        wide = width * value / (most or total)
        if wide <= 0:
            continue
        told = f"{part_name(say, part)}: {long_duration(say, value)} ({say.percent(value / total)})"
        marks.append(f'<g>{svg_title(told)}<rect x="{left:.1f}" y="0" width="{wide:.1f}" height="{height}" class="p{number}"/></g>')
        if wide > 64 and height >= 40:
            marks.append(svg_text(left + wide / 2, height / 2 - 3, short_duration(say, value), style="on big"))
            marks.append(svg_text(left + wide / 2, height / 2 + 15, say.percent(value / total), style="on"))
        left += wide
    return svg_picture(width, height, label, marks, "bar", stretched=True)


def trend_svg(say: Words, rows: pd.DataFrame, label: str, *, width: int = 520, height: int = 190) -> str:
    """Return values (first_day, value, low, high, note) over time as a line with dots; nothing to draw gives empty text."""
    known = rows[rows["value"].notna()]
    if len(known) < 2:
        return ""
    days = pd.to_datetime(rows["first_day"])
    first, span = days.iloc[0], max((days.iloc[-1] - days.iloc[0]).days, 1)
    left, right, top, base = 46.0, width - 14.0, 14.0, height - 28.0
    most = float(known["value"].max()) or 1.0
    step = _round_step(most)
    edge = step * -(-most // step)

    def x(day: object) -> float:
        return left + (right - left) * (pd.Timestamp(str(day)) - first).days / span

    def y(value: float) -> float:
        return base - (base - top) * value / edge

    marks = [svg_line(left, y(step * tick), right, y(step * tick), "grid") for tick in range(round(edge / step) + 1)]
    marks += [
        svg_text(left - 6, y(step * tick) + 4, say.number(step * tick, 0 if step >= 1 else 1), "end", "tick")
        for tick in range(round(edge / step) + 1)
    ]
    parts: list[list[tuple[float, float]]] = [[]]
    for _, row in rows.iterrows():
        if is_known(row["value"]):
            parts[-1].append((x(row["first_day"]), y(row["value"])))
        else:
            parts.append([])  # no line over what is withheld
    marks += [f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in part)}" class="trend"/>' for part in parts if len(part) > 1]
    for _, row in known.iterrows():
        told = f"{say.date(row['first_day'])}: {say.number(row['value'], 1)} ({say.many('{n} ticket', '{n} tickets', row['tickets'])})"
        marks.append(
            f'<circle cx="{x(row["first_day"]):.1f}" cy="{y(row["value"]):.1f}" r="{3 if len(known) < 40 else 2}" class="dot">{svg_title(told)}</circle>'
        )
    marks.append(svg_text(left, height - 8, say.date(rows["first_day"].iloc[0]), "start", "tick"))
    marks.append(svg_text(right, height - 8, say.date(rows["first_day"].iloc[-1]), "end", "tick"))
    return svg_picture(width, height, label, marks, "trend-chart")


def _round_step(most: float) -> float:
    """Return a round step that divides an axis up to ``most`` into at most five."""
    power: float = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    return next(step for step in (0.1 * power, 0.2 * power, 0.5 * power, power, 2 * power, 5 * power) if most <= 5 * step)


def shown_edges(edges: pd.DataFrame, nodes: pd.DataFrame, coverage: float, least: int) -> pd.DataFrame:
    """Return the edges of a map (source, target, times, seconds, median_seconds), beginnings and ends of tickets among them.

    The commonest that make up the share ``coverage`` of all, and for each step on them the commonest way in and the commonest way out, so
    that nothing hangs in the air. What happened fewer than ``least`` times is left out, unless nothing else is there.
    """
    starts = nodes[nodes["starts"] > 0].assign(source=START, target=lambda one: one["step"], times=lambda one: one["starts"])
    ends = nodes[nodes["ends"] > 0].assign(source=lambda one: one["step"], target=END, times=lambda one: one["ends"])
    every = pd.concat([edges, *(one[["source", "target", "times"]] for one in (starts, ends))], ignore_index=True)
    every = every.sort_values(["times", "source", "target"], ascending=[False, True, True], ignore_index=True)
    every = every[every["times"] >= min(least, int(every["times"].max()) if len(every) else 0)]
    before = every["times"].cumsum().shift(fill_value=0) / max(int(every["times"].sum()), 1)
    kept = set(every.index[before < coverage])
    others = every[every["source"] != every["target"]]
    for _ in range(len(every)):
        steps = set(every.loc[sorted(kept), ["source", "target"]].stack())
        ways = {int(part.index[0]) for key in ("source", "target") for step, part in others.groupby(key) if step in steps}
        if ways <= kept:
            break
        kept |= ways
    return every.loc[sorted(kept)]


def map_svg(say: Words, shown: pd.DataFrame, nodes: pd.DataFrame, slow: Collection[tuple[str, str]], step_names: Mapping[str, str]) -> str:
    """Return the process map of ``shown_edges``: a box a step with how often it comes, an arrow for what follows it, with how often and its
    median time; arrows in ``slow`` are marked.
    """
    if shown.empty:
        return ""
    usual = dict(zip(nodes["step"], nodes["usual_place"], strict=True)) | {START: -1.0, END: 1e9}
    times = dict(zip(nodes["step"], nodes["times"], strict=True))
    order = sorted(set(shown["source"]) | set(shown["target"]), key=lambda step: (usual[step], step))
    arrows = {(row.source, row.target): int(row.times) for row in shown.itertuples()}
    placed = placed_map(order, arrows)
    taken = [(x - WIDE / 2, y - TALL / 2, x + WIDE / 2, y + TALL / 2) for x, y in placed.places.values()]
    ways, texts = [TIP], list[str]()
    for row in shown.itertuples():
        arrow = row.source, row.target
        path, points = _loop(placed.places[row.source]) if row.source == row.target else _curve(placed.ways[arrow])
        told = say.number(row.times) + (f" · {short_duration(say, row.median_seconds)}" if is_known(row.median_seconds) else "")
        names = " → ".join(step_names.get(step, {START: say("start"), END: say("end")}.get(step, step)) for step in arrow)
        style, wide = "way slow" if arrow in slow else "way", 1.0 + 5.0 * row.times / max(arrows.values())
        ways.append(
            f'<g>{svg_title(f"{names}: {told}")}<path d="{path}" class="{style}" stroke-width="{wide:.1f}" marker-end="url(#tip)"/></g>'
        )
        texts.append(_label(told, points, taken))
    for step, (x, y) in placed.places.items():
        if step in (START, END):
            name = say("start") if step == START else say("end")
            ways.append(f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{4 * len(name) + 10}" ry="18" class="tipped"/>{svg_text(x, y + 4, name)}')
            continue
        name = step_names.get(step, step)
        ways.append(
            f'<g>{svg_title(name)}<rect x="{x - WIDE / 2:.1f}" y="{y - TALL / 2:.1f}" width="{WIDE}" height="{TALL}" rx="6" class="step"/>'
        )
        ways.append(
            f"{svg_text(x, y - 3, one_line(name, 21), style='name')}{svg_text(x, y + 14, say.number(times[step]), style='soft')}</g>"
        )
    width, height = (round(one) for one in placed.size)
    return svg_picture(width, height, say("Process map: {n} steps and what follows them", n=len(order) - 2), [*ways, *texts], "map")


TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" class="tip"/></marker></defs>'
)
"""The head of an arrow."""


def _label(told: str, points: Sequence[tuple[float, float]], taken: list[tuple[float, float, float, float]]) -> str:
    """Return a label at the first of the points where nothing stands yet, and take its room."""
    half = 3.1 * len(told) + 4

    def room(x: float, y: float) -> tuple[float, float, float, float]:
        return x - half, y - 8, x + half, y + 8

    free = [
        point
        for point in points
        if all(r[2] < other[0] or r[0] > other[2] or r[3] < other[1] or r[1] > other[3] for r in [room(*point)] for other in taken)
    ]
    x, y = (free or points)[0]
    taken.append(room(x, y))
    back = f'<rect x="{x - half:.1f}" y="{y - 8:.1f}" width="{2 * half:.1f}" height="16" rx="3" class="back"/>'
    return back + svg_text(x, y + 4, told, style="told")


def _curve(points: Sequence[tuple[float, float]]) -> tuple[str, list[tuple[float, float]]]:
    """Return the path through the points, from the edge of one box to that of the other, and where its label may stand, the best place first."""
    down = 1 if points[-1][1] > points[0][1] else -1
    ends = [(points[0][0], points[0][1] + down * TALL / 2), *points[1:-1], (points[-1][0], points[-1][1] - down * (TALL / 2 + 2))]
    if down < 0:  # the way back leaves and arrives beside the way there
        ends[0], ends[-1] = (ends[0][0] + 26, ends[0][1]), (ends[-1][0] + 26, ends[-1][1])
    path, along = f"M{ends[0][0]:.1f},{ends[0][1]:.1f}", list[tuple[float, float]]()
    for (x1, y1), (x2, y2) in pairwise(ends):
        half = (y2 - y1) / 2
        path += f" C{x1:.1f},{y1 + half:.1f} {x2:.1f},{y2 - half:.1f} {x2:.1f},{y2:.1f}"
        # a curve of this kind is at x1 + (x2 - x1)(3t² - 2t³) and, as its handles lie at half the height, at y1 + (y2 - y1)(1.5t - 1.5t² + t³)
        steps = (0.2, 0.35, 0.5, 0.65, 0.8)
        along += [(x1 + (x2 - x1) * (3 * t * t - 2 * t**3), y1 + (y2 - y1) * (1.5 * t - 1.5 * t * t + t**3)) for t in steps]
    middle = (len(along) - 1) / 2
    return path, sorted(along, key=lambda point: (abs(along.index(point) - middle), along.index(point)))


def _loop(place: tuple[float, float]) -> tuple[str, list[tuple[float, float]]]:
    x, y = place[0] + WIDE / 2, place[1]
    return f"M{x:.1f},{y - 8:.1f} c26,-12 26,28 0,16", [(x + 26, y - 20), (x + 26, y + 22)]


def dotted_svg(say: Words, dots: pd.DataFrame, label: str, *, width: int = 1000) -> str:
    """Return one line a ticket (row, from 0) and a dot a row of it, ``share`` of the way along the days shown, in the colour of the part that begins."""
    if dots.empty:
        return ""
    lines = int(dots["row"].max()) + 1
    tall = max(2.4, min(9.0, 420 / lines))
    marks = [
        f'<rect x="{width * one.share - 1.5:.1f}" y="{one.row * tall:.1f}" width="3" height="{min(tall, 3.5):.1f}" class="p{one.number}"/>'
        for one in dots.itertuples()
    ]
    return svg_picture(width, round(lines * tall) + 4, label, marks, "dots")


def standalone_svg(picture: str, style: str) -> str:
    """Return a picture of the page as a file of its own, with the page's style in it; no picture gives an empty one."""
    if not picture:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" viewBox="0 0 1 1"></svg>'
    start = picture.index(">") + 1
    return f"{picture[:start]}<style>{style}</style>{picture[start:]}"

"""Small pictures as inline SVG: no library, no font, no colour of their own (the page's style gives them, light and dark).

The same bytes every time. Colour is never the only sign: every mark has a label or a title.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from prevenance.publish import wording
from prevenance.publish.shapes import svg_line, svg_picture, svg_text, svg_title
from prevenance.publish.wording import ENGLISH, amount_text, day_text, is_known, model_name, percent_text, total_hits
from prevenance.words import Words

STYLES = {"champion": "s1", "rule": "s2", "customer_rules": "s3", "random": "s4"}
"""Class of each model's bars; the model that the page is about has ``s0``."""

_ENDS = (0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1.0)


def reliability_svg(bins: Sequence[Mapping[str, Any]], say: Words = ENGLISH, *, size: int = 360) -> str:
    """Return predicted (across) against seen (up): a dot per tenth of the snapshots, a bar where luck alone would put nine in ten.

    Empty text if there is nothing to draw.
    """
    dots = [one for one in bins if is_known(one.get("predicted")) and is_known(one.get("seen"))]
    if not dots:
        return ""
    # The axis ends where the dots do: chances of a few percent would all lie in one corner.
    farthest = max(max(one["predicted"], one["seen"], one.get("high") or 0.0) for one in dots)
    edge, most = 46, next((end for end in _ENDS if end >= farthest), 1.0)
    scale = (size - edge - 28) / most

    def x(share: float) -> float:
        return edge + share * scale

    def y(share: float) -> float:
        return size - edge - share * scale

    ticks = [most * step / 4 for step in range(5)]
    parts = [svg_line(x(0), y(tick), x(most), y(tick), "grid") for tick in ticks]
    parts += [svg_line(x(0), y(0), x(most), y(most), "exact")]
    parts += [svg_text(x(tick), size - edge + 18, percent_text(tick, say=say)) for tick in ticks]
    parts += [svg_text(edge - 8, y(tick) + 4, percent_text(tick, say=say), "end") for tick in ticks]
    for one in dots:
        shown = {name: percent_text(one.get(name), 1, say=say) for name in ("predicted", "seen", "low", "high")}
        told, out = say("predicted {predicted}, seen {seen}", **shown), False
        if is_known(one.get("low")) and is_known(one.get("high")):
            out = not one["low"] <= one["seen"] <= one["high"]
            told += say("; by luck alone {low} to {high}", **shown)
            parts.append(svg_line(x(one["predicted"]), y(one["low"]), x(one["predicted"]), y(one["high"]), "luck"))
        dot = f'<circle cx="{x(one["predicted"]):.1f}" cy="{y(one["seen"]):.1f}" r="{5 if out else 4}" class="{"out" if out else "s0"}">'
        parts.append(f"{dot}{svg_title(told)}</circle>")
    parts += [svg_text((size + edge) / 2, size - 8, say("predicted")), svg_text(edge, 14, say("seen"))]
    return svg_picture(size, size, say("Predicted against seen, in tenths of the snapshots"), parts, "square")


def hits_svg(periods: Sequence[Mapping[str, Any]], shown: str, say: Words = ENGLISH, *, width: int = 1000, height: int = 280) -> str:
    """Return the hits of each test period as bars: the model ``shown``, its rivals and a blind list. Empty text if there are none."""
    names = [
        name for name in dict.fromkeys([shown, "champion", "rule", "customer_rules", "random"]) if total_hits(periods, name) is not None
    ]
    most = max((value for period in periods for name in names if (value := wording.hits_of(period, name)) is not None), default=0.0)
    if not names or not most:
        return ""
    wide, base = (width - 20) / len(periods), height - 26
    bar = min((wide - 24) / len(names), 40.0)
    parts = [svg_line(10, base, width - 10, base, "axis")]
    for place, period in enumerate(periods):
        start = 10 + place * wide + (wide - bar * len(names)) / 2
        for order, name in enumerate(names):
            value, told = wording.hits_of(period, name), f"{day_text(period.get('cutoff'), say=say)}, {_called(name, say)}"
            parts += _bar(value, start + order * bar, base, bar, (base - 50) / most, _style(name, shown), told, say)
        parts.append(svg_text(10 + (place + 0.5) * wide, height - 8, day_text(period.get("cutoff"), say=say)))
    left = 10.0
    for name in names:
        label = f"{_called(name, say)} {amount_text(total_hits(periods, name), say=say)}"
        parts.append(
            f'<rect x="{left:.0f}" y="4" width="12" height="12" rx="2" class="{_style(name, shown)}"/>{svg_text(left + 18, 14, label, "start")}'
        )
        left += 34 + 6.6 * len(label)
    return svg_picture(width, height, say("Hits among the contacts of each test period"), parts)


def folds_svg(parted: Sequence[Mapping[str, Any]], say: Words = ENGLISH, *, width: int = 900) -> str:
    """Return one row per fold, time to scale: L learned from, T test. Empty text if there are no folds."""
    if not parted:
        return ""
    rows = [
        [(str(cutoff), letter) for letter, part in (("L", fold.get("fit")), ("T", [fold.get("test")])) for cutoff in part or []]
        for fold in parted
    ]
    moments = sorted({datetime.fromisoformat(cutoff) for row in rows for cutoff, _ in row})
    span = (moments[-1] - moments[0]) / timedelta(days=1) or 1.0
    box, parts = min(22.0, (width - 130) / max(len(moments), 1) - 1), []
    for place, row in enumerate(rows):
        top = 6 + 26 * place
        for cutoff, letter in row:
            left = 8 + (width - 130 - box) * ((datetime.fromisoformat(cutoff) - moments[0]) / timedelta(days=1)) / span
            rect = f'<rect x="{left:.1f}" y="{top}" width="{box:.1f}" height="20" rx="3" class="{letter.lower()}">{svg_title(day_text(cutoff, say=say))}</rect>'
            parts += [rect, svg_text(left + box / 2, top + 14, letter, style="on")]
        parts.append(svg_text(width - 108, top + 14, say("test {date}", date=day_text(row[-1][0], say=say)), "start"))
    parts += [
        svg_text(8, 26 * len(rows) + 20, day_text(f"{moments[0]:%Y-%m-%d}", say=say), "start"),
        svg_text(width - 124, 26 * len(rows) + 20, day_text(f"{moments[-1]:%Y-%m-%d}", say=say), "end"),
    ]
    return svg_picture(width, 26 * len(rows) + 28, say("The folds in time: L learned from, T test"), parts)


def warning_weeks_svg(found: Sequence[Mapping[str, Any]], say: Words = ENGLISH, *, width: int = 720, height: int = 200) -> str:
    """Return the outcomes that the lists caught by weeks of warning; what came too late is hatched. Empty text without any."""
    most = max((one.get("outcomes") or 0 for one in found), default=0)
    if not most:
        return ""
    base, wide = height - 40, min((width - 40) / len(found), 44.0)
    parts = [
        '<defs><pattern id="late" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="3" height="6" class="out"/></pattern></defs>',
        svg_line(20, base, width - 20, base, "axis"),
    ]
    for place, one in enumerate(found):
        left, scale = 20 + place * wide, (base - 24) / most
        late, every = one.get("too_late") or 0, one["outcomes"]
        told = say("{n} {n:outcome|outcomes} in week {week}, {late} too late", n=every, week=one["week"] + 1, late=late)
        parts += _bar(float(every), left, base, wide, scale, "s0", told, say)
        if late:
            tall = late * scale
            parts.append(f'<rect x="{left + 1:.1f}" y="{base - tall:.1f}" width="{wide - 2:.1f}" height="{tall:.1f}" class="late"/>')
        parts.append(svg_text(left + wide / 2, base + 16, str(one["week"] + 1)))
    parts.append(svg_text(20, height - 6, say("weeks from the first place on a list to the outcome; hatched: too late to act"), "start"))
    return svg_picture(width, height, say("Outcomes caught, by weeks of warning"), parts)


def power_svg(found: Sequence[Mapping[str, Any]], say: Words = ENGLISH, *, width: int = 720, height: int = 280) -> str:
    """Return the AUC (up) by days to the outcome (across): a line for the model, thin ones for features. Empty text without any."""
    lines = [(one, [(place, auc["auc"]) for place, auc in enumerate(one["aucs"]) if is_known(auc.get("auc"))]) for one in found]
    lines = [(one, points) for one, points in lines if len(points) > 1]
    if not lines:
        return ""
    names = [str(auc["days"]) for auc in found[0]["aucs"]]
    left, right, base, top = 46.0, width - 130.0, height - 40.0, 14.0
    # Half is what a coin reaches; a score below it is to be seen as such.
    least = min(0.5, *(auc for _, points in lines for _, auc in points))

    def x(place: int) -> float:
        return left + (right - left) * place / max(len(names) - 1, 1)

    def y(auc: float) -> float:
        return base - (auc - least) / (1 - least) * (base - top)

    parts = [svg_line(left, y(tick), right, y(tick), "exact" if tick == 0.5 else "grid") for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    parts += [svg_text(left - 8, y(tick) + 4, say.number(tick, 1), "end") for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    parts += [svg_text(x(place), base + 18, name) for place, name in enumerate(names)]
    parts.append(svg_text((left + right) / 2, height - 4, say("days to the outcome")))
    for one, points in sorted(lines, key=lambda pair: bool(pair[0].get("model"))):
        style = "path s0" if one.get("model") else "path out" if one.get("footprint") else "path thin"
        trail = " ".join(f"{x(place):.1f},{y(auc):.1f}" for place, auc in points)
        parts.append(f'<polyline points="{trail}" class="{style}">{svg_title(model_name(one["name"], say=say))}</polyline>')
        if one.get("model") or one.get("footprint"):
            place, auc = points[-1]
            parts.append(svg_text(x(place) + 8, y(auc) + 4, wording.one_line(model_name(one["name"], say=say), 18), "start"))
    return svg_picture(width, height, say("AUC by days to the outcome"), parts)


def ranges_svg(rows: Sequence[tuple[str, Mapping[str, Any], bool]], label: str, say: Words = ENGLISH, *, width: int = 720) -> str:
    """Return a dot and its interval for each (name, {value, low, high}, whether it is in use), on one scale that holds nought."""
    sides = [value for _, one, _ in rows for key in ("value", "low", "high") if is_known(value := one.get(key))]
    least, most, left, right = min([0.0, *sides]), max([1.0, *sides]), 350, width - 90
    scale = (right - left) / (most - least)
    parts = [svg_line(left - least * scale, 4, left - least * scale, 28 * len(rows) + 4, "axis")]
    for place, (name, one, used) in enumerate(rows):
        y, x, style = 18.0 + 28 * place, left + (one["value"] - least) * scale, "s0" if used else "s4"
        if is_known(one.get("low")) and is_known(one.get("high")):
            parts.append(svg_line(left + (one["low"] - least) * scale, y, left + (one["high"] - least) * scale, y, "luck"))
        told = f"{name}: {say.number(one['value'])}"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="{style}">{svg_title(told)}</circle>')
        parts += [svg_text(left - 12, y + 4, say("{name} (in use)", name=name) if used else name, "end")]
        parts += [svg_text(width - 4, y + 4, say.number(one["value"]), "end")]
    return svg_picture(width, 28 * len(rows) + 8, label, parts)


def shares_svg(one: Mapping[str, Any], most: float, say: Words = ENGLISH, *, width: int = 150) -> str:
    """Return a slice's share of the outcomes above its share of the contacts, as two bars. Empty text if they are not known."""
    if not is_known(one.get("outcome_share")) or not is_known(one.get("contact_share")) or not most:
        return ""
    shares = {name: percent_text(one[f"{name}_share"], say=say) for name in ("outcome", "contact")}
    told = say("{outcome} of the outcomes, {contact} of the contacts", **shares)
    bars = [
        f'<rect x="0" y="{top}" width="{max(width * value / most, 1.0):.1f}" height="8" rx="2" class="{style}"/>'
        for top, value, style in ((1, one["outcome_share"], "s2"), (11, one["contact_share"], "s0"))
    ]
    return svg_picture(width, 20, told, [svg_title(told), *bars], "small")


def _style(name: str, shown: str) -> str:
    return "s0" if name == shown else STYLES.get(name, "s4")


def _called(name: str, say: Words) -> str:
    return say("Blind list") if name == "random" else model_name(name, say=say)


def _bar(value: float | None, left: float, base: float, width: float, scale: float, style: str, told: str, say: Words) -> list[str]:
    if value is None:
        return []
    tall = value * scale
    rect = f'<rect x="{left + 1:.1f}" y="{base - tall:.1f}" width="{width - 2:.1f}" height="{tall:.1f}" class="{style}">'
    return [
        f"{rect}{svg_title(f'{told}: {amount_text(value, say=say)}')}</rect>",
        svg_text(left + width / 2, base - tall - 4, amount_text(value, say=say), style="value"),
    ]

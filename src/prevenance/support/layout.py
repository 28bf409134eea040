"""Where the steps of a process map stand: layers from top to bottom, as few crossings as a few sweeps find; the same map the same places.

The method is Sugiyama's (1981): steps in layers along the usual way, long arrows through places of their own, order by barycentres.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 12
Name = str | tuple[str, str, int]
"""A step, or the place of an arrow (source, target, layer) in a layer that it passes."""


@dataclass(frozen=True)
class Placed:
    """``places``: step -> middle (x, y); ``ways``: arrow -> the points that it passes, its ends included; ``size`` is width and height."""

    places: Mapping[str, tuple[float, float]]
    ways: Mapping[tuple[str, str], list[tuple[float, float]]]
    size: tuple[float, float]


def placed_map(
    order: Sequence[str], arrows: Mapping[tuple[str, str], int], *, wide: float = 168, gap: float = 34, tall: float = 96
) -> Placed:
    """Return the places of the steps ``order`` (as they usually come) and of ``arrows`` (how often; to itself: no way).

    Args:
        order: the steps, each once; an arrow against this order goes back up.
        arrows: (source, target) -> how often.
        wide: the width of a step's place.
        gap: the width of an arrow's place, and of the room between places.
        tall: the height of a layer.
    """
    order = _downward(order, arrows)
    layers = _layers(order, [arrow for arrow in sorted(arrows) if arrow[0] != arrow[1]])
    rows: list[list[Name]] = [[] for _ in range(max(layers.values(), default=0) + 1)]
    for step in order:
        rows[layers[step]].append(step)
    links: dict[Name, list[tuple[Name, int]]] = defaultdict(list)
    chains: dict[tuple[str, str], list[Name]] = {}
    for (source, target), times in sorted(arrows.items()):
        if source == target:
            continue
        low, high = sorted((source, target), key=lambda step: layers[step])
        passed = [(source, target, layer) for layer in range(layers[low] + 1, layers[high])]
        for name in passed:
            rows[name[2]].append(name)
        chain: list[Name] = [low, *passed, high]
        for one, other in pairwise(chain):
            links[one].append((other, times))
            links[other].append((one, times))
        chains[source, target] = chain if low == source else chain[::-1]
    x = _across(rows, links, wide, gap)
    left = min(x.values(), default=0.0) - wide / 2
    y = {name: tall * (layer + 0.5) for layer, row in enumerate(rows) for name in row}
    at = {name: (x[name] - left, y[name]) for row in rows for name in row}
    width = max((place for place, _ in at.values()), default=0.0) + wide / 2 + gap
    return Placed(
        {step: at[step] for step in order},
        {arrow: [at[name] for name in chain] for arrow, chain in chains.items()},
        (width, tall * len(rows)),
    )


def _downward(order: Sequence[str], arrows: Mapping[tuple[str, str], int]) -> list[str]:
    """Return the order with neighbours exchanged where more arrows then lead downwards; the first and the last step stay."""
    found = list(order)
    for _ in range(len(found)):
        moved = False
        for place in range(1, len(found) - 2):
            one, other = found[place], found[place + 1]
            if arrows.get((other, one), 0) > arrows.get((one, other), 0):
                found[place : place + 2], moved = [other, one], True
        if not moved:
            break
    return found


def _layers(order: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the layer of each step: one below the lowest step that leads to it along ``order``."""
    rank = {step: place for place, step in enumerate(order)}
    before: dict[str, list[str]] = defaultdict(list)
    for source, target in arrows:
        first, last = sorted((source, target), key=rank.__getitem__)
        before[last].append(first)
    layers: dict[str, int] = {}
    for step in order:
        layers[step] = max((layers[one] + 1 for one in before[step]), default=0)
    return layers


def _across(rows: list[list[Name]], links: Mapping[Name, list[tuple[Name, int]]], wide: float, gap: float) -> dict[Name, float]:
    """Return where each place stands across: ordered by where its neighbours are, then moved towards them as far as there is room."""
    x: dict[Name, float] = {}
    for row in rows:
        x |= _spread(row, dict.fromkeys(row, 0.0), wide, gap)
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            beside = set(row)
            wanted = {}
            for name in row:
                near = [(x[other], times) for other, times in links[name] if other not in beside]
                wanted[name] = sum(place * times for place, times in near) / sum(times for _, times in near) if near else x[name]
            row.sort(key=lambda name: (wanted[name], str(name)))
            x |= _spread(row, wanted, wide, gap)
    return x


def _spread(row: Sequence[Name], wanted: Mapping[Name, float], wide: float, gap: float) -> dict[Name, float]:
    """Return places as near to those wanted as their widths allow: pushed apart to the right, and to the left, and the middle of both."""
    width = {name: wide if isinstance(name, str) else gap for name in row}

    def pushed(names: Sequence[Name], sign: int) -> dict[Name, float]:
        found: dict[Name, float] = {}
        for place, name in enumerate(names):
            least = found[names[place - 1]] * sign + (width[names[place - 1]] + width[name]) / 2 + gap / 2 if place else -1e9
            found[name] = sign * max(sign * wanted[name], least)
        return found

    right, left = pushed(row, 1), pushed(row[::-1], -1)
    return {name: (right[name] + left[name]) / 2 for name in row}

"""The team's present health score, from its YAML to the settings of the model ``health_score``; every slip is named."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.features.build import feature_columns
from prevenance.features.define import State
from prevenance.features.sets import SETS
from prevenance.features.sets import definitions as all_definitions
from prevenance.models.refitted_score import changes_that_matter, refitted_params
from prevenance.runs.settings.schema import Settings

KEYS, BAND = ("feature", "weight", "bands"), ("from", "up_to", "points")


def health_score_of(given: Settings, columns: Sequence[str]) -> dict[str, Any]:
    """Return ``{"inputs": ...}`` for ``models.health_score``, or {} where none is set or none of its inputs is among ``columns``.

    Raises:
        PrevenanceError: E201 an unknown key, E202 a weight, band or number that cannot be, E210 a feature that does not exist,
            E203 if ``model=health_score`` is asked and there is no score.
    """
    every = all_definitions(list(SETS), sorted(set(given.features.lookbacks)))
    words = {name for one in every if isinstance(one, State) for name in one.categories}
    found = [_input(one, number, feature_columns(every), words) for number, one in enumerate(given.health_score.inputs, start=1)]
    usable = {"inputs": found} if any(one["feature"] in columns for one in found) else {}
    if given.model.kind == "health_score" and not usable:
        why = "none of its inputs is in these data" if found else "none is set"
        what = f"model=health_score needs a health score, and {why}"
        fix = "add health_score=example, or your own file"
        raise PrevenanceError("E203", what, fix=fix, key="health_score")
    return usable


def converted_score(health: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """Return ``converted``: the score refitted to all closed outcomes, as conf/health_score takes it, and ``changes``, those that matter."""
    found = refitted_params(health, rows)
    inputs = [
        {**one, "bands": [{"from": low, "up_to": high, "points": points} for low, high, points in one["bands"]]} for one in found["inputs"]
    ]
    for band in (band for one in inputs for band in one["bands"]):
        for end in [name for name in ("from", "up_to") if band[name] is None]:
            del band[end]
    return {"converted": inputs, "changes": changes_that_matter(health, found, rows)}


def _input(given: Any, number: int, features: Sequence[str], words: set[str]) -> dict[str, Any]:
    where = f"health_score.inputs[{number}]"
    held = _keys(given, KEYS, where)
    feature, weight, bands = held.get("feature"), held.get("weight"), held.get("bands")
    if feature not in features or feature in words:
        what = "is text, bands need a number" if feature in words else "does not exist"
        numeric = [name for name in features if name not in words]
        raise PrevenanceError("E210", f'the feature "{feature}" {what}', key=f"{where}.feature", fix=did_you_mean(str(feature), numeric))
    if not isinstance(weight, (int, float)) or not _number(weight) or weight <= 0:
        raise _slip(f"the weight of {feature} is {weight}", f"{where}.weight", "give a number above 0, such as 20")
    if not isinstance(bands, list) or not bands:
        raise _slip(f"{feature} has no bands", f"{where}.bands", "write bands: [{up_to: 0, points: 100}, ...]")
    return {"feature": feature, "weight": float(weight), "bands": _bands(bands, str(feature), f"{where}.bands")}


def _bands(given: list[Any], feature: str, where: str) -> list[list[float | None]]:
    """Return ``[low, high, points]`` of each band, ends included: an end that is not written is where the neighbour's begins or ends."""
    held = [_keys(one, BAND, where) for one in given]
    for one in held:
        if not _number(one.get("points")) or not 0 <= one["points"] <= 100:
            raise _slip(f"a band of {feature} has points {one.get('points')}", where, "give points from 0 to 100")
        if any(end in one and not _number(one[end]) for end in ("from", "up_to")):
            raise _slip(f"a band of {feature} has an end that is no number", where, "write from: and up_to: as numbers")
    found: list[list[float | None]] = []
    for place, one in enumerate(held):
        following = held[place + 1].get("from") if place + 1 < len(held) else None
        low = one.get("from", found[-1][1] if found else None)
        high = one.get("up_to", None if following is None else math.nextafter(following, -math.inf))
        previous = found[-1][1] if found else -math.inf
        backwards = low is not None and high is not None and low > high
        if backwards or previous is None or (found and low is not None and low < previous):
            fix = "write the bands from low to high, each beginning where the one before ends"
            raise _slip(f"the bands of {feature} overlap at band {place + 1}", where, fix)
        found.append([low, high, float(one["points"])])
    return found


def _keys(given: Any, known: Sequence[str], where: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise _slip(f"{where} is no group of keys", where, f"write {', '.join(known)}, see conf/health_score/example.yaml")
    if strange := sorted(str(key) for key in given if key not in known):
        raise PrevenanceError("E201", f'there is no key "{strange[0]}"', key=where, fix=did_you_mean(strange[0], known))
    return given


def _slip(what: str, where: str, fix: str) -> PrevenanceError:
    return PrevenanceError("E202", what, key=where, fix=fix)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

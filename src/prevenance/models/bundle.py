"""A fitted model as a value, and as a folder that can be checked before it is believed."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base import keys
from prevenance.base.errors import PrevenanceError
from prevenance.models import trees
from prevenance.models.calibrate import WHOLE, Band, sigmoid
from prevenance.models.encode import Encoder
from prevenance.models.kinds import MODELS, module

FORMAT = 1
FILES, SIGNATURE = ("booster.txt", "model.json"), "manifest.hmac"

KEY = "PREVENANCE_MODEL_KEY"
"""Variable with the key that signs models: with it ``save`` writes manifest.hmac, and ``load`` takes no model without."""


@dataclass(frozen=True)
class Fitted:
    """A fitted, calibrated model: everything that scoring needs, as plain values.

    ``parameters`` are those of the kind's module; empty ones mean that there was nothing to learn and every log-odds is 0.
    ``calibrator`` is (slope, intercept); ``band`` the 90 % interval by score; ``about`` says how it came to be.
    """

    kind: str
    encoder: Encoder
    parameters: dict[str, Any] = field(hash=False)
    calibrator: tuple[float, float]
    band: Band = WHOLE
    about: dict[str, Any] = field(default_factory=dict, hash=False)


def log_odds(fitted: Fitted, frame: pd.DataFrame) -> np.ndarray:
    """Return the ranking value of each row before calibration, float64 of shape (n,).

    Raises:
        PrevenanceError: E504 if the frame lacks a feature.
    """
    return ranking_values(fitted, fitted.encoder.matrix(frame))


def ranking_values(fitted: Fitted, matrix: np.ndarray) -> np.ndarray:
    """Return ``log_odds`` of rows that are encoded already."""
    if not fitted.parameters or not len(matrix):
        return np.zeros(len(matrix))
    return module(fitted.kind).log_odds(fitted.parameters, matrix)


def chance(fitted: Fitted, frame: pd.DataFrame) -> np.ndarray:
    """Return the calibrated chance of each row, in [0, 1], shape (n,)."""
    return calibrated(fitted, log_odds(fitted, frame))


def used(fitted: Fitted) -> list[str]:
    """Return the features that the chance depends on: of a rule its one, of other kinds all that they were fitted on."""
    features = list(fitted.encoder.features)
    return [features[fitted.parameters["place"]]] if fitted.kind == "rule" and fitted.parameters else features


def calibrated(fitted: Fitted, values: np.ndarray) -> np.ndarray:
    """Return ``sigmoid(slope * log-odds + intercept)``."""
    slope, intercept = fitted.calibrator
    return sigmoid(slope * np.asarray(values) + intercept)


def interval(fitted: Fitted, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 90 % interval (low, high) of each score, with ``low <= score <= high``."""
    knots = np.array(fitted.band).T
    low, high = (np.interp(score, knots[0], side) for side in knots[1:])
    return np.minimum(low, score), np.maximum(high, score)


def key_id() -> str | None:
    """Return the id of the key that models are signed with, or ``None`` where there is no key.

    Raises:
        PrevenanceError: E505 if the key's file is not safe or not there.
    """
    key = _key()
    return None if key is None else keys.key_id(key)


def save(fitted: Fitted, folder: Path) -> str:
    """Write the model into ``folder`` (made if absent) and return its digest, the SHA-256 of ``manifest.json``.

    The same model gives the same bytes. Where the environment holds a key, ``manifest.hmac`` is written too: see ``KEY``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = fitted.parameters.get("trees")
    contents = {"model.json": _canonical(_plain(fitted))}
    if text is not None:
        contents["booster.txt"] = text.encode()
    manifest = _canonical({"format": FORMAT, "files": {name: _sha256(found) for name, found in contents.items()}})
    if (key := _key()) is not None:
        contents[SIGNATURE] = _hmac(key, manifest)
    for name, found in {**contents, "manifest.json": manifest}.items():
        (folder / name).write_bytes(found)
    return _sha256(manifest)


def load(folder: Path, digest: str) -> Fitted:
    """Return the model of a folder; nothing in it is parsed before its digest is what was registered, and trees by another process first.

    Raises:
        PrevenanceError: E502 if a file is missing, its digest differs, it is no model of this format, or (where there is a key) the
            signature does not match; E505 for the key itself.
    """
    manifest = _read(folder, "manifest.json")
    if not hmac.compare_digest(_sha256(manifest), digest):
        raise _refused(folder, "manifest.json", f"digest differs from the registered {digest[:12]}")
    if (key := _key()) is not None:
        _signed(folder, manifest, key)
    try:
        contents = {name: _checked(folder, name, expected) for name, expected in json.loads(manifest)["files"].items()}
        plain, text = json.loads(contents["model.json"]), contents.get("booster.txt")
        if why := _unfit(plain, text):
            raise _refused(folder, "booster.txt" if text is not None and plain.get("format") == FORMAT else "model.json", why)
        return _tried(_fitted(plain, text))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as problem:
        raise _refused(folder, "model.json", f"not a model of format {FORMAT} ({type(problem).__name__})") from problem


def _unfit(plain: dict[str, Any], text: bytes | None) -> str:
    """Return what differs from a model that this version can read, or nothing."""
    if plain["format"] != FORMAT:
        return f"written as format {plain['format']!r}, this version reads format {FORMAT}"
    if plain["kind"] not in (*MODELS, "base_rate"):
        return f"its kind {plain['kind']!r} is none of this version"
    return "" if text is None else trees.why_no_trees(text, len(plain["features"]))


def _tried(fitted: Fitted) -> Fitted:
    """Return the model once a row of zeros has got a finite value from it."""
    if fitted.parameters:
        with np.errstate(all="ignore"):
            value = module(fitted.kind).log_odds(fitted.parameters, np.zeros((1, len(fitted.encoder.features))))
        if value.shape != (1,) or not np.isfinite(value).all():
            raise ValueError("no value for a row of zeros")
    return fitted


def _key() -> bytes | None:
    return keys.read_key(KEY, "E505")


def _signed(folder: Path, manifest: bytes, key: bytes) -> None:
    """Raise E502 unless the signature in the folder is that of the key."""
    fix = f"run make train again with {KEY} set, which signs, or set the key that it was signed with"
    if not (folder / SIGNATURE).is_file():
        raise PrevenanceError("E502", f"{SIGNATURE}: cannot be read, the model is not signed", fix=fix, path=folder)
    if not hmac.compare_digest(_read(folder, SIGNATURE), _hmac(key, manifest)):
        raise PrevenanceError("E502", f"{SIGNATURE}: signature does not match the key {keys.key_id(key)}", fix=fix, path=folder)


def _plain(fitted: Fitted) -> dict[str, Any]:
    encoder = fitted.encoder
    return {
        "format": FORMAT,
        "kind": fitted.kind,
        "features": list(encoder.features),
        "vocabulary": {name: list(words) for name, words in encoder.vocabulary.items()},
        "dropped": list(encoder.dropped),
        "parameters": {name: value for name, value in fitted.parameters.items() if name != "trees"},
        "calibrator": list(fitted.calibrator),
        "band": [list(knot) for knot in fitted.band],
        "about": fitted.about,
    }


def _fitted(plain: dict[str, Any], text: bytes | None) -> Fitted:
    vocabulary = {name: tuple(words) for name, words in plain["vocabulary"].items()}
    slope, intercept = plain["calibrator"]
    return Fitted(
        kind=plain["kind"],
        encoder=Encoder(tuple(plain["features"]), vocabulary, tuple(plain["dropped"])),
        parameters=plain["parameters"] | ({} if text is None else {"trees": text.decode()}),
        calibrator=(slope, intercept),
        band=tuple((score, low, high) for score, low, high in plain["band"]),
        about=plain["about"],
    )


def _checked(folder: Path, name: str, expected: str) -> bytes:
    if name not in FILES:
        raise _refused(folder, name, "no file of a model")
    found = _read(folder, name)
    if not hmac.compare_digest(_sha256(found), expected):
        raise _refused(folder, name, "digest differs from the manifest")
    return found


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as problem:
        raise _refused(folder, name, f"cannot be read ({type(problem).__name__})") from problem


def _refused(folder: Path, name: str, why: str) -> PrevenanceError:
    return PrevenanceError("E502", f"{name}: {why}", fix="restore the folder as it was registered, or train again", path=folder)


def _canonical(value: object) -> bytes:
    return (json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n").encode()


def _sha256(found: bytes) -> str:
    return hashlib.sha256(found).hexdigest()


def _hmac(key: bytes, manifest: bytes) -> bytes:
    return hmac.new(key, manifest, hashlib.sha256).hexdigest().encode() + b"\n"

"""A fitted model as a value, and as a folder that can be checked before it is believed."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevenance.errors import PrevenanceError
from prevenance.models import module
from prevenance.models.calibrate import WHOLE, Band, sigmoid
from prevenance.models.encode import Encoder

FORMAT = 1
FILES = ("booster.txt", "model.json")


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
    matrix = fitted.encoder.matrix(frame)
    if not fitted.parameters or not len(matrix):
        return np.zeros(len(matrix))
    return module(fitted.kind).log_odds(fitted.parameters, matrix)


def chance(fitted: Fitted, frame: pd.DataFrame) -> np.ndarray:
    """Return the calibrated chance of each row, in [0, 1], shape (n,)."""
    return calibrated(fitted, log_odds(fitted, frame))


def calibrated(fitted: Fitted, values: np.ndarray) -> np.ndarray:
    """Return ``sigmoid(slope * log-odds + intercept)``."""
    slope, intercept = fitted.calibrator
    return sigmoid(slope * np.asarray(values) + intercept)


def interval(fitted: Fitted, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 90 % interval (low, high) of each score, with ``low <= score <= high``."""
    knots = np.array(fitted.band).T
    low, high = (np.interp(score, knots[0], side) for side in knots[1:])
    return np.minimum(low, score), np.maximum(high, score)


def save(fitted: Fitted, folder: Path, *, key: bytes | None = None) -> str:
    """Write the model into ``folder`` (made if absent) and return its digest, the SHA-256 of ``manifest.json``.

    The same model gives the same bytes. With a ``key``, ``manifest.hmac`` is written too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trees = fitted.parameters.get("trees")
    contents = {"model.json": _canonical(_plain(fitted))}
    if trees is not None:
        contents["booster.txt"] = trees.encode()
    manifest = _canonical({"format": FORMAT, "files": {name: _sha256(found) for name, found in contents.items()}})
    if key is not None:
        contents["manifest.hmac"] = _hmac(key, manifest)
    for name, found in {**contents, "manifest.json": manifest}.items():
        (folder / name).write_bytes(found)
    return _sha256(manifest)


def load(folder: Path, digest: str, *, key: bytes | None = None) -> Fitted:
    """Return the model of a folder; nothing in it is parsed before its digest is what was registered.

    Raises:
        PrevenanceError: E502 if a file is missing, its digest differs, or (with a ``key``) the signature does not match.
    """
    manifest = _read(folder, "manifest.json")
    if not hmac.compare_digest(_sha256(manifest), digest):
        raise _refused(folder, "manifest.json", f"digest differs from the registered {digest[:12]}")
    if key is not None and not hmac.compare_digest(_read(folder, "manifest.hmac"), _hmac(key, manifest)):
        raise _refused(folder, "manifest.hmac", "signature does not match the key")
    try:
        contents = {name: _checked(folder, name, expected) for name, expected in json.loads(manifest)["files"].items()}
        return _fitted(json.loads(contents["model.json"]), contents.get("booster.txt"))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise _refused(folder, "model.json", f"not a model of format {FORMAT} ({type(problem).__name__})") from problem


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


def _fitted(plain: dict[str, Any], trees: bytes | None) -> Fitted:
    vocabulary = {name: tuple(words) for name, words in plain["vocabulary"].items()}
    slope, intercept = plain["calibrator"]
    return Fitted(
        kind=plain["kind"],
        encoder=Encoder(tuple(plain["features"]), vocabulary, tuple(plain["dropped"])),
        parameters=plain["parameters"] | ({} if trees is None else {"trees": trees.decode()}),
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

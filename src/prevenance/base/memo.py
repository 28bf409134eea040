"""Work that is kept because it gives the same again: whole files named by everything they depend on. What is damaged is as if it were not there."""

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from prevenance.base import disk
from prevenance.base.errors import PrevenanceError

MEMO = "memo"
"""Folder below the output folder: removed at any time it costs a night's work and nothing else."""

LIBRARIES = ("duckdb", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "lightgbm")
"""What computes with us: another version of one may give other digits."""


def key_of(parts: Mapping[str, object]) -> str:
    """Return the hash of what something depends on; records, texts, numbers and instants in mappings and sequences.

    >>> key_of({"a": 1, "b": {2, 3}}) == key_of({"b": {3, 2}, "a": 1}) != key_of({"a": 1, "b": {2}})
    True
    """
    return hashlib.sha256(json.dumps(_plain(parts), sort_keys=True).encode(errors="surrogatepass")).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        # the name of its class too: a sum and a mean of a column have the same fields
        return {
            f"{type(value).__module__}.{type(value).__qualname__}": {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        }
    if isinstance(value, Mapping):
        return (
            {"keys": [[_plain(key), _plain(one)] for key, one in value.items()]}
            if any(not isinstance(key, str) for key in value)
            else {key: _plain(one) for key, one in value.items()}
        )
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    # a float as it reads back equal; an instant as its own text
    return f"{type(value).__name__}:{value!r}"


@cache
def code_digest() -> str:
    """Return the hash of this package's own code and of the versions that it computes with."""
    root, found = Path(__file__).parent.parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    for name in LIBRARIES:
        try:
            found.update(f"{name}=={version(name)}\0".encode())
        except PackageNotFoundError:
            found.update(f"{name}\0".encode())
    return found.hexdigest()


def kept_bytes(path: Path) -> bytes | None:
    """Return what ``keep`` put there, to the byte, or ``None`` where that is not to be had."""
    with suppress(OSError):
        digest, _, content = path.read_bytes().partition(b"\n")
        if digest == hashlib.sha256(content).hexdigest().encode():
            return content
    return None


def keep(path: Path, content: bytes) -> None:
    """Put ``content`` there, whole or not at all; where it cannot be written the work is done again next time, which is no reason to end a run."""
    with suppress(PrevenanceError):
        disk.write(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def forget_others(folder: Path, names: Collection[str]) -> None:
    """Remove every file of ``folder`` but those of ``names``: what nobody asked for tonight nobody will ask for again."""
    for path in sorted(folder.glob("*")):
        if path.name not in names:
            with suppress(OSError):
                path.unlink()


def forget_all(out: Path) -> int:
    """Remove the whole memo of an output folder and return how many files it had.

    Raises:
        PrevenanceError: E801 if it cannot be removed.
    """
    folder = out / MEMO
    count = sum(path.is_file() for path in folder.rglob("*")) if folder.is_dir() else 0
    if folder.is_dir():
        aside = disk.beside(folder)
        with disk.writing(folder):
            # its name goes at once: nobody meets half of it
            folder.rename(aside)
            shutil.rmtree(aside)
    return count

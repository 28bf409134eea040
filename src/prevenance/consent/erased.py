"""Who was erased: a list of keyed hashes in ``<out>/erased.json``, so that later runs leave them out even if the source still has them.

The key is that of the environment variable ``PREVENANCE_ERASURE_KEY`` or of the file that ``PREVENANCE_ERASURE_KEY_FILE`` names, else a random
one beside the list. Who has neither cannot tell who was
erased; who has the key can test an id that they know.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prevenance.base import disk, keys
from prevenance.base.errors import PrevenanceError
from prevenance.base.kept import stands

LIST_FILE, KEY_FILE, KEY_VARIABLE = "erased.json", "erased.key", "PREVENANCE_ERASURE_KEY"


@dataclass(frozen=True)
class Erased:
    """The hashes of the erased customers of one output folder, and their key."""

    key: bytes
    marks: frozenset[str]

    def mark(self, customer: str) -> str:
        """Return the keyed hash of an id (HMAC-SHA256, hex)."""
        return keys.keyed_hash(self.key, customer)

    def among(self, customers: Iterable[str]) -> set[str]:
        """Return those of ``customers`` who were erased; nothing is hashed while nobody was."""
        return {one for one in customers if self.mark(one) in self.marks} if self.marks else set()


def load_erased(out: Path) -> Erased:
    """Return the list of an output folder; nobody where there is none.

    Raises:
        PrevenanceError: E904 if there is a list and it cannot be read or its key is not there: then nobody may be scored.
    """
    key, path = _key(out), out / LIST_FILE
    if not stands(path):
        return Erased(key or b"", frozenset())
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known, marks = str(found["key_id"]), frozenset(map(str, found["erased"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise PrevenanceError("E904", "the list of erased customers cannot be read", fix="restore it from a backup", path=path) from problem
    # with another key every hash misses, and everybody who was erased would be back on the list
    if key is None or keys.key_id(key) != known:
        what = f"the list of erased customers was made with another key ({known})"
        raise PrevenanceError("E904", what, fix=f"set {KEY_VARIABLE} to that key, or restore {out / KEY_FILE}")
    return Erased(key, marks)


def add_erased(out: Path, customer: str) -> Erased:
    """Add an id to the list, in one step, and return the list; a random key is made where there is none."""
    held = load_erased(out)
    # the key is written before the list: a run that dies in between leaves a key without a list, which erases nobody
    if not held.key:
        held = Erased(secrets.token_hex(32).encode(), frozenset())
        disk.write(out / KEY_FILE, held.key)
    marks = held.marks | {held.mark(customer)}
    disk.write(out / LIST_FILE, (json.dumps({"key_id": keys.key_id(held.key), "erased": sorted(marks)}, indent=1) + "\n").encode())
    return Erased(held.key, marks)


def _key(out: Path) -> bytes | None:
    # the environment wins, so that a key can move out of the output folder
    if (given := keys.read_key(KEY_VARIABLE, "E905")) is not None:
        return given
    return (out / KEY_FILE).read_bytes() if (out / KEY_FILE).is_file() else None

"""Pseudonyms of customers: keyed hashes that stand for ids wherever nobody has to call anybody.

The same customer has the same pseudonym under the same key; under another key nobody can link the two. Who has the key can test an id that
they know, so the key belongs elsewhere than the output: in ``PREVENANCE_PSEUDONYM_KEY`` or in a file for its owner only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from prevenance.base import kept, keys
from prevenance.base.errors import PrevenanceError

KEY_VARIABLE = "PREVENANCE_PSEUDONYM_KEY"

PERSON_COLUMNS = ("customer_id", "parent_id", "user_id")
"""Columns whose ids stand for people or companies."""


@dataclass(frozen=True)
class Pseudonyms:
    """What a key makes of ids."""

    key: bytes

    @property
    def key_id(self) -> str:
        """Return the short hash that names the key."""
        return keys.key_id(self.key)

    def of(self, customer: str) -> str:
        """Return the pseudonym of an id: ``p-`` and 32 hex digits of its HMAC-SHA256."""
        return "p-" + keys.keyed_hash(self.key, customer)[:32]

    def hidden(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return ``frame`` with pseudonyms in the columns of ``PERSONS``, ordered by them: the order of rows tells nothing of the ids."""
        # ordered by the hidden ids: the order of the clear ones would give them away
        persons = [name for name in PERSON_COLUMNS if name in frame]
        return _ordered(frame.assign(**{name: _mapped(frame[name], {one: self.of(one) for one in _ids(frame[name])}) for name in persons}))

    def shown(self, frame: pd.DataFrame, customers: Iterable[str]) -> pd.DataFrame:
        """Return ``frame`` with the ids of ``customers`` in clear again, ordered by them; an id that is none of theirs stays hidden."""
        names = {self.of(one): one for one in customers}
        return _ordered(frame.assign(customer_id=_mapped(frame["customer_id"], names)))


def wanted_pseudonyms(wanted: bool, file: str | None = None) -> Pseudonyms | None:
    """Return the pseudonyms of the environment's key or of the file's; ``None`` where they are not wanted.

    Raises:
        PrevenanceError: E905 if they are wanted and there is no key, or its file is open to others.
    """
    found = key_pseudonyms(file) if wanted else None
    if wanted and found is None:
        fix = f"set {KEY_VARIABLE}, or privacy.key_file=<a file with mode 0600>; privacy.pseudonyms=false keeps the ids"
        raise PrevenanceError("E905", "privacy.pseudonyms is true and there is no key", key="privacy.pseudonyms", fix=fix)
    return found


def key_pseudonyms(file: str | None = None) -> Pseudonyms | None:
    """Return the pseudonyms of the key that there is, wanted or not; E905 if its file is no good."""
    key = keys.read_key(KEY_VARIABLE, "E905", file)
    return None if key is None else Pseudonyms(key)


def used_key_ids(out: Path) -> set[str]:
    """Return the ids of the keys whose pseudonyms stand below an output folder, as its lists and training reports say."""
    found = set()
    # an erasure must know whether a key was in use that it has not been given
    for path in [*(out / "lists").glob("*/*/manifest.json"), *(out / "train").glob("*/report.json")]:
        told = kept.needed_json(path).get("privacy") or {}
        found.add(told.get("key_id"))
    return {str(one) for one in found if one}


def _ids(column: pd.Series) -> list[str]:
    return [str(one) for one in column.dropna().unique()]


def _mapped(column: pd.Series, names: dict[str, str]) -> pd.Series:
    texts = [None if pd.isna(one) else names.get(str(one), str(one)) for one in column.tolist()]
    return pd.Series(texts, index=column.index, dtype="str")


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    by = [name for name in ("_file", "_line", "customer_id", "product_id", "cutoff") if name in frame]
    return frame.sort_values(by, kind="stable", ignore_index=True)

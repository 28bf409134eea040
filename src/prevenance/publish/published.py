"""Lists that are published already: found by their cutoff, read only as they were published."""

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.base import disk, kept
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import instant_stamp
from prevenance.consent.pseudonyms import KEY_VARIABLE, key_pseudonyms
from prevenance.features.held import HeldInputs, opened_inputs
from prevenance.history.history import History
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.publish.folders import LATEST, MANIFEST

NEEDED = frozenset({"target", "cutoff", "run_id", "files", "model", "tables", "privacy"})
"""What a manifest says in any case."""


@dataclass(frozen=True)
class Published:
    """A published list: its folder and manifest; rows, inputs and model are read when asked for."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def cutoff(self) -> datetime:
        """Return the cutoff, naive UTC."""
        return datetime.fromisoformat(self.manifest["cutoff"].rstrip("Z"))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Return the rows of list.json, in the order of the list; ids are text, cutoff is an instant."""
        found = pd.DataFrame(json.loads(self._content("list.json")))
        # An id such as 01449 must not come back as a number.
        ids = {name: "str" for name in ("customer_id", "product_id") if name in found}
        return found.astype(ids).assign(cutoff=pd.Timestamp(self.cutoff).as_unit("us"))

    @cached_property
    def features(self) -> pd.DataFrame:
        """Return customer_id, cutoff[, product_id] and every input of the model, as published."""
        return pd.read_parquet(io.BytesIO(self._content("features.parquet")))

    def inputs(self, key_file: str | None, history: History) -> HeldInputs:
        """Return what ``features`` holds, with ids in clear, as far as the history knows them.

        Raises:
            PrevenanceError: E905 if they were published under pseudonyms whose key is not to be had.
        """
        return opened_inputs(self._content("features.parquet"), partial(self._shown, key_file=key_file, history=history))

    def arms(self, key_file: str | None, history: History) -> pd.DataFrame:
        """Return ``arms.csv`` (see ``ranking.arm_rows``) with ids in clear, as ``inputs``; no rows where the list has none."""
        if "arms.csv" not in self.manifest["files"]:
            return pd.DataFrame({"customer_id": [], "in_band": []})
        found = pd.read_csv(io.BytesIO(self._content("arms.csv")), dtype={"customer_id": "str", "arm": "str"})
        # a spreadsheet-safe id is found again
        found["customer_id"] = found["customer_id"].str.replace(r"^'(?=[=+@\t\r-])", "", regex=True)
        return self._shown(found, key_file, history)

    def _shown(self, rows: pd.DataFrame, key_file: str | None, history: History) -> pd.DataFrame:
        if not (key_id := self.manifest["privacy"].get("key_id")):
            return rows
        hidden = key_pseudonyms(key_file)
        if hidden is None or hidden.key_id != key_id:
            what = f"the list holds pseudonyms of the key {key_id}, which is not to be had"
            raise PrevenanceError("E905", what, fix=f"set {KEY_VARIABLE} to that key", path=self.folder)
        return hidden.shown(
            rows, [row[0] for row in history.con.execute("select distinct customer_id from canonical.customers").fetchall()]
        )

    def model(self, out: Path) -> Fitted:
        """Return the model that made the list, checked by the digest of the manifest; E502 if it is not there any more."""
        digest = self.manifest["model"]["digest"]
        return bundle.load(out / "models" / self.manifest["target"] / digest, digest)

    def _content(self, name: str) -> bytes:
        with disk.writing(self.folder / name):
            found = (self.folder / name).read_bytes()
        if hashlib.sha256(found).hexdigest() != self.manifest["files"].get(name):
            fix = "restore the folder, or publish that cutoff again"
            raise PrevenanceError("E801", "a published file is not what its manifest says", fix=fix, path=self.folder / name)
        return found


def published_lists(out: Path, target: str) -> list[Published]:
    """Return the published lists of ``target``, oldest cutoff first; of one cutoff the one that ``latest`` points to, else the newest file."""
    lists = out / "lists" / target
    newest = disk.pointed(lists / LATEST)
    found: dict[str, Path] = {}
    for path in sorted(
        lists.glob("*/" + MANIFEST), key=lambda path: (path.parent.name == newest, path.stat().st_mtime_ns, path.parent.name)
    ):
        if not path.parent.is_symlink() and not path.parent.name.startswith(disk.TEMPORARY):
            # Later ones replace earlier ones of the same cutoff: the order above decides.
            found[path.parent.name.rpartition("-")[0]] = path.parent
    # One that is damaged is no published list any more: nothing is known of it.
    told = [(folder, kept.whole_json(folder / MANIFEST)) for _, folder in sorted(found.items())]
    return [Published(folder, dict(manifest)) for folder, manifest in told if manifest is not None and set(manifest) >= NEEDED]


def published_list_at(out: Path, target: str, cutoff: datetime | None) -> Published | None:
    """Return the published list of ``cutoff``, or the newest one where no cutoff is given; ``None`` if there is none."""
    found = published_lists(out, target)
    return next((one for one in reversed(found) if cutoff is None or instant_stamp(one.cutoff) == instant_stamp(cutoff)), None)


def published_lists_before(out: Path, target: str, cutoff: datetime) -> list[Published]:
    """Return the published lists with an earlier cutoff, oldest first."""
    return [one for one in published_lists(out, target) if one.cutoff < cutoff]
